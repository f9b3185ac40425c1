-- What makes a mutation the same mutation on every device that holds a copy of it.

-- The store's own name. It decides nothing; it tells stores apart.
INSERT INTO attache_setting VALUES ('store_id', lower(hex(randomblob(16))));

-- Mutations of which a copy is or was elsewhere: they left in a file, or came in one.
-- A row outlives its mutation, so that a file imported late does nothing twice.
CREATE TABLE attache_copy (
    uid TEXT NOT NULL PRIMARY KEY,
    -- Its place in this journal; NULL: nothing of it had to be kept.
    seq INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX attache_copy_seq ON attache_copy (seq);
