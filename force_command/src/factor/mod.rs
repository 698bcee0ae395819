//! The second factor as a person at a terminal meets it: asked for, enrolled, renewed.
//!
//! Comes before anything else that a login may do, and is the session program's own screen: nothing that an asset
//! or another user wrote is near it. What is typed here is echoed nowhere, recorded nowhere, and wiped.

mod conversation;
mod enrolment;
mod fresh;
mod gate;
mod qr;
mod question;
mod screen;
mod wish;

pub use conversation::someone_sits_there;
pub use fresh::connect;
pub use gate::{Gate, pass, still_passed};
pub use wish::grant;

use crate::entrance::out_of_order;
use crate::identity::Identity;
use crate::message::Trouble;
use crate::report;
use conversation::Left;
use event::{Severity, Type};
use jms::nouns::Login;
use jms::settings::Settings;
use jms::store::{Store, StoreError};

/// The store, the settings, and who is there.
pub type Entered = (Store, Settings, Identity);

/// What the store refuses stands in an event; the person learns that it is out of order.
fn trouble(store: &mut Store, login: &Login, error: &StoreError) -> Left {
    let event = report::about(Type::StoreProblem, login)
        .severity(Severity::Critical)
        .result("error")
        .reason(error.to_string());
    report::emit(store, &event);
    Left(out_of_order(Trouble::Store))
}
