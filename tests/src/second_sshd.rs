//! Another sshd on an asset: its own port, its own host key, and whatever of its configuration a test wants.

use crate::host::Host;
use crate::outcome::Outcome;

/// Starts one; `configuration` are lines of sshd_config(5) that win over the defaults. Its log is
/// `/var/log/sshd-PORT.log`. Returns its public host key.
///
/// # Panics
/// When it does not listen.
#[track_caller]
pub fn second_sshd(host: &Host, port: u16, configuration: &str) -> String {
    let folder = format!("/etc/ssh/second-{port}");
    host.run(format!(
        "mkdir -p {folder} && [ -e {folder}/key ] || ssh-keygen -q -t ed25519 -N '' -C second -f {folder}/key"
    ))
    .expect_status(0);
    host.write(
        format!("{folder}/config"),
        format!(
            "{configuration}\nPort {port}\nHostKey {folder}/key\nPidFile {folder}/pid\nUsePAM yes\nLogLevel VERBOSE\nSubsystem sftp internal-sftp\nMaxStartups 200\n"
        ),
    );
    let script = format!(
        "/usr/sbin/sshd -f {folder}/config -E /var/log/sshd-{port}.log || exit 1
         for try in $(seq 500); do grep -q 'Server listening' /var/log/sshd-{port}.log && exit 0; sleep 0.01; done; exit 1"
    );
    host.run(script).expect_status(0);
    host.read_text(format!("{folder}/key.pub"))
        .trim()
        .to_owned()
}

/// What that sshd has said.
#[must_use]
pub fn second_log(host: &Host, port: u16) -> String {
    host.try_read(format!("/var/log/sshd-{port}.log"))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// `jmsctl` on the bastion, `input` as its standard input.
#[track_caller]
pub fn jmsctl(bastion: &Host, line: &str, input: &str) -> Outcome {
    let words = ["jmsctl"].into_iter().chain(line.split_whitespace());
    bastion.command(words).input(input.to_owned()).run()
}
