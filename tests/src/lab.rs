//! A lab: a client, the bastion, and assets that only the bastion reaches.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::base_root::{base_root, root_of};
use crate::boot::{self, Role};
use crate::cache::{Cache, Entry};
use crate::client::Client;
use crate::client_root::{bench_root, client_root, corpus_root, sssd_root};
use crate::filled::Filled;
use crate::folder::{ALICE, Folder};
use crate::host::Host;
use crate::host_init::Plan;
use crate::network::{Network, Segment};
use crate::package;
use crate::release::Release;

/// The bastion's number on both segments.
pub(crate) const BASTION: u8 = 10;
/// The client's number outside.
const CLIENT: u8 = 100;
/// The first asset's number inside.
const FIRST_ASSET: u8 = 11;

/// What a lab is to be, before it is started.
#[derive(Debug, Clone)]
pub struct Builder {
    release: Option<Release>,
    client_release: Option<Release>,
    assets: Vec<String>,
    folder: Option<PathBuf>,
    package: Installed,
    corpus: bool,
    bench: bool,
    sssd: bool,
    changes: Option<PathBuf>,
    filled: bool,
}

/// Which package the bastion has.
#[derive(Debug, Clone)]
enum Installed {
    Nothing,
    Newest,
    File(PathBuf),
}

impl Builder {
    /// Hosts of this release; `LAB_RELEASE` or Debian 12 otherwise.
    #[must_use]
    pub fn release(mut self, release: Release) -> Self {
        self.release = Some(release);
        self
    }

    /// A client host of this release, whatever the others are.
    #[must_use]
    pub fn client_release(mut self, release: Release) -> Self {
        self.client_release = Some(release);
        self
    }

    /// These assets, in place of `web1` and `web2`.
    #[must_use]
    pub fn assets<'name>(mut self, names: impl IntoIterator<Item = &'name str>) -> Self {
        self.assets = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// The lab's folder, which stays; a temporary one otherwise.
    #[must_use]
    pub fn folder(mut self, path: &Path) -> Self {
        self.folder = Some(path.to_owned());
        self
    }

    /// Without our package on the bastion: it is a plain Debian with an sshd.
    #[must_use]
    pub fn without_package(mut self) -> Self {
        self.package = Installed::Nothing;
        self
    }

    /// With this package on the bastion, in place of the newest one.
    #[must_use]
    pub fn package(mut self, file: &Path) -> Self {
        self.package = Installed::File(file.to_owned());
        self
    }

    /// With the shells and programs of the command corpus on the assets, in place of what they have otherwise.
    #[must_use]
    pub fn corpus(mut self) -> Self {
        self.corpus = true;
        self
    }

    /// With what ours is measured against on the bastion.
    #[must_use]
    pub fn bench(mut self) -> Self {
        self.bench = true;
        self
    }

    /// With sssd on the bastion, not started: a cache of names that ours is measured against.
    #[must_use]
    pub fn sssd(mut self) -> Self {
        self.sssd = true;
        self
    }

    /// Each host's changes stay, in a folder of its name in this one; otherwise they go with the host.
    #[must_use]
    pub(crate) fn changes(mut self, folder: &Path) -> Self {
        self.changes = Some(folder.to_owned());
        self
    }

    /// As [`everyday::fill`](crate::everyday::fill) leaves the hosts, which happened within the last hour.
    #[must_use]
    fn filled(mut self) -> Self {
        self.filled = true;
        self
    }

    /// Starts the hosts. With the base root and the package in the cache this takes about a second.
    ///
    /// # Errors
    /// When a host, the network, the base root or the package's layer cannot be made.
    pub fn start(self) -> Result<Lab> {
        let unfilled = Self {
            filled: false,
            ..self.clone()
        };
        let release = match self.release {
            Some(release) => release,
            None => Release::from_environment()?,
        };
        let mut layers = vec![base_root(release)?];
        let mut bastion_lower = layers.iter().map(root_of).collect::<Vec<_>>();
        let clients = client_root(release, &layers[0])?;
        let mut asset_lower = vec![root_of(&clients), root_of(&layers[0])];
        layers.push(clients);
        let mut client_lower = asset_lower.clone();
        if self.corpus {
            let corpus = corpus_root(release, &layers[0])?;
            asset_lower = vec![root_of(&corpus), root_of(&layers[0])];
            layers.push(corpus);
        }
        if self.bench {
            let bench = bench_root(release, &layers[0])?;
            bastion_lower.insert(0, root_of(&bench));
            layers.push(bench);
        }
        if self.sssd {
            let sssd = sssd_root(release, &layers[0])?;
            bastion_lower.insert(0, root_of(&sssd));
            layers.push(sssd);
        }
        if let Some(other) = self.client_release.filter(|other| *other != release) {
            let base = base_root(other)?;
            let clients = client_root(other, &base)?;
            client_lower = vec![root_of(&clients), root_of(&base)];
            layers.extend([base, clients]);
        }
        let package = match self.package {
            Installed::Nothing => None,
            Installed::Newest => Some(package::file()?),
            Installed::File(path) => Some(path),
        };
        if let Some(package) = package {
            let installed = package::installed(&package, release, &layers[0])?;
            bastion_lower.insert(0, root_of(&installed));
            layers.push(installed);
        }
        let filled = match self.filled {
            true => Some(Filled::of(unfilled, release, &layers)?),
            false => None,
        };
        let temporary = if self.folder.is_none() {
            Some(TempDir::with_prefix("jms-lab-")?)
        } else {
            None
        };
        let path = self
            .folder
            .or_else(|| temporary.as_ref().map(|folder| folder.path().to_owned()));
        let folder = Folder::make(&path.context("no folder")?)?;

        let asset_names = self.assets.iter().map(|name| (Role::Asset, name.as_str()));
        let roles = [(Role::Client, "client"), (Role::Bastion, "bastion")]
            .into_iter()
            .chain(asset_names);
        let members = roles
            .zip(0..)
            .map(|((role, name), position): (_, u8)| Member {
                role,
                name: name.to_owned(),
                outside: match role {
                    Role::Client => Some(CLIENT),
                    Role::Bastion => Some(BASTION),
                    Role::Asset => None,
                },
                inside: match role {
                    Role::Client => None,
                    Role::Bastion => Some(BASTION),
                    Role::Asset => Some(FIRST_ASSET + position - 2),
                },
            });
        let members: Vec<Member> = members.collect();

        let mount_point = Cache::of_this_machine()?.mount_point()?;
        let plan = |member: &Member| Plan {
            name: member.name.clone(),
            mount_point: mount_point.clone(),
            upper: self
                .changes
                .as_ref()
                .map(|folder| folder.join(&member.name)),
            begin: filled
                .as_ref()
                .map(|filled| filled.changes_of(&member.name)),
            lower: match member.role {
                Role::Bastion => bastion_lower.clone(),
                Role::Client => client_lower.clone(),
                Role::Asset => asset_lower.clone(),
            },
        };
        let hosts = side_by_side(&members, |member| Host::start(&plan(member)))?;
        let mut lab = Lab {
            hosts,
            members,
            network: Network::start()?,
            folder,
            release,
            _temporary: temporary,
            _layers: layers,
        };
        lab.connect()?;
        match filled {
            Some(filled) => {
                filled.people(&lab.folder)?;
                lab.boot_again()?;
            }
            None => lab.boot()?,
        }
        lab.write_folder()?;
        Ok(lab)
    }
}

/// One host's place in the lab.
#[derive(Debug)]
struct Member {
    role: Role,
    name: String,
    outside: Option<u8>,
    inside: Option<u8>,
}

/// Running hosts. All of it is gone when this value, or the process that holds it, goes away.
#[derive(Debug)]
pub struct Lab {
    hosts: Vec<Host>,
    members: Vec<Member>,
    network: Network,
    folder: Folder,
    release: Release,
    _temporary: Option<TempDir>,
    _layers: Vec<Entry>,
}

impl Lab {
    /// Describes a lab: `web1` and `web2`, our package installed on the bastion, nothing configured.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            release: None,
            client_release: None,
            assets: vec!["web1".to_owned(), "web2".to_owned()],
            folder: None,
            package: Installed::Newest,
            corpus: false,
            bench: false,
            sssd: false,
            changes: None,
            filled: false,
        }
    }

    /// A lab without our package.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn bare() -> Self {
        or_panic(Self::builder().without_package().start())
    }

    /// A lab with our package installed and nothing configured yet.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn installed() -> Self {
        or_panic(Self::builder().start())
    }

    /// A lab in which alice may use web1 as dev, and web2 is not granted to anybody.
    ///
    /// # Panics
    /// When it cannot be started or filled.
    #[must_use]
    #[track_caller]
    pub fn everyday() -> Self {
        or_panic(Self::builder().filled().start())
    }

    /// Each session's connection to its asset ends with it: what is looked at is a session that makes its own.
    ///
    /// # Panics
    /// When the settings do not take it.
    #[must_use]
    #[track_caller]
    pub fn without_kept_connections(self) -> Self {
        self.bastion()
            .run("sed -i 's/^#*warm_seconds = .*/warm_seconds = 0/' /etc/jms/jms.toml && jmsctl config check && grep -x 'warm_seconds = 0' /etc/jms/jms.toml")
            .expect_status(0);
        self
    }

    /// The host of this name.
    ///
    /// # Panics
    /// When the lab has none.
    #[must_use]
    #[track_caller]
    pub fn host(&self, name: &str) -> &Host {
        let Some(host) = self.hosts.iter().find(|host| host.name() == name) else {
            panic!("the lab has no host {name}")
        };
        host
    }

    /// The bastion.
    #[must_use]
    pub fn bastion(&self) -> &Host {
        self.host("bastion")
    }

    /// The asset `web1`.
    #[must_use]
    #[track_caller]
    pub fn web1(&self) -> &Host {
        self.host("web1")
    }

    /// The asset `web2`.
    #[must_use]
    #[track_caller]
    pub fn web2(&self) -> &Host {
        self.host("web2")
    }

    /// All hosts.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The names of the assets.
    pub fn assets(&self) -> impl Iterator<Item = &str> {
        self.members
            .iter()
            .filter(|member| member.role == Role::Asset)
            .map(|member| member.name.as_str())
    }

    /// Alice at her client.
    ///
    /// # Panics
    /// When her key cannot be made.
    #[must_use]
    #[track_caller]
    pub fn client(&self) -> Client {
        self.client_of(ALICE)
    }

    /// A person at the client, with a key of that person's own, which is made when the person is named for the first time.
    ///
    /// # Panics
    /// When the key cannot be made.
    #[must_use]
    #[track_caller]
    pub fn client_of(&self, person: &str) -> Client {
        or_panic(Client::new(&self.folder, person))
    }

    /// The address that others reach a host by: the bastion's and the client's outside, an asset's inside.
    ///
    /// # Panics
    /// When the lab has no such host.
    #[must_use]
    #[track_caller]
    pub fn address(&self, name: &str) -> Ipv4Addr {
        let Some(member) = self.members.iter().find(|member| member.name == name) else {
            panic!("no host {name}")
        };
        member
            .outside_address()
            .or(member.inside_address())
            .unwrap_or(Ipv4Addr::LOCALHOST)
    }

    /// Cuts a host's wires: packets to and from it are lost, and nobody is told.
    ///
    /// # Panics
    /// When the lab has no such host.
    #[track_caller]
    pub fn cut(&self, name: &str) {
        or_panic(self.network.cut(self.host(name).pid()));
    }

    /// Mends what [`Lab::cut`] has cut.
    ///
    /// # Panics
    /// When the lab has no such host.
    #[track_caller]
    pub fn mend(&self, name: &str) {
        or_panic(self.network.mend(self.host(name).pid()));
    }

    /// The address from which the bastion reaches the assets.
    #[must_use]
    pub fn bastion_inside_address(&self) -> Ipv4Addr {
        Segment::Inside.address(BASTION)
    }

    /// The lab's folder with the programs for scripts.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Which Debian its hosts run.
    #[must_use]
    pub fn release(&self) -> Release {
        self.release
    }

    fn connect(&mut self) -> Result<()> {
        for (host, member) in self.hosts.iter().zip(&self.members) {
            let segments = [
                (Segment::Outside, member.outside_address()),
                (Segment::Inside, member.inside_address()),
            ];
            let addresses = segments
                .into_iter()
                .filter_map(|(segment, address)| Some((segment, address?)));
            for ((segment, address), device) in addresses.zip(["eth0", "eth1"]) {
                self.network.plug(host.pid(), device, segment, address)?;
            }
        }
        Ok(())
    }

    fn boot(&self) -> Result<()> {
        let administrator = self.folder.public_key_of(boot::ADMINISTRATOR)?;
        let pairs = self.hosts.iter().zip(&self.members).collect::<Vec<_>>();
        side_by_side(&pairs, |(host, member)| {
            boot::boot(
                host,
                member.role,
                &self.hosts_file(member.role),
                &administrator,
            )
        })?;
        Ok(())
    }

    fn boot_again(&self) -> Result<()> {
        let pairs = self.hosts.iter().zip(&self.members).collect::<Vec<_>>();
        side_by_side(&pairs, |(host, member)| {
            boot::boot_again(host, member.role, &self.hosts_file(member.role))
        })?;
        Ok(())
    }

    /// Ends all hosts and waits until they are gone.
    pub(crate) fn stop(mut self) {
        for host in &mut self.hosts {
            host.let_go();
        }
        for host in self.hosts.drain(..) {
            host.stop();
        }
    }

    /// `/etc/hosts` as a host of this role sees the lab.
    fn hosts_file(&self, role: Role) -> String {
        let mut lines = String::from("127.0.0.1 localhost\n::1 localhost\n");
        for member in &self.members {
            let (outside, inside) = (member.outside_address(), member.inside_address());
            let address = if role == Role::Client {
                outside.or(inside)
            } else {
                inside.or(outside)
            };
            if let Some(address) = address {
                lines.push_str(&format!("{address} {}\n", member.name));
            }
        }
        lines
    }

    fn write_folder(&self) -> Result<()> {
        let keys = self
            .bastion()
            .run("cat /etc/ssh/ssh_host_*_key.pub")
            .success()?
            .text();
        let address = self.address("bastion");
        let known: String = keys
            .lines()
            .map(|key| format!("bastion,{address} {key}\n"))
            .collect();
        self.folder.write_known_hosts(&known)?;
        let key = self.folder.key_of(ALICE)?;
        let mut variables = Vec::new();
        for (host, member) in self.hosts.iter().zip(&self.members) {
            let name = member.name.to_uppercase().replace(['-', '.'], "_");
            variables.push((
                format!("{name}_ADDR"),
                self.address(&member.name).to_string(),
            ));
            variables.push((format!("{name}_ROOT"), host.root().display().to_string()));
            variables.push((format!("{name}_PID"), host.pid().to_string()));
        }
        variables.push((
            "BASTION_INSIDE_ADDR".to_owned(),
            self.bastion_inside_address().to_string(),
        ));
        variables.push(("CLIENT_KEY".to_owned(), key.display().to_string()));
        variables.push(("LAB_RELEASE".to_owned(), self.release.number().to_string()));
        self.folder.write_env(&variables)?;
        self.folder.write_programs(self.host("client").pid())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for host in &mut self.hosts {
            host.let_go();
        }
    }
}

impl Member {
    fn outside_address(&self) -> Option<Ipv4Addr> {
        self.outside.map(|number| Segment::Outside.address(number))
    }

    fn inside_address(&self) -> Option<Ipv4Addr> {
        self.inside.map(|number| Segment::Inside.address(number))
    }
}

/// Does the same with each item, all at once; the results in the items' order.
fn side_by_side<Item: Sync, Made: Send>(
    items: &[Item],
    work: impl Fn(&Item) -> Result<Made> + Sync,
) -> Result<Vec<Made>> {
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> = items
            .iter()
            .map(|item| scope.spawn(move || work(item)))
            .collect();
        running
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .map_err(|_| anyhow::anyhow!("a start panicked"))?
            })
            .collect()
    })
}

#[track_caller]
fn or_panic<Made>(result: Result<Made>) -> Made {
    match result {
        Ok(made) => made,
        Err(error) => panic!("{error:#}"),
    }
}
