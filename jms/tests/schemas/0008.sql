PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('generation','6');
CREATE TABLE defaults (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE user (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL UNIQUE,
    uid         INTEGER NOT NULL UNIQUE CHECK (uid >= 1000),
    full_name   TEXT NOT NULL DEFAULT '',
    email       TEXT NOT NULL DEFAULT '',
    role        TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'auditor', 'admin')),
    enabled     INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    valid_from  INTEGER,
    valid_until INTEGER,
    mfa         TEXT NOT NULL DEFAULT 'off' CHECK (mfa IN ('off', 'totp', 'security-key', 'any')),
    mfa_asked   TEXT NOT NULL DEFAULT 'login' CHECK (mfa_asked IN ('login', 'session')),
    comment     TEXT NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
INSERT INTO user VALUES(1,'alice',70000,'','','admin',1,NULL,NULL,'off','login','',1,1);
INSERT INTO user VALUES(2,'bob',70001,'','','user',0,NULL,NULL,'off','login','',1,1);
INSERT INTO user VALUES(3,'carol',70002,'','','auditor',1,NULL,1700000000000,'off','login','',1,1);
INSERT INTO user VALUES(4,'dave',70003,'','','user',1,1600000000000,4000000000000,'off','login','',1,1);
CREATE TABLE user_group (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    comment    TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO user_group VALUES(1,'team','everybody',1,1);
CREATE TABLE user_group_member (
    user_group_id INTEGER NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    user_id       INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    PRIMARY KEY (user_group_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO user_group_member VALUES(1,2);
INSERT INTO user_group_member VALUES(1,3);
INSERT INTO user_group_member VALUES(1,4);
CREATE TABLE login_key (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id         INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    type            TEXT NOT NULL,
    blob            BLOB NOT NULL,
    fingerprint     TEXT NOT NULL,
    sources         TEXT NOT NULL DEFAULT '',
    valid_until     INTEGER,
    verify_required INTEGER NOT NULL DEFAULT 0 CHECK (verify_required IN (0, 1)),
    comment         TEXT NOT NULL DEFAULT '',
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (user_id, fingerprint)
) STRICT;
INSERT INTO login_key VALUES(1,1,'ssh-ed25519',X'0000000b7373682d6564323535313900000020d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a','SHA256:pvrChJdDmvFPMpwLHqSS0BFSC5LOcyW2lrI8E1CYQlA','',NULL,0,'laptop',1,1);
CREATE TABLE password (
    user_id      INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    hash         TEXT NOT NULL,
    changed_at   INTEGER NOT NULL,
    must_change  INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1))
) STRICT;
CREATE TABLE password_history (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    hash       TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE TABLE totp (
    user_id      INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    secret       BLOB NOT NULL,
    algorithm    TEXT NOT NULL DEFAULT 'sha1' CHECK (algorithm IN ('sha1', 'sha256')),
    digits       INTEGER NOT NULL DEFAULT 6 CHECK (digits IN (6, 8)),
    last_step    INTEGER NOT NULL DEFAULT -1,
    confirmed_at INTEGER,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE TABLE recovery_code (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    hash    TEXT NOT NULL,
    used_at INTEGER
) STRICT;
CREATE TABLE mfa_memory (
    user_id     INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    source      TEXT NOT NULL,
    factor_at   INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    PRIMARY KEY (user_id, fingerprint, source)
) STRICT, WITHOUT ROWID;
CREATE TABLE login_rule (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    priority   INTEGER NOT NULL,
    sources    TEXT NOT NULL DEFAULT '',
    times      TEXT NOT NULL DEFAULT '',
    roles      TEXT NOT NULL DEFAULT '',
    verdict    TEXT NOT NULL CHECK (verdict IN ('allow', 'deny', 'notify')),
    -- 1: for everybody; 0: for those that are linked, and for nobody when the last of them is gone.
    everybody  INTEGER NOT NULL CHECK (everybody IN (0, 1)),
    comment    TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE login_rule_user (
    login_rule_id INTEGER NOT NULL REFERENCES login_rule (id) ON DELETE CASCADE,
    user_id       INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    PRIMARY KEY (login_rule_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE login_rule_user_group (
    login_rule_id INTEGER NOT NULL REFERENCES login_rule (id) ON DELETE CASCADE,
    user_group_id INTEGER NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    PRIMARY KEY (login_rule_id, user_group_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE site (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    comment    TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO site VALUES(1,'south','',1,1);
CREATE TABLE platform (
    name    TEXT PRIMARY KEY,
    comment TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
INSERT INTO platform VALUES('linux','A Linux host with a POSIX shell');
INSERT INTO platform VALUES('network','A switch, router or firewall');
INSERT INTO platform VALUES('other','Anything else that speaks the protocol');
INSERT INTO platform VALUES('unix','Another Unix with a POSIX shell');
INSERT INTO platform VALUES('windows','Windows with OpenSSH');
CREATE TABLE asset (
    id                        INTEGER PRIMARY KEY AUTOINCREMENT,
    name                      TEXT NOT NULL UNIQUE,
    address                   TEXT NOT NULL,
    port                      INTEGER NOT NULL DEFAULT 22 CHECK (port BETWEEN 1 AND 65535),
    protocol                  TEXT NOT NULL DEFAULT 'ssh' CHECK (protocol IN ('ssh', 'telnet', 'mysql', 'postgresql')),
    platform                  TEXT NOT NULL DEFAULT 'linux',
    site_id                   INTEGER REFERENCES site (id) ON DELETE SET NULL,
    gateway_id                INTEGER REFERENCES asset (id) ON DELETE SET NULL,
    algorithms                TEXT NOT NULL DEFAULT 'default' CHECK (algorithms IN ('default', 'legacy')),
    host_key_policy           TEXT NOT NULL DEFAULT 'refuse' CHECK (host_key_policy IN ('refuse', 'pin')),
    privileged_system_user_id INTEGER REFERENCES system_user (id) ON DELETE SET NULL,
    limit_sessions            INTEGER CHECK (limit_sessions > 0),
    active                    INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    facts                     TEXT NOT NULL DEFAULT '{}',
    comment                   TEXT NOT NULL DEFAULT '',
    created_at                INTEGER NOT NULL,
    updated_at                INTEGER NOT NULL
, gateway_system_user_id INTEGER REFERENCES system_user (id) ON DELETE SET NULL) STRICT;
INSERT INTO asset VALUES(1,'web1','198.51.100.11',22,'ssh','linux',NULL,NULL,'default','refuse',NULL,NULL,1,'{}','the first',1,1,1);
INSERT INTO asset VALUES(2,'web2','198.51.100.12',2222,'ssh','linux',NULL,NULL,'default','refuse',NULL,NULL,0,'{}','',1,1,NULL);
INSERT INTO asset VALUES(3,'db1','198.51.100.21',22,'ssh','linux',1,1,'default','refuse',NULL,NULL,1,'{}','',1,1,NULL);
CREATE TABLE asset_group (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    path       TEXT NOT NULL UNIQUE,
    parent_id  INTEGER REFERENCES asset_group (id) ON DELETE CASCADE,
    comment    TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO asset_group VALUES(1,'/',NULL,'All assets',1795305580000,1795305580000);
INSERT INTO asset_group VALUES(2,'/prod',1,'',1,1);
INSERT INTO asset_group VALUES(3,'/prod/web',2,'',1,1);
CREATE TABLE asset_group_member (
    asset_group_id INTEGER NOT NULL REFERENCES asset_group (id) ON DELETE CASCADE,
    asset_id       INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    PRIMARY KEY (asset_group_id, asset_id)
) STRICT, WITHOUT ROWID;
INSERT INTO asset_group_member VALUES(3,1);
INSERT INTO asset_group_member VALUES(3,2);
CREATE TABLE host_key (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    asset_id    INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    type        TEXT NOT NULL,
    blob        BLOB NOT NULL,
    fingerprint TEXT NOT NULL,
    origin      TEXT NOT NULL CHECK (origin IN ('added', 'scanned', 'pinned')),
    created_at  INTEGER NOT NULL,
    UNIQUE (asset_id, fingerprint)
) STRICT;
INSERT INTO host_key VALUES(1,1,'ssh-ed25519',X'0000000b7373682d6564323535313900000020d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a','SHA256:pvrChJdDmvFPMpwLHqSS0BFSC5LOcyW2lrI8E1CYQlA','scanned',1);
CREATE TABLE system_user (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT NOT NULL UNIQUE,
    login           TEXT NOT NULL DEFAULT '',
    privileged      INTEGER NOT NULL DEFAULT 0 CHECK (privileged IN (0, 1)),
    dynamic         INTEGER NOT NULL DEFAULT 0 CHECK (dynamic IN (0, 1)),
    shell           TEXT NOT NULL DEFAULT '/bin/bash',
    credential_kind TEXT NOT NULL DEFAULT 'key' CHECK (credential_kind IN ('key', 'password', 'ask', 'certificate')),
    auto_push       INTEGER NOT NULL DEFAULT 0 CHECK (auto_push IN (0, 1)),
    shell_hooks     INTEGER NOT NULL DEFAULT 0 CHECK (shell_hooks IN (0, 1)),
    comment         TEXT NOT NULL DEFAULT '',
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
INSERT INTO system_user VALUES(1,'dev','',0,0,'/bin/bash','key',0,0,'',1,1);
INSERT INTO system_user VALUES(2,'dba','postgres',0,0,'/bin/bash','key',0,0,'',1,1);
CREATE TABLE system_user_override (
    system_user_id INTEGER NOT NULL REFERENCES system_user (id) ON DELETE CASCADE,
    asset_id       INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    login          TEXT,
    shell          TEXT,
    shell_hooks    INTEGER CHECK (shell_hooks IN (0, 1)),
    PRIMARY KEY (system_user_id, asset_id)
) STRICT, WITHOUT ROWID;
INSERT INTO system_user_override VALUES(1,3,'developer',NULL,NULL);
CREATE TABLE credential (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    system_user_id INTEGER NOT NULL REFERENCES system_user (id) ON DELETE CASCADE,
    asset_id       INTEGER REFERENCES asset (id) ON DELETE CASCADE,
    kind           TEXT NOT NULL CHECK (kind IN ('key', 'password')),
    secret         BLOB NOT NULL,
    public_key     TEXT NOT NULL DEFAULT '',
    fingerprint    TEXT NOT NULL DEFAULT '',
    state          TEXT NOT NULL DEFAULT 'current' CHECK (state IN ('next', 'current', 'previous')),
    created_at     INTEGER NOT NULL,
    verified_at    INTEGER,
    rotate_after   INTEGER
) STRICT;
CREATE TABLE sudo_alias (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    comment    TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE sudo_alias_command (
    sudo_alias_id INTEGER NOT NULL REFERENCES sudo_alias (id) ON DELETE CASCADE,
    position      INTEGER NOT NULL,
    command       TEXT NOT NULL,
    PRIMARY KEY (sudo_alias_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE system_user_sudo_alias (
    system_user_id INTEGER NOT NULL REFERENCES system_user (id) ON DELETE CASCADE,
    sudo_alias_id  INTEGER NOT NULL REFERENCES sudo_alias (id) ON DELETE CASCADE,
    PRIMARY KEY (system_user_id, sudo_alias_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE pushed (
    system_user_id INTEGER NOT NULL REFERENCES system_user (id) ON DELETE CASCADE,
    asset_id       INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    login          TEXT NOT NULL,
    uid_there      INTEGER,
    adopted        INTEGER NOT NULL DEFAULT 0 CHECK (adopted IN (0, 1)),
    fingerprint    TEXT NOT NULL DEFAULT '',
    sudo_hash      TEXT NOT NULL DEFAULT '',
    pushed_at      INTEGER NOT NULL,
    PRIMARY KEY (system_user_id, asset_id, login)
) STRICT, WITHOUT ROWID;
CREATE TABLE access_grant (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL UNIQUE,
    rights      TEXT NOT NULL,
    valid_from  INTEGER,
    valid_until INTEGER,
    require_mfa INTEGER CHECK (require_mfa > 0),
    comment     TEXT NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
INSERT INTO access_grant VALUES(1,'direct','shell,exec',NULL,NULL,NULL,'',1,1);
INSERT INTO access_grant VALUES(2,'by-place','exec',NULL,4000000000000,NULL,'',1,1);
INSERT INTO access_grant VALUES(3,'by-site','shell',NULL,NULL,NULL,'',1,1);
INSERT INTO access_grant VALUES(4,'over','shell,exec',NULL,1700000000000,NULL,'',1,1);
CREATE TABLE grant_user (
    grant_id INTEGER NOT NULL REFERENCES access_grant (id) ON DELETE CASCADE,
    user_id  INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    PRIMARY KEY (grant_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO grant_user VALUES(1,1);
INSERT INTO grant_user VALUES(3,1);
INSERT INTO grant_user VALUES(4,4);
CREATE TABLE grant_user_group (
    grant_id      INTEGER NOT NULL REFERENCES access_grant (id) ON DELETE CASCADE,
    user_group_id INTEGER NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    PRIMARY KEY (grant_id, user_group_id)
) STRICT, WITHOUT ROWID;
INSERT INTO grant_user_group VALUES(2,1);
CREATE TABLE grant_asset (
    grant_id INTEGER NOT NULL REFERENCES access_grant (id) ON DELETE CASCADE,
    asset_id INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    PRIMARY KEY (grant_id, asset_id)
) STRICT, WITHOUT ROWID;
INSERT INTO grant_asset VALUES(1,1);
INSERT INTO grant_asset VALUES(4,1);
INSERT INTO grant_asset VALUES(1,2);
CREATE TABLE grant_asset_group (
    grant_id       INTEGER NOT NULL REFERENCES access_grant (id) ON DELETE CASCADE,
    asset_group_id INTEGER NOT NULL REFERENCES asset_group (id) ON DELETE CASCADE,
    PRIMARY KEY (grant_id, asset_group_id)
) STRICT, WITHOUT ROWID;
INSERT INTO grant_asset_group VALUES(2,2);
CREATE TABLE grant_site (
    grant_id INTEGER NOT NULL REFERENCES access_grant (id) ON DELETE CASCADE,
    site_id  INTEGER NOT NULL REFERENCES site (id) ON DELETE CASCADE,
    PRIMARY KEY (grant_id, site_id)
) STRICT, WITHOUT ROWID;
INSERT INTO grant_site VALUES(3,1);
CREATE TABLE grant_system_user (
    grant_id       INTEGER NOT NULL REFERENCES access_grant (id) ON DELETE CASCADE,
    system_user_id INTEGER NOT NULL REFERENCES system_user (id) ON DELETE CASCADE,
    PRIMARY KEY (grant_id, system_user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO grant_system_user VALUES(1,1);
INSERT INTO grant_system_user VALUES(2,1);
INSERT INTO grant_system_user VALUES(4,1);
INSERT INTO grant_system_user VALUES(3,2);
CREATE TABLE grant_path (
    grant_id INTEGER NOT NULL REFERENCES access_grant (id) ON DELETE CASCADE,
    verdict  TEXT NOT NULL CHECK (verdict IN ('allow', 'deny')),
    glob     TEXT NOT NULL,
    PRIMARY KEY (grant_id, verdict, glob)
) STRICT, WITHOUT ROWID;
CREATE TABLE filter (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT NOT NULL UNIQUE,
    default_verdict TEXT NOT NULL DEFAULT 'allow' CHECK (default_verdict IN ('allow', 'deny')),
    comment         TEXT NOT NULL DEFAULT '',
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
CREATE TABLE filter_rule (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    filter_id   INTEGER NOT NULL REFERENCES filter (id) ON DELETE CASCADE,
    priority    INTEGER NOT NULL,
    verdict     TEXT NOT NULL CHECK (verdict IN ('deny', 'allow', 'warn', 'confirm')),
    command     TEXT,
    regex       TEXT,
    ignore_case INTEGER NOT NULL DEFAULT 0 CHECK (ignore_case IN (0, 1)),
    -- 1: wherever its filter is attached; 0: where it is linked itself, and nowhere without a link.
    everywhere  INTEGER NOT NULL CHECK (everywhere IN (0, 1)),
    comment     TEXT NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    CHECK ((command IS NULL) <> (regex IS NULL))
) STRICT;
CREATE TABLE filter_scope (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    filter_id      INTEGER NOT NULL REFERENCES filter (id) ON DELETE CASCADE,
    rule_id        INTEGER REFERENCES filter_rule (id) ON DELETE CASCADE,
    user_id        INTEGER REFERENCES user (id) ON DELETE CASCADE,
    user_group_id  INTEGER REFERENCES user_group (id) ON DELETE CASCADE,
    asset_id       INTEGER REFERENCES asset (id) ON DELETE CASCADE,
    asset_group_id INTEGER REFERENCES asset_group (id) ON DELETE CASCADE,
    system_user_id INTEGER REFERENCES system_user (id) ON DELETE CASCADE,
    CHECK ((user_id IS NOT NULL) + (user_group_id IS NOT NULL) + (asset_id IS NOT NULL)
         + (asset_group_id IS NOT NULL) + (system_user_id IS NOT NULL) = 1)
) STRICT;
CREATE TABLE ca_key (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    public_key  TEXT NOT NULL,
    secret      BLOB NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('next', 'current', 'previous')),
    created_at  INTEGER NOT NULL,
    retired_at  INTEGER
) STRICT;
CREATE TABLE certificate (
    serial      INTEGER PRIMARY KEY AUTOINCREMENT,
    ca_key_id   INTEGER REFERENCES ca_key (id) ON DELETE SET NULL,
    user_name   TEXT NOT NULL,
    system_user TEXT NOT NULL,
    asset       TEXT NOT NULL,
    session_id  TEXT,
    issued_at   INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT;
CREATE TABLE login (
    id              TEXT PRIMARY KEY,
    token_hash      TEXT NOT NULL UNIQUE,
    user_id         INTEGER REFERENCES user (id) ON DELETE SET NULL,
    user_name       TEXT NOT NULL,
    uid             INTEGER NOT NULL,
    login_name      TEXT NOT NULL,
    source          TEXT NOT NULL DEFAULT '',
    source_port     INTEGER,
    key_type        TEXT NOT NULL DEFAULT '',
    fingerprint     TEXT NOT NULL DEFAULT '',
    factors         TEXT NOT NULL DEFAULT '',
    factor_at       INTEGER,
    sshd_pid        INTEGER NOT NULL,
    sshd_started    INTEGER NOT NULL,
    opened_at       INTEGER NOT NULL,
    closed_at       INTEGER,
    close_reason    TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO login VALUES('4kq8zd4kq8zd4kq8zd4kq8zd','none',1,'alice',70000,'alice@dev@web1','192.0.2.7',40000,'ssh-ed25519','','publickey',NULL,4194303,1,1700000000000,1700000060000,'closed');
CREATE TABLE session (
    id             TEXT PRIMARY KEY,
    login_id       TEXT REFERENCES login (id) ON DELETE SET NULL,
    user_id        INTEGER REFERENCES user (id) ON DELETE SET NULL,
    asset_id       INTEGER REFERENCES asset (id) ON DELETE SET NULL,
    system_user_id INTEGER REFERENCES system_user (id) ON DELETE SET NULL,
    user_name      TEXT NOT NULL,
    asset          TEXT NOT NULL,
    address        TEXT NOT NULL,
    port           INTEGER NOT NULL,
    system_user    TEXT NOT NULL,
    account        TEXT NOT NULL,
    channel        TEXT NOT NULL,
    terminal       INTEGER NOT NULL DEFAULT 0 CHECK (terminal IN (0, 1)),
    request        TEXT NOT NULL DEFAULT '',
    grants         TEXT NOT NULL DEFAULT '',
    relay_pid      INTEGER NOT NULL,
    relay_started  INTEGER NOT NULL,
    started_at     INTEGER NOT NULL,
    ended_at       INTEGER,
    end_reason     TEXT,
    exit_status    INTEGER,
    bytes_in       INTEGER NOT NULL DEFAULT 0,
    bytes_out      INTEGER NOT NULL DEFAULT 0,
    recording      TEXT NOT NULL DEFAULT '',
    recording_size INTEGER,
    recording_hash TEXT,
    held           INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
    pruned_at      INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO session VALUES('7k2mz97k2mz97k2mz97k2mz9','4kq8zd4kq8zd4kq8zd4kq8zd',1,1,1,'alice','web1','198.51.100.11',22,'dev','dev','shell',1,'','direct',4194303,1,1700000001000,1700000059000,'exit',0,10,1000,'2023/11/14/7k2mz97k2mz97k2mz97k2mz9.cast.zst',500,'none',0,NULL);
CREATE TABLE command (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id  TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    run_at      INTEGER NOT NULL,
    line        TEXT NOT NULL,
    cut         INTEGER NOT NULL DEFAULT 0 CHECK (cut IN (0, 1)),
    captured    TEXT NOT NULL CHECK (captured IN ('exact', 'likely', 'raw')),
    verdict     TEXT NOT NULL CHECK (verdict IN ('allow', 'deny', 'warn', 'confirm')),
    action      TEXT NOT NULL CHECK (action IN ('accept', 'deny')),
    filter      TEXT NOT NULL DEFAULT '',
    rule        TEXT NOT NULL DEFAULT '',
    recorded_at INTEGER
) STRICT;
INSERT INTO command VALUES(1,'7k2mz97k2mz97k2mz97k2mz9',1700000002000,'id',0,'exact','allow','accept','','',NULL);
CREATE TABLE transfer (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    begun_at   INTEGER NOT NULL,
    ended_at   INTEGER,
    operation  TEXT NOT NULL,
    path       TEXT NOT NULL,
    other_path TEXT NOT NULL DEFAULT '',
    size       INTEGER,
    sha256     TEXT,
    verdict    TEXT NOT NULL,
    result     TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO transfer VALUES(1,'7k2mz97k2mz97k2mz97k2mz9',1700000003000,NULL,'upload','/tmp/x','',7,NULL,'allow','');
CREATE TABLE event (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    type       TEXT NOT NULL,
    severity   TEXT NOT NULL,
    user_name  TEXT NOT NULL DEFAULT '',
    actor      TEXT NOT NULL DEFAULT '',
    login_id   TEXT NOT NULL DEFAULT '',
    session_id TEXT NOT NULL DEFAULT '',
    body       TEXT NOT NULL,
    sent       INTEGER NOT NULL DEFAULT 0 CHECK (sent IN (0, 1))
) STRICT;
INSERT INTO event VALUES(1,1700000000000,'login.open','info','alice','','4kq8zd4kq8zd4kq8zd4kq8zd','','{}',1);
INSERT INTO event VALUES(2,1700000001000,'session.open','info','alice','','4kq8zd4kq8zd4kq8zd4kq8zd','7k2mz97k2mz97k2mz97k2mz9','{}',1);
CREATE TABLE push_run (
    id          TEXT PRIMARY KEY,
    actor       TEXT NOT NULL,
    system_user TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    options     TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;
CREATE TABLE push_result (
    push_run_id TEXT NOT NULL REFERENCES push_run (id) ON DELETE CASCADE,
    asset       TEXT NOT NULL,
    login       TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    detail      TEXT NOT NULL DEFAULT '',
    at          INTEGER NOT NULL,
    PRIMARY KEY (push_run_id, asset, login)
) STRICT, WITHOUT ROWID;
CREATE TABLE rotation (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    system_user    TEXT NOT NULL,
    asset          TEXT NOT NULL,
    actor          TEXT NOT NULL,
    kind           TEXT NOT NULL,
    outcome        TEXT NOT NULL,
    detail         TEXT NOT NULL DEFAULT '',
    at             INTEGER NOT NULL
) STRICT;
CREATE TABLE batch (
    id          TEXT PRIMARY KEY,
    actor       TEXT NOT NULL,
    system_user TEXT NOT NULL,
    command     TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE batch_result (
    batch_id    TEXT NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    asset       TEXT NOT NULL,
    session_id  TEXT REFERENCES session (id) ON DELETE SET NULL,
    exit_status INTEGER,
    detail      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (batch_id, asset)
) STRICT, WITHOUT ROWID;
CREATE TABLE recording_key (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient  TEXT NOT NULL UNIQUE,
    comment    TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE recording_checkpoint (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    sessions   INTEGER NOT NULL,
    hash       TEXT NOT NULL
) STRICT;
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
CREATE TABLE source_lockout (
    source       TEXT PRIMARY KEY,
    failures     INTEGER NOT NULL,
    first_at     INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    locked_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE lockout_place (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id  INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    proof    TEXT NOT NULL CHECK (proof IN ('key', 'none')),
    source   TEXT NOT NULL,
    taken_at INTEGER NOT NULL
) STRICT;
CREATE TABLE user_activity (
    user_id INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE TABLE enrolment_code (
    user_id     INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    hash        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    valid_until INTEGER NOT NULL
) STRICT;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('asset_group',3);
INSERT INTO sqlite_sequence VALUES('site',1);
INSERT INTO sqlite_sequence VALUES('user',4);
INSERT INTO sqlite_sequence VALUES('user_group',1);
INSERT INTO sqlite_sequence VALUES('login_key',1);
INSERT INTO sqlite_sequence VALUES('system_user',2);
INSERT INTO sqlite_sequence VALUES('asset',3);
INSERT INTO sqlite_sequence VALUES('host_key',1);
INSERT INTO sqlite_sequence VALUES('access_grant',4);
INSERT INTO sqlite_sequence VALUES('command',1);
INSERT INTO sqlite_sequence VALUES('transfer',1);
INSERT INTO sqlite_sequence VALUES('event',2);
CREATE INDEX user_group_member_by_user ON user_group_member (user_id);
CREATE INDEX login_key_by_fingerprint ON login_key (fingerprint);
CREATE INDEX password_history_by_user ON password_history (user_id);
CREATE INDEX recovery_code_by_user ON recovery_code (user_id);
CREATE INDEX login_rule_user_by_user ON login_rule_user (user_id);
CREATE INDEX login_rule_user_group_by_user_group ON login_rule_user_group (user_group_id);
CREATE INDEX asset_by_address ON asset (address);
CREATE INDEX asset_by_site ON asset (site_id);
CREATE INDEX asset_by_gateway ON asset (gateway_id);
CREATE INDEX asset_by_privileged_system_user ON asset (privileged_system_user_id);
CREATE TRIGGER asset_is_a_gateway BEFORE DELETE ON asset
WHEN EXISTS (SELECT 1 FROM asset WHERE gateway_id = OLD.id AND id <> OLD.id)
BEGIN
    SELECT RAISE(ABORT, 'other assets are reached through this asset');
END;
CREATE INDEX asset_group_by_parent ON asset_group (parent_id);
CREATE INDEX asset_group_member_by_asset ON asset_group_member (asset_id);
CREATE INDEX system_user_override_by_asset ON system_user_override (asset_id);
CREATE UNIQUE INDEX credential_one_current ON credential (system_user_id, ifnull(asset_id, 0), kind, state);
CREATE INDEX credential_by_asset ON credential (asset_id);
CREATE INDEX system_user_sudo_alias_by_alias ON system_user_sudo_alias (sudo_alias_id);
CREATE INDEX pushed_by_asset ON pushed (asset_id);
CREATE INDEX grant_user_by_user ON grant_user (user_id);
CREATE INDEX grant_user_group_by_user_group ON grant_user_group (user_group_id);
CREATE INDEX grant_asset_by_asset ON grant_asset (asset_id);
CREATE INDEX grant_asset_group_by_asset_group ON grant_asset_group (asset_group_id);
CREATE INDEX grant_site_by_site ON grant_site (site_id);
CREATE INDEX grant_system_user_by_system_user ON grant_system_user (system_user_id);
CREATE INDEX filter_rule_by_filter ON filter_rule (filter_id, priority);
CREATE INDEX filter_scope_by_filter ON filter_scope (filter_id, rule_id);
CREATE INDEX filter_scope_by_user ON filter_scope (user_id);
CREATE INDEX filter_scope_by_user_group ON filter_scope (user_group_id);
CREATE INDEX filter_scope_by_asset ON filter_scope (asset_id);
CREATE INDEX filter_scope_by_asset_group ON filter_scope (asset_group_id);
CREATE INDEX filter_scope_by_system_user ON filter_scope (system_user_id);
CREATE INDEX login_by_time ON login (opened_at);
CREATE INDEX login_by_user ON login (user_id);
CREATE INDEX login_by_uid ON login (uid);
CREATE INDEX login_open ON login (closed_at) WHERE closed_at IS NULL;
CREATE INDEX session_by_time ON session (started_at);
CREATE INDEX session_by_login ON session (login_id);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_by_asset ON session (asset_id);
CREATE INDEX session_by_system_user ON session (system_user_id);
CREATE INDEX session_live ON session (ended_at) WHERE ended_at IS NULL;
CREATE INDEX command_by_session ON command (session_id, run_at);
CREATE INDEX command_by_time ON command (run_at);
CREATE INDEX transfer_by_session ON transfer (session_id, begun_at);
CREATE INDEX transfer_by_time ON transfer (begun_at);
CREATE INDEX event_by_time ON event (at);
CREATE INDEX event_unsent ON event (seq) WHERE sent = 0;
CREATE INDEX event_by_session ON event (session_id) WHERE session_id <> '';
CREATE INDEX batch_result_by_session ON batch_result (session_id);
CREATE TRIGGER generation_user_added AFTER INSERT ON user BEGIN
    UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'generation';
END;
CREATE TRIGGER generation_user_changed AFTER UPDATE ON user BEGIN
    UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'generation';
END;
CREATE TRIGGER generation_user_removed AFTER DELETE ON user BEGIN
    UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'generation';
END;
CREATE TRIGGER generation_key_added AFTER INSERT ON login_key BEGIN
    UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'generation';
END;
CREATE TRIGGER generation_key_changed AFTER UPDATE ON login_key BEGIN
    UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'generation';
END;
CREATE TRIGGER generation_key_removed AFTER DELETE ON login_key BEGIN
    UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'generation';
END;
CREATE INDEX session_without_anchor ON session (id)
    WHERE end_reason = 'lost' AND recording <> '' AND recording_hash IS NULL;
CREATE INDEX asset_by_gateway_system_user ON asset (gateway_system_user_id);
CREATE INDEX event_by_login ON event (login_id) WHERE login_id <> '';
CREATE INDEX event_by_type ON event (type);
CREATE INDEX source_lockout_by_time ON source_lockout (last_at);
CREATE INDEX lockout_place_by_user ON lockout_place (user_id);
COMMIT;
PRAGMA user_version = 8;
