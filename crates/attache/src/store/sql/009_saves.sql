-- What a person or a host wants of single writes, beyond their values.

-- Mutations whose records are to be saved although the server takes them for duplicates.
CREATE TABLE attache_anyway (
    seq INTEGER NOT NULL PRIMARY KEY
) STRICT;

-- Changesets of which the server is to take all edits or none.
CREATE TABLE attache_together (
    changeset INTEGER NOT NULL PRIMARY KEY
) STRICT;
