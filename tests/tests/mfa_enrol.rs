//! A person who must have a second factor and has none: what he meets, what he may do, and what nobody else may.

use std::sync::OnceLock;

use tests::{Authenticator, Lab, Outcome, Terminal};
use vt100::{Color, Parser};

/// Each test has a user of its own, who may use web1 as dev.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday();
        for name in ["bob", "carol", "dave", "erin"] {
            let key = lab.client_of(name).public_key().expect("a key");
            drop(
                lab.bastion()
                    .command([
                        "jmsctl",
                        "user",
                        "add",
                        name,
                        "--mfa",
                        "totp",
                        "--mfa-asked",
                        "session",
                        "--key",
                        "-",
                    ])
                    .input(format!("{key}\n"))
                    .run()
                    .expect_status(0),
            );
        }
        jmsctl(&lab, "grant set everyday --add-user bob,carol,dave,erin");
        lab
    })
}

fn jmsctl(lab: &Lab, line: &str) -> Outcome {
    lab.bastion()
        .run(format!("jmsctl {line} </dev/null"))
        .expect_status(0)
}

fn at(name: &str, words: &[&str]) -> Outcome {
    let target = format!("{name}@dev@web1@bastion");
    let all: Vec<&str> = [target.as_str()]
        .into_iter()
        .chain(words.iter().copied())
        .collect();
    lab().client_of(name).ssh(all)
}

/// A terminal of the person, large enough for a QR code, whose client sends this locale.
fn terminal(name: &str, login: &str, words: &[&str], locale: &str) -> Terminal {
    let all: Vec<&str> = ["-tt", "-o", "SendEnv=LANG", login]
        .into_iter()
        .chain(words.iter().copied())
        .collect();
    lab()
        .client_of(name)
        .command("ssh", all)
        .variable("LANG", locale)
        .variable("LC_ALL", "")
        .in_window(120, 60)
        .on_terminal()
}

const PROOF: &str = "code of the app: ";

/// What a camera reads from the screen.
fn photograph(shown: &str) -> Option<String> {
    let (columns, lines) = (120_u16, 60_u16);
    let mut screen = Parser::new(lines.try_into().ok()?, columns.try_into().ok()?, 0);
    screen.process(shown.as_bytes());
    let (wide, high) = (4_usize, 8_usize);
    let (width, height) = (usize::from(columns) * wide, usize::from(lines) * high);
    let mut image = vec![0x20_u8; width * height];
    let bright = |colour: Color, own: u8| match colour {
        Color::Idx(0) => 0,
        Color::Idx(7) => 0xc0,
        Color::Idx(15) => 0xff,
        _ => own,
    };
    for row in 0..lines {
        for column in 0..columns {
            let cell = screen.screen().cell(row, column)?;
            let (ink, paper) = (bright(cell.fgcolor(), 0xd0), bright(cell.bgcolor(), 0x20));
            let sign = cell.contents().chars().next().unwrap_or(' ');
            for y in 0..high {
                for x in 0..wide {
                    let inked = match sign {
                        ' ' => false,
                        '▀' => y < high / 2,
                        '▄' => y >= high / 2,
                        '█' | '#' => true,
                        // Letters: some ink.
                        _ => (x + y) % 3 == 0,
                    };
                    let at = (usize::from(row) * high + y) * width + usize::from(column) * wide + x;
                    image[at] = if inked { ink } else { paper };
                }
            }
        }
    }
    let mut prepared =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| image[y * width + x]);
    let grids = prepared.detect_grids();
    grids
        .iter()
        .find_map(|grid| grid.decode().ok())
        .map(|(_, text)| text)
}

/// Enrols on a screen that is shown; the app, and the recovery codes.
#[track_caller]
fn enrol(terminal: &mut Terminal, app: &Authenticator) -> Vec<String> {
    let now = app.code(lab().host("client"), -1);
    terminal.send_line(&now);
    terminal.expect("Recovery codes");
    let codes = terminal.expect("type yes when you have noted them: ");
    let codes: Vec<String> = codes
        .split_whitespace()
        .filter(|word| word.len() == 11 && word.as_bytes()[5] == b'-')
        .map(str::to_owned)
        .collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    terminal.send_line("yes");
    codes
}

#[track_caller]
fn typed_secret(screen: &str) -> Authenticator {
    let line = screen.lines().map(str::trim).find(|line| {
        line.len() == 39
            && line.split(' ').all(|group| {
                group.len() == 4
                    && group
                        .bytes()
                        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            })
    });
    Authenticator::typed(line.unwrap_or_else(|| panic!("no secret in {screen}")))
}

#[test]
fn before_a_factor_is_enrolled_nothing_is_reachable_and_one_line_says_what_to_do() {
    let line = "jms: you need a second factor and have none yet; enrol it on a terminal: ssh -t USER@bastion\n";
    let client = lab().client_of("bob");
    for words in [
        &["bob@dev@web1@bastion", "id"][..],
        &["bob@bastion", "ls"],
        &["bob@bastion", "whoami"],
        &["bob@bastion", "mfa", "enroll"],
        &["bob@bastion", "mfa", "verify"],
        &["bob@bastion", "jmsctl", "user", "ls"],
        &["bob@bastion", "nonsense"],
    ] {
        client
            .ssh(words)
            .expect_status(126)
            .expect_stdout("")
            .expect_stderr(line);
    }
    let sftp = client
        .command("sftp", ["-b", "/dev/null", "bob@dev@web1@bastion"])
        .run();
    assert!(!sftp.succeeded(), "{sftp}");
    // On a terminal, whatever is asked for is answered with the screen.
    // (A terminal without a size is no person's: Ansible has such a one.)
    let nobody = client.command("ssh", ["-tt", "bob@dev@web1@bastion", "id"]);
    let nobody = nobody.in_window(0, 0).on_terminal().wait();
    let nobody = nobody.expect_status(126).text();
    assert!(nobody.contains("enrol it on a terminal"), "{nobody}");
    let mut screen = terminal("bob", "bob@bastion", &["ls"], "C.UTF-8");
    screen.expect("you have none yet");
    screen.expect(PROOF);
    screen.send("\x03");
    screen.expect("nothing is open to you");
    let left = screen.wait();
    let left = left.expect_status(126);
    assert!(!left.text().contains("web1"), "{left}");
    at("bob", &["id"]).expect_status(126);
    // The word that the line names does it, and nothing more.
    let mut screen = terminal("bob", "bob@bastion", &["mfa", "verify"], "C.UTF-8");
    let app = typed_secret(&screen.expect(PROOF));
    enrol(&mut screen, &app);
    drop(screen.wait().expect_status(0));
}

#[test]
fn a_phone_reads_the_code_from_the_screen_and_the_session_goes_on_behind_it() {
    let mut shell = terminal("carol", "carol@dev@web1@bastion", &[], "C.UTF-8");
    let screen = shell.expect(PROOF);
    let uri = photograph(&screen).unwrap_or_else(|| panic!("no QR code on\n{screen}"));
    let app = Authenticator::scan(&uri);
    assert!(uri.contains("carol") && screen.contains('▀'), "{uri}");
    assert_eq!(typed_secret(&screen).secret(), app.secret());
    // Another way to draw it, without a letter that is not ASCII.
    shell.send_line("d");
    let other = shell.expect(PROOF);
    assert_eq!(photograph(&other).as_deref(), Some(uri.as_str()));
    assert!(other.is_ascii(), "{other}");
    shell.send_line("000000");
    shell.expect("not what the app should show");
    shell.expect(PROOF);
    let codes = enrol(&mut shell, &app);
    shell.expect("dev@web1");
    shell.send_line("echo quince; exit 3");
    let shown = shell.wait().expect_status(3).text();
    // What was typed is nowhere on the screen.
    assert!(!shown.contains("000000"), "{shown}");

    // It is remembered for programs of the same person at the same place.
    at("carol", &["echo medlar"])
        .expect_status(0)
        .expect_stdout("medlar\n");
    let status = lab()
        .client_of("carol")
        .ssh(["carol@bastion", "mfa", "--json"])
        .expect_status(0)
        .json();
    let status = status.expect("an object");
    assert_eq!(status["demanded"], "totp");
    assert_eq!(status["asked"], "session");
    assert_eq!(status["recovery_codes"], 10);
    assert!(
        !status["enrolled_at"].is_null() && !status["passed_at"].is_null(),
        "{status}"
    );
    let shown = jmsctl(lab(), "user show carol").text();
    assert!(
        shown.contains("enrolled, 10 recovery codes left"),
        "{shown}"
    );

    // No secret, code or recovery code lies anywhere in clear.
    let files = "cat /var/lib/jms/jms.db* /var/log/*log /var/log/syslog 2>/dev/null; zstd -dcq $(find /var/lib/jms/recordings -type f)";
    let kept = lab().bastion().run(files).text();
    for secret in codes.iter().map(String::as_str).chain([app.secret()]) {
        assert!(!kept.contains(secret), "{secret} was kept");
    }
}

#[test]
fn of_two_enrolments_at_once_one_is_kept_and_the_other_is_told() {
    let mut one = terminal("dave", "dave@bastion", &[], "C");
    let screen = one.expect(PROOF);
    assert!(photograph(&screen).is_some(), "{screen}");
    assert!(screen.is_ascii(), "an odd locale gets ASCII");
    let first = typed_secret(&screen);
    let mut other = terminal("dave", "dave@bastion", &[], "C.UTF-8");
    let second = typed_secret(&other.expect(PROOF));
    assert_ne!(first.secret(), second.secret());
    enrol(&mut one, &first);
    one.expect("jms> ");
    one.send_line("q");
    one.wait().expect_status(0);
    other.send_line(&second.code(lab().host("client"), 0));
    other.expect("changed meanwhile");
    other.wait().expect_status(126);
}

#[test]
fn after_a_reset_a_key_alone_enrols_nothing_and_the_handed_over_code_works_once() {
    let mut menu = terminal("erin", "erin@bastion", &[], "C.UTF-8");
    let app = typed_secret(&menu.expect(PROOF));
    enrol(&mut menu, &app);
    menu.expect("jms> ");
    at("erin", &["id -un"])
        .expect_status(0)
        .expect_stdout("dev\n");
    let reset = jmsctl(
        lab(),
        "user mfa-reset erin --yes --json --comment 'phone lost'",
    )
    .json()
    .expect("an object");
    let code = reset["enrolment_code"].as_str().expect("a code").to_owned();
    // What was remembered is gone, and so is what the open login has passed.
    at("erin", &["id -un"]).expect_status(126);
    menu.send_line("ls");
    menu.expect("was changed meanwhile; log in again");
    drop(menu.wait());

    let mut stranger = terminal("erin", "erin@bastion", &[], "C.UTF-8");
    stranger.expect("was reset");
    for _ in 0..3 {
        stranger.expect("enrolment code: ");
        stranger.send_line("abcde-f2345");
        stranger.expect("that is not it");
    }
    let left = stranger.wait().expect_status(126);
    assert!(!left.text().contains("camera"), "{left}");

    let mut erin = terminal("erin", "erin@bastion", &[], "C.UTF-8");
    erin.expect("enrolment code: ");
    erin.send_line(&code);
    let anew = typed_secret(&erin.expect(PROOF));
    enrol(&mut erin, &anew);
    erin.expect("jms> ");
    erin.send_line("mfa");
    erin.expect("enrolled, 10 recovery codes left");
    erin.send_line("q");
    // Audited, without the code.
    let events = jmsctl(lab(), "event ls --json --type factor").text();
    assert!(
        events.contains("reset") && !events.contains(&code),
        "{events}"
    );
}
