-- Migration 7: when a user was last here; not in his row, whose changes are policy.

CREATE TABLE user_activity (
    user_id INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    seen_at INTEGER NOT NULL
) STRICT;
INSERT INTO user_activity SELECT user_id, max(opened_at) FROM login WHERE user_id IS NOT NULL GROUP BY user_id;
