//! `_dl_find_object` for the unwinder that is linked into the module: glibc has it only from 2.35 on, Red Hat 9 has 2.34.
//!
//! The symbol is hidden: neither the program that loads the module nor another library of it ever sees it.

use std::{
    arch::global_asm,
    ffi::{c_int, c_void},
    ptr,
};

use libc::{dl_phdr_info, size_t};

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".pushsection .text._dl_find_object,\"ax\",@progbits",
    ".globl _dl_find_object",
    ".hidden _dl_find_object",
    ".type _dl_find_object,@function",
    "_dl_find_object:",
    "jmp {find}",
    ".size _dl_find_object,.-_dl_find_object",
    ".popsection",
    find = sym find_object,
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".pushsection .text._dl_find_object,\"ax\",@progbits",
    ".globl _dl_find_object",
    ".hidden _dl_find_object",
    ".type _dl_find_object,@function",
    "_dl_find_object:",
    "b {find}",
    ".size _dl_find_object,.-_dl_find_object",
    ".popsection",
    find = sym find_object,
);

/// `struct dl_find_object` of `<dlfcn.h>` on 64-bit x86 and ARM.
#[repr(C)]
struct Object {
    flags: u64,
    map_start: *const c_void,
    map_end: *const c_void,
    link_map: *const c_void,
    eh_frame: *const c_void,
    reserved: [u64; 7],
}

/// What [`look`] looks for, and what it has found.
struct Search {
    address: usize,
    found: Option<(usize, usize, usize)>,
}

/// Finds the loaded object that `address` lies in, and its unwind table. 0, or -1 if there is none.
///
/// # Safety
/// `result` is valid for writing an [`Object`].
unsafe extern "C" fn find_object(address: *const c_void, result: *mut Object) -> c_int {
    let mut search = Search {
        address: address.addr(),
        found: None,
    };
    // SAFETY: the callback matches, and `search` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), ptr::from_mut(&mut search).cast()) };
    let Some((start, end, table)) = search.found else {
        return -1;
    };
    let object = Object {
        flags: 0,
        map_start: ptr::with_exposed_provenance(start),
        map_end: ptr::with_exposed_provenance(end),
        link_map: ptr::null(),
        eh_frame: ptr::with_exposed_provenance(table),
        reserved: [0; 7],
    };
    // SAFETY: by this function's contract.
    unsafe { result.write(object) };
    0
}

/// Looks at one loaded object; 1 ends the search.
///
/// # Safety
/// As `dl_iterate_phdr(3)` calls it, with a [`Search`] as `data`.
unsafe extern "C" fn look(info: *mut dl_phdr_info, _size: size_t, data: *mut c_void) -> c_int {
    // SAFETY: `find_object` passes one, and nobody else has it.
    let search = unsafe { &mut *data.cast::<Search>() };
    // SAFETY: the loader passes a valid description.
    let info = unsafe { &*info };
    if info.dlpi_phdr.is_null() {
        return 0;
    }
    // SAFETY: the loader has as many headers as it says, for as long as the object is loaded.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let base = info.dlpi_addr as usize;
    let (mut holds, mut table) = (false, None);
    let (mut start, mut end) = (usize::MAX, 0);
    for header in headers {
        let from = base.wrapping_add(header.p_vaddr as usize);
        let to = from.wrapping_add(header.p_memsz as usize);
        match header.p_type {
            libc::PT_LOAD => {
                holds |= (from..to).contains(&search.address);
                start = start.min(from);
                end = end.max(to);
            }
            libc::PT_GNU_EH_FRAME => table = Some(from),
            _ => {}
        }
    }
    let (true, Some(table)) = (holds, table) else {
        return 0;
    };
    search.found = Some((start, end, table));
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    type Find = unsafe extern "C" fn(*const c_void, *mut Object) -> c_int;

    fn ask(find: Find, address: *const c_void) -> Option<[usize; 3]> {
        let mut object = std::mem::MaybeUninit::<Object>::zeroed();
        // SAFETY: the place is valid for writing.
        let status = unsafe { find(address, object.as_mut_ptr()) };
        // SAFETY: all zero is a valid object.
        let object = unsafe { object.assume_init() };
        (status == 0)
            .then(|| [object.map_start, object.map_end, object.eh_frame].map(<*const c_void>::addr))
    }

    #[test]
    fn answers_as_the_c_library_does() {
        // SAFETY: the name is a C string.
        let theirs = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_dl_find_object".as_ptr()) };
        assert!(!theirs.is_null(), "glibc 2.35 or later runs the tests");
        // SAFETY: this is the function's type.
        let theirs = unsafe { std::mem::transmute::<*mut c_void, Find>(theirs) };
        let (program, library) = (ask as *const c_void, libc::getpid as *const c_void);
        for address in [program, library, ptr::null()] {
            assert_eq!(
                ask(find_object, address),
                ask(theirs, address),
                "{address:p}"
            );
        }
        assert!(ask(find_object, program).is_some() && ask(find_object, library).is_some());
        assert_eq!(ask(find_object, ptr::null()), None);
    }
}
