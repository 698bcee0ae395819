//! What was written is found, all of it and nothing else.

use std::{collections::BTreeMap, net::IpAddr};

use proptest::prelude::*;
use snapshot::{
    Cidr, Error, KeyType, Kind, UserName, WriteError, is_reserved_user_name,
    keys::{self, Conditions, Key, KeyError},
    users::{self, Flags, User},
};

fn name(text: &str) -> UserName {
    UserName::new(text.as_bytes()).unwrap()
}

fn user(text: &str, uid: u32) -> User {
    User::new(name(text), uid, Flags::empty()).unwrap()
}

fn ed25519(seed: u8) -> Vec<u8> {
    let mut blob = vec![0, 0, 0, 11];
    blob.extend(b"ssh-ed25519\0\0\0\x20");
    blob.extend([seed; 32]);
    blob
}

fn any_name() -> impl Strategy<Value = String> {
    "[a-z_][a-z0-9_.-]{0,31}"
        .prop_filter("reserved", |name| !is_reserved_user_name(name.as_bytes()))
}

fn any_flags() -> impl Strategy<Value = Flags> {
    prop_oneof![
        Just(Flags::empty()),
        Just(Flags::MFA_AT_LOGIN),
        Just(Flags::DISABLED),
        Just(Flags::MFA_AT_LOGIN.union(Flags::DISABLED))
    ]
}

fn any_users() -> impl Strategy<Value = Vec<User>> {
    prop::collection::btree_map(any_name(), (65536..4_294_967_293_u32, any_flags()), 0..200)
        .prop_map(|users| {
            let by_uid: BTreeMap<u32, User> = users
                .iter()
                .map(|(text, (uid, flags))| (*uid, User::new(name(text), *uid, *flags).unwrap()))
                .collect();
            by_uid.into_values().rev().collect()
        })
}

fn any_cidr() -> impl Strategy<Value = Cidr> {
    let masked = |bits: u128, prefix: u8, width: u8| {
        let kept = u128::MAX.checked_shl((width - prefix).into()).unwrap_or(0);
        bits & kept
    };
    prop_oneof![
        (any::<u32>(), 0..=32_u8).prop_map(move |(bits, prefix)| {
            let bits = u32::try_from(masked(bits.into(), prefix, 32)).unwrap();
            Cidr::new(IpAddr::V4(bits.into()), prefix).unwrap()
        }),
        (any::<u128>(), 0..=128_u8).prop_map(move |(bits, prefix)| Cidr::new(
            IpAddr::V6(masked(bits, prefix, 128).into()),
            prefix
        )
        .unwrap()),
    ]
}

fn any_keys() -> impl Strategy<Value = Vec<Key>> {
    let key = (
        any::<u8>(),
        prop::collection::vec(any_cidr(), 0..4),
        any::<Option<u64>>(),
        any::<bool>(),
    );
    let all = prop::collection::btree_map((any_name(), any::<[u8; 32]>()), key, 0..60);
    all.prop_map(|keys| {
        let make = |((user, fingerprint), (seed, from, valid_until, user_disabled)): (
            (String, [u8; 32]),
            _,
        )| {
            let conditions = Conditions {
                from,
                valid_until,
                verify_required: false,
                user_disabled,
            };
            Key::new(name(&user), fingerprint, ed25519(seed), conditions).unwrap()
        };
        keys.into_iter().rev().map(make).collect()
    })
}

proptest! {
    #[test]
    fn users_are_found_by_name_and_uid(all in any_users(), other in any_name(), uid: u32, generation: u64) {
        let bytes = users::write(generation, all.iter().copied()).unwrap();
        let reader = users::Reader::new(&bytes[..]).unwrap();
        prop_assert!(reader.verify().is_ok());
        prop_assert_eq!(reader.generation(), generation);
        for user in &all {
            prop_assert_eq!(reader.by_name(user.name()).unwrap(), Some(*user));
            prop_assert_eq!(reader.by_uid(user.uid()).unwrap(), Some(*user));
        }
        let by = |found: &dyn Fn(&User) -> bool| all.iter().copied().find(|user| found(user));
        prop_assert_eq!(reader.by_name(&name(&other)).unwrap(), by(&|user| user.name().as_str() == other));
        prop_assert_eq!(reader.by_uid(uid).unwrap(), by(&|user| user.uid() == uid));
        let mut sorted = all;
        sorted.sort_by_key(User::uid);
        prop_assert_eq!(reader.iter().collect::<Result<Vec<_>, _>>().unwrap(), sorted);
    }

    #[test]
    fn keys_are_found_by_fingerprint_and_user(all in any_keys(), other in any_name(), fingerprint: [u8; 32]) {
        let bytes = keys::write(1, all.iter().cloned()).unwrap();
        let reader = keys::Reader::new(&bytes[..]).unwrap();
        prop_assert!(reader.verify().is_ok());
        for key in &all {
            let found = reader.find(key.fingerprint(), key.user()).unwrap();
            prop_assert_eq!(found.as_ref(), Some(key));
            prop_assert!(reader.find(&fingerprint, key.user()).unwrap().is_none());
            if all.iter().all(|any| any.user().as_str() != other) {
                prop_assert!(reader.find(key.fingerprint(), &name(&other)).unwrap().is_none());
            }
        }
    }

    #[test]
    fn a_changed_byte_is_noticed_by_verify(all in any_users(), at: prop::sample::Index, change in 1..=255_u8) {
        let mut bytes = users::write(1, all).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        // Bytes 40 to 55 are reserved: covered by the header checksum all the same.
        prop_assert!(users::Reader::new(&bytes[..]).and_then(|reader| reader.verify()).is_err());
    }
}

#[test]
fn an_empty_snapshot_has_nobody() {
    let bytes = users::write(7, []).unwrap();
    let reader = users::Reader::new(&bytes[..]).unwrap();
    assert_eq!((reader.count(), reader.generation()), (0, 7));
    assert!(reader.by_name(&name("alice")).unwrap().is_none());
    assert!(reader.by_uid(70000).unwrap().is_none());
    reader.verify().unwrap();
    let bytes = keys::write(7, []).unwrap();
    let reader = keys::Reader::new(&bytes[..]).unwrap();
    assert!(reader.find(&[0; 32], &name("alice")).unwrap().is_none());
    reader.verify().unwrap();
}

#[test]
fn the_header_is_the_documented_one() {
    let bytes = users::write(0x0102_0304, [user("alice", 70000)]).unwrap();
    assert_eq!(bytes[..8], *b"JMSSNAP\0");
    assert_eq!(bytes[8..16], [1, 0, 1, 0, 2, 0, 0, 0]);
    assert_eq!(bytes[16..24], [4, 3, 2, 1, 0, 0, 0, 0]);
    assert_eq!(bytes[24..32], (bytes.len() as u64).to_le_bytes());
    assert_eq!(bytes[64..72], [1, 0, 0, 0, 64, 0, 0, 0]);
    assert_eq!(
        bytes[112..116],
        70000_u32.to_le_bytes(),
        "the first record stands behind two table entries"
    );
    assert_eq!(
        bytes[120..133],
        [5, 0, 0, 0, 0, 0, 0, 0, b'a', b'l', b'i', b'c', b'e']
    );
}

#[test]
fn what_is_there_twice_is_refused() {
    let twice = users::write(1, [user("alice", 70000), user("bob", 70000)]);
    assert_eq!(twice, Err(WriteError::DuplicateUid(70000)));
    let twice = users::write(
        1,
        [
            user("alice", 70000),
            user("bob", 70001),
            user("alice", 70002),
        ],
    );
    assert_eq!(twice, Err(WriteError::DuplicateName("alice".into())));
    let key = Key::new(name("alice"), [1; 32], ed25519(1), Conditions::default()).unwrap();
    assert_eq!(
        keys::write(1, [key.clone(), key.clone()]),
        Err(WriteError::DuplicateKey("alice".into()))
    );
    let shared = Key::new(name("bob"), [1; 32], ed25519(1), Conditions::default()).unwrap();
    assert!(
        keys::write(1, [key, shared]).is_ok(),
        "two people may share a key; whether they should is not ours to say"
    );
}

#[test]
fn uids_of_the_system_are_no_users() {
    for uid in [0, 999, 61184, 65534, 65535, u32::MAX - 1, u32::MAX] {
        assert_eq!(User::new(name("alice"), uid, Flags::empty()), None, "{uid}");
    }
}

#[test]
fn keys_that_cannot_be_published() {
    let conditions = Conditions {
        verify_required: true,
        ..Conditions::default()
    };
    let key = Key::new(name("alice"), [1; 32], ed25519(1), conditions);
    assert_eq!(key, Err(KeyError::VerifyRequired(KeyType::Ed25519)));
    let conditions = Conditions {
        from: vec!["10.0.0.0/8".parse().unwrap(); 65],
        ..Conditions::default()
    };
    assert_eq!(
        Key::new(name("alice"), [1; 32], ed25519(1), conditions),
        Err(KeyError::Networks(65))
    );
    assert!(matches!(
        Key::new(
            name("alice"),
            [1; 32],
            b"ssh".to_vec(),
            Conditions::default()
        ),
        Err(KeyError::Blob(_))
    ));
}

#[test]
fn one_kind_is_not_read_as_the_other() {
    let users = users::write(1, []).unwrap();
    assert!(matches!(
        keys::Reader::new(&users[..]),
        Err(Error::Kind {
            expected: Kind::Keys,
            found: 1
        })
    ));
    let keys = keys::write(1, []).unwrap();
    assert!(matches!(
        users::Reader::new(&keys[..]),
        Err(Error::Kind {
            expected: Kind::Users,
            found: 2
        })
    ));
}

#[test]
fn a_million_users() {
    let all = (0..1_000_000_u32).map(|number| user(&format!("user{number}"), 1_000_000 + number));
    let bytes = users::write(1, all).unwrap();
    let reader = users::Reader::new(&bytes[..]).unwrap();
    assert_eq!(reader.count(), 1_000_000);
    for number in (0..1_000_000_u32).step_by(997) {
        let expected = user(&format!("user{number}"), 1_000_000 + number);
        assert_eq!(reader.by_uid(1_000_000 + number).unwrap(), Some(expected));
        assert_eq!(reader.by_name(expected.name()).unwrap(), Some(expected));
        assert_eq!(
            reader.by_name(&name(&format!("nobody{number}"))).unwrap(),
            None
        );
    }
    assert_eq!(reader.by_uid(999_999).unwrap(), None);
    assert_eq!(reader.by_uid(2_000_000).unwrap(), None);
}
