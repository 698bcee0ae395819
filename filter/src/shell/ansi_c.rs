//! `$'…'`: the escapes of ANSI C as bash(1), "QUOTING", and zsh read them.

use super::cursor::Cursor;

/// Decodes from behind `$'` to the closing quote, which is stepped over. `None`: there is none.
pub fn decode(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut bytes: Vec<u8> = Vec::new();
    // Behind a NUL the shells drop the rest, and read on to the quote.
    let mut ended = false;
    loop {
        let mut one = [0; 4];
        match cursor.next()? {
            '\'' => return Some(String::from_utf8_lossy(&bytes).into_owned()),
            '\\' => {
                let kept = bytes.len();
                if !escape(cursor, &mut bytes)? {
                    ended = true;
                }
                if ended {
                    bytes.truncate(kept);
                }
            }
            _ if ended => {}
            other => bytes.extend_from_slice(other.encode_utf8(&mut one).as_bytes()),
        }
    }
}

/// One escape, behind its backslash. `Some(false)`: it was a NUL.
fn escape(cursor: &mut Cursor<'_>, bytes: &mut Vec<u8>) -> Option<bool> {
    let before = bytes.len();
    let escaped = cursor.peek()?;
    let simple = match escaped {
        'a' => Some(0x07),
        'b' => Some(0x08),
        'e' | 'E' => Some(0x1b),
        'f' => Some(0x0c),
        'n' => Some(b'\n'),
        'r' => Some(b'\r'),
        't' => Some(b'\t'),
        'v' => Some(0x0b),
        '\\' | '\'' | '"' | '?' => u8::try_from(escaped).ok(),
        _ => None,
    };
    if let Some(byte) = simple {
        cursor.next();
        bytes.push(byte);
        return Some(true);
    }
    match escaped {
        '0'..='7' => bytes.push(number(cursor, 8, 3)?.to_le_bytes()[0]),
        'x' => {
            cursor.next();
            match number(cursor, 16, 2) {
                Some(value) => bytes.push(value.to_le_bytes()[0]),
                None => bytes.extend_from_slice(b"\\x"),
            }
        }
        'u' | 'U' => {
            cursor.next();
            let digits = if escaped == 'u' { 4 } else { 8 };
            match number(cursor, 16, digits) {
                Some(value) => {
                    let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                None => bytes.extend_from_slice(&[b'\\', if escaped == 'u' { b'u' } else { b'U' }]),
            }
        }
        'c' => {
            cursor.next();
            let letter = u32::from(cursor.next()?);
            bytes.push(letter.to_le_bytes()[0].to_ascii_uppercase() & 0x1f);
        }
        other => {
            cursor.next();
            bytes.push(b'\\');
            bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Some(bytes.get(before) != Some(&0))
}

/// Up to `most` digits. `None`: there is none.
fn number(cursor: &mut Cursor<'_>, radix: u32, most: usize) -> Option<u32> {
    let mut value: u32 = 0;
    let mut count = 0;
    while count < most {
        let Some(digit) = cursor.peek().and_then(|next| next.to_digit(radix)) else {
            break;
        };
        value = value.wrapping_mul(radix).wrapping_add(digit);
        cursor.next();
        count += 1;
    }
    (count > 0).then_some(value)
}
