//! The way in: the store, the settings, and who is there. Every session begins with it, from the menu too.

use crate::identity::{Identity, Stranger, identify};
use crate::message::{Message, Trouble, say};
use crate::report;
use crate::start::Start;
use crate::status;
use event::{Event, Type};
use jms::paths::Paths;
use jms::settings::Settings;
use jms::store::Store;
use jms::time::Time;

/// The store, the settings, and who is there: what every session begins with. What is out of order, or
/// who is refused, has been said and written down.
///
/// # Errors
/// The exit status.
pub fn enter(start: &Start) -> Result<(Store, Settings, Identity), i32> {
    let paths = Paths::system();
    let mut store = match Store::open(&paths) {
        Ok(store) => store,
        Err(error) => {
            let event = Event::new(Type::StoreProblem)
                .result("error")
                .reason(error.to_string());
            report::without_store(&event.with("uid", u64::from(start.uid)));
            return Err(out_of_order(Trouble::Store));
        }
    };
    let settings = match Settings::load(&paths.settings()) {
        Ok(settings) => settings,
        Err(error) => {
            let event = Event::new(Type::SettingsProblem)
                .result("error")
                .reason(error.to_string());
            report::emit(&mut store, &event);
            return Err(out_of_order(Trouble::Settings));
        }
    };
    store.set_event_format(settings.syslog.format.into());
    // The close phase of this login comes after us; without the wish it is only slower.
    let _ = store.leave_log();
    match identify(&store, start, Time::now()) {
        Ok(identity) => Ok((store, settings, identity)),
        Err(stranger) => Err(refuse(&mut store, start, &stranger)),
    }
}

fn refuse(store: &mut Store, start: &Start, stranger: &Stranger) -> i32 {
    report::emit(store, &report::stranger(start, stranger));
    let message = match stranger {
        Stranger::Store(_) => return out_of_order(Trouble::Store),
        Stranger::OtherName => Message::OtherName,
        Stranger::NotValid | Stranger::KeyRemoved => Message::UserNotValid,
        Stranger::LoginRule => Message::LoginRule,
        _ => Message::NoLogin,
    };
    say(message);
    status::DENIED
}

/// Says that something of the bastion is out of order; the exit status.
pub fn out_of_order(trouble: Trouble) -> i32 {
    say(Message::Bastion(trouble));
    status::BASTION
}

/// Whether the login and its user are still what they were. A store that cannot be asked says
/// nothing against them: no right is used before it has been asked again.
#[must_use]
pub fn is_still_there(start: &Start) -> bool {
    let Ok(store) = Store::open(&Paths::system()) else {
        return true;
    };
    matches!(
        identify(&store, start, Time::now()),
        Ok(_) | Err(Stranger::Store(_))
    )
}
