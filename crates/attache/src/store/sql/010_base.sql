-- A base is long. Kept in the b-tree that finds it by its record, each look-up read the bases that it passed.
CREATE TABLE attache_kept (
    record TEXT NOT NULL UNIQUE,
    object TEXT NOT NULL,
    fields TEXT NOT NULL,
    -- The membership of a record that was deleted here.
    rules INTEGER NOT NULL DEFAULT 0,
    key TEXT
) STRICT;
INSERT INTO attache_kept SELECT record, object, fields, rules, key FROM attache_base;
DROP TABLE attache_base;
ALTER TABLE attache_kept RENAME TO attache_base;

-- The mutations that were refused (3) or disputed (4): every edit asks whether its record has one, and next to none has.
CREATE INDEX attache_mutation_held ON attache_mutation (record) WHERE state IN (3, 4);
