//! The name service module, asked as glibc asks it, beside a C module that maps a prebuilt hash once and never looks again.

use anyhow::{Context, Result};
use snapshot::UserName;
use snapshot::users::{self, Flags, User};
use tests::Host;

use crate::report::Measured;
use crate::rounds::{Contender, interleave};
use crate::workbench::Workbench;

/// The first uid of the measured users, here and in the two C files.
const FIRST_UID: u32 = 1_000_000;
/// The names that are asked for in turn.
const HOT: u32 = 1_500;
const OURS: [&str; 2] = ["/usr/lib/x86_64-linux-gnu/libnss_jms.so.2", "jms"];
const REFERENCE: [&str; 2] = ["/srv/libreference.so", "reference"];

/// All sizes, all kinds of question.
pub fn look_up(bench: &Workbench) -> Result<Vec<Measured>> {
    let host = bench.ours.bastion();
    host.write("/srv/look_up.c", include_str!("look_up.c"));
    host.write("/srv/reference.c", include_str!("reference.c"));
    host.run(
        "cd /srv && gcc -O2 -o look_up look_up.c && gcc -O2 -o reference reference.c && gcc -O2 -fPIC -shared -o libreference.so reference.c",
    )
    .success()?;
    let kept = ["/etc/jms/uid-range", "/var/lib/jms/public/users.snap"];
    for file in kept {
        host.run(format!("cp -p {file} {file}.kept")).success()?;
    }
    host.run("sed -i 's/^range .*/range 1000000-3000000/' /etc/jms/uid-range")
        .success()?;
    let mut rows = Vec::new();
    for users in [1_000, 100_000, 1_000_000] {
        publish(host, users)?;
        let questions: [(&str, u32, &str); 5] = [
            ("name", HOT, "≤ 0.30 µs"),
            ("uid", HOT, "≤ 0.30 µs"),
            (
                "random",
                users,
                if users > 100_000 {
                    "≤ 1.5 µs"
                } else {
                    "≤ 1.0 µs"
                },
            ),
            ("miss", HOT, "≤ 0.30 µs"),
            ("first", 1, "≤ 1.15 ×"),
        ];
        for (what, hot, aim) in questions {
            let ask = |module: [&str; 2]| {
                let calls = if what == "first" { 1 } else { 20_000 };
                let words = [
                    "/srv/look_up",
                    module[0],
                    module[1],
                    what,
                    &users.to_string(),
                    &hot.min(users).to_string(),
                    &u32::to_string(&calls),
                ]
                .map(str::to_owned);
                let outcome = host
                    .command(words.iter().map(String::as_str))
                    .run()
                    .success()?;
                let nanoseconds: f64 = outcome.line_of_output().parse()?;
                Ok(vec![nanoseconds / 1e3])
            };
            let mut quantities = interleave(
                1,
                vec![
                    Contender::new("reference.c", || ask(REFERENCE)),
                    Contender::new("ours", || ask(OURS)),
                ],
            )?;
            rows.push(Measured {
                what: format!("getpw*, {what}, {users} users"),
                unit: "µs CPU",
                aim,
                series: quantities.remove(0),
            });
        }
    }
    for file in kept {
        host.run(format!("mv {file}.kept {file}")).success()?;
    }
    Ok(rows)
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
    host.run("install -o jms -g jms-keys -m 0444 /srv/users.snap /var/lib/jms/public/users.snap")
        .success()?;
    host.run(format!(
        "cd /srv && ./reference {count} /srv/reference.hash"
    ))
    .success()?;
    Ok(())
}
