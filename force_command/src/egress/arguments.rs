//! The arguments and the environment of the client program.
#![forbid(unsafe_code)]

use super::folder::Folder;
use super::method::Method;
use jms::legacy;
use jms::names::Address;
use jms::nouns::{Algorithms, HostKey};
use jms::paths::HOME;
use jms::policy::Channel;
use jms::settings;
use std::ffi::{CString, NulError};

/// Where to, as whom, and by which keys the asset is known.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Host name or IP address.
    pub address: Address,
    /// TCP port.
    pub port: u16,
    /// The account there.
    pub account: String,
    /// None only where the first one that proves itself is to be taken.
    pub host_keys: Vec<HostKey>,
    /// Whether old algorithms may be spoken.
    pub algorithms: Algorithms,
    /// How the account is proved.
    pub method: Method,
}

/// The name under which `known_hosts` holds the asset's keys. The file belongs to one session, so
/// neither name nor port need to be in it.
pub const HOST_KEY_ALIAS: &str = "asset";

/// What the client is to do there.
#[derive(Debug, Clone, Copy)]
pub enum Errand<'a> {
    /// Open the user's channel.
    Channel {
        /// Its type.
        channel: Channel,
        /// The command, byte for byte.
        command: Option<&'a [u8]>,
        /// With a terminal.
        terminal: bool,
    },
    /// Lead further to the next machine: its input and output become that machine's port.
    Forward(&'a Destination),
    /// Log in and run nothing: sessions come over its own socket.
    Keep,
}

/// What a client that keeps its connection is told to be its socket. There is no such file: the socket is handed over.
const SOCKET: &str = "/handed-over.socket";

/// What the client is told to be its agent's socket. There is no such file: the connection is handed over.
const AGENT: &str = "/handed-over";

/// What the client is told to be the address of a machine that is known by name: it connects nowhere, and must not
/// look up names.
const SOMEWHERE: &str = "192.0.2.1";

/// The address that the client is told and that its messages name.
fn told(to: &Destination) -> String {
    let address = to.address.to_string();
    match address.parse::<std::net::IpAddr>() {
        Ok(_) => address,
        Err(_) => SOMEWHERE.to_owned(),
    }
}

/// The arguments of `ssh` (ssh(1), ssh_config(5)): everything that it could take from elsewhere is said.
/// `patience`: seconds until what it is connected to must have said that it speaks ssh.
///
/// # Errors
/// [`NulError`] when a text holds a NUL; a command from the environment cannot.
pub fn arguments(
    to: &Destination,
    folder: &Folder,
    errand: Errand<'_>,
    patience: u32,
    settings: &settings::Session,
) -> Result<Vec<CString>, NulError> {
    let mut texts: Vec<Vec<u8>> = vec![b"ssh".into(), b"-F".into(), b"none".into()];
    texts.extend([
        b"-E".into(),
        folder.log().into_os_string().into_encoded_bytes(),
    ]);
    let keeps = matches!(errand, Errand::Keep);
    for option in options(to, folder, patience, settings, keeps) {
        texts.extend([b"-o".into(), option.into_bytes()]);
    }
    let mut command = None;
    let mut subsystem = None;
    match errand {
        Errand::Channel {
            channel,
            command: wanted,
            terminal,
        } => {
            texts.push(if terminal { "-tt" } else { "-T" }.into());
            command = wanted.map(<[u8]>::to_vec);
            if channel == Channel::Sftp {
                subsystem = Some(b"-s".to_vec());
                command = Some(b"sftp".into());
            }
        }
        Errand::Forward(next) => {
            let place = format!("[{}]:{}", next.address, next.port);
            texts.extend([b"-T".into(), b"-W".into(), place.into_bytes()]);
        }
        // A terminal that is asked for and not given ends the session; `-N` itself says that there is none.
        Errand::Keep => texts.extend([b"-N".into(), b"-tt".into()]),
    }
    texts.extend([b"-l".into(), to.account.clone().into_bytes()]);
    texts.extend([b"-p".into(), to.port.to_string().into_bytes()]);
    texts.extend(subsystem);
    texts.extend([b"--".into(), told(to).into_bytes()]);
    texts.extend(command);
    texts.into_iter().map(CString::new).collect()
}

fn options(
    to: &Destination,
    folder: &Folder,
    patience: u32,
    settings: &settings::Session,
    keeps: bool,
) -> Vec<String> {
    let mut options: Vec<String> = [
        // Who the asset is: only the keys that the store holds.
        "GlobalKnownHostsFile=/dev/null",
        "KnownHostsCommand=none",
        "UpdateHostKeys=no",
        "CheckHostIP=no",
        "VerifyHostKeyDNS=no",
        "HashKnownHosts=no",
        "NoHostAuthenticationForLocalhost=no",
        "CanonicalizeHostname=no",
        // Who we are: only what our agent signs, or what our askpass answers.
        "PubkeyAuthentication=yes",
        "GSSAPIAuthentication=no",
        "HostbasedAuthentication=no",
        "IdentityFile=none",
        "IdentitiesOnly=no",
        "AddKeysToAgent=no",
        "PKCS11Provider=none",
        // One channel and nothing beside it.
        "ForwardAgent=no",
        "ForwardX11=no",
        "ClearAllForwardings=yes",
        "GatewayPorts=no",
        "Tunnel=no",
        "PermitLocalCommand=no",
        "ControlPersist=no",
        "ProxyCommand=none",
        "ProxyJump=none",
        "RemoteCommand=none",
        "ForkAfterAuthentication=no",
        "StdinNull=no",
        "EscapeChar=none",
        "SendEnv=LANG LC_* COLORTERM NO_COLOR",
        // Dead peers are noticed; its own messages go to the log.
        "TCPKeepAlive=yes",
        "ConnectionAttempts=1",
        "LogLevel=VERBOSE",
    ]
    .map(str::to_owned)
    .into();
    options.extend(to.method.options());
    let (master, socket) = match keeps {
        true => ("yes", SOCKET),
        false => ("no", "none"),
    };
    options.push(format!("ControlMaster={master}"));
    options.push(format!("ControlPath={socket}"));
    if keeps {
        // It would take itself for bulk, and what is typed would go last.
        options.push("IPQoS=none".to_owned());
    }
    // The first key is proved to our agent, which remembers it; the client's own memory is gone with its folder.
    let strict = if to.host_keys.is_empty() {
        "accept-new"
    } else {
        "yes"
    };
    options.push(format!("StrictHostKeyChecking={strict}"));
    options.push(format!("HostKeyAlias={HOST_KEY_ALIAS}"));
    options.push(format!(
        "UserKnownHostsFile={}",
        folder.known_hosts().display()
    ));
    options.push(format!("IdentityAgent={AGENT}"));
    options.push(format!("HostKeyAlgorithms={}", host_key_algorithms(to)));
    options.push(format!("ConnectTimeout={patience}"));
    options.push(format!("ServerAliveInterval={}", settings.alive_interval));
    options.push(format!(
        "ServerAliveCountMax={}",
        settings.alive_count_max.max(1)
    ));
    if to.algorithms == Algorithms::Legacy {
        options.extend(legacy::OPTIONS.map(str::to_owned));
    }
    options
}

/// Types of host keys that can be stored, the best first.
const HOST_KEY_TYPES: [&str; 5] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
];

/// The signature algorithms of the stored keys, so that the asset proves one of them and no other; of all types
/// where none is stored.
fn host_key_algorithms(to: &Destination) -> String {
    let mut algorithms: Vec<&str> = Vec::new();
    let stored = to.host_keys.iter().map(|key| key.kind.as_str());
    let any = HOST_KEY_TYPES
        .into_iter()
        .filter(|_| to.host_keys.is_empty());
    for kind in stored.chain(any) {
        let of_this_type: &[&str] = match (kind, to.algorithms) {
            ("ssh-rsa", Algorithms::Default) => &["rsa-sha2-512", "rsa-sha2-256"],
            ("ssh-rsa", Algorithms::Legacy) => &["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
            (other, _) => &[other],
        };
        algorithms.extend(
            of_this_type
                .iter()
                .filter(|it| !algorithms.contains(*it))
                .copied()
                .collect::<Vec<_>>(),
        );
    }
    algorithms.join(",")
}

/// What the client program's C library keeps of freed memory for the next time (mallopt(3)): ssh's buffers grow by taking a
/// larger piece and freeing the old one, to a few MiB, and without this each piece goes back to the kernel and comes
/// as empty pages again, which is half of what the system does for it in a flood (docs/speed.md).
const MEMORY: [&str; 2] = [
    "MALLOC_MMAP_THRESHOLD_=8388608",
    "MALLOC_TRIM_THRESHOLD_=8388608",
];

/// The whole environment of the client program. `term` and `locale` are validated wishes of the user.
///
/// # Errors
/// [`NulError`], which validated texts cannot cause.
pub fn environment(
    to: &Destination,
    term: Option<&str>,
    locale: &[(String, String)],
) -> Result<Vec<CString>, NulError> {
    let mut texts = vec!["PATH=/usr/bin:/bin".to_owned(), format!("HOME={HOME}")];
    // Without one the asset is told of none, as after a direct login.
    texts.extend(term.map(|term| format!("TERM={term}")));
    texts.extend(locale.iter().map(|(name, value)| format!("{name}={value}")));
    texts.extend(MEMORY.map(str::to_owned));
    texts.extend(to.method.environment());
    texts.into_iter().map(CString::new).collect()
}

/// How the line begins that `ssh` says on standard error, not in its log, when a connection ends
/// (`quit_message` in OpenSSH's clientloop.c).
#[must_use]
pub fn farewells(to: &Destination) -> Vec<Vec<u8>> {
    let address = told(to);
    vec![
        format!("Connection to {address} closed").into_bytes(),
        format!("Read from remote host {address}: ").into_bytes(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use jms::nouns::HostKeyOrigin;
    use jms::time::Time;

    fn destination() -> Destination {
        let key = |kind: &str| HostKey {
            asset: "web1".into(),
            kind: kind.into(),
            blob: vec![1, 2, 3],
            fingerprint: String::new(),
            origin: HostKeyOrigin::Added,
            created_at: Time(0),
        };
        Destination {
            address: Address::new("192.0.2.7").unwrap(),
            port: 2222,
            account: "dev".into(),
            host_keys: vec![key("ssh-ed25519"), key("ssh-rsa"), key("ssh-ed25519")],
            algorithms: Algorithms::Default,
            method: Method::Key,
        }
    }

    fn words(channel: Channel, command: Option<&[u8]>, terminal: bool) -> Vec<String> {
        let folder = Folder::at("/run/jms/egress/x".into());
        arguments(
            &destination(),
            &folder,
            Errand::Channel {
                channel,
                command,
                terminal,
            },
            15,
            &settings::Session::default(),
        )
        .unwrap()
        .into_iter()
        .map(|text| text.into_string().unwrap())
        .collect()
    }

    #[test]
    fn the_command_is_one_argument_behind_the_dashes_and_the_address() {
        let words = words(Channel::Exec, Some(b"-oProxyCommand=evil  'a  b'"), false);
        let tail: Vec<&str> = words
            .iter()
            .rev()
            .take(7)
            .rev()
            .map(String::as_str)
            .collect();
        assert_eq!(
            tail,
            [
                "-l",
                "dev",
                "-p",
                "2222",
                "--",
                "192.0.2.7",
                "-oProxyCommand=evil  'a  b'"
            ]
        );
        assert!(words.contains(&"-T".to_owned()) && !words.contains(&"-tt".to_owned()));
    }

    #[test]
    fn a_shell_has_no_command_and_sftp_is_the_subsystem() {
        assert_eq!(
            words(Channel::Shell, None, true).last().unwrap(),
            "192.0.2.7"
        );
        let sftp = words(Channel::Sftp, Some(b"/usr/lib/openssh/sftp-server"), false);
        assert!(
            sftp.ends_with(&["-s", "--", "192.0.2.7", "sftp"].map(str::to_owned)),
            "{sftp:?}"
        );
    }

    #[test]
    fn a_gateway_leads_to_the_next_machine_and_runs_nothing() {
        let folder = Folder::at("/run/jms/egress/x/0".into());
        let next = Destination {
            address: Address::new("2001:db8::1").unwrap(),
            ..destination()
        };
        let settings = settings::Session::default();
        let words = arguments(
            &destination(),
            &folder,
            Errand::Forward(&next),
            15,
            &settings,
        )
        .unwrap();
        let words: Vec<&str> = words.iter().map(|word| word.to_str().unwrap()).collect();
        let way = ["-T", "-W", "[2001:db8::1]:2222", "-l", "dev", "-p", "2222"];
        let whole = [way.as_slice(), &["--", "192.0.2.7"]].concat();
        assert!(words.ends_with(&whole), "{words:?}");
    }

    #[test]
    fn the_asset_proves_a_stored_key_with_a_modern_signature() {
        assert_eq!(
            host_key_algorithms(&destination()),
            "ssh-ed25519,rsa-sha2-512,rsa-sha2-256"
        );
        let legacy = Destination {
            algorithms: Algorithms::Legacy,
            ..destination()
        };
        assert!(host_key_algorithms(&legacy).ends_with(",ssh-rsa"));
    }

    #[test]
    fn the_environment_holds_nothing_else() {
        let locale = [("LANG".to_owned(), "C.UTF-8".to_owned())];
        let texts = environment(&destination(), Some("xterm"), &locale).unwrap();
        let texts: Vec<&str> = texts.iter().map(|text| text.to_str().unwrap()).collect();
        assert_eq!(
            texts,
            [
                "PATH=/usr/bin:/bin",
                "HOME=/usr/share/jms/home",
                "TERM=xterm",
                "LANG=C.UTF-8",
                "MALLOC_MMAP_THRESHOLD_=8388608",
                "MALLOC_TRIM_THRESHOLD_=8388608"
            ]
        );
    }

    #[test]
    fn a_client_that_asks_is_told_with_what_and_never_the_answer() {
        let to = Destination {
            method: Method::Password,
            ..destination()
        };
        let texts = environment(&to, None, &[]).unwrap();
        let texts: Vec<&str> = texts.iter().map(|text| text.to_str().unwrap()).collect();
        assert!(
            texts.ends_with(&[
                "SSH_ASKPASS=/usr/libexec/jms/askpass",
                "SSH_ASKPASS_REQUIRE=force"
            ]),
            "{texts:?}"
        );
    }

    #[test]
    fn ssh_asks_once_and_only_where_something_is_to_be_asked() {
        for (method, preferred) in [
            (Method::Password, "publickey,password,keyboard-interactive"),
            (Method::Typed, "publickey,keyboard-interactive,password"),
        ] {
            let text = understood_of(&Destination {
                method,
                ..destination()
            });
            for line in [
                &format!("preferredauthentications {preferred}"),
                "batchmode no",
                "numberofpasswordprompts 1",
                "passwordauthentication yes",
                "kbdinteractiveauthentication yes",
                "pubkeyauthentication true",
                "stricthostkeychecking true",
            ] {
                assert!(text.lines().any(|it| it == line), "{line}\n{text}");
            }
        }
    }

    #[test]
    fn an_asset_that_nobody_knows_yet_may_prove_any_type_of_host_key() {
        let text = understood_of(&Destination {
            host_keys: Vec::new(),
            ..destination()
        });
        assert!(
            text.contains("stricthostkeychecking accept-new\n"),
            "{text}"
        );
        assert!(text.contains(
            "hostkeyalgorithms ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256\n"
        ));
    }

    fn understood(algorithms: Algorithms) -> String {
        understood_of(&Destination {
            algorithms,
            ..destination()
        })
    }

    /// What the system's own `ssh` makes of the arguments (`ssh -G`); it must be there to run the tests.
    fn understood_of(to: &Destination) -> String {
        understood_with(
            to,
            Errand::Channel {
                channel: Channel::Exec,
                command: Some(b"id"),
                terminal: false,
            },
        )
    }

    fn understood_with(to: &Destination, errand: Errand<'_>) -> String {
        let folder = Folder::at("/nonexistent".into());
        let settings = settings::Session::default();
        let words = arguments(to, &folder, errand, 15, &settings).unwrap();
        let words = words.iter().map(|word| word.to_str().unwrap());
        // The log's folder is not there, and `-G` needs none.
        let words = words
            .skip(1)
            .filter(|word| *word != "-E" && *word != "/nonexistent/log");
        let output = std::process::Command::new("/usr/bin/ssh")
            .arg("-G")
            .args(words)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_client_that_keeps_its_connection_runs_nothing_and_leads_nowhere() {
        let text = understood_with(&destination(), Errand::Keep);
        for line in [
            "controlmaster true",
            "controlpath /handed-over.socket",
            "controlpersist no",
            "sessiontype none",
            "requesttty force",
            "clearallforwardings yes",
            "forwardagent no",
            "batchmode yes",
            "ipqos none none",
        ] {
            assert!(text.lines().any(|it| it.trim() == line), "{line}\n{text}");
        }
    }

    #[test]
    fn ssh_understands_every_option_and_keeps_to_them() {
        let text = understood(Algorithms::Default);
        for line in [
            "user dev",
            "hostname 192.0.2.7",
            "port 2222",
            "stricthostkeychecking true",
            "hostkeyalias asset",
            "userknownhostsfile /nonexistent/known_hosts",
            "globalknownhostsfile /dev/null",
            "identityagent /handed-over",
            "preferredauthentications publickey",
            "hostkeyalgorithms ssh-ed25519,rsa-sha2-512,rsa-sha2-256",
            "forwardagent no",
            "forwardx11 no",
            "clearallforwardings yes",
            "permitlocalcommand no",
            "controlmaster false",
            "batchmode yes",
            "escapechar none",
            "updatehostkeys false",
            "serveraliveinterval 15",
            "connecttimeout 15",
        ] {
            assert!(text.lines().any(|it| it.trim() == line), "{line}\n{text}");
        }
        let legacy = understood(Algorithms::Legacy);
        for name in legacy::names() {
            assert!(legacy.contains(name), "{name}\n{legacy}");
        }
    }
}
