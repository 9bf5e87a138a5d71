//! Checkers of histories, on histories that are right and on ones that are wrong.

use proptest::prelude::*;
use scenarios::history::delivery::{self, Promise};
use scenarios::history::freshness::{self, Audience};
use scenarios::history::limit::{self, Limiter};
use scenarios::history::linearizable::{Linearizability, Model, SEARCH_LIMIT, check, search};
use scenarios::history::model::{Lock, Queue, Register};
use scenarios::history::{
    Ended, History, Operation, Value, Violation, counting, holding, order, print,
};

/// An operation on `x`, from when to when in µs.
fn op(
    client: usize,
    name: &'static str,
    input: impl Into<Value>,
    time: (u64, u64),
    output: impl Into<Value>,
) -> Operation {
    Operation {
        client,
        name,
        object: "x".to_owned(),
        input: input.into(),
        invoked_us: time.0,
        ended_us: time.1,
        ended: Ended::Returned(output.into()),
    }
}

fn unknown(operation: Operation) -> Operation {
    Operation {
        ended: Ended::Unknown("timed out".to_owned()),
        ..operation
    }
}

fn verdict<M: Model>(model: &M, operations: &[Operation]) -> Linearizability {
    search(model, operations, SEARCH_LIMIT)
}

fn what(checked: Result<(), Violation>) -> String {
    checked.expect_err("a violation").what
}

#[test]
fn a_read_may_see_a_write_that_is_under_way_but_not_go_back() {
    let write = op(0, "write", "a", (0, 100), true);
    let sees = op(1, "read", Value::Nil, (10, 20), "a");
    let back = op(1, "read", Value::Nil, (30, 40), Value::Nil);
    let right = [write.clone(), sees.clone()];
    assert_eq!(verdict(&Register, &right), Linearizability::Yes);
    let wrong = [write, sees, back];
    assert_eq!(verdict(&Register, &wrong), Linearizability::No);
}

#[test]
fn an_operation_of_unknown_outcome_may_happen_late_or_never() {
    let lost = unknown(op(0, "write", "a", (0, 5), true));
    let before = op(1, "read", Value::Nil, (10, 20), Value::Nil);
    let after = op(1, "read", Value::Nil, (30, 40), "a");
    let again = op(1, "read", Value::Nil, (50, 60), Value::Nil);
    let late = [lost.clone(), before.clone(), after.clone()];
    assert_eq!(verdict(&Register, &late), Linearizability::Yes);
    assert_eq!(
        verdict(&Register, &[lost.clone(), before]),
        Linearizability::Yes
    );
    assert_eq!(
        verdict(&Register, &[lost, after, again]),
        Linearizability::No
    );
}

#[test]
fn a_swap_that_did_not_see_the_value_is_wrong() {
    let write = op(0, "write", "a", (0, 5), true);
    let swap = |worked| op(1, "swap", ["a".into(), "b".into()], (10, 20), worked);
    assert_eq!(
        verdict(&Register, &[write.clone(), swap(true)]),
        Linearizability::Yes
    );
    assert_eq!(
        verdict(&Register, &[write, swap(false)]),
        Linearizability::No
    );
}

#[test]
fn a_lock_is_not_granted_twice_and_a_queue_keeps_its_order() {
    let acquire = |client, token: &str, time| op(client, "acquire", token, time, true);
    let twice = [acquire(0, "a", (0, 5)), acquire(1, "b", (10, 15))];
    assert_eq!(verdict(&Lock, &twice), Linearizability::No);
    let released = op(0, "release", "a", (6, 12), true);
    let handed = [twice[0].clone(), released, twice[1].clone()];
    assert_eq!(verdict(&Lock, &handed), Linearizability::Yes);

    let push = |job: &str, time| op(0, "push", job, time, Value::Nil);
    let take = |job: &str, time| op(1, "take", Value::Nil, time, job);
    let pushed = [push("one", (0, 5)), push("two", (10, 15))];
    let overtaken = [&pushed[..], &[take("two", (20, 25))]].concat();
    assert_eq!(verdict(&Queue, &overtaken), Linearizability::No);
    let right = [&pushed[..], &[take("one", (20, 25))]].concat();
    assert_eq!(verdict(&Queue, &right), Linearizability::Yes);
}

#[test]
fn the_slice_of_a_violation_has_only_what_shows_it() {
    let mut operations = Vec::new();
    for number in 0..40_u64 {
        let at = number * 100;
        let value = format!("v{number}");
        operations.push(op(0, "write", value.as_str(), (at, at + 10), true));
        operations.push(op(
            1,
            "read",
            Value::Nil,
            (at + 20, at + 30),
            value.as_str(),
        ));
    }
    operations.push(op(2, "read", Value::Nil, (3_950, 3_960), "v37"));
    let history = History::new(operations);
    let violation = check(&Register, &history).expect_err("a stale read");
    assert!(
        violation.slice.len() <= 4,
        "{}",
        print::slice(&violation.slice)
    );
    let text = print::slice(&violation.slice);
    assert!(text.contains("c2") && text.contains("→ v37"), "{text}");
}

#[test]
fn holders_that_overlap_are_caught_and_leases_that_ran_out_are_not() {
    let acquire = |client, token: &str, at| {
        let input = [token.into(), Value::Integer(1_000)];
        op(client, "acquire", input, (at, at + 10), true)
    };
    let overlap = History::new(vec![acquire(0, "a", 0), acquire(1, "b", 500)]);
    let violation = holding::at_most(1, &overlap).expect_err("two holders");
    assert_eq!(violation.what, "two clients held x at the same time");
    assert_eq!(violation.slice.len(), 2);
    assert_eq!(holding::at_most(2, &overlap), Ok(()));
    let expired = History::new(vec![acquire(0, "a", 0), acquire(1, "b", 950)]);
    assert_eq!(holding::at_most(1, &expired), Ok(()));
    let robbed = op(0, "release", "a", (400, 410), false);
    let robbed = History::new(vec![acquire(0, "a", 0), robbed]);
    assert!(what(holding::at_most(1, &robbed)).contains("had not run out"));
}

#[test]
fn nobody_is_refused_what_nobody_can_hold() {
    let acquire = |client, token: &str, at, granted: bool| {
        let input = [token.into(), Value::Integer(10_000)];
        op(client, "acquire", input, (at, at + 10), granted)
    };
    let release = |token: &str, at, held: bool| op(0, "release", token, (at, at + 10), held);
    let at_most_one =
        |operations: &[Operation]| holding::at_most(1, &History::new(operations.to_vec()));
    let held = [acquire(0, "a", 0, true), acquire(1, "b", 10_500, false)];
    assert_eq!(at_most_one(&held), Ok(()));
    // Its lease is over, with what clocks may differ by.
    let outlived = [acquire(0, "a", 0, true), acquire(1, "b", 16_100, false)];
    let violation = at_most_one(&outlived).expect_err("a lease that does not end");
    assert!(
        violation.what.contains("lease had run out"),
        "{violation:?}"
    );
    assert_eq!(violation.slice.len(), 2);
    let given_back = [
        acquire(0, "a", 0, true),
        release("a", 100, true),
        acquire(1, "b", 200, false),
    ];
    assert!(what(at_most_one(&given_back)).contains("there was room"));
    // Of two operations at a time either may have been the first.
    let meanwhile = [
        acquire(0, "a", 0, true),
        release("a", 100, true),
        acquire(1, "b", 105, false),
    ];
    assert_eq!(at_most_one(&meanwhile), Ok(()));
    // One that was not answered may have it, now or later.
    let perhaps = [
        unknown(acquire(0, "a", 0, true)),
        acquire(1, "b", 99_999, false),
    ];
    assert_eq!(at_most_one(&perhaps), Ok(()));
    assert!(at_most_one(&[acquire(1, "b", 0, false)]).is_err());
    let two = [acquire(0, "a", 0, true), acquire(1, "b", 100, false)];
    let of_two = holding::at_most(2, &History::new(two.to_vec()));
    assert!(what(of_two).contains("there was room"));
}

#[test]
fn jobs_that_crashed_consumers_had_are_given_to_others_in_time_and_to_nobody_for_ever() {
    let job = |name, client, input: Value, time| op(client, name, input, time, "j");
    let push = op(0, "push", "j", (0, 10), Value::Nil);
    let take = job("take", 1, Value::Nil, (100, 110));
    let reclaim = |client, at| job("reclaim", client, Value::Integer(50_000), (at, at + 10));
    let finish = |at, removed: bool| op(2, "finish", "j", (at, at + 10), removed);
    let drain = op(9, "drain", Value::Nil, (900_000, 900_000), true);
    let checked = |operations: &[&Operation]| {
        let operations = operations.iter().map(|one| (*one).clone()).collect();
        delivery::check(Promise::UntilFinished, &History::new(operations))
    };
    let (in_time, hasty) = (reclaim(2, 60_000), reclaim(2, 20_000));
    let done = finish(70_000, true);
    assert_eq!(checked(&[&push, &take, &in_time, &done, &drain]), Ok(()));
    assert!(what(checked(&[&push, &take, &hasty])).contains("idle for long enough"));
    // Two at a time, though the one that took it was idle.
    let also = reclaim(3, 60_005);
    assert!(what(checked(&[&push, &take, &in_time, &also])).contains("idle for long enough"));
    let again = reclaim(3, 200_000);
    assert!(what(checked(&[&push, &take, &in_time, &done, &again])).contains("again after"));
    // Who crashed while finishing may have finished; who crashed while taking has lost nothing.
    let perhaps = unknown(finish(70_000, true));
    assert_eq!(checked(&[&push, &take, &perhaps, &drain]), Ok(()));
    let lost_answer = unknown(op(1, "take", Value::Nil, (100, 110), Value::Nil));
    assert!(what(checked(&[&push, &lost_answer, &drain])).contains("lost"));
    let stranded = op(9, "stranded", Value::Nil, (800_000, 800_000), 1);
    let crash = op(1, "crash", "j", (200, 200), Value::Nil);
    let violation = checked(&[&push, &take, &crash, &stranded]).expect_err("a stranded job");
    assert!(
        violation.what.contains("stay with consumers"),
        "{violation:?}"
    );
}

#[test]
fn counts_and_accounts_that_have_too_much_or_too_little_are_caught() {
    let add = |at, count: i64| op(0, "add", Value::Nil, (at, at + 5), count);
    let twice = History::new(vec![add(0, 1), add(10, 3)]);
    assert!(what(counting::counter(&twice)).contains("no more than 2 increments"));
    let lost = unknown(add(5, 0));
    let perhaps = History::new(vec![add(0, 1), lost, add(10, 3)]);
    assert_eq!(counting::counter(&perhaps), Ok(()));

    let transfer = |at, done: bool| {
        let moved = [Value::Integer(30), "a to b".into()];
        op(0, "transfer", moved, (at, at + 5), done)
    };
    let balance = |account: &str, held: i64| Operation {
        object: account.to_owned(),
        ..op(1, "balance", 100, (900, 910), held)
    };
    let accounts = |operations: &[Operation], a, b| {
        let mut all = operations.to_vec();
        all.extend([balance("a", a), balance("b", b)]);
        counting::sum(&History::new(all))
    };
    let called_off = [transfer(0, true), transfer(10, false)];
    assert_eq!(accounts(&called_off, 70, 130), Ok(()));
    assert!(what(accounts(&called_off, 100, 100)).contains("lost, or done twice"));
    assert!(what(accounts(&called_off, 40, 160)).contains("lost, or done twice"));
    let unsure = [transfer(0, true), unknown(transfer(10, true))];
    assert_eq!(accounts(&unsure, 40, 160), Ok(()));
}

#[test]
fn what_nobody_wrote_is_not_read_and_who_is_not_late_may_write() {
    let write = |at, version: i64| op(0, "write", version, (at, at + 5), Value::Nil);
    let read = |at, version: i64| op(1, "read", Value::Nil, (at, at + 5), version);
    let fresh = |operations: &[Operation]| {
        freshness::check(Audience::Everybody, &History::new(operations.to_vec()))
    };
    assert_eq!(fresh(&[write(0, 1), read(3, 1)]), Ok(()));
    assert_eq!(fresh(&[unknown(write(0, 1)), read(90, 1)]), Ok(()));
    assert!(what(fresh(&[write(0, 1), read(10, 7)])).contains("nobody had written"));
    assert!(what(fresh(&[read(0, 1), write(50, 1)])).contains("nobody had written"));

    let store = |at, token: i64, stored: bool| op(0, "store", token, (at, at + 5), stored);
    let fenced = |operations: &[Operation]| holding::fenced(&History::new(operations.to_vec()));
    assert_eq!(fenced(&[store(0, 2, true), store(10, 1, false)]), Ok(()));
    assert_eq!(
        fenced(&[unknown(store(0, 2, true)), store(90, 1, false)]),
        Ok(())
    );
    assert!(what(fenced(&[store(0, 1, true), store(10, 2, false)])).contains("was refused"));
    assert!(what(fenced(&[store(0, 1, false)])).contains("was refused"));
}

#[test]
fn fencing_tokens_rise_and_flights_are_single() {
    let grant = |at, token: i64| op(0, "grant", "t", (at, at + 5), token);
    assert_eq!(
        holding::fenced(&History::new(vec![grant(0, 1), grant(10, 2)])),
        Ok(())
    );
    assert!(holding::fenced(&History::new(vec![grant(0, 2), grant(10, 2)])).is_err());
    let store = |at, token: i64| op(0, "store", token, (at, at + 5), true);
    assert!(holding::fenced(&History::new(vec![store(0, 2), store(10, 1)])).is_err());
    let compute = |client| op(client, "compute", Value::Nil, (0, 10), Value::Nil);
    assert_eq!(holding::once(&History::new(vec![compute(0)])), Ok(()));
    assert!(holding::once(&History::new(vec![compute(0), compute(1)])).is_err());
}

#[test]
fn jobs_lost_doubled_early_or_invented_are_caught() {
    let push = op(
        0,
        "push",
        ["j".into(), Value::Integer(50)],
        (0, 10),
        Value::Nil,
    );
    let take = |at| op(1, "take", Value::Nil, (at, at + 5), "j");
    let drain = op(2, "drain", Value::Nil, (900, 910), true);
    let once = |operations: &[&Operation]| {
        let operations = operations.iter().map(|one| (*one).clone()).collect();
        delivery::check(Promise::Once, &History::new(operations))
    };
    assert_eq!(once(&[&push, &take(100), &drain]), Ok(()));
    assert!(what(once(&[&push, &take(100), &take(200)])).contains("twice"));
    assert!(what(once(&[&push, &take(20)])).contains("before it was due"));
    assert!(what(once(&[&take(100)])).contains("never pushed"));
    assert!(what(once(&[&push, &drain])).contains("lost"));
    let refused = Operation {
        ended: Ended::Failed("refused".to_owned()),
        ..push.clone()
    };
    assert_eq!(once(&[&refused, &drain]), Ok(()));
    let maybe = unknown(take(100));
    assert_eq!(once(&[&push, &maybe, &drain]), Ok(()));
    let operations = vec![push, take(100), drain];
    let unfinished = delivery::check(Promise::UntilFinished, &History::new(operations));
    assert!(what(unfinished).contains("lost"));
}

#[test]
fn stale_reads_lost_counts_wrong_sums_and_missing_messages_are_caught() {
    let write = |at, version: i64| op(0, "write", version, (at, at + 5), Value::Nil);
    let read = |client, at, version: i64| op(client, "read", Value::Nil, (at, at + 5), version);
    let own = History::new(vec![write(0, 1), write(10, 2), read(0, 20, 1)]);
    assert!(what(freshness::check(Audience::Oneself, &own)).contains("its own write"));
    let others = History::new(vec![write(0, 1), write(10, 2), read(1, 20, 1)]);
    assert_eq!(freshness::check(Audience::Oneself, &others), Ok(()));
    assert!(freshness::check(Audience::Everybody, &others).is_err());
    let back = History::new(vec![read(1, 0, 2), read(1, 20, 1)]);
    assert!(freshness::check(Audience::Oneself, &back).is_err());

    let add = |at, count: i64| op(0, "add", Value::Nil, (at, at + 5), count);
    assert_eq!(
        counting::counter(&History::new(vec![add(0, 1), add(10, 2), read(1, 20, 2)])),
        Ok(())
    );
    assert!(
        what(counting::counter(&History::new(vec![
            add(0, 1),
            add(10, 1)
        ])))
        .contains("lost")
    );
    assert!(counting::counter(&History::new(vec![add(0, 1), add(10, 2), read(1, 20, 1)])).is_err());
    let total = op(0, "total", 100, (0, 5), 90);
    assert!(counting::sum(&History::new(vec![total])).is_err());

    let message = |number: i64| Value::from(["p".into(), number.into()]);
    let publish = |number| op(0, "publish", message(number), (0, 5), Value::Nil);
    let receive = |number, at| op(1, "receive", Value::Nil, (at, at), message(number));
    let quiet = op(1, "quiet", Value::Nil, (900, 900), Value::Nil);
    let heard = |received: &[(i64, u64)]| {
        let mut all = vec![publish(1), publish(2), quiet.clone()];
        all.extend(received.iter().map(|(number, at)| receive(*number, *at)));
        order::check(&History::new(all))
    };
    assert_eq!(heard(&[(1, 10), (2, 20)]), Ok(()));
    assert!(what(heard(&[(2, 10), (1, 20)])).contains("out of order"));
    assert!(what(heard(&[(1, 10)])).contains("missed"));
    assert!(what(heard(&[(1, 10), (2, 20), (2, 30)])).contains("twice"));
}

/// What an honest limiter answers to calls at these moments.
fn limited(limiter: Limiter, moments: &[i64], mutate: Option<usize>) -> History {
    let (limit, window) = (3_i64, 100_i64);
    let mut granted: Vec<i64> = Vec::new();
    let mut calls = Vec::new();
    for (at, moment) in moments.iter().enumerate() {
        let count = |from: i64, to: i64| {
            granted
                .iter()
                .filter(|one| (from..to).contains(*one))
                .count() as i64
        };
        let start = moment - moment % window;
        let mut room = match limiter {
            Limiter::FixedWindow => count(start, start + window) < limit,
            Limiter::SlidingLog => count(moment - window + 1, moment + 1) < limit,
            Limiter::SlidingWindow => {
                count(start - window, start) * (window - (moment - start))
                    + count(start, start + window) * window
                    < limit * window
            }
            Limiter::TokenBucket => {
                let (mut tokens, mut last) = (limit * window, granted.first().copied());
                for one in &granted {
                    tokens = (tokens + (one - last.unwrap_or(*one)) * limit).min(limit * window);
                    tokens -= window;
                    last = Some(*one);
                }
                let elapsed = moment - last.unwrap_or(*moment);
                (tokens + elapsed * limit).min(limit * window) >= window
            }
        };
        if mutate == Some(at) {
            room = !room;
        }
        if room {
            granted.push(*moment);
        }
        let time = (at as u64 * 10, at as u64 * 10 + 5);
        let output = [Value::Bool(room), Value::Integer(*moment)];
        calls.push(op(0, "call", [limit.into(), window.into()], time, output));
    }
    History::new(calls)
}

const LIMITERS: [Limiter; 4] = [
    Limiter::FixedWindow,
    Limiter::SlidingLog,
    Limiter::SlidingWindow,
    Limiter::TokenBucket,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn honest_limiters_are_accepted_and_a_wrong_last_answer_is_not(
        gaps in prop::collection::vec(0_i64..60, 1..60),
    ) {
        let moments: Vec<i64> = gaps
            .iter()
            .scan(1_000, |at, gap| { *at += gap; Some(*at) })
            .collect();
        for limiter in LIMITERS {
            prop_assert!(limit::check(limiter, &limited(limiter, &moments, None)).is_ok());
            // Alone at its moment: of calls at one moment the order is not known.
            let mut moments = moments.clone();
            moments.push(moments[moments.len() - 1] + 1);
            let wrong = limited(limiter, &moments, Some(moments.len() - 1));
            prop_assert!(limit::check(limiter, &wrong).is_err(), "{limiter:?}");
        }
    }
}
