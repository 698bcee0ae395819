//! Sets out for the asset: a folder, an agent and a client for each machine on the way, each client's connection
//! leading through the one before.

use super::hop::Hop;
use super::prepare::Leg;
use super::{Refused, prepare};
use crate::agent::Agent;
use crate::egress::channel::Turn;
use crate::egress::child::{Plan, Step, Streams};
use crate::egress::handover::Source;
use crate::egress::lease::{Kept, Terms};
use crate::egress::mux::Wish;
use crate::egress::{
    Channel, Child, ChildError, Connector, Destination, Errand, Folder, Handover, PROGRAM,
    arguments,
};
use crate::message::Trouble;
use crate::start::Start;
use crate::warm::{self, Begun, NotBegun, Plans, Wanted};
use jms::id::Id;
use jms::paths::Paths;
use jms::settings::Settings;
use jms::warm::{About, CHANNEL};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use std::fmt::Display;
use std::os::fd::AsFd;
use std::time::Duration;

/// A machine has so many times `connect_timeout` for connection and login together: its PAM may be slow.
const LOGIN_FACTOR: u32 = 2;

/// What is the same for all machines of a way.
pub struct Departure<'a> {
    /// Where folders are made.
    pub paths: &'a Paths,
    /// The session.
    pub session: &'a Id,
    /// Time limits, and what a kernel must have.
    pub settings: &'a Settings,
    /// Who goes.
    pub start: &'a Start,
    /// What of his environment goes with him, besides the type of his terminal.
    pub locale: &'a [(String, String)],
}

/// What a connection that stays is begun with.
pub struct Keeping<'a> {
    /// As what it is found.
    pub wanted: &'a Wanted,
    /// What is written of it.
    pub about: About,
    /// On what the session uses it.
    pub terms: Terms,
    /// Whether the kernel has Landlock.
    pub landlock: bool,
}

/// A connection that stays, begun: its client waits to be given its connection.
pub struct Departed {
    folder: Folder,
    begun: Begun,
}

impl Departed {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.begun.place.id
    }
}

/// All clients are running.
pub struct Chain {
    /// Every machine in order, the asset last; each gateway with its client.
    pub hops: Vec<Hop>,
    /// The asset's client.
    pub client: Child,
    /// How long the asset may take to let us in.
    pub patience: Duration,
}

impl Departure<'_> {
    /// Starts all clients; `first` leads to the first machine, `errand` is what the last one does, `streams` its standard descriptors.
    ///
    /// # Errors
    /// [`Refused`]; then nothing is left running.
    pub fn set_out(
        &self,
        first: Connector,
        legs: Vec<Leg>,
        errand: Errand<'_>,
        streams: Streams<'_>,
    ) -> Result<Chain, Refused> {
        let run = |error: std::io::Error| Refused::because(Trouble::Run, error);
        let each = self.settings.session.connect_timeout;
        let login = each.saturating_mul(LOGIN_FACTOR);
        let destinations: Vec<Destination> =
            legs.iter().map(|leg| leg.destination.clone()).collect();
        let mut hops = Vec::new();
        let mut source = Source::Connecting(first);
        let mut patience = 0_u32;
        for (number, leg) in legs.into_iter().enumerate() {
            let Leg {
                name,
                destination,
                protocol,
                proof,
            } = leg;
            let folder = Folder::create(self.paths, self.session, number, &destination.host_keys)
                .map_err(run)?;
            let mut hop = Hop::new(
                name,
                folder,
                Agent::new(protocol),
                Handover::new(source),
                (proof, &destination),
            );

            let banner = patience.saturating_add(each);
            patience = patience.saturating_add(login);
            let Some(next) = destinations.get(number + 1) else {
                let mut client = self.client(&hop, &destination, errand, banner, streams)?;
                hop.answer(&mut client);
                hops.push(hop);
                let patience = Duration::from_secs(patience.into());
                return Ok(Chain {
                    hops,
                    client,
                    patience,
                });
            };
            let (near, far) = socketpair(
                AddressFamily::Unix,
                SockType::Stream,
                None,
                SockFlag::SOCK_CLOEXEC,
            )
            .map_err(|error| Refused::because(Trouble::System, error))?;
            let streams = Streams::Passage(near.as_fd());
            let forward = Errand::Forward(next);
            let client = self.client(&hop, &destination, forward, banner, streams)?;
            hop.keep(client);
            hops.push(hop);
            source = Source::There(far);
        }
        Err(Refused::because(Trouble::Policy, "no way leads there"))
    }

    /// Begins to connect to the first machine of the way. To be called before a secret is in memory.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn connect(&self, first: &Destination) -> Result<Connector, Refused> {
        let patience = Duration::from_secs(self.settings.session.connect_timeout.into());
        let who = (self.start.uid, self.start.gid);
        Connector::begin(&first.address, first.port, patience, who)
            .map_err(|error| Refused::because(Trouble::System, error))
    }

    /// Begins a connection that stays, to the one machine on the way. To be called before a secret is in memory.
    ///
    /// # Errors
    /// [`Refused`] when there can be no connection at all; [`NotBegun`] when there can be none that stays.
    pub fn begin_kept(
        &self,
        to: &Destination,
        keeping: &Keeping<'_>,
    ) -> Result<Result<Departed, NotBegun>, Refused> {
        let run = |error: std::io::Error| Refused::because(Trouble::Run, error);
        let folder = Folder::create(self.paths, self.session, 0, &to.host_keys).map_err(run)?;
        let null = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/null");
        let null = null.map_err(run)?;
        let patience = self.settings.session.connect_timeout;
        let streams = Streams::Passage(null.as_fd());
        let begun = self.planned(&folder, to, (Errand::Keep, patience, streams), |plan| {
            let plans = Plans {
                wanted: keeping.wanted,
                plan,
                settings: &self.settings.egress,
                about: keeping.about.clone(),
                terms: keeping.terms,
                landlock: keeping.landlock,
                format: self.settings.syslog.format.into(),
            };
            Ok(warm::begin(self.paths, plans))
        })?;
        Ok(begun.map(|begun| Departed { folder, begun }))
    }

    /// Goes on with it: `leg` is the machine with its secret, `wish` the session that `streams` belong to.
    ///
    /// # Errors
    /// [`Refused`]; then the connection does not stay.
    pub fn set_out_kept(
        &self,
        first: Connector,
        leg: Leg,
        departed: Departed,
        wish: &Wish<'_>,
        streams: Streams<'_>,
    ) -> Result<Chain, Refused> {
        let Departed { folder, begun } = departed;
        let source = Handover::new(Source::Connecting(first));
        let proof = (leg.proof, &leg.destination);
        let mut hop = Hop::new(leg.name, folder, Agent::new(leg.protocol), source, proof);
        let kept = Kept {
            pid: begun.client.0,
            gone: begun.gone,
        };
        hop.answer_kept(begun.client, begun.door);
        let path = begun.place.file(CHANNEL);
        let client = Child::over(streams, |standard| {
            let (whose, keeper) = ((path.as_path(), self.start.uid), (kept, begun.lease));
            let step = Step::Pipes;
            Channel::ask(whose, wish, standard, keeper, Turn::First)
                .map_err(|errno| ChildError { step, errno })
        })
        .map_err(|error| Refused::because(Trouble::System, error))?;
        let each = self.settings.session.connect_timeout;
        Ok(Chain {
            hops: vec![hop],
            client,
            patience: Duration::from_secs(each.saturating_mul(LOGIN_FACTOR).into()),
        })
    }

    fn client(
        &self,
        hop: &Hop,
        to: &Destination,
        errand: Errand<'_>,
        banner: u32,
        streams: Streams<'_>,
    ) -> Result<Child, Refused> {
        self.planned(hop.folder(), to, (errand, banner, streams), |plan| {
            Child::start(plan).map_err(|error| Refused::because(Trouble::System, error))
        })
    }

    /// Makes ready what a client needs, and has `start` start it.
    fn planned<T>(
        &self,
        folder: &Folder,
        to: &Destination,
        (errand, banner, streams): (Errand<'_>, u32, Streams<'_>),
        start: impl FnOnce(&Plan<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let nonsense = |error: &dyn Display| Refused::because(Trouble::Policy, error);
        let arguments = arguments::arguments(to, folder, errand, banner, &self.settings.session)
            .map_err(|error| nonsense(&error))?;
        // Who runs nothing is told nothing of the user's environment.
        let environment = match errand {
            Errand::Channel { .. } => {
                let term = self.start.environment.term.as_deref();
                arguments::environment(to, term, self.locale)
            }
            Errand::Forward(_) | Errand::Keep => arguments::environment(to, None, &[]),
        };
        let environment = environment.map_err(|error| nonsense(&error))?;
        let keeps = matches!(errand, Errand::Keep);
        let confinement =
            prepare::confinement(&self.settings.confinement, folder, to.method, keeps)?;
        start(&Plan {
            program: PROGRAM,
            arguments: &arguments,
            environment: &environment,
            uid: self.start.uid,
            gid: self.start.gid,
            streams,
            confinement: &confinement,
        })
    }
}
