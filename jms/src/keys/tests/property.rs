use crate::keys::wire::{Reader, Writer};
use crate::keys::{HostKey, PrivateKey, PublicKey, parse_keyscan};
use proptest::prelude::{any, prop, proptest};

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = PublicKey::parse_line(&text);
        let _ = HostKey::parse_line(&text);
        let _ = PrivateKey::parse(&text, Some("x"));
        let _ = PublicKey::from_blob(&bytes);
        let _ = HostKey::from_blob(&bytes);
        let _ = parse_keyscan(&bytes);
    }

    #[test]
    fn bytes_behind_a_kind_never_panic(kind in 0..7_usize, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut blob = Vec::new();
        blob.put_string(crate::keys::KeyKind::ALL[kind].as_str().as_bytes());
        blob.extend_from_slice(&bytes);
        if let Ok(key) = PublicKey::from_blob(&blob) {
            let line = key.openssh_line("x");
            assert_eq!(PublicKey::parse_line(&line).unwrap(), key);
            assert!(snapshot::parse_key_blob(key.blob()).is_ok());
        }
    }

    #[test]
    fn fields_come_back(number in prop::collection::vec(any::<u8>(), 1..80), text in any::<Vec<u8>>()) {
        let mut bytes = Vec::new();
        bytes.put_positive(&number);
        bytes.put_string(&text);
        let mut reader = Reader::new(&bytes);
        let significant = number.iter().position(|byte| *byte != 0);
        match significant {
            Some(start) => assert_eq!(reader.positive().unwrap(), &number[start..]),
            None => assert!(reader.string().unwrap().is_empty()),
        }
        assert_eq!(reader.string().unwrap(), text);
        assert_eq!(reader.finish(), Ok(()));
    }
}
