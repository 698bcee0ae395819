//! What is drawn is put through a terminal, its screen is made an image, and the image is read.

use super::*;
use vt100::{Color, Parser};

const TEXT: &str = "otpauth://totp/bastion.example.org:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=bastion.example.org";
/// Pixels of a character: twice as high as wide, as fonts are.
const WIDE: usize = 4;
const HIGH: usize = 8;

/// How bright an indexed colour is on a terminal whose own two are `ground` and `letters`.
fn brightness(colour: Color, own: u8) -> u8 {
    match colour {
        Color::Default => own,
        Color::Idx(0) => 0,
        Color::Idx(7) => 0xc0,
        Color::Idx(15) => 0xff,
        other => panic!("a colour that nobody asked for: {other:?}"),
    }
}

/// The screen as an image: what a camera sees.
fn photograph(
    drawn: &str,
    columns: u16,
    lines: u16,
    ground: u8,
    letters: u8,
) -> (usize, usize, Vec<u8>) {
    let mut terminal = Parser::new(lines.try_into().unwrap(), columns.try_into().unwrap(), 0);
    terminal.process(drawn.as_bytes());
    let (width, height) = (usize::from(columns) * WIDE, usize::from(lines) * HIGH);
    let mut image = vec![ground; width * height];
    for row in 0..lines {
        for column in 0..columns {
            let cell = terminal.screen().cell(row, column).unwrap();
            let ink = brightness(cell.fgcolor(), letters);
            let paper = brightness(cell.bgcolor(), ground);
            let sign = cell.contents().chars().next().unwrap_or(' ');
            for y in 0..HIGH {
                for x in 0..WIDE {
                    let inked = match sign {
                        ' ' => false,
                        '▀' => y < HIGH / 2,
                        '▄' => y >= HIGH / 2,
                        '█' => true,
                        // A number sign covers its cell as far as a camera can tell.
                        '#' => true,
                        other => panic!("{other:?} is drawn"),
                    };
                    let at = (usize::from(row) * HIGH + y) * width + usize::from(column) * WIDE + x;
                    image[at] = if inked { ink } else { paper };
                }
            }
        }
    }
    (width, height, image)
}

fn read(drawn: &str, code: &Code, style: Style, (ground, letters): (u8, u8)) -> Option<String> {
    // A window that is larger than the code, with the terminal's own colours around.
    let columns = u16::try_from(code.columns(style)).unwrap() + 10;
    let lines = u16::try_from(code.lines(style)).unwrap() + 4;
    let (width, height, image) = photograph(drawn, columns, lines, ground, letters);
    let mut prepared =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| image[y * width + x]);
    let grids = prepared.detect_grids();
    grids
        .first()
        .and_then(|grid| grid.decode().ok())
        .map(|(_, text)| text)
}

const DARK_TERMINAL: (u8, u8) = (0x10, 0xd0);
const LIGHT_TERMINAL: (u8, u8) = (0xf8, 0x20);

#[test]
fn a_camera_reads_it_from_dark_and_from_light_terminals() {
    let code = Code::of(TEXT).unwrap();
    for style in [Style::Blocks, Style::Grounds] {
        let drawn = code.draw(style);
        for terminal in [DARK_TERMINAL, LIGHT_TERMINAL] {
            let read = read(&drawn, &code, style, terminal);
            assert_eq!(read.as_deref(), Some(TEXT), "{style:?} {terminal:?}");
        }
    }
}

#[test]
fn signs_are_read_from_the_kind_of_terminal_that_they_are_for() {
    let code = Code::of(TEXT).unwrap();
    for (on_dark, terminal) in [(true, DARK_TERMINAL), (false, LIGHT_TERMINAL)] {
        let style = Style::Signs { on_dark };
        let drawn = code.draw(style);
        let read = read(&drawn, &code, style, terminal);
        assert_eq!(read.as_deref(), Some(TEXT), "{style:?}");
    }
}

#[test]
fn four_light_modules_stand_around_the_code() {
    let code = Code::of("quince").unwrap();
    let side = code.side();
    for row in 0..side {
        for column in 0..side {
            let border = [row, column].iter().any(|at| *at < 4 || *at >= side - 4);
            if border {
                assert!(!code.is_dark(row, column));
            }
        }
    }
    // Corner of a finder pattern.
    assert!(code.is_dark(4, 4) && code.is_dark(4, side - 5) && code.is_dark(side - 5, 4));
}

#[test]
fn without_unicode_nothing_but_ascii_is_written() {
    let code = Code::of(TEXT).unwrap();
    for style in [Style::Grounds, Style::Signs { on_dark: true }] {
        assert!(code.draw(style).is_ascii());
    }
    let signs = code.draw(Style::Signs { on_dark: false });
    assert!(!signs.contains('\x1b'));
}

#[test]
fn an_ordinary_text_fits_on_an_ordinary_screen() {
    let text =
        "otpauth://totp/bastion:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=bastion";
    let code = Code::of(text).unwrap();
    assert!(code.columns(Style::Blocks) <= 80 && code.lines(Style::Blocks) <= 23);
}

#[test]
fn the_style_follows_terminal_and_locale() {
    let of =
        |locale: &[(&'static str, &'static str)]| Style::fitting(false, locale.iter().copied());
    assert_eq!(of(&[]), Style::Blocks);
    assert_eq!(of(&[("LANG", "en_GB.UTF-8")]), Style::Blocks);
    assert_eq!(
        of(&[("LC_CTYPE", "zh_CN.utf8"), ("LANG", "C")]),
        Style::Blocks
    );
    assert_eq!(
        of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "zh_CN.GB18030")]),
        Style::Grounds
    );
    assert_eq!(of(&[("LANG", "C")]), Style::Grounds);
    assert_eq!(Style::fitting(true, []), Style::Signs { on_dark: true });
    let mut style = Style::Blocks;
    for _ in 0..4 {
        style = style.next();
    }
    assert_eq!(style, Style::Blocks);
}
