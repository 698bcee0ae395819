//! Connection sharing: several sessions over one login of a client.

use std::sync::OnceLock;

use serde_json::Value;
use tests::{Lab, Outcome, client_host};

/// Hosts that no test of this file changes for the others.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday();
        let _ = client_host::of_alice(&lab);
        lab
    })
}

/// A script at the client; `$SHARED` are options with a master of its own name.
fn at_client(master: &str, script: &str) -> Outcome {
    let script = format!(
        "set -eu -o pipefail; cd /root; ON_WEB1=alice@dev@web1@bastion
SHARED='-o ControlMaster=auto -o ControlPath=/root/.ssh/{master} -o ControlPersist=60'
{script}"
    );
    lab().host("client").command(["bash", "-c", &script]).run()
}

/// The sessions whose request holds `mark`, newest first.
fn sessions(mark: &str) -> Vec<Value> {
    let listed = lab()
        .bastion()
        .run("jmsctl event ls --type session.open --json");
    let events = listed.json_lines().expect("events");
    events
        .into_iter()
        .filter(|event| {
            event["request"]
                .as_str()
                .is_some_and(|it| it.contains(mark))
        })
        .collect()
}

#[test]
fn several_sessions_run_side_by_side_on_one_login() {
    let script = r#"
ssh $SHARED $ON_WEB1 true
for number in 1 2 3 4 5; do
    ssh $SHARED $ON_WEB1 "cat >/tmp/shared-$number; touch /tmp/shared-there-$number
        until [ -e /tmp/shared-there-$((number % 5 + 1)) ]; do sleep 0.05; done; echo $number" <<<"input $number" >out-$number &
done
wait
cat out-?; ssh $SHARED $ON_WEB1 'cat /tmp/shared-?'
scp -q $SHARED /etc/debian_version $ON_WEB1:/tmp/shared-by-scp
echo 'ls -1 /tmp/shared-by-scp' | sftp -q $SHARED -b - $ON_WEB1
rsync -e "ssh $SHARED" $ON_WEB1:/tmp/shared-by-scp /tmp/; cmp /tmp/shared-by-scp /etc/debian_version
ssh -q -O exit $SHARED $ON_WEB1"#;
    at_client("several-%C", script)
        .expect_status(0)
        .expect_stdout(
            "1\n2\n3\n4\n5\ninput 1\ninput 2\ninput 3\ninput 4\ninput 5\n\
             sftp> ls -1 /tmp/shared-by-scp\n/tmp/shared-by-scp\n",
        );
    let sessions = sessions("/tmp/shared-");
    assert!(sessions.len() >= 6, "{sessions:?}");
    let logins: Vec<&Value> = sessions.iter().map(|session| &session["login"]).collect();
    assert!(logins.iter().all(|login| *login == logins[0]), "{logins:?}");
}

#[test]
fn a_session_that_is_refused_says_why_and_leaves_the_others_alone() {
    let script = r#"
ssh $SHARED alice@bastion dev@web1 'touch /tmp/stays-there; until [ -e /tmp/stays-go ]; do sleep 0.05; done; echo stayed' >stayed &
until ssh $SHARED alice@bastion dev@web1 '[ -e /tmp/stays-there ]'; do sleep 0.1; done
status=0; ssh $SHARED alice@bastion dev@web2 hostname || status=$?; echo $status
ssh $SHARED alice@bastion dev@web1 'hostname; touch /tmp/stays-go'
wait; cat stayed; ssh -q -O exit $SHARED alice@bastion"#;
    at_client("refused-%C", script)
        .expect_status(0)
        .expect_stdout("126\nweb1\nstayed\n")
        .expect_stderr_contains(
            "jms: dev@web2 is not granted; did you mean dev@web1? `ls` lists what you may reach\n",
        );
}

#[test]
fn a_login_to_one_target_reaches_no_other() {
    // What names another target is a command there, as after any `ssh web1`.
    let script = r#"
ssh $SHARED $ON_WEB1 true
status=0; ssh $SHARED $ON_WEB1 dev@web2 hostname || status=$?; echo $status
ssh -q -O exit $SHARED $ON_WEB1"#;
    at_client("one-%C", script)
        .expect_status(0)
        .expect_stdout("127\n")
        .expect_stderr_contains("dev@web2: command not found");
    // The path of the master that is recommended differs with the target: no login is shared by accident.
    let script = r#"
ssh $SHARED $ON_WEB1 hostname
status=0; ssh $SHARED alice@dev@web2@bastion hostname || status=$?; echo $status
ssh -q -O exit $SHARED $ON_WEB1"#;
    at_client("by-name-%C", script)
        .expect_status(0)
        .expect_stdout("web1\n126\n")
        .expect_stderr_contains("jms: dev@web2 is not granted");
}
