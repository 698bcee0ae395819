//! Shell hooks: however the asset's output is cut, the same is seen and the same is announced; nothing of the token is seen.
#![no_main]

use force_command::hooks::Sieve;
use jms::id::Token;
use libfuzzer_sys::fuzz_target;

const TOKEN: &str = "00112233445566778899aabbccddeeff";

fuzz_target!(|data: (Vec<u8>, Vec<u8>, Vec<u8>, u16)| {
    let (before, inside, behind, cut) = data;
    let mut output = before;
    output.extend(format!("\x1bPjms;{TOKEN};").into_bytes());
    output.extend(inside);
    output.extend(behind);
    let sift = |parts: &[&[u8]]| {
        let mut sieve = Sieve::new(Token::parse(TOKEN).expect("a token"));
        for echo in force_command::hooks::start::echoed("77", "1") {
            sieve.expect_echo(echo);
        }
        let (mut seen, mut markers) = (Vec::new(), Vec::new());
        for part in parts {
            let (more, others) = sieve.feed(part);
            seen.extend(more);
            markers.extend(others);
        }
        seen.extend(sieve.end());
        (seen, markers)
    };
    let whole = sift(&[&output]);
    let (first, second) = output.split_at(usize::from(cut).min(output.len()));
    assert_eq!(whole, sift(&[first, second]));
    let bytes: Vec<&[u8]> = output.chunks(1).collect();
    assert_eq!(whole, sift(&bytes));
    assert!(whole.0.len() <= output.len());
});
