//! Names the module as glibc looks for it, and keeps it loaded once it is.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libnss_jms.so.2");
    // Rust's standard library registers thread-local destructors: code that is gone by then would crash its host.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
