//! Lines of a file of any size that strangers write into: a long one costs no memory.
#![forbid(unsafe_code)]

use std::io::{self, BufRead, Read};

/// The longest line that is looked at, in bytes; sshd's are far shorter. The rest of a longer one is skipped.
const LONGEST: u64 = 16 * 1024;

/// Calls `each` with every line, without its end.
pub fn each_line(mut reader: impl BufRead, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            each(&line);
        } else if (line.len() as u64) < LONGEST {
            // The last one, still being written.
            each(&line);
        } else {
            each(&line);
            reader.skip_until(b'\n')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_without_their_ends_and_long_ones_are_cut() {
        let long = "x".repeat(20_000);
        let text = format!("a\n\n{long}\nb");
        let mut lengths = Vec::new();
        each_line(text.as_bytes(), |line| lengths.push(line.len())).unwrap();
        assert_eq!(lengths, [1, 0, 16 * 1024, 1]);
    }
}
