//! What needs the system or raw memory: a clock without a system call, a file in memory, and a place that threads share
//! without ever waiting for each other.
#![allow(unsafe_code)]

use std::{
    cell::UnsafeCell,
    fs::{File, Metadata, OpenOptions},
    io,
    ops::{Deref, DerefMut},
    os::{
        fd::AsRawFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::Path,
    ptr::{self, NonNull},
    sync::atomic::{AtomicU32, Ordering},
};

use snapshot::{COPY_HEADER, Identity, MAX_COPY, Source};

/// Milliseconds of a clock that nobody sets, a few milliseconds late, read without a system call. `None` if there is none.
pub(crate) fn milliseconds() -> Option<u64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the place is valid for writing.
    if unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &mut time) } != 0 {
        return None;
    }
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec).ok()?, time.tv_nsec as u64);
    Some(
        seconds
            .wrapping_mul(1000)
            .wrapping_add(nanoseconds / 1_000_000),
    )
}

fn effective_uid() -> u32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// The copy of the snapshot of users, in memory. Bytes are taken out of it one by one, never borrowed.
#[derive(Debug)]
pub(crate) struct Copy {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: it is memory that nobody writes to, and that is there until the value is dropped.
unsafe impl Send for Copy {}
// SAFETY: as above.
unsafe impl Sync for Copy {}

impl Copy {
    /// Maps the copy of the snapshot that `published` is of, if there is one and nobody whom we do not trust could shorten it.
    ///
    /// Its folder is root's or the key lookup's, and so is the file; neither can be the snapshot's owner's. (Or both are this very
    /// process's own: tests.) `None` is no error: then the snapshot itself is read.
    pub(crate) fn open(path: &Path, published: &Metadata) -> Option<Self> {
        let folder = std::fs::symlink_metadata(path.parent()?).ok()?;
        let owner = folder.uid();
        let trusted = owner == 0 || owner != published.uid() || owner == effective_uid();
        if !folder.is_dir() || folder.mode() & 0o022 != 0 || !trusted {
            return None;
        }
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(path)
            .ok()?;
        let metadata = file.metadata().ok()?;
        let untouchable = metadata.is_file()
            && metadata.uid() == owner
            && metadata.mode() & 0o222 == 0
            && metadata.nlink() == 1;
        let length = metadata.len().checked_sub(COPY_HEADER as u64)?;
        if !untouchable || length != published.len() || length > MAX_COPY {
            return None;
        }
        let copy = Self::map(&file, usize::try_from(metadata.len()).ok()?)?;
        let mut page = [0; 48];
        copy.take(0, &mut page)?;
        (Identity::parse(&page)? == Identity::of(published)).then_some(copy)
    }

    fn map(file: &File, length: usize) -> Option<Self> {
        // SAFETY: asks for new memory; nothing that exists is touched.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_PRIVATE,
                file.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return None;
        }
        Some(Self {
            start: NonNull::new(start.cast())?,
            length,
        })
    }

    /// Copies bytes out; `None` if there are not that many.
    #[inline]
    fn take(&self, offset: usize, into: &mut [u8]) -> Option<()> {
        if offset.checked_add(into.len())? > self.length {
            return None;
        }
        let from = self.start.as_ptr().wrapping_add(offset);
        // SAFETY: the range lies within the mapping, which is as long as the file was; the file is never shortened (see
        // `open`). `into` is somebody else's memory.
        unsafe { ptr::copy_nonoverlapping(from, into.as_mut_ptr(), into.len()) };
        Some(())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that was made, and nobody refers to it: nothing of it is ever borrowed.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

impl Source for Copy {
    fn length(&self) -> u64 {
        self.length.saturating_sub(COPY_HEADER) as u64
    }

    #[inline]
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), snapshot::Error> {
        usize::try_from(offset)
            .ok()
            .and_then(|offset| self.take(offset.checked_add(COPY_HEADER)?, into))
            .ok_or_else(|| snapshot::Error::Io(io::ErrorKind::UnexpectedEof.into()))
    }
}

/// Set in [`Shared::state`] while one thread changes the value; the other bits count those who read it.
const CHANGING: u32 = 1 << 31;

/// A value that many threads read and one at a time changes. Nobody ever waits: who cannot have it at once goes without it. So a thread
/// that is interrupted in the middle (by a signal whose handler asks again, by a fork that leaves the others' half-finished
/// work in the child) stops nobody, neither does one that never comes back.
#[derive(Debug)]
pub(crate) struct Shared<T> {
    state: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: it is handed out to many readers or to one changer, which `state` sees to.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            state: AtomicU32::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// The value for reading, unless it is being changed.
    #[inline]
    pub(crate) fn read(&self) -> Option<Reading<'_, T>> {
        // In place of an overflow by more threads than there can be: see the top bit.
        let before = self.state.fetch_add(1, Ordering::Acquire);
        let reading = Reading(self);
        if before & CHANGING != 0 {
            drop(reading);
            return None;
        }
        Some(reading)
    }

    /// The value for changing, unless somebody reads or changes it.
    pub(crate) fn change(&self) -> Option<Changing<'_, T>> {
        self.state
            .compare_exchange(0, CHANGING, Ordering::Acquire, Ordering::Relaxed)
            .ok()
            .map(|_| Changing(self))
    }
}

/// See [`Shared::read`].
pub(crate) struct Reading<'a, T>(&'a Shared<T>);

impl<T> Deref for Reading<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: as long as this lives the count is not 0, so nobody changes the value.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> Drop for Reading<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.state.fetch_sub(1, Ordering::Release);
    }
}

/// See [`Shared::change`].
pub(crate) struct Changing<'a, T>(&'a Shared<T>);

impl<T> Deref for Changing<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: whoever changes is alone.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Changing<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: whoever changes is alone, and this is borrowed for as long as the reference lives.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Changing<'_, T> {
    fn drop(&mut self) {
        // Readers that came and went away again meanwhile are counted in the other bits.
        self.0.state.fetch_and(!CHANGING, Ordering::Release);
    }
}
