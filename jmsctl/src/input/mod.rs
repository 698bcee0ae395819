//! What a command reads: files that were named, standard input, answers at a terminal.
//!
//! Files are opened while we are still root, because root named them, and read after, as the
//! service user. Their content is trusted no further than its parser.
#![forbid(unsafe_code)]

mod question;
mod terminal;

pub use question::{can_ask, confirm, passphrase};
pub use terminal::{Quiet, Terminal};

use crate::failure::{Done, Failure};
use jms::secret::SecretString;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The most that is read of a file, in bytes: keys and settings are far smaller.
const LONGEST: u64 = 1024 * 1024;

/// A file named on the command line, or `-` for standard input.
#[derive(Clone)]
pub struct FileArgument {
    named: OsString,
    opened: Arc<Mutex<Option<Source>>>,
}

enum Source {
    Standard,
    File(File),
}

/// Whether files may be opened at all.
static STANDARD_ONLY: AtomicBool = AtomicBool::new(false);

/// From now on no file is opened, whoever asks for it: over ssh there is only standard input. The command line
/// has been refused before (`cli::roles`); this is for the day on which that is wrong.
pub fn only_standard_input() {
    STANDARD_ONLY.store(true, Ordering::Relaxed);
}

impl FileArgument {
    /// Whether it is standard input.
    pub fn is_standard(&self) -> bool {
        self.named == OsStr::new("-")
    }

    /// What to call it in sentences.
    pub fn name(&self) -> String {
        if self.is_standard() {
            "standard input".to_owned()
        } else {
            self.named.to_string_lossy().escape_debug().to_string()
        }
    }

    /// Opens the file, as whoever we are now.
    pub fn open(&self) -> Done {
        let source = if self.is_standard() {
            Source::Standard
        } else if STANDARD_ONLY.load(Ordering::Relaxed) {
            return Err(Failure::NotAllowed(format!(
                "{}: over ssh no file of the bastion is read; give - and the content on standard input",
                self.name()
            )));
        } else {
            let file = File::open(&self.named);
            Source::File(file.map_err(|error| {
                Failure::BadInput(format!("cannot open {}: {error}", self.name()))
            })?)
        };
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
        Ok(())
    }

    /// Reads a key, a secret or settings to the end as text; it was opened before, and is closed after.
    pub fn read(&self) -> Done<SecretString> {
        self.read_up_to(LONGEST)
    }

    /// The same for a file of at most `longest` bytes.
    pub fn read_up_to(&self, longest: u64) -> Done<SecretString> {
        let mut bytes = self.read_bytes(longest)?;
        match String::from_utf8(std::mem::take(&mut *bytes)) {
            Ok(text) => Ok(SecretString::from(text)),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(Failure::BadInput(format!(
                    "cannot read {}: it is not text",
                    self.name()
                )))
            }
        }
    }

    /// Reads a secret of any bytes to the end; it was opened before, and is closed after.
    pub fn read_secret(&self) -> Done<Zeroizing<Vec<u8>>> {
        self.read_bytes(LONGEST)
    }

    /// Reads it as bytes, at most `longest` of them.
    fn read_bytes(&self, longest: u64) -> Done<Zeroizing<Vec<u8>>> {
        let failed = |error: &dyn fmt::Display| {
            Failure::BadInput(format!("cannot read {}: {error}", self.name()))
        };
        let mut bytes = Zeroizing::new(Vec::new());
        let source = self
            .opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match source {
            // Not through the library's own reader: its buffer would keep a secret for ever.
            Some(Source::Standard) => std::io::stdin()
                .as_fd()
                .try_clone_to_owned()
                .and_then(|stdin| File::from(stdin).take(longest + 1).read_to_end(&mut bytes)),
            Some(Source::File(file)) => file.take(longest + 1).read_to_end(&mut bytes),
            None => return Err(failed(&"it was not opened")),
        }
        .map_err(|error| failed(&error))?;
        if bytes.len() as u64 > longest {
            let mebibytes = longest / 1024 / 1024;
            return Err(failed(&format!("it is longer than {mebibytes} MiB")));
        }
        Ok(bytes)
    }
}

impl From<OsString> for FileArgument {
    fn from(named: OsString) -> Self {
        Self {
            named,
            opened: Arc::default(),
        }
    }
}

impl fmt::Debug for FileArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}
