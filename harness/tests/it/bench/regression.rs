//! Comparisons with an earlier benchmark, over data that is made: how often they are wrong.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;
use swapcheck::bench::load::Arrival;
use swapcheck::bench::operation::{Group, Way};
use swapcheck::bench::regression::{Change, Rule, changes};
use swapcheck::bench::{
    CaseOutcome, FORMAT, HttpVersion, Measured, Outcome, Series, Settings, TargetInfo, html,
    markdown, merge,
};

use super::statistic::{ROUNDS, rounds};

/// As many as a benchmark has unless told otherwise.
const CASES: usize = 38;

/// A benchmark of made data: every figure is `factor` times what it would be.
fn benchmark(random: &mut Pcg64Mcg, factor: f64) -> Outcome {
    wandering(random, CASES, 0.3, factor)
}

/// The same with rounds that resemble their neighbours this much.
fn wandering(random: &mut Pcg64Mcg, cases: usize, likeness: f64, factor: f64) -> Outcome {
    let mut template = Measured::new("", &[], None);
    template
        .histogram
        .record(std::time::Duration::from_micros(100));
    template.count = 1;
    template.figures = template.histogram.figures();
    let mut measured = |target: &str| {
        let mut one = template.clone();
        target.clone_into(&mut one.target);
        let us = rounds(random, ROUNDS, likeness, factor);
        one.rounds = Series {
            per_second: us.iter().map(|us| 1e6 / us).collect(),
            mean_us: us.clone(),
            p50_us: us.clone(),
            p90_us: us.clone(),
            p999_us: us.clone(),
            p99_us: us,
        };
        one
    };
    let cases = (0..cases)
        .map(|index| CaseOutcome {
            id: format!("case/{index}"),
            number: index,
            operation: "case".into(),
            title: "a case".into(),
            group: Group::Command,
            way: Way::Single,
            size: 100,
            batch: 1,
            rtt_us: 0,
            commands: 1,
            writes: 0,
            bytes: 100,
            results: vec![measured("redis"), measured("mock")],
            again: None,
            comparisons: Vec::new(),
            noise: None,
        })
        .collect();
    let target = |name: &str, rest| TargetInfo {
        name: name.into(),
        description: "<made>".into(),
        version: None,
        rest,
        billable: 5,
    };
    Outcome {
        format: FORMAT,
        swapcheck: "0".into(),
        started_at: "2026-01-01T00:00:00Z".into(),
        duration_ms: 1,
        interrupted: false,
        settings: Settings {
            clients: 1,
            rate: None,
            arrival: Arrival::Poisson,
            duration_ms: 1,
            warmup_ms: 1,
            rounds: ROUNDS,
            timeout_ms: 1,
            http: HttpVersion::Http1,
            fresh: false,
            pool: None,
            jitter_us: 0,
            shard: None,
            seed: 1,
        },
        targets: vec![target("redis", false), target("mock", true)],
        generator: Vec::new(),
        cases,
        cost_rates: vec![1.0],
        costs: Vec::new(),
        warnings: vec!["a | warning <b>".into()],
    }
}

#[test]
fn at_most_one_in_a_hundred_comparisons_of_the_same_is_an_alarm() {
    // The strictest rule there is, whatever is surely more; and one with some room for a machine
    // whose pace wanders more slowly than a benchmark lasts. It holds for the run, however many
    // cases there are.
    for (rule, cases, likeness) in [
        ("p99>+0%", 1, 0.0),
        ("p99>+0%", CASES, 0.0),
        ("p99>+0%", CASES, 0.3),
        ("p99>+0%", 216, 0.3),
        ("p99>+10%", CASES, 0.9),
    ] {
        let mut random = Pcg64Mcg::seed_from_u64(21);
        let rule: Rule = rule.parse().expect("a rule");
        let alarms = (0..100)
            .filter(|_| {
                let then = wandering(&mut random, cases, likeness, 1.0);
                let now = wandering(&mut random, cases, likeness, 1.0);
                changes(&then, &now, &[rule])
                    .expect("they are alike")
                    .alarm()
            })
            .count();
        assert!(
            alarms <= 1,
            "{rule:?}, {cases}, {likeness}: {alarms} of 100"
        );
    }
}

#[test]
fn a_fifth_more_of_one_case_among_all_is_found_and_named() {
    let mut random = Pcg64Mcg::seed_from_u64(27);
    for (rule, least) in [("p99>+5%", 17), ("p99>+10%", 12)] {
        let rule: Rule = rule.parse().expect("a rule");
        let mut found = 0;
        for _ in 0..20 {
            let then = benchmark(&mut random, 1.0);
            let mut now = benchmark(&mut random, 1.0);
            let worse = benchmark(&mut random, 1.2);
            now.cases[5].results[1] = worse.cases[5].results[1].clone();
            let changes = changes(&then, &now, &[rule]).expect("they are alike");
            let place = |one: &Change| one.case == "case/5" && one.target == "mock";
            assert!(changes.all.iter().all(|one| place(one) || !one.alarm));
            let one = changes.all.iter().find(|one| place(one));
            let one = one.expect("it was compared");
            // What is not sure is said all the same.
            assert!(one.alarm || one.open, "{one:?}");
            let word = if one.alarm {
                "worse: case/5 on mock"
            } else {
                "perhaps worse"
            };
            assert!(changes.text().contains(word), "{}", changes.text());
            found += u32::from(one.alarm);
        }
        assert!(found >= least, "{rule:?}: {found} of 20");
    }
}

#[test]
fn a_case_that_fails_now_is_an_alarm_although_it_has_no_latency() {
    let mut random = Pcg64Mcg::seed_from_u64(28);
    let then = benchmark(&mut random, 1.0);
    let mut now = then.clone();
    let failed = &mut now.cases[3].results[1];
    *failed = Measured::new("mock", &[], None);
    failed.errors = 7;
    failed.first_error = Some("ERR out of order".into());
    let rule: Rule = "p99>+10%".parse().expect("a rule");
    let changes = changes(&then, &now, &[rule]).expect("they are alike");
    assert!(changes.alarm());
    let text = changes.text();
    assert!(
        text.contains("worse: case/3 on mock: 100 % of operations fail")
            && text.contains("ERR out"),
        "{text}"
    );
}

#[test]
fn a_real_fifth_more_is_an_alarm() {
    let mut random = Pcg64Mcg::seed_from_u64(22);
    let rule: Rule = "p99>+10%".parse().expect("a rule");
    let found = (0..20)
        .filter(|_| {
            let then = benchmark(&mut random, 1.0);
            let now = benchmark(&mut random, 1.2);
            changes(&then, &now, &[rule])
                .expect("they are alike")
                .alarm()
        })
        .count();
    assert!(found >= 19, "{found} of 20");
}

#[test]
fn what_was_measured_in_another_way_is_not_compared() {
    let mut random = Pcg64Mcg::seed_from_u64(23);
    let then = benchmark(&mut random, 1.0);
    let mut now = then.clone();
    now.settings.clients = 8;
    let rule: Rule = "p50>+5%".parse().expect("a rule");
    let refused = changes(&then, &now, &[rule]).expect_err("8 clients are not 1");
    assert!(refused.contains("same flags"), "{refused}");
    assert!(merge(vec![then.clone(), now]).is_err());
    assert!(merge(Vec::new()).is_err());
}

#[test]
fn parts_of_several_machines_make_one() {
    let mut random = Pcg64Mcg::seed_from_u64(24);
    let mut first = benchmark(&mut random, 1.0);
    let mut second = benchmark(&mut random, 1.0);
    first.settings.shard = Some("1/2".into());
    second.settings.shard = Some("2/2".into());
    second.started_at = "2026-01-01T00:00:01Z".into();
    second.cases.remove(0);
    second.cases[0].id = "another".into();
    let whole = merge(vec![first, second]).expect("they fit");
    assert_eq!(whole.cases.len(), CASES + 1);
    let of = |id: &str| {
        let case = whole.cases.iter().find(|case| case.id == id);
        let one = &case.expect("it is there").results[0];
        assert_eq!(one.histogram.count(), one.count);
        (one.count, one.rounds.p50_us.len())
    };
    assert_eq!(of("case/0"), (1, ROUNDS));
    assert_eq!(of("case/2"), (2, 2 * ROUNDS));
    assert_eq!(
        (whole.targets[0].billable, whole.settings.shard),
        (10, None)
    );
}

#[test]
fn parts_merged_are_the_whole() {
    let mut random = Pcg64Mcg::seed_from_u64(26);
    let mut whole = benchmark(&mut random, 1.0);
    whole.cases.iter_mut().for_each(CaseOutcome::compare);
    let part = |number: usize| {
        let mut part = whole.clone();
        part.settings.shard = Some(format!("{number}/3"));
        part.started_at = format!("2026-01-01T00:00:0{number}Z");
        part.cases.retain(|case| case.number % 3 == number - 1);
        part
    };
    let merged = merge(vec![part(2), part(3), part(1)]).expect("they fit");
    assert_eq!(merged.cases, whole.cases);
    assert_eq!(merged.settings, whole.settings);
    assert!(!merged.warnings.iter().any(|one| one.contains("missing")));

    let two = merge(vec![part(1), part(3)]).expect("they fit");
    let missing = two.warnings.iter().find(|one| one.contains("missing"));
    assert!(missing.is_some_and(|one| one.contains("2/3")), "{two:?}");
    let twice = merge(vec![part(1), part(1)]).expect_err("it is the same one");
    assert!(twice.contains("given twice"), "{twice}");
}

#[test]
fn reports_show_every_case_and_escape_what_others_wrote() {
    let mut random = Pcg64Mcg::seed_from_u64(25);
    let mut outcome = benchmark(&mut random, 1.0);
    outcome.cases.iter_mut().for_each(CaseOutcome::compare);
    let page = html(&outcome).expect("a page");
    assert!(page.contains("case/25") && !page.contains("<made>") && page.contains("<svg"));
    assert!(!page.contains("http://") && !page.contains("https://"));
    let text = markdown(&outcome);
    assert!(
        text.contains("| case/25 |") && text.contains("a \\| warning &lt;b>"),
        "{text}"
    );
}
