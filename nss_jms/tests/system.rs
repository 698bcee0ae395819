//! The module as glibc loads it: `getent`, `id`, a program with threads that forks, and what the library exports.

mod sandbox;

use std::process::Command;

use sandbox::{RANGE, Sandbox, module};
use snapshot::users::Flags;

const HOME: &str = nss_jms::record::HOME;
const SHELL: &str = nss_jms::record::SHELL;

fn users() -> Sandbox {
    Sandbox::new(&[
        ("alice", 70000, Flags::empty()),
        ("bob", 70001, Flags::MFA_AT_LOGIN),
        ("carol", 60000, Flags::empty()),
        ("daemon", 70003, Flags::empty()),
    ])
}

#[test]
fn getent_finds_users_by_name_uid_and_with_a_target() {
    let sandbox = users();
    let line = |name: &str| format!("{name}:*:70000:998::{HOME}:{SHELL}\n");
    for key in ["alice", "70000", "alice@dev@web1"] {
        let name = if key == "70000" { "alice" } else { key };
        assert_eq!(
            sandbox.output(&format!("getent passwd {key}")),
            line(name),
            "by nsswitch.conf"
        );
        assert_eq!(
            sandbox.output(&format!("getent -s jms passwd {key}")),
            line(name),
            "by the module alone"
        );
    }
    assert_eq!(
        sandbox.output("getent passwd bob"),
        format!("bob:*:70001:997::{HOME}:{SHELL}\n")
    );
    assert_eq!(
        sandbox.output("id -u alice@web1; id -un 70000 2>/dev/null || id -un alice"),
        "70000\nalice\n"
    );
}

#[test]
fn getent_finds_nobody_else() {
    let sandbox = users();
    for key in [
        "dave",
        "Alice",
        "alice@",
        "carol",
        "60000",
        "70003",
        "70004",
        "0",
        "65534",
        "alice/x",
        "alice@we:b",
    ] {
        let output = sandbox.run(&format!("getent -s jms passwd {key}"));
        assert_eq!(
            (
                output.status.code(),
                output.stdout.len(),
                output.stderr.len()
            ),
            (Some(2), 0, 0),
            "{key}"
        );
    }
    assert!(
        sandbox
            .output("getent passwd daemon")
            .starts_with("daemon:x:1:"),
        "the host's own come first"
    );
    assert!(
        sandbox
            .output("getent passwd root")
            .starts_with("root:x:0:0:")
    );
}

#[test]
fn files_and_processes_show_names() {
    let sandbox = users();
    let script = "touch mounts/file; chown 70000:998 mounts/file; stat -c %U mounts/file; chown bob mounts/file; stat -c %u mounts/file";
    assert_eq!(sandbox.output(script), "alice\n70001\n");
}

#[test]
fn the_list_is_roots_choice() {
    let sandbox = users();
    assert_eq!(sandbox.output("getent -s jms passwd"), "");
    std::fs::write(
        sandbox.path("root/etc/jms/uid-range"),
        format!("{RANGE}enumerate yes\n"),
    )
    .unwrap();
    let expected = format!("alice:*:70000:998::{HOME}:{SHELL}\nbob:*:70001:997::{HOME}:{SHELL}\n");
    assert_eq!(sandbox.output("getent -s jms passwd"), expected);
}

#[test]
fn a_host_without_our_files_works() {
    let sandbox = users();
    let snapshot = "/var/lib/jms/public/users.snap";
    for breakage in [
        "rm -r /var/lib/jms".to_owned(),
        "rm -r /etc/jms".to_owned(),
        format!("rm {snapshot}; mkfifo {snapshot}"),
        format!("rm {snapshot}; mkdir {snapshot}"),
        format!("rm {snapshot}; mknod {snapshot} c 1 5"),
        format!("rm {snapshot}; ln -s /dev/zero {snapshot}"),
        format!("truncate -s 100 {snapshot}"),
        format!("truncate -s 10T {snapshot}"),
        format!("chmod 666 {snapshot}"),
        format!("head -c 100000 /dev/urandom > {snapshot}"),
        "mv /var/lib/jms/public /var/lib/jms/moved; ln -s moved /var/lib/jms/public".to_owned(),
        "chmod 666 /etc/jms/uid-range".to_owned(),
        "echo range 0-99999 > /etc/jms/uid-range".to_owned(),
    ] {
        let script = format!(
            "{breakage}; getent passwd root >/dev/null; id -u daemon >/dev/null; ls -l / >/dev/null
             for key in alice 70000 alice@dev@web1 nosuch; do
                 status=0; timeout 5 getent passwd $key || status=$?; echo $status
             done"
        );
        assert_eq!(sandbox.output(&script), "2\n2\n2\n2\n", "{breakage}");
    }
}

#[test]
fn threads_forks_and_closed_descriptors() {
    let sandbox = users();
    sandbox.compile("threads.c");
    assert_eq!(sandbox.output("./program"), "ok\n");
}

#[test]
fn statuses_seen_by_a_program_that_loads_the_module_itself() {
    let sandbox = users();
    sandbox.compile("statuses.c");
    let expected = "success\nnot found\nnot found\ntry again\n";
    assert_eq!(sandbox.output("./program"), expected);
    let expected = "unavailable\nunavailable\nnot found\nunavailable\n";
    assert_eq!(sandbox.output("rm -r /var/lib/jms; ./program"), expected);
}

#[test]
fn exports_the_entries_and_nothing_else() {
    let output = Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(module())
        .output()
        .expect("nm must be installed");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    names.sort_unstable();
    let expected = [
        "endpwent",
        "getpwent_r",
        "getpwnam_r",
        "getpwuid_r",
        "setpwent",
    ]
    .map(|name| format!("_nss_jms_{name}"));
    assert_eq!(names, expected);
}

#[test]
fn is_named_as_glibc_looks_for_it_and_stays_loaded() {
    let output = Command::new("readelf")
        .args(["-d", "-W"])
        .arg(module())
        .output()
        .expect("readelf must be installed");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("[libnss_jms.so.2]") && text.contains("NODELETE"),
        "{text}"
    );
    let needed: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .collect();
    assert!(
        needed.iter().all(|line| ["[libc.so.", "[ld-linux"]
            .iter()
            .any(|known| line.contains(known))),
        "{needed:?}"
    );
}
