//! The maintainer scripts one by one, and what dpkg does to the set-uid program with their help.

use std::collections::HashMap;
use std::time::Duration;

use tests::boot::ADMINISTRATOR;
use tests::{Host, Lab, Outcome, everyday, package};

const FORCE_COMMAND: &str = "/usr/libexec/jms/force-command";

fn put_package(host: &Host) {
    let newest = package::file().expect("the package");
    host.write("/root/new.deb", package::uncompressed(&newest));
}

/// Runs a maintainer script of the installed package, as dpkg would.
fn script(host: &Host, line: &str) -> Outcome {
    host.run(format!(
        "DEBIAN_FRONTEND=noninteractive DPKG_MAINTSCRIPT_PACKAGE=jms /var/lib/dpkg/info/jms.{line}"
    ))
}

#[track_caller]
fn administrator_gets_in(lab: &Lab) {
    lab.client_of(ADMINISTRATOR)
        .ssh(["admin@bastion", "id -un"])
        .expect_stdout("admin\n");
}

/// The lines that do not hold `word`.
fn without(text: &str, word: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains(word));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_script_may_run_twice() {
    let lab = Lab::builder().assets([]).start().expect("a lab");
    let bastion = lab.bastion();
    bastion.run("jmsctl init").expect_success();
    let configured = package::state(bastion);
    for line in [
        "preinst install",
        "preinst upgrade 0.1.0",
        "postinst configure 0.1.0",
        "postinst configure",
        "prerm upgrade 0.3.0",
        "postrm upgrade 0.3.0",
        "postinst abort-upgrade 0.3.0",
        "preinst abort-upgrade 0.3.0",
        "postrm abort-upgrade 0.3.0",
        "postrm failed-upgrade 0.1.0",
        "prerm failed-upgrade 0.1.0",
        "postinst configure 0.2.0",
    ] {
        script(bastion, line).expect_success();
        script(bastion, line).expect_success();
        // What an upgrade notes in between goes with its end.
        let lasting = without(&package::state(bastion), "drop-in.before");
        package::expect_state(&lasting, &configured, &format!("after {line}"));
        administrator_gets_in(&lab);
    }
    package::expect_state(&package::state(bastion), &configured, "in the end");
    for (line, back) in [
        ("prerm remove", "postinst abort-remove"),
        (
            "prerm deconfigure in-favour other 1",
            "postinst abort-deconfigure in-favour other 1",
        ),
        ("postrm remove", "postinst configure 0.2.0"),
    ] {
        script(bastion, line).expect_success();
        let once = package::state(bastion);
        script(bastion, line).expect_success();
        package::expect_state(
            &package::state(bastion),
            &once,
            &format!("after {line}, twice"),
        );
        administrator_gets_in(&lab);
        script(bastion, back).expect_success();
        package::expect_state(
            &package::state(bastion),
            &configured,
            &format!("after {line} and {back}"),
        );
    }
    for line in ["prerm remove", "postrm remove", "postrm purge"] {
        script(bastion, line).expect_success();
        let once = package::state(bastion);
        script(bastion, line).expect_success();
        package::expect_state(
            &package::state(bastion),
            &once,
            &format!("after {line}, twice"),
        );
        administrator_gets_in(&lab);
    }
    for name in ["preinst", "postinst", "prerm", "postrm"] {
        script(bastion, &format!("{name} something-else")).expect_status(1);
    }
}

#[test]
fn a_removal_that_fails_half_way_is_taken_back() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    let before = package::state(bastion);
    // The last of the steps fails.
    bastion.write(
        "/root/failing",
        "#!/bin/sh\ncase \"$*\" in *--remove*) exit 1 ;; esac\nexec /usr/sbin/pam-auth-update \"$@\"\n",
    );
    bastion
        .run("install -m 0755 /root/failing /usr/local/sbin/pam-auth-update; DEBIAN_FRONTEND=noninteractive dpkg --remove jms")
        .expect_failure();
    administrator_gets_in(&lab);
    // dpkg keeps in mind that it was to be removed.
    bastion
        .run("echo jms install | dpkg --set-selections")
        .expect_success();
    package::expect_state(&package::state(bastion), &before, "taken back");
    lab.client()
        .ssh(["alice@dev@web1@bastion", "echo in"])
        .expect_stdout("in\n");
    administrator_gets_in(&lab);
}

#[test]
fn a_pam_auth_update_that_is_killed_at_any_moment_is_put_right_by_the_next_run() {
    let lab = Lab::builder().assets([]).start().expect("a lab");
    let bastion = lab.bastion();
    script(bastion, "postinst configure 0.1.0").expect_success();
    let configured = package::state(bastion);
    // Renaming is how it puts each of its ten files in place. Whoever runs it dies with it.
    bastion.write(
        "/root/killed",
        "#!/bin/sh\nstrace --quiet=all --output=/dev/null --trace=rename --inject=rename:signal=KILL:when=$WHEN \
         /usr/sbin/pam-auth-update \"$@\"\nkill -9 $PPID\n",
    );
    let with_a_killer = |line: &str, when: usize| {
        bastion
            .run("install -m 0755 /root/killed /usr/local/sbin/pam-auth-update")
            .expect_success();
        bastion
            .run(format!(
                "export WHEN={when} DEBIAN_FRONTEND=noninteractive DPKG_MAINTSCRIPT_PACKAGE=jms; /var/lib/dpkg/info/jms.{line}"
            ))
            .expect_failure();
        bastion
            .run("rm /usr/local/sbin/pam-auth-update")
            .expect_success();
    };
    for when in 1..=10 {
        with_a_killer("prerm remove", when);
        administrator_gets_in(&lab);
        script(bastion, "prerm remove").expect_success();
        bastion
            .run("grep -l pam_jms /etc/pam.d/common-*")
            .expect_stdout("");
        with_a_killer("postinst configure 0.1.0", when);
        administrator_gets_in(&lab);
        bastion
            .run("mv /etc/jms/00-jms.conf.removed /etc/ssh/sshd_config.d/00-jms.conf")
            .expect_success();
        script(bastion, "postinst configure 0.1.0").expect_success();
        package::expect_state(
            &package::state(bastion),
            &configured,
            &format!("killed at rename {when}"),
        );
    }
}

#[test]
fn what_root_changed_after_a_killed_pam_auth_update_is_kept_for_him() {
    const CHANGE: &str = "auth required pam_faildelay.so delay=1000 # root's own\n";
    let lab = Lab::builder().assets([]).start().expect("a lab");
    let bastion = lab.bastion();
    for line in ["postinst configure 0.1.0", "prerm remove"] {
        script(bastion, "postinst configure 0.1.0").expect_success();
        bastion
            .run(format!(
                "printf '#!/bin/sh\nkill -9 $PPID\n' > /usr/local/sbin/pam-auth-update
                 chmod 0755 /usr/local/sbin/pam-auth-update
                 /var/lib/dpkg/info/jms.{line}; rm /usr/local/sbin/pam-auth-update; test -d /var/lib/pam.jms-before"
            ))
            .expect_success();
        let auth = bastion.read_text("/etc/pam.d/common-auth");
        bastion.write("/etc/pam.d/common-auth", format!("{auth}{CHANGE}"));
        script(bastion, line)
            .expect_success()
            .expect_stderr_contains("what stood there is kept: /var/backups/jms-common-auth-");
        let kept =
            bastion.run("cat /var/backups/jms-common-auth-*; rm /var/backups/jms-common-auth-*");
        kept.expect_success().expect_stdout_contains("root's own");
        assert!(!bastion.has("/var/lib/pam.jms-before"), "{line}");
        administrator_gets_in(&lab);
    }
}

/// Installs the package under strace and follows owner and mode of the session program, under each of its names.
fn window(lab: &Lab) -> Vec<String> {
    let bastion = lab.bastion();
    put_package(bastion);
    let calls = "fchown,chown,fchownat,lchown,fchmod,chmod,fchmodat,rename,renameat,renameat2,link,linkat,openat,open";
    bastion
        .command([
            "bash",
            "-c",
            &format!(
                "DEBIAN_FRONTEND=noninteractive strace --follow-forks --seccomp-bpf --quiet=all --decode-fds=path \
                 --output=/root/trace --trace={calls} dpkg --install /root/new.deb"
            ),
        ])
        .within(Duration::from_secs(180))
        .run()
        .expect_success();
    let trace = bastion
        .run(format!(
            "grep -F {FORCE_COMMAND} /root/trace | grep -v ENOENT"
        ))
        .text();
    let jms = bastion.run("id -u jms").line_of_output();
    let mut owners: HashMap<String, String> = HashMap::new();
    let mut set_uid = Vec::new();
    for line in trace.lines() {
        let call = line.split_whitespace().nth(1).unwrap_or_default();
        let Some((call, _)) = call.split_once('(') else {
            continue;
        };
        // The path stands in quotes, or, of a descriptor, in angle brackets.
        let names: Vec<&str> = line
            .split(['"', '<', '>'])
            .filter(|word| word.starts_with(FORCE_COMMAND))
            .collect();
        let Some(name) = names.first().map(|name| (*name).to_owned()) else {
            continue;
        };
        match call {
            "chown" | "fchown" | "lchown" | "fchownat" => {
                let owner = numbers(line).into_iter().next().unwrap_or_default();
                owners.insert(name, owner);
            }
            "rename" | "renameat" | "renameat2" | "link" | "linkat" => {
                if let (Some(owner), Some(new)) = (owners.get(&name).cloned(), names.get(1)) {
                    owners.insert((*new).to_owned(), owner);
                }
            }
            "chmod" | "fchmod" | "fchmodat" => {
                let mode = numbers(line).into_iter().next().unwrap_or_default();
                let mode = u32::from_str_radix(&mode, 8).expect("a mode");
                if mode & 0o6000 != 0 {
                    assert_eq!(
                        owners.get(&name),
                        Some(&jms),
                        "set-uid for somebody else: {line}\n{trace}"
                    );
                    assert_eq!(mode, 0o4755, "{line}");
                    set_uid.push(name);
                }
            }
            _ => {}
        }
    }
    bastion
        .run(format!("stat -c '%U:%G %a' {FORCE_COMMAND}"))
        .expect_stdout("jms:root 4755\n");
    set_uid
}

/// The arguments of a traced call that are numbers, without descriptors.
fn numbers(line: &str) -> Vec<String> {
    let arguments = line.split_once('(').map_or("", |(_, rest)| rest);
    arguments
        .split([',', ')'])
        .map(str::trim)
        .filter(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_session_program_is_never_set_uid_for_anybody_but_its_user() {
    // Freshly installed, it becomes set-uid at the end, in its place.
    let lab = Lab::builder()
        .assets([])
        .without_package()
        .start()
        .expect("a lab");
    assert_eq!(window(&lab), [FORCE_COMMAND]);
    // In an upgrade the new one is set-uid before it takes the old one's place, which loses its rights only then.
    let lab = Lab::builder()
        .assets([])
        .package(&package::first_version())
        .start()
        .expect("a lab");
    assert_eq!(window(&lab), [format!("{FORCE_COMMAND}.dpkg-new")]);
    // And installed again.
    assert_eq!(window(&lab), [format!("{FORCE_COMMAND}.dpkg-new")]);
}

#[test]
fn an_override_that_was_interrupted_is_finished_and_an_administrators_own_one_stays() {
    let lab = Lab::builder().assets([]).start().expect("a lab");
    let bastion = lab.bastion();
    bastion
        .run(format!(
            "chown root {FORCE_COMMAND}; chmod 0755 {FORCE_COMMAND}"
        ))
        .expect_success();
    script(bastion, "postinst configure 0.1.0").expect_success();
    bastion
        .run(format!("stat -c '%U:%G %a' {FORCE_COMMAND}"))
        .expect_stdout("jms:root 4755\n");
    bastion
        .run(format!(
            "dpkg-statoverride --remove {FORCE_COMMAND} && dpkg-statoverride --update --add root root 0755 {FORCE_COMMAND}"
        ))
        .expect_success();
    script(bastion, "postinst configure 0.1.0").expect_success();
    bastion
        .run(format!("stat -c '%U:%G %a' {FORCE_COMMAND}"))
        .expect_stdout("root:root 755\n");
}

#[test]
fn the_package_says_of_itself_what_it_is() {
    let lab = Lab::installed();
    everyday::fill(&lab).expect("filled");
    let bastion = lab.bastion();
    let version = bastion
        .run("dpkg-query --show --showformat '${Version}' jms")
        .line_of_output();
    bastion
        .run("jmsctl --version")
        .expect_stdout_contains(&version);
    bastion
        .run("zcat /usr/share/doc/jms/changelog.gz | head -n 1")
        .expect_stdout_contains(&format!("jms ({version}) "));
}
