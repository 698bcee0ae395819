//! What is answered in which phase. Knows PAM and the host through two traits only, so that every
//! line is tried without either.
#![forbid(unsafe_code)]

use pam::constants::PamResultCode;
use pam_jms_protocol::{Allow, HelperMessage, LoginToken, Phase, Refusal, Request};

use crate::application::Application;
use crate::escape::escape;
use crate::helper::HelperError;
use crate::stack::Place;
use crate::system::System;

/// The only service in which virtual users exist. Before OpenSSH 9.8 sshd takes it from its own
/// `argv[0]`, later from PAMServiceName.
const SERVICE: &str = "sshd";
/// What the person reads when the bastion itself is to blame; why stands in syslog.
const SORRY: &str = "jms: the bastion cannot let you in just now; please tell your administrator";
/// The variable that carries the login's token into the session.
const LOGIN_VARIABLE: &str = "JMS_LOGIN";
/// The variable that carries what was passed from the authentication to the session phase; sealed by the helper.
const FACTOR_VARIABLE: &str = "JMS_FACTOR";

/// A call of PAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Authenticate(Place),
    SetCredentials,
    Account,
    OpenSession,
    CloseSession,
    ChangeToken,
}

impl Call {
    /// The word for it in syslog lines, as Linux-PAM's own modules have it.
    fn word(self) -> &'static str {
        match self {
            Self::Authenticate(_) => "auth",
            Self::SetCredentials => "setcred",
            Self::Account => "account",
            Self::OpenSession | Self::CloseSession => "session",
            Self::ChangeToken => "chauthtok",
        }
    }
}

/// A user of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VirtualUser {
    /// The name as it was asked for; may carry a target.
    pub(crate) name: String,
    pub(crate) uid: u32,
}

/// Who is meant, if it is one of ours. `None` is everybody else: the phase is then none of our
/// business.
pub(crate) fn virtual_user(
    application: &mut impl Application,
    system: &impl System,
    call: Call,
) -> Option<VirtualUser> {
    let may_ask = matches!(call, Call::Authenticate(_) | Call::ChangeToken);
    let name = application.user(may_ask)?;
    let uid = system.virtual_uid(&name)?;
    Some(VirtualUser { name, uid })
}

/// How PAM spells "no" to sshd in this call (pam_sm_*(3)).
pub(crate) fn refusal(call: Call) -> PamResultCode {
    match call {
        // Not PAM_MAXTRIES: sshd then tells the client that no method is left, and OpenSSH's takes an empty list for all there
        // are and asks for a password.
        Call::Authenticate(_) => PamResultCode::PAM_AUTH_ERR,
        Call::SetCredentials => PamResultCode::PAM_CRED_ERR,
        Call::Account | Call::ChangeToken => PamResultCode::PAM_PERM_DENIED,
        Call::OpenSession | Call::CloseSession => PamResultCode::PAM_SESSION_ERR,
    }
}

/// The same to everybody else. sudo goes on after PAM_SESSION_ERR ("Treat PAM_SESSION_ERR as a
/// non-fatal error" in its auth/pam.c), so it gets a code that it does not shrug off.
fn refusal_elsewhere(call: Call) -> PamResultCode {
    match call {
        Call::OpenSession => PamResultCode::PAM_PERM_DENIED,
        _ => refusal(call),
    }
}

/// Answers a call about a user of ours.
pub(crate) fn run<A: Application>(
    application: &mut A,
    system: &impl System,
    call: Call,
    user: &VirtualUser,
) -> PamResultCode {
    let service = application.service().unwrap_or_default();
    // Only here does sshd send it to the client, as a banner or with the next prompt; what it is told in the session
    // phase it prints on the session's standard output (tried), where not one byte of ours belongs.
    let speak = |application: &A, sentence: &str| {
        if matches!(call, Call::Account | Call::Authenticate(_)) {
            application.show(sentence);
        }
    };
    let line = |what: &str| {
        let (service, name) = (escape(&service), escape(&user.name));
        format!(
            "pam_jms({service}:{}): user \"{name}\": {what}",
            call.word()
        )
    };
    let alert = |what: &str| system.alert(&line(what));
    if service != SERVICE {
        system.log(&line("refused: users of the bastion exist for sshd only"));
        return refusal_elsewhere(call);
    }
    let phase = match call {
        Call::Authenticate(place) => match authentication(application, place) {
            Ok(phase) => phase,
            Err(Not::Ours) => return PamResultCode::PAM_IGNORE,
            Err(Not::Safe(what)) => {
                alert(what);
                return refusal(call);
            }
        },
        // There is nothing to change here, and nothing to hand out.
        Call::ChangeToken => return refusal(call),
        Call::SetCredentials => return PamResultCode::PAM_SUCCESS,
        Call::Account => Phase::Account,
        Call::OpenSession => Phase::OpenSession,
        Call::CloseSession => Phase::CloseSession,
    };
    let request = match request(application, system, phase, user, service.clone()) {
        Ok(request) => request,
        Err(what) => {
            system.log(&line(what));
            return refusal(call);
        }
    };
    let mut unasked = false;
    let waiting = application.kept();
    let answer = system.ask(&request, waiting, &mut |prompt| match phase {
        Phase::Authenticate | Phase::AuthenticateAfterPassword => application.ask(prompt),
        Phase::Account | Phase::OpenSession | Phase::CloseSession => {
            unasked = true;
            None
        }
    });
    let answer = answer.map(|(message, waiting)| {
        if let Some(waiting) = waiting {
            application.keep(waiting);
        }
        message
    });
    match answer {
        Ok(HelperMessage::Allow(allow)) => {
            let done = match phase {
                Phase::Authenticate | Phase::AuthenticateAfterPassword => {
                    hand_on(application, &allow)
                }
                Phase::OpenSession => hand_over(application, &allow),
                Phase::Account | Phase::CloseSession => nothing_more(&allow),
            };
            match done {
                Ok(()) => {
                    if let (Phase::OpenSession, Some(connection)) = (phase, &request.connection) {
                        system.send_at_once(connection);
                    }
                    speak(application, &allow.message);
                    PamResultCode::PAM_SUCCESS
                }
                Err(what) => {
                    alert(what);
                    speak(application, SORRY);
                    refusal(call)
                }
            }
        }
        Ok(HelperMessage::Refuse(refuse)) => {
            speak(application, &refuse.message);
            match (call, refuse.refusal) {
                (Call::Account, Refusal::Expired | Refusal::NotYetValid) => {
                    PamResultCode::PAM_ACCT_EXPIRED
                }
                _ => refusal(call),
            }
        }
        Ok(HelperMessage::Prompt(_)) => {
            alert(&format!("refused: {}", HelperError::Unasked));
            speak(application, SORRY);
            refusal(call)
        }
        Err(HelperError::NoResponse) if unasked => {
            alert(&format!("refused: {}", HelperError::Unasked));
            speak(application, SORRY);
            refusal(call)
        }
        // Nobody is there to be told.
        Err(HelperError::NoResponse) => refusal(call),
        Err(error) => {
            alert(&format!("refused: {error}"));
            speak(application, SORRY);
            refusal(call)
        }
    }
}

/// Why an authentication is not put to the helper.
enum Not {
    /// Another line decides.
    Ours,
    /// The stack is not as our line says; why, for syslog.
    Safe(&'static str),
}

/// What is to be asked of the helper where our line stands.
fn authentication(application: &impl Application, place: Place) -> Result<Phase, Not> {
    match place {
        Place::Alone => Ok(Phase::Authenticate),
        Place::AfterKey => {
            let shown = application.variable(c"SSH_AUTH_INFO_0").unwrap_or_default();
            // Whether the key is good is the helper's to say: here it is only whose turn it is.
            match shown.lines().any(|line| line.starts_with("publickey ")) {
                true => Ok(Phase::Authenticate),
                false => Err(Not::Ours),
            }
        }
        Place::AfterPassword if application.password_was_typed() => {
            Ok(Phase::AuthenticateAfterPassword)
        }
        Place::AfterPassword => Err(Not::Safe(
            "refused: the line says after_password, and no module before it has taken a password",
        )),
        Place::Unknown => Err(Not::Safe(
            "refused: the line's arguments are not understood: none, after_key or after_password",
        )),
    }
}

fn request(
    application: &impl Application,
    system: &impl System,
    phase: Phase,
    user: &VirtualUser,
    service: String,
) -> Result<Request, &'static str> {
    let token = match phase {
        Phase::CloseSession => {
            let value = application.variable(c"JMS_LOGIN");
            let token = value.as_deref().and_then(LoginToken::parse);
            Some(token.ok_or("this session has no login of ours to close")?)
        }
        Phase::Authenticate
        | Phase::AuthenticateAfterPassword
        | Phase::Account
        | Phase::OpenSession => None,
    };
    Ok(Request {
        phase,
        user: user.name.clone(),
        uid: user.uid,
        service,
        remote_host: application.remote_host(),
        terminal: application.terminal(),
        authentication: application.variable(c"SSH_AUTH_INFO_0"),
        connection: application.variable(c"SSH_CONNECTION"),
        process: system.process(),
        token,
        passed: match phase {
            Phase::OpenSession => application.variable(c"JMS_FACTOR"),
            Phase::Authenticate
            | Phase::AuthenticateAfterPassword
            | Phase::Account
            | Phase::CloseSession => None,
        },
    })
}

/// The yes to a session carries the token and nothing else; it goes to the session's environment. What the authentication
/// handed on has done its work by then: no session has it.
fn hand_over(application: &mut impl Application, allow: &Allow) -> Result<(), &'static str> {
    let [variable] = allow.environment.as_slice() else {
        return Err("refused: the helper said yes without exactly one variable");
    };
    if variable.name != LOGIN_VARIABLE {
        return Err("refused: the helper wants to set a variable that it may not set");
    }
    let Some(token) = LoginToken::parse(&variable.value) else {
        return Err("refused: the helper's login token is none");
    };
    if !application.unset_variable(c"JMS_FACTOR") {
        return Err("refused: PAM does not let go of what was passed");
    }
    if application.set_variable(LOGIN_VARIABLE, token.as_str()) {
        Ok(())
    } else {
        Err("refused: PAM did not take the login token")
    }
}

/// The yes to an authentication carries what was passed, sealed, and nothing else.
fn hand_on(application: &mut impl Application, allow: &Allow) -> Result<(), &'static str> {
    let [variable] = allow.environment.as_slice() else {
        return Err("refused: the helper said yes without exactly one variable");
    };
    if variable.name != FACTOR_VARIABLE {
        return Err("refused: the helper wants to set a variable that it may not set");
    }
    if application.set_variable(FACTOR_VARIABLE, &variable.value) {
        Ok(())
    } else {
        Err("refused: PAM did not take what was passed")
    }
}

fn nothing_more(allow: &Allow) -> Result<(), &'static str> {
    if allow.environment.is_empty() {
        Ok(())
    } else {
        Err("refused: the helper wants to set variables in a phase that has none")
    }
}

#[cfg(test)]
#[path = "phases_tests.rs"]
mod tests;
