//! Accounts that are proved by passwords, prompts and what a person types, and accounts of the user's own name.

use std::sync::OnceLock;
use std::time::Duration;

use tests::boot::authorize;
use tests::second_sshd::{jmsctl, second_log, second_sshd};
use tests::{Lab, Outcome, Release, eventually};

const PASSWORD: &str = "Quince & jelly: \"'$HOME` ü %s";

fn on_bastion(lab: &Lab, line: &str) -> Outcome {
    jmsctl(lab.bastion(), line, "")
}

/// Hosts that no test of this file changes for the others.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(with_passwords)
}

/// On web1 the account `keeper` has a password. Port 2201 asks by the method `password`, 2202 by PAM's prompts only,
/// 2203 lets nobody in by a password, 2204 by nothing else.
fn with_passwords() -> Lab {
    let lab = Lab::everyday().without_kept_connections();
    set_password(&lab, PASSWORD);
    let ways = [
        (
            2201,
            "PasswordAuthentication yes\nKbdInteractiveAuthentication no",
        ),
        (
            2202,
            "PasswordAuthentication no\nKbdInteractiveAuthentication yes",
        ),
        (
            2203,
            "PasswordAuthentication no\nKbdInteractiveAuthentication no",
        ),
        (
            2204,
            "PubkeyAuthentication no\nKbdInteractiveAuthentication no",
        ),
        // One that a test stops.
        (
            2209,
            "PasswordAuthentication yes\nKbdInteractiveAuthentication no",
        ),
    ];
    for (port, configuration) in ways {
        let key = second_sshd(lab.web1(), port, configuration);
        let address = lab.address("web1");
        on_bastion(
            &lab,
            &format!("asset add on{port} --address {address} --port {port}"),
        )
        .expect_status(0);
        jmsctl(
            lab.bastion(),
            &format!("host-key add on{port} -"),
            &format!("{key}\n"),
        )
        .expect_status(0);
    }
    jmsctl(
        lab.bastion(),
        "system-user add keeper --password -",
        &format!("{PASSWORD}\n"),
    )
    .expect_status(0);
    on_bastion(
        &lab,
        "system-user add typist --login keeper --credential ask",
    )
    .expect_status(0);
    on_bastion(
        &lab,
        "grant add passwords --user alice --asset on2201,on2202,on2203,on2204,on2209 --system-user keeper,typist --rights shell,exec,upload,download",
    )
    .expect_status(0);
    lab
}

fn set_password(lab: &Lab, password: &str) {
    lab.web1()
        .run("id keeper >/dev/null 2>&1 || useradd --create-home --shell /bin/bash keeper")
        .expect_status(0);
    lab.web1()
        .command(["chpasswd"])
        .input(format!("keeper:{password}\n"))
        .run()
        .expect_status(0);
}

fn ssh(login: &str, command: &str) -> Outcome {
    lab()
        .client()
        .ssh([&format!("alice@{login}@bastion"), command])
}

#[test]
fn a_stored_password_opens_an_account_whichever_way_the_asset_asks() {
    for port in [2201, 2202, 2204] {
        ssh(&format!("keeper@on{port}"), "id -un; cat; exit 4")
            .expect_status(4)
            .expect_stdout("keeper\n")
            .expect_stderr("");
        let log = second_log(lab().web1(), port);
        let method = match port {
            2202 => "keyboard-interactive/pam",
            _ => "password",
        };
        assert!(
            log.contains(&format!("Accepted {method} for keeper")),
            "{log}"
        );
    }
    let mut shell = lab()
        .client()
        .ssh_on_terminal(["-t", "alice@keeper@on2201@bastion"]);
    shell.expect("keeper@web1");
    shell.send_line("exit 6");
    shell.wait().expect_status(6);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "by password\n").expect("written");
    let from = file.path().to_str().expect("a path");
    lab()
        .client()
        .command(
            "scp",
            [from, "alice@keeper@on2202@bastion:/tmp/by-password"],
        )
        .run()
        .expect_status(0);
    assert_eq!(lab().web1().read_text("/tmp/by-password"), "by password\n");
}

#[test]
fn a_stored_password_is_nowhere_to_be_read_while_the_session_runs() {
    // Of its own: while another session logs in, that one's program does hold the password.
    let lab = with_passwords();
    let mut shell = lab
        .client()
        .ssh_on_terminal(["-t", "alice@keeper@on2201@bastion"]);
    shell.expect("keeper@web1");
    // Arguments, environment and memory of every process on the bastion, and every file of the service.
    let script = format!(
        r#"python3 - <<'EOF'
import glob, os, re
needle = {PASSWORD:?}.encode()
found = []
for folder in glob.glob('/proc/[0-9]*'):
    pid = int(folder[6:])
    if pid == os.getpid():
        continue
    try:
        program = os.readlink(folder + '/exe')
        for name in ('cmdline', 'environ'):
            if needle in open(folder + '/' + name, 'rb').read():
                found.append((program, name))
        if 'force-command' not in program and not program.endswith('/ssh'):
            continue
        memory = open(folder + '/mem', 'rb', 0)
        for line in open(folder + '/maps'):
            area = re.match(r'([0-9a-f]+)-([0-9a-f]+) r', line)
            if area and '[v' not in line:
                start, end = (int(text, 16) for text in area.groups())
                memory.seek(start)
                try:
                    if needle in memory.read(end - start):
                        found.append((program, line.strip()))
                except OSError:
                    pass
    except (OSError, ValueError):
        pass
for top in ('/var/lib/jms', '/run/jms', '/var/log', '/tmp'):
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and needle in open(path, 'rb').read():
                found.append(path)
print(found)
EOF"#
    );
    lab.bastion()
        .run(script)
        .expect_status(0)
        .expect_stdout("[]\n");
    shell.send_line("exit");
    shell.wait().expect_status(0);
}

#[test]
fn a_wrong_password_is_one_sentence_after_one_attempt() {
    let lab = Lab::everyday().without_kept_connections();
    set_password(&lab, "another one");
    second_sshd(lab.web1(), 2201, "");
    let address = lab.address("web1");
    on_bastion(
        &lab,
        &format!("asset set web1 --address {address} --port 2201"),
    )
    .expect_status(0);
    let key = lab.web1().read_text("/etc/ssh/second-2201/key.pub");
    jmsctl(lab.bastion(), "host-key add web1 -", &key).expect_status(0);
    jmsctl(
        lab.bastion(),
        "system-user add keeper --password -",
        "quince\n",
    )
    .expect_status(0);
    on_bastion(&lab, "grant set everyday --system-user dev,keeper").expect_status(0);
    lab.client()
        .ssh(["alice@keeper@web1@bastion", "id"])
        .expect_status(255)
        .expect_stdout("")
        .expect_stderr(
            "jms: keeper@web1: it refuses the stored password of this account; tell your administrator\n",
        );
    let log = second_log(lab.web1(), 2201);
    let failures = log.matches("Failed password for keeper").count();
    assert_eq!(failures, 1, "{log}");
    assert!(!log.contains("Failed keyboard-interactive"), "{log}");
    let events = lab.bastion().auth_log();
    assert!(events.contains("reason=\"password-refused\""), "{events}");

    // And set right, without a word of it anywhere.
    let set = jmsctl(
        lab.bastion(),
        "system-user set keeper --password - --json",
        "another one\n",
    );
    let shown = set.expect_status(0).text();
    assert!(!shown.contains("another one"), "{shown}");
    lab.client()
        .ssh(["alice@keeper@web1@bastion", "id -un"])
        .expect_status(0)
        .expect_stdout("keeper\n");
    let events = lab.bastion().auth_log();
    assert!(
        !events.contains("another one") && !events.contains("quince"),
        "{events}"
    );
}

#[test]
fn an_asset_that_takes_no_passwords_is_said_to_be_one() {
    ssh("keeper@on2203", "id").expect_status(255).expect_stderr(
        "jms: keeper@on2203: it lets nobody in by a password, or asks for something that is not stored; tell your administrator\n",
    );
}

#[test]
fn no_password_goes_to_an_asset_that_nobody_knows_or_that_has_another_host_key() {
    let address = lab().address("web1");
    on_bastion(
        lab(),
        &format!("asset add unknown --address {address} --port 2201 --host-key-policy pin"),
    )
    .expect_status(0);
    on_bastion(lab(), "grant set passwords --add-asset unknown").expect_status(0);
    let before = second_log(lab().web1(), 2201)
        .matches("Connection from")
        .count();
    ssh("keeper@unknown", "id").expect_status(255).expect_stderr(
        "jms: keeper@unknown: no host key of the asset is stored, and no password is given to a machine that nobody knows; an administrator can: jmsctl host-key scan\n",
    );
    let after = second_log(lab().web1(), 2201)
        .matches("Connection from")
        .count();
    assert_eq!(before, after, "nobody was even asked");

    // The key of another machine.
    let other = lab().web2().read_text("/etc/ssh/ssh_host_ed25519_key.pub");
    jmsctl(lab().bastion(), "host-key add unknown -", &other).expect_status(0);
    ssh("keeper@unknown", "id")
        .expect_status(255)
        .expect_stderr_contains("its host key is not the one that is stored; nothing was sent");
}

#[test]
fn where_a_setting_demands_it_no_password_goes_to_an_asset_that_was_not_proved_to_the_relay() {
    let lab = Lab::everyday().without_kept_connections();
    set_password(&lab, PASSWORD);
    let address = lab.address("web1");
    for (port, configuration) in [(2201, ""), (2204, "PubkeyAuthentication no")] {
        let key = second_sshd(lab.web1(), port, configuration);
        on_bastion(
            &lab,
            &format!("asset add on{port} --address {address} --port {port}"),
        )
        .expect_status(0);
        jmsctl(
            lab.bastion(),
            &format!("host-key add on{port} -"),
            &format!("{key}\n"),
        )
        .expect_status(0);
    }
    jmsctl(
        lab.bastion(),
        "system-user add keeper --password -",
        &format!("{PASSWORD}\n"),
    )
    .expect_status(0);
    on_bastion(
        &lab,
        "grant set everyday --add-asset on2201,on2204 --add-system-user keeper",
    )
    .expect_status(0);
    lab.bastion()
        .run("sed -i 's/^#require_bound_password = false/require_bound_password = true/' /etc/jms/jms.toml; jmsctl config check")
        .expect_status(0);
    let id = |asset: &str| {
        let login = format!("alice@keeper@{asset}@bastion");
        lab.client().ssh([&login, "id -un"])
    };
    id("on2201").expect_status(0).expect_stdout("keeper\n");
    // OpenSSH 9.2 proves it in any case, 10.0 only where keys could open the account too.
    match lab.release() {
        Release::Debian12 => {
            id("on2204").expect_status(0).expect_stdout("keeper\n");
        }
        Release::Debian13 => {
            id("on2204")
                .expect_status(255)
                .expect_stdout("")
                .expect_stderr_contains("jms: keeper@on2204: no password was given to it");
            let log = second_log(lab.web1(), 2204);
            assert!(!log.contains("Failed password"), "{log}");
            eventually("the alert is there", Duration::from_secs(30), || {
                let alerts = on_bastion(&lab, "event ls --type alert --json").text();
                alerts.contains("before the asset had proved its host key")
            });
        }
    }
}

#[test]
fn what_a_person_types_opens_an_account_and_is_neither_shown_nor_recorded() {
    for port in [2201, 2202] {
        let login = format!("alice@typist@on{port}@bastion");
        let mut shell = lab().client().ssh_on_terminal(["-t", &login]);
        let prompt = if port == 2201 {
            format!("typist@on{port}'s password: ")
        } else {
            format!("(typist@on{port}) Password: ")
        };
        shell.expect(&prompt);
        // Corrected while it is typed, as anywhere.
        shell.send(format!("wrong\x15{PASSWORD}x\x7f\r"));
        shell.expect("keeper@web1");
        shell.send_line("echo to be recor''ded; exit 3");
        shell.expect("to be recorded");
        let shown = shell.shown();
        shell.wait().expect_status(3);
        assert!(!shown.contains("jelly"), "{shown}");
        let listed = on_bastion(lab(), &format!("session ls --asset on{port} --json"));
        let sessions = listed.json_lines().expect("sessions");
        let ours =
            |one: &&serde_json::Value| one["system_user"] == "typist" && one["exit_status"] == 3;
        let session = sessions.iter().find(ours).expect("our session");
        let id = session["id"].as_str().expect("an id").to_owned();
        let replay = on_bastion(lab(), &format!("session replay {id} --raw")).text();
        assert!(
            replay.contains("to be recorded") && !replay.contains("jelly"),
            "{replay}"
        );
    }
}

#[test]
fn what_is_typed_ahead_of_the_question_is_neither_an_answer_nor_sent_to_the_asset() {
    // The asset accepts the connection and says nothing for a while.
    let listener = "ss -tlnpH 'sport = :2209' | grep -o 'pid=[0-9]*' | head -n1 | cut -d= -f2";
    let signal = |name: &str| {
        lab()
            .web1()
            .run(format!("kill -{name} $({listener})"))
            .expect_status(0);
    };
    signal("STOP");
    let mut shell = lab()
        .client()
        .ssh_on_terminal(["-t", "alice@typist@on2209@bastion"]);
    shell.expect("jms: connecting to on2209 as typist");
    shell.send(format!("{PASSWORD}\r"));
    // Nothing shows that it has arrived.
    std::thread::sleep(std::time::Duration::from_secs(1));
    signal("CONT");
    shell.expect("'s password: ");
    shell.send(format!("{PASSWORD}\r"));
    shell.expect("keeper@web1");
    shell.send_line("echo nothing be''fore; exit 4");
    shell.expect("nothing before");
    let shown = shell.shown();
    shell.wait().expect_status(4);
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[test]
fn what_was_typed_wrongly_is_said_and_interrupting_the_question_is_interrupting() {
    let mut shell = lab()
        .client()
        .ssh_on_terminal(["-t", "alice@typist@on2201@bastion"]);
    shell.expect("'s password: ");
    shell.send("no\r");
    shell.expect("jms: typist@on2201: it refuses what you typed");
    shell.wait().expect_status(255);
    let mut shell = lab()
        .client()
        .ssh_on_terminal(["-t", "alice@typist@on2201@bastion"]);
    shell.expect("'s password: ");
    shell.send("halfw\x03");
    shell.expect("interrupted while connecting");
    shell.wait().expect_status(130);
}

#[test]
fn an_administrator_can_end_a_session_that_waits_for_a_password() {
    let mut shell = lab()
        .client()
        .ssh_on_terminal(["-t", "alice@typist@on2202@bastion"]);
    shell.expect("Password: ");
    on_bastion(lab(), "asset set on2202 --active no").expect_status(0);
    shell.expect("the asset is not active");
    shell.wait().expect_status(76);
    on_bastion(lab(), "asset set on2202 --active yes").expect_status(0);
}

#[test]
fn without_a_terminal_a_typed_password_is_a_sentence_and_no_hang() {
    let sentence =
        "jms: typist@on2201 asks for a password that you type, which needs a terminal: ssh -t\n";
    ssh("typist@on2201", "id")
        .expect_status(2)
        .expect_stdout("")
        .expect_stderr(sentence);
    let copied = lab()
        .client()
        .command(
            "scp",
            ["-O", "/etc/hostname", "alice@typist@on2201@bastion:/tmp/"],
        )
        .run();
    assert!(
        copied
            .error_text()
            .contains("asks for a password that you type"),
        "{copied}"
    );
}

#[test]
fn a_dynamic_system_user_is_the_user_himself() {
    let lab = Lab::everyday().without_kept_connections();
    lab.web1()
        .run("useradd --create-home --shell /bin/bash alice")
        .expect_status(0);
    on_bastion(&lab, "system-user add self --dynamic --generate ed25519").expect_status(0);
    let shown = on_bastion(&lab, "system-user show self --json")
        .json()
        .expect("an object");
    authorize(
        lab.web1(),
        "alice",
        shown["public_key"].as_str().expect("a key"),
    )
    .expect("let in");
    on_bastion(&lab, "grant set everyday --add-system-user self").expect_status(0);
    lab.client()
        .ssh(["alice@self@web1@bastion", "id -un"])
        .expect_status(0)
        .expect_stdout("alice\n");
    // The account of the system user's own name, if there were one, is none of it.
    on_bastion(&lab, "system-user set self --login root")
        .expect_status(2)
        .expect_stderr_contains("takes the user's own name");
}

#[test]
fn a_key_with_a_passphrase_is_stored_once_it_is_typed_and_never_without() {
    let lab = Lab::everyday().without_kept_connections();
    let bastion = lab.bastion();
    bastion
        .run("ssh-keygen -q -t ed25519 -N 'open sesame' -f /root/guarded")
        .expect_status(0);
    on_bastion(
        &lab,
        "system-user add guarded --login dev --key /root/guarded",
    )
    .expect_status(2)
    .expect_stderr_contains("the key has a passphrase");
    let add = [
        "jmsctl",
        "system-user",
        "add",
        "guarded",
        "--login",
        "dev",
        "--key",
        "/root/guarded",
    ];
    let mut terminal = bastion.command(add).on_terminal();
    terminal.expect("Passphrase of /root/guarded: ");
    terminal.send("open sesame\r");
    terminal.expect("guarded");
    terminal.wait().expect_status(0);
    authorize(
        lab.web1(),
        "dev",
        bastion.read_text("/root/guarded.pub").trim(),
    )
    .expect("let in");
    on_bastion(&lab, "grant set everyday --add-system-user guarded").expect_status(0);
    bastion.run("rm /root/guarded").expect_status(0);
    lab.client()
        .ssh(["alice@guarded@web1@bastion", "id -un"])
        .expect_status(0)
        .expect_stdout("dev\n");
}

#[test]
fn the_first_host_key_is_stored_after_the_login_where_policy_says_so() {
    let lab = Lab::everyday().without_kept_connections();
    let address = lab.address("web1");
    on_bastion(&lab, &format!("asset add fresh --address {address}")).expect_status(0);
    on_bastion(&lab, "grant set everyday --add-asset fresh").expect_status(0);
    let ssh = |command: &str| lab.client().ssh(["alice@dev@fresh@bastion", command]);
    ssh("id")
        .expect_status(255)
        .expect_stderr_contains("no host key of the asset is stored");

    on_bastion(&lab, "asset set fresh --host-key-policy pin").expect_status(0);
    // A login that fails proves no key that is worth keeping.
    lab.web1()
        .run("mv /home/dev/.ssh /home/dev/ssh")
        .expect_status(0);
    ssh("id")
        .expect_status(255)
        .expect_stderr_contains("it refuses the login");
    on_bastion(&lab, "host-key ls fresh --json").expect_stdout("");
    lab.web1()
        .run("mv /home/dev/ssh /home/dev/.ssh")
        .expect_status(0);

    ssh("id -un")
        .expect_status(0)
        .expect_stdout("dev\n")
        .expect_stderr("");
    let keys = || {
        on_bastion(&lab, "host-key ls --json")
            .json_lines()
            .expect("keys")
    };
    let pinned: Vec<_> = keys()
        .into_iter()
        .filter(|key| key["asset"] == "fresh")
        .collect();
    assert_eq!(pinned.len(), 1, "{pinned:?}");
    assert_eq!(pinned[0]["origin"], "pinned");
    let own = lab
        .web1()
        .run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
        .text();
    assert!(
        own.contains(pinned[0]["fingerprint"].as_str().expect("a fingerprint")),
        "{own}"
    );
    let told = || {
        lab.bastion()
            .auth_log()
            .contains("object=\"host-key\" name=\"fresh ")
    };
    eventually("the event", Duration::from_secs(10), told);

    // From now on it is this key and no other.
    lab.web1()
        .run("cd /etc/ssh && rm ssh_host_* && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key")
        .expect_status(0);
    lab.web1().reload_sshd();
    ssh("id")
        .expect_status(255)
        .expect_stderr_contains("its host key is not the one that is stored");
}

#[test]
fn the_setting_forbids_pinning_or_makes_it_the_rule() {
    let lab = Lab::everyday().without_kept_connections();
    let address = lab.address("web1");
    on_bastion(
        &lab,
        &format!("asset add fresh --address {address} --host-key-policy pin"),
    )
    .expect_status(0);
    on_bastion(&lab, &format!("asset add other --address {address}")).expect_status(0);
    on_bastion(&lab, "grant set everyday --add-asset fresh,other").expect_status(0);
    let set = |value: &str| {
        let settings =
            format!("[egress]\nwarm_seconds = 0\n[session]\nhost_key_policy = \"{value}\"\n");
        lab.bastion().write("/etc/jms/jms.toml", settings);
    };
    set("refuse");
    lab.client()
        .ssh(["alice@dev@fresh@bastion", "id"])
        .expect_status(255)
        .expect_stderr_contains("no host key of the asset is stored");
    set("pin");
    lab.client()
        .ssh(["alice@dev@other@bastion", "id -un"])
        .expect_status(0)
        .expect_stdout("dev\n");
    let keys = on_bastion(&lab, "host-key ls other --json").text();
    assert!(keys.contains("pinned"), "{keys}");
}
