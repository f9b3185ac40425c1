-- The names of a base's fields, as a JSON array. Most fields of most records are empty: with its names a base was
-- three times as long, and every other first edit of a record began a page of its own.
CREATE TABLE attache_shape (
    nr INTEGER NOT NULL PRIMARY KEY,
    fields TEXT NOT NULL UNIQUE
) STRICT;
INSERT OR IGNORE INTO attache_shape (fields) SELECT carried FROM attache_object WHERE carried <> '[]';
