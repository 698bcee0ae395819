//! What is shown in pages: a list of things that can be chosen by number, or text.
//!
//! Lines of it are harmless and as wide as the window; no terminal sequence is ever used, so any
//! terminal shows it.
#![forbid(unsafe_code)]

use crate::message::menu::Menu;
pub use crate::terminal::Size;
use crate::text::{cut, table, width};

/// Lines of a window that are not the page's: what it is, which part, and the prompt.
const AROUND: usize = 3;

/// Something long, and how far it was shown.
#[derive(Debug)]
pub struct Pages {
    rows: Rows,
    /// Where pages began: the last is the shown one.
    tops: Vec<usize>,
    /// Where the next one begins.
    next: usize,
}

/// What it is made of.
#[derive(Debug)]
pub enum Rows {
    /// Text, which is wrapped by the terminal and never cut.
    Text(Vec<String>),
    /// Cells, numbered from 1, each line cut to the window.
    Cells(Vec<Vec<String>>),
}

impl Pages {
    /// Nothing of it is shown yet.
    #[must_use]
    pub fn new(rows: Rows) -> Self {
        Self {
            rows,
            tops: Vec::new(),
            next: 0,
        }
    }

    fn len(&self) -> usize {
        match &self.rows {
            Rows::Text(lines) => lines.len(),
            Rows::Cells(rows) => rows.len(),
        }
    }

    /// Whether there is a page after the shown one.
    #[must_use]
    pub fn has_next(&self) -> bool {
        self.next < self.len()
    }

    /// The next page for a window of this size, with a line below that says which part it is; `None`
    /// after the last.
    pub fn next(&mut self, size: Size) -> Option<String> {
        if !self.has_next() {
            return None;
        }
        self.tops.push(self.next);
        Some(self.show(size))
    }

    /// The page before the shown one; `None` at the first.
    pub fn back(&mut self, size: Size) -> Option<String> {
        if self.tops.len() < 2 {
            return None;
        }
        self.tops.pop();
        Some(self.show(size))
    }

    /// Where a page that begins at `top` ends: at least one row after it.
    fn end(&self, top: usize, columns: usize, lines: usize) -> usize {
        match &self.rows {
            Rows::Cells(rows) => top.saturating_add(lines.max(1)).min(rows.len()),
            Rows::Text(text) => {
                let mut left = lines;
                let mut end = top;
                for line in text.iter().skip(top) {
                    let tall = width(line).div_ceil(columns.max(1)).max(1);
                    if tall > left && end > top {
                        break;
                    }
                    left = left.saturating_sub(tall);
                    end += 1;
                }
                end
            }
        }
    }

    fn show(&mut self, size: Size) -> String {
        let top = self.tops.last().copied().unwrap_or(0);
        let lines = size.lines.saturating_sub(AROUND);
        let whole = self.end(0, size.columns, lines) == self.len();
        let end = self.end(top, size.columns, lines);
        self.next = end;
        let mut page = String::new();
        match &self.rows {
            Rows::Text(text) => {
                for line in text.iter().take(end).skip(top) {
                    page.push_str(line);
                    page.push('\n');
                }
            }
            Rows::Cells(rows) => {
                // As wide as the last number of all, so that pages look alike.
                let digits = rows.len().to_string().len();
                let cells: Vec<Vec<String>> = (top..end)
                    .filter_map(|place| {
                        let number = format!("{:>digits$}", place + 1);
                        let row = rows.get(place)?;
                        Some([&[number], row.as_slice()].concat())
                    })
                    .collect();
                for line in table(&cells, Some(size.columns)) {
                    page.push_str(&line);
                    page.push('\n');
                }
            }
        }
        if !whole {
            let part = Menu::Part {
                from: top + 1,
                to: end,
                of: self.len(),
                more: end < self.len(),
            };
            page.push_str(&cut(&part.to_string(), size.columns));
            page.push('\n');
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(columns: usize, lines: usize) -> Size {
        Size { columns, lines }
    }

    fn numbered(count: usize) -> Pages {
        let rows = (1..=count).map(|n| vec![format!("web{n}"), "生产".to_owned()]);
        Pages::new(Rows::Cells(rows.collect()))
    }

    #[test]
    fn a_page_leaves_room_for_the_prompt_and_says_which_part_it_is() {
        let mut pages = numbered(50);
        let page = pages.next(size(80, 24)).unwrap();
        assert_eq!(page.lines().count(), 22, "{page}");
        assert!(page.starts_with(" 1  web1   生产\n"), "{page}");
        assert!(
            page.lines().last().unwrap().starts_with("1–21 of 50"),
            "{page}"
        );
        assert!(pages.next(size(80, 24)).unwrap().starts_with("22  web22"));
        assert!(pages.next(size(80, 24)).unwrap().contains("43–50 of 50"));
        assert_eq!(pages.next(size(80, 24)), None);
        assert!(pages.back(size(80, 24)).unwrap().starts_with("22  web22"));
        assert!(pages.back(size(80, 24)).unwrap().starts_with(" 1  web1"));
        assert_eq!(pages.back(size(80, 24)), None);
    }

    #[test]
    fn what_fits_is_one_page_without_more_words() {
        let page = numbered(2).next(size(80, 24)).unwrap();
        assert_eq!(page, "1  web1  生产\n2  web2  生产\n");
    }

    #[test]
    fn every_row_comes_in_the_smallest_window_and_in_one_that_changes() {
        let mut pages = numbered(3);
        for n in 1..=3 {
            let page = pages.next(size(1, 1)).unwrap();
            assert!(page.lines().all(|line| width(line) <= 1), "{n}: {page}");
        }
        assert_eq!(pages.next(size(1, 1)), None);
        let mut pages = numbered(100);
        pages.next(size(80, 24)).unwrap();
        let page = pages.next(size(500, 200)).unwrap();
        assert!(
            page.starts_with(" 22  web22") && page.contains("100  web100"),
            "{page}"
        );
    }

    #[test]
    fn text_is_never_cut_and_its_wrapped_lines_count() {
        let lines = vec![
            "a".repeat(25),
            "b".to_owned(),
            "c".repeat(30),
            "d".to_owned(),
        ];
        let mut pages = Pages::new(Rows::Text(lines));
        let page = pages.next(size(10, 7)).unwrap();
        assert!(
            page.starts_with(&format!("{}\nb\n1–2", "a".repeat(25))),
            "{page}"
        );
        let page = pages.next(size(10, 7)).unwrap();
        assert!(
            page.starts_with(&format!("{}\nd\n", "c".repeat(30))),
            "{page}"
        );
    }
}
