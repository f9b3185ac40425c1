-- Records without an id of the server at which the fields of a mutation point, by their local keys:
-- what has to be rewritten when one of them gets its id.
CREATE TABLE attache_mention (
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (seq, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX attache_mention_key ON attache_mention (key);
INSERT INTO attache_mention
SELECT DISTINCT m.seq, j.value FROM attache_mutation m, json_each(m.fields) j
WHERE j.type = 'text' AND j.value LIKE 'local-%';
