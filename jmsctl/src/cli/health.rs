//! `jmsctl doctor` and `jmsctl status` as they are typed.
#![forbid(unsafe_code)]

use crate::input::FileArgument;
use clap::{Args, ValueEnum};

/// `doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// Judge by this profile as well: bastion is a machine that is a bastion and nothing else
    #[arg(
        long,
        value_enum,
        value_name = "PROFILE",
        conflicts_with_all = ["confirm_backup", "confirm_local_account"]
    )]
    pub profile: Option<Profile>,
    /// Note that FILE, kept elsewhere, is a copy of /etc/jms/secret.key; it is compared
    #[arg(long, value_name = "FILE|-")]
    pub confirm_backup: Option<FileArgument>,
    /// Note that you came over ssh as an account of the host itself and became root; it is looked at
    #[arg(long, conflicts_with = "confirm_backup")]
    pub confirm_local_account: bool,
}

/// What a host is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// A bastion and nothing else: strangers learn nothing from sshd's methods.
    Bastion,
}
