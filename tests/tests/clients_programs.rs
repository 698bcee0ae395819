//! Clients that are not OpenSSH, or that drive it: paramiko, PuTTY's, lftp, sshfs, dropbear's.

use std::sync::OnceLock;
use std::time::Duration;

use tests::{Lab, Outcome, client_host};

/// Hosts that no test of this file changes for the others. `/srv/dev` on web1 is dev's and holds `numbers`.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::everyday();
        let _ = client_host::of_alice(&lab);
        let folder = "install -d -o dev /srv/dev && seq 100000 >/srv/dev/numbers";
        drop(lab.web1().run(folder).expect_status(0));
        let motd = "echo MOTD OF THE BASTION >/etc/motd";
        drop(lab.bastion().run(motd).expect_status(0));
        // PuTTY's own format of a key, and the bastion's fingerprint for it; dropbear knows lines with one name and no comment.
        let client = lab.host("client");
        drop(
            client
                .run(
                    "cd /root && seq 100000 >numbers && puttygen .ssh/id_ed25519 -o key.ppk -O private
                     ssh-keygen -lf .ssh/known_hosts | sed -n 's/.*\\(SHA256:[^ ]*\\).*ED25519.*/\\1/p' | head -n 1 >fingerprint
                     sed -n 's/^bastion,[^ ]* \\([^ ]* [^ ]*\\).*/bastion \\1/p' .ssh/known_hosts >one-name && cat one-name >>.ssh/known_hosts",
                )
                .expect_status(0),
        );
        lab
    })
}

/// `$PUTTY` are options for PuTTY's programs.
fn at_client(script: &str) -> Outcome {
    let script = format!(
        "set -eu -o pipefail; cd /root; ON_WEB1=alice@dev@web1@bastion
PUTTY=\"-batch -hostkey $(cat fingerprint) -i key.ppk\"\n{script}"
    );
    lab()
        .host("client")
        .command(["bash", "-c", &script])
        .within(Duration::from_secs(60))
        .run()
}

#[test]
fn paramiko_runs_commands_shells_and_files() {
    let program = r#"
import hashlib, os, paramiko, time
client = paramiko.SSHClient()
client.load_system_host_keys()
client.connect("bastion", username="alice@dev@web1", key_filename="/root/.ssh/id_ed25519", allow_agent=False)

stdin, stdout, stderr = client.exec_command("printf out; printf err >&2; exit 7")
assert (stdout.read(), stderr.read(), stdout.channel.recv_exit_status()) == (b"out", b"err", 7)

# Each direction of a channel ends by itself.
channel = client.get_transport().open_session()
channel.exec_command("sha256sum; echo and more")
sent = os.urandom(2_000_000)
channel.sendall(sent)
channel.shutdown_write()
assert channel.makefile().read() == (hashlib.sha256(sent).hexdigest() + "  -\nand more\n").encode()
assert channel.recv_exit_status() == 0

channel = client.get_transport().open_session()
channel.exec_command("echo only; exec >&- 2>&-; cat >/srv/dev/half; exit 5")
assert channel.makefile().read() == b"only\n"
channel.sendall(b"late\n")
channel.shutdown_write()
assert channel.recv_exit_status() == 5

shell = client.invoke_shell(term="xterm", width=100, height=30)
shell.sendall("stty size; exit 4\n")
shown = b""
while not shell.closed and not shell.eof_received:
    shown += shell.recv(4096)
assert b"30 100" in shown, shown
assert shell.recv_exit_status() == 4
for ours in (b"MOTD OF THE BASTION", b"jms:"):
    assert ours not in shown, shown

sftp = client.open_sftp()
sftp.put("/root/numbers", "/srv/dev/by-paramiko")
sftp.get("/srv/dev/by-paramiko", "/root/by-paramiko")
assert open("/root/by-paramiko").read() == open("/root/numbers").read()
sftp.rename("/srv/dev/by-paramiko", "/srv/dev/renamed")
with sftp.open("/srv/dev/renamed", "a") as file:
    file.write("more\n")
assert sftp.stat("/srv/dev/renamed").st_size == os.stat("/root/numbers").st_size + 5
assert "renamed" in sftp.listdir("/srv/dev")
sftp.remove("/srv/dev/renamed")
client.close()
print("all")
"#;
    lab().host("client").write("/root/program.py", program);
    at_client("python3 -W ignore program.py")
        .expect_status(0)
        .expect_stdout("all\n")
        .expect_stderr("");
    assert_eq!(lab().web1().read_text("/srv/dev/half"), "late\n");
}

#[test]
fn plink_runs_commands_and_shells() {
    at_client("plink $PUTTY $ON_WEB1 'printf out; printf err >&2; exit 7'")
        .expect_status(7)
        .expect_stdout("out")
        .expect_stderr("err");
    at_client("plink $PUTTY -l alice@dev@web1 bastion 'sha256sum' <numbers; sha256sum <numbers")
        .expect_status(0)
        .expect_stderr("");
    at_client("plink $PUTTY alice@bastion dev@web1 hostname </dev/null")
        .expect_status(0)
        .expect_stdout("web1\n");
    let script = "plink $PUTTY -t $ON_WEB1";
    let mut shell = lab()
        .host("client")
        .command(["bash", "-c", &format!("cd /root; PUTTY=\"-batch -hostkey $(cat fingerprint) -i key.ppk\" ON_WEB1=alice@dev@web1@bastion; {script}")])
        .on_terminal();
    shell.expect("dev@web1");
    shell.send_line("echo si''ze $(stty size); exit 3");
    shell.expect("size 24 80");
    drop(shell.wait().expect_status(3));
}

#[test]
fn psftp_and_pscp_bring_files_both_ways() {
    let script = r"
printf 'cd /srv/dev\nput numbers by-psftp\nget by-psftp back\nmv by-psftp moved\nrm moved\nquit\n' >batch
rm -f back; psftp $PUTTY -b batch $ON_WEB1 >/dev/null 2>&1; cmp back numbers
for protocol in -sftp -scp; do
    rm -f back; pscp -q $PUTTY $protocol numbers $ON_WEB1:/srv/dev/by-pscp
    pscp -q $PUTTY $protocol $ON_WEB1:/srv/dev/by-pscp back; cmp back numbers
done";
    drop(at_client(script).expect_status(0).expect_stdout(""));
    assert!(!lab().web1().has("/srv/dev/moved"));
    assert_eq!(
        lab().web1().read("/srv/dev/by-pscp"),
        lab().web1().read("/srv/dev/numbers")
    );
}

#[test]
fn lftp_lists_and_mirrors_both_ways() {
    let script = r#"
rm -rf tree mirrored; mkdir -p tree/sub; seq 1000 >tree/one; seq 2000 >'tree/sub/with blank'
lftp -c "set cmd:fail-exit yes; set net:max-retries 1
open -u alice@dev@web1, sftp://bastion
mirror -R tree /srv/dev/by-lftp; mirror /srv/dev/by-lftp mirrored
cls -1 /srv/dev/by-lftp; rm -r /srv/dev/by-lftp"
diff -r tree mirrored"#;
    at_client(script)
        .expect_status(0)
        .expect_stdout("/srv/dev/by-lftp/one\n/srv/dev/by-lftp/sub/\n")
        .expect_stderr("");
    assert!(!lab().web1().has("/srv/dev/by-lftp"));
}

#[test]
fn sshfs_mounts_a_folder_of_an_asset_where_the_kernel_has_fuse() {
    if !lab().host("client").has("/dev/fuse") {
        eprintln!("sshfs was NOT tried: this machine has no /dev/fuse");
        return;
    }
    let script = r"
mkdir -p mounted; sshfs $ON_WEB1:/srv/dev mounted
trap 'fusermount3 -u mounted' EXIT
cmp mounted/numbers numbers
mkdir mounted/by-sshfs; cp numbers mounted/by-sshfs/; mv mounted/by-sshfs/numbers mounted/by-sshfs/moved
echo more >>mounted/by-sshfs/moved; tail -n 1 mounted/by-sshfs/moved
rm mounted/by-sshfs/moved; rmdir mounted/by-sshfs; ls mounted | grep -c by-sshfs || true";
    at_client(script)
        .expect_status(0)
        .expect_stdout("more\n0\n")
        .expect_stderr("");
}

#[test]
fn dropbears_client_runs_commands() {
    let script = r"
dropbearconvert openssh dropbear .ssh/id_ed25519 key.dropbear 2>/dev/null
dbclient -T -i key.dropbear -l alice@dev@web1 bastion 'sha256sum; printf err >&2; exit 7' <numbers || echo status $?
sha256sum <numbers";
    let outcome = at_client(script).expect_status(0).expect_stderr("err");
    let shown = outcome.text();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines, [lines[2], "status 7", lines[2]], "{outcome}");
}
