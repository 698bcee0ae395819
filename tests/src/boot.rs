//! What a host does when it starts: its identity, its accounts, its services, as on any Debian machine with an sshd.

use anyhow::Result;

use crate::host::Host;

/// The bastion's local administrator: a key of the same name, a password, and sudo.
pub const ADMINISTRATOR: &str = "admin";
/// The local administrator's password.
pub const ADMINISTRATOR_PASSWORD: &str = "correct horse battery staple";
/// The account on every asset.
pub const ASSET_ACCOUNT: &str = "dev";

/// What a host is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// People come from here.
    Client,
    /// The product runs here.
    Bastion,
    /// People want to get here.
    Asset,
}

/// A host identity of its own. RSA is left out: it takes seconds to make and OpenSSH does not need it.
pub(crate) const MAKE_HOST_KEYS: &str = r"
for kind in ed25519 ecdsa; do
    ssh-keygen -q -t $kind -N '' -C root@$(hostname) -f /etc/ssh/ssh_host_${kind}_key
done
mkdir -p /run/sshd
";

/// Debian's own rsyslog.conf; a host that shares the machine's kernel does not read its log.
const NO_KERNEL_LOG: &str = r"
sed -i '/imklog/s/^/#/' /etc/rsyslog.conf
";

/// rsyslogd lets go of its output, which is waited for, a second after it was started. Who ends it earlier may not be heard.
const SERVICES: &str = r"
mkdir -p /run/sshd
rsyslogd
/usr/sbin/sshd
until [ -S /dev/log ] && [ -s /run/sshd.pid ]; do sleep 0.01; done
";

/// Tests fail to log in on purpose and many at once. From OpenSSH 9.8 on that costs an address its access for a while.
const MANY_CLIENTS: &str = r"
echo 'MaxStartups 200' > /etc/ssh/sshd_config.d/50-lab.conf
if /usr/sbin/sshd -T -o PerSourcePenalties=no >/dev/null 2>&1; then
    echo 'PerSourcePenaltyExemptList 192.0.2.0/24,198.51.100.0/24' >> /etc/ssh/sshd_config.d/50-lab.conf
fi
";

const ADMINISTRATOR_ACCOUNT: &str = r#"
useradd --create-home --shell /bin/bash --groups sudo,adm "$NAME"
# Hashed quickly: every sudo and every login by password pays for it.
chpasswd --crypt-method SHA512 --sha-rounds 1000 <<< "$NAME:$PASSWORD"
install -d -m 0700 -o "$NAME" -g "$NAME" "/home/$NAME/.ssh"
install -m 0600 -o "$NAME" -g "$NAME" /dev/stdin "/home/$NAME/.ssh/authorized_keys" <<< "$KEY"
"#;

/// A client's half of a post-quantum key exchange costs OpenSSH as much processor time as the rest of a login and its session:
/// the hosts agree on a curve. `session` has a test of what the release itself prefers.
const QUICK_KEY_EXCHANGE: &str = r"
echo 'KexAlgorithms -sntrup*,mlkem*' >> /etc/ssh/sshd_config.d/50-lab.conf
";

/// Gives a fresh host its names, accounts and services.
pub(crate) fn boot(
    host: &Host,
    role: Role,
    hosts_file: &str,
    administrator_key: &str,
) -> Result<()> {
    host.write("/etc/hosts", hosts_file);
    let mut script = String::from("set -euo pipefail\n");
    match role {
        Role::Client => return Ok(()),
        Role::Bastion => {
            script.push_str(&format!("NAME={ADMINISTRATOR} PASSWORD='{ADMINISTRATOR_PASSWORD}' KEY='{administrator_key}'\n"));
            script.push_str(ADMINISTRATOR_ACCOUNT);
        }
        Role::Asset => script.push_str(&format!(
            "useradd --create-home --shell /bin/bash {ASSET_ACCOUNT}\n"
        )),
    }
    script.push_str(MAKE_HOST_KEYS);
    script.push_str(MANY_CLIENTS);
    script.push_str(QUICK_KEY_EXCHANGE);
    script.push_str(NO_KERNEL_LOG);
    script.push_str(SERVICES);
    host.run(script).success()?;
    Ok(())
}

/// What systemd-tmpfiles does at each start of a machine: `/run` is empty then.
const FOLDERS_IN_RUN: &str = r"
our=/usr/lib/tmpfiles.d/jms.conf
[ ! -e $our ] || grep '^d ' $our | while read -r d path mode user group age; do
    install -d -m $mode -o $user -g $group $path
done
";

/// Starts a host again that has its names and accounts.
pub(crate) fn boot_again(host: &Host, role: Role, hosts_file: &str) -> Result<()> {
    host.write("/etc/hosts", hosts_file);
    if role != Role::Client {
        host.run(format!("set -euo pipefail\n{FOLDERS_IN_RUN}{SERVICES}"))
            .success()?;
    }
    Ok(())
}

/// Makes `key` (one line) open the account `account` of an asset.
///
/// # Errors
/// When the asset has no such account.
pub fn authorize(asset: &Host, account: &str, key: &str) -> Result<()> {
    let script = r#"set -eu
        home=$(getent passwd "$1" | cut -d: -f6)
        install -d -m 0700 -o "$1" -g "$1" "$home/.ssh"
        cat >> "$home/.ssh/authorized_keys"
        chown "$1:$1" "$home/.ssh/authorized_keys"
        chmod 0600 "$home/.ssh/authorized_keys""#;
    asset
        .command(["bash", "-c", script, "authorize", account])
        .input(format!("{key}\n"))
        .run()
        .success()?;
    Ok(())
}
