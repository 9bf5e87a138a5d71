//! What criterion measured, read from the files it leaves, as a table.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

/// One benchmark's result. Times are in nanoseconds for one iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The group it belongs to.
    pub group: String,
    /// Its name in the group.
    pub name: String,
    /// How large what it works on is, where it was measured at several sizes.
    pub size: Option<u64>,
    /// The median.
    pub median: f64,
    /// The lower end of the median's interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// What one iteration does, and of what.
    pub throughput: Option<(f64, &'static str)>,
}

/// What others of a group are held against, where it is there.
const BASELINES: [&str; 2] = ["bare axum", "redis-server"];

/// All results that were written since then, by group and name.
///
/// # Errors
/// When the folder cannot be read.
pub fn estimates(folder: &Path, since: SystemTime) -> io::Result<Vec<Estimate>> {
    let mut all = Vec::new();
    collect(folder, since, &mut all)?;
    all.sort_by(|a, b| (&a.group, &a.name, a.size).cmp(&(&b.group, &b.name, b.size)));
    Ok(all)
}

fn collect(folder: &Path, since: SystemTime, all: &mut Vec<Estimate>) -> io::Result<()> {
    let figures = folder.join("new/estimates.json");
    let fresh = fs::metadata(&figures)
        .and_then(|data| data.modified())
        .is_ok_and(|modified| modified >= since);
    if fresh {
        all.extend(read(&figures, &folder.join("new/benchmark.json")));
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Links could lead in a circle; criterion makes none.
        if path.is_dir() && !path.is_symlink() {
            collect(&path, since, all)?;
        }
    }
    Ok(())
}

fn read(figures: &Path, about: &Path) -> Option<Estimate> {
    let json =
        |path: &Path| -> Option<Value> { serde_json::from_slice(&fs::read(path).ok()?).ok() };
    let (figures, about) = (json(figures)?, json(about)?);
    let median = &figures["median"];
    let interval = &median["confidence_interval"];
    let text = |field: &str| about[field].as_str().map(str::to_owned);
    let group = text("group_id")?;
    let each = &about["throughput"];
    let throughput = [("Elements", ""), ("Bytes", "B")]
        .into_iter()
        .find_map(|(field, unit)| Some((each[field].as_f64()?, unit)));
    let name = text("function_id").unwrap_or_else(|| group.clone());
    Some(Estimate {
        size: text("value_str").and_then(|size| size.parse().ok()),
        name,
        group,
        median: median["point_estimate"].as_f64()?,
        low: interval["lower_bound"].as_f64()?,
        high: interval["upper_bound"].as_f64()?,
        throughput,
    })
}

/// The results of one group as a Markdown table; by size, where there are sizes.
pub fn table(members: &[&Estimate]) -> String {
    let mut sizes: Vec<u64> = members.iter().filter_map(|one| one.size).collect();
    if !sizes.is_empty() {
        sizes.sort_unstable();
        sizes.dedup();
        return growth(members, &sizes);
    }
    let mut text = "| benchmark | time | interval | per second | ratio |\n\
                    | --- | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for one in members {
        let ratio = baseline(one, members).map_or_else(String::new, |base| {
            format!("×{:.2} of {}", one.median / base.median, base.name)
        });
        let each = one.throughput.map_or_else(String::new, |(each, unit)| {
            per_second(each * 1e9 / one.median, unit)
        });
        let _ = writeln!(
            text,
            "| {} | {} | {} to {} | {each} | {ratio} |",
            one.name,
            time(one.median),
            time(one.low),
            time(one.high),
        );
    }
    text
}

/// Times by size, and how many times as long the largest takes as the smallest.
fn growth(members: &[&Estimate], sizes: &[u64]) -> String {
    let mut text = "| benchmark |".to_owned();
    for size in sizes {
        let _ = write!(text, " of {size} |");
    }
    let _ = writeln!(
        text,
        " growth |\n| --- |{} ---: |",
        " ---: |".repeat(sizes.len())
    );
    let mut names: Vec<&str> = members.iter().map(|one| one.name.as_str()).collect();
    names.dedup();
    for name in names {
        let at = |size: u64| {
            let mut all = members.iter();
            let found = all.find(|one| one.name == name && one.size == Some(size));
            found.map(|one| one.median)
        };
        let _ = write!(text, "| {name} |");
        for size in sizes {
            let _ = write!(text, " {} |", at(*size).map_or_else(String::new, time));
        }
        let ends = sizes.first().zip(sizes.last());
        let ends = ends.and_then(|(first, last)| Some(at(*last)? / at(*first)?));
        let _ = writeln!(
            text,
            " {} |",
            ends.map_or_else(String::new, |times| format!("×{times:.1}"))
        );
    }
    text
}

/// What a result is held against: the baseline of its group, or what RESP takes for the same.
fn baseline<'a>(one: &Estimate, members: &[&'a Estimate]) -> Option<&'a Estimate> {
    let named = |name: &str| members.iter().find(|member| member.name == name).copied();
    let base = BASELINES.iter().find_map(|name| named(name));
    base.or_else(|| named(&format!("RESP{}", one.name.strip_prefix("REST")?)))
        .filter(|base| base.name != one.name)
}

/// Nanoseconds, as people read them.
fn time(nanos: f64) -> String {
    match nanos {
        _ if nanos < 1e3 => format!("{nanos:.1} ns"),
        _ if nanos < 1e6 => format!("{:.2} µs", nanos / 1e3),
        _ if nanos < 1e9 => format!("{:.2} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}

fn per_second(rate: f64, unit: &str) -> String {
    let (rate, scale) = match rate {
        _ if rate >= 1e9 => (rate / 1e9, "G"),
        _ if rate >= 1e6 => (rate / 1e6, "M"),
        _ if rate >= 1e3 => (rate / 1e3, "k"),
        _ => (rate, ""),
    };
    let unit = format!("{scale}{unit}");
    format!(
        "{rate:.1}{}{unit}/s",
        if unit.is_empty() { "" } else { " " }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(name: &str, median: f64) -> Estimate {
        Estimate {
            group: "g".into(),
            name: name.into(),
            size: None,
            median,
            low: median * 0.9,
            high: median * 1.1,
            throughput: Some((50.0, "")),
        }
    }

    #[test]
    fn others_are_held_against_the_baseline_of_their_group() {
        let (axum, get) = (estimate("bare axum", 20_000.0), estimate("GET", 25_000.0));
        let text = table(&[&axum, &get]);
        assert!(
            text.contains(
                "| GET | 25.00 µs | 22.50 µs to 27.50 µs | 2.0 M/s | ×1.25 of bare axum |"
            )
        );
        assert!(text.contains("| bare axum | 20.00 µs | 18.00 µs to 22.00 µs | 2.5 M/s |  |"));
        let (rest, resp) = (estimate("REST, SET", 300.0), estimate("RESP, SET", 100.0));
        assert!(table(&[&rest, &resp]).contains("×3.00 of RESP, SET"));
    }

    #[test]
    fn sizes_stand_beside_each_other() {
        let at = |name: &str, size, median| Estimate {
            size: Some(size),
            ..estimate(name, median)
        };
        let all = [
            at("SCAN", 100, 50.0),
            at("SCAN", 1000, 60.0),
            at("ZADD", 100, 400.0),
            at("ZADD", 1000, 1_000.0),
        ];
        let text = table(&all.iter().collect::<Vec<_>>());
        assert!(
            text.starts_with("| benchmark | of 100 | of 1000 | growth |"),
            "{text}"
        );
        assert!(
            text.contains("| SCAN | 50.0 ns | 60.0 ns | ×1.2 |"),
            "{text}"
        );
        assert!(
            text.contains("| ZADD | 400.0 ns | 1.00 µs | ×2.5 |"),
            "{text}"
        );
    }

    #[test]
    fn what_criterion_left_is_read_and_what_is_older_is_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let new = folder.path().join("g/one/new");
        fs::create_dir_all(&new).expect("a folder");
        let figures = r#"{"median":{"point_estimate":12.5,"confidence_interval":{"lower_bound":12,"upper_bound":13}}}"#;
        let about = r#"{"group_id":"g","function_id":"one","throughput":{"Bytes":100}}"#;
        fs::write(new.join("estimates.json"), figures).expect("it is written");
        fs::write(new.join("benchmark.json"), about).expect("it is written");
        let all = estimates(folder.path(), SystemTime::UNIX_EPOCH).expect("it is read");
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].name.as_str(), all[0].median), ("one", 12.5));
        assert_eq!(all[0].throughput, Some((100.0, "B")));
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        assert_eq!(estimates(folder.path(), later).expect("it is read"), []);
    }
}
