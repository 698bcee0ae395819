-- Migration 3: every jmsctl looks for sessions that were lost and whose recordings have no anchor yet. There are hardly ever any,
-- and without this index it read all sessions there ever were to learn so.

CREATE INDEX session_without_anchor ON session (id)
    WHERE end_reason = 'lost' AND recording <> '' AND recording_hash IS NULL;
