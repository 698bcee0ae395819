//! A text that is taken as a private key is one that can be stored, read back and used. With the marker line left
//! out, the input is the inside of a key file, so that the fuzzer need not find base64.
#![no_main]

use base64::{Engine, engine::general_purpose::STANDARD};
use jms::keys::PrivateKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        try_one(text);
    }
    let inside = STANDARD.encode(data);
    try_one(&format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{inside}\n-----END OPENSSH PRIVATE KEY-----\n"
    ));
});

fn try_one(text: &str) {
    // Without a passphrase: bcrypt is slow on purpose.
    if let Ok(key) = PrivateKey::parse(text, None) {
        let stored = key.to_openssh();
        let again = PrivateKey::parse(stored.expose(), None).expect("our own file");
        assert_eq!(again.public(), key.public());
    }
}
