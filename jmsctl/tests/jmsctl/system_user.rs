//! System users and their secrets.

use crate::bastion::{Bastion, keys, path};
use crate::terminal::Terminal;
use jms::id::Id;
use jms::keys::PrivateKey;
use jms::nouns::Credential;
use jms::paths::Paths;
use jms::policy::Channel;
use jms::policy::access::Counts;
use jms::store::{NewLogin, NewSession, Store};
use jms::time::Time;

#[test]
fn a_generated_key_shows_its_public_half_only() {
    let bastion = Bastion::new();
    let added = bastion.json(&[
        "system-user",
        "add",
        "dev",
        "--generate",
        "ed25519",
        "--comment",
        "developers",
    ]);
    assert_eq!(
        keys(&added[0]),
        [
            "name",
            "login",
            "privileged",
            "dynamic",
            "shell",
            "credential",
            "public_key",
            "fingerprint",
            "has_secret",
            "auto_push",
            "shell_hooks",
            "comment",
            "created_at",
            "updated_at",
        ]
    );
    let line = added[0]["public_key"].as_str().unwrap();
    assert!(
        line.starts_with("ssh-ed25519 AAAA") && line.ends_with(" dev"),
        "{line}"
    );
    assert_eq!(added[0]["has_secret"], true);
    bastion.sh("! grep -aq -e 'PRIVATE KEY' -e openssh-key-v1 /var/lib/jms/jms.db*");

    let renewed = bastion.json(&["system-user", "set", "dev", "--generate", "ed25519"]);
    assert_ne!(renewed[0]["fingerprint"], added[0]["fingerprint"]);
    assert_eq!(renewed[0]["comment"], "developers");
    let set = bastion.json(&[
        "system-user",
        "set",
        "dev",
        "--login",
        "developer",
        "--shell",
        "/bin/zsh",
    ]);
    assert_eq!(
        (&set[0]["login"], &set[0]["fingerprint"]),
        (&"developer".into(), &renewed[0]["fingerprint"])
    );
    assert_eq!(
        bastion.json(&["system-user", "set", "dev", "--login", "none"])[0]["login"],
        serde_json::Value::Null
    );
    bastion.ok(&["system-user", "rm", "dev", "--yes"]);
    bastion.fails(3, &["system-user", "show", "dev"]);
}

#[test]
fn a_given_key_is_sealed_for_its_row_and_opens_there() {
    let bastion = Bastion::new();
    let (private, line) = bastion.key("dba", &["-t", "ecdsa", "-b", "521", "-N", ""]);
    let added = bastion.json(&[
        "system-user",
        "add",
        "dba",
        "--credential",
        "key",
        "--key",
        path(&private),
    ]);
    let blob = line.split(' ').nth(1).unwrap();
    assert!(added[0]["public_key"].as_str().unwrap().contains(blob));
    bastion.ok(&["user", "add", "alice"]);
    bastion.ok(&["asset", "add", "web1", "--address", "192.0.2.1"]);
    bastion.ok(&[
        "grant",
        "add",
        "g",
        "--user",
        "alice",
        "--asset",
        "web1",
        "--system-user",
        "dba",
        "--rights",
        "shell",
    ]);
    let opened = bastion.inside(|| {
        let paths = Paths::system();
        // The key is the service user's; this test is root, whose copy of it is as good.
        let copy = tempfile::tempdir().unwrap();
        let key = copy.path().join("secret.key");
        std::fs::write(&key, std::fs::read(paths.secret_key()).unwrap()).unwrap();
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o400))
            .unwrap();
        let master = jms::secret::MasterKey::load(&key).unwrap();
        let stored = credential(&mut Store::open(&paths).unwrap());
        let place = jms::secret::Context::credential(stored.id);
        master
            .open(&place, &stored.sealed)
            .unwrap()
            .expose()
            .to_vec()
    });
    let key = PrivateKey::parse(std::str::from_utf8(&opened).unwrap(), None).unwrap();
    assert_eq!(
        key.public().fingerprint().to_string(),
        added[0]["fingerprint"]
    );
}

/// The sealed credential, on the way on which a session gets it.
fn credential(store: &mut Store) -> Credential {
    let now = Time::now();
    let user = store.read().user("alice").unwrap();
    let myself = jms::process::myself().unwrap();
    let opened = store
        .open_login(
            &NewLogin {
                user: &user,
                login_name: "alice",
                source: "192.0.2.77",
                source_port: None,
                key_type: "",
                fingerprint: "",
                factors: "publickey",
                factor_at: None,
                sshd: myself,
            },
            now,
        )
        .unwrap();
    let login = store.read().login_by_token(&opened.token).unwrap().unwrap();
    let targets = store.read().targets(&user, now).unwrap();
    let new = NewSession {
        id: &Id::random().unwrap(),
        login: &login,
        user: &user,
        target: (targets[0].asset_id, targets[0].system_user_id),
        channel: Channel::Shell,
        terminal: false,
        request: "",
        recording: "",
        relay: myself,
        limits: Counts::default(),
    };
    let opening = store.open_session(&new, now).unwrap();
    opening.egress.unwrap().credential.unwrap()
}

#[test]
fn what_is_no_private_key_is_refused_in_words() {
    let bastion = Bastion::new();
    let (private, _) = bastion.key("k", &["-t", "ed25519", "-N", ""]);
    let said = bastion.fails(
        2,
        &[
            "system-user",
            "add",
            "dev",
            "--key",
            path(&private.with_extension("pub")),
        ],
    );
    assert!(said.contains("public"), "{said}");
    let (locked, _) = bastion.key("locked", &["-t", "ed25519", "-N", "correct horse"]);
    let output = bastion
        .command("setsid")
        .arg("-w")
        .arg(env!("CARGO_BIN_EXE_jmsctl"))
        .args(["system-user", "add", "dev", "--key", path(&locked)])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no terminal"), "{said}");
    bastion.fails(2, &["system-user", "add", "dev", "--generate", "dsa"]);
    bastion.fails(
        2,
        &[
            "system-user",
            "add",
            "dev",
            "--generate",
            "ed25519",
            "--key",
            "-",
        ],
    );
    bastion.fails(2, &["system-user", "add", "0dev", "--generate", "ed25519"]);
    bastion.fails(
        2,
        &["system-user", "add", "dev", "--shell", "bash; rm -rf /"],
    );
    bastion.fails(3, &["system-user", "show", "dev"]);
}

#[test]
fn a_passphrase_is_asked_for_at_the_terminal_and_not_shown() {
    let bastion = Bastion::new();
    let (locked, _) = bastion.key("locked", &["-t", "ed25519", "-N", "correct horse"]);
    let mut terminal = Terminal::start(
        &bastion,
        &["system-user", "add", "dev", "--key", path(&locked)],
    );
    terminal.expect("Passphrase of");
    terminal.expect_quiet();
    terminal.type_keys("correct horsex\u{7f}\n");
    assert!(terminal.wait().success(), "{}", terminal.shown());
    let shown = terminal.shown();
    assert!(
        shown.contains("has secret   yes") && !shown.contains("correct horse"),
        "{shown}"
    );
    assert!(terminal.echoes());

    let mut terminal = Terminal::start(
        &bastion,
        &["system-user", "add", "other", "--key", path(&locked)],
    );
    terminal.expect("Passphrase of");
    terminal.expect_quiet();
    terminal.type_keys("wrong\n");
    assert_eq!(terminal.wait().code(), Some(2), "{}", terminal.shown());
    terminal.expect("does not open the key");
    bastion.fails(3, &["system-user", "show", "other"]);
}
