//! The Debian package: what installing, removing and purging do to a machine, and what they leave alone.

use std::time::Duration;

use tests::boot::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD};
use tests::{Host, Lab, Outcome, eventually, package};

/// Where the administrator gets in.
const ADMIN: &str = "admin@bastion";
const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-jms.conf";
/// Accounts stay when a package goes (Debian policy 9.2); the loader's cache holds no settings.
const MAY_DIFFER: &str = "--exclude=passwd --exclude=passwd- --exclude=group --exclude=group- --exclude=shadow \
     --exclude=shadow- --exclude=gshadow --exclude=gshadow- --exclude=ld.so.cache";

/// A bastion without our package, which lies in its root's home, and a copy of its `/etc`.
fn plain() -> Lab {
    let lab = Lab::builder()
        .without_package()
        .assets([])
        .start()
        .expect("a lab");
    let package = package::file().expect("the package");
    lab.bastion()
        .write("/root/jms.deb", package::uncompressed(&package));
    lab.bastion()
        .run("cp -a /etc /root/etc-before")
        .expect_success();
    lab
}

/// A bastion with the package freshly installed.
fn installed() -> Lab {
    let lab = plain();
    install(lab.bastion()).expect_success();
    lab
}

fn install(host: &Host) -> Outcome {
    dpkg(host, "--install /root/jms.deb")
}

fn dpkg(host: &Host, what: &str) -> Outcome {
    let words = ["env", "DEBIAN_FRONTEND=noninteractive", "dpkg"];
    host.command(words.into_iter().chain(what.split_whitespace()))
        .within(Duration::from_secs(120))
        .run()
}

/// Runs a maintainer script of the installed package, as dpkg would.
fn script(host: &Host, line: &str) -> Outcome {
    host.run(format!(
        "DEBIAN_FRONTEND=noninteractive DPKG_MAINTSCRIPT_PACKAGE=jms /var/lib/dpkg/info/jms.{line}"
    ))
}

/// What differs between `/etc` and the copy of it: names and bytes, and owners and modes of what is in both.
fn etc_differences(host: &Host) -> String {
    host.run(format!(
        "cd /; diff -r --no-dereference {MAY_DIFFER} /root/etc-before /etc
         rights() {{ cd $1 && find . -printf '%P/ %y %m %U:%G\\n'; }}
         awk 'NR == FNR {{ before[$1] = $0; next }} $1 in before && before[$1] != $0 {{ print \"rights: \" $0 }}' \
             <(rights /root/etc-before) <(rights /etc)"
    ))
    .text()
}

/// Key, password, sudo, su and cron: everything by which a local administrator works.
#[track_caller]
fn administrator_gets_in(lab: &Lab) {
    let bastion = lab.bastion();
    let client = lab.client_of(ADMINISTRATOR);
    client
        .ssh([ADMIN, "id -un"])
        .expect_status(0)
        .expect_stdout("admin\n");
    client
        .command("ssh", [ADMIN, "sudo --stdin --prompt= id -un"])
        .input(format!("{ADMINISTRATOR_PASSWORD}\n"))
        .run()
        .expect_status(0)
        .expect_stdout_contains("root\n");
    bastion
        .run("su - admin -c 'id -un'")
        .expect_status(0)
        .expect_stdout("admin\n");
    bastion
        .run("pamtester cron admin acct_mgmt open_session close_session && pamtester cron root acct_mgmt open_session close_session")
        .expect_status(0);
    bastion
        .run("getent passwd root; getent passwd nobody-of-this-name")
        .expect_status(2)
        .expect_stdout_contains("root:");
}

#[track_caller]
fn administrator_gets_in_by_password(lab: &Lab) {
    let mut shell = lab
        .client_of("nobody-known")
        .ssh_on_terminal(["-t", ADMIN, "id -un"]);
    shell.expect("password:");
    shell.send_line(ADMINISTRATOR_PASSWORD);
    shell.expect("admin\r\n");
    shell.wait().expect_status(0);
}

#[test]
fn an_installation_changes_what_it_says_and_nothing_else() {
    let lab = plain();
    let bastion = lab.bastion();
    bastion
        .command([
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "install",
            "--yes",
            "/root/jms.deb",
        ])
        .within(Duration::from_secs(120))
        .run()
        .expect_success();
    let differences = etc_differences(bastion);
    let mut files: Vec<&str> = differences
        .lines()
        .filter_map(|line| {
            line.strip_prefix("diff -r ")
                .or(line.strip_prefix("Only in "))
        })
        .filter_map(|line| line.split_whitespace().last().map(|word| (line, word)))
        .map(|(line, word)| if line.contains(": ") { line } else { word })
        .collect();
    files.sort_unstable();
    assert_eq!(
        files,
        [
            "/etc/nsswitch.conf",
            "/etc/pam.d/common-account",
            "/etc/pam.d/common-auth",
            "/etc/pam.d/common-password",
            "/etc/pam.d/common-session",
            "/etc/pam.d/common-session-noninteractive",
            "/etc/ssh/sshd_config.d: 00-jms.conf",
            "/etc: jms",
        ],
        "{differences}"
    );
    assert!(
        differences.contains("> passwd:         files jms\n"),
        "{differences}"
    );
    bastion
        .run("dpkg --verify jms openssh-server libpam-runtime libpam-modules passwd")
        .expect_status(0)
        .expect_stdout("");
    administrator_gets_in(&lab);
    administrator_gets_in_by_password(&lab);
}

#[test]
fn owners_and_modes_are_those_of_the_house() {
    let lab = installed();
    let bastion = lab.bastion();
    let shown = bastion.run(
        "stat -c '%n %U:%G %a' /etc/jms /etc/jms/* /var/lib/jms /var/lib/jms/* /run/jms /run/jms/* /run/jms-keys \
         /usr/libexec/jms /usr/libexec/jms/* /usr/bin/jmsctl /usr/share/jms/home /usr/share/jms/home/.*hushlogin",
    );
    shown.expect_status(0).expect_stdout(
        "/etc/jms root:root 755\n\
         /etc/jms/jms.toml root:root 644\n\
         /etc/jms/secret.key jms:jms 400\n\
         /etc/jms/uid-high-water jms:jms 644\n\
         /etc/jms/uid-range root:root 644\n\
         /var/lib/jms jms:jms 711\n\
         /var/lib/jms/public jms:jms-keys 2755\n\
         /var/lib/jms/recordings jms:jms 700\n\
         /run/jms jms:jms 711\n\
         /run/jms/egress jms:jms 711\n\
         /run/jms/sessions jms:jms 700\n\
         /run/jms/warm jms:jms 700\n\
         /run/jms-keys jms-keys:jms-keys 755\n\
         /usr/libexec/jms root:root 755\n\
         /usr/libexec/jms/askpass root:root 755\n\
         /usr/libexec/jms/authorized-keys-command root:root 755\n\
         /usr/libexec/jms/force-command jms:root 4755\n\
         /usr/libexec/jms/jms-pam-helper root:root 755\n\
         /usr/bin/jmsctl root:root 755\n\
         /usr/share/jms/home root:root 555\n\
         /usr/share/jms/home/.hushlogin root:root 644\n",
    );
    bastion
        .run("stat -c %s /etc/jms/secret.key /etc/jms/uid-high-water")
        .expect_stdout("32\n0\n");
    bastion
        .run("getent passwd jms jms-keys | cut -d: -f1,2,6,7; getent shadow jms jms-keys | cut -d: -f2")
        .expect_stdout(
            "jms:x:/nonexistent:/usr/sbin/nologin\njms-keys:x:/nonexistent:/usr/sbin/nologin\n!\n!\n",
        );
    bastion
        .run("grep -v '^#' /etc/jms/uid-range; getent group jms-users jms-mfa | awk -F: '{print $1, $3}'")
        .expect_success();
    bastion
        .run("diff <(grep '^jms-' /etc/jms/uid-range) <(getent group jms-users jms-mfa | awk -F: '{print $1, $3}') && grep -x 'range 70000-99999' /etc/jms/uid-range")
        .expect_status(0);
    // Set-uid, but to nobody who could become root; the libraries do not depend on each other.
    bastion
        .run("dpkg -L jms | xargs -d '\\n' -I{} find {} -maxdepth 0 -perm /6000 -printf '%p %u %m\\n'")
        .expect_stdout("/usr/libexec/jms/force-command jms 4755\n");
}

#[test]
fn the_tmpfiles_entry_makes_the_same_folders_at_boot() {
    let lab = installed();
    let made = lab
        .bastion()
        .run("stat -c '%n %U:%G %a' /run/jms /run/jms/* /run/jms-keys");
    let declared: String = lab
        .bastion()
        .read_text("/usr/lib/tmpfiles.d/jms.conf")
        .lines()
        .filter(|line| line.starts_with("d "))
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            format!(
                "{} {}:{} {}\n",
                words[1],
                words[3],
                words[4],
                words[2].trim_start_matches('0')
            )
        })
        .collect();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(sorted(&made.text()), sorted(&declared));
}

#[test]
fn sshd_reads_the_drop_in_at_once_and_only_for_our_groups() {
    let lab = plain();
    let bastion = lab.bastion();
    let effective = |user: &str| {
        bastion
            .run(format!(
                "sshd -T -C user={user},host=client,addr=192.0.2.100"
            ))
            .expect_status(0)
            .text()
    };
    // What a local administrator may have in sshd_config, and what must not reach our users.
    bastion.write(
        "/etc/ssh/sshd_config.d/60-site.conf",
        "TrustedUserCAKeys /etc/ssh/ca.pub\nAuthorizedPrincipalsFile /etc/ssh/principals\nAllowUsers admin\n\
         AllowTcpForwarding yes\nX11Forwarding yes\nPermitTunnel yes\nGatewayPorts yes\nAcceptEnv LD_*\n\
         Match User *\n    ForceCommand /bin/bash\n    AllowAgentForwarding yes\n",
    );
    let before = effective("admin");
    install(bastion).expect_success();
    assert_eq!(effective("admin"), before, "the administrator's settings");
    eventually("sshd reloads", Duration::from_secs(5), || {
        bastion
            .auth_log()
            .contains("Received SIGHUP; restarting.")
            .then_some(())
    });
    bastion
        .run("useradd -M -N -g jms-users plainone && useradd -M -N -g jms-mfa secondfactor")
        .expect_success();
    for (user, methods) in [
        ("plainone", "publickey"),
        ("secondfactor", "publickey,keyboard-interactive:pam"),
    ] {
        let settings = effective(user);
        for line in [
            "allowagentforwarding no",
            "allowstreamlocalforwarding no",
            "allowtcpforwarding no",
            "authorizedkeyscommand /usr/libexec/jms/authorized-keys-command %u %f %t %k",
            "authorizedkeyscommanduser jms-keys",
            "authorizedkeysfile none",
            "authorizedprincipalsfile none",
            "chrootdirectory none",
            "clientaliveinterval 15",
            "disableforwarding yes",
            "exposeauthinfo no",
            "forcecommand /usr/libexec/jms/force-command",
            "gatewayports no",
            "hostbasedauthentication no",
            "passwordauthentication no",
            "permitlisten none",
            "permitopen none",
            "permittty yes",
            "permittunnel no",
            "permituserrc no",
            "pubkeyauthentication yes",
            "trustedusercakeys none",
            "x11forwarding no",
            &format!("authenticationmethods {methods}"),
        ] {
            assert!(
                settings.lines().any(|shown| shown == line),
                "{user}: no {line:?} in\n{settings}"
            );
        }
        assert!(!settings.contains("LD_"), "{user}: {settings}");
    }
    // Every option that can stand in a block and forwards something is said.
    let drop_in = bastion.read_text(DROP_IN).to_lowercase();
    for word in settings_that_forward(&before) {
        assert!(
            drop_in.contains(&format!("\t{word} ")),
            "{word} is not set in {DROP_IN}"
        );
    }
    assert!(
        !drop_in
            .lines()
            .any(|line| line.trim_start().starts_with("subsystem"))
    );
}

/// The names of sshd's settings that have to do with forwarding, as this sshd knows them.
fn settings_that_forward(effective: &str) -> Vec<String> {
    let mut names: Vec<String> = effective
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| {
            [
                "forward",
                "tunnel",
                "gateway",
                "permitopen",
                "permitlisten",
                "streamlocalbindunlink",
            ]
            .iter()
            .any(|part| name.contains(part))
        })
        .map(str::to_owned)
        .collect();
    names.dedup();
    assert!(names.len() >= 8, "{names:?}");
    names
}

#[test]
fn installing_again_changes_nothing() {
    let lab = installed();
    let bastion = lab.bastion();
    bastion
        .run("rm -rf /root/etc-before; cp -a /etc /root/etc-before; sha256sum /etc/jms/secret.key > /root/key")
        .expect_success();
    install(bastion).expect_success();
    assert_eq!(etc_differences(bastion), "");
    bastion.run("sha256sum --check /root/key").expect_status(0);
    bastion
        .run("dpkg-statoverride --list | grep -c jms; stat -c '%U %a' /usr/libexec/jms/force-command")
        .expect_stdout("1\njms 4755\n");
}

#[test]
fn removal_leaves_the_machine_as_it_was() {
    let lab = installed();
    let bastion = lab.bastion();
    dpkg(bastion, "--remove jms").expect_success();
    assert_eq!(etc_differences(bastion), "Only in /etc: jms\n");
    // An override that names a user is a trap for dpkg when the user goes.
    bastion
        .run("dpkg-statoverride --list | grep jms; ls -d /run/jms* /usr/share/jms /usr/libexec/jms; sshd -t")
        .expect_stdout("")
        .expect_status(0);
    administrator_gets_in(&lab);
    // And back: the drop-in is not taken for one that the administrator deleted.
    install(bastion).expect_success();
    assert!(bastion.has(DROP_IN) && !bastion.has("/etc/jms/00-jms.conf.removed"));
    assert!(
        bastion
            .read_text("/etc/nsswitch.conf")
            .contains("files jms")
    );
    dpkg(bastion, "--purge jms").expect_success();
    assert_eq!(etc_differences(bastion), "");
    assert!(!bastion.has("/var/lib/jms"), "nothing was ever stored");
}

#[test]
fn purging_keeps_evidence_and_says_where() {
    let lab = installed();
    let bastion = lab.bastion();
    bastion
        .run(
            "set -e; sha256sum /etc/jms/secret.key > /root/key; echo 0000070001 > /etc/jms/uid-high-water
             runuser -u jms -- sh -c 'echo row > /var/lib/jms/jms.db; mkdir -p /var/lib/jms/recordings/2026/11/21
             echo said > /var/lib/jms/recordings/2026/11/21/x.cast.zst'",
        )
        .expect_success();
    dpkg(bastion, "--purge jms")
        .expect_success()
        .expect_stderr_contains("/var/lib/jms          recordings and the store");
    bastion
        .run("cat /var/lib/jms/jms.db /var/lib/jms/recordings/2026/11/21/x.cast.zst /etc/jms/uid-high-water; sha256sum --status --check /root/key && ls /etc/jms")
        .expect_stdout("row\nsaid\n0000070001\nsecret.key\nuid-high-water\nuid-range\n");
    // Somebody has decided.
    install(bastion).expect_success();
    bastion
        .run("touch /etc/jms/purge-evidence")
        .expect_success();
    dpkg(bastion, "--purge jms").expect_success();
    assert!(!bastion.has("/var/lib/jms") && !bastion.has("/etc/jms/secret.key"));
    bastion
        .run("ls /etc/jms; cat /etc/jms/uid-high-water")
        .expect_stdout("uid-high-water\n0000070001\n");
}

#[test]
fn what_a_purge_kept_serves_again_after_an_installation() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    let package = package::file().expect("the package");
    bastion.write(
        "/root/jms.deb",
        std::fs::read(package).expect("the package"),
    );
    let way = "alice@dev@web1@bastion";
    lab.client()
        .ssh([way, "echo quince"])
        .expect_stdout("quince\n");
    let evidence = "cd /var/lib/jms && find recordings -type f | sort | xargs sha256sum && sha256sum /etc/jms/secret.key";
    let before = bastion.run(evidence).expect_success().text();
    assert!(before.contains(".cast.zst"), "{before}");
    dpkg(bastion, "--purge jms")
        .expect_success()
        .expect_stderr_contains("kept, because it is evidence");
    bastion.run(evidence).expect_stdout(&before);
    lab.client()
        .ssh([way, "true"])
        .expect_failure()
        .expect_stderr_contains("Permission denied");
    administrator_gets_in(&lab);

    install(bastion).expect_success();
    bastion
        .run("jmsctl session replay $(jmsctl session ls --past --json | head -n 1 | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/') --raw")
        .expect_status(0)
        .expect_stdout_contains("quince");
    lab.client()
        .ssh([way, "echo medlar"])
        .expect_stdout("medlar\n");
}

#[test]
fn a_store_without_its_key_gets_no_new_one() {
    let lab = installed();
    lab.bastion()
        .run("rm /etc/jms/secret.key; touch /var/lib/jms/jms.db")
        .expect_success();
    install(lab.bastion())
        .expect_success()
        .expect_stderr_contains("Restore the key from your backup");
    assert!(!lab.bastion().has("/etc/jms/secret.key"));
}

#[test]
fn any_nsswitch_comes_back_byte_for_byte() {
    let lab = installed();
    let bastion = lab.bastion();
    for (before, during) in [
        (
            "passwd:\tfiles systemd\ngroup: files\n",
            "passwd:\tfiles systemd jms\ngroup: files\n",
        ),
        (
            "passwd: files  # local\nhosts: files jms\n",
            "passwd: files jms  # local\nhosts: files jms\n",
        ),
        (
            "passwd:files \t \nshadow: files",
            "passwd:files jms \t \nshadow: files",
        ),
        (
            "# passwd: files\n  passwd : compat sss",
            "# passwd: files\n  passwd : compat sss jms",
        ),
        (
            "passwd: files [NOTFOUND=return] ldap\n",
            "passwd: files [NOTFOUND=return] ldap jms\n",
        ),
        (
            "passwd: files jmsx\r\n\n\n",
            "passwd: files jmsx jms\r\n\n\n",
        ),
    ] {
        script(bastion, "prerm remove").expect_success();
        bastion.write("/etc/nsswitch.conf", before);
        bastion
            .run("chmod 0640 /etc/nsswitch.conf")
            .expect_success();
        script(bastion, "postinst configure 0.1.0").expect_success();
        script(bastion, "postinst configure 0.1.0").expect_success();
        assert_eq!(bastion.read_text("/etc/nsswitch.conf"), during);
        script(bastion, "prerm remove").expect_success();
        assert_eq!(bastion.read_text("/etc/nsswitch.conf"), before);
        bastion
            .run("stat -c %a /etc/nsswitch.conf; ls /etc/nsswitch.conf*; mv /etc/jms/00-jms.conf.removed /etc/ssh/sshd_config.d/00-jms.conf")
            .expect_stdout("640\n/etc/nsswitch.conf\n")
            .expect_status(0);
    }
    // Where it is a link, the file behind it changes and the link stays.
    bastion
        .run("mkdir /etc/site; echo 'passwd: files' > /etc/site/nsswitch; ln -sf site/nsswitch /etc/nsswitch.conf")
        .expect_success();
    script(bastion, "postinst configure 0.1.0").expect_success();
    bastion
        .run("readlink /etc/nsswitch.conf; cat /etc/site/nsswitch")
        .expect_stdout("site/nsswitch\npasswd: files jms\n");
    bastion.write("/etc/site/nsswitch", "hosts: files\n");
    script(bastion, "postinst configure 0.1.0")
        .expect_success()
        .expect_stderr_contains("has no passwd line");
}

#[test]
fn a_drop_in_that_sshd_does_not_accept_is_put_aside() {
    let lab = installed();
    let bastion = lab.bastion();
    bastion.write(DROP_IN, "Match Group jms-users\n\tNonsense yes\n");
    script(bastion, "postinst configure 0.1.0")
        .expect_success()
        .expect_stderr_contains("Nonsense");
    bastion
        .run("ls /etc/ssh/sshd_config.d; sshd -t")
        .expect_stdout_contains("00-jms.conf.jms-disabled\n")
        .expect_stdout_lacks("00-jms.conf\n")
        .expect_status(0);
    administrator_gets_in(&lab);
}

#[test]
fn an_error_that_was_in_sshd_config_before_is_not_ours_and_nothing_is_reloaded() {
    let lab = plain();
    let bastion = lab.bastion();
    bastion.write("/etc/ssh/sshd_config.d/10-site.conf", "Nonsense yes\n");
    install(bastion)
        .expect_success()
        .expect_stderr_contains("an error that is not ours");
    assert!(bastion.has(DROP_IN));
    administrator_gets_in(&lab);
    assert!(!bastion.auth_log().contains("SIGHUP"));
}

#[test]
fn what_keeps_our_users_out_is_said() {
    let lab = installed();
    let bastion = lab.bastion();
    bastion
        .run("sed -i 's/^Include/#&/' /etc/ssh/sshd_config")
        .expect_success();
    script(bastion, "postinst configure 0.1.0")
        .expect_success()
        .expect_stderr_contains("does not include the folder");
    bastion
        .run("sed -i 's/^#Include/Include/; s/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config")
        .expect_success();
    script(bastion, "postinst configure 0.1.0")
        .expect_success()
        .expect_stderr_contains("without PAM");
    bastion
        .run("echo 'auth required pam_unix.so' > /etc/pam.d/common-auth")
        .expect_success();
    script(bastion, "postinst configure 0.1.0")
        .expect_success()
        .expect_stderr_contains("common-auth was changed by hand");
}

#[test]
fn uids_of_others_are_not_taken() {
    for (line, told) in [
        (
            "useradd -u 70001 taken",
            "user taken in /etc/passwd has uid 70001",
        ),
        (
            "echo 'someone:60000:20000' > /etc/subuid",
            "user someone in /etc/subuid has 60000 to 79999",
        ),
        (
            "sed -i 's/^UID_MAX.*/UID_MAX 80000/' /etc/login.defs",
            "UID_MIN to UID_MAX in /etc/login.defs is 1000 to 80000",
        ),
    ] {
        let lab = plain();
        let bastion = lab.bastion();
        bastion.run(line).expect_success();
        bastion
            .run("rm -rf /root/etc-before; cp -a /etc /root/etc-before")
            .expect_success();
        install(bastion)
            .expect_failure()
            .expect_stderr_contains(told);
        // What was unpacked lies there; nothing was switched on.
        assert_eq!(
            etc_differences(bastion),
            "Only in /etc: jms\nOnly in /etc/ssh/sshd_config.d: 00-jms.conf\n"
        );
        administrator_gets_in(&lab);
        bastion
            .run("echo 'range 200000000-200029999' > /etc/jms/uid-range")
            .expect_success();
        dpkg(bastion, "--configure jms").expect_success();
        bastion
            .run("sed -E 's/[0-9]+$/N/' /etc/jms/uid-range")
            .expect_stdout("range 200000000-N\njms-users N\njms-mfa N\n");
    }
}

#[test]
fn a_local_administrator_needs_none_of_our_files() {
    let lab = installed();
    let bastion = lab.bastion();
    let files = bastion
        .run("dpkg -L jms | while read -r path; do [ -d \"$path\" ] || echo \"$path\"; done; ls -d /etc/jms/*")
        .expect_success()
        .text();
    let files: Vec<&str> = files.lines().collect();
    assert!(files.len() >= 15, "{files:?}");
    for file in &files {
        bastion
            .run(format!("mv '{file}' /root/kept"))
            .expect_success();
        administrator_gets_in(&lab);
        bastion
            .run(format!("mv /root/kept '{file}'"))
            .expect_success();
    }
    // All of it at once.
    bastion
        .run(format!(
            "rm -rf /var/lib/jms /etc/jms /usr/libexec/jms /run/jms /run/jms-keys {}",
            files.join(" ")
        ))
        .expect_success();
    administrator_gets_in(&lab);
    administrator_gets_in_by_password(&lab);
}

#[test]
fn a_local_administrator_is_not_hurt_by_what_is_broken() {
    let lab = installed();
    let bastion = lab.bastion();
    let library = bastion
        .run("dpkg -L jms | grep libnss_jms")
        .expect_success()
        .line_of_output();
    let module = bastion
        .run("dpkg -L jms | grep pam_jms.so")
        .expect_success()
        .line_of_output();
    let snapshot = "/var/lib/jms/public/users.snap";
    for path in [
        snapshot,
        "/var/lib/jms/public/keys.snap",
        "/etc/jms/uid-range",
        "/etc/jms/jms.toml",
        "/etc/jms/secret.key",
        "/usr/libexec/jms/jms-pam-helper",
        "/usr/libexec/jms/authorized-keys-command",
        "/usr/libexec/jms/force-command",
        &library,
        &module,
    ] {
        // A new file in place of the old one: nobody writes into a library that others have mapped.
        for make in [
            "mkfifo \"$1\"",
            "mkdir \"$1\"",
            ": > \"$1\"",
            "head -c 100000 /dev/urandom > \"$1\"",
            "ln -s /dev/zero \"$1\"",
            "[ ! -e /root/kept ] || head -c 4000 /root/kept > \"$1\"",
        ] {
            // glibc's loader waits for ever at a FIFO in place of a library. No library can help that; only root can do
            // it, and dpkg never does.
            if path.contains(".so") && make.starts_with("mkfifo") {
                continue;
            }
            bastion
                .command(["bash", "-c", &format!("set -e; rm -rf /root/kept; [ ! -e \"$1\" ] || mv \"$1\" /root/kept; {make}; [ ! -f \"$1\" ] || chmod 0755 \"$1\""), "break", path])
                .run()
                .expect_success();
            administrator_gets_in(&lab);
            bastion
                .command([
                    "bash",
                    "-c",
                    "rm -rf \"$1\"; [ ! -e /root/kept ] || mv /root/kept \"$1\"",
                    "mend",
                    path,
                ])
                .run()
                .expect_success();
        }
    }
}
