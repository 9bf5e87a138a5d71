//! Histories: what concurrent clients did and when, and whether it could have been right.
//!
//! A [`Recorder`] notes when each operation was invoked, when it returned, and what it returned;
//! one whose answer never came may or may not have happened ([`Ended::Unknown`]). All times are of
//! one clock. A checker reads the [`History`] and returns a [`Violation`] with the smallest slice of
//! it that shows what is wrong.
//!
//! In reading order: [`operation`] is the vocabulary; [`recorder`] makes histories; [`linearizable`]
//! decides whether one could come from an object that does one thing at a time, with the objects of
//! [`model`] and, where they have no algorithm of their own, the search of [`search`](mod@search); [`holding`], [`delivery`], [`freshness`], [`counting`], [`limit`] and [`order`] are
//! invariants that are cheaper to check than that, or say more; [`print`](mod@print) shows a slice.

pub mod counting;
pub mod delivery;
mod fifo;
pub mod freshness;
pub mod holding;
pub mod limit;
pub mod linearizable;
pub mod model;
pub mod operation;
pub mod order;
pub mod print;
pub mod recorder;
pub mod search;
mod shrink;
mod zone;

pub use operation::{Ended, History, Operation, Value, Violation};
pub use recorder::{Call, Recorder};
