//! Names the module as glibc looks for it, keeps it loaded once it is, and links the unwinder into it.

use std::{env, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libnss_jms.so.2");
    // Rust's standard library registers thread-local destructors: code that is gone by then would crash its host.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // Loading libgcc_s.so.1 costs each process twice what the module itself does. The standard library asks for it by
    // `-lgcc_s`; what the linker finds first under that name is this script, which means gcc's static unwinder.
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(folder.join("libgcc_s.so"), "GROUP ( -lgcc_eh -lgcc )\n")?;
    println!("cargo::rustc-cdylib-link-arg=-L{}", folder.display());
    // GNU ld puts what the loader writes to into two pages less than others, and every process has these.
    println!("cargo::rustc-cdylib-link-arg=-fuse-ld=bfd");
    Ok(())
}
