-- Columns whose values the server has and the records here lack: new fields, and fields of another type.
CREATE TABLE attache_missing (
    object TEXT NOT NULL,
    field TEXT NOT NULL,
    -- The last id that was filled in; NULL: none was.
    after_id TEXT,
    PRIMARY KEY (object, field)
) STRICT, WITHOUT ROWID;
