//! Assets from a table.
#![forbid(unsafe_code)]

use super::columns::{Column, Row};
use super::{add_all, cell, wrong};
use crate::cli::asset::Add;
use crate::cli::values::one_line;
use crate::context::Context;
use crate::failure::Done;
use crate::input::FileArgument;
use jms::nouns::{Asset, AssetGroup, Site};
use jms::store::{Change, StoreError};
use jms::time::Time;

const COLUMNS: &[Column] = &[
    Column {
        field: "name",
        headings: &["name", "hostname"],
    },
    Column {
        field: "address",
        headings: &["address", "ip", "ip/host"],
    },
    Column {
        field: "port",
        headings: &["port"],
    },
    Column {
        field: "protocols",
        headings: &["protocol", "protocols"],
    },
    Column {
        field: "platform",
        headings: &["platform"],
    },
    Column {
        field: "site",
        headings: &["site"],
    },
    Column {
        field: "gateway",
        headings: &["gateway"],
    },
    Column {
        field: "asset_groups",
        headings: &[
            "asset groups",
            "asset group",
            "node path",
            "nodes path",
            "nodes display",
            "nodes",
            "node",
        ],
    },
    Column {
        field: "limit_sessions",
        headings: &["limit sessions"],
    },
    Column {
        field: "active",
        headings: &["active", "is active"],
    },
    Column {
        field: "comment",
        headings: &["comment", "description"],
    },
];

/// Adds them.
pub fn add(verb: &Add, file: &FileArgument, context: &mut Context) -> Done {
    let now = context.now;
    let port = context.store.read().defaults()?.port;
    let terms = ((&verb.change).into(), verb.skip_bad);
    let added = add_all(context, file, COLUMNS, terms, |change, row| {
        let asset = asset(row, port, now)?;
        make_places(change, &asset, now)?;
        change.add_asset(&asset)
    })?;
    added
        .iter()
        .try_for_each(|asset| context.out.changed(asset))
}

fn asset(row: &Row<'_>, default_port: u16, now: Time) -> Result<Asset, StoreError> {
    let missing = |what: &str| wrong(format!("the {what} is missing"));
    let name = row.text("name").ok_or_else(|| missing("name"))?;
    let address = row.text("address").ok_or_else(|| missing("address"))?;
    let comment = one_line(row.text("comment").unwrap_or_default());
    let active = row.text("active").map(cell::yes).transpose();
    let limit = row.text("limit_sessions").map(|cell| number(cell, "limit"));
    let mut asset = Asset::new(name, address, now);
    asset.port = port(row)?.unwrap_or(default_port);
    if let Some(name) = row.name("platform") {
        asset.platform = platform(&name)?;
    }
    asset.site = row.name("site");
    asset.gateway = row.name("gateway");
    asset.asset_groups = row
        .names("asset_groups")
        .unwrap_or_default()
        .iter()
        .map(|place| path(place))
        .collect();
    asset.limit_sessions = limit.transpose()?;
    asset.active = active.map_err(wrong)?.unwrap_or(true);
    asset.comment = comment.map_err(|error| wrong(format!("comment: {error}")))?;
    Ok(asset)
}

fn number<T: std::str::FromStr>(cell: &str, what: &str) -> Result<T, StoreError> {
    cell.parse()
        .map_err(|_| wrong(format!("“{}” is no {what}", cell.escape_debug())))
}

/// The port in its own column, or in JumpServer's `["ssh/22", "sftp/22"]`.
fn port(row: &Row<'_>) -> Result<Option<u16>, StoreError> {
    let mut port = row
        .text("port")
        .map(|cell| number(cell, "port"))
        .transpose()?;
    let Some(protocols) = row.names("protocols") else {
        return Ok(port);
    };
    let ssh = protocols
        .iter()
        .find(|protocol| protocol.split('/').next() == Some("ssh"));
    match ssh.map(|protocol| protocol.split_once('/')) {
        Some(Some((_, number_there))) => port = Some(number(number_there, "port")?),
        Some(None) => {}
        None => {
            return Err(wrong(format!(
                "it does not speak ssh but {}, which is not in this version",
                protocols.join(", ")
            )));
        }
    }
    Ok(port)
}

/// JumpServer's platforms are many; ours say what kind of machine it is.
fn platform(name: &str) -> Result<String, StoreError> {
    let ours = match name.to_lowercase().as_str() {
        "linux" | "gateway" => "linux",
        "unix" | "macos" | "bsd" | "aix" => "unix",
        "windows" | "windows-rdp" | "windows-tls" | "windows2016" => "windows",
        "network" | "general" | "generic" | "cisco" | "huawei" | "h3c" | "juniper" | "tp-link" => {
            "network"
        }
        "other" => "other",
        _ => {
            return Err(wrong(format!(
                "“{}” is no platform; see jmsctl platform ls",
                name.escape_debug()
            )));
        }
    };
    Ok(ours.to_owned())
}

/// A node of JumpServer without its path is a place below the root.
fn path(place: &str) -> String {
    let place = place.trim_end_matches('/');
    match place.starts_with('/') {
        true => place.to_owned(),
        false => format!("/{place}"),
    }
}

fn make_places(change: &Change<'_>, asset: &Asset, now: Time) -> Result<(), StoreError> {
    for path in &asset.asset_groups {
        if let Err(StoreError::NotFound { .. }) = change.read().asset_group(path) {
            change.add_asset_group(&AssetGroup::new(path, now))?;
        }
    }
    if let Some(site) = &asset.site
        && let Err(StoreError::NotFound { .. }) = change.read().site(site)
    {
        change.add_site(&Site::new(site, now))?;
    }
    Ok(())
}
