//! What a replay needs, and what stays behind at its end.
use super::safe;
use crate::replay::{RESET, Safe, printable};

#[test]
fn what_a_replay_needs_passes() {
    for text in [
        "hello, wörld €\r\n\tand\x08 more\x0b\x0c",
        "\x1b[H\x1b[2J\x1b[K\x1b[1K\x1b[5;10H\x1b[;10H\x1b[3A\x1b[B\x1b[2C\x1b[D\x1b[E\x1b[F\x1b[7G",
        "\x1b[2L\x1b[M\x1b[4P\x1b[@\x1b[X\x1b[S\x1b[T\x1b[I\x1b[Z\x1b[5b\x1b[3d\x1b[2a\x1b[2e\x1b[9`\x1b[1;1f",
        "\x1b[1;31mred\x1b[0m\x1b[38;5;196m\x1b[48;2;1;2;3m\x1b[4:3m",
        "\x1b[2;20r\x1b[r\x1b7\x1b8\x1b[s\x1b[u\x1bD\x1bE\x1bM",
        "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?6h\x1b[4h\x1b[4l\x1b[?47h\x1b[?47l",
    ] {
        assert_eq!(safe(text), text);
    }
    assert_eq!(safe("\x1b[?1000;1049;2004;25h"), "\x1b[?1049h\x1b[?25h");
    assert_eq!(safe("\x1b[?J\x1b[?1K\x1b[m"), "\x1b[J\x1b[1K\x1b[0m");
    assert_eq!(safe("\x1b[99999999999999999999A"), "\x1b[9999A");
}

#[test]
fn line_drawing_becomes_unicode_and_no_character_set_changes() {
    assert_eq!(safe("\x1b(0lqqk\x1b(Bq"), "┌──┐q");
    assert_eq!(safe("\x1b)0\x0exQ\x0fx"), "│Qx");
    assert_eq!(safe("\x1b(0q\x1b7\x1b(Bq\x1b8q"), "─\x1b7q\x1b8─");
    assert_eq!(safe("\x1b(0\x1bcq").chars().last(), Some('q'));
    assert_eq!(safe("\x1b(0é~"), "é·");
}

#[test]
fn a_full_reset_becomes_a_clear_screen() {
    let shown = safe("\x1b[?1049h\x1bc");
    assert!(
        shown.contains("\x1b[?1049l") && shown.ends_with("\x1b[H\x1b[2J"),
        "{shown:?}"
    );
    assert!(!shown.contains("\x1bc"));
    assert_eq!(safe("\x1b[!p"), "\x1b[0m\x1b[4l\x1b[?25h");
}

#[test]
fn text_that_lies_about_its_direction_is_marked() {
    assert_eq!(
        safe("a\u{202e}b\u{2066}c\u{5d0}"),
        "a\u{fffd}b\u{fffd}c\u{5d0}"
    );
    assert_eq!(
        printable("a\x1b]0;x\x07\n\u{202e}\u{9b}b€"),
        "a\u{fffd}]0;x\u{fffd}\u{fffd}\u{fffd}\u{fffd}b€"
    );
}

#[test]
fn the_end_undoes_what_was_done_and_no_more() {
    let plain = "\x1b[0m\x1b[4l\x1b[?7h\x1b[?25h";
    let mut filter = Safe::new();
    let _ = filter.push("text \x1b]0;never closed");
    assert_eq!(filter.finish(), format!("{plain}\r\n"));
    assert_eq!(filter.push("text"), "text");
    let _ = filter.push("\x1b[?1049h\x1b(0");
    assert_eq!(filter.finish(), format!("{plain}\x1b[?1049l\r\n"));
    assert_eq!(
        filter.push("q\x1b[2;5r\x1b[?47h\x1b[?47l"),
        "q\x1b[2;5r\x1b[?47h\x1b[?47l"
    );
    assert_eq!(
        filter.finish(),
        format!("{plain}\x1b[?6l\x1b[r\x1b[9999;1H\r\n")
    );
    for needed in [
        "\x18",
        "\x1b[?1000l",
        "\x1b[?2004l",
        "\x1b[?1049l",
        "\x1b(B",
    ] {
        assert!(RESET.contains(needed));
    }
}
