-- Migration 5: the events of one login, and those of one type, are found without reading all events there ever were.

CREATE INDEX event_by_login ON event (login_id) WHERE login_id <> '';
CREATE INDEX event_by_type ON event (type);
