//! Attacks on the terminal of whoever looks at a recording.
use super::safe;
use crate::replay::Safe;

/// Sequences that were used, or could be, to attack whoever looks at them.
const ATTACKS: &[(&str, &str)] = &[
    (
        "title set, then read back as typed text",
        "\x1b]0;\nrm -rf ~\n\x07\x1b[21t",
    ),
    ("title report", "\x1b[21t"),
    ("icon label report", "\x1b[20t"),
    (
        "window state, position, size reports",
        "\x1b[11t\x1b[13t\x1b[14t\x1b[18t\x1b[19t",
    ),
    (
        "window moved, resized, iconified",
        "\x1b[3;0;0t\x1b[8;1;1t\x1b[2t\x1b[9;1t",
    ),
    ("title stack", "\x1b[22;0t\x1b[23;0t"),
    ("clipboard written", "\x1b]52;c;cm0gLXJmIH4K\x07"),
    ("clipboard read back", "\x1b]52;c;?\x1b\\"),
    (
        "link to somewhere else",
        "\x1b]8;;http://evil.example/\x1b\\",
    ),
    (
        "palette changed",
        "\x1b]4;0;#000000;1;#000000\x07\x1b]10;#000\x07\x1b]11;#000\x07",
    ),
    ("palette read back", "\x1b]4;1;?\x07\x1b]10;?\x07"),
    ("log file written (old xterm)", "\x1b]46;/tmp/evil\x07"),
    (
        "font changed (CVE-2022-45063)",
        "\x1b]50;i$(touch /tmp/x)\x07\x1b]50;?\x07",
    ),
    (
        "iTerm2 file, rxvt menu, notification",
        "\x1b]1337;File=inline=1:AAAA\x07\x1b]10;[show]\x07\x1b]777;notify;a;b\x07",
    ),
    ("working folder", "\x1b]7;file:///etc\x07"),
    ("DECRQSS (CVE-2008-2383)", "\x1bP$q\nid\n\x1b\\"),
    ("DECRQSS, closed by CAN", "\x1bP$qm\x18"),
    ("XTGETTCAP", "\x1bP+q544e\x1b\\"),
    (
        "DECUDK: a key that types a command",
        "\x1bP0;0|23/6c730a\x1b\\",
    ),
    ("sixel", "\x1bPq#0;2;0;0;0~~@@\n-\x1b\\"),
    (
        "tmux pass-through",
        "\x1bPtmux;\x1b\x1b]52;c;AAAA\x07\x1b\\",
    ),
    (
        "APC, PM, SOS",
        "\x1b_Gf=100;AAAA\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\",
    ),
    ("device attributes", "\x1b[c\x1b[0c\x1b[>c\x1b[=c\x1bZ"),
    (
        "status and cursor reports",
        "\x1b[5n\x1b[6n\x1b[?6n\x1b[?15n\x1b[?26n",
    ),
    ("mode reports", "\x1b[?2004$p\x1b[4$p"),
    ("checksum of the screen", "\x1b[1;1;1;1;24;80*y"),
    ("terminal parameters, version", "\x1b[x\x1b[>q"),
    ("ENQ", "\x05"),
    (
        "mouse reports",
        "\x1b[?9h\x1b[?1000h\x1b[?1002h\x1b[?1003;1006h\x1b[?1015h",
    ),
    ("mouse highlight tracking", "\x1b[1;2;3;4;5T"),
    (
        "focus reports, bracketed paste",
        "\x1b[?1004h\x1b[?2004h\x1b[?2004l",
    ),
    (
        "keys: cursor, keypad, modifyOtherKeys, kitty",
        "\x1b[?1h\x1b=\x1b>\x1b[>4;2m\x1b[>1u\x1b[=1u\x1b[<u",
    ),
    ("keyboard locked, line feed mode", "\x1b[2h\x1b[20h\x1b[12h"),
    ("printing", "\x1b[5i\x1b[4i\x1b[i\x1b[?5i\x1b[0i"),
    (
        "132 columns, reverse screen, frozen screen",
        "\x1b[?3h\x1b[?40h\x1b[?5h\x1b[?2026h",
    ),
    ("saved modes restored", "\x1b[?1000s\x1b[?1000r"),
    ("margins", "\x1b[?69h\x1b[5;10s"),
    ("scrollback wiped", "\x1b[3J\x1b[?3J"),
    (
        "character sets locked",
        "\x1b%@\x1b%G\x1bn\x1bo\x1b~\x1b}\x1b|\x1b*0\x1b+0\x1b-A\x1b.A\x1bN\x1bO",
    ),
    ("8-bit answers", "\x1b G\x1b F"),
    ("text hidden, font changed", "\x1b[8m\x1b[11m\x1b[12m"),
    (
        "LEDs, cursor shape, tabs, tests, double size",
        "\x1b[1q\x1b[2 q\x1b[3g\x1bH\x1b[2;1y\x1b#8\x1b#3\x1b#6",
    ),
    (
        "rectangles",
        "\x1b[88;1;1;24;80$x\x1b[1;1;24;80$z\x1b[1;1;1;1;1;5;5;1$v",
    ),
    ("memory lock", "\x1bl\x1bm"),
    ("level of the terminal", "\x1b[61\"p"),
    ("bell", "\x07"),
    ("NUL, XON, XOFF, DEL", "\0\x11\x13\x7f"),
    (
        "endless parameters",
        "\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1A",
    ),
    ("parts after the last number", "\x1b[1:2A\x1b[?1;25:1h"),
    ("private mark in the middle", "\x1b[1?25h\x1b[?<25h"),
];

#[test]
fn no_attack_reaches_the_terminal() {
    for (name, attack) in ATTACKS {
        let shown = safe(&format!("before{attack}after"));
        let left = shown
            .strip_prefix("before")
            .and_then(|rest| rest.strip_suffix("after"));
        let left = left.unwrap_or_else(|| panic!("{name}: {shown:?}"));
        // Text may be shown where a string was not closed; control may not.
        assert!(
            left.chars().all(|c| c == '\n' || !c.is_control()),
            "{name}: {shown:?}"
        );
        if !attack.contains('\n') {
            assert_eq!(left, "", "{name}");
        }
    }
}

#[test]
fn attacks_cut_anywhere_stay_harmless() {
    for (name, attack) in ATTACKS {
        let whole = safe(attack);
        for (cut, _) in attack.char_indices() {
            let mut filter = Safe::new();
            let (first, second) = attack.split_at(cut);
            let shown = filter.push(first) + &filter.push("") + &filter.push(second);
            assert_eq!(shown, whole, "{name} cut at {cut}");
        }
    }
}

#[test]
fn an_8_bit_control_is_no_control() {
    assert_eq!(
        safe("\u{9b}21t\u{9d}0;x\u{9c}y\u{90}q\u{85}\u{8d}"),
        "21t0;xyq"
    );
    // In the middle of a string it ends it; the rest is text.
    assert_eq!(safe("\x1b]0;x\u{9c}y"), "y");
}
