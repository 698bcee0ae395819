//! The hosts themselves: what every other end-to-end test takes for granted.

use std::path::Path;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use tests::boot::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, ASSET_ACCOUNT, authorize};
use tests::{Invocation, Lab, eventually, proof};

/// Where the administrator gets in.
const ADMIN: &str = "admin@bastion";

/// Hosts that no test of this file changes for the others.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(Lab::bare)
}

#[test]
fn an_administrator_logs_in_to_the_bastion_by_key() {
    lab()
        .client_of(ADMINISTRATOR)
        .ssh([ADMIN, "hostname"])
        .expect_status(0)
        .expect_stdout("bastion\n");
}

#[test]
fn an_administrator_logs_in_by_password_and_becomes_root() {
    let mut shell = lab()
        .client_of("nobody-known")
        .ssh_on_terminal(["-t", ADMIN]);
    shell.expect("password:");
    shell.send_line(ADMINISTRATOR_PASSWORD);
    shell.expect("admin@bastion");
    shell.send_line("sudo id -un");
    shell.expect("password for admin:");
    shell.send_line(ADMINISTRATOR_PASSWORD);
    shell.expect("root\r\n");
    shell.expect("admin@bastion");
    shell.send_line("exit 7");
    shell.wait().expect_status(7);
}

#[test]
fn a_stranger_is_refused_and_the_log_says_so() {
    lab()
        .client()
        .ssh(["ghost@bastion", "true"])
        .expect_status(255)
        .expect_stderr_contains("Permission denied");
    eventually(
        "the bastion's auth.log names the stranger",
        Duration::from_secs(5),
        || {
            lab()
                .bastion()
                .auth_log()
                .contains("Invalid user ghost from 192.0.2.100")
                .then_some(())
        },
    );
}

#[test]
fn the_bastion_reaches_an_asset_over_the_inside_network() {
    let (bastion, web1) = (lab().bastion(), lab().web1());
    bastion
        .run("ssh-keygen -q -t ed25519 -N '' -f /root/hop")
        .expect_status(0);
    authorize(web1, ASSET_ACCOUNT, &bastion.read_text("/root/hop.pub")).expect("dev's key");
    let hop = "ssh -i /root/hop -o StrictHostKeyChecking=accept-new dev@web1 'hostname; id -un; echo $SSH_CLIENT'";
    bastion
        .run(hop)
        .expect_status(0)
        .expect_stdout_contains("web1\ndev\n198.51.100.10 ");
}

#[test]
fn the_client_has_no_way_to_an_asset() {
    proof::client_has_no_route(lab()).expect("no route");
    let direct = lab().client().ssh(["dev@198.51.100.11", "true"]);
    direct
        .expect_status(255)
        .expect_stderr_contains("Network is unreachable");
}

#[test]
fn the_bastion_does_not_forward_between_its_networks() {
    let lab = Lab::bare();
    lab.bastion()
        .run("cat /proc/sys/net/ipv4/ip_forward")
        .expect_stdout("0\n");
    // Even with routes on both sides of it.
    lab.host("client")
        .run("ip route add 198.51.100.0/24 via 192.0.2.10")
        .expect_status(0);
    lab.web1()
        .run("ip route add 192.0.2.0/24 via 198.51.100.10")
        .expect_status(0);
    let connect = "timeout 2 bash -c '</dev/tcp/198.51.100.11/22'";
    lab.host("client").run(connect).expect_status(124);
    lab.bastion().run(connect).expect_status(0);
}

#[test]
fn the_bastions_sshd_is_the_systems_own() {
    proof::sshd_is_the_systems(lab()).expect("Debian's sshd");
}

#[test]
fn a_command_has_its_exit_status_its_signal_and_both_outputs() {
    let web1 = lab().web1();
    let outcome = web1.run("echo out; echo err >&2; exit 42");
    outcome
        .expect_status(42)
        .expect_stdout("out\n")
        .expect_stderr("err\n");
    let killed = web1.run("kill -9 $$").expect_failure();
    assert_eq!(killed.end, tests::End::Signal(9));
    web1.command(["cat"])
        .input("typed\0bytes")
        .run()
        .expect_stdout("typed\0bytes");
    web1.command_as(ASSET_ACCOUNT, ["id", "-un"])
        .run()
        .expect_status(0)
        .expect_stdout("dev\n");
}

#[test]
fn a_command_that_does_not_end_is_killed_at_its_deadline() {
    let outcome = lab()
        .web1()
        .command(["sleep", "1000"])
        .within(Duration::from_millis(300))
        .run();
    assert_eq!(outcome.end, tests::End::TimedOut);
    let _ = outcome.expect_within(Duration::from_secs(5));
}

#[test]
fn a_failed_expectation_tells_the_whole_story() {
    let outcome = lab().web1().run("echo seen; exit 3");
    let told = thread::spawn(move || outcome.expect_status(0).line)
        .join()
        .expect_err("it must not hold");
    let told = told.downcast_ref::<String>().expect("a message");
    for part in ["echo seen; exit 3", "exit status 3", "stdout: seen"] {
        assert!(told.contains(part), "{part:?} is missing in {told}");
    }
}

#[test]
fn files_go_in_and_come_out_byte_for_byte() {
    let web1 = lab().web1();
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    web1.write("/srv/bytes", &bytes);
    assert_eq!(web1.read("/srv/bytes"), bytes);
    web1.run("stat -c '%U %a %s' /srv/bytes")
        .expect_stdout("root 644 100000\n");
    // An absolute link means the host's file, not this machine's.
    web1.run("ln -s /etc/hostname /srv/link").expect_status(0);
    assert_eq!(web1.read_text("/srv/link"), "web1\n");
    assert!(web1.has("/srv/link") && !web1.has("/srv/nothing"));
    assert!(!lab().web2().has("/srv/bytes"), "two hosts share a file");
}

#[test]
fn a_terminal_has_a_size_that_can_change() {
    let client = lab().client_of(ADMINISTRATOR);
    let mut shell = client.ssh_on_terminal([
        "-t",
        ADMIN,
        "trap 'stty size' WINCH; stty size; while :; do sleep 0.1; done",
    ]);
    shell.expect("24 80");
    shell.resize(132, 50);
    shell.expect("50 132");
    shell.hang_up();
    eventually(
        "the client ends when its terminal is gone",
        Duration::from_secs(20),
        || !shell.is_running(),
    );
}

#[test]
fn a_host_is_an_ordinary_machine_to_what_runs_in_it() {
    for host in lab().hosts() {
        let name = host.name();
        host.run("hostname").expect_stdout(format!("{name}\n"));
        // The product has a set-uid program; sshd checks the owners and modes of a command's folders.
        host.run("findmnt -no OPTIONS / | grep -w nosuid")
            .expect_status(1);
        host.run("stat -c '%U:%G %a' / /etc /usr/bin /run /dev")
            .expect_stdout("root:root 755\n".repeat(5));
        host.run("stat -c %a /tmp /dev/shm /dev/null")
            .expect_stdout("1777\n1777\n666\n");
        host.run("cat /proc/1/comm").expect_stdout("lab\n");
        // An orphan goes to the first process, which reaps it.
        host.run("(setsid sh -c 'sleep 0.1' &) ; sleep 0.5; ps -eo stat= | grep -c Z")
            .expect_stdout("0\n");
        // Nobody inside ends it.
        host.run("kill -9 1").expect_status(0);
        host.run("true").expect_status(0);
    }
}

#[test]
fn hosts_of_one_lab_have_different_host_keys() {
    let key = |host: &str| {
        lab()
            .host(host)
            .read_text("/etc/ssh/ssh_host_ed25519_key.pub")
    };
    assert_ne!(key("bastion"), key("web1"));
    assert_ne!(key("web1"), key("web2"));
}

#[test]
fn labs_with_the_same_addresses_run_side_by_side() {
    let words = ["first", "second"];
    thread::scope(|scope| {
        let run = words.map(|word| {
            scope.spawn(move || {
                let lab = Lab::builder()
                    .without_package()
                    .assets(["web1"])
                    .start()
                    .expect("a lab");
                lab.bastion().write("/srv/word", word);
                lab.client_of(ADMINISTRATOR)
                    .ssh([ADMIN, "cat /srv/word"])
                    .expect_status(0)
                    .expect_stdout(word);
            })
        });
        for thread in run {
            thread.join().expect("a lab beside another");
        }
    });
}

#[test]
fn nothing_is_left_of_a_lab_that_went_away() {
    let lab = Lab::builder()
        .without_package()
        .assets(["web1"])
        .start()
        .expect("a lab");
    let mounts = || std::fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    assert!(
        !mounts().contains("jms-lab"),
        "a host is mounted on the machine"
    );
    let service = lab.web1().command(["sleep", "1000"]).spawn();
    let folder = lab.folder().path().to_owned();
    let pids: Vec<u32> = lab
        .hosts()
        .iter()
        .map(tests::Host::pid)
        .chain([service.pid()])
        .collect();
    drop(lab);
    assert!(!folder.exists(), "{} is left", folder.display());
    for pid in pids.iter().take(pids.len() - 1) {
        assert!(
            !Path::new(&format!("/proc/{pid}")).exists(),
            "process {pid} is left"
        );
    }
    let _ = service
        .wait()
        .expect_failure()
        .expect_within(Duration::from_secs(5));
}

#[test]
fn the_programs_of_the_labs_folder_work_for_scripts() {
    let folder = lab().folder().path();
    let on = |words: &[&str]| Invocation::new(folder.join("on")).args(words).run();
    on(&["web1", "sh", "-c", "hostname; exit 5"])
        .expect_status(5)
        .expect_stdout("web1\n");
    on(&["web1", "printf", "%s|", "a b", "$HOME", ""])
        .expect_status(0)
        .expect_stdout("a b|$HOME||");
    on(&["nowhere", "true"])
        .expect_status(2)
        .expect_stderr("on: the lab has no host nowhere\n");

    let env = Invocation::new("sh").args(["-c", r#". "$0/env"; cat "$WEB1_ROOT/etc/hostname"; echo "$BASTION_ADDR $WEB1_ADDR"; [ -r "$CLIENT_KEY" ]"#]);
    env.arg(folder)
        .run()
        .expect_status(0)
        .expect_stdout("web1\n192.0.2.10 198.51.100.11\n");

    let as_admin = |program: &str, words: &[&str]| {
        Invocation::new(folder.join(program))
            .variable("LAB_AS", ADMINISTRATOR)
            .args(words)
            .run()
    };
    as_admin("ssh", &[ADMIN, "echo $USER"])
        .expect_status(0)
        .expect_stdout("admin\n");
    let file = folder.join("a file");
    std::fs::write(&file, "carried").expect("a file");
    let file = file.display().to_string();
    as_admin("scp", &["-q", &file, "admin@bastion:by-scp"]).expect_status(0);
    as_admin("rsync", &[&file, "admin@bastion:by-rsync"]).expect_status(0);
    lab()
        .bastion()
        .run("cd /home/admin && cat by-scp by-rsync")
        .expect_stdout("carriedcarried");
}
