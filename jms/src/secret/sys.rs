//! The one unsafe corner of `secret`: an allocator that leaves nothing behind.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, wiping every block before it is given back.
///
/// Our own secret types wipe themselves, but the libraries below them do not always: an RSA key inside `ring` and
/// big numbers on the way to it are freed as they are. A program that holds keys and then parses hostile bytes
/// declares this as its `#[global_allocator]`. `realloc` is left at its default (allocate, copy, free), because the
/// system's own may move a block and leave the old one as it was. Memory that C libraries allocate is not covered.
#[derive(Debug, Default, Clone, Copy)]
pub struct WipingAllocator;

// SAFETY: memory comes from and goes back to `System` with the layout it was asked for; wiping touches only the
// block that is being given back, which its owner may not use any more.
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc_zeroed`, which is that of `System`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives a live block of exactly this size; `explicit_bzero` writes nothing beyond it, and
        // unlike `memset` it is never optimised away.
        unsafe { libc::explicit_bzero(block.cast(), layout.size()) };
        // SAFETY: the block came from `System` with this layout.
        unsafe { System.dealloc(block, layout) };
    }
}

/// How much of the stack below the caller is overwritten: more than any use of a key has taken.
const STACK: usize = 256 * 1024;

/// Overwrites what earlier calls have left on the stack below the caller: libraries move keys about there, and what
/// they leave behind is nobody's to wipe.
#[inline(never)]
pub fn wipe_stack() {
    let mut below = [std::mem::MaybeUninit::<u8>::uninit(); STACK];
    // SAFETY: writes exactly the array, which is ours; unlike `memset` this is never optimised away.
    unsafe { libc::explicit_bzero(below.as_mut_ptr().cast(), STACK) };
    std::hint::black_box(&below);
}

#[cfg(test)]
mod tests {
    use super::WipingAllocator;
    use std::alloc::{GlobalAlloc, Layout};
    use std::os::unix::fs::FileExt;

    #[test]
    fn a_freed_block_is_wiped() {
        const LENGTH: usize = 4096;
        let layout = Layout::from_size_align(LENGTH, 16).unwrap();
        // SAFETY: the layout has a size.
        let block = unsafe { WipingAllocator.alloc(layout) };
        assert!(!block.is_null());
        // SAFETY: the block is this long.
        unsafe { block.write_bytes(0xa5, LENGTH) };
        let address = block as u64;
        assert_eq!(count_marks(address, LENGTH), LENGTH);
        // SAFETY: allocated above with this layout.
        unsafe { WipingAllocator.dealloc(block, layout) };
        // Other threads of the tests may already use the block, so a stray byte is no failure.
        assert!(count_marks(address, LENGTH) < 64);
    }

    /// Reads through the kernel, because looking at freed memory through a pointer is undefined.
    fn count_marks(address: u64, length: usize) -> usize {
        let mut bytes = vec![0; length];
        let memory = std::fs::File::open("/proc/self/mem").unwrap();
        memory.read_exact_at(&mut bytes, address).unwrap();
        bytes.iter().filter(|byte| **byte == 0xa5).count()
    }
}
