//! With any part of the bastion broken, its local administrator gets in, and a virtual user is served or told why not.
//!
//! The matrix: each row breaks one thing on a real host, tries every way in, and puts the host back. The whole is printed
//! as one table; `docs/breakage.md` is that table, written by `BREAKAGE_UPDATE=1`. `BREAKAGE_ROWS=WORD,WORD` tries only
//! the rows with one of these in their name.

mod bastion;
mod columns;
mod matrix;
mod neighbours;
mod row;
mod rows;
mod table;
