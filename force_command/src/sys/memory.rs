//! Memory that was used once and is not any more: the kernel gets it back.

use nix::unistd::{SysconfVar, getpid, gettid, sysconf};

/// How far below the caller the stack is looked at: no deeper than the stretch below a process's stack in which the kernel
/// maps nothing else (its guard gap is 256 pages).
const DEPTH: usize = 1024 * 1024;
/// Blocks of so many bytes are pages of their own: the allocator's own first choice.
const LARGE: libc::c_int = 128 * 1024;
/// So much of it the calls made here may use.
const IN_USE: usize = 16 * 1024;

/// Gives back what the allocator holds between blocks and at its end, and the part of the stack that calls before this one
/// have used. It takes some 50 µs, and what is used again comes as empty pages: for a process that is going to wait.
pub fn give_back() {
    // What is large goes back as soon as it is freed: without this word the allocator would keep the next block of that size
    // (mallopt(3), "dynamic mmap threshold"), and the end of a recording's frame takes some megabytes every quarter of an hour.
    // SAFETY: sets a number; the allocator takes its own locks.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
    // SAFETY: gives back only what no block is in; the allocator takes its own locks.
    unsafe { libc::malloc_trim(0) };
    // The stack of another thread ends somewhere else.
    if getpid() != gettid() {
        return;
    }
    let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    let page = page.and_then(|bytes| usize::try_from(bytes).ok());
    let Some(page) = page.filter(|bytes| bytes.is_power_of_two()) else {
        return;
    };
    let here = 0_u8;
    let end = (&raw const here).addr().saturating_sub(IN_USE) & !(page - 1);
    let begin = end.saturating_sub(DEPTH - IN_USE - page);
    // SAFETY: this is the process's own stack, below everything that is in use there (it grows downwards), or not mapped,
    // which the call reports when it is through; it cannot reach another mapping, see DEPTH.
    unsafe {
        libc::madvise(
            std::ptr::without_provenance_mut(begin),
            end.saturating_sub(begin),
            libc::MADV_DONTNEED,
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Kilobytes of this process's memory that are its own.
    fn own() -> u64 {
        let all = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
        let line = all.lines().find(|line| line.starts_with("Anonymous:"));
        let word = line.and_then(|line| line.split_whitespace().nth(1));
        word.and_then(|word| word.parse().ok()).unwrap()
    }

    #[test]
    fn what_lies_free_between_blocks_is_given_back_and_the_blocks_stay() {
        let mut blocks: Vec<Vec<u8>> = (0..400_u32)
            .map(|number| vec![number as u8 | 1; 64 * 1024])
            .collect();
        let full = own();
        // Every twentieth stays: nothing lies free at the end of the heap.
        let mut number = 0;
        blocks.retain(|_| {
            number += 1;
            number % 20 == 0
        });
        give_back();
        let less = full.saturating_sub(own());
        assert!(less > 15 * 1024, "{less} kB of {full}");
        for block in &blocks {
            assert!(block.iter().all(|byte| *byte == block[0] && *byte != 0));
        }
    }
}
