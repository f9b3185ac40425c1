-- What holds a record besides the rules and the unsent edits.

-- Records that are to stay whatever the rules say. `record` is the current id, as in the journal.
CREATE TABLE attache_pin (
    record TEXT NOT NULL PRIMARY KEY,
    pinned_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Pins that ended because the server has no such record; told by the next report.
CREATE TABLE attache_unpinned (
    record TEXT NOT NULL PRIMARY KEY,
    object TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Records that somebody looked at. The newest of them stay as a cache.
CREATE TABLE attache_recent (
    record TEXT NOT NULL PRIMARY KEY,
    viewed_at INTEGER NOT NULL,
    -- The size of its values when it was last looked at.
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a rule is called, for people.
ALTER TABLE attache_rule ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- How many records a rule matches at the server, if its limit leaves some of them out.
-- It was kept as a setting, without the limit, so it is asked for anew.
ALTER TABLE attache_rule ADD COLUMN cut_from INTEGER;
UPDATE attache_rule SET swept_at = NULL WHERE 'matches:' || key IN (SELECT key FROM attache_setting);
DELETE FROM attache_setting WHERE key LIKE 'matches:%';

-- Local time of the last look at the records that no rule holds; NULL: they are to be read anew.
ALTER TABLE attache_object ADD COLUMN looked_at INTEGER;
