//! Exit statuses that a client of the bastion sees (CLI.md, “EXIT STATUS”). All others are the asset's own.

/// It worked.
pub const DONE: i32 = 0;
/// `jmsctl` is not allowed for this role; its own status for that.
pub const NOT_ALLOWED: i32 = 4;
/// A bad or ambiguous request.
pub const REQUEST: i32 = 2;
/// The bastion cannot: no recording, store busy, limit, disk.
pub const BASTION: i32 = 75;
/// Ended by an administrator, a limit or a withdrawn right.
pub const ENDED: i32 = 76;
/// Not granted, filtered, or a second factor is needed.
pub const DENIED: i32 = 126;
/// Ctrl-C before the asset's command ran, as shells say it (128 + SIGINT).
pub const INTERRUPTED: i32 = 130;
/// The asset is unreachable, its host key changed, or the login there was refused; as ssh itself.
pub const CONNECTION: i32 = 255;

/// What each means, for the manual.
pub const MEANINGS: &[(i32, &str)] = &[
    (DONE, "One of our own words did what was asked."),
    (
        REQUEST,
        "A bad or ambiguous request; say where to, or which.",
    ),
    (
        NOT_ALLOWED,
        "`jmsctl` is not allowed for this role. Its other statuses are in jmsctl(8).",
    ),
    (
        BASTION,
        "The bastion cannot: no recording, the store is busy, a limit is reached, the disk is full.",
    ),
    (
        ENDED,
        "Ended by an administrator, a limit or a withdrawn right.",
    ),
    (DENIED, "Not granted, or a second factor is needed."),
    (INTERRUPTED, "Ctrl-C while connecting."),
    (
        CONNECTION,
        "The asset is unreachable, its host key changed, or it refused the login.",
    ),
];
