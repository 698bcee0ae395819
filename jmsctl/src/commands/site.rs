//! `jmsctl site` and `jmsctl platform`.
#![forbid(unsafe_code)]

use super::remove;
use crate::cli::site::{Platform as PlatformVerb, Site as Verb, SiteChange};
use crate::context::Context;
use crate::failure::Done;
use crate::output::Noun;
use jms::nouns::{Platform, Site};
use jms::store::Selector;
use serde::Serialize;

impl Noun for Site {
    const NAME: &'static str = "site";
    const KEY: &'static str = "name";
    const FIELDS: &'static [&'static str] = &["name", "comment", "created_at", "updated_at"];
    const COLUMNS: &'static [&'static str] = &["name", "comment"];
}

impl Noun for Platform {
    const NAME: &'static str = "platform";
    const KEY: &'static str = "name";
    const FIELDS: &'static [&'static str] = &["name", "comment"];
    const COLUMNS: &'static [&'static str] = Self::FIELDS;
}

/// A site with what stands there.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    site: Site,
    assets: Vec<String>,
    grants: Vec<String>,
}

/// Runs a verb of `site`.
pub fn run(verb: &Verb, context: &mut Context) -> Done {
    match verb {
        Verb::Add(verb) => add(verb, context),
        Verb::Set(verb) => set(verb, context),
        Verb::Rm(names) => {
            remove::<Site>(context, &names.names, &names.change, "", |change, name| {
                change.remove_site(name)
            })
        }
        Verb::Ls(ls) => {
            let sites = context.store.read().sites()?;
            context.out.list_policy(sites, ls)
        }
        Verb::Show(verb) => {
            let read = context.store.read();
            let whole = Whole {
                site: read.site(&verb.name)?,
                assets: read.assets_of_site(&verb.name)?,
                grants: read.grants_naming(Selector::Site, &verb.name)?,
            };
            context.out.show(&whole)
        }
    }
}

/// Runs a verb of `platform`.
pub fn run_platform(verb: &PlatformVerb, context: &mut Context) -> Done {
    match verb {
        PlatformVerb::Ls(list) => {
            let platforms = context.store.read().platforms()?;
            context.out.list(platforms, list).map(drop)
        }
        PlatformVerb::Show(verb) => {
            let platform = context.store.read().platform(&verb.name)?;
            context.out.show(&platform)
        }
    }
}

fn add(verb: &SiteChange, context: &mut Context) -> Done {
    let mut site = Site::new(&verb.name, context.now);
    site.comment = verb.change.comment.clone().unwrap_or_default();
    let added = context.change((&verb.change).into(), |change| change.add_site(&site))?;
    context.out.changed(&added)
}

fn set(verb: &SiteChange, context: &mut Context) -> Done {
    let edited = context.change((&verb.change).into(), |change| {
        let mut site = change.read().site(&verb.name)?;
        if let Some(comment) = &verb.change.comment {
            site.comment.clone_from(comment);
        }
        change.set_site(&site)
    })?;
    context.out.changed(&edited)
}
