//! Sets out for the asset: a folder, an agent and a client for each machine on the way, each client's connection
//! leading through the one before.

use super::hop::Hop;
use super::prepare::Leg;
use super::{Refused, prepare};
use crate::agent::Agent;
use crate::egress::child::{Plan, Streams};
use crate::egress::handover::Source;
use crate::egress::{Child, Connector, Destination, Errand, Folder, Handover, PROGRAM, arguments};
use crate::message::Trouble;
use crate::start::Start;
use jms::id::Id;
use jms::paths::Paths;
use jms::settings::Settings;
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

    fn client(
        &self,
        hop: &Hop,
        to: &Destination,
        errand: Errand<'_>,
        banner: u32,
        streams: Streams<'_>,
    ) -> Result<Child, Refused> {
        let nonsense = |error: &dyn Display| Refused::because(Trouble::Policy, error);
        let arguments =
            arguments::arguments(to, hop.folder(), errand, banner, &self.settings.session)
                .map_err(|error| nonsense(&error))?;
        // A gateway runs nothing, and is told nothing of the user's environment.
        let environment = match errand {
            Errand::Channel { .. } => {
                let term = self.start.environment.term.as_deref();
                arguments::environment(to, term, self.locale)
            }
            Errand::Forward(_) => arguments::environment(to, None, &[]),
        };
        let environment = environment.map_err(|error| nonsense(&error))?;
        let confinement =
            prepare::confinement(&self.settings.confinement, hop.folder(), to.method)?;
        let plan = Plan {
            program: PROGRAM,
            arguments: &arguments,
            environment: &environment,
            uid: self.start.uid,
            gid: self.start.gid,
            streams,
            confinement: &confinement,
        };
        Child::start(&plan).map_err(|error| Refused::because(Trouble::System, error))
    }
}
