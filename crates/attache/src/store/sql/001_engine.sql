-- The engine's own tables. Those of the records are made from describes.

-- Single facts: whose store this is, the briefcase, a host's own notes.
CREATE TABLE attache_setting (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Objects that were described. `carried` lists the columns of the object's table, as JSON.
CREATE TABLE attache_object (
    name TEXT NOT NULL PRIMARY KEY,
    describe TEXT NOT NULL,
    last_modified TEXT,
    carried TEXT NOT NULL DEFAULT '[]',
    -- Server time from which changes are to be read; NULL: never read.
    low INTEGER
) STRICT, WITHOUT ROWID;

-- Rules of the briefcase. A record's membership is a bit of its attache_rules.
CREATE TABLE attache_rule (
    id INTEGER NOT NULL PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    object TEXT NOT NULL,
    -- The object of the rule that this one is related to; NULL: it chooses by itself.
    of_object TEXT,
    bit INTEGER NOT NULL,
    -- 1 while everything the rule matches was read.
    loaded INTEGER NOT NULL DEFAULT 0,
    -- The last id that a load or a sweep has reached; NULL: at its start.
    after_id TEXT,
    -- Local time and local day of the last finished sweep, and how many ids it went through.
    swept_at INTEGER,
    swept_day TEXT,
    swept_ids INTEGER NOT NULL DEFAULT 0,
    UNIQUE (object, bit)
) STRICT;

-- The ids whose relatives a related rule has read.
CREATE TABLE attache_covered (
    rule INTEGER NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (rule, id)
) STRICT, WITHOUT ROWID;

-- What the server last confirmed of records that were edited here.
CREATE TABLE attache_base (
    record TEXT NOT NULL PRIMARY KEY,
    object TEXT NOT NULL,
    fields TEXT NOT NULL,
    -- The membership of a record that was deleted here.
    rules INTEGER NOT NULL DEFAULT 0,
    key TEXT
) STRICT, WITHOUT ROWID;

-- The journal. `record` is the record's current id, a local key until the server gives one.
CREATE TABLE attache_mutation (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    changeset INTEGER NOT NULL,
    object TEXT NOT NULL,
    record TEXT NOT NULL,
    -- 1 create, 2 update, 3 delete
    kind INTEGER NOT NULL,
    fields TEXT NOT NULL,
    -- 0 pending, 1 sending, 2 in doubt, 3 rejected, 4 conflicted
    state INTEGER NOT NULL DEFAULT 0,
    problems TEXT,
    -- A create's key at the server, made once and kept over every attempt.
    client_key TEXT,
    -- Server time known when the create was last sent.
    sent_after INTEGER,
    made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX attache_mutation_record ON attache_mutation (record);

-- Identities whose current id is another: a local key once the server gave an id.
CREATE TABLE attache_alias (
    key TEXT NOT NULL PRIMARY KEY,
    current TEXT NOT NULL,
    object TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attache_alias_current ON attache_alias (current, key);

-- Open conflicts, one a record. `fields`: name -> base, local, remote.
CREATE TABLE attache_conflict (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    record TEXT NOT NULL UNIQUE,
    object TEXT NOT NULL,
    -- 0 fields, 1 deleted at the remote
    kind INTEGER NOT NULL,
    -- The base of each field in conflict, as both sides last agreed.
    base TEXT NOT NULL,
    remote TEXT NOT NULL,
    changed_by TEXT,
    changed_at INTEGER
) STRICT;

-- What was joined without asking and has not been told in a report yet.
CREATE TABLE attache_notice (
    id INTEGER NOT NULL PRIMARY KEY,
    merged TEXT NOT NULL
) STRICT;
