-- Conflicts that were decided and of which nothing was sent yet: what is needed to open them again.
CREATE TABLE attache_resolution (
    -- The conflict's number, which it has again when it is open again.
    id INTEGER NOT NULL PRIMARY KEY,
    changeset INTEGER NOT NULL,
    -- The record's current id, before and after: another one if it was created again.
    record TEXT NOT NULL,
    record_now TEXT NOT NULL UNIQUE,
    object TEXT NOT NULL,
    -- The conflict, as in attache_conflict.
    kind INTEGER NOT NULL,
    base TEXT NOT NULL,
    remote TEXT NOT NULL,
    changed_by TEXT,
    changed_at INTEGER,
    -- What the server last confirmed, as in attache_base; NULL: the server never saw the record.
    confirmed TEXT,
    -- Membership and identity of the record.
    rules INTEGER NOT NULL DEFAULT 0,
    key TEXT
) STRICT;

-- The journal of such records: as it was (0), and as the decision left it (1).
CREATE TABLE attache_resolution_mutation (
    resolution INTEGER NOT NULL,
    left_by INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    changeset INTEGER NOT NULL,
    object TEXT NOT NULL,
    record TEXT NOT NULL,
    kind INTEGER NOT NULL,
    fields TEXT NOT NULL,
    state INTEGER NOT NULL,
    problems TEXT,
    client_key TEXT,
    sent_after INTEGER,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (resolution, left_by, seq)
) STRICT, WITHOUT ROWID;
