//! A Debian host that is made like one of Red Hat's: its PAM stack, its sshd drop-in, its folder for libraries, rpm and no tool
//! of Debian's.

use std::time::Duration;

use anyhow::Result;

use crate::host::Host;
use crate::lab::Lab;
use crate::outcome::Outcome;
use crate::package;

/// rpm, with its database where Red Hat's has it. `--nodeps`: what our package needs is here, but dpkg's, so that rpm does not
/// know it.
pub const RPM: &str = "rpm --root / --define '_dbpath /var/lib/rpm' --nodeps";

/// Red Hat's `/etc/pam.d/sshd`, and what it includes where authselect is not used.
const PAM: [(&str, &str); 3] = [
    (
        "/etc/pam.d/sshd",
        "#%PAM-1.0\n\
         auth       substack     password-auth\n\
         auth       include      postlogin\n\
         account    required     pam_sepermit.so\n\
         account    required     pam_nologin.so\n\
         account    include      password-auth\n\
         password   include      password-auth\n\
         # pam_selinux.so close should be the first session rule\n\
         session    required     pam_selinux.so close\n\
         session    required     pam_loginuid.so\n\
         # pam_selinux.so open should only be followed by sessions to be executed in the user context\n\
         session    required     pam_selinux.so open env_params\n\
         session    required     pam_namespace.so\n\
         session    optional     pam_keyinit.so force revoke\n\
         session    optional     pam_motd.so\n\
         session    include      password-auth\n\
         session    include      postlogin\n",
    ),
    (
        "/etc/pam.d/password-auth",
        "auth        required      pam_env.so\n\
         auth        required      pam_faildelay.so delay=2000000\n\
         auth        sufficient    pam_unix.so nullok\n\
         auth        required      pam_deny.so\n\
         account     required      pam_unix.so\n\
         password    sufficient    pam_unix.so yescrypt shadow nullok use_authtok\n\
         password    required      pam_deny.so\n\
         session     optional      pam_keyinit.so revoke\n\
         session     required      pam_limits.so\n\
         -session    optional      pam_systemd.so\n\
         session     [success=1 default=ignore] pam_succeed_if.so service in crond quiet use_uid\n\
         session     required      pam_unix.so\n",
    ),
    (
        "/etc/pam.d/postlogin",
        "session     [success=1 default=ignore] pam_succeed_if.so service !~ gdm* service !~ su* quiet\n\
         session     optional      pam_umask.so silent\n\
         session     optional      pam_permit.so\n",
    ),
];

const NSSWITCH: &str = "# In order of likelihood of use to accelerate lookup.\n\
    passwd:     files systemd\n\
    shadow:     files\n\
    group:      files systemd\n\
    hosts:      files dns myhostname\n\
    services:   files\n";

const DROP_IN_OF_THE_HOST: &str = "# Red Hat's\n\
    Include /etc/crypto-policies/back-ends/opensshserver.config\n\
    SyslogFacility AUTHPRIV\n\
    KbdInteractiveAuthentication no\n\
    GSSAPIAuthentication yes\n\
    GSSAPICleanupCredentials no\n\
    UsePAM yes\n\
    X11Forwarding yes\n\
    PrintMotd no\n";

/// A bastion made like one of Red Hat's hosts, without our package, which lies in its root's home, and a copy of its `/etc`.
/// `assets`: whether there are any.
///
/// # Errors
/// When there is no lab, or no package (`make rpm`).
pub fn plain(assets: bool) -> Result<Lab> {
    let builder = Lab::builder().without_package();
    let builder = if assets { builder } else { builder.assets([]) };
    let lab = builder.start()?;
    let host = lab.bastion();
    for (path, text) in PAM {
        host.write(path, text);
    }
    host.run("mkdir -p /etc/crypto-policies/back-ends")
        .expect_success();
    host.write("/etc/nsswitch.conf", NSSWITCH);
    host.write(
        "/etc/crypto-policies/back-ends/opensshserver.config",
        "Ciphers aes256-gcm@openssh.com,aes256-ctr\n",
    );
    host.write("/etc/ssh/sshd_config.d/50-redhat.conf", DROP_IN_OF_THE_HOST);
    host.run(
        r"set -eu
        # Where Red Hat's libpam looks for itself; for its loader see install().
        echo /usr/lib64 > /etc/ld.so.conf.d/lib64.conf
        ln -s /usr/lib64/security/pam_jms.so /usr/lib/$(uname -m)-linux-gnu/security/
        # There is no tool of Debian's: whoever asks for one fails.
        mkdir /root/debian
        for tool in dpkg dpkg-query dpkg-statoverride adduser addgroup pam-auth-update invoke-rc.d; do
            path=$(command -v $tool) || continue; mv $path /root/debian/
        done
        mkdir -p /var/lib/rpm && rpm --define '_dbpath /var/lib/rpm' --initdb",
    )
    .expect_success();
    let file = package::rpm_file()?;
    host.write("/root/jms.rpm", std::fs::read(file)?);
    host.reload_sshd();
    host.run("cp -a /etc /root/etc-before").expect_success();
    Ok(lab)
}

/// Runs rpm with these words.
#[must_use]
pub fn rpm(host: &Host, what: &str) -> Outcome {
    host.command(["bash", "-c", &format!("{RPM} {what}")])
        .within(Duration::from_secs(120))
        .run()
}

/// Installs, upgrades, or installs again. Red Hat's loader looks into `/usr/lib64` by itself, Debian's when `ldconfig` has.
///
/// # Panics
/// When that fails.
#[must_use]
pub fn install(host: &Host) -> Outcome {
    let outcome = rpm(host, "--upgrade --force /root/jms.rpm");
    host.run("ldconfig").expect_success();
    outcome
}
