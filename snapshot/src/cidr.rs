//! A network from which a key may be used, written as sshd's `from=` takes it.
#![forbid(unsafe_code)]

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use crate::fields::Fields;

pub(crate) const RECORD: usize = 20;

/// A network: an address and a prefix length, with no bit set behind the prefix.
///
/// sshd refuses a connection outright when the address has such bits ("inconsistent mask length", `addr.c`), so they
/// are refused here. IPv4 written in IPv6 (`::ffff:10.0.0.0/104`) becomes IPv4, because sshd compares it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// The network; `None` if the prefix is too long for the address, or if bits behind it are set.
    #[must_use]
    pub fn new(network: IpAddr, prefix: u8) -> Option<Self> {
        let (network, prefix) = match network {
            IpAddr::V6(address) => match (address.to_ipv4_mapped(), prefix.checked_sub(96)) {
                (Some(address), Some(prefix)) => (IpAddr::V4(address), prefix),
                _ => (network, prefix),
            },
            IpAddr::V4(_) => (network, prefix),
        };
        let host_bits = match network {
            IpAddr::V4(address) => {
                let width = 32_u32.checked_sub(prefix.into())?;
                u128::from(address.to_bits() & !u32::MAX.checked_shl(width).unwrap_or(0))
            }
            IpAddr::V6(address) => {
                let width = 128_u32.checked_sub(prefix.into())?;
                address.to_bits() & !u128::MAX.checked_shl(width).unwrap_or(0)
            }
        };
        (host_bits == 0).then_some(Self { network, prefix })
    }

    /// The address that the network begins with.
    #[must_use]
    pub fn network(&self) -> IpAddr {
        self.network
    }

    /// The length of the prefix, in bits.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether the address lies in it. An IPv4 address written in IPv6 is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let prefix = u32::from(self.prefix);
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => same_start(
                network.to_bits().into(),
                address.to_bits().into(),
                32,
                prefix,
            ),
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                same_start(network.to_bits(), address.to_bits(), 128, prefix)
            }
            _ => false,
        }
    }

    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        match self.network {
            IpAddr::V4(address) => {
                into.extend([4, self.prefix, 0, 0]);
                into.extend(address.octets());
                into.extend([0; 12]);
            }
            IpAddr::V6(address) => {
                into.extend([6, self.prefix, 0, 0]);
                into.extend(address.octets());
            }
        }
    }

    pub(crate) fn parse_record(record: &[u8]) -> Option<Self> {
        let mut fields = Fields(record);
        let (family, prefix) = (fields.u8()?, fields.u8()?);
        fields.take(2)?;
        let network = match family {
            4 => IpAddr::V4(Ipv4Addr::from(fields.array::<4>()?)),
            6 => IpAddr::V6(Ipv6Addr::from(fields.array::<16>()?)),
            _ => return None,
        };
        Self::new(network, prefix)
    }
}

/// Whether the first `prefix` of `width` bits are the same.
fn same_start(one: u128, other: u128, width: u32, prefix: u32) -> bool {
    let behind = width.saturating_sub(prefix);
    // A shift by all 128 bits compares nothing: prefix 0 is everywhere.
    (one ^ other).checked_shr(behind).unwrap_or(0) == 0
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// The text is no network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CidrError(String);

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.0;
        write!(
            f,
            "{text:?} is no network: write an address, or ADDRESS/LENGTH with no bit set behind the prefix (10.0.0.0/8)"
        )
    }
}

impl std::error::Error for CidrError {}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let parse = || {
            let (address, prefix) = match text.split_once('/') {
                Some((address, prefix)) => (address, Some(prefix)),
                None => (text, None),
            };
            let address: IpAddr = address.parse().ok()?;
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let prefix = match prefix {
                Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                    digits.parse().ok()?
                }
                Some(_) => return None,
                None => longest,
            };
            Self::new(address, prefix)
        };
        parse().ok_or_else(|| CidrError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_how_they_are_written() {
        for (text, written) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("192.0.2.1", "192.0.2.1/32"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::/0", "::/0"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ] {
            let cidr: Cidr = text.parse().unwrap();
            assert_eq!(cidr.to_string(), written);
            let mut record = Vec::new();
            cidr.write(&mut record);
            assert_eq!(record.len(), RECORD);
            assert_eq!(Cidr::parse_record(&record), Some(cidr));
        }
    }

    #[test]
    fn what_lies_in_a_network() {
        for (network, address, inside) in [
            ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.0/24", "::ffff:203.0.113.1", true),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "203.0.113.7", false),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            let network: Cidr = network.parse().unwrap();
            assert_eq!(
                network.contains(address.parse().unwrap()),
                inside,
                "{network} {address}"
            );
        }
    }

    #[test]
    fn what_is_no_network() {
        for bad in [
            "",
            "/",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0/8",
            "10.0.0.0/8/8",
            "2001:db8::1/32",
            "::/129",
            "*",
            "!10.0.0.0/8",
            "host",
            "10.0.0.0/8,",
            " 10.0.0.0/8",
            "10.0.0.0/256",
        ] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn records_of_no_network() {
        for (family, prefix) in [(0, 8), (5, 8), (4, 33), (4, 7), (6, 129)] {
            let mut record = [0; RECORD];
            (record[0], record[1], record[4]) = (family, prefix, 1);
            assert_eq!(Cidr::parse_record(&record), None, "{family} {prefix}");
        }
        assert_eq!(Cidr::parse_record(&[6, 0, 0]), None);
    }
}
