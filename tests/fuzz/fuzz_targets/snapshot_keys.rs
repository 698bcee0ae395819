//! Whatever the file: an error or a well-formed key of the user who was asked for.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use snapshot::{
    UserName,
    keys::{Conditions, Key, MAX_NETWORKS, Reader, write},
    parse_key_blob,
};

fn name(number: u8) -> UserName {
    UserName::new(format!("user{number}").as_bytes()).expect("a name")
}

static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let blob = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &[7; 32]].concat();
    let key = |number: u8| {
        let from = vec![
            "10.0.0.0/8".parse().expect("a network"),
            "2001:db8::/32".parse().expect("a network"),
        ];
        let conditions = Conditions {
            from,
            valid_until: Some(number.into()),
            ..Conditions::default()
        };
        Key::new(name(number), [number; 32], blob.clone(), conditions).expect("a key")
    };
    write(3, (0..20).map(key)).expect("a snapshot")
});

fuzz_target!(|data: &[u8]| {
    let file = fuzz::snapshot_file(data, &SAMPLE);
    let Ok(reader) = Reader::new(&file[..]) else {
        return;
    };
    let whole = reader.verify().is_ok();
    for number in 0..25 {
        if let Ok(Some(key)) = reader.find(&[number; 32], &name(number)) {
            assert!(*key.user() == name(number) && *key.fingerprint() == [number; 32]);
            assert_eq!(parse_key_blob(key.blob()), Ok(key.key_type()));
            assert!(key.conditions().from.len() <= MAX_NETWORKS);
        }
    }
    if whole {
        for key in reader.iter().take(1000) {
            let key = key.expect("a verified snapshot has only good records");
            assert_eq!(
                reader
                    .find(key.fingerprint(), key.user())
                    .expect("found")
                    .as_ref(),
                Some(&key)
            );
        }
    }
});
