//! Landlock domains: lists of paths and of what may be done with them, everything else refused.
//!
//! What the kernel is too old for is left out (seccomp and the uid still stand), but a domain that the kernel
//! does not know at all is said to be none by [`Domain::enter`], so that nobody takes it for one.
#![forbid(unsafe_code)]

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope, make_bitflags,
};
use std::fmt;
use std::path::Path;

/// Newest rights that we know; older kernels get those of theirs.
const KNOWN: ABI = ABI::V9;

/// What may be done with a path and, if it is a folder, with what is below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Read files and list folders.
    Read,
    /// Read and execute one file.
    Execute,
    /// Write an existing file.
    Write,
    /// Read and write existing files.
    ReadWrite,
    /// Read files, list folders, remove both.
    ReadRemove,
    /// Remove files.
    RemoveFiles,
    /// Remove empty folders.
    RemoveFolders,
    /// Read and execute files, list folders.
    ExecuteAll,
    /// Read files, list folders, connect to local sockets.
    Connect,
}

impl May {
    fn rights(self) -> BitFlags<AccessFs> {
        match self {
            Self::Read => make_bitflags!(AccessFs::{ReadFile | ReadDir}),
            Self::Execute => make_bitflags!(AccessFs::{ReadFile | Execute}),
            Self::Write => make_bitflags!(AccessFs::{WriteFile | Truncate}),
            Self::ReadWrite => make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate}),
            Self::ReadRemove => {
                make_bitflags!(AccessFs::{ReadFile | ReadDir | RemoveFile | RemoveDir})
            }
            Self::RemoveFiles => make_bitflags!(AccessFs::{RemoveFile}),
            Self::RemoveFolders => make_bitflags!(AccessFs::{RemoveDir}),
            Self::ExecuteAll => make_bitflags!(AccessFs::{ReadFile | ReadDir | Execute}),
            Self::Connect => make_bitflags!(AccessFs::{ReadFile | ReadDir | ResolveUnix}),
        }
    }
}

/// What beside files stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// Nothing.
    Nothing,
    /// Other processes may be signalled.
    Signals,
    /// TCP ports may be used.
    Ports,
}

/// Why there is no domain.
#[derive(Debug)]
pub enum DomainError {
    /// The kernel took a rule or the whole of them not.
    Rules(RulesetError),
    /// No descriptor is left.
    Descriptors(std::io::Error),
}

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rules(error) => write!(f, "Landlock: {error}"),
            Self::Descriptors(error) => write!(f, "Landlock: {error}"),
        }
    }
}

impl std::error::Error for DomainError {}

impl From<RulesetError> for DomainError {
    fn from(error: RulesetError) -> Self {
        Self::Rules(error)
    }
}

/// A list of what may be done, not yet in force.
#[derive(Debug)]
pub struct Domain {
    rules: RulesetCreated,
}

impl Domain {
    /// Nothing may be done with any file, no TCP port be used, no abstract socket outside be reached and no process
    /// outside be signalled (each as far as the kernel knows it), but for `rules` and `outside`. A path that cannot be
    /// opened is left out.
    ///
    /// # Errors
    /// [`DomainError`]; not if the kernel has no Landlock.
    pub fn new<'p>(
        rules: impl IntoIterator<Item = (&'p Path, May)>,
        outside: Outside,
    ) -> Result<Self, DomainError> {
        let mut domain = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(KNOWN))?
            .scope(match outside {
                Outside::Signals => Scope::AbstractUnixSocket.into(),
                Outside::Nothing | Outside::Ports => Scope::from_all(KNOWN),
            })?;
        if outside != Outside::Ports {
            domain = domain.handle_access(AccessNet::from_all(KNOWN))?;
        }
        let mut domain = domain.create()?;
        for (path, may) in rules {
            let Ok(opened) = PathFd::new(path) else {
                continue;
            };
            let rights = match path.is_dir() {
                true => may.rights(),
                false => may.rights() & AccessFs::from_file(KNOWN),
            };
            domain = domain.add_rule(PathBeneath::new(opened, rights))?;
        }
        Ok(Self { rules: domain })
    }

    /// Puts this process into the domain for good, with no new privileges; whether the kernel has Landlock at all.
    ///
    /// # Errors
    /// [`DomainError`].
    pub fn enter(&self) -> Result<bool, DomainError> {
        let rules = self.rules.try_clone().map_err(DomainError::Descriptors)?;
        let status = rules.restrict_self()?;
        Ok(status.ruleset != landlock::RulesetStatus::NotEnforced)
    }
}
