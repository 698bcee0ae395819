//! A bastion that can be broken and put back: its files are kept aside and laid over what a row has done to them.

use std::time::Duration;

use tests::boot::ADMINISTRATOR;
use tests::{Lab, Outcome, everyday};

use crate::columns;
use crate::row::Row;

/// Root's password on the bastion, for `su -`.
pub const ROOT_PASSWORD: &str = "battery staple horse correct";

/// Names for what rows break.
pub const NAMES: &str = r"
NSS=$(echo /usr/lib/*-linux-gnu/libnss_jms.so.2)
PAM=$(echo /usr/lib/*-linux-gnu/security/pam_jms.so)
LIBEXEC=/usr/libexec/jms
HELPER=$LIBEXEC/jms-pam-helper KEYS=$LIBEXEC/authorized-keys-command FORCE=$LIBEXEC/force-command
JMSCTL=/usr/bin/jmsctl DROPIN=/etc/ssh/sshd_config.d/00-jms.conf
TOML=/etc/jms/jms.toml RANGE=/etc/jms/uid-range HIGH=/etc/jms/uid-high-water SECRET=/etc/jms/secret.key
DB=/var/lib/jms/jms.db USERS=/var/lib/jms/public/users.snap KEYSNAP=/var/lib/jms/public/keys.snap
SHARED='/etc/jms /etc/ssh /etc/pam.d /var/lib/jms /run/jms /usr/libexec/jms /usr/share/jms'
as_jms() { setpriv --reuid=jms --regid=jms --init-groups -- $@; }
cut_to() { head -c $2 $1 > /tmp/cut && cat /tmp/cut > $1; }
unwritten() { size=$(stat -c %s $1); shorten $1 50; truncate -s $size $1; }
shorten() { cut_to $1 $(( $(stat -c %s $1) * $2 / 100 )); }
tmpfs_over() { mount -t tmpfs -o size=16m,mode=$(stat -c %a $1),uid=$(stat -c %u $1),gid=$(stat -c %g $1) none $1; }
";

/// Keeps all of ours aside, and what of the host a row may change.
const KEEP: &str = r"
mkdir -p /kept
rsync -aHR $SHARED /etc/nsswitch.conf /etc/passwd /etc/group $(dpkg -L jms | while read -r path; do [ -f $path ] && echo $path; done) /kept/
";

/// Waits until no login is left, then lays what was kept over what is there.
const PUT_BACK: &str = r"
for try in $(seq 100); do
    pgrep -f '^sshd(-session|-auth)?: [^/]' > /dev/null || pgrep -u jms > /dev/null || break
    sleep 0.05
done
pkill -KILL -u jms
pkill -KILL -f '^sshd(-session|-auth)?: [^/]'
for folder in $SHARED; do
    if [ ! -d $folder ] || [ -L $folder ]; then rm -rf $folder; mkdir -p $folder; fi
    rsync -aH --numeric-ids --delete /kept$folder/ $folder/
done
rsync -aH --numeric-ids /kept/ /
";

/// A lab whose bastion rows are tried on, one after the other.
pub struct Bastion {
    /// Its hosts.
    pub lab: Lab,
}

impl Bastion {
    /// Starts one that serves everybody.
    pub fn start() -> Self {
        let bastion = Self {
            lab: Lab::everyday().without_kept_connections(),
        };
        // Before anything is kept: the store remembers it.
        everyday::try_local_account(&bastion.lab).expect("the administrator gets in");
        let _ = bastion
            .script(&format!(
                "set -e
                 chpasswd --crypt-method SHA512 --sha-rounds 1000 <<< 'root:{ROOT_PASSWORD}'
                 echo '@reboot touch /tmp/cron-ran' | crontab -u {ADMINISTRATOR} -
                 {KEEP}"
            ))
            .expect_status(0);
        bastion.lab.web1().write(columns::ON_THE_ASSET, "");
        bastion
    }

    /// Runs bash on the bastion, with [`NAMES`] set.
    pub fn script(&self, script: &str) -> Outcome {
        self.run("bash", script)
    }

    /// Runs sh, which in contrast to bash looks nothing up before it begins.
    pub fn plain_script(&self, script: &str) -> Outcome {
        self.run("sh", script)
    }

    fn run(&self, shell: &str, script: &str) -> Outcome {
        self.lab
            .bastion()
            .command([shell, "-c", &format!("{NAMES}\n{script}")])
            .within(Duration::from_secs(30))
            .run()
    }

    /// Breaks what the row breaks.
    ///
    /// # Errors
    /// Why it could not.
    pub fn damage(&self, row: &Row) -> Result<(), String> {
        let outcome = self.script(&format!("set -e\n{}", row.breaks));
        if row.reload {
            self.reload();
        }
        outcome
            .success()
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// Puts everything back.
    ///
    /// # Errors
    /// Why it could not.
    pub fn put_back(&self, row: &Row) -> Result<(), String> {
        let mended = self.plain_script(&row.mends);
        let outcome = self.script(PUT_BACK);
        if row.reload {
            self.reload();
        }
        mended
            .success()
            .and_then(|_| outcome.success())
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// As systemd's unit of Debian does it: asks sshd first, and lets it run on as it is if it complains.
    fn reload(&self) {
        if self.script("/usr/sbin/sshd -t").succeeded() {
            self.lab.bastion().reload_sshd();
        }
    }

    /// How long the log is, in bytes.
    pub fn log_length(&self) -> usize {
        self.lab
            .bastion()
            .try_read("/var/log/auth.log")
            .map_or(0, |bytes| bytes.len())
    }

    /// The log from this byte on.
    pub fn log_from(&self, start: usize) -> String {
        let bytes = self
            .lab
            .bastion()
            .try_read("/var/log/auth.log")
            .unwrap_or_default();
        String::from_utf8_lossy(bytes.get(start..).unwrap_or(&bytes)).into_owned()
    }
}
