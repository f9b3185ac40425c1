-- The words of records, for search. All of it can be made again from the records.

-- A document is a record: its rowid is nr * 2^40 + attache_row. The words come folded
-- and parted by spaces (search/words.rs), so the tokenizer has nothing to decide.
CREATE VIRTUAL TABLE attache_text USING fts5(
    name, mail, phone, text,
    content = '', contentless_delete = 1, tokenize = 'ascii'
);

-- The objects whose records are in the index.
CREATE TABLE attache_indexed (
    nr INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- NULL: its documents were made from other fields than are wanted now, and are to go.
    object TEXT UNIQUE,
    -- The fields, with what kind of text each is, as JSON.
    fields TEXT NOT NULL,
    -- Records up to this attache_row have been read.
    upto INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Documents whose records have changed, or gone, since they were read.
CREATE TABLE attache_stale (doc INTEGER NOT NULL PRIMARY KEY) STRICT;
