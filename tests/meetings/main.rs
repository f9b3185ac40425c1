//! What meets what: an edit and the pages of a load, a parent and its unsent children, a search and a changeset.

mod changesets;
mod pages;
mod parents;
