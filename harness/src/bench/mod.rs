//! `swapcheck bench`: what REST costs against TCP, measured so that the figures can be trusted.
//!
//! A generator on a thread of its own sends [`operation`]s that were encoded beforehand. Targets
//! take turns in short rounds, so that drift hits all alike, and the reference takes a second turn:
//! what it shows against itself is noise. [`statistic`] says whether a difference is one. The
//! result is an [`Outcome`], which every report is made of.
//!
//! The generator does not decode values, for it measures servers and networks: what a client
//! library adds comes on top.

mod bare;
mod chart;
mod engine;
mod generator;
mod histogram;
mod html;
mod link;
pub mod load;
mod log;
mod markdown;
mod merge;
pub mod operation;
mod outcome;
mod overtake;
pub mod price;
mod processor;
pub mod regression;
mod relay;
mod report;
mod schedule;
pub mod script;
mod series;
pub mod statistic;
mod terminal;
mod warning;
mod wire;
mod worker;

pub use engine::{Plan, Progress, measure};
pub use histogram::{Figures, Histogram};
pub use html::html;
pub use link::HttpVersion;
pub use log::log;
pub use markdown::markdown;
pub use merge::merge;
pub use outcome::{
    CaseOutcome, Ceiling, Comparison, ERROR, FORMAT, Measured, Outcome, Settings, TargetInfo,
};
pub use overtake::{Overtake, overtakes};
pub use processor::{KEPT_WAITING, SATURATED};
pub use relay::{Distance, Relay};
pub use report::{Format, Wanted};
pub use series::{Series, series};
pub use terminal::terminal;
pub use worker::Stages;
