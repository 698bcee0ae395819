//! sssd in front of the C module. Its provider for files is gone in newer versions; the one that asks a name service module is not.

use anyhow::{Context, Result};
use tests::Host;

use super::Module;
use crate::workbench::Workbench;

/// Its side in the asking process.
pub const MODULE: Module = Module {
    file: "/usr/lib/x86_64-linux-gnu/libnss_sss.so.2",
    prefix: "sss",
};

/// Nothing is asked twice within an hour, and all hot names have room.
const SETTINGS: &str = "[sssd]\nservices = nss\ndomains = bench\n\n[nss]\nmemcache_timeout = 3600\nmemcache_size_passwd = 32\n\n\
    [domain/bench]\nid_provider = proxy\nauth_provider = none\nchpass_provider = none\nproxy_lib_name = reference\nentry_cache_timeout = 3600\nenumerate = false\n";

/// Writes its settings.
pub fn configure(bench: &Workbench) -> Result<()> {
    let host = bench.ours.bastion();
    let version = host.run("sssd --version").success()?.line_of_output();
    bench.tell(&format!("sssd {version}, `/etc/sssd/sssd.conf`"), SETTINGS);
    host.write("/etc/sssd/sssd.conf", SETTINGS);
    host.run("chmod 0600 /etc/sssd/sssd.conf && chown root:root /etc/sssd/sssd.conf")
        .success()?;
    Ok(())
}

/// Starts it with nothing in its cache, and waits until it answers.
pub fn restart(host: &Host) -> Result<()> {
    let script = r#"
        if [ -s /run/sssd.pid ]; then
            pid=$(cat /run/sssd.pid); kill $pid
            for try in $(seq 1000); do [ -e /proc/$pid ] || break; sleep 0.01; done
        fi
        rm -f /var/lib/sss/db/* /var/lib/sss/mc/*
        sssd -D || exit 1
        for try in $(seq 1000); do
            /srv/look_up /usr/lib/x86_64-linux-gnu/libnss_sss.so.2 sss name 1000 1 1 >/dev/null 2>&1 && exit 0
            sleep 0.01
        done
        tail -n 20 /var/log/sssd/*.log >&2; exit 1"#;
    host.run(script).success().context("sssd does not answer")?;
    Ok(())
}
