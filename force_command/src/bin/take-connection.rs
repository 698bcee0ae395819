//! `take-connection SOCKET`: the `ProxyCommand` of the client program; what it does stands in the library.
#![forbid(unsafe_code)]

use std::path::Path;

fn main() {
    let status = match std::env::args_os().nth(1) {
        Some(path) => force_command::egress::way::take_connection(Path::new(&path)),
        None => 2,
    };
    std::process::exit(status)
}
