//! The snapshot of users: name, uid, flags. Nothing else: gid, home, shell and password field are not for the service
//! user to choose. Format: see the crate's page.
#![forbid(unsafe_code)]

use std::{fmt, ops::ControlFlow};

use crate::{
    container::{Container, Kind, Section, Source},
    error::{Error, WriteError},
    fields::Fields,
    index, is_possible_uid,
    names::UserName,
    writer::{self, NewSection, first_equal},
};

const RECORDS: u32 = 1;
const BY_NAME: u32 = 2;
const RECORD: u32 = 64;

/// What is said of a user beside name and uid.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u32);

impl Flags {
    /// sshd must ask for the second factor: the primary group is `jms-mfa`.
    pub const MFA_AT_LOGIN: Self = Self(1);
    /// The user may not log in (it still has a name).
    pub const DISABLED: Self = Self(2);

    /// No flag.
    #[must_use]
    pub const fn empty() -> Self {
        Self(0)
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({:#x})", self.0)
    }
}

/// A user, as the system sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    name: UserName,
    uid: u32,
    flags: Flags,
}

impl User {
    /// A user; `None` if the uid can be no virtual user's (see [`is_possible_uid`]).
    #[must_use]
    pub fn new(name: UserName, uid: u32, flags: Flags) -> Option<Self> {
        is_possible_uid(uid).then_some(Self { name, uid, flags })
    }

    /// The user's name.
    #[must_use]
    pub fn name(&self) -> &UserName {
        &self.name
    }

    /// The user's uid.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The user's flags.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.flags
    }

    fn parse(record: &[u8; RECORD as usize]) -> Option<Self> {
        let mut fields = Fields(record);
        let (uid, flags, length) = (fields.u32()?, fields.u32()?, fields.u8()?);
        fields.take(7)?;
        Self::new(
            UserName::from_padded(&fields.array()?, length)?,
            uid,
            Flags(flags),
        )
    }

    fn write(&self, into: &mut Vec<u8>) {
        let (name, length) = self.name.padded();
        into.extend(self.uid.to_le_bytes());
        into.extend(self.flags.0.to_le_bytes());
        into.extend([length, 0, 0, 0, 0, 0, 0, 0]);
        into.extend(name);
        into.extend([0; 16]);
    }
}

/// Makes the snapshot of these users, in any order.
///
/// # Errors
/// A name or uid that is there twice, or more users than fit.
pub fn write(
    generation: u64,
    users: impl IntoIterator<Item = User>,
) -> Result<Vec<u8>, WriteError> {
    let mut users: Vec<User> = users.into_iter().collect();
    users.sort_unstable_by_key(|user| user.uid);
    if let Some(user) = first_equal(&users, |one, other| one.uid == other.uid) {
        return Err(WriteError::DuplicateUid(user.uid));
    }
    let mut names: Vec<&UserName> = users.iter().map(User::name).collect();
    names.sort_unstable();
    if let Some(name) = first_equal(&names, PartialEq::eq) {
        return Err(WriteError::DuplicateName(name.to_string()));
    }
    let by_name = index::build(users.len(), |record, seed| {
        let name = users
            .get(record)
            .map_or(&[][..], |user| user.name.as_bytes());
        index::hash(seed, &[name])
    })?;
    let mut records = Vec::with_capacity(users.len().saturating_mul(RECORD as usize));
    for user in &users {
        user.write(&mut records);
    }
    let sections = [
        NewSection {
            id: RECORDS,
            record_size: RECORD,
            bytes: records,
        },
        NewSection {
            id: BY_NAME,
            record_size: 0,
            bytes: by_name,
        },
    ];
    writer::write(Kind::Users, generation, &sections)
}

/// Looks users up in a snapshot.
#[derive(Debug)]
pub struct Reader<S> {
    container: Container<S>,
    records: Section,
    by_name: Section,
    count: u32,
}

impl<S: Source> Reader<S> {
    /// Checks the snapshot's header; records are checked when they are read.
    ///
    /// # Errors
    /// An [`Error`] that says what is wrong with the snapshot.
    pub fn new(source: S) -> Result<Self, Error> {
        let container = Container::open(source, Kind::Users)?;
        let (records, by_name) = (container.section(RECORDS)?, container.section(BY_NAME)?);
        let count = records.records(RECORD)?;
        Ok(Self {
            container,
            records,
            by_name,
            count,
        })
    }

    /// The generation of the store that the snapshot was made from.
    pub fn generation(&self) -> u64 {
        self.container.generation()
    }

    /// The number of users.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The user with this number, in order of uid from 0.
    ///
    /// # Errors
    /// An [`Error`] if there is no such record or if it holds what none may hold.
    pub fn record(&self, number: u32) -> Result<User, Error> {
        let mut record = [0; RECORD as usize];
        let offset = u64::from(number).saturating_mul(RECORD.into());
        self.container.read(&self.records, offset, &mut record)?;
        User::parse(&record).ok_or(Error::Record {
            number,
            problem: "has an impossible name or uid",
        })
    }

    /// The user with this name.
    ///
    /// # Errors
    /// An [`Error`] if what was read on the way contradicts itself.
    pub fn by_name(&self, name: &UserName) -> Result<Option<User>, Error> {
        let candidates = index::find(
            &self.container,
            &self.by_name,
            self.count,
            &[name.as_bytes()],
        )?;
        for number in candidates.records() {
            let user = self.record_of(number, name)?;
            if user.name == *name {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    /// [`Self::record`], where it is probably the one of `name`, which needs no second look then.
    #[inline]
    fn record_of(&self, number: u32, name: &UserName) -> Result<User, Error> {
        let mut head = [0; 48];
        let offset = u64::from(number).saturating_mul(RECORD.into());
        self.container.read(&self.records, offset, &mut head)?;
        let parse = || {
            let mut fields = Fields(&head);
            let (uid, flags, length) = (fields.u32()?, fields.u32()?, fields.u8()?);
            fields.take(7)?;
            let found: [u8; 32] = fields.array()?;
            ((&found, length) == name.padded())
                .then(|| User::new(*name, uid, Flags(flags)))
                .flatten()
        };
        parse().map_or_else(|| self.record(number), Ok)
    }

    /// The user with this uid.
    ///
    /// # Errors
    /// An [`Error`] if what was read on the way contradicts itself.
    pub fn by_uid(&self, uid: u32) -> Result<Option<User>, Error> {
        let number = self.first_from(uid)?;
        if number >= self.count {
            return Ok(None);
        }
        let user = self.record(number)?;
        Ok((user.uid == uid).then_some(user))
    }

    /// The number of the first user whose uid is not below `uid`; [`Self::count`] if there is none.
    ///
    /// # Errors
    /// An [`Error`] if what was read on the way contradicts itself.
    pub fn first_from(&self, uid: u32) -> Result<u32, Error> {
        let Some(last) = self.count.checked_sub(1) else {
            return Ok(0);
        };
        let (mut low, mut low_uid) = (0, self.uid_of(0)?);
        if uid <= low_uid {
            return Ok(0);
        }
        let (mut high, mut high_uid) = (last, self.uid_of(last)?);
        if uid > high_uid {
            return Ok(self.count);
        }
        // From here on the uid lies behind that of `low` and not behind that of `high`. Uids are given one after the other, so most
        // are found where they would be without a gap; where there are many gaps, half of the rest goes with each step.
        let mut guesses = 4_u32;
        while high.saturating_sub(low) > 1 {
            let middle = match guesses.checked_sub(1) {
                Some(left) => {
                    guesses = left;
                    let far = u64::from(uid.saturating_sub(low_uid))
                        .saturating_mul(high.saturating_sub(low).into())
                        .checked_div(high_uid.saturating_sub(low_uid).into());
                    let far = u32::try_from(far.unwrap_or(0)).unwrap_or(u32::MAX);
                    low.saturating_add(far)
                        .min(high.saturating_sub(1))
                        .max(low.saturating_add(1))
                }
                None => low.midpoint(high),
            };
            let found = self.uid_of(middle)?;
            if found < uid {
                (low, low_uid) = (middle, found);
            } else {
                (high, high_uid) = (middle, found);
                if found == uid {
                    break;
                }
            }
        }
        Ok(high)
    }

    /// The uid in a record, which is not checked.
    #[inline]
    fn uid_of(&self, number: u32) -> Result<u32, Error> {
        let mut uid = [0; 4];
        let offset = u64::from(number).saturating_mul(RECORD.into());
        self.container.read(&self.records, offset, &mut uid)?;
        Ok(u32::from_le_bytes(uid))
    }

    /// All users, in order of uid.
    pub fn iter(&self) -> impl Iterator<Item = Result<User, Error>> + '_ {
        (0..self.count).map(|number| self.record(number))
    }

    /// Checks everything: checksum, order, and that each user is found by name. For the publisher and `jmsctl doctor`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<(), Error> {
        self.container.verify()?;
        let mut previous = 0;
        let walked = (0..self.count).try_for_each(|number| match self.check(number, previous) {
            Ok(uid) => {
                previous = uid;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        });
        walked.break_value().map_or(Ok(()), Err)
    }

    fn check(&self, number: u32, previous: u32) -> Result<u32, Error> {
        let user = self.record(number)?;
        if user.uid <= previous {
            return Err(Error::Record {
                number,
                problem: "is out of order",
            });
        }
        if self.by_name(user.name())? != Some(user) {
            return Err(Error::Index("does not lead to every user"));
        }
        Ok(user.uid)
    }
}
