//! How many sessions may live at once: of a login, of a user, to an asset, on the bastion. The limits that a new bastion has,
//! what ordinary use needs, and that the last free place is given once, however many ask for it at the same moment.

use std::time::Duration;

use tests::shared_login::{SharedLogin, control_sockets, hold_the_store};
use tests::{Lab, Outcome, Running, eventually};

const WAY: &str = "alice@dev@web1@bastion";
/// Says that it is in, and lasts until its input is closed.
const COMMAND: &str = "echo in; cat >/dev/null";
const SOON: Duration = Duration::from_secs(60);

/// A kept connection has a control socket, too.
const NOTHING_IS_KEPT: &str = "[egress]\nwarm_seconds = 0\n";

fn is_in(session: &Running) -> bool {
    session.stdout_so_far() == "in\n"
}

fn end(mut session: Running) -> Outcome {
    session.close_input();
    session.wait()
}

/// One session lives; three more may; four ask at the same moment. What became of the four.
fn four_for_three_places(lab: &Lab, login: &SharedLogin) -> Vec<Outcome> {
    let first = login.session(lab, COMMAND);
    eventually("the first is in", SOON, || is_in(&first));
    let holder = hold_the_store(lab.bastion());
    let asking: Vec<Running> = (0..4).map(|_| login.session(lab, COMMAND)).collect();
    eventually("all stand at the door", SOON, || {
        control_sockets(lab.bastion()) == 5
    });
    assert!(!asking.iter().any(is_in), "the door is shut");
    end(holder).expect_status(0);
    eventually("each is in or refused", SOON, || {
        asking
            .iter()
            .all(|it| is_in(it) || it.stderr_so_far().contains("jms: "))
    });
    let outcomes = asking.into_iter().map(end).collect();
    end(first).expect_status(0);
    eventually("all places are free", SOON, || {
        control_sockets(lab.bastion()) == 0
    });
    outcomes
}

#[test]
fn of_four_that_ask_at_once_for_three_places_exactly_one_is_refused_whatever_the_limit_is_of() {
    let lab = Lab::everyday();
    let login = SharedLogin::open(&lab, WAY);
    let settings = |text: &str| {
        lab.bastion().write(
            "/etc/jms/jms.toml",
            format!("{NOTHING_IS_KEPT}[session]\n{text}\n"),
        )
    };
    let four_asked = |whose: &str| {
        // A slow machine may bring the last one to the door when the first has waited too long for the store.
        let outcomes = (0..5)
            .map(|_| four_for_three_places(&lab, &login))
            .find(|all| !all.iter().any(|it| it.error_text().contains("store")));
        let outcomes = outcomes.expect("all were at the door in time");
        let (inside, refused): (Vec<_>, Vec<_>) =
            outcomes.into_iter().partition(Outcome::succeeded);
        assert_eq!(
            (inside.len(), refused.len()),
            (3, 1),
            "{whose}: {refused:?}"
        );
        for outcome in refused {
            outcome
                .expect_status(75)
                .expect_stdout("")
                .expect_stderr(format!(
                    "jms: too many sessions {whose}; end one and try again\n"
                ));
        }
    };
    for (setting, whose) in [
        ("limit_login = 4", "of this login"),
        ("limit_user = 4", "of this user"),
        ("limit_asset = 4", "to this asset"),
        ("limit_bastion = 4", "on this bastion"),
    ] {
        settings(setting);
        four_asked(whose);
    }
    // An asset's own limit comes before the settings'.
    settings("limit_asset = 1");
    lab.bastion()
        .run("jmsctl --yes asset set web1 --limit-sessions 4")
        .expect_status(0);
    four_asked("to this asset");
    let refusals = lab
        .bastion()
        .run("jmsctl event ls --type session.refused --json")
        .json_lines()
        .expect("events");
    assert!(
        refusals.len() >= 5,
        "each refusal is an event: {refusals:?}"
    );
}

#[test]
fn a_new_bastion_has_limits_and_fifty_sessions_of_one_user_at_once_do_not_meet_them() {
    let lab = Lab::everyday();
    lab.bastion().write("/etc/jms/jms.toml", NOTHING_IS_KEPT);
    let settings = lab
        .bastion()
        .run("jmsctl config show --effective --json")
        .expect_status(0)
        .json()
        .expect("settings");
    let limit = |of: &str| settings["session"][format!("limit_{of}")].clone();
    assert_eq!(
        ["login", "user", "asset", "bastion"].map(limit),
        [20, 100, 200, 1000].map(serde_json::Value::from)
    );
    // As Ansible with 50 forks; sshd itself allows ten for each login.
    let logins: Vec<SharedLogin> = (0..5).map(|_| SharedLogin::open(&lab, WAY)).collect();
    let sessions: Vec<Running> = logins
        .iter()
        .flat_map(|login| (0..10).map(|_| login.session(&lab, COMMAND)))
        .collect();
    eventually("all fifty are in", SOON * 4, || {
        let refused = sessions.iter().find(|it| !it.stderr_so_far().is_empty());
        if let Some(refused) = refused {
            panic!("{}", refused.stderr_so_far());
        }
        sessions.iter().all(is_in)
    });
    for session in sessions {
        end(session).expect_status(0);
    }
    eventually("nothing is left", SOON, || {
        control_sockets(lab.bastion()) == 0
    });
}
