//! Pieces of pages: words, paragraphs, lists, commands as they are typed.
#![forbid(unsafe_code)]

use clap_mangen::roff::{Inline, Roff, bold, roman};

/// Text in the font of its surroundings.
pub(super) fn plain(text: &str) -> Inline {
    roman(text)
}

/// A heading.
pub(super) fn heading(roff: &mut Roff, title: &str) {
    roff.control("SH", [title]);
}

/// A paragraph.
pub(super) fn paragraph(roff: &mut Roff, text: &str) {
    roff.control("PP", []);
    roff.text([plain(text)]);
}

/// A row of a list: a word, and what it is.
pub(super) fn row(roff: &mut Roff, word: &str, what: &str) {
    roff.control("TP", []);
    roff.text([bold(word)]);
    roff.text([plain(what)]);
}

/// Lines as they are typed.
pub(super) fn lines(roff: &mut Roff, lines: &[String]) {
    roff.control("RS", ["4"]);
    roff.control("EX", []);
    for line in lines {
        roff.text([plain(line)]);
    }
    roff.control("EE", []);
    roff.control("RE", []);
}
