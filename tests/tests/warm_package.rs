//! The packages of a bastion with connections that stay, the .deb and the .rpm: upgraded, removed, purged. Those that nobody uses
//! are gone at once, a session goes on to its end, and nothing is left afterwards.

use std::time::Duration;

use tests::kept::{client, clients, ended_because, nothing_is_left, processes, stay};
use tests::{Lab, Outcome, Running, eventually, everyday, package, rpm_host};

const WAY: &str = "alice@dev@web1@bastion";
const SOON: Duration = Duration::from_secs(20);

/// Which of the two packages, and how it is installed and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Package {
    Deb,
    Rpm,
}

impl Package {
    /// A bastion that was installed with it, and assets.
    fn lab(self) -> Lab {
        match self {
            Self::Deb => {
                let lab = Lab::everyday();
                let file = package::file().expect("the package");
                let bytes = std::fs::read(file).expect("the package");
                lab.bastion().write("/root/jms.deb", bytes);
                lab
            }
            Self::Rpm => {
                let lab = rpm_host::plain(true).expect("a host");
                drop(self.install(&lab));
                everyday::fill(&lab).expect("the everyday case");
                lab
            }
        }
    }

    /// Installed, upgraded or installed again: the files are others each time.
    #[track_caller]
    fn install(self, lab: &Lab) -> Outcome {
        match self {
            Self::Deb => dpkg(lab, &["--install", "/root/jms.deb"]),
            Self::Rpm => rpm_host::install(lab.bastion()).expect_status(0),
        }
    }

    #[track_caller]
    fn remove(self, lab: &Lab, how: &str) -> Outcome {
        match self {
            Self::Deb => dpkg(lab, &[how, "jms"]),
            Self::Rpm => rpm_host::rpm(lab.bastion(), &format!("{how} jms")).expect_status(0),
        }
    }

    /// The ways to remove it.
    fn removals(self) -> &'static [&'static str] {
        match self {
            Self::Deb => &["--remove", "--purge"],
            Self::Rpm => &["--erase"],
        }
    }
}

fn dpkg(lab: &Lab, words: &[&str]) -> Outcome {
    let dpkg = ["env", "DEBIAN_FRONTEND=noninteractive", "dpkg"];
    let command = lab.bastion().command(dpkg.iter().chain(words).copied());
    command
        .within(Duration::from_secs(180))
        .run()
        .expect_status(0)
}

#[track_caller]
fn use_once(lab: &Lab, asset: &str) {
    let way = format!("alice@dev@{asset}@bastion");
    let said = lab.client().ssh([way.as_str(), "echo used"]);
    drop(said.expect_stdout("used\n").expect_status(0));
}

#[track_caller]
fn lasting(lab: &Lab) -> Running {
    let running = lab.client().command("ssh", [WAY, "echo up; cat"]).spawn();
    eventually("it is up", SOON, || running.stdout_so_far() == "up\n");
    running
}

/// It goes on, and its connection goes with it.
#[track_caller]
fn goes_on_to_its_end(lab: &Lab, mut running: Running, kept: u32) {
    running.write("on\n");
    eventually("it goes on", SOON, || running.stdout_so_far() == "up\non\n");
    running.close_input();
    drop(running.wait().expect_status(0));
    eventually("its connection goes with it", SOON, || {
        !clients(lab).contains(&kept)
    });
}

/// Of a package that was removed no process runs, and its folder is gone.
#[track_caller]
fn nothing_runs(lab: &Lab) {
    eventually("nothing runs", SOON, || processes(lab) == (0, 0));
    let left = lab
        .bastion()
        .run("pgrep -u jms; pgrep -x ssh; ls -d /run/jms");
    assert_eq!(left.text(), "", "{left}");
    for asset in lab.assets() {
        let there = lab.host(asset).run("pgrep -af '^sshd(-session)?: dev'");
        assert_eq!(there.text(), "");
    }
}

#[test]
fn an_upgrade_or_a_removal_of_the_deb_ends_what_stays_and_no_session() {
    play(Package::Deb);
}

#[test]
fn an_upgrade_or_a_removal_of_the_rpm_ends_what_stays_and_no_session() {
    play(Package::Rpm);
}

fn play(package: Package) {
    let lab = package.lab();
    let grant = "jmsctl grant add more --user alice --asset web2 --system-user dev --rights exec";
    drop(lab.bastion().run(grant).expect_status(0));
    let both = || {
        stay(&lab, 600, "");
        let running = lasting(&lab);
        let kept = client(&lab);
        use_once(&lab, "web2");
        assert_eq!(processes(&lab), (2, 2));
        (running, kept)
    };
    let the_idle_is_gone = |kept: u32| {
        eventually("the one that nobody uses is gone", SOON, || {
            clients(&lab) == [kept]
        });
        ended_because(&lab, "bastion-changed");
    };

    // Upgraded (to the same version: the files are others).
    let (running, kept) = both();
    let said = package.install(&lab);
    the_idle_is_gone(kept);
    // The new program has a connection of its own.
    use_once(&lab, "web1");
    assert_eq!(clients(&lab).len(), 2, "{said}");
    goes_on_to_its_end(&lab, running, kept);
    stay(&lab, 0, "");
    use_once(&lab, "web1");
    nothing_is_left(&lab);

    // Removed while a session runs.
    let (running, kept) = both();
    let said = package.remove(&lab, package.removals()[0]);
    let sentence = "jms: 1 live sessions of the bastion go on";
    assert!(said.error_text().contains(sentence), "{said}");
    the_idle_is_gone(kept);
    goes_on_to_its_end(&lab, running, kept);
    let left = lab.bastion().run("pgrep -u jms; pgrep -x ssh; ls -A /run/jms/sessions /run/jms/warm /run/jms/egress | grep -v -e ':$' -e '^lock$' | grep .");
    assert_eq!(left.text(), "", "{left}");
    drop(package.install(&lab));

    // Removed, and purged, while nobody is there.
    for how in package.removals() {
        stay(&lab, 600, "");
        use_once(&lab, "web1");
        assert_eq!(processes(&lab), (1, 1));
        let said = package.remove(&lab, how);
        assert!(!said.error_text().contains("live sessions"), "{said}");
        nothing_runs(&lab);
        drop(package.install(&lab));
    }
    stay(&lab, 0, "");
    use_once(&lab, "web1");
    nothing_is_left(&lab);
}
