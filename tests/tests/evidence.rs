//! What is left of a session: recording, rows, events; and what must never be left anywhere.

use std::time::Duration;

use tests::{Lab, Terminal, eventually};

const WAY: &str = "alice@dev@web1@bastion";

fn shell(lab: &Lab) -> Terminal {
    let mut shell = lab.client().ssh_on_terminal([WAY]);
    shell.expect("dev@web1");
    shell
}

/// The newest session, as `jmsctl` shows it.
fn newest(lab: &Lab) -> serde_json::Value {
    let rows = lab
        .bastion()
        .run("jmsctl session ls --json")
        .json_lines()
        .expect("session ls --json prints JSON");
    rows.into_iter()
        .filter(|row| row["channel"] != "kept")
        .max_by_key(|row| row["started_at"].as_str().map(str::to_owned))
        .expect("there is a session")
}

fn recording(row: &serde_json::Value) -> String {
    format!(
        "/var/lib/jms/recordings/{}",
        row["recording"]
            .as_str()
            .expect("a session names its recording")
    )
}

#[test]
fn a_terminal_session_is_listed_replayed_and_in_syslog() {
    let lab = Lab::everyday();
    let mut terminal = shell(&lab);
    terminal.send_line("echo pome$((40+2))granate");
    terminal.expect("pome42granate");
    terminal.send_line("exit 5");
    terminal.wait().expect_status(5);
    let row = newest(&lab);
    assert_eq!(
        (
            row["user"].as_str(),
            row["asset"].as_str(),
            row["system_user"].as_str()
        ),
        (Some("alice"), Some("web1"), Some("dev"))
    );
    assert_eq!(
        (row["channel"].as_str(), row["exit_status"].as_i64()),
        (Some("shell"), Some(5))
    );
    let id = row["id"].as_str().expect("a session has an id");
    lab.bastion()
        .run(format!("jmsctl session replay {}", &id[..8]))
        .expect_status(0)
        .expect_stdout_contains("pome42granate");
    eventually(
        "syslog has the opening and the end",
        Duration::from_secs(5),
        || {
            let log = lab.bastion().auth_log();
            log.contains(&format!("session=\"{id}\""))
                && log.contains("type=\"session.open\"")
                && log.contains("type=\"session.close\"")
        },
    );
    lab.bastion()
        .run("jmsctl event ls --type evidence.read --json")
        .expect_status(0)
        .expect_stdout_contains(id);
}

#[test]
fn debians_asciinema_plays_a_recording_and_zstd_reads_it() {
    let lab = Lab::everyday();
    let mut terminal = shell(&lab);
    terminal.send_line("echo quin$((6*7))ce");
    terminal.expect("quin42ce");
    terminal.send_line("exit");
    terminal.wait().expect_status(0);
    let file = recording(&newest(&lab));
    lab.bastion()
        .run(format!("zstd -dc {file} | head -1"))
        .expect_status(0)
        .expect_stdout_contains("\"version\":2");
    lab.bastion()
        .run(format!("zstd -dc {file} > /tmp/play.cast; script -qec 'LANG=C.UTF-8 asciinema play -s 100 -i 0.01 /tmp/play.cast' /dev/null"))
        .expect_status(0)
        .expect_stdout_contains("quin42ce");
}

#[test]
fn killed_in_mid_output_a_recording_plays_to_its_last_second() {
    let lab = Lab::everyday();
    let mut terminal = shell(&lab);
    terminal.send_line("i=0; while :; do i=$((i+1)); echo tick-$i; sleep 0.1; done");
    terminal.expect("tick-40");
    let shown = lab.bastion().run("pkill -9 -x force-command");
    shown.expect_status(0);
    terminal.wait().expect_failure();
    eventually(
        "whoever looks next closes the row",
        Duration::from_secs(5),
        || newest(&lab)["end_reason"] == "lost",
    );
    let row = newest(&lab);
    let file = recording(&row);
    let played = lab.bastion().run(format!("zstd -dc {file} 2> /dev/null > /tmp/cut.cast; script -qec 'LANG=C.UTF-8 asciinema play -s 1000 -i 0.001 /tmp/cut.cast' /dev/null | grep -o 'tick-[0-9]*' | tail -1"));
    let last: u32 = played
        .text()
        .trim()
        .trim_start_matches("tick-")
        .parse()
        .expect("a tick was recorded");
    // Ten ticks a second; forty were seen before the kill.
    assert!(
        last >= 30,
        "the recording ends at tick {last}: more than a second is missing"
    );
    let id = row["id"].as_str().expect("a session has an id");
    lab.bastion()
        .run(format!("jmsctl session replay {id}"))
        .expect_status(0)
        .expect_stdout_contains(&format!("tick-{}", last - 1));
    eventually(
        "nothing of the session is left on web1",
        Duration::from_secs(5),
        || {
            !lab.web1()
                .run("pgrep -u dev -f 'sleep 0.1'; pgrep -u dev bash")
                .succeeded()
        },
    );
    lab.client().ssh([WAY, "true"]).expect_status(0);
}

#[test]
fn a_restarted_rsyslogd_loses_nothing_that_the_store_does_not_have() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion
        .run("pkill -x rsyslogd; while pgrep -x rsyslogd; do sleep 0.01; done; rm -f /dev/log")
        .expect_status(0);
    lab.client().ssh([WAY, "true"]).expect_status(0);
    bastion
        .run("jmsctl event ls --unsent --json")
        .expect_status(0)
        .expect_stdout_contains("session.open");
    bastion
        .run("rsyslogd; until [ -S /dev/log ]; do sleep 0.01; done")
        .expect_status(0);
    lab.client().ssh([WAY, "true"]).expect_status(0);
    let unsent = bastion
        .run("jmsctl event ls --unsent --json")
        .expect_status(0)
        .text();
    assert_eq!(unsent, "", "all are sent once syslog is back");
    eventually(
        "syslog has every number without a gap",
        Duration::from_secs(5),
        || {
            let log = bastion.auth_log();
            let mut numbers: Vec<u64> = log
                .split("seq=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next()?.parse().ok())
                .collect();
            numbers.sort_unstable();
            numbers.first() == Some(&1) && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1)
        },
    );
}

#[test]
fn a_secret_lies_in_the_one_place_where_it_belongs() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    // A key of our own, so that we know what to look for.
    bastion
        .run(
            "set -e; ssh-keygen -q -t ed25519 -N '' -C planted -f /root/planted
             jmsctl system-user set dev --key /root/planted",
        )
        .expect_status(0);
    let public = bastion.run("cat /root/planted.pub").text();
    tests::boot::authorize(lab.web1(), "dev", public.trim()).expect("web1 has dev");
    let mut terminal = shell(&lab);
    terminal.send_line("echo still here");
    terminal.expect("still here");
    let search = bastion.run(
        r#"python3 - <<'PY'
import base64, os, re, glob
text = open('/root/planted').read()
body = base64.b64decode(''.join(text.split('\n')[1:-2]))
# openssh-key-v1: the 32 bytes of the seed stand twice the public key's length before the comment.
public = base64.b64decode(open('/root/planted.pub').read().split()[1])[-32:]
at = body.rindex(public)
seed = body[at - 32:at]
line = text.split('\n')[2]
needles = {'seed': seed, 'base64': line.encode(), 'hex': seed.hex().encode()}
def found(path):
    try:
        with open(path, 'rb') as f: data = f.read()
    except OSError: return []
    return [name for name, needle in needles.items() if needle in data]
places = ['/var/log/auth.log', '/var/log/syslog', '/root/planted'] + glob.glob('/var/lib/jms/**', recursive=True) + glob.glob('/etc/jms/*') + glob.glob('/run/jms/**', recursive=True)
for pid in filter(str.isdigit, os.listdir('/proc')):
    places += [f'/proc/{pid}/cmdline', f'/proc/{pid}/environ']
for place in places:
    if os.path.isfile(place) and found(place): print(place)
PY"#,
    );
    // The search finds it where it was put by hand, so it can fail.
    search.expect_status(0).expect_stdout("/root/planted\n");
    terminal.send_line("exit");
    terminal.wait().expect_status(0);
    // And the store holds it after all, sealed: with it the login above worked.
    bastion
        .run("jmsctl system-user show dev --json")
        .expect_status(0)
        .expect_stdout_contains("\"has_secret\":true");
}

#[test]
fn a_token_of_a_login_stands_only_in_the_environment_of_its_session() {
    let lab = Lab::everyday();
    let mut terminal = shell(&lab);
    let found = lab.bastion().run(
        r#"for p in /proc/[0-9]*; do
             t=$(tr '\0' '\n' < $p/environ 2> /dev/null | sed -n 's/^JMS_LOGIN=//p'); [ -n "$t" ] && echo "$t"
           done | sort -u > /tmp/tokens
           [ -s /tmp/tokens ] || exit 9
           ! grep -rFf /tmp/tokens /var/log /var/lib/jms /run/jms"#,
    );
    found.expect_status(0).expect_stdout("");
    terminal.send_line("env | grep -c JMS; exit");
    terminal.expect("0\r\n");
}
