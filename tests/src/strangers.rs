//! Names of every state, and what a stranger without any of their keys is told about them.

use crate::lab::Lab;

/// A state that a name can be in, and its names.
#[derive(Debug)]
pub struct State {
    /// In words.
    pub name: &'static str,
    /// Its letter, with which its names begin.
    letter: char,
    /// Five characters each.
    pub names: Vec<String>,
}

/// The states, those of users of the bastion first; `unknown` twice, for comparison of names that nobody has.
const STATES: [(&str, char); 8] = [
    ("known", 'k'),
    ("with a second factor", 'm'),
    ("disabled", 'd'),
    ("locked", 'l'),
    ("expired", 'e'),
    ("kept out by a login rule", 'r'),
    ("unknown", 'u'),
    ("unknown, others", 'v'),
];

/// Puts the bastion profile in place and makes `count` users of each state, all with a login key that the stranger has not.
///
/// # Panics
/// When a step fails.
#[must_use]
#[track_caller]
pub fn prepare(lab: &Lab, count: usize) -> Vec<State> {
    let bastion = lab.bastion();
    let Ok(key) = lab.client_of("owner").public_key() else {
        panic!("no key")
    };
    let words: Vec<&str> = key.split_whitespace().take(2).collect();
    let key = words.join(" ");
    let mut policy = String::new();
    let states: Vec<State> = STATES
        .iter()
        .map(|(name, letter)| State {
            name,
            letter: *letter,
            names: (1..=count).map(|n| format!("{letter}{n:04}")).collect(),
        })
        .collect();
    for state in &states {
        let state_of = match state.letter {
            'd' => "enabled = false\n",
            'm' => "mfa = \"totp\"\n",
            'e' => "valid_until = \"2020-01-01T00:00:00Z\"\n",
            'u' | 'v' => continue,
            _ => "",
        };
        for name in &state.names {
            policy.push_str(&format!(
                "[user.{name}]\n{state_of}[[user.{name}.key]]\npublic_key = \"{key}\"\n"
            ));
        }
    }
    let kept_out = states.iter().find(|state| state.letter == 'r');
    let kept_out: Vec<String> = kept_out
        .into_iter()
        .flat_map(|state| state.names.iter().map(|name| format!("{name:?}")))
        .collect();
    policy.push_str(&format!(
        "[login-rule.closed]\nverdict = \"deny\"\nusers = [{}]\n",
        kept_out.join(", ")
    ));
    bastion
        .command(["jmsctl", "apply", "-", "--yes", "--quiet"])
        .input(policy)
        .run()
        .expect_status(0);
    // As 5 wrong answers leave it, of those with a key and of those without, from everywhere.
    let lock = "import sqlite3; store = sqlite3.connect('/var/lib/jms/jms.db'); \
        store.executescript(\"INSERT INTO lockout SELECT id, proof, '', 30, strftime('%s') * 1000, strftime('%s') * 1000, \
        (strftime('%s') + 86400) * 1000 FROM user, (SELECT 'key' AS proof UNION SELECT 'none') WHERE name LIKE 'l____'; COMMIT\")"
        .replace("\"INSERT", "\"BEGIN; INSERT");
    bastion
        .command(["runuser", "-u", "jms", "--", "python3", "-c", &lock])
        .run()
        .expect_status(0);
    bastion
        .run("cp /usr/share/jms/bastion-profile.conf /etc/ssh/sshd_config.d/01-jms-bastion-profile.conf")
        .expect_status(0);
    // So that asking often is no difference of its own; OpenSSH before 9.8 has no penalties.
    bastion
        .run(
            "f=/etc/ssh/sshd_config.d/02-often.conf; printf 'MaxStartups 200\\nPerSourcePenalties no\\n' >$f; \
             $(command -v sshd) -t 2>/dev/null || printf 'MaxStartups 200\\n' >$f; $(command -v sshd) -t",
        )
        .expect_status(0);
    bastion.reload_sshd();
    states
}
