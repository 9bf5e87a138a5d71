//! Benchmarks: the load models over a clock that is moved, the statistics over data that is made,
//! and the measurement against targets of this process.

mod load;
mod measure;
mod program;
mod regression;
mod statistic;
