-- Files that the remote made of first loads, and how far each was read: a load that was cut off goes on with its file.
CREATE TABLE attache_load (
    rule INTEGER NOT NULL PRIMARY KEY,
    -- What the remote calls the file.
    file TEXT NOT NULL,
    -- What the rule asked for, where the changes of its object began, and how far the rule's load had come: the file
    -- stands for the rest of the load as long as all three are the same.
    statement TEXT NOT NULL,
    low INTEGER,
    after_id TEXT,
    -- Where its next page is; NULL: at its begin.
    next TEXT,
    -- How many of its rows were read.
    rows INTEGER NOT NULL DEFAULT 0,
    -- How often it was gone on with since a page of it came.
    tried INTEGER NOT NULL DEFAULT 0
) STRICT;
