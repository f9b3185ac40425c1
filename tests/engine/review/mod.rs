//! Edits made while a session waits, remotes that lie, and what a person takes back: nothing of it may cost an edit.

mod journal;
mod liar;
mod lies;
mod wire;
