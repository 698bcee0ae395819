//! A session or an administrator's command from the menu: a child that goes the whole way of a direct
//! request, and is waited for.

use super::process::Process;
use crate::entrance::enter;
use crate::factor::Entered;
use crate::start::Start;
use crate::watch::{Watch, Woken};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// After the terminal is gone, a session may take this long to close its recording and its row, in milliseconds.
const CLOSING: u16 = 2000;

/// Runs `work` to its end, with the store and who asks as they are then; whether policy has changed
/// meanwhile, or what ends the menu with it.
///
/// # Errors
/// [`Woken`].
pub fn run(start: &Start, watch: &Watch, work: impl FnOnce(Entered) -> i32) -> Result<bool, Woken> {
    let child = Process::start(None, || match enter(start) {
        Ok(entered) => work(entered),
        Err(status) => status,
    });
    let Ok(mut child) = child else {
        crate::message::say(crate::message::Message::Bastion(
            crate::message::Trouble::System,
        ));
        return Ok(false);
    };
    let mut changed = false;
    loop {
        match watch.wait(child.watch()) {
            Woken::Ready => break,
            // The session looks after itself; the menu asks when it goes on.
            Woken::AskAgain => changed = true,
            woken => {
                // It hears of a hung-up terminal as well; this is for everything else.
                child.end();
                let mut watched = [PollFd::new(child.watch(), PollFlags::POLLIN)];
                let _ = poll(&mut watched, PollTimeout::from(CLOSING));
                return Err(woken);
            }
        }
    }
    child.wait();
    Ok(changed)
}
