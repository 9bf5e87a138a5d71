//! Comparisons with an earlier benchmark, over data that is made: how often they are wrong.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;
use swapcheck::bench::load::Arrival;
use swapcheck::bench::operation::Group;
use swapcheck::bench::regression::{Rule, changes};
use swapcheck::bench::{
    CaseOutcome, FORMAT, HttpVersion, Measured, Outcome, Round, Settings, TargetInfo, html,
    markdown, merge,
};

use super::statistic::rounds;

const CASES: usize = 26;

/// A benchmark of made data: every p99 is `factor` times what it would be.
fn benchmark(random: &mut Pcg64Mcg, factor: f64) -> Outcome {
    let mut measured = |target: &str| {
        let mut one = Measured::new(target, &[], None, None);
        one.rounds = rounds(random, 20, 0.3, factor)
            .into_iter()
            .map(|us| Round {
                mean_us: us,
                p50_us: us,
                p90_us: us,
                p99_us: us,
                p999_us: us,
                per_second: 1e6 / us,
            })
            .collect();
        one.histogram.record(std::time::Duration::from_micros(100));
        one.count = 1;
        one.figures = one.histogram.figures();
        one
    };
    let cases = (0..CASES)
        .map(|index| CaseOutcome {
            id: format!("case/{index}"),
            title: "a case".into(),
            group: Group::Command,
            size: 100,
            batch: 1,
            rtt_us: 0,
            commands: 1,
            writes: 0,
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
            rounds: 20,
            timeout_ms: 1,
            http: HttpVersion::Http1,
            fresh: false,
            jitter_us: 0,
            shard: None,
            seed: 1,
        },
        targets: vec![target("redis", false), target("mock", true)],
        generator: Vec::new(),
        cases,
        warnings: vec!["a | warning <b>".into()],
    }
}

#[test]
fn at_most_one_in_a_hundred_comparisons_of_the_same_is_an_alarm() {
    let mut random = Pcg64Mcg::seed_from_u64(21);
    // The strictest rule there is: whatever is surely more.
    let rule: Rule = "p99>+0%".parse().expect("a rule");
    let alarms = (0..200)
        .filter(|_| {
            let then = benchmark(&mut random, 1.0);
            let now = benchmark(&mut random, 1.0);
            changes(&then, &now, &[rule])
                .expect("they are alike")
                .alarm()
        })
        .count();
    assert!(alarms <= 2, "{alarms} of 200");
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
    second.cases.remove(0);
    second.cases[0].id = "another".into();
    let whole = merge(vec![first, second]).expect("they fit");
    assert_eq!(whole.cases.len(), CASES + 1);
    assert_eq!(
        (
            whole.cases[0].results[0].count,
            whole.cases[0].results[0].rounds.len()
        ),
        (1, 20)
    );
    assert_eq!(
        (
            whole.cases[2].results[0].count,
            whole.cases[2].results[0].rounds.len()
        ),
        (2, 40)
    );
    assert_eq!(whole.cases[2].results[0].histogram.count(), 2);
    assert_eq!(
        (whole.targets[0].billable, whole.settings.shard),
        (10, None)
    );
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
