//! Old devices: an sshd that knows only what OpenSSH has switched off since, with `--algorithms legacy` and without; and
//! dropbear, which is on many of them.

use std::sync::OnceLock;
use std::time::Duration;

use tests::boot::authorize;
use tests::second_sshd::{jmsctl, second_log, second_sshd};
use tests::{Lab, Outcome, eventually};

/// What a device of 2010 speaks, and nothing else; but for its users' keys, of which sshd 9.2 offers to take what it then refuses.
const OLD: &str = "KexAlgorithms diffie-hellman-group14-sha1
HostKeyAlgorithms ssh-rsa
PubkeyAcceptedAlgorithms ssh-rsa,ssh-ed25519
Ciphers aes128-cbc
MACs hmac-sha1
HostKey /etc/ssh/old_rsa
LogLevel DEBUG2";

const OLD_PORT: u16 = 2230;
/// A machine of today, whose log shows what it is offered.
const MODERN_PORT: u16 = 2231;
const DROPBEAR_PORT: u16 = 2240;
const BOX_PORT: u16 = 2250;

/// A box whose server takes no user's key but RSA with SHA-1. It runs what it is told and knows no terminal.
const BOX: &str = r#"
import os, paramiko, socket, subprocess, sys, threading
class Box(paramiko.ServerInterface):
    def get_allowed_auths(self, user): return "publickey"
    def check_auth_publickey(self, user, key):
        good = user == "dev" and key.get_base64() == sys.argv[1]
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED
    def check_channel_request(self, kind, number):
        return paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_UNKNOWN_CHANNEL_TYPE
    def check_channel_exec_request(self, channel, command):
        def run():
            done = subprocess.run(["sh", "-c", command.decode()], stdout=subprocess.PIPE)
            channel.sendall(done.stdout); channel.send_exit_status(done.returncode); channel.close()
        threading.Thread(target=run, daemon=True).start()
        return True
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("0.0.0.0", int(sys.argv[2]))); listener.listen(20)
open("/tmp/box", "w").close()
NEW = ["rsa-sha2-256", "rsa-sha2-512"]
kept = []
while True:
    connection, _ = listener.accept()
    transport = paramiko.Transport(connection, disabled_algorithms={"keys": NEW, "pubkeys": NEW})
    options = transport.get_security_options()
    options.kex, options.ciphers, options.digests = ["diffie-hellman-group14-sha1"], ["aes128-cbc"], ["hmac-sha1"]
    transport.add_server_key(paramiko.RSAKey(filename="/etc/ssh/old_rsa"))
    kept.append(transport)
    try: transport.start_server(threading.Event(), Box())
    except Exception as error: print(error, file=sys.stderr)
"#;

/// What nobody offers to a machine without the flag.
const NEVER: [&str; 6] = [
    "group14-sha1",
    "group1-sha1",
    "group-exchange-sha1",
    "-cbc",
    "hmac-md5",
    "hmac-sha1-96",
];

fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday().without_kept_connections();
        let web1 = lab.web1();
        web1.run("ssh-keygen -q -t rsa -b 2048 -N '' -f /etc/ssh/old_rsa")
            .expect_status(0);
        // An old device knows no key but RSA.
        lab.bastion()
            .run("ssh-keygen -q -t rsa -b 2048 -N '' -C '' -f /root/keeper")
            .expect_status(0);
        let key = lab.bastion().read_text("/root/keeper.pub");
        authorize(web1, "dev", key.trim()).expect("keeper is let in");
        jmsctl(
            lab.bastion(),
            "system-user add keeper --login dev --key /root/keeper",
            "",
        )
        .expect_status(0);
        jmsctl(
            lab.bastion(),
            "grant set everyday --add-system-user keeper",
            "",
        )
        .expect_status(0);
        second_sshd(web1, OLD_PORT, OLD);
        second_sshd(web1, MODERN_PORT, "LogLevel DEBUG2");
        lab
    })
}

fn on_bastion(line: &str) -> Outcome {
    jmsctl(lab().bastion(), line, "")
}

/// An asset of this name at a port of web1, granted to alice.
fn asset(name: &str, port: u16, host_key: &str, flags: &str) {
    let address = lab().address("web1");
    on_bastion(&format!(
        "asset add {name} --address {address} --port {port} {flags}"
    ))
    .expect_status(0);
    if !host_key.is_empty() {
        let line = format!("host-key add {name} -");
        jmsctl(lab().bastion(), &line, host_key).expect_status(0);
    }
    on_bastion(&format!("grant set everyday --add-asset {name}")).expect_status(0);
}

fn ssh(target: &str, command: &str) -> Outcome {
    lab()
        .client()
        .ssh([&format!("alice@{target}@bastion"), command])
}

#[test]
fn an_old_device_is_reached_where_the_asset_says_so_and_nowhere_else() {
    let host_key = lab().web1().read_text("/etc/ssh/old_rsa.pub");
    asset("old", OLD_PORT, &host_key, "");
    ssh("dev@old", "id").expect_status(255).expect_stderr(
        "jms: dev@old: it speaks only old algorithms, which the bastion does not unless it is told to; \
         an administrator can: jmsctl asset set … --algorithms legacy\n",
    );
    eventually("the reason is in syslog", Duration::from_secs(20), || {
        let log = lab().bastion().auth_log();
        log.lines().any(|line| {
            line.contains("type=\"session.close\"") && line.contains("reason=\"old-algorithms\"")
        })
    });

    on_bastion("asset set old --algorithms legacy").expect_status(0);
    ssh("dev@old", "id -un; exit 3")
        .expect_status(3)
        .expect_stdout("dev\n")
        .expect_stderr("");
    let log = second_log(lab().web1(), OLD_PORT);
    for said in [
        "kex: algorithm: diffie-hellman-group14-sha1",
        "kex: host key algorithm: ssh-rsa",
        "cipher: aes128-cbc MAC: hmac-sha1",
        "Accepted publickey for dev",
    ] {
        assert!(log.contains(said), "{said}\n{log}");
    }

    // Bytes both ways, a terminal, and files.
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let target = "alice@dev@old@bastion";
    lab()
        .client()
        .command("ssh", [target, "cat"])
        .input(bytes.clone())
        .run()
        .expect_status(0)
        .expect_stdout(bytes);
    let mut shell = lab().client().ssh_on_terminal(["-t", target]);
    shell.expect("dev@web1");
    shell.send_line("exit 4");
    shell.wait().expect_status(4);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "an old device\n").expect("written");
    let from = file.path().to_str().expect("a path");
    let client = lab().client();
    client
        .command("scp", [from, &format!("{target}:/tmp/old")])
        .run()
        .expect_status(0);
    assert_eq!(lab().web1().read_text("/tmp/old"), "an old device\n");

    // The others speak as ever.
    ssh("dev@web1", "id -un")
        .expect_status(0)
        .expect_stdout("dev\n");
}

#[test]
fn a_box_that_takes_no_key_but_rsa_with_sha1_gets_one() {
    let web1 = lab().web1();
    web1.write("/tmp/box.py", BOX);
    let key = lab().bastion().read_text("/root/keeper.pub");
    let key = key.split(' ').nth(1).expect("a key").trim().to_owned();
    web1.run(format!(
        "setsid python3 /tmp/box.py {key} {BOX_PORT} >/var/log/box.log 2>&1 &
         for try in $(seq 3000); do [ -e /tmp/box ] && exit 0; sleep 0.01; done; cat /var/log/box.log; exit 1"
    ))
    .expect_status(0);
    let host_key = web1.read_text("/etc/ssh/old_rsa.pub");
    asset("box", BOX_PORT, &host_key, "");
    ssh("keeper@box", "id")
        .expect_status(255)
        .expect_stderr_contains("--algorithms legacy");
    on_bastion("asset set box --algorithms legacy").expect_status(0);
    ssh("keeper@box", "echo in the box; exit 7")
        .expect_status(7)
        .expect_stdout("in the box\n")
        .expect_stderr("");
    // A key of a kind that it does not know is refused there, with an ordinary sentence.
    ssh("dev@box", "id")
        .expect_status(255)
        .expect_stderr_contains("it refuses the login of this account");
}

#[test]
fn the_host_key_of_an_old_device_is_scanned_too() {
    asset("scanned", OLD_PORT, "", "");
    on_bastion("host-key scan scanned --yes")
        .expect_status(1)
        .expect_stderr_contains("an old device needs --algorithms legacy");
    on_bastion("asset set scanned --algorithms legacy").expect_status(0);
    on_bastion("host-key scan scanned --yes").expect_status(0);
    let mut stored = on_bastion("host-key ls --json").json_lines().expect("keys");
    stored.retain(|key| key["asset"] == "scanned");
    let shown = lab().web1().run("ssh-keygen -lf /etc/ssh/old_rsa.pub");
    assert_eq!(stored.len(), 1, "{stored:?}");
    assert_eq!(stored[0]["type"], "ssh-rsa");
    assert_eq!(stored[0]["origin"], "scanned");
    let fingerprint = stored[0]["fingerprint"].as_str().expect("a fingerprint");
    assert!(shown.text().contains(fingerprint), "{shown}");
    ssh("dev@scanned", "id -un")
        .expect_status(0)
        .expect_stdout("dev\n");

    // Where nobody is, the scan says so.
    on_bastion("asset set scanned --port 9").expect_status(0);
    on_bastion("host-key scan scanned --yes")
        .expect_status(1)
        .expect_stderr_contains("onnection refused");
}

#[test]
fn a_machine_of_today_is_offered_nothing_old_and_with_the_flag_still_chooses_what_is_new() {
    let key = format!("/etc/ssh/second-{MODERN_PORT}/key.pub");
    let host_key = lab().web1().read_text(key);
    asset("modern", MODERN_PORT, &host_key, "");
    ssh("keeper@modern", "id -un")
        .expect_status(0)
        .expect_stdout("dev\n");
    let log = second_log(lab().web1(), MODERN_PORT);
    assert!(log.contains("peer client KEXINIT proposal"), "{log}");
    for name in NEVER {
        assert!(!log.contains(name), "{name}\n{log}");
    }
    let signed_with = |log: &str| {
        let lines = log.lines().filter(|line| line.contains(" pkalg "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let is_modern = |log: &str| {
        let lines = signed_with(log);
        !lines.is_empty() && lines.iter().all(|line| line.contains("pkalg rsa-sha2-"))
    };
    assert!(is_modern(&log), "{log}");

    on_bastion("asset set modern --algorithms legacy").expect_status(0);
    ssh("keeper@modern", "id -un")
        .expect_status(0)
        .expect_stdout("dev\n");
    let whole = second_log(lab().web1(), MODERN_PORT);
    let log = whole.strip_prefix(&log).expect("the log goes on");
    // It was offered what is old, and took what is new.
    assert!(log.contains("group14-sha1"), "{log}");
    let chosen: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("kex: algorithm:") || line.contains(" cipher: "))
        .collect();
    assert!(chosen.len() >= 3, "{log}");
    for line in chosen {
        assert!(!line.contains("sha1") && !line.contains("cbc"), "{line}");
    }
    assert!(is_modern(log), "{log}");
}

#[test]
fn a_stored_key_of_another_type_is_said_to_be_missing_there() {
    // RSA is stored, and the machine has only an Ed25519 key.
    let rsa = lab().web1().read_text("/etc/ssh/old_rsa.pub");
    asset("other", MODERN_PORT, &rsa, "");
    ssh("dev@other", "id").expect_status(255).expect_stderr(
        "jms: dev@other: it has no host key of a type that is stored; tell your administrator: \
         jmsctl host-key scan shows the keys that it has\n",
    );
}

#[test]
fn dropbear_is_reached_with_each_of_its_host_keys() {
    let web1 = lab().web1();
    web1.run(format!(
        "mkdir -p /etc/dropbear-lab && cd /etc/dropbear-lab &&
         for type in ed25519 ecdsa rsa; do dropbearkey -t $type -f $type >/dev/null 2>&1 || exit 1; done
         dropbear -r ed25519 -r ecdsa -r rsa -p {DROPBEAR_PORT} -P /run/dropbear.pid || exit 1
         for try in $(seq 500); do ss -ltn | grep -q :{DROPBEAR_PORT} && exit 0; sleep 0.01; done; exit 1"
    ))
    .expect_status(0);
    for (name, flags) in [
        ("ed25519", ""),
        ("ecdsa", ""),
        ("rsa", ""),
        ("rsa", "--algorithms legacy"),
    ] {
        let shown = web1.run(format!("dropbearkey -y -f /etc/dropbear-lab/{name}"));
        let text = shown.expect_status(0).text();
        let kind = |line: &&str| line.starts_with("ssh-") || line.starts_with("ecdsa-");
        let host_key = text.lines().find(kind).expect("a public key").to_owned();
        let name = format!("box-{name}{}", if flags.is_empty() { "" } else { "-old" });
        asset(&name, DROPBEAR_PORT, &host_key, flags);
        for account in ["dev", "keeper"] {
            ssh(&format!("{account}@{name}"), "id -un; exit 5")
                .expect_status(5)
                .expect_stdout("dev\n")
                .expect_stderr("");
        }
    }
    let target = "alice@dev@box-ed25519@bastion";
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let client = lab().client();
    client
        .command("ssh", [target, "cat"])
        .input(bytes.clone())
        .run()
        .expect_status(0)
        .expect_stdout(bytes);
    let mut shell = client
        .command("ssh", ["-t", target])
        .in_window(77, 21)
        .on_terminal();
    shell.expect("dev@web1");
    shell.send_line("stty size");
    shell.expect("21 77");
    shell.send_line("exit 6");
    shell.wait().expect_status(6);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "a small box\n").expect("written");
    let from = file.path().to_str().expect("a path");
    client
        .command("scp", ["-O", from, &format!("{target}:/tmp/small-box")])
        .run()
        .expect_status(0);
    assert_eq!(web1.read_text("/tmp/small-box"), "a small box\n");
    on_bastion("asset add box-scanned --address 198.51.100.11 --port 2240 --scan --yes")
        .expect_status(0);
}
