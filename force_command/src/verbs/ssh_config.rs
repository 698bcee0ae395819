//! `ssh-config`: stanzas for ssh_config(5) of the user's own computer, so that `ssh web1` is a session on web1.
//!
//! Everything in them is of an alphabet without blanks, quotes or patterns: names of assets, system
//! users and users are validated, and so is the address of the settings.
#![forbid(unsafe_code)]

use super::Desk;
use super::list::Row;
use crate::text::json_line;
use serde_json::json;
use std::net::IpAddr;

/// What a client connects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Name or address of the bastion.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// One name for the client, and what it stands for.
struct Stanza<'a> {
    host: String,
    user: String,
    asset: &'a str,
    system_user: Option<&'a str>,
}

/// A stanza for each asset, and for each system user where an asset has several.
pub fn text(desk: &Desk<'_>, rows: &[Row], json: bool) -> String {
    let own = &desk.settings.bastion;
    let address = address((&own.address, own.port), desk.server);
    let user = &desk.identity.user.name;
    let stanzas = stanzas(user, rows);
    if json {
        let object = |stanza: &Stanza<'_>| {
            json_line(&json!({
                "host": stanza.host,
                "hostname": address.host,
                "port": address.port,
                "user": stanza.user,
                "asset": stanza.asset,
                "system_user": stanza.system_user,
            }))
        };
        return stanzas.iter().map(object).collect();
    }
    let mut text = format!(
        "# {user}'s assets behind {}. Write this to ~/.ssh/jms.conf,\n# and as the first line of ~/.ssh/config: Include ~/.ssh/jms.conf\n",
        address.host
    );
    for Stanza { host, user, .. } in &stanzas {
        let Address { host: name, port } = &address;
        // One login for each target, shared by everything that comes within ten minutes.
        text.push_str(&format!(
            "\nHost {host}\n    HostName {name}\n    Port {port}\n    User {user}\n    ControlMaster auto\n    ControlPath ~/.ssh/jms-%C\n    ControlPersist 10m\n"
        ));
    }
    text
}

/// What the settings say, else where the client came in.
#[must_use]
pub fn address((host, port): (&str, u16), server: Option<(IpAddr, u16)>) -> Address {
    let came_in =
        || server.map_or_else(|| "bastion".to_owned(), |(address, _)| address.to_string());
    Address {
        host: if host.is_empty() {
            came_in()
        } else {
            host.to_owned()
        },
        port: match port {
            0 => server.map_or(22, |(_, port)| port),
            port => port,
        },
    }
}

fn stanzas<'a>(user: &str, rows: &'a [Row]) -> Vec<Stanza<'a>> {
    let mut stanzas = Vec::new();
    // An asset's targets stand together.
    for targets in rows.chunk_by(|a, b| a.target.asset_id == b.target.asset_id) {
        let Some(first) = targets.first() else {
            continue;
        };
        let asset = first.target.asset.as_str();
        let only = match targets {
            [one] => Some(one.target.system_user.as_str()),
            _ => None,
        };
        let target = only.map_or_else(|| asset.to_owned(), |only| format!("{only}@{asset}"));
        stanzas.push(Stanza {
            host: asset.to_owned(),
            user: format!("{user}@{target}"),
            asset,
            system_user: only,
        });
        if only.is_some() {
            continue;
        }
        for row in targets {
            let system_user = row.target.system_user.as_str();
            stanzas.push(Stanza {
                // No asset's name holds a plus sign; a dollar is a variable to ssh.
                host: format!("{asset}+{}", system_user.trim_end_matches('$')),
                user: format!("{user}@{system_user}@{asset}"),
                asset,
                system_user: Some(system_user),
            });
        }
    }
    stanzas
}
