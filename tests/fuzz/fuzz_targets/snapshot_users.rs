//! Whatever the file: an error or a possible user who was asked for. The name service module reads a mapped copy by the same reader,
//! which takes bytes out of memory as it does here.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use snapshot::{
    Identity, UserName, is_possible_uid,
    users::{Flags, Reader, User, write},
};

fn name(number: u32) -> UserName {
    UserName::new(format!("user{number}").as_bytes()).expect("a name")
}

static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let user = |number| User::new(name(number), 70000 + number, Flags::empty()).expect("a uid");
    write(3, (0..40).map(user)).expect("a snapshot")
});

fuzz_target!(|data: &[u8]| {
    let _ = Identity::parse(data);
    let file = fuzz::snapshot_file(data, &SAMPLE);
    let Ok(reader) = Reader::new(&file[..]) else {
        return;
    };
    let whole = reader.verify().is_ok();
    for number in 0..45 {
        if let Ok(Some(user)) = reader.by_name(&name(number)) {
            assert!(*user.name() == name(number) && is_possible_uid(user.uid()));
        }
        if let Ok(Some(user)) = reader.by_uid(70000 + number) {
            assert_eq!(user.uid(), 70000 + number);
        }
    }
    let between = reader.first_from(70020).unwrap_or_default();
    assert!(between <= reader.count());
    for uid in [0, 999, 61184, 65534, 65535, u32::MAX] {
        assert!(!matches!(reader.by_uid(uid), Ok(Some(_))));
    }
    if whole {
        for user in reader.iter().take(1000) {
            let user = user.expect("a verified snapshot has only good records");
            assert_eq!(reader.by_uid(user.uid()).expect("found"), Some(user));
            assert_eq!(reader.by_name(user.name()).expect("found"), Some(user));
            let next = reader.first_from(user.uid() + 1).expect("found");
            assert!(next == reader.count() || reader.record(next).expect("a record").uid() > user.uid());
            assert_eq!(reader.record(next - 1).expect("a record"), user);
        }
    }
});
