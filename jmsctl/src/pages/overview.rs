//! `jmsctl(8)`: what there is, and what holds for all of it.
#![forbid(unsafe_code)]

use super::after_help::AfterHelp;
use super::noun::about;
use super::text::{heading, lines, paragraph, plain, row};
use super::{append, facts, head, without_preamble};
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic};
use std::io;

/// Of the built tree.
pub(super) fn page(tree: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    head(&mut page, "jmsctl", "administer the bastion")?;

    let mut roff = Roff::new();
    heading(&mut roff, "SYNOPSIS");
    roff.text([
        bold("jmsctl"),
        plain(" ["),
        italic("GLOBAL FLAGS"),
        plain("] "),
        italic("NOUN"),
        plain(" ["),
        italic("VERB"),
        plain("] ["),
        italic("NAME"),
        plain(" …] ["),
        italic("FLAGS"),
        plain("]"),
    ]);
    heading(&mut roff, "DESCRIPTION");
    roff.text([plain(&format!("{}.", about(tree)))]);
    for text in [
        "It is for root on the bastion itself, and for administrators and auditors from afar (ssh USER@BASTION jmsctl …). \
         Root's right is given up before anything that somebody stored is read.",
        "Verbs that change something (add, set, rm, …) print the object afterwards; rm asks first, unless --yes is given. \
         --dry-run shows what would be done. A list is replaced by --x A,B and changed by --add-x A and --rm-x A. \
         Removing policy never removes evidence.",
        "ls takes a TEXT or a GLOB, --limit, --sort, --columns, --since and --until. Objects are called by their names, \
         logins and sessions by their ids or the first six or more characters of these.",
        "A secret is never an argument: it comes from a file, from standard input (-), or is asked for on the terminal.",
        "With --json, ls prints one object per line; show, add and set print one object. Keys are in snake_case, times are \
         RFC 3339 in UTC, sizes are bytes. Fields are only ever added.",
    ] {
        paragraph(&mut roff, text);
    }
    heading(&mut roff, "NOUNS");
    for noun in tree.get_subcommands() {
        row(
            &mut roff,
            noun.get_name(),
            &format!("{}; jmsctl-{}(8).", about(noun), noun.get_name()),
        );
    }
    append(&mut page, &roff);
    global_flags(&mut page, tree)?;

    let mut roff = Roff::new();
    heading(&mut roff, "FROM AFAR");
    roff.text([plain(
        "Over ssh only standard input and output are used: instead of a file, give - and the content on standard input. \
         What deletes or releases evidence is root's alone; auditors read. Each page says who may use what.",
    )]);
    heading(&mut roff, "EXAMPLES");
    lines(&mut roff, &AfterHelp::of(tree).examples);
    facts::exit_status_section(&mut roff);
    facts::environment_section(&mut roff);
    facts::files_section(&mut roff);
    heading(&mut roff, "SEE ALSO");
    roff.text(see_also(tree));
    append(&mut page, &roff);
    Ok(page)
}

fn global_flags(page: &mut Vec<u8>, tree: &Command) -> io::Result<()> {
    let mut rendered = Vec::new();
    let flags = tree
        .clone()
        .mut_args(|argument| argument.help_heading(Some("Global flags")));
    Man::new(flags).render_options_section(&mut rendered)?;
    page.extend_from_slice(without_preamble(&String::from_utf8_lossy(&rendered)).as_bytes());
    Ok(())
}

fn see_also(tree: &Command) -> Vec<Inline> {
    let nouns = tree
        .get_subcommands()
        .map(|noun| (format!("jmsctl-{}", noun.get_name()), "8"));
    let others = [
        ("jms.toml", "5"),
        ("authorized-keys-command", "8"),
        ("force-command", "8"),
        ("nss_jms", "8"),
        ("pam_jms", "8"),
        ("sshd_config", "5"),
    ]
    .map(|(name, section)| (name.to_owned(), section));
    let mut words = Vec::new();
    for (name, section) in nouns.chain(others) {
        if !words.is_empty() {
            words.push(plain(", "));
        }
        words.push(bold(name));
        words.push(plain(&format!("({section})")));
    }
    words
}
