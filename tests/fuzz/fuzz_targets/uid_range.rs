//! No text makes a range with a system uid in it, or a group that is root's or nobody's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snapshot::UidRange;

fuzz_target!(|data: &[u8]| {
    let Ok(range) = UidRange::parse(data) else {
        return;
    };
    for uid in [0, 1, 999, 61184, 65534, 65535, u32::MAX - 1, u32::MAX] {
        assert!(!range.contains(uid));
    }
    assert!(range.contains(range.first()) && range.contains(range.last()));
    for gid in [range.users_gid(), range.mfa_gid()] {
        assert!(![0, 65534, 65535, u32::MAX - 1, u32::MAX].contains(&gid));
    }
    assert_ne!(range.users_gid(), range.mfa_gid());
});
