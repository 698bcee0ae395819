//! A login name that divides is put together again the same, and has no byte that a shell, a log or a path minds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snapshot::{is_reserved_user_name, is_valid_user_name, split_login_name};

fuzz_target!(|data: &[u8]| {
    let Some(login) = split_login_name(data) else {
        assert!(!is_valid_user_name(data) || is_reserved_user_name(data));
        return;
    };
    assert!(data.len() <= 128 && is_valid_user_name(login.user.as_bytes()));
    assert!(data.iter().all(|byte| byte.is_ascii_graphic() && !b"/:\\'\"`;&|<>()*?[]{}!#~%,=+^".contains(byte)));
    let mut again = login.user.as_bytes().to_vec();
    if let Some(target) = login.target {
        assert!(!target.is_empty());
        again.push(b'@');
        again.extend(target);
    }
    assert_eq!(again, data);
});
