-- Migration 2: the root of the tree of assets, of which every asset is a part, so that a grant can name it.

INSERT OR IGNORE INTO asset_group (path, parent_id, comment, created_at, updated_at)
VALUES ('/', NULL, 'All assets', CAST(strftime('%s', 'now') AS INTEGER) * 1000, CAST(strftime('%s', 'now') AS INTEGER) * 1000);

UPDATE asset_group SET parent_id = (SELECT id FROM asset_group WHERE path = '/')
WHERE parent_id IS NULL AND path <> '/';
