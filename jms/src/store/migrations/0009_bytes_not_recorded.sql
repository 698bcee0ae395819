-- Migration 9: how many bytes of its output a session's recording leaves out, because a setting says so; null: not known,
-- or nothing of the output was to be recorded.
ALTER TABLE session ADD COLUMN bytes_not_recorded INTEGER;
