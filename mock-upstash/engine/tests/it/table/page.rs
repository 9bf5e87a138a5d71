//! The page of commands, written from the table, and checked to be current.

use std::fmt::Write as _;
use std::path::PathBuf;

use redis_engine::command::{self, Command, Flags, Rest};
use redis_engine::dialect::{Confidence, Dialect, QUIRKS, QuirkRow};

use super::rows;
use super::upstash::{Offer, offers};

const INTRODUCTION: &str = "\
# Commands

Written from the engine's command table, what Upstash's documentation offers, and the list of quirks;
do not edit. To write it anew:

    UPDATE_COMMANDS_PAGE=1 cargo test -p redis-engine --test it page_of_commands

";

const LEGEND: &str = "
*Since* is the version of Redis that has the command. *REST* tells how Upstash offers it over HTTP:
`TCP only` not at all, `stream` as server-sent events under a path of its own, `/multi-exec` through
that path. *Read-only token* tells whether the token that may only read may use it; with `?` where
nothing is known of Upstash, so the mock chooses. The last column names the [quirks](#quirks) in which
Upstash departs from Redis, each of which can be switched off.
";

#[test]
fn the_page_of_commands_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../COMMANDS.md");
    let page = page();
    if std::env::var_os("UPDATE_COMMANDS_PAGE").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "mock-upstash/COMMANDS.md is not what the table says; write it anew with \
         UPDATE_COMMANDS_PAGE=1 cargo test -p redis-engine --test it page_of_commands"
    );
}

#[test]
fn quirks_name_commands_that_upstash_has() {
    for quirk in QUIRKS {
        for name in quirk.commands {
            let row = rows().find(|row| row.name == *name);
            assert!(row.is_some_and(|row| row.upstash), "{}: {name}", quirk.id);
        }
    }
}

fn page() -> String {
    let offers = offers();
    let mut page = INTRODUCTION.to_owned();
    page.push_str("- [Supported](#supported)\n- [Refused](#refused)\n- [Quirks](#quirks)\n");
    supported(&mut page, &offers);
    refused(&mut page, &offers);
    quirks(&mut page);
    page
}

/// Rows that clients can call: commands, and subcommands in their container's place.
fn callable() -> impl Iterator<Item = &'static Command> {
    command::all().flat_map(|row| match row.subcommands {
        [] => std::slice::from_ref(row).iter(),
        subcommands => subcommands.iter(),
    })
}

fn supported(page: &mut String, offers: &[Offer]) {
    let offered: Vec<_> = callable().filter(|row| row.upstash).collect();
    let _ = writeln!(
        page,
        "\n## Supported\n\n{} commands and subcommands.",
        offered.len()
    );
    page.push_str(LEGEND);
    let mut groups: Vec<&str> = Vec::new();
    for row in &offered {
        if !groups.contains(&row.group.name()) {
            groups.push(row.group.name());
        }
    }
    for group in groups {
        let _ = write!(
            page,
            "\n### {group}\n\n| command | since | REST | read-only token | departs from Redis in |\n\
             | --- | --- | --- | --- | --- |\n"
        );
        let mut members: Vec<_> = offered
            .iter()
            .filter(|row| row.group.name() == group)
            .collect();
        members.sort_by_key(|row| row.name);
        for row in members {
            let offer = offers.iter().find(|offer| offer.name == row.name);
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} | {} |",
                row.name,
                row.since,
                rest(row),
                token(row, offer),
                links(row)
            );
        }
    }
}

fn rest(row: &Command) -> &'static str {
    match row.rest {
        Rest::Yes => "yes",
        Rest::No => "TCP only",
        Rest::Stream => "stream",
        Rest::MultiExec => "`/multi-exec`",
    }
}

fn token(row: &Command, offer: Option<&Offer>) -> String {
    let known = offer.is_none_or(|offer| offer.read_only_token != "unknown");
    let open = row.read_only_token || row.flags.contains(Flags::NO_AUTH);
    let allowed = if open { "yes" } else { "no" };
    format!("{allowed}{}", if known { "" } else { " ?" })
}

fn links(row: &Command) -> String {
    let quirks = QUIRKS
        .iter()
        .filter(|quirk| quirk.commands.contains(&row.name));
    let links = quirks.map(|quirk| format!("[{0}](#{0})", quirk.id));
    links.collect::<Vec<_>>().join(", ")
}

fn refused(page: &mut String, offers: &[Offer]) {
    page.push_str(
        "\n## Refused\n\nWhat Redis has and Upstash does not, by Redis's groups. The mock answers \
         it as Upstash does; as stock\nRedis it does not know it. Users met the refusal where \
         there is a *; the others have no page in the\ndocumentation.\n\n\
         | group | commands |\n| --- | --- |\n",
    );
    let absent = |offer: &&Offer| !offer.tcp && !rows().any(|row| row.name == offer.name);
    let mut groups: Vec<&str> = offers.iter().filter(absent).map(|o| &o.group[..]).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let names = offers.iter().filter(absent).filter(|o| o.group == group);
        let mut names: Vec<String> = names
            .map(|offer| {
                let seen = if offer.origin == "reported" { "*" } else { "" };
                format!("`{}`{seen}", offer.name)
            })
            .collect();
        names.sort_unstable();
        let _ = writeln!(page, "| {group} | {} |", names.join(", "));
    }
    let missing: Vec<String> = offers
        .iter()
        .filter(|offer| offer.tcp && !rows().any(|row| row.name == offer.name))
        .map(|offer| format!("`{}`", offer.name))
        .collect();
    if !missing.is_empty() {
        let _ = writeln!(
            page,
            "\nUpstash offers these and the mock does not have them: {}.",
            missing.join(", ")
        );
    }
}

fn quirks(page: &mut String) {
    page.push_str(
        "\n## Quirks\n\nWays in which Upstash departs from Redis. `--quirk ID=off` switches one off, \
         `--quirk ID=on` on.\n",
    );
    for QuirkRow {
        quirk,
        id,
        commands,
        redis,
        upstash,
        source,
        confidence,
        unseen,
    } in QUIRKS
    {
        let sure = match confidence {
            Confidence::Documented => "documented",
            Confidence::Tested => "relied on by a test that runs against the service",
            Confidence::Reported => "reported",
            Confidence::Inferred => "inferred",
        };
        let state = if Dialect::UPSTASH.has(*quirk) {
            ""
        } else {
            " Off unless switched on."
        };
        let concerned = if commands.is_empty() {
            "all commands".to_owned()
        } else {
            let names = commands.iter().map(|name| format!("`{name}`"));
            names.collect::<Vec<_>>().join(", ")
        };
        let _ = write!(
            page,
            "\n### {id}\n\nConcerns {concerned}.{state}\n\n- Redis: {redis}\n- Upstash: {upstash}\n\
             - Source: {source} ({sure})\n"
        );
        if let Some(why) = unseen {
            let _ = writeln!(page, "- No scenario of swapcheck shows it: {why}");
        }
    }
}
