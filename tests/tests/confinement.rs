//! What a client program can do that a hostile asset has taken over: a stand-in is put in the place of `ssh` on the bastion,
//! and plays the attacks that worked on a prototype. Each is also played by the same program as the same user without
//! confinement, where it must work: so the test can fail.

use std::time::Duration;

use tests::{Host, Lab, Running, eventually};

const WAY: &str = "alice@dev@web1@bastion";
/// For what has no promise of its own, on a slow machine.
const SOON: Duration = Duration::from_secs(30);

/// A bastion whose `ssh` is the stand-in from [`Bastion::swap`] on.
struct Bastion(Lab);

impl Bastion {
    fn new() -> Self {
        let bastion = Self(Lab::everyday().without_kept_connections());
        // The stand-in never logs in, and is not to be given up.
        bastion
            .host()
            .run("sed -i 's/^#connect_timeout = 15/connect_timeout = 300/' /etc/jms/jms.toml; jmsctl config check")
            .expect_status(0);
        install(
            bastion.host(),
            "/usr/local/bin/stand-in",
            env!("CARGO_BIN_EXE_stand-in"),
        );
        bastion
    }

    fn host(&self) -> &Host {
        self.0.bastion()
    }

    fn swap(&self) {
        self.host()
            .run("mv /usr/bin/ssh /usr/bin/ssh.real && cp /usr/local/bin/stand-in /usr/bin/ssh")
            .expect_status(0);
    }

    /// The stand-in as the client program of a session.
    fn confined(&self) -> Attacker {
        Attacker::new(
            self.0
                .client()
                .command("ssh", [WAY, "attack"])
                .within(SOON * 10)
                .spawn(),
        )
    }

    /// The same program as the same user, started by root.
    fn free(&self) -> Attacker {
        let ids = self.host().run("id -u alice; id -g alice").text();
        let mut ids = ids.lines();
        let (uid, gid) = (
            ids.next().unwrap_or_default(),
            ids.next().unwrap_or_default(),
        );
        let (uid, gid) = (format!("--reuid={uid}"), format!("--regid={gid}"));
        let words = [
            "setpriv",
            &uid,
            &gid,
            "--clear-groups",
            "/usr/local/bin/stand-in",
        ];
        Attacker::new(self.host().command(words).within(SOON * 10).spawn())
    }

    /// Processes of a session other than the stand-in's, which the same user may signal: the relay and sshd's.
    fn line(&self, script: &str) -> String {
        let outcome = self.host().run(script);
        let text = outcome.text().trim().to_owned();
        assert!(!text.is_empty(), "{script} says nothing");
        text
    }
}

fn install(host: &Host, path: &str, program: &str) {
    host.write(path, std::fs::read(program).expect("the program is built"));
    host.run(format!("chmod 755 {path}")).expect_status(0);
}

struct Attacker(Running);

impl Attacker {
    fn new(running: Running) -> Self {
        let attacker = Self(running);
        eventually("the stand-in runs", SOON, || {
            attacker.0.stdout_so_far().contains("ready\n")
        });
        attacker
    }

    /// Plays one attack; what came of it.
    fn play(&mut self, attack: &str) -> String {
        let begin = format!("{attack} -> ");
        let before = self.0.stdout_so_far().matches(&begin).count();
        self.0.write(format!("{attack}\n"));
        eventually(attack, SOON, || {
            let said = self.0.stdout_so_far();
            let answer = said.split(&begin).nth(before + 1)?;
            Some(answer.split_once('\n')?.0.to_owned())
        })
    }
}

/// Every attack fails confined and works free.
#[track_caller]
fn only_works_free(confined: &mut Attacker, free: &mut Attacker, attacks: &[String]) {
    for attack in attacks {
        let outcome = confined.play(attack);
        assert_ne!(outcome, "done", "confined: {attack}");
        assert_ne!(outcome, "no such attack", "{attack}");
        assert_eq!(free.play(attack), "done", "free: {attack}");
    }
}

#[test]
fn another_terminal_of_the_same_user_is_out_of_reach() {
    let bastion = Bastion::new();
    let mut other = bastion.0.client().ssh_on_terminal([WAY]);
    other.expect("dev@web1");
    let terminal = bastion.line("readlink /proc/$(pgrep -x force-command)/fd/0");
    assert!(terminal.starts_with("/dev/pts/"), "{terminal}");
    bastion.swap();
    let attacks = [
        format!("write {terminal} overheard"),
        format!("read {terminal}"),
    ];
    let (mut confined, mut free) = (bastion.confined(), bastion.free());
    only_works_free(&mut confined, &mut free, &attacks);
    other.expect("overheard");
    // That was the free one: the confined one left nothing before it.
    assert_eq!(other.shown().matches("overheard").count(), 1);
}

#[test]
fn other_processes_of_the_same_user_are_neither_read_nor_traced_nor_stopped() {
    let bastion = Bastion::new();
    bastion.swap();
    let mut confined = bastion.confined();
    let relay = bastion.line("pgrep -x force-command");
    let uid = bastion.line("id -u alice");
    let sshd = bastion.line(&format!("pgrep -u {uid} -f '^sshd' | head -1"));
    let mut free = bastion.free();
    // A program of the same user that is not set-uid, as a second client program would be.
    let sibling = free.0.pid();
    let sibling = bastion.line(&format!(
        "pgrep -u {uid} -f /usr/local/bin/stand-in | tail -1 || echo {sibling}"
    ));
    let mut attacks = Vec::new();
    for pid in [&relay, &sshd] {
        attacks.push(format!("stop {pid}"));
        attacks.push(format!("stop-by-descriptor {pid}"));
    }
    only_works_free(&mut confined, &mut free, &attacks);
    let mut second = bastion.free();
    let attacks = [
        format!("peek {sibling}"),
        format!("trace {sibling}"),
        format!("limit {sibling}"),
    ];
    only_works_free(&mut confined, &mut second, &attacks);
}

#[test]
fn the_store_the_keys_and_other_recordings_cannot_be_opened_even_if_their_modes_would_allow_it() {
    let bastion = Bastion::new();
    bastion.0.client().ssh([WAY, "true"]).expect_status(0);
    bastion.swap();
    let mut confined = bastion.confined();
    let mut free = bastion.free();
    let recording = bastion.line("find /var/lib/jms/recordings -name '*.zst' | head -1");
    bastion
        .host()
        .run("chmod -R a+rX /var/lib/jms /etc/jms /run/jms; mkdir -m 777 /tmp/open; echo x > /tmp/open/file")
        .expect_status(0);
    let attacks = [
        "/var/lib/jms/jms.db",
        "/etc/jms/secret.key",
        "/etc/jms/jms.toml",
        "/tmp/open/file",
        "/proc/self/status",
        "/dev/ptmx",
        "/etc/hosts",
        &recording,
    ]
    .map(|path| format!("read {path}"));
    only_works_free(&mut confined, &mut free, &attacks);
    let folders = ["/run/jms/sessions", "/run/jms/egress", "/dev/pts", "/proc"];
    let attacks = folders.map(|path| format!("list {path}"));
    only_works_free(&mut confined, &mut free, &attacks);
}

#[test]
fn no_other_address_no_other_agent_and_no_other_program_is_reached() {
    let bastion = Bastion::new();
    let uid = bastion.line("id -u alice");
    bastion
        .host()
        .run(format!("install -d -o {uid} -m 700 /srv/agent && setpriv --reuid={uid} --clear-groups ssh-agent -a /srv/agent/socket"))
        .expect_status(0);
    bastion.swap();
    let (mut confined, mut free) = (bastion.confined(), bastion.free());
    let other = format!("connect {}:22", bastion.0.address("web2"));
    // Its first connection leads to its own asset, whatever it asks for; there is no second one.
    let own = confined.play(&other);
    assert_eq!(own, format!("at {}:22 instead", bastion.0.address("web1")));
    let attacks = [
        other,
        "connect 127.0.0.1:22".to_owned(),
        "local /srv/agent/socket".to_owned(),
        "fork".to_owned(),
        "start /usr/bin/id".to_owned(),
    ];
    for attack in &attacks {
        let outcome = confined.play(attack);
        assert!(
            outcome != "done" && outcome != "no such attack",
            "{attack}: {outcome}"
        );
    }
    for attack in attacks.iter().take(4) {
        assert_eq!(free.play(attack), "done", "free: {attack}");
    }
    free.0.write("start /usr/bin/id\n");
    eventually("the program runs", SOON, || {
        free.0.stdout_so_far().contains("uid=")
    });
    // The administrator hears of it when the session is over.
    confined.0.close_input();
    drop(confined);
    eventually("events", SOON, || {
        let events = bastion
            .host()
            .run("jmsctl event ls --type alert --json")
            .text();
        events.contains("the client wanted a second connection")
    });
}

#[test]
fn the_agent_signs_no_login_that_belongs_to_no_connection_unless_a_setting_says_so() {
    let bastion = Bastion::new();
    bastion.swap();
    let mut attacker = bastion.confined();
    let outcome = attacker.play("sign");
    assert!(outcome.starts_with("refused"), "{outcome}");
    attacker.0.close_input();
    drop(attacker);
    eventually("the alert is there", SOON, || {
        let events = bastion
            .host()
            .run("jmsctl event ls --type alert --json")
            .text();
        events.contains("without saying for which SSH session")
    });
    bastion
        .host()
        .run("sed -i 's/^#allow_unbound_agent = false/allow_unbound_agent = true/' /etc/jms/jms.toml; jmsctl config check")
        .expect_status(0);
    assert_eq!(bastion.confined().play("sign"), "done");
}

/// The words with which the system's own client, on the bastion, binds a connection to `address` to its agent.
fn honest_binding(host: &Host, address: std::net::Ipv4Addr) -> String {
    let socket = format!("/tmp/agent-{address}");
    let recorder = host
        .command(["/usr/local/bin/stand-in", "record-binding", &socket])
        .within(SOON)
        .spawn();
    eventually("the agent listens", SOON, || {
        recorder.stdout_so_far().contains("ready\n")
    });
    // It is let in nowhere: the agent has no key.
    let _ = host.run(format!(
        "ssh -F none -o IdentityAgent={socket} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes dev@{address} true"
    ));
    let said = recorder.wait().expect_status(0).text();
    said.trim_start_matches("ready\n").trim().to_owned()
}

#[test]
fn the_agent_signs_three_logins_of_the_one_account_in_a_session_with_the_asset_and_with_nobody_else()
 {
    let bastion = Bastion::new();
    let at_asset = honest_binding(bastion.host(), bastion.0.address("web1"));
    let at_another = honest_binding(bastion.host(), bastion.0.address("web2"));
    bastion.swap();
    let mut attacker = bastion.confined();
    // The asset uses its hold on the client to log in at another asset that knows the same key.
    for attack in [
        format!("bind {at_another}"),
        format!("log-in dev {at_another}"),
        format!("log-in dev {at_asset}"),
    ] {
        let outcome = attacker.play(&attack);
        assert!(outcome.starts_with("refused"), "{attack}: {outcome}");
    }
    assert_eq!(attacker.play(&format!("bind {at_asset}")), "done");
    for attack in [
        format!("bind {at_another}"),
        format!("log-in dev {at_another}"),
        format!("log-in root {at_asset}"),
    ] {
        let outcome = attacker.play(&attack);
        assert!(outcome.starts_with("refused"), "{attack}: {outcome}");
    }
    // So it was not refused for being badly asked.
    let honest = format!("log-in dev {at_asset}");
    for count in 1..=3 {
        assert_eq!(attacker.play(&honest), "done", "{count}");
    }
    let outcome = attacker.play(&honest);
    assert!(outcome.starts_with("refused"), "the fourth: {outcome}");
    attacker.0.close_input();
    drop(attacker);
    eventually("the administrator hears of it", SOON, || {
        let alerts = bastion
            .host()
            .run("jmsctl event ls --type alert --json")
            .text();
        alerts.contains("agent: ")
    });
}

#[test]
fn an_asset_that_leads_to_another_asset_is_not_logged_in_to() {
    let lab = Lab::everyday().without_kept_connections();
    // The same key opens both; web1's address is now web2's.
    let address = lab.address("web2");
    lab.bastion()
        .run(format!("jmsctl asset set web1 --address {address}"))
        .expect_status(0);
    let before = lab
        .web2()
        .auth_log()
        .matches("Accepted publickey for dev")
        .count();
    lab.client()
        .ssh([WAY, "echo in"])
        .expect_status(255)
        .expect_stdout("")
        .expect_stderr_contains("host key");
    assert_eq!(
        lab.web2()
            .auth_log()
            .matches("Accepted publickey for dev")
            .count(),
        before
    );
}

#[test]
fn relay_and_client_run_without_privileges_and_behind_filters() {
    let lab = Lab::everyday().without_kept_connections();
    let mut shell = lab.client().ssh_on_terminal([WAY]);
    shell.expect("dev@web1");
    for program in ["force-command", "ssh"] {
        lab.bastion()
            .run(format!(
                "grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/$(pgrep -x {program})/status"
            ))
            .expect_stdout("CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
    }
    shell.send_line("exit 4");
    shell.wait().expect_status(4);
    lab.bastion()
        .run("ls /run/jms/sessions /run/jms/egress")
        .expect_stdout("/run/jms/egress:\n\n/run/jms/sessions:\n");
}

#[test]
fn without_landlock_a_session_is_an_event_or_by_a_setting_refused() {
    let bastion = Bastion::new();
    let host = bastion.host();
    host.run("/usr/local/bin/stand-in without-landlock /usr/sbin/sshd -p 2200 -o PidFile=none")
        .expect_status(0);
    let way = |command| bastion.0.client().ssh(["-p", "2200", WAY, command]);
    eventually("the session runs without Landlock", SOON, || {
        way("echo there").text() == "there\n"
    });
    let events = host
        .run("jmsctl event ls --type session.unconfined --json")
        .text();
    assert!(events.contains("no Landlock"), "{events}");
    bastion.0.client().ssh([WAY, "true"]).expect_status(0);
    let again = host
        .run("jmsctl event ls --type session.unconfined --json")
        .text();
    assert_eq!(again, events, "with Landlock there is no event");

    host.run("sed -i 's/^#require_landlock = false/require_landlock = true/' /etc/jms/jms.toml; jmsctl config check")
        .expect_status(0);
    way("echo there")
        .expect_status(75)
        .expect_stdout("")
        .expect_stderr("jms: the bastion cannot shut the session in; tell your administrator\n");
    let events = host
        .run("jmsctl event ls --type session.refused --json")
        .text();
    assert!(events.contains("require_landlock"), "{events}");
    bastion.0.client().ssh([WAY, "true"]).expect_status(0);
}

#[test]
fn the_key_of_the_asset_is_in_the_relay_until_the_login_is_through_and_nowhere_else() {
    let bastion = Bastion::new();
    let host = bastion.host();
    install(
        host,
        "/usr/local/bin/memory-search",
        env!("CARGO_BIN_EXE_memory-search"),
    );
    // A key that is known here: its secret half is the 32 bytes before the public half at the end.
    let key = host.run("ssh-keygen -q -t ed25519 -N '' -C '' -f /root/key && grep -v -- ---- /root/key | base64 -d | od -An -v -tx1 | tr -d ' \\n'").text();
    let public = host
        .run("cut -d' ' -f2 /root/key.pub | base64 -d | tail -c 32 | od -An -v -tx1 | tr -d ' \\n'")
        .text();
    let (public, key) = (public.trim().to_owned(), key.trim().to_owned());
    let place = key.rfind(&public).expect("the public half");
    let secret = key[place - 64..place].to_owned();
    host.run("jmsctl system-user set dev --key - < /root/key && cat /root/key.pub")
        .expect_status(0);
    let line = host.read_text("/root/key.pub");
    tests::boot::authorize(bastion.0.web1(), "dev", line.trim()).expect("dev is let in");
    host.run("shred -u /root/key").expect_status(0);
    let text: String = secret.clone();
    let found = || {
        host.run(format!("/usr/local/bin/memory-search {text}"))
            .text()
    };
    assert_eq!(found(), "");

    let mut shell = bastion.0.client().ssh_on_terminal([WAY]);
    shell.expect("dev@web1");
    assert_eq!(found(), "", "after the login");
    shell.send_line("exit");
    shell.wait().expect_status(0);

    // Nor has it a connection that stays.
    host.run(
        "sed -i 's/^warm_seconds = 0/warm_seconds = 600/' /etc/jms/jms.toml; jmsctl config check",
    )
    .expect_status(0);
    bastion.0.client().ssh([WAY, "true"]).expect_status(0);
    host.run("pgrep -x jms-kept").expect_status(0);
    assert_eq!(found(), "", "while the connection stays");
    host.run("sed -i 's/^warm_seconds = 600/warm_seconds = 0/' /etc/jms/jms.toml; for turn in $(seq 500); do pgrep -x jms-kept || exit 0; sleep 0.02; done; exit 1")
        .expect_status(0);

    // A client that has not logged in: the relay still holds it, and nobody else.
    bastion.swap();
    let attacker = bastion.confined();
    let relay = bastion.line("pgrep -x force-command");
    let places = found();
    let of_relay = format!("{relay} /usr/libexec/jms/force-command memory ");
    assert!(
        !places.is_empty() && places.lines().all(|place| place.starts_with(&of_relay)),
        "before the login: {places}"
    );
    drop(attacker);
}
