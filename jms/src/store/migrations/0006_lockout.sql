-- Migration 6: wrong answers after a proven key and without one are counted apart, and a slow check takes a place first.
-- The two tables of the first schema were never written to by any version.
DROP TABLE lockout;
DROP TABLE source_lockout;

-- Wrong answers that count, and the locks they lead to; '' as source: over all sources.
CREATE TABLE lockout (
    user_id      INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    proof        TEXT NOT NULL CHECK (proof IN ('key', 'none')),
    source       TEXT NOT NULL,
    failures     INTEGER NOT NULL,
    first_at     INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    locked_until INTEGER,
    PRIMARY KEY (user_id, proof, source)
) STRICT, WITHOUT ROWID;

-- The same for all users of a network, answers without a key.
CREATE TABLE source_lockout (
    source       TEXT PRIMARY KEY,
    failures     INTEGER NOT NULL,
    first_at     INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    locked_until INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX source_lockout_by_time ON source_lockout (last_at);

-- Answers that are being checked outside of a transaction. Whoever dies meanwhile leaves a wrong answer.
CREATE TABLE lockout_place (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id  INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    proof    TEXT NOT NULL CHECK (proof IN ('key', 'none')),
    source   TEXT NOT NULL,
    taken_at INTEGER NOT NULL
) STRICT;
CREATE INDEX lockout_place_by_user ON lockout_place (user_id);
