-- What forms are drawn from, as the org told it.

-- Layouts of objects, as JSON (form::Form).
CREATE TABLE attache_form (
    object TEXT NOT NULL PRIMARY KEY,
    layouts TEXT NOT NULL
) STRICT;

-- The values of picklists by record type, as JSON: a write is checked against a few of them.
CREATE TABLE attache_picklist (
    object TEXT NOT NULL,
    record_type TEXT NOT NULL,
    field TEXT NOT NULL COLLATE NOCASE,
    entries TEXT NOT NULL,
    PRIMARY KEY (object, record_type, field)
) STRICT;

-- List views that rules are made of, by the name that the briefcase gives them.
CREATE TABLE attache_list_view (
    object TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL COLLATE NOCASE,
    -- The org's id, and what it told; empty if there was none when it was asked.
    id TEXT NOT NULL,
    describe TEXT NOT NULL,
    -- Local time at which the org was asked last.
    asked_at INTEGER NOT NULL,
    -- 1 while the org has no such list view any more.
    gone INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (object, name)
) STRICT;
