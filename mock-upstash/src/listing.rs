//! What the program lists: quirks, assumptions, plans.

use std::fmt::Write;

use mock_upstash::dialect::{Confidence, QUIRKS};
use mock_upstash::{Dialect, Limit, Plan, assumption};
use redis_engine::limit::{SCRIPT_MS, SCRIPT_MS_PER_MINUTE};

/// How wide a listing is; some lines of error texts are longer.
const WIDTH: usize = 100;

/// Every quirk: what Redis does, what Upstash does, how sure that is.
pub(crate) fn quirks() -> String {
    let mut text = String::new();
    for row in QUIRKS {
        let state = match Dialect::UPSTASH.has(row.quirk) {
            true => "on",
            false => "off unless switched on",
        };
        let confidence = match row.confidence {
            Confidence::Documented => "documented",
            Confidence::Tested => "relied on by a test of an official SDK",
            Confidence::Reported => "reported",
            Confidence::Inferred => "inferred",
        };
        let _ = writeln!(text, "{}  ({state})", row.id);
        field(&mut text, "Redis", row.redis);
        field(&mut text, "Upstash", row.upstash);
        field(
            &mut text,
            "Source",
            &format!("{} ({confidence})", row.source),
        );
        if let Some(why) = row.unseen {
            let why = format!("no scenario of swapcheck shows it: {why}");
            field(&mut text, "Unseen", &why);
        }
        text.push('\n');
    }
    text.push_str(
        "Each is switched by --quirk ID=on or --quirk ID=off; --dialect redis has none of them.\n",
    );
    text
}

/// Every gap in what is known, with what the mock does.
pub(crate) fn assumptions() -> String {
    let mut text = String::new();
    for row in assumption::ASSUMPTIONS {
        let _ = writeln!(text, "{}", row.id);
        field(&mut text, "Off", row.off);
        field(&mut text, "On", row.on);
        field(&mut text, "Known", row.evidence);
        text.push('\n');
    }
    text.push_str("Each is off unless it is switched by --assume ID=on.\n");
    text
}

/// The plans with what each allows, as a table.
pub(crate) fn plans() -> String {
    const SHOWN: &[(Limit, &str)] = &[
        (Limit::MaxStorage, "storage"),
        (Limit::MonthlyBandwidth, "bandwidth"),
        (Limit::MonthlyCommands, "commands"),
        (Limit::CommandsPerSecond, "commands"),
        (Limit::MaxRequestSize, "request,"),
        (Limit::MaxRecordSize, "record"),
        (Limit::MaxConnections, "connections"),
    ];
    let mut text = format!("{:<12}", "plan");
    for (_, title) in SHOWN {
        let _ = write!(text, "{title:>12}");
    }
    let _ = writeln!(
        text,
        "\n{:<12}{:>12}{:>12}{:>12}{:>12}{:>12}",
        "", "", "a month", "a month", "a second", "reply"
    );
    for plan in Plan::ALL {
        let limits = plan.limits();
        let _ = write!(text, "{:<12}", plan.id());
        for (limit, _) in SHOWN {
            let value = limit
                .of(&limits)
                .map_or("–".to_owned(), |value| match limit {
                    Limit::MonthlyCommands | Limit::CommandsPerSecond | Limit::MaxConnections => {
                        thousands(value)
                    }
                    _ => bytes(value),
                });
            let _ = write!(text, "{value:>12}");
        }
        text.push('\n');
    }
    let names: Vec<&str> = Limit::ALL.iter().map(|limit| limit.id()).collect();
    let _ = writeln!(
        text,
        "\n– is without limit. On every plan but unlimited a key has at most {}, and on every one a stream's\n\
         consumer at most {} pending entries. Bandwidth beyond a plan is slowed down, commands beyond\n\
         its rate wait, everything else is refused. No plan promises a time for scripts: script-ms and\n\
         script-ms-per-minute hold when set, or with --quirk script-time-limit=on ({} ms and {} ms).\n\n\
         --limit NAME=VALUE sets one of them; the names:",
        bytes(
            Limit::MaxKeySize
                .of(&Plan::Free.limits())
                .unwrap_or_default()
        ),
        thousands(
            Limit::PendingEntries
                .of(&Plan::Free.limits())
                .unwrap_or_default()
        ),
        thousands(SCRIPT_MS),
        thousands(SCRIPT_MS_PER_MINUTE),
    );
    for line in wrapped(&names.join(", "), WIDTH - 2) {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// A name and its text, broken into lines below each other.
fn field(text: &mut String, name: &str, value: &str) {
    const INDENT: usize = 11;
    for (index, line) in wrapped(value, WIDTH - INDENT).iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        let _ = writeln!(text, "  {name:<9}{line}");
    }
}

/// A text in lines of at most so many letters, unless a word has more.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let fits = lines.last().is_some_and(|line| {
            line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width
        });
        if !fits {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// `10 MB`, in units of 1024.
fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let mut size = value;
    let mut unit = 0;
    while size >= 1024 && size.is_multiple_of(1024) && unit + 1 < UNITS.len() {
        size /= 1024;
        unit += 1;
    }
    format!("{} {}", thousands(size), UNITS[unit])
}

/// `500,000`
fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_readable() {
        assert_eq!(bytes(262_144_000), "250 MB");
        assert_eq!(bytes(32_768), "32 KB");
        assert_eq!(bytes(1000), "1,000 B");
        assert_eq!(thousands(500_000), "500,000");
        assert_eq!(thousands(7), "7");
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("incomprehensible", 7), ["incomprehensible"]);
    }

    #[test]
    fn every_row_is_listed() {
        for row in QUIRKS {
            assert!(quirks().contains(&format!("\n{}  (", row.id)) || quirks().starts_with(row.id));
        }
        let plans = plans();
        for plan in Plan::ALL {
            assert!(plans.contains(&format!("\n{} ", plan.id())), "{plan}");
        }
        assert!(
            plans.lines().all(|line| line.chars().count() <= WIDTH),
            "{plans}"
        );
    }
}
