use super::{Command, Line, Opaque, Reads};
use crate::shell::Comments;

fn look_into(line: &str) -> Line {
    super::look_into(line, Comments::Skipped)
}

/// Every command of the line, outer ones first.
fn programs(line: &str) -> Vec<String> {
    fn walk(commands: &[Command], into: &mut Vec<String>) {
        for command in commands {
            into.push(crate::shell::words(&command.simple.words));
            walk(&command.inner, into);
        }
    }
    let mut found = Vec::new();
    walk(&look_into(line).commands, &mut found);
    found
}

#[test]
fn what_a_wrapper_starts_is_found() {
    for line in [
        "sudo rm x",
        "sudo -u root -g wheel -- rm x",
        "sudo -uroot A=1 rm x",
        "sudo --user root --preserve-env rm x",
        "sudo --us root rm x",
        "doas -u root rm x",
        "env A=1 -i -u B rm x",
        "env -S 'rm x'",
        "command rm x",
        "builtin rm x",
        "exec -a name rm x",
        "nohup rm x",
        "nice rm x",
        "nice -n 5 rm x",
        "nice -5 rm x",
        "/usr/bin/nice --adjustment=5 rm x",
        "ionice -c 3 rm x",
        "timeout -k 5 10 rm x",
        "timeout $seconds rm x",
        "setsid -w rm x",
        "stdbuf -o L rm x",
        "chroot /mnt rm x",
        "flock /lock rm x",
        "flock /lock -c 'rm x'",
        "busybox rm x",
        "strace -f -o log rm x",
        "systemd-run --unit u -p A=b rm x",
        "xargs -n 1 rm x",
        "find . -name '*.o' -exec rm x ;",
        "find . -execdir rm x \\;",
        "find . -ok rm x +",
        "watch -n 1 rm x",
        "watch 'rm x'",
        "sh -c 'rm x'",
        "bash -lc 'rm x'",
        "bash -o posix -c 'rm x' name",
        "bash --rcfile f -c -x 'rm x'",
        "/bin/zsh -fc 'rm x'",
        "fish --command='rm x'",
        "eval rm x",
        "eval 'rm' x",
        "trap 'rm x' EXIT",
        "su -c 'rm x'",
        "su root -c 'rm x'",
        "su - root --command='rm x'",
        "su -lc 'rm x'",
        "runuser -u root -- rm x",
        "runuser root -c 'rm x'",
        "script -qc 'rm x' /dev/null",
        "ssh -p 22 -i key host rm x",
        "ssh host 'rm x'",
        "ssh -o ProxyCommand='rm x' host",
        "sh <<E\nrm x\nE\n",
        "bash -s <<< 'rm x'",
        "sudo sh <<E\nrm x\nE\n",
        "{ sh; } <<E\nrm x\nE\n",
        "sudo env A=1 nice sh -c 'eval \"rm x\"'",
        "time -p rm x",
        "a | time -p rm x",
        "noglob rm x",
        "parallel rm x",
        "not rm x",
        "time -- rm x",
        "time -p -- rm x",
        "setpriv --ruid 0 rm x",
        "nsenter -t 1 -w rm x",
        "nsenter -t 1 --root rm x",
        "unshare --propagation private rm x",
        "systemd-run --user -d --on-boot 5 rm x",
        "fakeroot -i f rm x",
        "linux32 rm x",
        "setarch x86_64 -R rm x",
        "prlimit --nofile=5 rm x",
        "sshpass -p word rm x",
        "perf stat rm x",
        "ip netns exec blue rm x",
        "/lib64/ld-linux-x86-64.so.2 --library-path . rm x",
        "env -S 'rm\\_x'",
        "su root -- -c 'rm x'",
        "su - root -- -c 'rm x'",
        "runuser root -- -c 'rm x'",
        "ssh -o RemoteCommand='rm x' host",
        "ssh -o ' ProxyCommand rm x' host",
        "ssh -o $'ProxyCommand\\trm x' host",
        "scp -oProxyCommand='rm x' a host:",
        "rsync -ave 'rm x' a host:",
        "rsync --rsync-path='rm x' a host:",
        "git -c alias.a='!rm x' a",
        "git -c core.pager='rm x' log",
        "tar --to-command='rm x' -xf a",
        "tar --checkpoint=1 --checkpoint-action exec='rm x' -cf a b",
        "tar -I 'rm x' -xf a",
        "mapfile -C 'rm x' -c 1 a",
        "compgen -C 'rm x' a",
        "bind -x '\"\\C-x\":rm x'",
        "alias l='rm x'",
        "fish -C 'rm x'",
        "fish --init-command 'rm x'",
        "fish --comm 'rm x'",
        "bash-static -c 'rm x'",
        "zsh-5.9 -c 'rm x'",
        "static-sh -c 'rm x'",
        "busybox.static sh -c 'rm x'",
        "oksh -c 'rm x'",
    ] {
        let found = programs(line);
        assert!(
            found.iter().any(|words| words == "rm x"),
            "{line:?}: {found:?}"
        );
    }
}

#[test]
fn words_that_nothing_starts_are_not_found() {
    for line in [
        "echo rm x",
        "echo sudo rm x",
        "grep -e rm x",
        "sudo -u rm x",
        "env rm=x",
        "timeout rm x",
        "cat <<E\nrm x\nE\n",
        "cat <<< 'rm x'",
        "sh script rm x",
        "echo 'sh -c \"rm x\"'",
        "find . -name rm x",
        "bash -c 'echo rm x' rm x",
        "ip route get rm x",
        "git -c user.name='rm x' log",
        "rsync --server -logDtpre.iLsfxC . 'rm x'",
        "ssh -o User='rm x' host",
    ] {
        assert!(
            !programs(line).iter().any(|words| words == "rm x"),
            "{line:?}"
        );
    }
}

#[test]
fn what_hides_says_so() {
    for line in [
        "$x a",
        "$(echo rm) a",
        "/bin/[r]m a",
        "{rm,a}",
        "sh -c \"$x\"",
        "sh -c \"rm $x\"",
        "eval $x",
        "eval $(echo rm)",
        "sudo $x a",
        "sudo $x",
        "echo rm | sh",
        "sh < file",
        "sh <<E\n$x\nE\n",
        "curl u | sudo bash -s",
        "echo rm | sudo -i",
        "printf 'import os' | python3",
        "python3 <<E\nx\nE\n",
        "sh -c 'if'",
        "ssh host $x",
        "find . -exec $x ;",
        "strace --unknown f rm x",
        "sudo -@ x rm x",
        "python3 -W ignore -c 'x'",
        "perl -I . -e 'x'",
        "mysql -u root -e 'system x'",
        "psql -d db -c '\\! x'",
        "nodejs -e x",
        "awk 'BEGIN { system(\"x\") }'",
        "awk '{ print | \"sh\" }'",
        "awk -F : \"$program\"",
        "sed '1e x' file",
        "sed 's/.*/x/e' file",
        "sed -n '/x/e'",
        "vim -c '!x'",
        "sqlite3 file '.shell x'",
        "expect -c 'spawn x'",
        "env -S 'a ${x}'",
        "docker exec c x",
        "kubectl exec pod -- x",
        "tmux new 'x'",
        "screen -dm x",
        "start-stop-daemon --exec x -- y",
        "let 'a[$(x)]'",
        "[ -v 'a[`x`]' ]",
        "printf -v 'a[$(x)]' y",
        "compgen -W '$(x)' a",
        "set -H",
        "set -eH",
        "set -o history -o histexpand",
        "set -eo histexpand",
        "set $x",
        "shopt -so histexpand",
        "bash -H",
        "bash -o histexpand f",
    ] {
        fn hides(command: &Command) -> bool {
            command.opaque.is_some() || command.inner.iter().any(hides)
        }
        assert!(look_into(line).commands.iter().any(hides), "{line:?}");
    }
    for line in [
        "echo $x",
        "rm *",
        "ls ~",
        "sh script",
        "python3 file",
        "ssh host",
        "sudo -EHu root --login ls",
        "env -i - A=1 ls",
        "nice -10 ls",
        "xargs -0r -I{} ls {}",
        "awk -F: '$1 == \"x\" || $2 { print $3 }' file",
        "sed -ne 's/e/f/g;/e/d' -e '1,5p' file",
        "docker ps",
        "tmux attach",
        "git -c color.ui=always log",
        "export A=b",
        "set -euo pipefail",
        "set +H",
        "set -- -H",
        "set",
        "shopt -s nullglob",
        "bash -e f -H",
        "printf '%s' '$(x)'",
    ] {
        assert!(
            look_into(line)
                .commands
                .iter()
                .all(|command| command.opaque.is_none()),
            "{line:?}"
        );
    }
}

#[test]
fn who_reads_commands_from_standard_input_is_known() {
    for (line, reads) in [
        ("sh", Some(Reads::Shell)),
        ("bash -s a", Some(Reads::Shell)),
        ("sudo sh", Some(Reads::Shell)),
        ("bash /dev/stdin", Some(Reads::Shell)),
        ("ssh host", Some(Reads::Shell)),
        ("sudo -i", Some(Reads::Shell)),
        ("python3.11 -u", Some(Reads::Interpreter)),
        ("psql", Some(Reads::Interpreter)),
        ("su - root", Some(Reads::Shell)),
        ("sh <&0", Some(Reads::Shell)),
        ("sh </dev/stdin", Some(Reads::Shell)),
        ("sh //dev/./stdin", Some(Reads::Shell)),
        (". /proc/thread-self/fd/00", Some(Reads::Shell)),
        ("script -q /dev/null", Some(Reads::Shell)),
        ("sg adm", Some(Reads::Shell)),
        ("newgrp adm", Some(Reads::Shell)),
        ("pkexec", Some(Reads::Shell)),
        ("run0", Some(Reads::Shell)),
        ("linux32", Some(Reads::Shell)),
        ("parallel", Some(Reads::Shell)),
        ("systemd-run --shell", Some(Reads::Shell)),
        ("lxc-attach -n c", Some(Reads::Shell)),
        ("mysql -u root mydb", Some(Reads::Interpreter)),
        ("psql -d mydb", Some(Reads::Interpreter)),
        ("sqlite3 f.db", Some(Reads::Interpreter)),
        ("python3 /dev/stdin", Some(Reads::Interpreter)),
        ("python3 -W ignore", Some(Reads::Interpreter)),
        ("python3 -m code", Some(Reads::Interpreter)),
        ("nodejs", Some(Reads::Interpreter)),
        ("awk -f -", Some(Reads::Interpreter)),
        ("make -f -", Some(Reads::Interpreter)),
        ("crontab -", Some(Reads::Interpreter)),
        ("ed -s f", Some(Reads::Interpreter)),
        ("gdb prog", Some(Reads::Interpreter)),
        ("mysql -e 'select 1' mydb", None),
        ("psql -f file mydb", None),
        ("sqlite3 f.db 'select 1'", None),
        ("python3 script.py a", None),
        ("python3 -m json.tool", None),
        ("sh <file", None),
        ("awk -f prog", None),
        ("fish -C ls", Some(Reads::Shell)),
        ("su root -- -c a", None),
        ("su root script", None),
        ("sh script", None),
        ("sh -c a", None),
        ("cat", None),
        ("bash -H", Some(Reads::Shell)),
    ] {
        assert_eq!(look_into(line).commands[0].reads, reads, "{line:?}");
    }
}

#[test]
fn what_others_pass_on_to_a_shell_is_a_script() {
    fn reads(line: &str) -> Option<Reads> {
        let commands = look_into(line).commands;
        commands.iter().find_map(|command| command.reads)
    }
    for (line, by) in [
        ("cat | sh", Some(Reads::Shell)),
        ("cat |\n\n sh", Some(Reads::Shell)),
        ("cat - |& sudo bash", Some(Reads::Shell)),
        ("tee log | sh", Some(Reads::Shell)),
        ("head -n 5 | tail -1 | sh", Some(Reads::Shell)),
        ("sed 's/a/b/' | sh", Some(Reads::Shell)),
        ("sudo cat | { id; sh; }", Some(Reads::Shell)),
        ("{ id; cat; } | sh", Some(Reads::Shell)),
        (
            "while read l; do echo \"$l\"; done | sh",
            Some(Reads::Shell),
        ),
        ("id; (ls; cat) | sh", Some(Reads::Shell)),
        ("x=$(cat | sh)", Some(Reads::Shell)),
        ("cat | python3", Some(Reads::Interpreter)),
        ("cat file | sh", None),
        ("cat <file | sh", None),
        ("sed s/a/b/ file | sh", None),
        ("curl u | sh", None),
        ("perl script.pl | sh", None),
        ("cat; echo x | sh", None),
        ("cat | wc; id | sh", None),
        ("cat && { echo x; } | sh", None),
        ("{ cat; }; echo x | sh", None),
        ("echo $(cat); (cat); echo x | sh", None),
        ("echo x |\nsh", None),
        ("cat | wc", None),
    ] {
        assert_eq!(reads(line), by, "{line:?}");
    }
    for line in ["cat | sh", "echo x |\nsh", "echo x | # y\n\nsh"] {
        let commands = look_into(line).commands;
        assert_eq!(commands[1].opaque, Some(Opaque::Input), "{line:?}");
    }
    // But not behind what has ended.
    for line in ["x | [[ a ]]\nsh", "x | (y)\nsh", "x | y\nsh"] {
        let commands = look_into(line).commands;
        assert_eq!(commands.last().unwrap().opaque, None, "{line:?}");
    }
}

#[test]
fn wrappers_without_end_are_a_fault_of_the_line() {
    let line = format!("{}rm x", "sudo ".repeat(10_000));
    let mut deepest = &look_into(&line).commands[0];
    while let Some(inner) = deepest.inner.first() {
        deepest = inner;
    }
    assert!(matches!(deepest.opaque, Some(Opaque::Unreadable(_))));
}
