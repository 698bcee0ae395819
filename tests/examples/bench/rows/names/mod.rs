//! The name service module, asked as glibc asks it, beside a C module that maps a prebuilt hash once and never looks again, and
//! beside sssd's cache in the asking process's memory.

mod left;
mod sssd;

use anyhow::{Context, Result};
use snapshot::UserName;
use snapshot::users::{self, Flags, User};
use tests::Host;

pub use left::LEFT;

use super::Row;
use crate::options::sizes;
use crate::report::{Aim, Measured};
use crate::rounds::{Contender, OURS, Series, interleave};
use crate::workbench::{LITTLE, Needs, Workbench};

/// The first uid of the measured users, here and in the C files.
const FIRST_UID: u32 = 1_000_000;
/// The names that are asked for in turn.
const HOT: u32 = 1_500;
/// Lookups of one round.
const CALLS: u32 = 20_000;
/// Lookups that are traced: each system call of them takes long then.
const TRACED: u32 = 2_000;
const C_MODULE: &str = "reference.c";

/// All sizes, all kinds of question.
pub const LOOK_UP: Row = Row {
    name: "names",
    about: "getpwnam and getpwuid through the name service module",
    needs: Needs {
        sssd: true,
        ..LITTLE
    },
    play: look_up,
};

/// A name service module: its file and the prefix of its functions.
#[derive(Debug, Clone, Copy)]
struct Module {
    file: &'static str,
    prefix: &'static str,
}

const OUR_MODULE: Module = Module {
    file: "/usr/lib/x86_64-linux-gnu/libnss_jms.so.2",
    prefix: "jms",
};
const REFERENCE: Module = Module {
    file: "/usr/lib/x86_64-linux-gnu/libnss_reference.so.2",
    prefix: "reference",
};

/// One kind of question: what look_up.c calls it, of how many names, what it should cost, and whether sssd is asked as well.
#[derive(Debug, Clone, Copy)]
struct Question {
    what: &'static str,
    hot: u32,
    aim: Aim,
    sssd: bool,
}

fn look_up(bench: &Workbench) -> Result<Vec<Measured>> {
    let host = bench.ours.bastion();
    prepare(host)?;
    sssd::configure(bench)?;
    let mut rows = Vec::new();
    for users in sizes(bench.options.users) {
        publish(host, users)?;
        sssd::restart(host)?;
        let random = if users > 100_000 { 1.5 } else { 1.0 };
        // sssd's cache holds fewer than all names: asked for any of them it would be asked for something else.
        let questions = [
            Question {
                what: "name",
                hot: HOT,
                aim: Aim::AtMost(0.30),
                sssd: true,
            },
            Question {
                what: "uid",
                hot: HOT,
                aim: Aim::AtMost(0.30),
                sssd: true,
            },
            Question {
                what: "random",
                hot: users,
                aim: Aim::AtMost(random),
                sssd: false,
            },
            Question {
                what: "miss",
                hot: HOT,
                aim: Aim::AtMost(0.30),
                sssd: true,
            },
            Question {
                what: "first",
                hot: 1,
                aim: Aim::AtMostTimes(1.15, C_MODULE),
                sssd: true,
            },
        ];
        for question in questions {
            let asked =
                |module: Module| move || Ok(vec![ask(host, module, question, users)? / 1e3]);
            let mut contenders = vec![
                Contender::new(C_MODULE, asked(REFERENCE)),
                Contender::new(OURS, asked(OUR_MODULE)),
            ];
            if question.sssd {
                contenders.insert(1, Contender::new("sssd", asked(sssd::MODULE)));
            }
            let mut quantities = interleave(bench.options.rounds, 1, contenders)?;
            rows.push(Measured {
                what: format!("getpw*, {}, {users} users", question.what),
                unit: "µs CPU",
                aim: question.aim,
                series: quantities.remove(0),
            });
        }
    }
    rows.push(system_calls(host, bench.options.users)?);
    Ok(rows)
}

/// Nanoseconds of one question.
fn ask(host: &Host, module: Module, question: Question, users: u32) -> Result<f64> {
    let calls = match question.what {
        "first" => 1,
        // A name that is not there is a question to its daemon each time.
        "miss" if module.prefix == sssd::MODULE.prefix => CALLS / 20,
        _ => CALLS,
    };
    let words = words(module, question.what, users, question.hot.min(users), calls);
    let outcome = host
        .command(words.iter().map(String::as_str))
        .run()
        .success()?;
    outcome
        .line_of_output()
        .parse()
        .context("no number of nanoseconds")
}

fn words(module: Module, what: &str, users: u32, hot: u32, calls: u32) -> [String; 7] {
    [
        "/srv/look_up",
        module.file,
        module.prefix,
        what,
        &users.to_string(),
        &hot.to_string(),
        &calls.to_string(),
    ]
    .map(str::to_owned)
}

/// System calls of a warm lookup: what many lookups make more than a few.
fn system_calls(host: &Host, users: u32) -> Result<Measured> {
    let traced = |module: Module, calls: u32| -> Result<f64> {
        let command = words(module, "name", users, HOT.min(users), calls).join(" ");
        host.run(format!(
            "strace -f -o /srv/trace {command} && wc -l </srv/trace"
        ))
        .success()?
        .text()
        .lines()
        .last()
        .and_then(|count| count.trim().parse().ok())
        .context("no trace")
    };
    let each = |name: &'static str, module: Module| -> Result<Series> {
        let more = traced(module, 500 + TRACED)? - traced(module, 500)?;
        Ok(Series {
            name,
            values: vec![more / f64::from(TRACED)],
        })
    };
    Ok(Measured {
        what: format!("system calls of a warm getpwnam, {users} users"),
        unit: "",
        aim: Aim::AtMost(0.001),
        series: vec![each(C_MODULE, REFERENCE)?, each(OURS, OUR_MODULE)?],
    })
}

/// The programs that ask, the C module, and uids for all the users.
fn prepare(host: &Host) -> Result<()> {
    host.write("/srv/look_up.c", include_str!("look_up.c"));
    host.write("/srv/reference.c", include_str!("reference.c"));
    host.write("/srv/for_sssd.c", include_str!("for_sssd.c"));
    host.run(format!(
        "cd /srv && gcc -O2 -o look_up look_up.c && gcc -O2 -o reference reference.c && gcc -O2 -fPIC -shared -o {} reference.c for_sssd.c && \
         sed -i 's/^range .*/range 1000000-3000000/' /etc/jms/uid-range",
        REFERENCE.file
    ))
    .success()?;
    Ok(())
}

/// Both modules know `user0` and so on.
fn publish(host: &Host, count: u32) -> Result<()> {
    let all: Option<Vec<User>> = (0..count)
        .map(|number| {
            let name = UserName::new(format!("user{number}").as_bytes())?;
            User::new(name, FIRST_UID + number, Flags::empty())
        })
        .collect();
    let bytes = users::write(1, all.context("a name or uid that cannot be")?)?;
    host.write("/srv/users.snap", bytes);
    // A new file takes the old one's place, as it does when it is published.
    host.run(format!(
        "cd /var/lib/jms/public && install -o jms -g jms-keys -m 0444 /srv/users.snap new && mv new users.snap && \
         cd /srv && ./reference {count} /srv/reference.hash"
    ))
    .success()?;
    // What a login with a key does: the copy that processes map is made of it.
    host.run(
        "runuser -u jms-keys -- /usr/libexec/jms/authorized-keys-command nobody SHA256:x ssh-ed25519 AAAA
         for tenth in $(seq 300); do
             ! [ /run/jms-keys/users.copy -nt /var/lib/jms/public/users.snap ] || exit 0; sleep 0.1
         done; exit 1",
    )
    .success()
    .context("no copy of the snapshot was made")?;
    Ok(())
}
