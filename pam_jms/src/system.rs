//! The host around the module: its name service, its uid range, its helper, its log.
#![forbid(unsafe_code)]

use std::ffi::CString;
use std::path::Path;

use pam_jms_protocol::{HelperMessage, Prompt, Request, Response};
use snapshot::{UID_RANGE_PATH, UidRange};

use crate::ffi::{connection, log, passwd};
use crate::helper::{self, HelperError, Waiting};

/// What the phases ask of the host; the tests answer from a script.
pub(crate) trait System {
    /// The uid of a virtual user. `None` for everybody else, and when there is no telling:
    /// without a good uid range the name service has no virtual users either.
    fn virtual_uid(&self, user: &str) -> Option<u32>;
    /// This process.
    fn process(&self) -> u32;
    /// Has the helper answer, the one that waits if there is one. Its prompts go to `person`, whose silence ends it.
    /// What stays for the next question is given back.
    fn ask(
        &self,
        request: &Request,
        waiting: Option<Waiting>,
        person: &mut dyn FnMut(&Prompt) -> Option<Response>,
    ) -> Result<(HelperMessage, Option<Waiting>), HelperError>;
    /// What is said on the client's connection, as `SSH_CONNECTION` names it, goes out as it is said from now on.
    fn send_at_once(&self, connection: &str);
    /// Writes a line to syslog, facility authpriv: somebody was refused, and that is as it should be.
    fn log(&self, line: &str);
    /// The same where something is broken, which an administrator has to mend.
    fn alert(&self, line: &str);
}

/// The real one.
pub(crate) struct Host;

impl System for Host {
    fn virtual_uid(&self, user: &str) -> Option<u32> {
        let name = CString::new(user).ok()?;
        let range = UidRange::load(Path::new(UID_RANGE_PATH)).ok()?;
        let entry = passwd::lookup(&name)?;
        // A uid alone says little: a directory or a later useradd may have given it to somebody of
        // the host. Only our name service hands out our two groups together with it.
        let is_ours = entry.gid == range.users_gid() || entry.gid == range.mfa_gid();
        (is_ours && range.contains(entry.uid)).then_some(entry.uid)
    }

    fn process(&self) -> u32 {
        std::process::id()
    }

    fn ask(
        &self,
        request: &Request,
        waiting: Option<Waiting>,
        person: &mut dyn FnMut(&Prompt) -> Option<Response>,
    ) -> Result<(HelperMessage, Option<Waiting>), HelperError> {
        helper::ask(request, waiting, person)
    }

    fn send_at_once(&self, connection: &str) {
        connection::send_at_once(connection);
    }

    fn log(&self, line: &str) {
        log::notice(line);
    }

    fn alert(&self, line: &str) {
        log::alert(line);
    }
}
