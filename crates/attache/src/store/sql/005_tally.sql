-- What sessions did and no report has told yet, counted in the transaction that did it.
CREATE TABLE attache_tally (
    name TEXT NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
