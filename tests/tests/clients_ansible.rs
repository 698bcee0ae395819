//! Ansible: modules, files, playbooks and becoming root, with and without pipelining.

use std::sync::OnceLock;
use std::time::Duration;

use tests::{Lab, Outcome, client_host};

/// Hosts that no test of this file changes for the others: web1 lets dev become root, and alice's `ssh-config` is in force.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday();
        let client = client_host::of_alice(&lab);
        let sudo = "echo 'dev ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/dev";
        drop(lab.web1().run(sudo).expect_status(0));
        // What docs/clients.md tells to do.
        drop(
            client
                .run("ssh alice@bastion ssh-config >~/.ssh/jms.conf && echo 'Include ~/.ssh/jms.conf' >~/.ssh/config")
                .expect_status(0),
        );
        client.write("/root/by-name", "[web]\nweb1\n");
        client.write(
            "/root/by-address",
            "[web]\nfirst ansible_host=alice@dev@web1@bastion\n",
        );
        // Stanzas know the bastion by the address that the login came to.
        let address = lab.address("bastion");
        drop(
            client
                .run(format!(
                    "sed 's/^[^ ]*/{address}/' ~/.ssh/known_hosts >/tmp/more && cat /tmp/more >>~/.ssh/known_hosts"
                ))
                .expect_status(0),
        );
        lab
    })
}

/// A script at the client, in either kind of inventory, with pipelining and without.
#[track_caller]
fn in_every_way(script: &str, check: impl Fn(Outcome)) {
    for (inventory, pipelining) in [("by-name", "True"), ("by-address", "False")] {
        let script = format!(
            "set -eu -o pipefail; cd /root; export ANSIBLE_NOCOLOR=1 ANSIBLE_PIPELINING={pipelining} ANSIBLE_INVENTORY={inventory}\n{script}"
        );
        let command = ["bash", "-c", &script];
        let client = lab().host("client");
        check(
            client
                .command(command)
                .within(Duration::from_secs(200))
                .run(),
        );
    }
}

#[test]
fn ansible_ping_answers_pong() {
    let script = r#"ansible all -m ping | grep -q '"ping": "pong"'"#;
    in_every_way(script, |outcome| {
        drop(outcome.expect_status(0).expect_stdout(""));
    });
    // Nothing was written in a folder of another name than dev's home.
    let home = lab().web1().run("ls -A /home/dev | grep alice");
    assert!(!home.succeeded(), "{home}");
}

#[test]
fn ansible_copy_and_fetch_bring_every_byte() {
    let script = r"
head -c 500000 /dev/urandom >sent; rm -rf fetched
ansible all -m copy -a 'src=sent dest=/tmp/by-ansible mode=0640' >/dev/null
ansible all -m fetch -a 'src=/tmp/by-ansible dest=fetched flat=yes' >/dev/null; cmp sent fetched
# The second time there is nothing to do.
ansible all -m copy -a 'src=sent dest=/tmp/by-ansible mode=0640' | grep -q 'SUCCESS'";
    in_every_way(script, |outcome| {
        drop(outcome.expect_status(0).expect_stdout(""));
    });
    let mode = lab().web1().run("stat -c '%U %a' /tmp/by-ansible");
    drop(mode.expect_stdout("dev 640\n"));
}

#[test]
fn an_ansible_playbook_changes_an_asset_and_then_finds_nothing_to_change() {
    let playbook = r#"
- hosts: web
  tasks:
    - ansible.builtin.file: {path: /tmp/by-playbook, state: directory}
    - ansible.builtin.template: {src: /root/word.j2, dest: /tmp/by-playbook/word}
    - ansible.builtin.lineinfile: {path: /etc/by-playbook, line: "quince", create: true}
      become: true
    - ansible.builtin.command: id -un
      become: true
      changed_when: false
      register: who
    - ansible.builtin.assert: {that: "who.stdout == 'root' and who.stderr == ''"}
    - ansible.builtin.shell: "cat; printf quince >&2; exit 7"
      args: {stdin: medlar}
      changed_when: false
      failed_when: false
      register: read
    - ansible.builtin.assert: {that: "read.stdout == 'medlar' and read.stderr == 'quince' and read.rc == 7"}
"#;
    let client = lab().host("client");
    client.write("/root/playbook.yml", playbook);
    client.write("/root/word.j2", "the user is {{ ansible_user_id }}\n");
    let script = r"
ansible all -b -m file -a 'path=/tmp/by-playbook state=absent' >/dev/null
ansible all -b -m file -a 'path=/etc/by-playbook state=absent' >/dev/null
ansible-playbook playbook.yml | grep -Eq 'ok=8 +changed=3 +unreachable=0 +failed=0'
ansible-playbook playbook.yml | grep -Eq 'ok=8 +changed=0 +unreachable=0 +failed=0'";
    in_every_way(script, |outcome| {
        drop(outcome.expect_status(0).expect_stdout(""));
        let web1 = lab().web1();
        assert_eq!(web1.read_text("/tmp/by-playbook/word"), "the user is dev\n");
        assert_eq!(web1.read_text("/etc/by-playbook"), "quince\n");
    });
}

#[test]
fn ansible_over_scp_and_over_pipes_brings_files_too() {
    for method in ["sftp", "scp", "piped"] {
        let script = format!(
            "set -eu; cd /root; export ANSIBLE_NOCOLOR=1 ANSIBLE_SSH_TRANSFER_METHOD={method}
            echo {method} >way; ansible all -i by-name -m copy -a 'src=way dest=/tmp/way-{method}'"
        );
        let command = ["bash", "-c", &script];
        let client = lab().host("client");
        drop(
            client
                .command(command)
                .within(Duration::from_secs(100))
                .run()
                .expect_status(0)
                .expect_stdout_contains("CHANGED"),
        );
        let there = lab().web1().read_text(format!("/tmp/way-{method}"));
        assert_eq!(there, format!("{method}\n"));
    }
}

#[test]
fn a_host_that_is_not_granted_is_unreachable_with_the_bastions_status_and_sentence() {
    let script = "cd /root; ANSIBLE_NOCOLOR=1 ansible all -vvv -i alice@dev@web2@bastion, -m ping";
    let outcome = lab().host("client").run(script);
    assert!(!outcome.succeeded(), "{outcome}");
    for part in [
        "UNREACHABLE",
        "exited with result 126",
        "jms: dev@web2 is not granted",
    ] {
        assert!(outcome.text().contains(part), "{part}: {outcome}");
    }
}
