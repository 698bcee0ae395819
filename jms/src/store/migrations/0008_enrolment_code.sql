-- Migration 8: after a second factor was reset, a new one takes a code that the administrator handed over.
CREATE TABLE enrolment_code (
    user_id     INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    hash        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    valid_until INTEGER NOT NULL
) STRICT;
