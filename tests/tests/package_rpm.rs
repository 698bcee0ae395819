//! The .rpm, on a Debian host that is made like one of Red Hat's (`tests::rpm_host`). What that cannot show, authselect and SELinux
//! at work, the README says.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tests::boot::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD};
use tests::rpm_host::{RPM, install, rpm};
use tests::{Host, Invocation, Lab, Outcome, everyday, package, rpm_host};

const FORCE_COMMAND: &str = "/usr/libexec/jms/force-command";
/// Accounts stay when a package goes; the loader's cache holds no settings.
const MAY_DIFFER: &str = "--exclude=passwd --exclude=passwd- --exclude=group --exclude=group- --exclude=shadow \
     --exclude=shadow- --exclude=gshadow --exclude=gshadow- --exclude=subuid --exclude=subuid- --exclude=subgid \
     --exclude=subgid- --exclude=.pwd.lock --exclude=ld.so.cache";

fn plain(assets: bool) -> Lab {
    rpm_host::plain(assets).expect("a host")
}

/// What differs between `/etc` and the copy of it.
fn etc_differences(host: &Host) -> String {
    host.run(format!(
        "cd /; diff -r --no-dereference {MAY_DIFFER} /root/etc-before /etc"
    ))
    .text()
}

/// Everything that the package changes, line by line.
fn state(host: &Host) -> String {
    let verified = host.run(format!("{RPM} --verify --nomtime jms")).text();
    let found = host.run(
        r"cd / && export LC_ALL=C
        find etc usr/libexec/jms usr/share/jms usr/lib64 var/lib/jms run/jms \
            \( -regex 'etc/\(passwd\|group\|shadow\|gshadow\|subuid\|subgid\|ld.so.cache\|mtab\)[-+.a-z]*' \
            -o -regex 'var/lib/jms/jms.db.*' -o -path 'etc/.pwd.lock' \) -prune -o -printf '%p %y %M %u %g\n' | sort
        find etc/pam.d etc/ssh/sshd_config.d etc/nsswitch.conf etc/jms usr/libexec/jms -type f ! -name secret.key |
            sort | xargs sha256sum
        getent passwd jms jms-keys | cut -d: -f1,6-
        getent group jms jms-keys jms-users jms-mfa | cut -d: -f1,4",
    );
    verified + &found.text()
}

/// By key, with sudo, and by su.
#[track_caller]
fn administrator_gets_in(lab: &Lab) {
    lab.client_of(ADMINISTRATOR)
        .command(
            "ssh",
            [
                "admin@bastion",
                "sudo --stdin --prompt= su - admin -c 'id -un'",
            ],
        )
        .input(format!("{ADMINISTRATOR_PASSWORD}\n"))
        .run()
        .expect_status(0)
        .expect_stdout_contains("admin\n");
}

#[track_caller]
fn alice_gets_to_web1(lab: &Lab) {
    lab.client()
        .ssh(["alice@dev@web1@bastion", "id -un"])
        .expect_status(0)
        .expect_stdout("dev\n");
}

/// Runs bash on this machine; `$RPM` and `$DEB` are the two packages.
fn here(script: &str) -> Outcome {
    Invocation::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .variable("RPM", package::rpm_file().expect("the .rpm"))
        .variable("DEB", package::file().expect("the .deb"))
        .run()
        .expect_success()
}

#[test]
fn it_brings_what_the_deb_brings_each_file_at_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display();
    here(&format!(
        "rpm --install --root {path}/rpm --nodeps --noscripts --excludeartifacts \"$RPM\" 2>&1
         rm -rf {path}/rpm/var/lib/rpm {path}/rpm/root
         dpkg-deb --extract \"$DEB\" {path}/deb"
    ));
    let sums = |of: &str| -> BTreeMap<String, String> {
        let text = here(&format!(
            "cd {path}/{of} && find . -type f -printf '%P\\n' | xargs sha256sum"
        ))
        .text();
        let lines = text.lines().filter_map(|line| line.split_once("  "));
        lines
            .map(|(sum, file)| (file.to_owned(), sum.to_owned()))
            .collect()
    };
    let in_place = |file: String| {
        let file = match file.find("-linux-gnu/") {
            Some(end) => format!("usr/lib64/{}", &file[end + "-linux-gnu/".len()..]),
            None => file,
        };
        file.replace("/vendor-completions/", "/site-functions/")
    };
    let of_the_deb: BTreeMap<String, String> = sums("deb")
        .into_iter()
        .map(|(file, sum)| (in_place(file), sum))
        .collect();
    let mut of_the_rpm = sums("rpm");
    // What is only here has to be named here.
    for file in [
        "usr/lib/sysusers.d/jms.conf",
        "usr/share/jms/pam-sshd",
        "usr/share/selinux/packages/jms.pp.bz2",
    ] {
        assert!(of_the_rpm.remove(file).is_some(), "{file} is missing");
    }
    let mut expected = of_the_deb;
    for file in [
        "usr/share/lintian/overrides/jms",
        "usr/share/pam-configs/jms",
    ] {
        assert!(expected.remove(file).is_some(), "{file} is missing");
    }
    assert_eq!(of_the_rpm, expected);
    assert!(of_the_rpm.contains_key("usr/lib64/libnss_jms.so.2"));
    assert!(of_the_rpm.contains_key("usr/lib64/security/pam_jms.so"));
}

#[test]
fn owners_modes_scripts_and_needs_are_as_they_should_be() {
    let listed = here("rpm --query --package --dump \"$RPM\"").text();
    for line in listed.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (path, mode, owner) = (words[0], words[4], (words[5], words[6]));
        let expected = match path {
            FORCE_COMMAND => ("0104755", ("jms", "root")),
            _ if path.starts_with("/usr/libexec/") || path.starts_with("/usr/bin/") => {
                ("0100755", ("root", "root"))
            }
            _ => ("0100644", ("root", "root")),
        };
        assert_eq!((mode, owner), expected, "{path}");
        let is_configuration = words[7] == "1";
        assert_eq!(is_configuration, path.starts_with("/etc/"), "{path}");
    }
    here("rpm --query --package --list \"$RPM\"").expect_stdout_contains(FORCE_COMMAND);
    let scripts = here("rpm --query --package --scripts \"$RPM\"").text();
    for name in ["preinstall", "postinstall", "preuninstall", "postuninstall"] {
        assert!(
            scripts.contains(&format!("{name} scriptlet (using /bin/sh):")),
            "{name}: {scripts}"
        );
    }
    assert!(!scripts.contains("#use"), "{scripts}");
    for debian in ["dpkg", "adduser", "pam-auth-update", "apt-get", "deb-"] {
        assert!(!scripts.contains(debian), "{debian} in {scripts}");
    }
    let needs = here("rpm --query --package --requires \"$RPM\"").text();
    let needs: Vec<&str> = needs.lines().collect();
    for need in [
        "openssh-server >= 8.7",
        "openssh-clients >= 8.7",
        "pam",
        "glibc >= 2.34",
        "libpam.so.0(LIBPAM_1.0)(64bit)",
        "libc.so.6(GLIBC_2.34)(64bit)",
    ] {
        assert!(needs.contains(&need), "{need}: {needs:?}");
    }
    // Red Hat 9 has glibc 2.34, and libraries that ours do not name are none of ours.
    let newer = needs.iter().filter_map(|need| {
        let version = need.split_once("(GLIBC_2.")?.1;
        version.split(')').next()?.parse::<u32>().ok()
    });
    assert!(newer.max() <= Some(34), "{needs:?}");
    let libraries = needs.iter().filter_map(|need| need.split_once(".so."));
    for (name, _) in libraries {
        let known = ["libc", "libm", "libgcc_s", "libpam", "ld-linux-x86-64"];
        assert!(known.contains(&name), "{name}: {needs:?}");
    }
    here("rpm --query --package --provides \"$RPM\"").expect_stdout_contains("user(jms)");
}

#[test]
fn users_of_the_bastion_get_in_and_local_people_as_before() {
    let lab = plain(true);
    let bastion = lab.bastion();
    bastion.write("/etc/motd", "planted message of the day\n");
    install(bastion)
        .expect_success()
        .expect_stderr_contains("Next: jmsctl init");
    administrator_gets_in(&lab);
    everyday::fill(&lab).expect("the everyday case");
    alice_gets_to_web1(&lab);
    administrator_gets_in(&lab);
    bastion
        .run("stat -c '%n %U:%G %a' /usr/libexec/jms/* /etc/jms/* /var/lib/jms /var/lib/jms/public /var/lib/jms/recordings /run/jms/* /run/jms-keys /usr/share/jms/home")
        .expect_status(0)
        .expect_stdout(
            "/usr/libexec/jms/askpass root:root 755\n\
             /usr/libexec/jms/authorized-keys-command root:root 755\n\
             /usr/libexec/jms/force-command jms:root 4755\n\
             /usr/libexec/jms/jms-pam-helper root:root 755\n\
             /etc/jms/jms.toml root:root 644\n\
             /etc/jms/secret.key jms:jms 400\n\
             /etc/jms/uid-high-water jms:jms 644\n\
             /etc/jms/uid-range root:root 644\n\
             /var/lib/jms jms:jms 711\n\
             /var/lib/jms/public jms:jms-keys 2755\n\
             /var/lib/jms/recordings jms:jms 700\n\
             /run/jms/egress jms:jms 711\n\
             /run/jms/sessions jms:jms 700\n\
             /run/jms/warm jms:jms 700\n\
             /run/jms-keys jms-keys:jms-keys 755\n\
             /usr/share/jms/home root:root 555\n",
        );
    // The modules are those of /usr/lib64.
    bastion
        .run("LD_DEBUG=files getent passwd alice 2>&1 | grep -o 'calling init: .*libnss_jms.*'; getent passwd alice")
        .expect_stdout_contains("calling init: /usr/lib64/libnss_jms.so.2")
        .expect_stdout_contains(":/usr/share/jms/home:/usr/libexec/jms/force-command\n");
    bastion
        .run("find / -xdev -name 'libnss_jms*' -o -xdev -name pam_jms.so -type f | sort")
        .expect_stdout("/usr/lib64/libnss_jms.so.2\n/usr/lib64/security/pam_jms.so\n");
    // Nobody comes by another door, without a line of ours there: the session program refuses.
    for line in [
        "su - alice -c true",
        "runuser -l alice -c true",
        "su alice -s /bin/sh -c /usr/libexec/jms/force-command",
    ] {
        bastion.run(line).expect_failure();
    }
    // What the host says about sshd is said to everybody, but for what is ours.
    let effective = |user: &str, option: &str| {
        bastion
            .run(format!(
                "sshd -T -C user={user},host=client,addr=192.0.2.100 | grep -i '^{option} '"
            ))
            .line_of_output()
    };
    assert_eq!(effective("alice", "ciphers"), effective("root", "ciphers"));
    assert_eq!(
        effective("alice", "gssapiauthentication"),
        "gssapiauthentication no"
    );
    assert_eq!(
        effective("admin", "gssapiauthentication"),
        "gssapiauthentication yes"
    );
    assert_eq!(effective("alice", "x11forwarding"), "x11forwarding no");
    // Messages are for local people: our line stands before theirs.
    let mut alices = lab
        .client()
        .ssh_on_terminal(["-tt", "alice@dev@web1@bastion"]);
    let before_the_prompt = alices.expect("dev@web1");
    alices.send_line("exit 0");
    let shown = alices.wait().expect_status(0).text();
    assert!(
        !before_the_prompt.contains("planted") && !shown.contains("planted"),
        "{shown}"
    );
    let mut admins = lab
        .client_of(ADMINISTRATOR)
        .ssh_on_terminal(["-tt", "admin@bastion"]);
    admins.expect("planted message of the day");
    admins.send_line("exit 0");
    let _ = admins.wait();
    bastion.run("jmsctl session ls --json").expect_success();
}

#[test]
fn our_lines_stand_where_they_belong_and_only_in_the_service_of_sshd() {
    let lab = plain(false);
    let bastion = lab.bastion();
    install(bastion).expect_success();
    let stack = bastion.read_text("/etc/pam.d/sshd");
    let modules: Vec<String> = stack
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let kind = line.split_whitespace().next().unwrap_or_default();
            let module = line.rsplit(']').next().unwrap_or_default();
            let last = module.split_whitespace().find(|word| {
                word.ends_with(".so") || ["password-auth", "postlogin"].contains(word)
            });
            format!("{kind} {}", last.unwrap_or_default())
        })
        .collect();
    assert_eq!(
        modules,
        [
            "auth pam_jms.so",
            "auth password-auth",
            "auth postlogin",
            "account pam_sepermit.so",
            "account pam_nologin.so",
            "account pam_jms.so",
            "account password-auth",
            "password pam_jms.so",
            "password password-auth",
            "session pam_selinux.so",
            "session pam_loginuid.so",
            "session pam_selinux.so",
            "session pam_namespace.so",
            "session pam_keyinit.so",
            "session pam_jms.so",
            "session pam_motd.so",
            "session password-auth",
            "session postlogin",
        ],
        "{stack}"
    );
    for line in stack.lines().filter(|line| line.contains("pam_jms.so")) {
        assert!(line.contains("module_unknown=ignore"), "{line}");
    }
    bastion
        .run("grep -l pam_jms -r /etc/pam.d")
        .expect_stdout("/etc/pam.d/sshd\n");
    bastion
        .run("grep ^passwd: /etc/nsswitch.conf")
        .expect_stdout("passwd:     files systemd jms\n");
    // The module gone, the administrator still gets in.
    bastion
        .run("rm /usr/lib64/security/pam_jms.so /usr/lib64/libnss_jms.so.2")
        .expect_success();
    administrator_gets_in(&lab);
}

#[test]
fn installing_again_changes_nothing_and_erasing_takes_everything_back() {
    let lab = plain(false);
    let bastion = lab.bastion();
    install(bastion).expect_success();
    let installed = state(bastion);
    let listening = || {
        bastion
            .auth_log()
            .matches("Server listening on 0.0.0.0")
            .count()
    };
    let before = listening();
    install(bastion).expect_success();
    package::expect_state(&state(bastion), &installed, "installed again");
    // The old version's scripts ran last, and took nothing away; sshd was left alone.
    administrator_gets_in(&lab);
    assert_eq!(listening(), before);
    rpm(bastion, "--erase jms").expect_success();
    assert_eq!(etc_differences(bastion), "");
    bastion
        .run("ls -d /usr/libexec/jms /usr/share/jms /var/lib/jms /run/jms* /etc/jms 2>/dev/null")
        .expect_stdout("");
    bastion.run("getent passwd jms").expect_success();
    administrator_gets_in(&lab);
}

#[test]
fn erasing_keeps_evidence_and_installing_brings_people_back() {
    let lab = plain(true);
    let bastion = lab.bastion();
    install(bastion).expect_success();
    everyday::fill(&lab).expect("the everyday case");
    alice_gets_to_web1(&lab);
    let kept = "cd / && find etc/jms var/lib/jms -type f ! -name 'jms.db-*' ! -name jms.toml | sort | xargs sha256sum";
    let evidence = bastion.run(kept).expect_success().text();
    assert!(evidence.contains(".cast.zst"), "{evidence}");
    rpm(bastion, "--erase jms")
        .expect_success()
        .expect_stderr_contains("kept, because it is evidence");
    bastion.run(kept).expect_stdout(&evidence);
    bastion
        .run("cd / && diff -r /root/etc-before/pam.d /etc/pam.d && diff /root/etc-before/nsswitch.conf /etc/nsswitch.conf && diff -r /root/etc-before/ssh/sshd_config.d /etc/ssh/sshd_config.d")
        .expect_success()
        .expect_stdout("");
    bastion.run("getent passwd alice").expect_status(2);
    lab.client()
        .ssh(["alice@dev@web1@bastion", "true"])
        .expect_failure();
    administrator_gets_in(&lab);
    install(bastion).expect_success();
    alice_gets_to_web1(&lab);
}

#[test]
fn an_installation_stops_before_it_changes_anything_if_its_uids_are_taken() {
    let lab = plain(false);
    let bastion = lab.bastion();
    bastion
        .run("useradd --uid 70007 elsewhere")
        .expect_success();
    install(bastion)
        .expect_failure()
        .expect_stderr_contains("user elsewhere in /etc/passwd has uid 70007");
    assert_eq!(etc_differences(bastion), "");
    bastion
        // An rpm from 4.19 on (Debian 13's) makes the declared accounts by itself, before any scriptlet.
        .run("ls /usr/libexec/jms")
        .expect_failure()
        .expect_stdout("");
    administrator_gets_in(&lab);
    bastion
        .run("mkdir -p /etc/jms && echo 'range 700000000-700029999' > /etc/jms/uid-range")
        .expect_success();
    install(bastion).expect_success();
    bastion
        .run("grep ^range /etc/jms/uid-range")
        .expect_stdout("range 700000000-700029999\n");
}

#[test]
fn a_drop_in_that_sshd_refuses_is_put_aside() {
    let lab = plain(false);
    let bastion = lab.bastion();
    install(bastion).expect_success();
    bastion
        .run("echo 'NoSuchWord yes' >> /etc/ssh/sshd_config.d/00-jms.conf")
        .expect_success();
    install(bastion)
        .expect_success()
        .expect_stderr_contains("sshd does not accept /etc/ssh/sshd_config.d/00-jms.conf");
    bastion.run("sshd -t").expect_success();
    administrator_gets_in(&lab);
}

/// Owner and mode of the session program, under each name that it has while it is installed.
#[test]
fn the_session_program_is_never_set_uid_for_anybody_but_its_user() {
    let lab = plain(false);
    let bastion = lab.bastion();
    for run in ["installed", "installed again"] {
        let calls = "fchown,chown,fchownat,lchown,fchmod,chmod,fchmodat,rename,renameat,renameat2";
        bastion
            .command([
                "bash",
                "-c",
                &format!("strace --follow-forks --seccomp-bpf --quiet=all --decode-fds=path --output=/root/trace --trace={calls} {RPM} --upgrade --force /root/jms.rpm"),
            ])
            .within(Duration::from_secs(180))
            .run()
            .expect_success();
        let jms = bastion.run("id -u jms").line_of_output();
        let trace = bastion
            .run("grep -F force-command /root/trace | grep -v ENOENT")
            .text();
        let mut owners: HashMap<&str, bool> = HashMap::new();
        let mut set_uid = 0;
        for line in trace.lines() {
            let name = line
                .split(['"', '<', '>', '/'])
                .find(|word| word.starts_with("force-command"))
                .unwrap_or_default();
            let call = line.split_whitespace().nth(1).unwrap_or_default();
            if call.contains("chown") {
                let owner = format!(", {jms}, 0");
                owners.insert(name, line.contains(&owner));
            } else if call.contains("chmod") && line.contains("04755") {
                set_uid += 1;
                assert_eq!(owners.get(name), Some(&true), "{run}: {line}\n{trace}");
                assert!(
                    name.contains(';'),
                    "{run}: not under its own name yet: {line}"
                );
            }
        }
        assert_eq!(set_uid, 1, "{run}: {trace}");
        bastion
            .run(format!("stat -c '%U:%G %a' {FORCE_COMMAND}"))
            .expect_stdout("jms:root 4755\n");
    }
}

#[test]
fn an_installation_that_is_killed_is_mended_by_a_second_run() {
    let lab = plain(false);
    let bastion = lab.bastion();
    install(bastion).expect_success();
    let expected = state(bastion);
    drop(lab);
    // The scripts put each file in place by renaming it; so does rpm. Whoever makes the call dies, and all with it.
    for (calls, when) in [
        ("rename,renameat,renameat2", 3),
        ("rename,renameat,renameat2", 40),
        ("fchownat,chown,lchown,fchown", 6),
        ("execve", 9),
        ("execve", 25),
        ("execve", 40),
    ] {
        let at = format!("killed at {calls} number {when}");
        let lab = plain(false);
        let bastion = lab.bastion();
        let script = format!(
            "setsid --wait strace --follow-forks --seccomp-bpf --quiet=all --output=/dev/null --trace={calls} \
             --inject={calls}:signal=KILL:when={when} env UNDER_THE_KNIFE=yes {RPM} --install /root/jms.rpm > /root/killed.log 2>&1
             for process in /proc/[0-9]*; do
                 grep -zqs '^UNDER_THE_KNIFE=' $process/environ && kill -9 ${{process#/proc/}}
             done 2> /dev/null; true"
        );
        bastion
            .command(["bash", "-c", &script])
            .within(Duration::from_secs(180))
            .run()
            .expect_success();
        administrator_gets_in(&lab);
        let mended = install(bastion);
        assert!(mended.succeeded(), "{at}: {mended}");
        package::expect_state(&state(bastion), &expected, &at);
        administrator_gets_in(&lab);
    }
}
