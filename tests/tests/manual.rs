//! What the package gives people to read and shells to complete, and every shipped sample of a setting, read by the
//! programs that they are for.

use std::collections::BTreeSet;

use tests::{Host, Lab};

/// Pages beside those of `jmsctl`.
const PAGES: [&str; 5] = [
    "jms.toml.5",
    "authorized-keys-command.8",
    "force-command.8",
    "nss_jms.8",
    "pam_jms.8",
];

/// The pages of the package, as `NAME.SECTION`.
fn installed_pages(bastion: &Host) -> BTreeSet<String> {
    bastion
        .run("dpkg -L jms | sed -n 's,^/usr/share/man/man[0-9]/\\(.*\\)\\.gz$,\\1,p'")
        .expect_status(0)
        .text()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The nouns, as `jmsctl --help` lists them.
fn nouns(bastion: &Host) -> Vec<String> {
    let nouns = "jmsctl --help | sed -n '/^Nouns:/,/^$/s/^  \\([a-z][a-z-]*\\) .*/\\1/p'";
    let nouns = bastion.run(nouns).expect_status(0).text();
    nouns.lines().map(str::to_owned).collect()
}

#[test]
fn there_is_a_page_for_each_noun_and_part_and_man_finds_it() {
    let lab = Lab::installed();
    let bastion = lab.bastion();
    let nouns = nouns(bastion);
    assert!(nouns.len() > 20, "{nouns:?}");
    let mut expected: BTreeSet<String> = PAGES.iter().map(|page| (*page).to_owned()).collect();
    expected.insert("jmsctl.8".to_owned());
    expected.extend(nouns.iter().map(|noun| format!("jmsctl-{noun}.8")));
    assert_eq!(installed_pages(bastion), expected);
    for page in &expected {
        let (name, section) = page.rsplit_once('.').expect("a section");
        bastion
            .command(["man", "--where", section, name])
            .run()
            .expect_status(0)
            .expect_stdout(format!("/usr/share/man/man{section}/{page}.gz\n"));
    }
    // `man` shows them, and finds them by what they are about once somebody has made its index.
    bastion
        .run("mandb --quiet && apropos --exact nss_jms jms.toml jmsctl-grant pam_jms")
        .expect_status(0)
        .expect_stdout_contains("name service of the bastion's users")
        .expect_stdout_contains("settings of the bastion")
        .expect_stdout_contains("jmsctl-grant (8)");
}

#[test]
fn no_page_has_a_mistake_that_man_or_mandoc_finds() {
    let lab = Lab::installed();
    let bastion = lab.bastion();
    for page in installed_pages(bastion) {
        let section = page.rsplit('.').next().expect("a section");
        let file = format!("/usr/share/man/man{section}/{page}.gz");
        bastion
            .run(format!(
                "MANROFFSEQ='' MANWIDTH=80 man --warnings=w --encoding=UTF-8 --local-file --troff-device=utf8 {file} 2>&1 >/dev/null; \
                 zcat {file} | mandoc -T lint -W warning"
            ))
            .expect_status(0)
            .expect_stdout("");
    }
}

#[test]
fn the_installed_pages_and_completions_are_what_the_program_says() {
    let lab = Lab::installed();
    let bastion = lab.bastion();
    bastion
        .run("zcat /usr/share/man/man8/jmsctl.8.gz | cmp - <(jmsctl man)")
        .expect_success();
    for noun in nouns(bastion) {
        bastion
            .run(format!(
                "zcat /usr/share/man/man8/jmsctl-{noun}.8.gz | cmp - <(jmsctl man {noun})"
            ))
            .expect_success();
    }
    bastion
        .run(
            "cmp /usr/share/bash-completion/completions/jmsctl <(jmsctl completion bash) && \
             cmp /usr/share/zsh/vendor-completions/_jmsctl <(jmsctl completion zsh) && \
             cmp /usr/share/fish/vendor_completions.d/jmsctl.fish <(jmsctl completion fish)",
        )
        .expect_success();
}

/// Types `typed` and the key that completes into a shell, and waits for `completed` to be shown.
fn completes(bastion: &Host, shell: &[&str], ready: &str, typed: &str, completed: &str) {
    let mut shell = bastion.command(shell.iter().copied()).on_terminal();
    shell.expect(ready);
    shell.send(typed);
    // Only a shell that reads shows what was typed.
    shell.expect(typed);
    shell.send("\t");
    shell.expect(completed);
}

#[test]
fn bash_zsh_and_fish_complete_nouns_verbs_and_flags() {
    let lab = Lab::installed();
    let bastion = lab.bastion();
    bastion.write(
        "/root/.bash-lab",
        ". /usr/share/bash-completion/bash_completion\nPS1='ready> '\n",
    );
    let bash: &[&str] = &["bash", "--noprofile", "--rcfile", "/root/.bash-lab", "-i"];
    completes(bastion, bash, "ready> ", "jmsctl user dis", "able");
    completes(bastion, bash, "ready> ", "jmsctl system-u", "ser");
    completes(
        bastion,
        bash,
        "ready> ",
        "jmsctl grant add g --system-u",
        "ser",
    );

    bastion.run("mkdir -p /root/zsh").expect_success();
    bastion.write(
        "/root/zsh/.zshrc",
        "autoload -Uz compinit && compinit -u -D\nunsetopt zle_bracketed_paste\nPS1='ready> '\n",
    );
    let zsh: &[&str] = &["env", "ZDOTDIR=/root/zsh", "TERM=dumb", "zsh", "-i"];
    completes(bastion, zsh, "ready> ", "jmsctl user dis", "able");
    completes(
        bastion,
        zsh,
        "ready> ",
        "jmsctl grant add g --system-u",
        "ser",
    );

    // fish says what it would complete.
    bastion
        .run("fish --command 'complete --do-complete \"jmsctl user dis\"'")
        .expect_status(0)
        .expect_stdout_contains("disable");
    bastion
        .run("fish --command 'complete --do-complete \"jmsctl grant add g --system-u\"'")
        .expect_status(0)
        .expect_stdout_contains("--system-user");
}

#[test]
fn every_shipped_sample_of_a_setting_is_understood_by_what_reads_it() {
    let lab = Lab::installed();
    let bastion = lab.bastion();
    // The settings as they are shipped, and each of them without its #.
    bastion
        .run("jmsctl config check && jmsctl config check /etc/jms/jms.toml")
        .expect_success();
    bastion
        .run(
            "sed -E 's/^# ?([a-z_]+ = )/\\1/' /etc/jms/jms.toml >/root/all.toml && jmsctl config check /root/all.toml && \
             ! grep -q '^# *[a-z_]* = ' /root/all.toml && test $(grep -c ' = ' /root/all.toml) -gt 15",
        )
        .expect_success();
    // The drop-in as it lies, and the profile behind it.
    bastion.run("$(command -v sshd) -t").expect_success();
    bastion
        .run(
            "cp /usr/share/jms/bastion-profile.conf /etc/ssh/sshd_config.d/01-jms-bastion.conf && $(command -v sshd) -t",
        )
        .expect_status(0)
        .expect_stderr("");
    // Events in a file of their own, and what keeps it from growing for ever.
    let examples = "/usr/share/doc/jms/examples";
    bastion
        .run(format!(
            "cp {examples}/rsyslog.conf /etc/rsyslog.d/10-jms.conf && rsyslogd -N1 && \
             rsyslogd -N1 -f {examples}/rsyslog.conf"
        ))
        .expect_status(0);
    bastion
        .run(format!(
            "cp {examples}/logrotate /etc/logrotate.d/jms && logrotate --debug /etc/logrotate.d/jms 2>&1"
        ))
        .expect_status(0)
        .expect_stdout_lacks("error")
        .expect_stdout_contains("/var/log/jms-events.log");
}
