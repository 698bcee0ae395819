//! What is broken, for each finding of `jmsctl doctor`.

use std::time::Duration;

use tests::{Lab, Release, package};

/// One way to break one thing.
pub struct Case {
    /// The finding.
    pub id: &'static str,
    /// Commands for bash.
    pub breaks: &'static str,
    /// What is found as well, because it hangs on the same thing.
    pub with: &'static [&'static str],
    /// What a person types into the mending command; `@KEY@` is a public key of the person named before it.
    pub answers: &'static str,
    /// Flags of doctor.
    pub flags: &'static str,
    /// What the case itself has left to tidy up.
    pub after: &'static str,
    /// Only on this release.
    pub release: Option<Release>,
}

/// Cases that are put right in the same way.
pub struct Group {
    pub name: &'static str,
    /// Brings back what all of them change.
    pub restore: &'static str,
    pub cases: &'static [Case],
}

const fn case(id: &'static str, breaks: &'static str) -> Case {
    Case {
        id,
        breaks,
        with: &[],
        answers: "",
        flags: "",
        after: "true",
        release: None,
    }
}

impl Case {
    const fn with(mut self, with: &'static [&'static str]) -> Self {
        self.with = with;
        self
    }

    const fn answers(mut self, answers: &'static str) -> Self {
        self.answers = answers;
        self
    }

    const fn after(mut self, after: &'static str) -> Self {
        self.after = after;
        self
    }

    const fn profile(mut self) -> Self {
        self.flags = "--profile bastion";
        self
    }
}

/// What every sysadmin has: the package in an archive that apt knows, copies of the key and of the store, and a key of root's
/// with which the local administrator's account opens.
pub fn prepare(lab: &Lab) {
    let bastion = lab.bastion();
    let deb = package::uncompressed(&package::file().expect("a package"));
    bastion.run("mkdir -p /srv/archive").expect_status(0);
    bastion.write("/srv/archive/jms.deb", deb);
    bastion
        .command([
            "bash",
            "-c",
            "set -e; cd /srv/archive
             install -d -m 0700 /root/.ssh
             cat > /usr/local/bin/in-the-archive <<'LIST'
cd /srv/archive
for file in *.deb; do
    dpkg-deb -f $file | sed '/^$/d'; echo Filename: ./$file; echo Size: $(stat -c %s $file)
    echo SHA256: $(sha256sum $file | cut -d ' ' -f 1); echo
done > Packages
LIST
             bash /usr/local/bin/in-the-archive
             echo 'deb [trusted=yes] file:/srv/archive ./' > /etc/apt/sources.list.d/jms.list
             apt-get update
             ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 < /dev/null
             cat /root/.ssh/id_ed25519.pub >> /home/admin/.ssh/authorized_keys
             awk '{print \"localhost\", $1, $2}' /etc/ssh/ssh_host_ed25519_key.pub > /root/.ssh/known_hosts
             echo 'admin ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/admin
             cp -a /etc/ssh /etc/pam.d /etc/jms /etc/nsswitch.conf /etc/jms/secret.key /root/
             if [ -e /var/lib/jms/jms.db ]; then cp -a /var/lib/jms/jms.db /root/; fi",
        ])
        .within(Duration::from_secs(120))
        .run()
        .expect_status(0);
}

/// A line for the store in SQL, as somebody might write it behind our back.
macro_rules! sql {
    ($sql:literal) => {
        concat!(
            "runuser -u jms -- python3 -c \"import sqlite3; c = sqlite3.connect('/var/lib/jms/jms.db', isolation_level=None); c.execute('''",
            $sql,
            " ''')\""
        )
    };
}

/// A drop-in that comes before ours and holds for users of the bastion.
macro_rules! before_ours {
    ($setting:literal) => {
        concat!(
            "printf 'Match Group jms-users\\n\\t%s\\n' '",
            $setting,
            "' > /etc/ssh/sshd_config.d/00-a.conf"
        )
    };
}

const SSHD: &[Case] = &[
    case(
        "sshd.configuration",
        "echo 'Nonsense yes' > /etc/ssh/sshd_config.d/60-x.conf",
    ),
    // A second one stops sshd 9.2; OpenSSH 10 takes the first.
    Case {
        release: Some(Release::Debian12),
        with: &["sshd.subsystem"],
        ..case(
            "sshd.configuration",
            "echo 'Subsystem sftp /bin/false' > /etc/ssh/sshd_config.d/60-x.conf",
        )
    },
    Case {
        release: Some(Release::Debian13),
        ..case(
            "sshd.subsystem",
            "echo 'Subsystem sftp /bin/false' > /etc/ssh/sshd_config.d/60-x.conf",
        )
    },
    case("sshd.drop-in", "rm /etc/ssh/sshd_config.d/00-jms.conf"),
    case("sshd.drop-in", "sed -i '/^Include/d' /etc/ssh/sshd_config"),
    case(
        "sshd.authorized-keys",
        before_ours!("AuthorizedKeysFile /etc/ssh/keys/%u"),
    ),
    case(
        "sshd.authorized-keys",
        before_ours!("AuthorizedKeysCommand /bin/echo"),
    ),
    case(
        "sshd.authorized-keys",
        before_ours!("TrustedUserCAKeys /etc/ssh/ca.pub"),
    ),
    case(
        "sshd.authentication",
        before_ours!("PasswordAuthentication yes"),
    ),
    case(
        "sshd.authentication",
        before_ours!("AuthenticationMethods any"),
    ),
    case("sshd.force-command", before_ours!("ForceCommand /bin/sh")),
    case(
        "sshd.force-command",
        "printf 'Match Address 10.7.0.0/16\\n\\tForceCommand /bin/sh\\n' > /etc/ssh/sshd_config.d/00-a.conf",
    ),
    case(
        "sshd.force-command",
        "sed -i 's#ForceCommand .*#ForceCommand /bin/sh#' /etc/ssh/sshd_config.d/00-jms.conf",
    ),
    case("sshd.forwarding", before_ours!("AllowTcpForwarding yes")),
    case(
        "sshd.forwarding",
        "sed -i '/DisableForwarding/d' /etc/ssh/sshd_config.d/00-jms.conf",
    ),
    case(
        "sshd.access-list",
        "echo 'DenyUsers bob alice' > /etc/ssh/sshd_config.d/60-x.conf",
    ),
    case(
        "sshd.access-list",
        "echo 'DenyGroups jms-*' > /etc/ssh/sshd_config.d/60-x.conf",
    ),
    case(
        "sshd.access-list",
        "sed -i '/^\\tAllowGroups/d' /etc/ssh/sshd_config.d/00-jms.conf; echo 'AllowGroups sudo' > /etc/ssh/sshd_config.d/60-x.conf",
    ),
    case(
        "sshd.local-accounts",
        "echo 'ForceCommand /usr/libexec/jms/force-command' > /etc/ssh/sshd_config.d/60-x.conf",
    )
    .with(&["administrators.local"]),
    case(
        "sshd.service-accounts",
        "printf 'Match User jms\\n\\tAuthorizedKeysFile /tmp/%%u\\n' > /etc/ssh/sshd_config.d/00-a.conf",
    ),
    case(
        "sshd.use-pam",
        "sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config",
    ),
    case("sshd.environment", before_ours!("AcceptEnv LD_*")),
    case("sshd.environment", before_ours!("PermitUserRC yes")),
    case(
        "sshd.environment",
        "echo 'PermitUserEnvironment yes' > /etc/ssh/sshd_config.d/60-x.conf",
    ),
    case("sshd.client-alive", before_ours!("ClientAliveInterval 0")),
    case("sshd.client-alive", before_ours!("ClientAliveCountMax 900")),
    case(
        "sshd.strict-modes",
        "echo 'StrictModes no' > /etc/ssh/sshd_config.d/60-x.conf",
    ),
    case(
        "sshd.subsystem",
        "sed -i 's#^Subsystem.*#Subsystem sftp internal-sftp#' /etc/ssh/sshd_config",
    ),
    case(
        "sshd.subsystem",
        "sed -i '/^Subsystem/d' /etc/ssh/sshd_config",
    ),
    case(
        "sshd.max-startups",
        "echo 'MaxStartups 2:30:5' > /etc/ssh/sshd_config.d/60-x.conf",
    ),
    case(
        "sshd.max-startups",
        "echo 'PerSourceMaxStartups 2' > /etc/ssh/sshd_config.d/10-x.conf",
    ),
    Case {
        release: Some(Release::Debian13),
        ..case(
            "sshd.penalties",
            "echo 'PerSourcePenalties authfail:600' > /etc/ssh/sshd_config.d/60-x.conf",
        )
    },
];

const PAM: &[Case] = &[
    case(
        "pam.line",
        "sed -i '/pam_jms.so/d' /etc/pam.d/common-account",
    ),
    case(
        "pam.line",
        "sed -i '/pam_jms.so/d' /etc/pam.d/common-session",
    ),
    case("pam.line", "sed -i '/common-account/d' /etc/pam.d/sshd"),
    case(
        "pam.order",
        "sed -i '0,/^auth/s//auth sufficient pam_unix.so\\nauth/' /etc/pam.d/common-auth",
    ),
    case(
        "pam.order",
        "sed -i '0,/^session/s//session optional pam_motd.so\\nsession/' /etc/pam.d/common-session",
    ),
    case(
        "pam.control",
        "sed -i '/pam_jms/s/module_unknown=ignore//' /etc/pam.d/common-account",
    ),
    case(
        "pam.control",
        "sed -i '/pam_jms/s/\\[.*\\]/required/' /etc/pam.d/common-auth",
    ),
    case(
        "pam.control",
        "sed -i '/pam_jms/s/default=die/default=ignore/' /etc/pam.d/common-session",
    ),
    case("pam.module", "rm /usr/lib/*/security/pam_jms.so").with(&["programs.changed"]),
];

const NSSWITCH: &[Case] = &[
    case(
        "nsswitch.passwd",
        "sed -i '/^passwd/s/ jms//' /etc/nsswitch.conf",
    ),
    case(
        "nsswitch.passwd",
        "sed -i 's/^passwd.*/passwd: jms files/' /etc/nsswitch.conf",
    ),
    case("nsswitch.passwd", "sed -i '/^passwd/d' /etc/nsswitch.conf"),
    case(
        "nsswitch.action",
        "sed -i 's/^passwd.*/passwd: files [NOTFOUND=return] jms/' /etc/nsswitch.conf",
    ),
    case(
        "nsswitch.other",
        "sed -i 's/^group.*/group: files jms/' /etc/nsswitch.conf",
    ),
    case("nsswitch.module", "rm /usr/lib/*/libnss_jms.so.2").with(&["programs.changed"]),
    // Whoever looks up a name waits for ever, and doctor does not.
    case(
        "nsswitch.hangs",
        "rm /etc/nsswitch.conf; mkfifo /etc/nsswitch.conf",
    ),
    case(
        "nsswitch.hangs",
        "cp -p /etc/passwd /root/passwd; rm /etc/passwd; mkfifo /etc/passwd",
    )
    .answers("/root/passwd\n"),
    case(
        "nsswitch.hangs",
        "cp -p /etc/group /root/group; ln -sf /dev/zero /etc/group",
    )
    .answers("/root/group\n"),
    case(
        "files.type",
        "for f in /usr/lib/*/libnss_jms.so.2; do rm $f; mkfifo $f; done",
    ),
    case(
        "files.type",
        "for f in /usr/lib/*/security/pam_jms.so; do rm $f; mkfifo $f; done",
    ),
];

const FILES: &[Case] = &[
    case("files.missing", "rm -r /var/lib/jms/recordings"),
    case("files.missing", "rm -r /usr/share/jms/home"),
    case("run.folders", "rm -r /run/jms"),
    case("run.folders", "rmdir /run/jms/egress"),
    case("files.type", "rmdir /run/jms/egress; ln -s /etc /run/jms/egress"),
    case("files.type", "rmdir /var/lib/jms/recordings; mkfifo /var/lib/jms/recordings"),
    case("files.owner", "chown root:root /var/lib/jms/public"),
    case("files.owner", "chown root /var/lib/jms/jms.db").with(&["store.read-only", "store.damaged", "store.missing"]),
    case("files.owner", "chown root /etc/jms/secret.key"),
    case("files.owner", "chown jms /etc/jms/uid-range"),
    case("files.owner", "chown jms /usr/libexec/jms"),
    case("files.owner", "chown jms /run/jms-keys"),
    case("files.mode", "chmod 0777 /run/jms-keys"),
    case("files.mode", "chmod 0711 /run/jms/warm"),
    case("files.mode", "chmod 0755 /var/lib/jms/recordings"),
    case("files.mode", "chmod 0644 /etc/jms/secret.key"),
    case("files.mode", "chmod 0666 /etc/jms/jms.toml"),
    case("files.mode", "chmod 0777 /etc/jms"),
    case("files.mode", "chmod 0666 /etc/jms/uid-range"),
    case("files.mode", "chmod 0600 /var/lib/jms/public/users.snap"),
    case("files.mode", "chmod 0700 /usr/libexec/jms/jms-pam-helper"),
    case("programs.changed", "echo >> /usr/libexec/jms/authorized-keys-command"),
    case("programs.changed", "cp /bin/true /usr/libexec/jms/force-command"),
    case("programs.changed", "rm /usr/libexec/jms/jms-pam-helper"),
    case("programs.set-uid", "chmod 0755 /usr/libexec/jms/force-command"),
    case("programs.set-uid", "chown root /usr/libexec/jms/force-command"),
    case("programs.set-uid", "dpkg-statoverride --remove /usr/libexec/jms/force-command"),
    case("programs.nosuid", "mount --bind /usr/libexec/jms /usr/libexec/jms; mount -o remount,bind,nosuid /usr/libexec/jms")
        .after("umount /usr/libexec/jms"),
    case("accounts.service", "usermod --shell /bin/sh jms"),
    case("accounts.service", "echo 'jms-keys:a password' | chpasswd"),
    case("accounts.service", "gpasswd --delete jms jms-keys"),
    case("accounts.service", "groupdel jms-mfa"),
    case("accounts.service", "gpasswd --add admin jms-users").with(&["administrators.local"]),
    case("accounts.service", "userdel jms-keys; groupdel jms-keys 2> /dev/null || true").with(&["files.owner", "sshd.service-accounts"]),
];

/// A kernel without something: root's `jmsctl` runs where a system call is answered with an error, until a start with what the
/// command installed or set.
macro_rules! kernel_without {
    ($call:literal, $answer:literal, $mended:literal) => {
        concat!(
            "gcc -O2 -DCALL=",
            $call,
            " -DANSWER=",
            $answer,
            " -o /usr/local/bin/jmsctl -x c - <<'WITHOUT'
",
            include_str!("without.c"),
            "WITHOUT
printf '#!/bin/sh\\n. /etc/default/grub.d/jms-landlock.cfg && echo $GRUB_CMDLINE_LINUX > /root/command-line\\n' > /usr/local/sbin/update-grub
cat > /usr/local/sbin/reboot <<'START'
#!/bin/sh
",
            $mended,
            " && rm /usr/local/bin/jmsctl
START
chmod 755 /usr/local/sbin/reboot /usr/local/sbin/update-grub
mkdir -p /tmp/kernel/DEBIAN
printf 'Package: linux-image-%s\\nVersion: 99\\nArchitecture: all\\nMaintainer: nobody <nobody@example.org>\\nDescription: a kernel\\n' $(dpkg --print-architecture) > /tmp/kernel/DEBIAN/control
dpkg-deb --build --root-owner-group /tmp/kernel /srv/archive/kernel.deb > /dev/null
bash /usr/local/bin/in-the-archive"
        )
    };
}

const NEWER_KERNEL: &str = "rm -f /usr/local/sbin/reboot /usr/local/sbin/update-grub /etc/default/grub.d/jms-landlock.cfg /root/command-line
    dpkg --purge linux-image-$(dpkg --print-architecture) 2> /dev/null || true";

/// The client's package as it is installed here goes to the archive, and then away.
const NO_CLIENT: &str = "cd /srv/archive; mkdir -p /tmp/client/DEBIAN
    dpkg-query --listfiles openssh-client | while read -r path; do [ -d $path ] || [ ! -e $path ] || echo .$path; done > /tmp/client.list
    tar --directory / --create --files-from /tmp/client.list | tar --directory /tmp/client --extract
    dpkg-query --status openssh-client | sed -e '/^Status:/d' -e '/^Conffiles:/,/^[^ ]/{/^Conffiles:/d; /^ /d}' > /tmp/client/DEBIAN/control
    for part in conffiles postinst postrm prerm preinst; do
        [ ! -e /var/lib/dpkg/info/openssh-client.$part ] || cp -p /var/lib/dpkg/info/openssh-client.$part /tmp/client/DEBIAN/$part
    done
    dpkg-deb --build --root-owner-group -Znone /tmp/client openssh-client.deb > /dev/null
    bash /usr/local/bin/in-the-archive
    DEBIAN_FRONTEND=noninteractive dpkg --remove --force-depends openssh-client > /dev/null 2>&1";

const HOST: &[Case] = &[
    case("platform.openssh", NO_CLIENT),
    case("platform.landlock", kernel_without!("SYS_landlock_create_ruleset", "EOPNOTSUPP", "grep -q 'lsm=landlock,' /root/command-line")).after(NEWER_KERNEL),
    case("platform.landlock", kernel_without!("SYS_landlock_create_ruleset", "ENOSYS", "dpkg --status linux-image-$(dpkg --print-architecture) > /dev/null")).after(NEWER_KERNEL),
    case("platform.seccomp", kernel_without!("SYS_seccomp", "EINVAL", "dpkg --status linux-image-$(dpkg --print-architecture) > /dev/null")).after(NEWER_KERNEL),
    case("platform.hidepid", "mount -o remount,hidepid=2 /proc"),
    case("platform.no-new-privileges", "mkdir -p /etc/systemd/system/ssh.service.d; printf '[Service]\\nNoNewPrivileges=yes\\n' > /etc/systemd/system/ssh.service.d/hard.conf")
        .after("rm -r /etc/systemd/system/ssh.service.d"),
    case(
        "platform.no-new-privileges",
        "kill $(cat /run/sshd.pid); while [ -e /run/sshd.pid ]; do sleep 0.05; done
         setpriv --no-new-privs /usr/sbin/sshd; until [ -s /run/sshd.pid ]; do sleep 0.05; done",
    ),
    case("neighbours.nscd", "mkdir -p /run/nscd; nscd; until [ -S /run/nscd/socket ]; do sleep 0.05; done").after("nscd --shutdown"),
    case("syslog.silent", "pkill -x rsyslogd; while pgrep -x rsyslogd; do sleep 0.05; done"),
    case("syslog.silent", "pkill -x rsyslogd; while pgrep -x rsyslogd; do sleep 0.05; done; jmsctl user set alice --comment x").with(&["syslog.unsent"]),
    // Its socket is full, and every program that uses syslog(3) waits.
    case("syslog.stopped", FULL),
    case("syslog.unsent", sql!("UPDATE event SET sent = 0, at = at - 60000 WHERE seq <= 3")),
    case("syslog.rsyslog-rate-limit", "echo '$SystemLogRateLimitInterval 5' > /etc/rsyslog.d/limit.conf").after("rm /etc/rsyslog.d/limit.conf"),
    case("syslog.rsyslog-rate-limit", "sed -i 's/^module(load=\"imuxsock\".*/module(load=\"imuxsock\" SysSock.RateLimit.Interval=\"5\")/' /etc/rsyslog.conf"),
    case("syslog.journald-rate-limit", "mkdir -p /etc/systemd/journald.conf.d; printf '[Journal]\\nRateLimitBurst=100\\n' > /etc/systemd/journald.conf.d/x.conf")
        .after("rm -r /etc/systemd/journald.conf.d"),
];

/// The log daemon stands still, and its socket takes no more.
const FULL: &str = "pkill -STOP -x rsyslogd; python3 - <<'PYTHON'
import socket
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.setblocking(False)
log.connect('/dev/log')
try:
    while True: log.send(b'<86>filler: line')
except BlockingIOError:
    pass
PYTHON";

/// As a program that took the lock and forgot it.
const HOLD: &str = "rm -f /tmp/held; printf '%s\\n' 'import sqlite3, time' 'c = sqlite3.connect(\"/var/lib/jms/jms.db\", isolation_level=None)' 'c.execute(\"BEGIN IMMEDIATE\")' 'open(\"/tmp/held\", \"w\").close()' 'time.sleep(300)' > /tmp/hold.py
setsid runuser -u jms -- python3 /tmp/hold.py > /dev/null 2>&1 < /dev/null &
until [ -e /tmp/held ]; do sleep 0.05; done";

const STORE: &[Case] = &[
    case("settings.wrong", "echo '[recording' > /etc/jms/jms.toml"),
    case("settings.wrong", "printf '[session]\\nconnect_timeout = 0\\n' > /etc/jms/jms.toml"),
    case("settings.wrong", "rm /etc/jms/jms.toml; mkfifo /etc/jms/jms.toml"),
    case("secret-key.missing", "rm /etc/jms/secret.key").answers("/root/secret.key\n"),
    case("secret-key.missing", "printf short > /etc/jms/secret.key").answers("/root/secret.key\n"),
    case("secret-key.missing", "head -c 32 /dev/urandom > /etc/jms/secret.key").with(&["secret-key.backup"]).answers("/root/secret.key\n"),
    case("secret-key.backup", sql!("DELETE FROM meta WHERE name = 'secret_key_backup'")).answers("/root/secret.key\n"),
    case("store.missing", "rm -f /var/lib/jms/jms.db*").answers("/root/jms.db\n"),
    case("store.missing", "rm -f /var/lib/jms/jms.db*; install -o jms -g jms -m 0600 /dev/null /var/lib/jms/jms.db").answers("/root/jms.db\n"),
    case("store.damaged", "head -c 4096 /dev/urandom | dd of=/var/lib/jms/jms.db conv=notrunc status=none").answers("/root/jms.db\n"),
    case("store.damaged", "head -c 20000 /dev/urandom | dd of=/var/lib/jms/jms.db bs=4096 seek=20 conv=notrunc status=none").answers("/root/jms.db\n"),
    case("store.damaged", "rm -f /var/lib/jms/jms.db*; mkfifo /var/lib/jms/jms.db").answers("/root/jms.db\n"),
    case("store.newer", sql!("PRAGMA user_version = 999")).answers("/root/jms.db\n"),
    case("store.busy", HOLD),
    case("store.read-only", "mount --bind /var/lib/jms /var/lib/jms; mount -o remount,bind,ro /var/lib/jms").after("umount /var/lib/jms"),
    case("store.read-only", "rm -f /var/lib/jms/jms.db-*; install -m 0600 /dev/null /var/lib/jms/jms.db-wal"),
    case("snapshot.unreadable", "rm /var/lib/jms/public/users.snap"),
    case("snapshot.unreadable", "cd /var/lib/jms/public; rm users.snap; mkfifo users.snap; chown jms users.snap"),
    case("snapshot.unreadable", "cd /var/lib/jms/public; rm keys.snap; mkdir keys.snap"),
    case("snapshot.unreadable", "cd /var/lib/jms/public; printf '\\377' | dd of=users.snap bs=1 seek=$(($(stat -c %s users.snap) - 9)) conv=notrunc status=none"),
    case("snapshot.old", "cd /var/lib/jms/public; cp -a users.snap /root/old.snap; jmsctl user set alice --full-name 'Alice A' > /dev/null; mv -f /root/old.snap users.snap"),
    case("snapshot.old", sql!("UPDATE meta SET value = 2 WHERE name = 'generation'")),
    // Every process has another clock, and chrony's program is one that sets it right.
    case("clock.behind", concat!("gcc -shared -fPIC -O2 -DOFFSET='(-315360000LL)' -o /usr/lib/clock.so -x c - <<'CLOCK'
", include_str!("../breakage/rows/clock.c"), "CLOCK
        printf '#!/bin/sh\\n[ $1 = makestep ] && rm /etc/ld.so.preload\\n' > /usr/bin/chronyc; chmod 755 /usr/bin/chronyc
        echo /usr/lib/clock.so > /etc/ld.so.preload"))
        .after("rm /usr/bin/chronyc"),
    case("disk.space", "printf '[recording]\\nminimum_free_mib = 1\\n' > /etc/jms/jms.toml
        mount -t tmpfs -o size=16m,mode=0700,uid=$(id -u jms),gid=$(id -g jms) none /var/lib/jms/recordings
        head -c 14m /dev/zero > /var/lib/jms/recordings/filler")
        .answers("/var/lib/jms/recordings/filler\n")
        .after("umount /var/lib/jms/recordings"),
    case("disk.inodes", "printf '[recording]\\nminimum_free_mib = 1\\n' > /etc/jms/jms.toml
        mount -t tmpfs -o size=64m,nr_inodes=2500,mode=0700,uid=$(id -u jms),gid=$(id -g jms) none /var/lib/jms/recordings
        mkdir /var/lib/jms/recordings/many; cd /var/lib/jms/recordings/many; touch $(seq 1000)")
        .answers("/var/lib/jms/recordings/many\n")
        .after("umount /var/lib/jms/recordings"),
];

const NAMES: &[Case] = &[
    case(
        "names.local",
        "echo 'alice:x:2000:2000::/nonexistent:/usr/sbin/nologin' >> /etc/passwd",
    )
    .after("sed -i '/^alice:/d' /etc/passwd; jmsctl user enable alice > /dev/null"),
    case("names.member", "echo 'ops:x:3000:alice' >> /etc/group")
        .after("sed -i '/^ops:/d' /etc/group"),
    case(
        "names.uid-local",
        "useradd --no-create-home --uid 70500 --shell /usr/sbin/nologin carol",
    )
    .after("userdel carol"),
    case(
        "names.uid-reserved",
        "echo 'admin:70000:100' >> /etc/subuid",
    ),
    case(
        "names.uid-reserved",
        "sed -i -E 's/^(UID_MAX[[:space:]]+).*/\\180000/' /etc/login.defs",
    ),
    case("names.uid-range", "rm /etc/jms/uid-range"),
    case("names.uid-range", "echo 'rnage 1-2' > /etc/jms/uid-range"),
    case(
        "names.uid-range",
        "sed -i 's/^range .*/range 80000-99999/' /etc/jms/uid-range",
    ),
    case(
        "names.uid-range",
        "sed -i 's/^jms-mfa .*/jms-mfa 4242/' /etc/jms/uid-range",
    ),
    case(
        "names.unknown",
        "for f in /usr/lib/*/libnss_jms.so.2; do : > $f; done",
    )
    .with(&["programs.changed"]),
];

const PEOPLE: &[Case] = &[
    case("administrators.untried", sql!("DELETE FROM meta WHERE name = 'local_account_tried'")),
    case("administrators.untried", sql!("UPDATE meta SET value = '1000 admin' WHERE name = 'local_account_tried'")),
    case("administrators.untried", sql!("UPDATE meta SET value = replace(value, 'admin', 'gone') WHERE name = 'local_account_tried'")),
    case("administrators.few", "jmsctl user disable grace > /dev/null").answers("margaret\n@KEY@\n").after("jmsctl user enable grace > /dev/null"),
    case("administrators.own-auditor", "jmsctl user add eve --role auditor --email ada@example.org > /dev/null
        jmsctl user set ada --email ada@example.org > /dev/null; jmsctl key ls ada --json > /dev/null
        ssh-keygen -q -t ed25519 -N '' -f /tmp/eve; jmsctl key add eve /tmp/eve.pub > /dev/null")
        .after("jmsctl user rm eve --yes"),
    case("administrators.own-auditor", "ssh-keygen -q -t ed25519 -N '' -f /tmp/both; jmsctl user add eve --role auditor --key /tmp/both.pub > /dev/null
        jmsctl key add ada /tmp/both.pub > /dev/null")
        .after("jmsctl user rm eve --yes"),
    case("administrators.local", "usermod --lock admin; rm /home/admin/.ssh/authorized_keys").answers("admin\n@KEY@\n"),
    case("administrators.local", "gpasswd --delete admin sudo; rm -f /etc/sudoers.d/admin /etc/sudoers.d/jms-local-administrators").answers("admin\n@KEY@\n"),
    case("administrators.local", "echo 'AllowUsers nobody' > /etc/ssh/sshd_config.d/60-x.conf; chage --expiredate 1 admin")
        // sudo reads no file with a dot in its name.
        .answers("ann.lee\n@KEY@\n")
        .after("rm /etc/ssh/sshd_config.d/60-*.conf; chage --expiredate -1 admin"),
    // From here on the profile holds; each of these keeps what the one before it mended.
    case("profile.methods", "true").profile().with(&["profile.auditor"]).answers("walter\n@KEY@\n"),
    case("profile.auditor", "jmsctl user disable walter > /dev/null").profile().answers("wanda\n@KEY@\n"),
    case("profile.root-password", "sed -i '1i PermitRootLogin yes\\nPasswordAuthentication yes\\nAuthenticationMethods publickey' /etc/ssh/sshd_config; echo 'root:a long password' | chpasswd").profile(),
];

const RESTORE_SSH: &str = "rm -rf /etc/ssh; cp -a /root/ssh /etc/ssh";

/// All groups.
pub fn groups() -> &'static [Group] {
    &[
        Group {
            name: "sshd",
            restore: RESTORE_SSH,
            cases: SSHD,
        },
        Group {
            name: "pam",
            restore: "rm -rf /etc/pam.d; cp -a /root/pam.d /etc/pam.d",
            cases: PAM,
        },
        Group {
            name: "nsswitch",
            restore: "cp -a /root/nsswitch.conf /etc/nsswitch.conf",
            cases: NSSWITCH,
        },
        Group {
            name: "files",
            restore: "true",
            cases: FILES,
        },
        Group {
            name: "host",
            restore: "true",
            cases: HOST,
        },
        Group {
            name: "store",
            restore: "rm -rf /etc/jms/jms.toml*; cp -a /root/jms/jms.toml /etc/jms/jms.toml; rm -rf /var/lib/jms/jms.db.wrong-* /etc/jms/secret.key.wrong-*",
            cases: STORE,
        },
        Group {
            name: "names",
            restore: "true",
            cases: NAMES,
        },
        Group {
            name: "people",
            restore: "true",
            cases: PEOPLE,
        },
    ]
}
