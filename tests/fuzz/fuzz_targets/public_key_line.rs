//! A line that is taken as a key is one: it is written and read back the same, and every other crate takes it too.
#![no_main]

use jms::keys::{HostKey, PublicKey, is_allowed_kind};
use libfuzzer_sys::fuzz_target;
use snapshot::parse_key_blob;

fuzz_target!(|text: &str| {
    if let Ok(key) = PublicKey::parse_line(text) {
        let line = key.openssh_line(key.comment());
        assert!(!line.contains(char::is_control));
        let again = PublicKey::parse_line(&line).expect("our own line");
        assert_eq!((&again, again.comment()), (&key, key.comment()));
        assert!(is_allowed_kind(key.kind().as_str()));
        assert!(parse_key_blob(key.blob()).is_ok_and(|kind| kind.name() == key.kind().as_str()));
    }
    if let Ok(key) = HostKey::parse_line(text) {
        let line = key.known_hosts_line("web1", 2222).expect("a plain name");
        assert_eq!(HostKey::parse_line(&line).expect("our own line"), key);
    }
});
