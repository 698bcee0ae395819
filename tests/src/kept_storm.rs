//! Many kept connections, and whatever belongs to them killed at random: keepers, their clients, sessions, logins.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::folder::ALICE;
use crate::invocation::Running;
use crate::kept::{clients, left, processes, stay};
use crate::lab::Lab;

/// Logins that are begun side by side.
const SIDE_BY_SIDE: usize = 4;
/// After its time, how long the last may take to go on a slow machine.
const GRACE: Duration = Duration::from_secs(30);

/// How many, and how.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// Connections, each of a user of its own or to an asset of its own.
    pub connections: usize,
    /// Of so many users.
    pub users: usize,
    /// Seconds for which each stays: long enough to make all of them.
    pub stays: u32,
    /// Processes that are killed.
    pub kills: usize,
    /// Where chance begins.
    pub seed: u32,
}

/// What was seen.
#[derive(Debug)]
pub struct Seen {
    /// How long it took to make all of them.
    pub made: Duration,
    /// What was killed by which signal, and how often.
    pub killed: BTreeMap<String, usize>,
    /// Keepers and clients when the last one was killed.
    pub after_kills: (usize, usize),
    /// How long after that the last process was gone.
    pub gone: Duration,
    /// Logins that were begun meanwhile.
    pub meanwhile: usize,
}

/// Makes them, kills, waits for their time, and looks for what is left.
///
/// # Errors
/// When they cannot be made, or when something is left.
pub fn play(lab: &Lab, storm: Storm) -> Result<Seen> {
    let ways = prepare(lab, storm)?;
    let begun = Instant::now();
    let running = make(lab, storm, &ways)?;
    let made = begun.elapsed();
    let kept = processes(lab);
    ensure!(
        kept == (storm.connections, storm.connections),
        "not all of them are kept: {kept:?} after {made:?}"
    );
    let (killed, meanwhile) = kill(lab, storm, &ways)?;
    let after_kills = processes(lab);
    drop(running);
    let begun = Instant::now();
    let most = Duration::from_secs(storm.stays.into()) + GRACE;
    while processes(lab) != (0, 0) {
        ensure!(begun.elapsed() < most, "left: {:?}", processes(lab));
        std::thread::sleep(Duration::from_millis(50));
    }
    let gone = begun.elapsed();
    // Names of those that could not remove them go with the next session.
    stay(lab, 0, "");
    for _ in 0..3 {
        let way = "alice@dev@web1@bastion";
        lab.client().ssh([way, "true"]).success()?;
    }
    let begun = Instant::now();
    loop {
        let left = left(lab);
        if left.is_empty() {
            break;
        }
        ensure!(begun.elapsed() < GRACE, "left: {left}");
        std::thread::sleep(Duration::from_millis(50));
    }
    ensure!(clients(lab).is_empty(), "a client came back");
    Ok(Seen {
        made,
        killed,
        after_kills,
        gone,
        meanwhile,
    })
}

/// A user's way to an asset.
struct Way {
    user: String,
    to: String,
}

/// Users, assets, what they may; every connection's way.
fn prepare(lab: &Lab, storm: Storm) -> Result<Vec<Way>> {
    let bastion = lab.bastion();
    let (count, each) = (storm.connections, storm.connections.div_ceil(storm.users));
    // As many as may be set, if so many are needed.
    let of_user = (each * 2).min(60);
    stay(
        lab,
        storm.stays,
        &format!(
            "warm_per_user = {of_user}\nwarm_in_all = {}\n[session]\nlimit_user = 0\nlimit_asset = 0",
            count * 2
        ),
    );
    let mut users = vec![ALICE.to_owned()];
    for number in 1..storm.users {
        let name = format!("user{number}");
        let key = lab.folder().public_key_of(&name)?;
        let add = ["jmsctl", "user", "add", &name, "--key", "-"];
        bastion
            .command(add)
            .input(format!("{key}\n"))
            .run()
            .success()?;
        users.push(name);
    }
    // Few machines under many names: each is an asset of its own.
    let machines: Vec<String> = lab
        .assets()
        .map(|asset| lab.address(asset).to_string())
        .collect();
    let mut script = "set -e\n".to_owned();
    for (number, address) in (1..=each).zip(machines.iter().cycle()) {
        script += &format!("jmsctl asset add many{number} --address {address} --scan >/dev/null\n");
    }
    script += &format!(
        "jmsctl grant add many --user {} --asset $(seq -s, -f 'many%g' {each}) --system-user dev --rights exec",
        users.join(",")
    );
    bastion
        .command(["bash", "-c", &script])
        .within(Duration::from_secs(300))
        .run()
        .success()?;
    let ways = users.iter().flat_map(|user| {
        (1..=each).map(move |number| Way {
            user: user.clone(),
            to: format!("{user}@dev@many{number}@bastion"),
        })
    });
    Ok(ways.take(count).collect())
}

/// Makes each connection; every second is in use afterwards.
fn make(lab: &Lab, storm: Storm, ways: &[Way]) -> Result<Vec<Running>> {
    let (next, running) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let last = Duration::from_secs(u64::from(storm.stays) * 4);
    let one = |number: usize, way: &Way| -> Result<()> {
        let client = lab.client_of(&way.user);
        if !number.is_multiple_of(2) {
            client.ssh([way.to.as_str(), "true"]).success()?;
            return Ok(());
        }
        let mut lasting = client
            .command("ssh", [way.to.as_str(), "echo up; sleep 1000"])
            .within(last)
            .spawn();
        while !lasting.stdout_so_far().starts_with("up") {
            ensure!(lasting.is_running(), "{}", lasting.stderr_so_far());
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut all = running.lock().unwrap_or_else(|it| it.into_inner());
        all.push(lasting);
        Ok(())
    };
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(way) = ways.get(number) else {
                    return Ok(());
                };
                one(number, way).with_context(|| way.to.clone())?;
            }
        };
        let workers: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker
                .join()
                .map_err(|_| anyhow::anyhow!("a login panicked"))??;
        }
        Ok::<(), anyhow::Error>(())
    })?;
    Ok(running.into_inner().unwrap_or_else(|it| it.into_inner()))
}

/// Kills, while others log in; what was killed how often, and how many logged in.
fn kill(lab: &Lab, storm: Storm, ways: &[Way]) -> Result<(BTreeMap<String, usize>, usize)> {
    let script = format!(
        r#"RANDOM={}
        kinds=(keeper keeper client client session login) signals=(KILL KILL TERM HUP)
        all() {{
            case $1 in
            keeper) pgrep -x jms-kept ;;
            client) pgrep -x ssh ;;
            session) pgrep -x force-command ;;
            login) pgrep -f '^sshd(-session)?: (alice|user[0-9]+)@' ;;
            esac
        }}
        killed=0
        for turn in $(seq 10000); do
            [ $killed -lt {} ] || break
            kind=${{kinds[RANDOM % 6]}} signal=${{signals[RANDOM % 4]}} which=$((RANDOM % 32768))
            mapfile -t found < <(all $kind)
            [ ${{#found[@]}} -gt 0 ] || continue
            kill -$signal ${{found[which % ${{#found[@]}}]}} 2>/dev/null && echo $kind $signal && killed=$((killed + 1))
            sleep 0.0$((RANDOM % 8))
        done"#,
        storm.seed, storm.kills
    );
    let (over, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
    let killed = std::thread::scope(|scope| {
        for worker in 0..2 {
            let (over, begun) = (&over, &begun);
            scope.spawn(move || {
                // Far apart, and another one each time.
                let mut at = worker * ways.len() / 2;
                while !over.load(Ordering::Relaxed) {
                    at += 7;
                    let Some(way) = ways.get(at % ways.len()) else {
                        return;
                    };
                    // Whether it gets through is chance, too.
                    let _ = lab.client_of(&way.user).ssh([way.to.as_str(), "true"]);
                    begun.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let killed = lab
            .bastion()
            .command(["bash", "-c", &script])
            .within(Duration::from_secs(300))
            .run();
        over.store(true, Ordering::Relaxed);
        killed
    });
    let mut counts = BTreeMap::new();
    for line in killed.text().lines() {
        *counts.entry(line.to_owned()).or_default() += 1;
    }
    Ok((counts, begun.into_inner()))
}
