//! Types of channel, and the rights that each needs.

use super::right::{Right, Rights};

/// What a client wants to do on an asset. Everything goes through [`super::decide`] with one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// An interactive shell.
    Shell,
    /// One command, with or without a terminal.
    Exec,
    /// The SFTP subsystem (sftp, scp since OpenSSH 9.0, sshfs).
    Sftp,
    /// `scp -t`: old scp, to the asset.
    ScpUpload,
    /// `scp -f`: old scp, from the asset.
    ScpDownload,
    /// `rsync --server`, either way.
    Rsync,
    /// `git-receive-pack`: a push.
    GitPush,
    /// `git-upload-pack`, `git-upload-archive`: a fetch.
    GitFetch,
    /// A forwarded connection (not in this version; its right exists).
    Tunnel,
}

impl Channel {
    /// All types.
    pub const ALL: [Self; 9] = [
        Self::Shell,
        Self::Exec,
        Self::Sftp,
        Self::ScpUpload,
        Self::ScpDownload,
        Self::Rsync,
        Self::GitPush,
        Self::GitFetch,
        Self::Tunnel,
    ];

    /// The word for it in the store, events and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Exec => "exec",
            Self::Sftp => "sftp",
            Self::ScpUpload => "scp-upload",
            Self::ScpDownload => "scp-download",
            Self::Rsync => "rsync",
            Self::GitPush => "git-push",
            Self::GitFetch => "git-fetch",
            Self::Tunnel => "tunnel",
        }
    }

    /// Reads the word back; an unknown one is `None`, which every caller refuses.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.as_str() == text)
    }

    /// What it takes. Until transfers are decoded, a program that can go both ways needs both rights.
    #[must_use]
    pub fn needs(self) -> Rights {
        let rights: &[Right] = match self {
            Self::Shell => &[Right::Shell],
            Self::Exec => &[Right::Exec],
            Self::Sftp | Self::Rsync => &[Right::Upload, Right::Download],
            Self::ScpUpload | Self::GitPush => &[Right::Upload],
            Self::ScpDownload | Self::GitFetch => &[Right::Download],
            Self::Tunnel => &[Right::Tunnel],
        };
        rights.iter().copied().collect()
    }

    /// Whether bytes of files pass here, which are never recorded.
    #[must_use]
    pub fn is_transfer(self) -> bool {
        !matches!(self, Self::Shell | Self::Exec | Self::Tunnel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_needs_something_and_reads_back() {
        for channel in Channel::ALL {
            assert!(!channel.needs().is_empty());
            assert_eq!(Channel::parse(channel.as_str()), Some(channel));
        }
        assert_eq!(Channel::parse("x11"), None);
    }
}
