//! The names that root's processes keep in their memory: where they come from, when they go, and that nobody can end a process
//! by them.

use std::time::Duration;

use tests::{Host, Lab, eventually};

const COPY: &str = "/run/jms-keys/users.copy";

/// Asks for a name ten times a second until a file says stop, as a process of root's that never ends; its answers, one
/// letter each, go to a file.
const ASKING: &str = r"
    use Time::HiRes 'sleep';
    $| = 1;
    until (-e '/tmp/stop') {
        print defined getpwnam($ARGV[0]) ? '+' : '-';
        sleep 0.1;
    }
";

/// Starts [`ASKING`]; gives its process id.
fn ask_on(bastion: &Host, name: &str) -> String {
    bastion.write("/tmp/asking.pl", ASKING);
    let started = bastion.run(format!(
        "rm -f /tmp/stop; setsid perl /tmp/asking.pl {name} > /tmp/{name}.answers 2>&1 < /dev/null & echo $!"
    ));
    started.expect_status(0).text().trim().to_owned()
}

fn answers(bastion: &Host, name: &str) -> String {
    bastion.run(format!("cat /tmp/{name}.answers")).text()
}

/// Waits until the process has answered `mark` this often in a row, last of all.
#[track_caller]
fn answers_become(bastion: &Host, name: &str, mark: &str, count: usize) {
    let wanted = mark.repeat(count);
    eventually(
        &format!("{name} is answered {wanted}"),
        Duration::from_secs(30),
        || answers(bastion, name).ends_with(&wanted),
    );
}

fn has_mapped(bastion: &Host, process: &str) -> bool {
    let maps = format!("grep -c {COPY} /proc/{process}/maps");
    bastion.run(maps).text().trim() == "1"
}

#[test]
fn a_login_brings_the_names_into_memory_and_jms_cannot_end_a_process_by_them() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion.run(format!("rm -f {COPY}")).expect_status(0);
    lab.client()
        .ssh(["alice@dev@web1@bastion", "echo in"])
        .expect_stdout("in\n");
    eventually("a login makes the copy", Duration::from_secs(30), || {
        bastion.has(COPY)
    });
    bastion
        .run("stat -c '%U:%G %a %n' /run/jms-keys /run/jms-keys/*")
        .expect_stdout(format!(
            "jms-keys:jms-keys 755 /run/jms-keys\njms-keys:jms-keys 444 {COPY}\n"
        ));

    let process = ask_on(bastion, "alice");
    answers_become(bastion, "alice", "+", 5);
    assert!(has_mapped(bastion, &process), "it is in its memory");
    bastion
        .run(format!("ls -l /proc/{process}/fd | grep -c jms"))
        .expect_stdout("0\n");

    // Another user: the same process knows him, and after a login it has the new names in its memory.
    bastion.run("jmsctl user add later").expect_status(0);
    let other = ask_on(bastion, "later");
    answers_become(bastion, "later", "+", 3);
    lab.client()
        .ssh(["alice@dev@web1@bastion", "echo in"])
        .expect_stdout("in\n");
    for process in [&process, &other] {
        eventually(
            "the new copy is in its memory",
            Duration::from_secs(30),
            || has_mapped(bastion, process),
        );
    }
    bastion.run("jmsctl user rm later --yes").expect_status(0);
    answers_become(bastion, "later", "-", 3);

    // A copy of what is published now.
    lab.client()
        .ssh(["alice@dev@web1@bastion", "echo in"])
        .expect_stdout("in\n");
    eventually(
        "the new copy is in its memory",
        Duration::from_secs(30),
        || has_mapped(bastion, &process),
    );
    bastion
        .run("cp -a /var/lib/jms/public /root/public")
        .expect_status(0);
    // Whoever has taken over the service user shortens and overwrites whatever he can.
    let damage = r#"find / /run -xdev -type f \( -user jms -o -writable \) ! -path '/proc/*' 2>/dev/null |
        while read -r file; do chmod u+w "$file" 2>/dev/null; : > "$file"; echo "$file"; done
        for file in /run/jms-keys/users.copy /run/jms-keys/new; do ! : > "$file" || echo "wrote $file"; done
        ! rm -f /run/jms-keys/users.copy || echo removed; ! mv /run/jms-keys /run/away || echo moved
        ! ln -s /etc/passwd /run/jms-keys/link || echo linked"#;
    let damaged = bastion
        .command([
            "setpriv",
            "--reuid=jms",
            "--regid=jms",
            "--init-groups",
            "bash",
            "-c",
            damage,
        ])
        .run();
    let damaged = damaged.text();
    assert!(
        damaged.contains("/var/lib/jms/public/users.snap\n") && !damaged.contains("jms-keys"),
        "{damaged}"
    );
    assert!(
        !damaged.contains("removed") && !damaged.contains("moved") && !damaged.contains("linked")
    );
    // It goes on asking: first from what it has, then it is told that there are no names, and it lives.
    answers_become(bastion, "alice", "-", 20);
    bastion
        .run(format!(
            "kill -0 {process} {other} && id root && getent passwd root"
        ))
        .expect_status(0);
    // Back again, it knows her without having been started anew.
    bastion
        .run("rm -rf /var/lib/jms/public; mv /root/public /var/lib/jms/public")
        .expect_status(0);
    answers_become(bastion, "alice", "+", 5);
    bastion.run("touch /tmp/stop").expect_status(0);
}
