-- What an administrator and his users left in a store, for `make`: names only, no secrets. Columns are named, so that it fits
-- every schema.
BEGIN;
INSERT INTO site (id, name, created_at, updated_at) VALUES (1, 'south', 1, 1);
INSERT INTO user (id, name, uid, role, enabled, valid_from, valid_until, created_at, updated_at) VALUES
    (1, 'alice', 70000, 'admin', 1, NULL, NULL, 1, 1),
    (2, 'bob', 70001, 'user', 0, NULL, NULL, 1, 1),
    (3, 'carol', 70002, 'auditor', 1, NULL, 1700000000000, 1, 1),
    (4, 'dave', 70003, 'user', 1, 1600000000000, 4000000000000, 1, 1);
INSERT INTO user_group (id, name, comment, created_at, updated_at) VALUES (1, 'team', 'everybody', 1, 1);
INSERT INTO user_group_member VALUES (1, 2), (1, 3), (1, 4);
INSERT INTO login_key (user_id, type, blob, fingerprint, comment, created_at, updated_at) VALUES
    (1, 'ssh-ed25519', x'0000000b7373682d6564323535313900000020d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
     'SHA256:pvrChJdDmvFPMpwLHqSS0BFSC5LOcyW2lrI8E1CYQlA', 'laptop', 1, 1);
INSERT INTO system_user (id, name, login, created_at, updated_at) VALUES (1, 'dev', '', 1, 1), (2, 'dba', 'postgres', 1, 1);
INSERT INTO asset (id, name, address, port, site_id, active, comment, created_at, updated_at) VALUES
    (1, 'web1', '198.51.100.11', 22, NULL, 1, 'the first', 1, 1),
    (2, 'web2', '198.51.100.12', 2222, NULL, 0, '', 1, 1),
    (3, 'db1', '198.51.100.21', 22, 1, 1, '', 1, 1);
INSERT INTO asset_group (path, comment, created_at, updated_at) VALUES ('/prod', '', 1, 1);
INSERT INTO asset_group (path, comment, created_at, updated_at) VALUES ('/prod/web', '', 1, 1);
UPDATE asset_group SET parent_id = (SELECT id FROM asset_group WHERE path = '/prod') WHERE path = '/prod/web';
UPDATE asset_group SET parent_id = (SELECT id FROM asset_group WHERE path = '/') WHERE path = '/prod';
INSERT INTO asset_group_member SELECT id, 1 FROM asset_group WHERE path = '/prod/web';
INSERT INTO asset_group_member SELECT id, 2 FROM asset_group WHERE path = '/prod/web';
INSERT INTO host_key (asset_id, type, blob, fingerprint, origin, created_at) VALUES
    (1, 'ssh-ed25519', x'0000000b7373682d6564323535313900000020d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
     'SHA256:pvrChJdDmvFPMpwLHqSS0BFSC5LOcyW2lrI8E1CYQlA', 'scanned', 1);
INSERT INTO system_user_override (system_user_id, asset_id, login) VALUES (1, 3, 'developer');
INSERT INTO access_grant (id, name, rights, valid_from, valid_until, created_at, updated_at) VALUES
    (1, 'direct', 'shell,exec', NULL, NULL, 1, 1),
    (2, 'by-place', 'exec', NULL, 4000000000000, 1, 1),
    (3, 'by-site', 'shell', NULL, NULL, 1, 1),
    (4, 'over', 'shell,exec', NULL, 1700000000000, 1, 1);
INSERT INTO grant_user VALUES (1, 1), (3, 1), (4, 4);
INSERT INTO grant_user_group VALUES (2, 1);
INSERT INTO grant_asset VALUES (1, 1), (1, 2), (4, 1);
INSERT INTO grant_asset_group SELECT 2, id FROM asset_group WHERE path = '/prod';
INSERT INTO grant_site VALUES (3, 1);
INSERT INTO grant_system_user VALUES (1, 1), (2, 1), (3, 2), (4, 1);
INSERT INTO login (id, token_hash, user_id, user_name, uid, login_name, source, source_port, key_type, fingerprint, factors,
                   sshd_pid, sshd_started, opened_at, closed_at, close_reason) VALUES
    ('4kq8zd4kq8zd4kq8zd4kq8zd', 'none', 1, 'alice', 70000, 'alice@dev@web1', '192.0.2.7', 40000, 'ssh-ed25519', '', 'publickey',
     4194303, 1, 1700000000000, 1700000060000, 'closed');
INSERT INTO session (id, login_id, user_id, asset_id, system_user_id, user_name, asset, address, port, system_user, account,
                     channel, terminal, request, grants, relay_pid, relay_started, started_at, ended_at, end_reason,
                     exit_status, bytes_in, bytes_out, recording, recording_size, recording_hash) VALUES
    ('7k2mz97k2mz97k2mz97k2mz9', '4kq8zd4kq8zd4kq8zd4kq8zd', 1, 1, 1, 'alice', 'web1', '198.51.100.11', 22, 'dev', 'dev',
     'shell', 1, '', 'direct', 4194303, 1, 1700000001000, 1700000059000, 'exit', 0, 10, 1000,
     '2023/11/14/7k2mz97k2mz97k2mz97k2mz9.cast.zst', 500, 'none');
INSERT INTO command (session_id, run_at, line, captured, verdict, action) VALUES
    ('7k2mz97k2mz97k2mz97k2mz9', 1700000002000, 'id', 'exact', 'allow', 'accept');
INSERT INTO transfer (session_id, begun_at, operation, path, size, verdict) VALUES
    ('7k2mz97k2mz97k2mz97k2mz9', 1700000003000, 'upload', '/tmp/x', 7, 'allow');
INSERT INTO event (at, type, severity, user_name, login_id, session_id, body, sent) VALUES
    (1700000000000, 'login.open', 'info', 'alice', '4kq8zd4kq8zd4kq8zd4kq8zd', '', '{}', 1),
    (1700000001000, 'session.open', 'info', 'alice', '4kq8zd4kq8zd4kq8zd4kq8zd', '7k2mz97k2mz97k2mz97k2mz9', '{}', 1);
COMMIT;
