//! The C side, called as glibc calls it, on files of a temporary folder.

use std::{
    ffi::CString,
    fmt, fs,
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
    ptr,
};

use snapshot::{
    UserName,
    users::{self, Flags, User},
};

use snapshot::COPY_HEADER;

use super::*;
use crate::record::{HOME, SHELL};

const RANGE: &str = "range 70000-79999\njms-users 998\njms-mfa 997\n";
const UNTOUCHED: c_int = 4242;

/// A folder with the files of a host, and what a process there keeps.
struct Host(tempfile::TempDir, Shared<Kept>);

impl Host {
    fn new(users: &[(&str, u32, Flags)]) -> Self {
        let host = Self(tempfile::tempdir().unwrap(), Shared::new(Kept::new()));
        fs::create_dir(host.path("copies")).unwrap();
        fs::write(host.path("uid-range"), RANGE).unwrap();
        fs::write(
            host.path("passwd"),
            "root:x:0:0:root:/root:/bin/bash\nlocal:x:1000:1000::/home/local:/bin/sh\n",
        )
        .unwrap();
        fs::write(host.path("group"), "sudo:x:27:member\n").unwrap();
        host.publish(users);
        host
    }

    fn with_alice() -> Self {
        Self::new(&[("alice", 70000, Flags::empty())])
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn publish(&self, users: &[(&str, u32, Flags)]) {
        let user = |(name, uid, flags): &(&str, u32, Flags)| {
            User::new(UserName::new(name.as_bytes()).unwrap(), *uid, *flags).unwrap()
        };
        fs::write(
            self.path("users.snap"),
            users::write(1, users.iter().map(user)).unwrap(),
        )
        .unwrap();
        self.copy();
    }

    fn copy(&self) {
        // As if the rest after the last one were over.
        let _ = fs::remove_file(self.path("copies/.attempt"));
        let made = snapshot::make_copy(&self.path("users.snap"), &self.path("copies/users.copy"));
        assert!(made.unwrap());
    }

    /// The answer from the files, which is the one after a second has passed, and again from what is kept.
    fn ask<T: PartialEq + fmt::Debug>(
        &self,
        question: impl Fn(&Paths<'_>, &Shared<Kept>) -> T,
    ) -> T {
        let from_files = {
            let _nobody_else = self.1.change().unwrap();
            self.ask_once(&question)
        };
        self.a_second_passes();
        for _ in 0..2 {
            assert_eq!(self.ask_once(&question), from_files);
        }
        from_files
    }

    fn ask_once<T>(&self, question: impl Fn(&Paths<'_>, &Shared<Kept>) -> T) -> T {
        let [uid_range, users, copy, passwd, group] = [
            "uid-range",
            "users.snap",
            "copies/users.copy",
            "passwd",
            "group",
        ]
        .map(|name| self.path(name));
        let paths = Paths {
            uid_range: &uid_range,
            users: &users,
            copy: &copy,
            passwd: &passwd,
            group: &group,
        };
        question(&paths, &self.1)
    }

    fn a_second_passes(&self) {
        self.1.change().unwrap().forget_when();
    }

    /// Whether the last question was answered from the copy in memory.
    fn has_mapped(&self) -> bool {
        self.1.read().unwrap().users().is_some()
    }

    /// The status of a question at a process that has asked before, perhaps within this second.
    fn status(&self, name: &str) -> c_int {
        self.status_in(&self.1, name)
    }

    /// The same at another process.
    fn status_in(&self, kept: &Shared<Kept>, name: &str) -> c_int {
        let name = CString::new(name).unwrap();
        self.ask_once(|paths, _| {
            Reply::new(1024, |into, errnop| {
                // SAFETY: the string lives, the destination is the reply's own.
                unsafe { get_by_name(paths, kept, name.as_ptr(), into, errnop) }
            })
        })
        .status
    }

    fn name(&self, name: &str) -> Reply {
        self.name_in(1024, name)
    }

    fn uid(&self, uid: u32) -> Reply {
        self.ask(|paths, kept| {
            Reply::new(1024, |into, errnop| {
                // SAFETY: the destination is the reply's own.
                unsafe { get_by_uid(paths, kept, uid, into, errnop) }
            })
        })
    }

    fn name_in(&self, size: usize, name: &str) -> Reply {
        let name = CString::new(name).unwrap();
        self.ask(|paths, kept| {
            Reply::new(size, |into, errnop| {
                // SAFETY: the string lives, the destination is the reply's own.
                unsafe { get_by_name(paths, kept, name.as_ptr(), into, errnop) }
            })
        })
    }

    fn next_in(&self, size: usize, cursor: &AtomicU64) -> Reply {
        self.ask_once(|paths, _| {
            Reply::new(size, |into, errnop| {
                // SAFETY: the destination is the reply's own.
                unsafe { get_next(paths, cursor, into, errnop) }
            })
        })
    }

    fn list(&self) -> Vec<String> {
        let cursor = AtomicU64::new(0);
        std::iter::from_fn(|| self.next_in(1024, &cursor).line).collect()
    }
}

#[derive(Debug, PartialEq)]
struct Reply {
    status: c_int,
    errno: c_int,
    line: Option<String>,
}

impl Reply {
    fn new(length: usize, call: impl FnOnce(Destination, *mut c_int) -> c_int) -> Self {
        let (mut buffer, mut errno) = (vec![0x7F_i8; length], UNTOUCHED);
        let mut entry = MaybeUninit::<passwd>::zeroed();
        let status = call(
            Destination {
                result: entry.as_mut_ptr(),
                buffer: buffer.as_mut_ptr(),
                length,
            },
            &mut errno,
        );
        let line = (status == SUCCESS).then(|| {
            // SAFETY: all zero is a valid passwd.
            let entry = unsafe { entry.assume_init() };
            let text = |at: *mut c_char| {
                assert!(
                    buffer.as_ptr_range().contains(&at.cast_const()),
                    "a string outside the buffer"
                );
                // SAFETY: within the buffer, and ended by a zero byte if the module is right.
                unsafe { CStr::from_ptr(at) }.to_str().unwrap().to_owned()
            };
            let [name, password, gecos, home, shell] = [
                entry.pw_name,
                entry.pw_passwd,
                entry.pw_gecos,
                entry.pw_dir,
                entry.pw_shell,
            ]
            .map(text);
            format!(
                "{name}:{password}:{}:{}:{gecos}:{home}:{shell}",
                entry.pw_uid, entry.pw_gid
            )
        });
        Self {
            status,
            errno,
            line,
        }
    }

    fn found(line: &str) -> Self {
        Self {
            status: SUCCESS,
            errno: 0,
            line: Some(line.to_owned()),
        }
    }

    fn not_found() -> Self {
        Self {
            status: NOT_FOUND,
            errno: libc::ENOENT,
            line: None,
        }
    }

    fn unavailable(errno: c_int) -> Self {
        Self {
            status: UNAVAILABLE,
            errno,
            line: None,
        }
    }
}

#[test]
fn by_name_by_uid_and_with_a_target() {
    let host = Host::new(&[
        ("alice", 70000, Flags::empty()),
        ("bob", 70001, Flags::MFA_AT_LOGIN),
        ("carol", 70002, Flags::DISABLED),
    ]);
    let alice = format!("alice:*:70000:998::{HOME}:{SHELL}");
    assert_eq!(host.name("alice"), Reply::found(&alice));
    assert_eq!(host.uid(70000), Reply::found(&alice));
    assert_eq!(
        host.name("alice@dev@web1"),
        Reply::found(&alice.replace("alice", "alice@dev@web1"))
    );
    assert_eq!(
        host.name("bob"),
        Reply::found(&format!("bob:*:70001:997::{HOME}:{SHELL}"))
    );
    assert_eq!(
        host.uid(70002),
        Reply::found(&format!("carol:*:70002:998::{HOME}:{SHELL}")),
        "disabled, and still a name"
    );
    for unknown in ["dave", "dave@dev@web1", "alic", "alicea"] {
        assert_eq!(host.name(unknown), Reply::not_found(), "{unknown}");
    }
    assert_eq!(host.uid(70003), Reply::not_found());
}

#[test]
fn names_and_uids_that_cannot_be_ours_need_no_snapshot() {
    let host = Host::with_alice();
    fs::remove_file(host.path("users.snap")).unwrap();
    for name in [
        "",
        "Alice",
        "alice@",
        "alice@we b",
        "a:b",
        "root",
        "nobody",
        "alice@w/1",
        &"a".repeat(33),
        &"a".repeat(100_000),
    ] {
        assert_eq!(host.name(name), Reply::not_found(), "{name}");
    }
    for uid in [0, 1000, 65534, 69999, 80000, u32::MAX] {
        assert_eq!(host.uid(uid), Reply::not_found(), "{uid}");
    }
    assert_eq!(host.name("alice"), Reply::unavailable(libc::ENOENT));
    assert_eq!(host.uid(70000), Reply::unavailable(libc::ENOENT));
}

#[test]
fn every_size_of_buffer() {
    let host = Host::with_alice();
    let needed = format!("alice@dev@web1\0*\0\0{HOME}\0{SHELL}\0").len();
    for size in 0..needed + 20 {
        let reply = host.name_in(size, "alice@dev@web1");
        let expected = if size < needed {
            (TRY_AGAIN, libc::ERANGE)
        } else {
            (SUCCESS, 0)
        };
        assert_eq!((reply.status, reply.errno), expected, "{size}");
    }
}

#[test]
fn errno_is_the_callers_on_success() {
    let host = Host::with_alice();
    // SAFETY: always valid for the calling thread.
    let errno = unsafe { libc::__errno_location() };
    let errno_after = |question: &dyn Fn()| {
        // SAFETY: as above.
        unsafe { errno.write(UNTOUCHED) };
        question();
        // SAFETY: as above.
        unsafe { errno.read() }
    };
    // As glibc does it: the pointer is that of errno itself.
    let ask = |uid| {
        host.ask(|paths, kept| {
            Reply::new(1024, |into, _| {
                // SAFETY: the destination is the reply's own.
                unsafe { get_by_uid(paths, kept, uid, into, errno) }
            })
        });
    };
    assert_eq!(errno_after(&|| ask(70000)), UNTOUCHED);
    assert_eq!(errno_after(&|| ask(70001)), libc::ENOENT);
    assert_eq!(
        errno_after(&|| drop(host.uid(70000))),
        UNTOUCHED,
        "a pointer elsewhere"
    );
}

#[test]
fn null_pointers_are_no_crash() {
    let host = Host::with_alice();
    let mut entry = MaybeUninit::<passwd>::zeroed();
    let nowhere = Destination {
        result: ptr::null_mut(),
        buffer: ptr::null_mut(),
        length: 1024,
    };
    let no_buffer = Destination {
        result: entry.as_mut_ptr(),
        ..nowhere
    };
    host.ask(|paths, kept| {
        let mut errno = 0;
        // SAFETY: null is allowed everywhere.
        let status = unsafe { get_by_uid(paths, kept, 70000, nowhere, &mut errno) };
        assert_eq!((status, errno), (UNAVAILABLE, libc::EINVAL));
        // SAFETY: as above.
        let status = unsafe { get_by_uid(paths, kept, 70000, no_buffer, ptr::null_mut()) };
        assert_eq!(status, TRY_AGAIN);
        // SAFETY: as above.
        let status = unsafe { get_by_name(paths, kept, ptr::null(), no_buffer, &mut errno) };
        assert_eq!((status, errno), (UNAVAILABLE, libc::EINVAL));
    });
}

#[test]
fn a_panic_is_unavailable() {
    let mut errno = 0;
    // SAFETY: a valid pointer.
    let status = unsafe { guard(&mut errno, || panic!("as a test")) };
    assert_eq!((status, errno), (UNAVAILABLE, libc::EIO));
    // SAFETY: as above.
    let status = unsafe { guard(&mut errno, || Err(Failure::Unavailable(libc::ERANGE))) };
    assert_eq!(
        (status, errno),
        (UNAVAILABLE, libc::EIO),
        "ERANGE without TRYAGAIN makes glibc loop"
    );
}

#[test]
fn the_snapshot_cannot_name_the_hosts_own() {
    let host = Host::new(&[
        ("local", 70000, Flags::empty()),
        ("member", 70001, Flags::empty()),
        ("alice", 70002, Flags::empty()),
        ("below", 60000, Flags::empty()),
        ("above", 80000, Flags::empty()),
    ]);
    for uid in [70000, 70001, 60000, 80000] {
        assert_eq!(host.uid(uid), Reply::not_found(), "{uid}");
    }
    for name in ["local", "local@dev@web1", "member", "below", "above"] {
        assert_eq!(host.name(name), Reply::not_found(), "{name}");
    }
    assert_eq!(host.uid(70002).status, SUCCESS);
    fs::remove_file(host.path("passwd")).unwrap();
    fs::create_dir(host.path("passwd")).unwrap();
    assert_eq!(
        host.uid(70002),
        Reply::unavailable(libc::EISDIR),
        "who cannot tell does not answer"
    );
}

#[test]
fn bad_files_are_unavailable() {
    type Break = (&'static str, fn(&Path), c_int);
    let broken: [Break; 9] = [
        (
            "users.snap",
            |path| fs::write(path, "").unwrap(),
            libc::EBADMSG,
        ),
        (
            "users.snap",
            |path| fs::write(path, [0; 4096]).unwrap(),
            libc::EBADMSG,
        ),
        (
            "users.snap",
            |path| fs::create_dir(path).unwrap(),
            libc::EPERM,
        ),
        (
            "users.snap",
            |path| std::os::unix::fs::symlink("/etc/passwd", path).unwrap(),
            libc::ELOOP,
        ),
        ("users.snap", |path| make_fifo(path), libc::EPERM),
        (
            "users.snap",
            |path| fs::File::create(path).unwrap().set_len(1 << 42).unwrap(),
            libc::EBADMSG,
        ),
        (
            "uid-range",
            |path| fs::write(path, "range 0-99999\n").unwrap(),
            libc::EBADMSG,
        ),
        ("uid-range", |path| make_fifo(path), libc::EPERM),
        ("uid-range", |_| (), libc::ENOENT),
    ];
    for (file, make, errno) in broken {
        let host = Host::with_alice();
        fs::remove_file(host.path(file)).unwrap();
        make(&host.path(file));
        assert_eq!(host.name("alice"), Reply::unavailable(errno), "{file}");
        assert_eq!(host.uid(70000), Reply::unavailable(errno), "{file}");
    }
}

fn make_fifo(path: &Path) {
    let path = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the string lives.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

#[test]
fn listing_is_off_until_root_allows_it() {
    let host = Host::new(&[
        ("bob", 70001, Flags::empty()),
        ("alice", 70000, Flags::empty()),
        ("local", 70002, Flags::empty()),
    ]);
    assert_eq!(host.list(), [""; 0]);
    fs::write(host.path("uid-range"), format!("{RANGE}enumerate yes\n")).unwrap();
    assert_eq!(
        host.list(),
        [
            format!("alice:*:70000:998::{HOME}:{SHELL}"),
            format!("bob:*:70001:998::{HOME}:{SHELL}")
        ]
    );
}

#[test]
fn listing_survives_a_small_buffer_and_a_new_snapshot() {
    let host = Host::new(&[
        ("a", 70010, Flags::empty()),
        ("b", 70020, Flags::empty()),
        ("d", 70040, Flags::empty()),
    ]);
    fs::write(host.path("uid-range"), format!("{RANGE}enumerate yes\n")).unwrap();
    let cursor = AtomicU64::new(0);
    let next = |size| host.next_in(size, &cursor);
    let name = |reply: Reply| reply.line.unwrap()[..1].to_owned();
    assert_eq!(
        next(10),
        Reply {
            status: TRY_AGAIN,
            errno: libc::ERANGE,
            line: None
        }
    );
    assert_eq!(name(next(1024)), "a");
    assert_eq!(name(next(1024)), "b");
    let more: &[_] = &[
        ("z", 70001, Flags::empty()),
        ("a", 70010, Flags::empty()),
        ("c", 70030, Flags::empty()),
        ("d", 70040, Flags::empty()),
    ];
    host.publish(more);
    assert_eq!(name(next(1024)), "c");
    assert_eq!(name(next(1024)), "d");
    assert_eq!(next(1024), Reply::not_found());
    assert_eq!(next(1024), Reply::not_found());
}

#[test]
fn what_has_changed_is_seen_after_a_second_and_not_before() {
    let host = Host::with_alice();
    assert_eq!(host.status("alice"), SUCCESS);
    assert!(host.has_mapped());
    let elsewhere = host.path("passwd.new");
    let changes: [&dyn Fn(); 5] = [
        &|| host.publish(&[("bob", 70001, Flags::empty())]),
        &|| fs::remove_file(host.path("users.snap")).unwrap(),
        &|| fs::write(host.path("uid-range"), RANGE.replace("70000", "70001")).unwrap(),
        &|| fs::write(host.path("group"), "sudo:x:27:member,alice\n").unwrap(),
        &|| {
            fs::write(&elsewhere, "alice:x:1001:1001::/:/bin/sh\n").unwrap();
            fs::rename(&elsewhere, host.path("passwd")).unwrap();
        },
    ];
    for (change, number) in changes.iter().zip(0..) {
        fs::write(host.path("uid-range"), RANGE).unwrap();
        fs::write(host.path("passwd"), "root:x:0:0::/:/bin/sh\n").unwrap();
        fs::write(host.path("group"), "sudo:x:27:member\n").unwrap();
        host.publish(&[("alice", 70000, Flags::empty())]);
        host.a_second_passes();
        assert_eq!(host.status("alice"), SUCCESS, "{number}");
        change();
        assert_eq!(host.status("alice"), SUCCESS, "{number}: within the second");
        host.a_second_passes();
        assert_ne!(host.status("alice"), SUCCESS, "{number}: after it");
    }
}

#[test]
fn who_writes_the_snapshot_cannot_end_a_process() {
    let host = Host::with_alice();
    let damages: [&dyn Fn(&fs::File); 4] = [
        &|file| file.set_len(0).unwrap(),
        &|file| file.set_len(100).unwrap(),
        &|file| file.write_all_at(&[0xFF; 4096], 0).unwrap(),
        &|file| file.set_len(1 << 42).unwrap(),
    ];
    for damage in damages {
        host.publish(&[("alice", 70000, Flags::empty())]);
        host.a_second_passes();
        assert_eq!(host.status("alice"), SUCCESS);
        assert!(host.has_mapped());
        let file = fs::File::options()
            .write(true)
            .open(host.path("users.snap"));
        damage(&file.unwrap());
        assert_eq!(host.status("alice"), SUCCESS, "the copy is another file");
        host.a_second_passes();
        assert_eq!(
            host.status("alice"),
            UNAVAILABLE,
            "and it is no longer the snapshot's"
        );
        assert!(!host.has_mapped());
    }
}

#[test]
fn only_a_copy_that_nobody_can_shorten_is_mapped() {
    let host = Host::with_alice();
    let copy = host.path("copies/users.copy");
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let bytes = fs::read(&copy).unwrap();
    let put = |bytes: &[u8]| {
        fs::remove_file(&copy).unwrap();
        fs::write(&copy, bytes).unwrap();
        mode(&copy, 0o444);
    };
    let changed = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    let folder = host.path("copies");
    let cases: [(&str, &dyn Fn()); 12] = [
        ("writable by its owner", &|| mode(&copy, 0o644)),
        ("its folder writable by a group", &|| mode(&folder, 0o775)),
        ("its folder writable by all", &|| mode(&folder, 0o777)),
        ("with a second name", &|| {
            fs::hard_link(&copy, host.path("copies/second")).unwrap()
        }),
        ("a link", &|| {
            fs::rename(&copy, host.path("copies/real")).unwrap();
            std::os::unix::fs::symlink("real", &copy).unwrap();
        }),
        ("a FIFO", &|| {
            fs::remove_file(&copy).unwrap();
            make_fifo(&copy);
        }),
        ("a folder", &|| {
            fs::remove_file(&copy).unwrap();
            fs::create_dir(&copy).unwrap();
        }),
        ("empty", &|| put(&[])),
        ("cut short", &|| put(&bytes[..bytes.len() - 1])),
        ("of another snapshot", &|| put(&changed(24))),
        ("of another version", &|| put(&changed(8))),
        ("with a wrong header", &|| put(&changed(COPY_HEADER + 60))),
    ];
    for (what, make) in cases {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        host.copy();
        host.a_second_passes();
        assert_eq!(host.status("alice"), SUCCESS);
        assert!(host.has_mapped(), "{what}: before");
        make();
        let kept = Shared::new(Kept::new());
        let status = host.status_in(&kept, "alice");
        assert_eq!(status, SUCCESS, "{what}: the snapshot is read");
        assert!(kept.read().unwrap().users().is_none(), "{what}");
    }
}

#[test]
fn the_copys_records_are_not_believed_more_than_the_snapshots() {
    let host = Host::with_alice();
    let copy = host.path("copies/users.copy");
    let bytes = fs::read(&copy).unwrap();
    // Whatever one byte of it is: the answer for alice, or none.
    for at in COPY_HEADER..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0xFF;
        fs::remove_file(&copy).unwrap();
        fs::write(&copy, changed).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o444)).unwrap();
        let kept = &Shared::new(Kept::new());
        let reply = host.ask_once(|paths, _| {
            Reply::new(1024, |into, errnop| {
                // SAFETY: the destination is the reply's own.
                unsafe { get_by_uid(paths, kept, 70000, into, errnop) }
            })
        });
        assert!(
            reply
                .line
                .as_ref()
                .is_none_or(|line| line.contains(":*:70000:99")),
            "byte {at}: {reply:?}"
        );
    }
}

#[test]
fn a_process_whose_other_thread_never_comes_back_reads_the_files() {
    let host = Host::with_alice();
    assert_eq!(host.status("alice"), SUCCESS);
    let _reading = host.1.read().unwrap();
    assert_eq!(host.status("alice"), SUCCESS, "two may read");
    host.ask_once(|paths, kept| {
        let later = crate::sys::milliseconds().map(|now| now + 1000);
        assert!(crate::kept::ask(kept, paths, later, |_| ()).is_none());
        assert!(
            crate::kept::ask(kept, paths, None, |_| ()).is_none(),
            "without a clock"
        );
    });
    let alone = Shared::new(Kept::new());
    let _changing = alone.change().unwrap();
    assert!(alone.read().is_none() && alone.change().is_none());
}
