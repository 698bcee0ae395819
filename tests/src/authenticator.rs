//! A phone: it photographs a QR code on a terminal, and shows codes.

use crate::host::Host;

/// An authenticator app with one account.
#[derive(Debug, Clone)]
pub struct Authenticator {
    secret: String,
}

/// Codes, by RFC 6238, with other code than the bastion's.
const PROGRAM: &str = "import base64, hashlib, hmac, struct, sys, time
secret, ahead = sys.argv[1], int(sys.argv[2])
left = 30 - time.time() % 30
if ahead < 0 and left < 10: time.sleep(left)
step = int(time.time()) // 30 + ahead
mac = hmac.new(base64.b32decode(secret), struct.pack('>Q', step), hashlib.sha1).digest()
at = mac[-1] & 15
print('%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000))";

impl Authenticator {
    /// With what a QR code says (Google's “Key Uri Format”).
    ///
    /// # Panics
    /// When it says something else.
    #[must_use]
    #[track_caller]
    pub fn scan(uri: &str) -> Self {
        assert!(uri.starts_with("otpauth://totp/"), "{uri}");
        let secret = uri
            .split(['?', '&'])
            .find_map(|part| part.strip_prefix("secret="));
        let Some(secret) = secret else {
            panic!("no secret in {uri}")
        };
        Self {
            secret: secret.to_owned(),
        }
    }

    /// With a secret that was typed.
    #[must_use]
    pub fn typed(secret: &str) -> Self {
        Self {
            secret: secret.split_whitespace().collect(),
        }
    }

    /// The secret.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The code that the app shows `ahead` steps of half a minute after now; one of an earlier step, which is not taken for
    /// long, with ten seconds at least to type it. `host` has Python.
    ///
    /// # Panics
    /// When the program fails.
    #[must_use]
    #[track_caller]
    pub fn code(&self, host: &Host, ahead: i32) -> String {
        let words = ["python3", "-c", PROGRAM, &self.secret, &ahead.to_string()];
        let shown = host.command(words).run().expect_status(0).text();
        shown.trim().to_owned()
    }
}

/// An app that was enrolled from the screen of `mfa enroll`, and its recovery codes. `host` has Python.
///
/// # Panics
/// When the screen shows something else.
#[must_use]
#[track_caller]
pub fn enrolled(mut screen: crate::Terminal, host: &Host) -> (Authenticator, Vec<String>) {
    let shown = screen.expect("code of the app: ");
    let secret = shown
        .lines()
        .map(str::trim)
        .find(|line| line.len() == 39 && line.split(' ').all(|part| part.len() == 4));
    let Some(secret) = secret else {
        panic!("no secret in {shown}")
    };
    let app = Authenticator::typed(secret);
    screen.send_line(&app.code(host, -1));
    screen.expect("Recovery codes");
    let codes = screen.expect("type yes when you have noted them: ");
    let codes = codes
        .split_whitespace()
        .filter(|word| word.len() == 11 && word.contains('-'))
        .map(str::to_owned)
        .collect();
    screen.send_line("yes");
    let _ = screen.wait().expect_status(0);
    (app, codes)
}
