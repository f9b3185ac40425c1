//! The ways in which MobileSync loses edits and makes records twice, each shown not to be ours.
//!
//! MobileSync is the sync half of the Salesforce Mobile SDK, and what most offline apps
//! for these records are built on. The weaknesses were read off its sources and its issue
//! tracker; they are numbered as in the list that was made then, and a test is named after
//! the number and what must not happen.
//!
//! | numbers | file | about |
//! |---|---|---|
//! | 1–6 | `edits` | edits that are lost, overwritten or in conflict without a word |
//! | 7–10 | `creates` | records that are made twice, or taken for gone |
//! | 11–17 | `rows` | rows that are missed, and rows that are deleted although they live |
//! | 18–25 | `life` | what a device meets in its life: memory, logout, limits, drift, silence |

mod creates;
mod edits;
mod life;
mod rows;
