//! The menu's loop: a line is asked for, understood, and done.

use super::ask::{Asked, ask, choose};
use super::catalogue::Catalogue;
use super::choice;
use super::editor::Question;
use super::greeting::{first_screen, rows};
use super::page::{Pages, Rows, Size};
use super::process;
use super::session;
use super::typed::{Typed, parse};
use crate::administration;
use crate::entrance::{enter, is_still_there};
use crate::factor::{self, Entered};
use crate::identity::Identity;
use crate::message::menu::Menu as Says;
use crate::message::{Message, Trouble, say};
use crate::request::{Connect, Request, Verb, Wording, channel_of};
use crate::start::Start;
use crate::status;
use crate::terminal::Terminal;
use crate::text::harmless;
use crate::verbs::{self, Desk, NoAnswer};
use crate::watch::{Watch, Woken};
use jms::settings::Settings;
use jms::store::Store;
use std::cell::Cell;

/// Lines that are remembered while the menu lasts.
const HISTORY: usize = 200;
/// A reader of lines that fails so often in a row is given up.
const FAILURES: u32 = 3;

/// Why the menu ends: the exit status.
struct Leave(i32);

/// What the list that was shown last is made of: places in the catalogue, or something that cannot
/// be chosen by number.
#[derive(Default)]
struct Shown {
    assets: Option<Vec<usize>>,
    pages: Option<Pages>,
}

struct Menu<'a> {
    start: &'a Start,
    identity: Identity,
    settings: Settings,
    terminal: Terminal,
    watch: Watch,
    /// Policy has changed since the catalogue was read.
    stale: Cell<bool>,
    catalogue: Catalogue,
    history: Vec<String>,
    shown: Shown,
    /// The terminal is used without sequences.
    plain: bool,
}

/// Serves one person until he leaves; the exit status. The store is closed before anything is waited for.
pub fn run(store: Store, settings: Settings, start: &Start, identity: Identity) -> i32 {
    let term = start.environment.own_term();
    // Before the catalogue is read, so that no change after it is missed.
    let watch = Watch::begin(store.paths());
    let (Ok(terminal), Ok(watch)) = (Terminal::find(term), watch) else {
        say(Message::Bastion(Trouble::System));
        return status::BASTION;
    };
    process::ignore_keys();
    let mut menu = Menu {
        plain: terminal.is_plain(),
        start,
        identity,
        settings,
        terminal,
        watch,
        stale: Cell::new(false),
        catalogue: Catalogue::default(),
        history: Vec::new(),
        shown: Shown::default(),
    };
    if let Err(NoAnswer(message, status)) = menu.read(&store) {
        say(message);
        return status;
    }
    drop(store);
    menu.greet();
    let Leave(status) = menu.serve();
    status
}

impl Menu<'_> {
    fn serve(&mut self) -> Leave {
        let mut failures = 0;
        loop {
            let asked = self.ask();
            failures = match asked {
                Asked::Broken => failures + 1,
                _ => 0,
            };
            let done = match asked {
                Asked::Line(line) => {
                    self.remember(&line);
                    self.act(parse(&line))
                }
                Asked::Interrupted => {
                    self.end_line();
                    Ok(())
                }
                Asked::TooLong => {
                    self.terminal.say(Says::LineTooLong);
                    Ok(())
                }
                Asked::End => {
                    self.end_line();
                    Err(Leave(status::DONE))
                }
                Asked::Broken if failures >= FAILURES && self.plain => {
                    say(Message::Bastion(Trouble::System));
                    Err(Leave(status::BASTION))
                }
                Asked::Broken => {
                    self.plain |= failures >= FAILURES;
                    failures %= FAILURES;
                    self.terminal.write("\r\n");
                    Ok(())
                }
                Asked::Woken(woken) => Err(self.leave(woken)),
            };
            if let Err(leave) = done {
                return leave;
            }
        }
    }

    /// After a line that a key has ended: the reader's own terminal has done it already.
    fn end_line(&self) {
        if self.plain {
            self.terminal.write("\r\n");
        }
    }

    fn ask(&self) -> Asked {
        let complete = |ahead: &str, part: &str| self.catalogue.completions(ahead, part);
        let question = Question {
            prompt: Says::Prompt.to_string(),
            complete: &complete,
            history: &self.history,
            term: self.term(),
            uid: self.start.uid,
            gid: self.start.gid,
        };
        let mut again = || self.is_still_there();
        ask(&question, &self.terminal, &self.watch, &mut again)
    }

    fn term(&self) -> Option<&str> {
        let term = self.start.environment.own_term();
        term.filter(|_| !self.plain)
    }

    fn is_still_there(&self) -> bool {
        self.stale.set(true);
        is_still_there(self.start)
    }

    fn remember(&mut self, line: &str) {
        let line = line.trim();
        if line.is_empty() || self.history.last().is_some_and(|last| last == line) {
            return;
        }
        if self.history.len() >= HISTORY {
            self.history.remove(0);
        }
        self.history.push(line.to_owned());
    }

    /// What is said when something else than the person ends the menu.
    fn leave(&self, woken: Woken) -> Leave {
        Leave(match woken {
            Woken::Gone | Woken::Ready => status::CONNECTION,
            Woken::Ended(reason) => {
                say(Message::Killed(reason));
                status::ENDED
            }
            // Says who is refused and why, and writes the event.
            Woken::AskAgain => match enter(self.start) {
                Ok(_) => status::ENDED,
                Err(status::DENIED) => status::ENDED,
                Err(status) => status,
            },
        })
    }

    /// The store, and who asks, as they are now. `Ok(None)`: something of the bastion is out of order,
    /// which has been said.
    fn enter(&mut self) -> Result<Option<Store>, Leave> {
        match enter(self.start).and_then(factor::still_passed) {
            Ok((store, settings, identity)) => {
                self.settings = settings;
                self.identity = identity;
                Ok(Some(store))
            }
            Err(status::DENIED) => Err(Leave(status::ENDED)),
            Err(_) => Ok(None),
        }
    }

    fn desk<'d>(&'d self, store: &'d mut Store) -> Desk<'d> {
        Desk {
            store,
            settings: &self.settings,
            identity: &self.identity,
            server: self.start.environment.server,
            has_terminal: true,
        }
    }

    /// Reads what may be reached.
    fn read(&mut self, store: &Store) -> Result<(), NoAnswer> {
        self.stale.set(false);
        self.catalogue = Catalogue::read(store, &self.identity.user)?;
        self.watch.expires(self.identity.user.valid_until);
        Ok(())
    }

    /// The same if it may have changed. Numbers of a list that was shown no longer count then.
    fn refresh(&mut self) -> Result<(), Leave> {
        match self.watch.pending() {
            Some(Woken::AskAgain) => self.stale.set(true),
            Some(woken) => return Err(self.leave(woken)),
            None => {}
        }
        if !self.stale.get() {
            return Ok(());
        }
        let Some(store) = self.enter()? else {
            return Ok(());
        };
        let before = std::mem::take(&mut self.catalogue);
        match self.read(&store) {
            Ok(()) if before.entries == self.catalogue.entries => {}
            Ok(()) => self.shown = Shown::default(),
            Err(NoAnswer(message, _)) => {
                self.catalogue = before;
                self.stale.set(true);
                say(message);
            }
        }
        Ok(())
    }

    fn greet(&mut self) {
        let size = self.terminal.size();
        let user = &self.identity.user.name;
        let first = first_screen(&self.catalogue, &self.settings.menu, user, size);
        self.terminal.write(&first.text);
        if first.lists {
            self.shown.assets = Some(self.catalogue.all());
        }
    }

    fn act(&mut self, typed: Typed) -> Result<(), Leave> {
        self.refresh()?;
        match typed {
            Typed::Nothing if !self.has_next() => {}
            Typed::Nothing | Typed::Next => self.turn(Pages::next),
            Typed::Back => self.turn(Pages::back),
            Typed::List => self.list(self.catalogue.all()),
            Typed::Search(text) => self.search(&self.catalogue.all(), &text),
            Typed::SearchShown(text) => {
                let shown = self.shown.assets.clone();
                self.search(&shown.unwrap_or_else(|| self.catalogue.all()), &text);
            }
            Typed::Number(number) => return self.number(number),
            Typed::Groups => self.groups(),
            Typed::Group(number) => return self.group(number),
            Typed::Refresh => {
                self.stale.set(true);
                self.refresh()?;
                let assets = self.catalogue.entries.len();
                self.terminal.say(Says::Refreshed(assets));
            }
            Typed::Sessions => {
                let verb = Verb::Sessions {
                    online: false,
                    limit: 20,
                    json: false,
                };
                return self.verb(&verb, &Says::NoSessions);
            }
            Typed::Help => {
                let closing = verbs::closing(&self.settings.menu);
                self.text(&format!("{}\n{closing}", Says::Keys));
            }
            Typed::Quit => return Err(Leave(status::DONE)),
            Typed::Error(error) => say(error),
            Typed::Request(Request::Verb(Verb::Mfa(wish))) => {
                let start = self.start;
                return self.child(|entered| factor::grant(start, entered, wish));
            }
            Typed::Request(Request::Verb(verb)) => return self.verb(&verb, &Says::Empty),
            Typed::Request(Request::Connect(connect)) => return self.request(connect),
            Typed::Request(Request::Administer(words)) => {
                let start = self.start;
                return self.child(|(mut store, _, identity)| {
                    administration::run(&mut store, start, &identity, &words)
                });
            }
            Typed::Request(Request::Menu) => {}
            Typed::Name(text) => return self.name(&text),
        }
        Ok(())
    }

    fn has_next(&self) -> bool {
        self.shown.pages.as_ref().is_some_and(Pages::has_next)
    }

    fn turn(&mut self, way: fn(&mut Pages, Size) -> Option<String>) {
        let size = self.terminal.size();
        match self.shown.pages.as_mut().and_then(|pages| way(pages, size)) {
            Some(page) => self.terminal.write(&page),
            None => self.terminal.say(Says::NoMorePages),
        }
    }

    /// Shows the first page of something.
    fn show(&mut self, rows: Rows, assets: Option<Vec<usize>>) {
        let mut pages = Pages::new(rows);
        let page = pages.next(self.terminal.size());
        self.terminal.write(&page.unwrap_or_default());
        self.shown.pages = Some(pages);
        // A text does not take away the list that numbers were read from.
        if assets.is_some() {
            self.shown.assets = assets;
        }
    }

    fn list(&mut self, places: Vec<usize>) {
        if places.is_empty() {
            return self.terminal.say(Says::NoAssets);
        }
        let rows = rows(&self.catalogue, &places);
        self.show(rows, Some(places));
    }

    fn search(&mut self, among: &[usize], text: &str) {
        let found = self.catalogue.holding(among, text);
        if found.is_empty() {
            return self.terminal.say(Says::NothingFits(text));
        }
        self.list(found);
    }

    fn text(&mut self, text: &str) {
        let lines = text.lines().map(harmless).collect();
        self.show(Rows::Text(lines), None);
    }

    fn groups(&mut self) {
        if self.catalogue.groups.is_empty() {
            return self.terminal.say(Says::NoGroups);
        }
        let cells = self.catalogue.groups.iter();
        let cells = cells.map(|(path, assets)| vec![path.clone(), assets.to_string()]);
        self.show(Rows::Cells(cells.collect()), None);
        self.terminal.say(Says::GroupHint);
    }

    fn group(&mut self, number: usize) -> Result<(), Leave> {
        // An asset may be called so.
        if let Some(place) = self.catalogue.named(&format!("g{number}")) {
            return self.connect_to(place, None, None);
        }
        let group = number
            .checked_sub(1)
            .and_then(|place| self.catalogue.groups.get(place));
        match group.map(|(path, _)| path.clone()) {
            Some(path) => {
                self.terminal.say(Says::Group(&path));
                self.list(self.catalogue.within(&path));
            }
            None => self.terminal.say(Says::NoSuchGroup(number)),
        }
        Ok(())
    }

    fn number(&mut self, number: usize) -> Result<(), Leave> {
        let place = number.checked_sub(1);
        let place = match &self.shown.assets {
            Some(shown) => place.and_then(|place| shown.get(place).copied()),
            None => place.filter(|place| *place < self.catalogue.entries.len()),
        };
        match place {
            Some(place) => self.connect_to(place, None, None),
            None => {
                self.terminal.say(Says::NoSuchNumber(number));
                Ok(())
            }
        }
    }

    /// An asset's name with or without a command, or a part of one.
    fn name(&mut self, text: &str) -> Result<(), Leave> {
        let (first, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        if let Some(place) = self.catalogue.named(first) {
            let command = Some(rest.trim_start()).filter(|rest| !rest.is_empty());
            return self.connect_to(place, None, command);
        }
        let meant = self.catalogue.meant(text);
        self.one_of(meant, text, None, None)
    }

    /// Connects if there is one, and lists if there are several.
    fn one_of(
        &mut self,
        meant: Vec<usize>,
        text: &str,
        system_user: Option<&str>,
        command: Option<&str>,
    ) -> Result<(), Leave> {
        match meant.as_slice() {
            [] => self.terminal.say(Says::NothingFits(text)),
            [place] => return self.connect_to(*place, system_user, command),
            several => {
                let count = several.len();
                self.terminal.say(Says::SeveralFit { text, count });
                self.list(meant);
            }
        }
        Ok(())
    }

    /// To an asset of the catalogue, as the system user that is named, or the only one, or the one that is chosen.
    fn connect_to(
        &mut self,
        place: usize,
        system_user: Option<&str>,
        command: Option<&str>,
    ) -> Result<(), Leave> {
        let Some(entry) = self.catalogue.entries.get(place) else {
            return Ok(());
        };
        let asset = entry.asset.clone();
        let worded = match (system_user, &*entry.accounts) {
            (Some(system_user), _) => format!("{system_user}@{asset}"),
            (None, [only]) => format!("{}@{asset}", only.system_user),
            _ => asset,
        };
        let Some(wording) = Wording::parse(worded.as_bytes()) else {
            return Ok(());
        };
        let command = command.map(|text| text.as_bytes().to_vec());
        let channel = channel_of(command.as_deref(), true);
        self.request(Connect {
            wording,
            channel,
            command,
            terminal: true,
            otherwise: None,
        })
    }

    /// A request as `ssh` would have carried it. Where it is not granted as it stands, `dev@web` may be a
    /// part of one that is.
    fn request(&mut self, connect: Connect) -> Result<(), Leave> {
        use crate::target::{TargetError, resolve};
        let targets = self.catalogue.targets(&connect.wording);
        match resolve(&connect.wording, &targets) {
            Ok(_) => self.session(&connect),
            Err(TargetError::Ambiguous(choices)) => {
                let title = connect.wording.to_string();
                let complete = choice::completions(&choices);
                let question = choice::question(self.start, &self.terminal, &complete);
                let mut again = || self.is_still_there();
                let chosen = choose(
                    &title,
                    &choices,
                    &question,
                    &self.terminal,
                    &self.watch,
                    &mut again,
                );
                match chosen {
                    Ok(place) => {
                        let target = place.and_then(|place| choices.get(place));
                        match target.and_then(|target| choice::with(connect, target)) {
                            Some(connect) => self.session(&connect),
                            None => Ok(()),
                        }
                    }
                    Err(woken) => Err(self.leave(woken)),
                }
            }
            Err(TargetError::NotGranted { .. }) => self.part_of_target(connect),
        }
    }

    fn part_of_target(&mut self, connect: Connect) -> Result<(), Leave> {
        let Some(system_user) = connect.wording.system_user.clone() else {
            // The refusal is the direct way's, with its event.
            return self.session(&connect);
        };
        let system_user = system_user.as_str();
        let mut meant = self.catalogue.meant(&connect.wording.asset);
        meant.retain(|place| {
            let entry = self.catalogue.entries.get(*place);
            let mut accounts = entry.into_iter().flat_map(|entry| entry.accounts.iter());
            accounts.any(|account| &*account.system_user == system_user)
        });
        if meant.is_empty() {
            return self.session(&connect);
        }
        let command = connect.command.as_deref().map(String::from_utf8_lossy);
        let text = connect.wording.to_string();
        self.one_of(meant, &text, Some(system_user), command.as_deref())
    }

    fn session(&mut self, connect: &Connect) -> Result<(), Leave> {
        let start = self.start;
        self.child(|entered| factor::connect(start, entered, connect))
    }

    fn child(&mut self, work: impl FnOnce(Entered) -> i32) -> Result<(), Leave> {
        let ran = session::run(self.start, &self.watch, work);
        self.terminal.restore();
        self.terminal.reset();
        match ran {
            Ok(changed) => {
                self.stale.set(self.stale.get() || changed);
                Ok(())
            }
            Err(woken) => Err(self.leave(woken)),
        }
    }

    fn verb(&mut self, verb: &Verb, nothing: &Says<'_>) -> Result<(), Leave> {
        let Some(mut store) = self.enter()? else {
            return Ok(());
        };
        let mut desk = self.desk(&mut store);
        if let Verb::SessionReplay { .. } | Verb::Passwd = verb {
            verbs::answer(&mut desk, verb);
            drop(store);
            self.terminal.restore();
            self.terminal.reset();
            return Ok(());
        }
        let text = verbs::text(&desk, verb);
        drop(store);
        match text {
            Ok(text) if text.is_empty() => self.terminal.say(nothing),
            Ok(text) => self.text(&text),
            Err(NoAnswer(message, _)) => say(message),
        }
        Ok(())
    }
}
