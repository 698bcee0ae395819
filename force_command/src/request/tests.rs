//! The grammar, sentence by sentence, and what must hold for any bytes.

use super::channel::classify;
use super::{Connect, Filter, KNOWN, NotWords, Request, RequestError, Verb, parse};
use crate::request::channel_of;
use jms::policy::Channel;
use proptest::prelude::*;

fn connect(tail: Option<&str>, command: Option<&str>) -> Connect {
    match parse(tail.map(str::as_bytes), command.map(str::as_bytes), false) {
        Ok(Request::Connect(connect)) => connect,
        other => panic!("{tail:?} {command:?}: {other:?}"),
    }
}

#[test]
fn a_target_in_the_login_name_takes_the_whole_command_byte_for_byte() {
    let asked = connect(Some("dev@web1"), Some("  ls  -l 'a  b' "));
    assert_eq!(asked.wording.to_string(), "dev@web1");
    assert_eq!(asked.command.as_deref(), Some(&b"  ls  -l 'a  b' "[..]));
    assert_eq!(asked.channel, Channel::Exec);
    let asked = connect(Some("web1"), Some("ls"));
    assert_eq!(
        (asked.wording.system_user, asked.command.as_deref()),
        (None, Some(&b"ls"[..]))
    );
    assert_eq!(connect(Some("dev@web1"), None).channel, Channel::Shell);
    assert_eq!(connect(Some("dev@web1"), Some("")).channel, Channel::Shell);
}

#[test]
fn a_first_word_with_at_is_the_target_and_the_rest_goes_unchanged() {
    let asked = connect(None, Some("dev@web1 \t echo  'a  b' "));
    assert_eq!(asked.wording.to_string(), "dev@web1");
    assert_eq!(asked.command.as_deref(), Some(&b"echo  'a  b' "[..]));
    assert_eq!(connect(None, Some("dev@web1")).channel, Channel::Shell);
    assert_eq!(
        connect(None, Some("dev@2001:db8::7 id")).wording.asset,
        "2001:db8::7"
    );
    assert_eq!(connect(None, Some("connect web1 id")).wording.asset, "web1");
}

#[test]
fn a_first_word_without_at_may_be_an_asset() {
    let asked = connect(None, Some("web1 uptime"));
    assert_eq!(
        (asked.wording.asset.as_str(), asked.command.as_deref()),
        ("web1", Some(&b"uptime"[..]))
    );
    assert_eq!(
        connect(None, Some("scp -t /tmp")).otherwise,
        Some(RequestError::TransferNowhere(Channel::ScpUpload))
    );
    for ssh_copy_id in [
        "exit",
        "exec sh -c 'cd; umask 077; cat >> \".ssh/authorized_keys\"'",
    ] {
        assert_eq!(
            connect(None, Some(ssh_copy_id)).otherwise,
            Some(RequestError::CopyId)
        );
    }
    assert_eq!(connect(None, Some("exit now")).otherwise, None);
}

fn verb(text: &str) -> Result<Verb, RequestError> {
    match parse(None, Some(text.as_bytes()), false) {
        Ok(Request::Verb(verb)) => Ok(verb),
        Ok(other) => panic!("{text}: {other:?}"),
        Err(error) => Err(error),
    }
}

#[test]
fn the_bastions_own_words() {
    let filter = |text: Option<&str>, group: Option<&str>| Filter {
        text: text.map(str::to_owned),
        group: group.map(str::to_owned),
    };
    let ls = |filter, json| Ok(Verb::Ls { filter, json });
    assert_eq!(verb("ls"), ls(Filter::default(), false));
    assert_eq!(verb(" ls web --json"), ls(filter(Some("web"), None), true));
    assert_eq!(
        verb("ls --group /prod/web x"),
        ls(filter(Some("x"), Some("/prod/web")), false)
    );
    assert_eq!(
        verb("ls --group=/prod"),
        ls(filter(None, Some("/prod")), false)
    );
    assert_eq!(
        verb("ssh-config db"),
        Ok(Verb::SshConfig {
            filter: filter(Some("db"), None),
            json: false
        })
    );
    assert_eq!(verb("whoami"), Ok(Verb::Whoami { json: false }));
    assert_eq!(verb("groups --json"), Ok(Verb::Groups { json: true }));
    assert_eq!(verb("version"), Ok(Verb::Version { json: false }));
    assert_eq!(
        verb("sessions --online --limit 3"),
        Ok(Verb::Sessions {
            online: true,
            limit: 3,
            json: false
        })
    );
    assert_eq!(
        verb("session show 0123abcd"),
        Ok(Verb::SessionShow {
            id: "0123abcd".into(),
            json: false
        })
    );
    assert_eq!(
        verb("help ls"),
        Ok(Verb::Help {
            verb: Some("ls"),
            json: false
        })
    );
}

#[test]
fn a_verb_with_arguments_that_it_has_not_is_answered_with_its_usage() {
    for (text, word) in [
        ("ls a b", "ls"),
        ("ls --group", "ls"),
        ("ls --group prod", "ls"),
        ("ls --all", "ls"),
        ("ls --json=1", "ls"),
        ("whoami now", "whoami"),
        ("whoami --limit 3", "whoami"),
        ("groups /prod", "groups"),
        ("sessions --limit 0", "sessions"),
        ("sessions --group /x", "sessions"),
        ("session", "session"),
        ("session show", "session"),
        ("session show 0123", "session"),
        ("session show '%______'", "session"),
        ("session replay 0123abcd --json", "session"),
        ("help nothing", "help"),
        ("connect", "connect"),
    ] {
        assert_eq!(verb(text), Err(RequestError::Usage(word)), "{text}");
    }
}

#[test]
fn words_of_later_versions_say_so() {
    for later in jms::names::VERBS
        .iter()
        .filter(|verb| !KNOWN.contains(verb))
    {
        assert_eq!(
            verb(later),
            Err(RequestError::NotInThisVersion(later)),
            "{later}"
        );
    }
}

#[test]
fn jmsctl_gets_words_and_never_a_shell() {
    let words = |text: &str| match parse(None, Some(text.as_bytes()), false) {
        Ok(Request::Administer(words)) => Ok(words
            .into_iter()
            .map(|word| String::from_utf8(word).unwrap())
            .collect::<Vec<_>>()),
        Err(error) => Err(error),
        Ok(other) => panic!("{other:?}"),
    };
    assert_eq!(words("jmsctl"), Ok(vec![]));
    assert_eq!(
        words(r#"jmsctl  user set bob --full-name 'Bob "B" Martin' "a\"b\\c\d" x\ y '' web* ~ #1"#),
        Ok([
            "user",
            "set",
            "bob",
            "--full-name",
            r#"Bob "B" Martin"#,
            r#"a"b\c\d"#,
            "x y",
            "",
            "web*",
            "~",
            "#1"
        ]
        .map(str::to_owned)
        .to_vec())
    );
    assert_eq!(words("jmsctl x '$HOME;`id`'").unwrap()[1], "$HOME;`id`");
    for (text, character) in [
        ("jmsctl user ls | sh", '|'),
        ("jmsctl user ls;id", ';'),
        ("jmsctl $(id)", '$'),
        ("jmsctl event ls > /etc/passwd", '>'),
        ("jmsctl user ls\nid", '\n'),
        ("jmsctl user ls && id", '&'),
    ] {
        let refused = RequestError::NotWords(NotWords::Shell(character));
        assert_eq!(words(text), Err(refused), "{text}");
    }
    for open in ["jmsctl 'a", "jmsctl \"a", "jmsctl a\\"] {
        assert_eq!(
            words(open),
            Err(RequestError::NotWords(NotWords::Open)),
            "{open}"
        );
    }
    // The name of the program alone is a verb; a longer word is not.
    let other = parse(None, Some(b"jmsctlx user ls"), false);
    assert!(matches!(other, Ok(Request::Connect(_))), "{other:?}");
}

#[test]
fn nothing_at_all_is_the_menu_or_a_question_where_to() {
    assert_eq!(parse(None, None, true), Ok(Request::Menu));
    assert_eq!(parse(None, Some(b"  "), true), Ok(Request::Menu));
    assert_eq!(parse(None, None, false), Err(RequestError::Nowhere));
    assert_eq!(
        parse(None, Some(b"/bin/sh -c id"), false),
        Err(RequestError::Nowhere)
    );
    assert_eq!(
        parse(None, Some(b"/usr/lib/openssh/sftp-server -l INFO"), false),
        Err(RequestError::TransferNowhere(Channel::Sftp))
    );
}

#[test]
fn what_cannot_be_a_target_is_a_bad_request() {
    for tail in [
        "",
        "a@b@c",
        "@web1",
        "dev@",
        "dev@-oProxyCommand=x",
        "dev@web1\n",
        "dev@we b",
        "dev@web1/x",
        "-v@web1",
        "é",
    ] {
        let answer = parse(Some(tail.as_bytes()), None, true);
        assert!(
            matches!(answer, Err(RequestError::BadTarget(_))),
            "{tail:?}: {answer:?}"
        );
    }
    assert!(matches!(
        parse(None, Some(b"dev@web1;id"), false),
        Err(RequestError::BadTarget(_))
    ));
    assert!(matches!(
        parse(Some(b"web1"), Some(&vec![b'a'; 200_000]), false),
        Err(RequestError::TooLong(200_000))
    ));
}

#[test]
fn transfers_as_clients_really_write_them() {
    for (text, channel) in [
        ("/usr/lib/openssh/sftp-server", Channel::Sftp),
        (
            "/usr/libexec/openssh/sftp-server -l INFO -f AUTH",
            Channel::Sftp,
        ),
        ("internal-sftp", Channel::Sftp),
        ("internal-sftp -f AUTH", Channel::Sftp),
        ("scp -p -t /path", Channel::ScpUpload),
        ("scp -v -r -p -d -t -- -odd", Channel::ScpUpload),
        ("scp -f /path", Channel::ScpDownload),
        ("scp -r -f './a b'/*.txt", Channel::ScpDownload),
        ("rsync --server -logDtpre.iLsfxCIvu . /path", Channel::Rsync),
        (
            "rsync --server --sender -vlogDtpre.iLsfxCIvu . /a\\ b /c/*",
            Channel::Rsync,
        ),
        (r"git-upload-pack '/srv/r'\''x.git'", Channel::GitFetch),
        ("git-receive-pack '/srv/r.git'", Channel::GitPush),
        ("git upload-archive 'r.git'", Channel::GitFetch),
    ] {
        assert_eq!(classify(text.as_bytes()), channel, "{text}");
    }
}

#[test]
fn with_a_terminal_nothing_is_a_transfer() {
    let channel = |command: &str, terminal| match parse(
        Some(b"dev@switch7"),
        Some(command.as_bytes()),
        terminal,
    ) {
        Ok(Request::Connect(connect)) => connect.channel,
        other => panic!("{command}: {other:?}"),
    };
    assert_eq!(channel("scp -t /x", false), Channel::ScpUpload);
    for command in ["scp -t /x", "internal-sftp", "git-receive-pack 'r.git'"] {
        assert_eq!(channel(command, true), Channel::Exec, "{command}");
    }
    assert_eq!(channel("", true), Channel::Shell);
}

#[test]
fn a_shell_that_takes_its_commands_from_a_terminal_is_a_shell() {
    for command in [
        "bash",
        "/bin/bash -l",
        "exec sh -i",
        "cd /srv && zsh",
        "sudo -i",
        "su - postgres",
        "env -i bash --norc",
        "ssh web2",
    ] {
        assert_eq!(
            channel_of(Some(command.as_bytes()), true),
            Channel::Shell,
            "{command}"
        );
        assert_eq!(
            channel_of(Some(command.as_bytes()), false),
            Channel::Exec,
            "{command}"
        );
    }
    for command in [
        "bash -c id",
        "bash script.sh",
        "sudo id",
        "top",
        "python3",
        "echo bash",
        "ssh web2 id",
    ] {
        assert_eq!(
            channel_of(Some(command.as_bytes()), true),
            Channel::Exec,
            "{command}"
        );
    }
}

#[test]
fn what_could_run_anything_else_is_a_command() {
    for text in [
        "scp",
        "scp -t",
        "scp /a /b",
        "scp -t -f /x",
        "scp -t /x; id",
        "scp -t $(id)",
        "scp -t `id`",
        "scp -t /x\nid",
        "scp -S /tmp/evil -t /x",
        "scp -t -oProxyCommand=x /x",
        "scp -t /x -f",
        "scp -t *",
        "scp -f {-t,/x}",
        "scp -f ''*",
        "scp -t '$(id)'",
        "scp -t \"a\\\" -S x \"",
        "scp -t 'a\\' -S x '",
        "/tmp/scp -t /x",
        "scp -t 'open",
        "sudo rsync --server . /x",
        "rsync --daemon",
        "rsync --server --daemon .",
        "rsync --server --dae''mon .",
        "rsync --server -s . /x",
        "rsync --server -slogDtpre.iLsfx",
        "rsync --server --protect-args . /x",
        "rsync --server --daemo? .",
        "rsync --server . *",
        "rsync -av --server . /x",
        "git-upload-pack",
        "git-upload-pack a b",
        "git-upload-pack --help",
        "git-shell -c x",
        "git push",
        "/x/sftp-server | tee log",
        "cat /x/sftp-server",
        "sftp-server",
        "A=b scp -t /x",
        "sc* -t /x",
        "uptime",
    ] {
        assert_eq!(classify(text.as_bytes()), Channel::Exec, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer_and_the_asset_gets_a_suffix_of_what_was_sent(
        tail in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40)),
        original in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)),
        terminal in any::<bool>(),
    ) {
        if let Ok(Request::Connect(connect)) = parse(tail.as_deref(), original.as_deref(), terminal) {
            let sent = original.unwrap_or_default();
            let command = connect.command.unwrap_or_default();
            prop_assert!(sent.ends_with(&command));
            if tail.is_some() {
                prop_assert_eq!(command, sent);
            }
        }
    }

    #[test]
    fn no_unquoted_separator_anywhere_in_a_transfer(
        program in prop::sample::select(vec!["scp -t ", "scp -f ", "rsync --server . ", "git-upload-pack ", "internal-sftp "]),
        // Everything but the two quotes and the backslash, which take a separator's meaning away.
        rest in r"[ !#-&(-\[\]-~\n]{0,60}",
    ) {
        let text = format!("{program}{rest}");
        if classify(text.as_bytes()).is_transfer() {
            prop_assert!(!text.contains([';', '&', '|', '<', '>', '(', ')', '$', '`', '\n']), "{}", text);
        }
    }

    #[test]
    fn a_target_as_tail_or_as_first_word_is_the_same_request(command in "[a-z][ -~]{0,40}") {
        let tail = parse(Some(b"dev@web1"), Some(command.as_bytes()), true);
        let word = parse(None, Some(format!("dev@web1 {command}").as_bytes()), true);
        prop_assert_eq!(tail, word);
    }
}
