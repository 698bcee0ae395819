//! What `jmsctl access` says is what happens: random policies, explained and listed, against real logins.

use tests::Lab;
use tests::boot::authorize;

const PEOPLE: [&str; 2] = ["alice", "bob"];
const ASSETS: [&str; 2] = ["web1", "web2"];
const ACCOUNTS: [&str; 2] = ["dev", "dba"];
/// So many policies are tried; each costs a login for every person, account and asset.
const POLICIES: u64 = 4;

/// Random and the same at each run (splitmix64), so that a failure can be looked at again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn one_of<'a>(&mut self, these: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.roll(these.len() as u64)).unwrap_or(0);
        these[index]
    }

    /// Commands that make one policy.
    fn policy(&mut self) -> String {
        let mut lines = String::new();
        for name in PEOPLE {
            let groups = self.one_of(&["none", "red", "blue", "red,blue"]);
            let enabled = self.one_of(&["enable", "enable", "enable", "disable"]);
            lines += &format!(
                "jmsctl user set {name} --user-group {groups}\njmsctl user {enabled} {name}\n"
            );
        }
        for name in ASSETS {
            let place = self.one_of(&["none", "/prod", "/prod/web", "/test"]);
            let site = self.one_of(&["none", "north", "south"]);
            let active = self.one_of(&["yes", "yes", "yes", "no"]);
            lines += &format!(
                "jmsctl asset set {name} --asset-group {place} --site {site} --active {active}\n"
            );
        }
        for number in 0..3 {
            let who = self.one_of(&[
                "--user alice",
                "--user bob",
                "--user-group red",
                "--user-group blue",
            ]);
            let place = self.one_of(&[
                "--asset web1",
                "--asset web2",
                "--asset-group /prod",
                "--asset-group /prod/web",
                "--asset-group /",
                "--site north",
                "--site south",
            ]);
            let account = self.one_of(&["dev", "dba", "dev,dba"]);
            let rights = self.one_of(&["exec", "shell,exec", "exec,upload", "upload"]);
            let validity = self.one_of(&["", "", "", "--valid-until 1h", "--valid-from 1h"]);
            lines += &format!(
                "jmsctl grant add random{number} {who} {place} --system-user {account} --rights {rights} {validity}\n"
            );
        }
        lines
    }
}

/// Two people, two machines, two accounts on each, and places to put them; nobody may anything yet.
fn lab() -> Lab {
    let lab = Lab::everyday();
    let bob = lab.client_of("bob").public_key().expect("bob's key");
    lab.bastion()
        .run(format!(
            "set -e; jmsctl --quiet --yes grant rm everyday
             echo '{bob}' | jmsctl --quiet user add bob --key -
             jmsctl --quiet system-user add dba --generate ed25519
             for group in red blue; do jmsctl --quiet user-group add $group; done
             for site in north south; do jmsctl --quiet site add $site; done
             for place in /prod/web /test; do jmsctl --quiet asset-group add $place; done"
        ))
        .expect_status(0);
    let key = lab
        .bastion()
        .run("jmsctl system-user show dba --json")
        .json()
        .expect("the account")["public_key"]
        .as_str()
        .expect("a key")
        .to_owned();
    for asset in ASSETS {
        lab.host(asset)
            .run("useradd -m -s /bin/bash dba")
            .expect_status(0);
        authorize(lab.host(asset), "dba", &key).expect("the key on the asset");
    }
    lab
}

#[test]
fn explained_and_listed_access_is_what_real_logins_get() {
    let lab = lab();
    let mut dice = Dice(20_261_121);
    let (mut allowed, mut refused) = (0, 0);
    for number in 0..POLICIES {
        let policy = dice.policy();
        let script = format!(
            "set -e; jmsctl grant ls --json --columns name | sed 's/.*:\"//; s/\".*//' | xargs -r jmsctl --quiet --yes grant rm\n{policy}"
        );
        lab.bastion().run(script).expect_status(0);
        for person in PEOPLE {
            let listed = lab
                .bastion()
                .run(format!("jmsctl access ls --user {person} --json"))
                .json_lines()
                .expect("a list");
            for asset in ASSETS {
                for account in ACCOUNTS {
                    let said = format!("policy {number}:\n{policy}{person}@{account}@{asset}");
                    let explained = lab
                        .bastion()
                        .run(format!(
                            "jmsctl access explain {person}@{account}@{asset} --right exec --json"
                        ))
                        .json()
                        .expect("an explanation");
                    let explained = explained["allow"] == true;
                    let listed = listed.iter().any(|row| {
                        row["asset"] == asset
                            && row["system_user"] == account
                            && row["rights"]
                                .as_array()
                                .is_some_and(|rights| rights.iter().any(|right| right == "exec"))
                    });
                    let real = lab
                        .client_of(person)
                        .ssh([&format!("{person}@{account}@{asset}@bastion"), "id -un"]);
                    if explained {
                        allowed += 1;
                        let real = real.expect_status(0);
                        assert_eq!(real.line_of_output(), account, "{said}");
                    } else {
                        refused += 1;
                        assert!(
                            !real.succeeded() && real.text().is_empty(),
                            "{said}: {real}"
                        );
                    }
                    assert_eq!(listed, explained, "{said}");
                }
            }
        }
    }
    assert!(
        allowed > 3 && refused > 3,
        "{allowed} allowed, {refused} refused"
    );
}

#[test]
fn an_asset_that_comes_to_a_granted_place_is_reached_and_one_that_leaves_it_is_not() {
    let lab = lab();
    let reaches = || {
        lab.client()
            .ssh(["alice@dev@web1@bastion", "true"])
            .succeeded()
    };
    let jmsctl = |line: &str| drop(lab.bastion().run(format!("jmsctl {line}")).expect_status(0));
    jmsctl("user set alice --user-group red");
    jmsctl("grant add prod --user-group red --asset-group /prod --system-user dev --rights exec");
    assert!(!reaches());
    jmsctl("asset-group set /prod/web --add-asset web1");
    assert!(reaches());
    jmsctl("asset-group add /prod/web/south --asset web1");
    jmsctl("asset-group set /prod/web --rm-asset web1");
    assert!(reaches());
    jmsctl("asset set web1 --asset-group /test");
    assert!(!reaches());
    jmsctl("grant set prod --add-asset-group /");
    assert!(reaches());
}
