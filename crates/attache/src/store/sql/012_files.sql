-- Files of records: what is known of them, and their bytes as far as they are here.

-- A file that was attached here and not sent has its mutation in the journal, under its key.
CREATE TABLE attache_file (
    nr INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- What hosts know it by: the server's id of the document, or a local key.
    key TEXT NOT NULL UNIQUE,
    -- The server's ids of the document and of its latest version, as far as they are known here.
    document TEXT UNIQUE,
    version TEXT,
    title TEXT NOT NULL,
    -- The ending of its name, without the dot.
    extension TEXT,
    -- Bytes of the whole.
    bytes INTEGER NOT NULL,
    -- MD5 in hexadecimal; NULL: the server does not tell.
    checksum TEXT,
    -- How many of the bytes are here, from the first on.
    got INTEGER NOT NULL DEFAULT 0,
    -- Why the bytes that came were not kept.
    problem TEXT,
    -- Local time at which the bytes were last of use.
    used_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX attache_file_version ON attache_file (version);

-- What hangs on which record, by its current id.
CREATE TABLE attache_file_link (
    record TEXT NOT NULL,
    file INTEGER NOT NULL,
    PRIMARY KEY (record, file)
) STRICT, WITHOUT ROWID;
CREATE INDEX attache_file_link_file ON attache_file_link (file);

-- The bytes, in pieces that are held in memory one at a time.
CREATE TABLE attache_file_piece (
    file INTEGER NOT NULL,
    start INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (file, start)
) STRICT;

-- Local time at which all files of a record were last listed.
CREATE TABLE attache_file_listed (
    record TEXT NOT NULL PRIMARY KEY,
    listed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
