//! The program that called PAM (sshd, su, cron, …), as far as the phases need to know it.

use std::ffi::{CStr, CString};

use pam::constants::{PAM_ERROR_MSG, PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON};
use pam::conv::Conv;
use pam::items::{AuthTok, RHost, Service, Tty, User};
use pam::module::PamHandle;
use pam_jms_protocol::{Prompt, Response};

use crate::ffi;
use crate::helper::Waiting;

/// What the phases ask of PAM; the tests answer from a script.
pub(crate) trait Application {
    /// PAM_USER. With `may_ask`, PAM may ask the person for it as the first module in a stack
    /// has to. `None`: there is none, or it is not UTF-8, which no name of ours is.
    fn user(&mut self, may_ask: bool) -> Option<String>;
    /// PAM_SERVICE.
    fn service(&self) -> Option<String>;
    /// PAM_RHOST.
    fn remote_host(&self) -> Option<String>;
    /// PAM_TTY.
    fn terminal(&self) -> Option<String>;
    /// A variable of the PAM environment.
    fn variable(&self, name: &CStr) -> Option<String>;
    /// Sets a variable of the PAM environment; whether it worked.
    fn set_variable(&mut self, name: &str, value: &str) -> bool;
    /// Takes a variable out of the PAM environment, if it is there; whether it is gone.
    fn unset_variable(&mut self, name: &CStr) -> bool;
    /// Whether a module before this one has taken a password (PAM_AUTHTOK). It says nothing of whether it was right.
    fn password_was_typed(&self) -> bool;
    /// Shows the person a sentence. Best effort: nothing depends on whether it is seen.
    fn show(&self, sentence: &str);
    /// Asks the person. `None`: nobody answers, or not in a way that can be passed on.
    fn ask(&self, prompt: &Prompt) -> Option<Response>;
    /// Keeps a helper for the next call about this login; PAM ends it with the handle.
    fn keep(&mut self, waiting: Waiting);
    /// The helper that an earlier call kept.
    fn kept(&mut self) -> Option<Waiting>;
}

/// The real one: a PAM handle.
pub(crate) struct PamApplication<'a> {
    handle: &'a mut PamHandle,
    silent: bool,
}

impl<'a> PamApplication<'a> {
    /// `silent`: the caller said PAM_SILENT, nothing is to be shown.
    pub(crate) fn new(handle: &'a mut PamHandle, silent: bool) -> Self {
        Self { handle, silent }
    }
}

fn owned(text: &CStr) -> Option<String> {
    text.to_str().ok().map(str::to_owned)
}

impl Application for PamApplication<'_> {
    fn user(&mut self, may_ask: bool) -> Option<String> {
        let known = self.handle.get_item::<User<'_>>().ok().flatten();
        match known.map(|user| owned(user.0)) {
            Some(user) => user,
            None if may_ask => self.handle.get_user(None).ok(),
            None => None,
        }
    }

    fn service(&self) -> Option<String> {
        owned(self.handle.get_item::<Service<'_>>().ok().flatten()?.0)
    }

    fn remote_host(&self) -> Option<String> {
        owned(self.handle.get_item::<RHost<'_>>().ok().flatten()?.0)
    }

    fn terminal(&self) -> Option<String> {
        owned(self.handle.get_item::<Tty<'_>>().ok().flatten()?.0)
    }

    fn variable(&self, name: &CStr) -> Option<String> {
        ffi::pam::variable(self.handle, name)
    }

    fn set_variable(&mut self, name: &str, value: &str) -> bool {
        let Ok(assignment) = CString::new(format!("{name}={value}")) else {
            return false;
        };
        ffi::pam::set_variable(self.handle, &assignment)
    }

    fn unset_variable(&mut self, name: &CStr) -> bool {
        // PAM takes it for an error if there is none.
        self.variable(name).is_none() || ffi::pam::unset_variable(self.handle, name)
    }

    fn password_was_typed(&self) -> bool {
        let typed = self.handle.get_item::<AuthTok<'_>>().ok().flatten();
        typed.is_some_and(|typed| !typed.as_bytes().is_empty())
    }

    fn show(&self, sentence: &str) {
        if self.silent || sentence.is_empty() {
            return;
        }
        if let Ok(Some(conversation)) = self.handle.get_item::<Conv<'_>>() {
            // A client that cannot show it is refused all the same.
            let _ = conversation.send(PAM_ERROR_MSG, sentence);
        }
    }

    fn ask(&self, prompt: &Prompt) -> Option<Response> {
        let conversation = self.handle.get_item::<Conv<'_>>().ok().flatten()?;
        let style = match prompt.echo {
            true => PAM_PROMPT_ECHO_ON,
            false => PAM_PROMPT_ECHO_OFF,
        };
        let typed = conversation.send(style, &prompt.text).ok().flatten()?;
        Some(Response::new(typed.as_bytes().to_vec()))
    }

    fn keep(&mut self, waiting: Waiting) {
        // If PAM does not take it, it is dropped, and ends.
        ffi::pam::keep(self.handle, waiting);
    }

    fn kept(&mut self) -> Option<Waiting> {
        ffi::pam::kept(self.handle)
    }
}
