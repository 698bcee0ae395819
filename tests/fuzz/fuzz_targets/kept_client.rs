//! What a client that keeps its connection answers a session: bytes of a process that speaks with a hostile machine.
#![no_main]

use force_command::egress::mux::Answers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|pieces: Vec<&[u8]>| {
    let mut whole = Answers::default();
    let mut cut = Answers::default();
    let mut said = Vec::new();
    for piece in &pieces {
        cut.receive(piece);
        whole.receive(piece);
        while let Ok(Some(one)) = cut.said() {
            said.push(one);
        }
        if cut.said().is_err() {
            break;
        }
    }
    // In whatever pieces it comes, it means the same.
    let mut again = Vec::new();
    while let Ok(Some(one)) = whole.said() {
        again.push(one);
    }
    assert_eq!(said, again);
});
