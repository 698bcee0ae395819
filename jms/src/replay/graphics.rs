//! Line drawing: DEC Special Graphics, as Unicode.

/// What a terminal shows for `_` to `~` while DEC Special Graphics is the character set (VT100
/// User Guide, table 3-9).
const TABLE: [char; 32] = [
    ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─',
    '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

/// The character sets that a session has chosen, kept here so that the terminal's never change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Charsets {
    /// Whether G0 and G1 are DEC Special Graphics.
    special: [bool; 2],
    /// Whether G1 is in use (SO) and not G0 (SI).
    shifted: bool,
}

impl Charsets {
    /// `ESC ( last` (G0) or `ESC ) last` (G1).
    pub(super) fn designate(&mut self, g1: bool, last: char) {
        if let Some(set) = self.special.get_mut(usize::from(g1)) {
            *set = matches!(last, '0' | '2');
        }
    }

    /// SO (true) or SI (false).
    pub(super) fn shift(&mut self, shifted: bool) {
        self.shifted = shifted;
    }

    /// What is shown for `c`.
    pub(super) fn shown(&self, c: char) -> char {
        let [g0, g1] = self.special;
        if !(if self.shifted { g1 } else { g0 }) {
            return c;
        }
        let place = u32::from(c).checked_sub(u32::from('_'));
        place
            .and_then(|place| TABLE.get(usize::try_from(place).ok()?))
            .copied()
            .unwrap_or(c)
    }
}
