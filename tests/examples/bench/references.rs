//! What ours is measured against: a plain Debian bastion whose sshds do with stock programs what comes nearest.

use std::fs;

use anyhow::{Context, Result};
use tests::boot::{ASSET_ACCOUNT, authorize};
use tests::folder::ALICE;
use tests::{Host, Lab, Release};

/// Where the references' recordings lie.
pub const RECORDINGS: &str = "/var/tmp/recordings";

/// One server of the plain bastion, by what it does with a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// Nothing: `/bin/true`.
    Nothing,
    /// The same behind a code of an authenticator app.
    Code,
    /// `ssh dev@ASSET`, nobody watching. The number of the asset: web1 and so on.
    Chain(u16),
    /// The chain to web1 in script(1).
    Script,
    /// The chain to web1 in tlog-rec-session(8).
    Tlog,
    /// The chain to web1 in asciinema(1).
    Asciinema,
}

/// The chain to web1.
pub const CHAIN: Reference = Reference::Chain(1);
/// Who records a terminal.
pub const RECORDERS: [Reference; 3] = [Reference::Script, Reference::Tlog, Reference::Asciinema];

impl Reference {
    /// What it is called in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Code => "google",
            Self::Chain(_) => "chain",
            Self::Script => "script",
            Self::Tlog => "tlog",
            Self::Asciinema => "asciinema",
        }
    }

    /// Where it listens.
    pub const fn port(self) -> u16 {
        match self {
            Self::Nothing => 2201,
            Self::Code => 2202,
            Self::Script => 2203,
            Self::Tlog => 2204,
            Self::Asciinema => 2205,
            Self::Chain(number) => 2210 + number,
        }
    }

    /// Whether that Debian has it.
    pub fn is_in(self, release: Release) -> bool {
        self != Self::Tlog || release == Release::Debian12
    }

    /// What it does.
    fn forced(self) -> String {
        match self {
            Self::Nothing => "/bin/true".to_owned(),
            Self::Code => "/bin/true\nKbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive:pam".to_owned(),
            Self::Chain(number) => format!("/usr/local/bin/chain web{number}"),
            Self::Script => "/usr/local/bin/chain-script".to_owned(),
            Self::Tlog => "/usr/local/bin/chain-tlog".to_owned(),
            Self::Asciinema => "/usr/local/bin/chain-asciinema".to_owned(),
        }
    }

    /// The whole sshd_config.
    fn configuration(self, host: &Host) -> String {
        let port = self.port();
        format!(
            "Port {port}\nHostKey /etc/ssh/ssh_host_ed25519_key\nPidFile /run/sshd-{port}.pid\nUsePAM yes\nPrintMotd no\nAcceptEnv LANG LC_*\nSubsystem sftp internal-sftp\n\
             {}PasswordAuthentication no\nAuthorizedKeysFile none\nAuthorizedKeysCommand /bin/cat /etc/ssh/alice.pub\n\
             AuthorizedKeysCommandUser nobody\nForceCommand {}\n",
            both_sides(host),
            self.forced()
        )
    }
}

/// What every sshd of the benchmark says, ours and the references': the post-quantum key exchange would hide what is looked for, and
/// nobody is turned away.
pub fn both_sides(host: &Host) -> String {
    let mut lines = String::from(
        "KexAlgorithms curve25519-sha256\nMaxStartups 500\nMaxSessions 500\nUseDNS no\n",
    );
    if host
        .run("/usr/sbin/sshd -T -o PerSourcePenalties=no")
        .succeeded()
    {
        lines.push_str("PerSourcePenalties no\n");
    }
    lines
}

/// The chain: a terminal where it was given one, sftp as sftp.
const CHAIN_PROGRAM: &str = r#"#!/bin/sh
case $SSH_ORIGINAL_COMMAND in internal-sftp*) exec ssh -s dev@$1 sftp;; esac
if [ -t 0 ]; then t=-tt; else t=-T; fi
exec ssh $t dev@$1 "$SSH_ORIGINAL_COMMAND"
"#;
const SCRIPT_PROGRAM: &str =
    "#!/bin/sh\nexec script -qec '/usr/local/bin/chain web1' /var/tmp/recordings/script.$$\n";
/// Its settings have one file for all sessions; each shall have its own.
const TLOG_PROGRAM: &str = r#"#!/bin/sh
export LANG=C.UTF-8
export TLOG_REC_SESSION_CONF_TEXT='{"file":{"path":"/var/tmp/recordings/tlog.'$$'"}}'
exec tlog-rec-session -c '/usr/local/bin/chain web1'
"#;
const ASCIINEMA_PROGRAM: &str = "#!/bin/sh\nexec asciinema rec -q -c '/usr/local/bin/chain web1' /var/tmp/recordings/asciinema.$$\n";
/// Into files, with what Debian's package has otherwise; it would say on each terminal that it records.
const TLOG_CONFIGURATION: &str = r#"{
    "notice": "",
    "writer": "file"
}
"#;

/// Alice's account on the plain bastion, with a key of her own for the assets, and the servers. Says how they were set up.
///
/// # Errors
/// When a step fails.
pub fn prepare(plain: &Lab, references: &[Reference]) -> Result<Vec<(String, String)>> {
    let bastion = plain.bastion();
    bastion.write(
        "/etc/ssh/alice.pub",
        format!("{}\n", plain.client().public_key()?),
    );
    let script = r#"set -eu
        useradd --create-home --shell /bin/bash "$1"; touch "/home/$1/.hushlogin"
        runuser -u "$1" -- sh -c 'mkdir -m 700 ~/.ssh; ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/id_ed25519
            for asset in '"$2"'; do ssh-keyscan $asset 2>/dev/null; done >~/.ssh/known_hosts'
        install -d -m 1777 /var/tmp/recordings; install -d /etc/tlog
        # Where it notes that a session is recorded already; as in the package, it runs as the user who is recorded.
        install -d -m 1777 /run/tlog"#;
    let assets = plain.assets().collect::<Vec<_>>().join(" ");
    bastion
        .command(["bash", "-c", script, "prepare", ALICE, &assets])
        .run()
        .success()?;
    let inner = bastion.read_text(format!("/home/{ALICE}/.ssh/id_ed25519.pub"));
    for asset in plain.assets() {
        authorize(plain.host(asset), ASSET_ACCOUNT, inner.trim())?;
    }
    let files = [
        ("/usr/local/bin/chain", CHAIN_PROGRAM),
        ("/usr/local/bin/chain-script", SCRIPT_PROGRAM),
        ("/usr/local/bin/chain-tlog", TLOG_PROGRAM),
        ("/usr/local/bin/chain-asciinema", ASCIINEMA_PROGRAM),
        ("/etc/tlog/tlog-rec-session.conf", TLOG_CONFIGURATION),
    ];
    for (path, text) in files {
        bastion.write(path, text);
    }
    bastion.run("chmod 755 /usr/local/bin/chain*").success()?;
    let with_code = references.contains(&Reference::Code);
    if with_code {
        // As its README has it: a code in place of the password.
        let change = "sed -i 's/^@include common-auth/auth required pam_google_authenticator.so/' /etc/pam.d/sshd";
        bastion.run(change).success()?;
    }
    let whose = if with_code {
        "reference with a code"
    } else {
        "reference"
    };
    let mut shown: Vec<String> = [
        "/etc/pam.d/sshd",
        "/etc/pam.d/common-account",
        "/etc/pam.d/common-session",
    ]
    .map(str::to_owned)
    .to_vec();
    for reference in references {
        start(plain, *reference)?;
        shown.push(format!("/etc/ssh/reference-{}", reference.port()));
        shown.extend(match reference {
            Reference::Chain(_) => vec!["/usr/local/bin/chain".to_owned()],
            Reference::Script => vec!["/usr/local/bin/chain-script".to_owned()],
            Reference::Asciinema => vec!["/usr/local/bin/chain-asciinema".to_owned()],
            Reference::Tlog => vec![
                "/usr/local/bin/chain-tlog".to_owned(),
                "/etc/tlog/tlog-rec-session.conf".to_owned(),
            ],
            Reference::Nothing | Reference::Code => Vec::new(),
        });
    }
    Ok(shown
        .into_iter()
        .map(|path| configuration(bastion, whose, &path))
        .collect())
}

/// What stands in a file of a host, without comments, under a title.
pub fn configuration(host: &Host, whose: &str, path: &str) -> (String, String) {
    let text = host.read_text(path);
    let says_something = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && (!line.starts_with('#') || line.starts_with("#!"))
    };
    let lines: Vec<&str> = text.lines().filter(says_something).collect();
    (format!("{whose}, `{path}`"), lines.join("\n"))
}

/// Starts one server and makes its host key known to clients.
fn start(plain: &Lab, reference: Reference) -> Result<()> {
    let bastion = plain.bastion();
    let path = format!("/etc/ssh/reference-{}", reference.port());
    bastion.write(&path, reference.configuration(bastion));
    let pid = format!("/run/sshd-{}.pid", reference.port());
    bastion
        .run(format!("/usr/sbin/sshd -f {path} || exit 1; for try in $(seq 500); do [ -s {pid} ] && exit 0; sleep 0.01; done; exit 1"))
        .success()
        .with_context(|| format!("the server of {}", reference.name()))?;
    Ok(())
}

/// The program `direct` of a lab's folder: a client that stands where the assets can be reached without a hop, with alice's key
/// and otherwise like the clients of the lab.
///
/// # Errors
/// When it cannot be written.
pub fn direct(plain: &Lab) -> Result<()> {
    let folder = plain.folder().path();
    let key = plain.client().public_key()?;
    let mut known = fs::read_to_string(folder.join("known_hosts"))?;
    let mut hosts = String::new();
    for asset in plain.assets() {
        let host = plain.host(asset);
        authorize(host, ASSET_ACCOUNT, &key)?;
        let host_keys = host
            .run("cat /etc/ssh/ssh_host_*_key.pub")
            .success()?
            .text();
        host_keys
            .lines()
            .for_each(|line| known.push_str(&format!("{asset} {line}\n")));
        let address = plain.address(asset);
        hosts.push_str(&format!(
            "Host {asset}\n    HostName {address}\n    HostKeyAlias {asset}\n"
        ));
    }
    fs::write(folder.join("known_hosts"), known)?;
    let own = folder.join("people").join(ALICE).join("ssh_config");
    let settings = fs::read_to_string(own)?;
    fs::write(folder.join("direct_config"), format!("{hosts}{settings}"))?;
    let program = fs::read_to_string(plain.folder().programs().join("ssh"))?;
    let direct = program
        .replace(
            &format!("--target {} --net", plain.host("client").pid()),
            &format!("--target {} --net", plain.bastion().pid()),
        )
        .replace(
            &format!("people/${{LAB_AS:-{ALICE}}}/ssh_config"),
            "direct_config",
        );
    let path = plain.folder().programs().join("direct");
    fs::write(&path, direct)?;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(())
}
