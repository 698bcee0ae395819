//! One line of `authorized_keys` (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"), built from typed parts only: there is nothing
//! in it that could end a quotation or a line.
//!
//! A mistake here locks people out, because sshd skips a line whose options it does not understand. `restrict` comes
//! first: it switches off whatever an OpenSSH to come may add.
#![forbid(unsafe_code)]

use base64::{Engine, engine::general_purpose::STANDARD};
use snapshot::keys::Key;

/// The last second that four digits of a year can say and jiff knows: 9999-12-30T21:59:59Z.
const LAST_SECOND: i64 = 253_402_207_199;

/// The line, with its line feed.
pub(crate) fn authorized_keys_line(key: &Key) -> String {
    let conditions = key.conditions();
    let mut line = String::from("restrict,pty");
    if conditions.verify_required {
        line.push_str(",verify-required");
    }
    if !conditions.from.is_empty() {
        let networks: Vec<String> = conditions.from.iter().map(ToString::to_string).collect();
        line.push_str(&format!(",from=\"{}\"", networks.join(",")));
    }
    if let Some(end) = conditions.valid_until {
        line.push_str(&format!(",expiry-time=\"{}\"", expiry_time(end)));
    }
    line.push_str(&format!(
        " {} {}\n",
        key.key_type().name(),
        STANDARD.encode(key.blob())
    ));
    line
}

/// `YYYYMMDDHHMMSSZ`. The `Z` (UTC) is understood since OpenSSH 9.1; without it sshd takes its own time zone.
fn expiry_time(seconds: u64) -> String {
    let seconds = i64::try_from(seconds)
        .unwrap_or(LAST_SECOND)
        .min(LAST_SECOND);
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y%m%d%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        process::{Command, Stdio},
    };

    use snapshot::{UserName, keys::Conditions};

    use super::*;

    fn key(blob: Vec<u8>, conditions: Conditions) -> Key {
        Key::new(UserName::new(b"alice").unwrap(), [0; 32], blob, conditions).unwrap()
    }

    fn security_key() -> Vec<u8> {
        [
            &b"\0\0\0\x1ask-ssh-ed25519@openssh.com\0\0\0\x20"[..],
            &[7; 32],
            b"\0\0\0\x04ssh:",
        ]
        .concat()
    }

    /// What ssh-keygen makes of a line: size, fingerprint, type.
    fn ssh_keygen(line: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("line");
        fs::write(&path, line).unwrap();
        let output = Command::new("ssh-keygen")
            .args(["-l", "-f", "-"])
            .stdin(fs::File::open(path).unwrap())
            .stderr(Stdio::inherit())
            .output()
            .expect("ssh-keygen must be installed");
        assert!(output.status.success(), "ssh-keygen does not take {line:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn every_option() {
        let conditions = Conditions {
            from: ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]
                .map(|text| text.parse().unwrap())
                .into(),
            valid_until: Some(1_893_456_000),
            verify_required: true,
            user_disabled: false,
        };
        let line = authorized_keys_line(&key(security_key(), conditions));
        let base64 = STANDARD.encode(security_key());
        assert_eq!(
            line,
            format!(
                "restrict,pty,verify-required,from=\"10.0.0.0/8,2001:db8::/32,192.0.2.7/32\",\
                 expiry-time=\"20300101000000Z\" sk-ssh-ed25519@openssh.com {base64}\n"
            )
        );
        assert!(ssh_keygen(&line).contains("(ED25519-SK)"));
    }

    #[test]
    fn expiry_times() {
        for (seconds, text) in [
            (0, "19700101000000Z"),
            (951_782_399, "20000228235959Z"),
            (951_782_400, "20000229000000Z"),
            (1_709_251_199, "20240229235959Z"),
            (4_294_967_296, "21060207062816Z"),
            (253_402_207_199, "99991230215959Z"),
            (u64::MAX, "99991230215959Z"),
        ] {
            assert_eq!(expiry_time(seconds), text);
        }
    }

    #[test]
    fn ssh_keygen_reads_the_same_key_of_every_type() {
        for (kind, bits) in [
            ("ed25519", "256"),
            ("ecdsa", "256"),
            ("ecdsa", "384"),
            ("ecdsa", "521"),
            ("rsa", "2048"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("key");
            let made = Command::new("ssh-keygen")
                .args(["-q", "-N", "", "-t", kind, "-b", bits, "-f"])
                .arg(&path)
                .status();
            assert!(made.expect("ssh-keygen must be installed").success());
            let public = fs::read_to_string(path.with_extension("pub")).unwrap();
            let blob = STANDARD.decode(public.split(' ').nth(1).unwrap()).unwrap();
            let conditions = Conditions {
                from: vec!["10.0.0.0/8".parse().unwrap()],
                valid_until: Some(1_893_456_000),
                ..Conditions::default()
            };
            let ours = ssh_keygen(&authorized_keys_line(&key(blob, conditions)));
            let theirs = ssh_keygen(&public);
            let two = |text: &str| {
                text.split(' ')
                    .take(2)
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(two(&ours), two(&theirs), "{kind} {bits}");
        }
    }
}
