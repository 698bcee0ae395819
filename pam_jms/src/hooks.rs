//! The six entry points. Each is guarded twice: here a panic while we look whether the user is
//! ours ends in `PAM_IGNORE`, later ones in the phase's refusal; what is left, `pam_hooks!` catches.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use pam::constants::{PAM_SILENT, PamFlag, PamResultCode};
use pam::module::{PamHandle, PamHooks};

use crate::application::PamApplication;
use crate::ffi::log;
use crate::phases::{Call, refusal, run, virtual_user};
use crate::stack::Place;
use crate::system::Host;

struct Jms;

pam::pam_hooks!(Jms);

impl PamHooks for Jms {
    fn sm_authenticate(
        pamh: &mut PamHandle,
        arguments: Vec<&CStr>,
        flags: PamFlag,
    ) -> PamResultCode {
        guarded(pamh, Call::Authenticate(Place::of(&arguments)), flags)
    }

    fn sm_setcred(pamh: &mut PamHandle, _: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        guarded(pamh, Call::SetCredentials, flags)
    }

    fn acct_mgmt(pamh: &mut PamHandle, _: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        guarded(pamh, Call::Account, flags)
    }

    fn sm_open_session(pamh: &mut PamHandle, _: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        guarded(pamh, Call::OpenSession, flags)
    }

    fn sm_close_session(pamh: &mut PamHandle, _: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        guarded(pamh, Call::CloseSession, flags)
    }

    fn sm_chauthtok(pamh: &mut PamHandle, _: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        guarded(pamh, Call::ChangeToken, flags)
    }
}

fn guarded(pamh: &mut PamHandle, call: Call, flags: PamFlag) -> PamResultCode {
    report_panics_to_syslog();
    let mut application = PamApplication::new(pamh, flags & PAM_SILENT != 0);
    let system = Host;
    let looked_up = catch_unwind(AssertUnwindSafe(|| {
        virtual_user(&mut application, &system, call)
    }));
    let Ok(Some(user)) = looked_up else {
        return PamResultCode::PAM_IGNORE;
    };
    catch_unwind(AssertUnwindSafe(|| {
        run(&mut application, &system, call, &user)
    }))
    .unwrap_or_else(|_| refusal(call))
}

/// A panic's message would go to sshd's standard error, which nobody reads. Rust's runtime in
/// this file is a copy of our own: the hook is ours alone.
fn report_panics_to_syslog() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map_or_else(
                || "an unknown place".to_owned(),
                |location| format!("{}:{}", location.file(), location.line()),
            );
            log::alert(&format!(
                "pam_jms: panicked at {place}; this is an error in pam_jms, please report it"
            ));
        }));
    });
}
