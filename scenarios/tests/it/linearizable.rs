//! The search for an order, and the algorithms that stand in for it: on random histories of correct
//! objects, on the same with an answer changed, and against trying out every order.

use std::collections::VecDeque;

use proptest::prelude::*;
use scenarios::history::linearizable::{Linearizability, Model, SEARCH_LIMIT, check, search};
use scenarios::history::model::{Lock, Queue, Register};
use scenarios::history::search::{Found, order};
use scenarios::history::{Ended, History, Operation, Value};

/// What a client asks of an object, and how it fares: what it does, which of the values known so far
/// it names, how long before and after its moment it is under way, and how it ends.
type Choice = (u8, usize, u64, u64, u8);

/// Moments are 10 µs apart, and an operation is under way for up to 40 µs before and after its own:
/// up to eight at a time. One in five has no known outcome; half of those took place.
fn choices(most: usize) -> impl Strategy<Value = Vec<Choice>> {
    let choice = (0_u8..10, 0_usize..100, 0_u64..40, 0_u64..40, 0_u8..10);
    prop::collection::vec(choice, 1..most)
}

/// What an object does when it is asked: the operation, its arguments, its answer.
type Deed = (&'static str, Value, Value);

/// A correct object, written another way than the models are.
trait Object: Default + Clone {
    type Model: Model + Default;

    fn perform(&mut self, at: usize, what: u8, which: usize) -> Deed;
}

#[derive(Default, Clone)]
struct AnyRegister {
    /// All that was written, the last of them last.
    written: Vec<Value>,
    held: Option<Value>,
}

impl Object for AnyRegister {
    type Model = Register;

    fn perform(&mut self, at: usize, what: u8, which: usize) -> Deed {
        let held = self.held.clone().unwrap_or(Value::Nil);
        let new = Value::Text(format!("v{at}"));
        let (deed, writes) = match what {
            0..4 => (("read", Value::Nil, held), false),
            4..7 => (("write", new.clone(), true.into()), true),
            _ => {
                // Every other swap knows what is there.
                let old = self.written.get(which % (2 * self.written.len() + 1));
                let expected = old.cloned().unwrap_or_else(|| held.clone());
                let swaps = expected == held;
                (
                    ("swap", [expected, new.clone()].into(), swaps.into()),
                    swaps,
                )
            }
        };
        if writes {
            self.written.push(new.clone());
            self.held = Some(new);
        }
        deed
    }
}

#[derive(Default, Clone)]
struct AnyLock {
    holder: Option<Value>,
}

impl Object for AnyLock {
    type Model = Lock;

    fn perform(&mut self, at: usize, what: u8, which: usize) -> Deed {
        let token = Value::Text(format!("t{at}"));
        if what < 5 {
            let free = self.holder.is_none();
            if free {
                self.holder = Some(token.clone());
            }
            return ("acquire", token, free.into());
        }
        let token = match &self.holder {
            Some(holder) if which.is_multiple_of(2) => holder.clone(),
            _ => token,
        };
        let holds = self.holder.as_ref() == Some(&token);
        if holds {
            self.holder = None;
        }
        ("release", token, holds.into())
    }
}

#[derive(Default, Clone)]
struct AnyQueue(VecDeque<Value>);

impl Object for AnyQueue {
    type Model = Queue;

    fn perform(&mut self, at: usize, what: u8, _: usize) -> Deed {
        if what < 5 {
            let job = Value::Text(format!("j{at}"));
            self.0.push_back(job.clone());
            return ("push", job, Value::Nil);
        }
        let job = self.0.pop_front();
        ("take", Value::Nil, job.unwrap_or(Value::Nil))
    }
}

/// A right history of an object: operations take effect one by one, and each began and ended some
/// time around that.
fn right<O: Object>(choices: &[Choice]) -> Vec<Operation> {
    let mut object = O::default();
    let operation = |(at, (what, which, before, after, fate)): (usize, &Choice)| {
        let (name, input, output) = match fate {
            0 => object.clone().perform(at, *what, *which),
            _ => object.perform(at, *what, *which),
        };
        let moment = 1_000 + at as u64 * 10;
        Operation {
            client: at,
            name,
            object: "x".to_owned(),
            input,
            invoked_us: moment - before,
            ended_us: moment + after,
            ended: match fate {
                0 | 1 => Ended::Unknown("timed out".to_owned()),
                _ => Ended::Returned(output),
            },
        }
    };
    choices.iter().enumerate().map(operation).collect()
}

/// Whether an order respects time, leaves out only what may not have happened, and is one that the
/// object explains.
fn explains<M: Model>(model: &M, operations: &[Operation], order: &[usize]) -> bool {
    let mut state = model.initial();
    for at in order {
        match model.step(&state, &operations[*at]) {
            Some(next) => state = next,
            None => return false,
        }
    }
    let in_time = |place: usize| {
        let later = &order[place + 1..];
        later
            .iter()
            .all(|other| !operations[*other].precedes(&operations[order[place]]))
    };
    let complete = (0..operations.len()).all(|at| {
        operations[at].is_unknown() || order.iter().filter(|one| **one == at).count() == 1
    });
    complete && (0..order.len()).all(in_time)
}

/// Tries out every order.
fn any_order<M: Model>(
    model: &M,
    operations: &[Operation],
    state: &M::State,
    left: &mut Vec<usize>,
) -> bool {
    if left.iter().all(|at| operations[*at].is_unknown()) {
        return true;
    }
    for place in 0..left.len() {
        let at = left[place];
        let late = left
            .iter()
            .any(|other| operations[*other].precedes(&operations[at]));
        let Some(next) = model.step(state, &operations[at]).filter(|_| !late) else {
            continue;
        };
        left.remove(place);
        let found = any_order(model, operations, &next, left);
        left.insert(place, at);
        if found {
            return true;
        }
    }
    false
}

/// The history of a correct object is right, and where there was a search its order explains it.
fn accepted<O: Object>(choices: &[Choice]) -> Result<(), TestCaseError> {
    let (model, operations) = (O::Model::default(), right::<O>(choices));
    let decided = search(&model, &operations, SEARCH_LIMIT);
    prop_assert_eq!(decided, Linearizability::Yes);
    Ok(())
}

/// A history is rejected with a slice that is wrong by itself, or an order explains it.
fn judged<O: Object>(operations: Vec<Operation>, limit: usize) -> Result<(), TestCaseError> {
    let model = O::Model::default();
    match check(&model, &History::new(operations.clone())) {
        Err(violation) => {
            let slice = &violation.slice;
            prop_assert_eq!(search(&model, slice, SEARCH_LIMIT), Linearizability::No);
            prop_assert!(slice.len() <= operations.len());
        }
        Ok(undecided) => {
            prop_assert!(undecided.is_empty(), "{}", undecided[0]);
            match order(&model, &operations, limit) {
                Found::Order(order) => prop_assert!(explains(&model, &operations, &order)),
                // Of queues the search knows no more than that orders are many.
                Found::GaveUp => prop_assert!(limit < SEARCH_LIMIT),
                Found::Nothing => prop_assert!(false, "accepted, and there is no order"),
            }
        }
    }
    Ok(())
}

/// Gives one operation the answer of another, or the opposite one.
fn mutated<O: Object>(choices: &[Choice], place: usize, other: usize) -> Vec<Operation> {
    let mut operations = right::<O>(choices);
    let (place, other) = (place % operations.len(), other % operations.len());
    let answer = match operations[place].output() {
        Some(Value::Bool(truth)) => Some(Value::Bool(!truth)),
        Some(_) => operations[other].output().cloned(),
        None => None,
    };
    if let Some(answer) = answer {
        operations[place].ended = Ended::Returned(answer);
    }
    operations
}

/// Every algorithm says of a short history what trying out every order says.
fn agreed<O: Object>(operations: &[Operation]) -> Result<(), TestCaseError> {
    let model = O::Model::default();
    let mut left: Vec<usize> = (0..operations.len()).collect();
    let expected = match any_order(&model, operations, &model.initial(), &mut left) {
        true => Linearizability::Yes,
        false => Linearizability::No,
    };
    prop_assert_eq!(search(&model, operations, SEARCH_LIMIT), expected);
    let found = order(&model, operations, SEARCH_LIMIT);
    prop_assert_eq!(
        matches!(found, Found::Order(_)),
        expected == Linearizability::Yes
    );
    if let Found::Order(order) = found {
        prop_assert!(explains(&model, operations, &order));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn histories_of_a_correct_object_are_accepted(choices in choices(60)) {
        accepted::<AnyRegister>(&choices)?;
        accepted::<AnyLock>(&choices)?;
        accepted::<AnyQueue>(&choices)?;
    }

    #[test]
    fn the_search_finds_an_order_without_help(choices in choices(40)) {
        judged::<AnyRegister>(right::<AnyRegister>(&choices), SEARCH_LIMIT)?;
        judged::<AnyLock>(right::<AnyLock>(&choices), SEARCH_LIMIT)?;
    }

    #[test]
    fn a_changed_answer_is_rejected_or_explained(
        choices in choices(40), place in 0_usize..40, other in 0_usize..40,
    ) {
        judged::<AnyRegister>(mutated::<AnyRegister>(&choices, place, other), SEARCH_LIMIT)?;
        judged::<AnyLock>(mutated::<AnyLock>(&choices, place, other), SEARCH_LIMIT)?;
        judged::<AnyQueue>(mutated::<AnyQueue>(&choices, place, other), 2_000)?;
    }

    #[test]
    fn a_read_of_what_nobody_wrote_is_rejected_and_explained(
        choices in choices(40), place in 0_usize..40,
    ) {
        let mut operations = right::<AnyRegister>(&choices);
        let place = place % operations.len();
        prop_assume!(operations[place].name == "read");
        operations[place].ended = Ended::Returned("from nowhere".into());
        let violation = check(&Register, &History::new(operations)).expect_err("a violation");
        prop_assert!(violation.slice.iter().any(|one| one.returned("from nowhere")));
        prop_assert_eq!(violation.slice.len(), 1);
    }

    #[test]
    fn a_job_taken_twice_is_rejected(choices in choices(40)) {
        let mut operations = right::<AnyQueue>(&choices);
        let taken = operations
            .iter()
            .find(|one| one.name == "take" && one.output().is_some_and(|job| *job != Value::Nil));
        if let Some(mut again) = taken.cloned() {
            again.client = 999;
            again.invoked_us += 100_000;
            again.ended_us += 100_000;
            operations.push(again);
            prop_assert_eq!(search(&Queue, &operations, SEARCH_LIMIT), Linearizability::No);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn all_algorithms_agree_on_short_histories(
        choices in choices(8), place in 0_usize..8, other in 0_usize..8, twice in 0_usize..8,
    ) {
        agreed::<AnyRegister>(&mutated::<AnyRegister>(&choices, place, other))?;
        agreed::<AnyLock>(&mutated::<AnyLock>(&choices, place, other))?;
        agreed::<AnyQueue>(&mutated::<AnyQueue>(&choices, place, other))?;
        // With another answer changed, most are wrong.
        let mut operations = mutated::<AnyQueue>(&choices, place, other);
        let twice = twice % operations.len();
        if operations[twice].name == "take" && !operations[twice].is_unknown() {
            operations[twice].ended = Ended::Returned(Value::Nil);
        }
        agreed::<AnyQueue>(&operations)?;
    }
}

#[test]
fn dozens_at_a_time_are_decided() {
    let choices: Vec<Choice> = (0..400_u64)
        .map(|at| {
            let mixed = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let (before, after) = (mixed % 300, mixed / 300 % 300);
            let what = (mixed / 90_000 % 10) as u8;
            (what, (mixed >> 30) as usize % 100, before, after, 9)
        })
        .collect();
    let decided = [
        search(&Register, &right::<AnyRegister>(&choices), SEARCH_LIMIT),
        search(&Lock, &right::<AnyLock>(&choices), SEARCH_LIMIT),
        search(&Queue, &right::<AnyQueue>(&choices), SEARCH_LIMIT),
    ];
    assert_eq!(decided, [Linearizability::Yes; 3]);
}
