//! Output that nobody has looked at yet is painted when somebody does. Of a flood only the last lines are: what has scrolled
//! out of what a [`Grid`](super::Grid) keeps leaves nothing behind but the rendition that it ended with.
//!
//! Only text and colours wait here ([`paint`]). Whatever else comes is not taken: then all is painted first, in its order. So
//! what is shown, and kept above, is the same as if each byte had been painted when it came.
use super::Screen;
use super::grid::ABOVE;

/// What waits at most before its beginning goes.
const MOST: usize = 64 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub struct Backlog {
    bytes: Vec<u8>,
    /// So much of it is known to be paint; behind it is the beginning of a sequence, or nothing.
    checked: usize,
}

impl Backlog {
    /// How many bytes of memory it takes.
    pub fn footprint(&self) -> usize {
        self.bytes.capacity()
    }
}

impl Screen {
    /// Takes output that need not be painted before [`Screen::catch_up`]; false: not taken, it has to be painted now.
    pub fn defer(&mut self, bytes: &[u8]) -> bool {
        let begins = self.backlog.bytes.is_empty();
        if begins && (self.in_alternate || !self.parser.at_ground() || !self.grid().scrolls_whole())
        {
            return false;
        }
        if bytes.len() > MOST {
            // What is paint as a whole is so in pieces, which need less room.
            let Backlog {
                bytes: waiting,
                checked,
            } = &self.backlog;
            let all = waiting.len() == *checked && paint(bytes) == Some(bytes.len());
            for piece in bytes.chunks(MOST / 2).filter(|_| all) {
                // After the last piece was painted, this one may begin within a character.
                if !self.defer(piece) {
                    self.catch_up();
                    self.paint_all(piece);
                }
            }
            return all;
        }
        let before = self.backlog.bytes.len();
        self.backlog.bytes.extend_from_slice(bytes);
        let unchecked = self.backlog.bytes.get(self.backlog.checked..);
        let Some(length) = paint(unchecked.unwrap_or_default()) else {
            self.backlog.bytes.truncate(before);
            return false;
        };
        self.backlog.checked += length;
        if self.backlog.bytes.len() >= MOST && !self.drop_beginning() {
            self.catch_up();
        }
        true
    }

    /// Paints what waits.
    pub fn catch_up(&mut self) {
        if self.backlog.bytes.is_empty() {
            return;
        }
        let waiting = std::mem::take(&mut self.backlog).bytes;
        self.paint_all(&waiting);
    }

    /// Drops what has scrolled through. Not if that cannot be told of half of it.
    fn drop_beginning(&mut self) -> bool {
        let Backlog { bytes, checked } = std::mem::take(&mut self.backlog);
        // Each line feed begins at least one row, and whatever row the cursor was in, it has been in the last one then.
        let enough = self.grid().height() * 2 + ABOVE;
        let cut = memchr::memrchr_iter(b'\n', bytes.get(..checked).unwrap_or_default())
            .skip(enough)
            .find(|at| at.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'\r'))
            .map_or(0, |at| at + 1);
        let (head, tail) = bytes.split_at(cut);
        // A character may be asked for again (REP): the last one is among what stays.
        let shows = tail
            .windows(2)
            .any(|pair| matches!(pair, [b'\n' | b' ' | b'm' | b'K', b' '..=b'~']));
        let drops = cut >= MOST / 4 && shows;
        if drops {
            self.render(head);
            self.stamp = self.stamp.wrapping_add(1);
            self.grid_mut().skip_lines(head.len() as u64);
        }
        self.backlog = match drops {
            true => Backlog {
                bytes: tail.to_vec(),
                checked: checked - cut,
            },
            false => Backlog { bytes, checked },
        };
        drops
    }

    /// The rendition that is left when this has been painted.
    fn render(&mut self, bytes: &[u8]) {
        let mut first = 0;
        for at in memchr::memrchr_iter(0x1b, bytes) {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.starts_with(b"\x1b[m") || rest.starts_with(b"\x1b[0m") {
                first = at;
                break;
            }
        }
        let bytes = bytes.get(first..).unwrap_or_default();
        for at in memchr::memchr_iter(0x1b, bytes) {
            let rest = bytes.get(at..).unwrap_or_default();
            let end = rest.iter().position(|byte| matches!(byte, b'm' | b'K'));
            let sequence = rest.get(..=end.unwrap_or(0)).unwrap_or_default();
            if sequence.ends_with(b"m") {
                for byte in sequence {
                    self.advance(*byte);
                }
            }
        }
    }
}

/// How much of this leaves nothing behind but text and colours, where the rest is the beginning of a sequence that may come to
/// do so. Nothing if something else is in it: any other control could be the start of something that lasts.
fn paint(bytes: &[u8]) -> Option<usize> {
    for at in memchr::memchr3_iter(0x1b, 0x0e, 0x0f, bytes) {
        let sequence = bytes.get(at..)?;
        let [0x1b, rest @ ..] = sequence else {
            return None;
        };
        let Some((bracket, rest)) = rest.split_first() else {
            return Some(at);
        };
        if *bracket != b'[' {
            return None;
        }
        let longest = rest.get(..LONGEST).unwrap_or(rest);
        let end = longest
            .iter()
            .find(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':'));
        match end {
            Some(b'm' | b'K') => {}
            None if rest.len() < LONGEST => return Some(at),
            _ => return None,
        }
    }
    Some(bytes.len())
}

/// The longest list of parameters.
const LONGEST: usize = 40;

#[cfg(test)]
mod tests {
    use super::super::Screen;
    use super::MOST;
    use proptest::prelude::{
        Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
    };

    /// What can be seen of a screen, and what is kept above it: characters and renditions, wraps, the cursor.
    fn seen(screen: &Screen) -> Vec<String> {
        let grid = screen.grid();
        let cursor = grid.cursor();
        let above = (1..=200).map_while(|up| grid.line(grid.top_line().checked_sub(up)?));
        let below = (0..grid.height() as u64).map_while(|down| grid.line(grid.top_line() + down));
        let mut all: Vec<String> = above
            .chain(below)
            .map(|row| {
                let cells = row.cells.iter().map(|cell| (cell.character, cell.pen));
                let marks = (0..grid.width()).flat_map(|column| row.marks(column));
                format!(
                    "{:?} {} {:?}",
                    cells.collect::<Vec<_>>(),
                    row.wrapped,
                    marks.collect::<String>()
                )
            })
            .collect();
        all.push(format!(
            "{} {} {} {} {} {:?}",
            cursor.line - grid.top_line(),
            cursor.column,
            screen.pen,
            screen.faint,
            screen.at_ground(),
            screen.last
        ));
        all
    }

    /// Text without an end, too long to wait.
    #[test]
    fn pieces_that_cut_characters_are_painted_whole() {
        let text = "界".repeat(100_000);
        let (mut late, mut once) = (Screen::new(24, 80), Screen::new(24, 80));
        assert!(late.defer(text.as_bytes()));
        late.catch_up();
        for byte in text.bytes() {
            once.advance(byte);
        }
        assert_eq!(seen(&late), seen(&once));
    }

    fn line() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            6 => "[ -~]{0,90}".prop_map(String::into_bytes),
            1 => "\\PC{0,20}".prop_map(String::into_bytes),
            2 => "\u{1b}\\[(|0|1|2|31|90|01;34|38;5;240|48;2;1;2;3|22;39)m".prop_map(String::into_bytes),
            1 => Just(b"\x1b[K".to_vec()),
            1 => Just(b"\t".to_vec()),
            1 => Just(b"\r".to_vec()),
            1 => Just("e\u{301}界".as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>().prop_filter("no control", |byte| *byte >= 0x20), 0..6),
        ];
        let end = prop_oneof![20 => Just(&b"\r\n"[..]), 1 => Just(&b"\n"[..]), 1 => Just(&b""[..])];
        (prop::collection::vec(part, 0..4), end)
            .prop_map(|(parts, end)| [parts.concat().as_slice(), end].concat())
    }

    proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 32, ..Default::default() })]

        /// Painted late or at once, it is the same screen.
        #[test]
        fn what_is_painted_later_is_what_would_have_been_painted_at_once(
            lines in prop::collection::vec(line(), 1..60),
            repeats in 1_usize..60,
            other in prop_oneof![Just(&b"\x1b[?25l"[..]), Just(&b"\x1b7\x1b[5;9Hx\x1b8"[..]), Just(&b"\x1b]0;t\x07"[..]), Just(&b""[..])],
            piece in prop_oneof![1_usize..30, 500_usize..5000, 20_000_usize..90_000],
            size in (2_u16..40, 2_u16..100),
            behind in prop::collection::vec(line(), 0..3),
        ) {
            let mut text = lines.concat().repeat(repeats);
            text.extend_from_slice(other);
            text.extend(lines.concat().repeat(repeats));
            text.extend(behind.concat());
            let mut late = Screen::new(size.0, size.1);
            let mut once = Screen::new(size.0, size.1);
            for bytes in text.chunks(piece) {
                if !late.defer(bytes) {
                    late.catch_up();
                    late.paint_all(bytes);
                }
                prop_assert!(late.backlog.footprint() <= 4 * MOST);
                for byte in bytes {
                    once.advance(*byte);
                }
            }
            late.catch_up();
            prop_assert_eq!(seen(&late), seen(&once));
            // Wide characters are painted over, in halves as well.
            for bytes in ["\x1b[1;1H界界e\u{301}界\x1b[1;2Habcd", "\x1b[2;1H界界\x1b[2;4H]", "\x1b[1;9999H界x"] {
                late.paint_all(bytes.as_bytes());
                for byte in bytes.bytes() {
                    once.advance(byte);
                }
            }
            prop_assert_eq!(seen(&late), seen(&once));
            // REP and insert mode go on from there alike.
            for byte in b"\x1b[3b\x1b[4hz" {
                late.advance(*byte);
                once.advance(*byte);
            }
            prop_assert_eq!(seen(&late), seen(&once));
        }
    }

    #[test]
    fn a_flood_is_not_painted_line_by_line() {
        for line in [
            "2026-11-21T10:00:00 web1 app[17]: request 7919 answered in 12 ms\r\n",
            "\x1b[01;34mfolder\x1b[0m  \x1b[01;32mprogram\x1b[0m\r\n",
        ] {
            let mut screen = Screen::new(24, 80);
            for _ in 0..400 {
                assert!(screen.defer(line.repeat(60).as_bytes()));
                assert!(screen.backlog.bytes.len() < MOST + 60 * line.len());
            }
            screen.catch_up();
            assert_eq!(screen.backlog.footprint(), 0, "nothing is kept for later");
            let characters = 400 * 60 * line.len() as u32;
            assert!(screen.stamp() < characters / 10, "{}", screen.stamp());
        }
    }

    #[test]
    fn what_is_more_than_paint_is_not_put_off() {
        for bytes in [
            &b"a\x1b[?2004h"[..],
            b"\x1b[?1049h",
            b"\x1b7",
            b"\x1b[2J",
            b"\x1b[5;7r",
            b"\x1b]0;title\x07",
            b"\x0e",
            b"\x1b[2;",
        ] {
            let mut screen = Screen::new(24, 80);
            let open = bytes == b"\x1b[2;";
            assert_eq!(screen.defer(bytes), open, "{bytes:?}");
        }
        let mut screen = Screen::new(24, 80);
        assert!(screen.defer(b"abc\x1b["));
        assert!(!screen.defer(b"?2004h"));
        screen.catch_up();
        screen.paint_all(b"?2004h");
        assert!(screen.bracketed());
    }
}
