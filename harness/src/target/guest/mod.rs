//! Counting what is sent, and behaving as a guest on a server that swapcheck did not start.
//!
//! # How nothing is left behind
//!
//! A guest writes keys under its scenario's prefix only, and remembers every key that a writing
//! command names. There are three ways in which they go:
//!
//! 1. **At the end of a scenario** ([`Scope::finish`]), and for scenarios that never got there at the
//!    end of the run or on Ctrl-C ([`Ledger::close`]), they are deleted by name. Nothing is scanned.
//! 2. **If the process dies**, by expiry: right after a write, the key is given one of an hour with
//!    `PEXPIRE … NX`, on a connection of its own, so that neither the reply nor its latency is
//!    touched. A scenario that looks at expiries would see that. Its keys are left alone
//!    ([`KeyExpiry::Observed`]).
//! 3. **If the process dies** in one of those, by the next run: keys are noted in a journal on the
//!    local disk before they are first written. A run that finds the journal of a dead one for the
//!    same server deletes its keys first.
//!
//! Commands that reach further than a scenario's own keys are refused before they are sent, scripts
//! that name such commands too; see `rule`. A name that a script puts together while it runs cannot
//! be seen from outside, nor can keys that it does not declare.

mod command;
mod expiry;
mod guard;
mod journal;
mod ledger;
mod rule;
mod scope;

pub(crate) use command::only_reads;
pub use expiry::KeyExpiry;
pub(crate) use journal::{Journal, Orphan, default_folder};
pub(crate) use ledger::Ledger;
pub use scope::Scope;
