//! The ways in which a server can be broken, and the workload that is there to catch each.

/// In which way the server is broken. "Now and then" is one in ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Breakage {
    /// Reads come from a copy that lags behind, whoever wrote.
    StaleReads,
    /// `NX` is forgotten.
    LosesNx,
    /// What expires does so after a quarter of its time.
    ExpiresEarly,
    /// A lock is given back by DEL, whoever holds it.
    PlainDel,
    /// Now and then the number of fencing tokens begins anew.
    ForgetsFence,
    /// Storage takes a write whatever its fencing token is.
    StoresLate,
    /// The script that takes a seat looks, and sits down afterwards.
    SplitSeats,
    /// The script that counts reads, and writes afterwards.
    SplitScripts,
    /// The script that swaps compares, and sets afterwards.
    SplitSwaps,
    /// `INCR` is a read and a write.
    SplitIncrements,
    /// `HINCRBY` is a read and a write.
    SplitFieldIncrements,
    /// The commands of a transaction are sent one by one.
    SplitTransactions,
    /// A field is changed by reading the hash and writing all of it.
    RewritesHashes,
    /// Now and then the last write of a key is taken back.
    ForgetsWrites,
    /// Now and then a limiter forgets what it has counted.
    ForgetsCalls,
    /// Now and then a limiter counts a call twice.
    CountsTwice,
    /// Now and then a pop leaves the job where it was.
    PopsTwice,
    /// Now and then a pop takes the youngest job.
    PopsTheLast,
    /// Now and then a pop finds nothing in a list that has something.
    FindsNothing,
    /// Now and then a push is done, fails, and is tried again by the transport.
    RetriesPushes,
    /// A move from list to list takes, and does not put.
    MovesNowhere,
    /// Jobs are due 250 ms before their time.
    DueEarly,
    /// Now and then a removal is confirmed and not done.
    KeepsRemoved,
    /// Now and then a group forgets how far it has read.
    RewindsGroups,
    /// Now and then an acknowledgement is confirmed and forgotten.
    ForgetsAcks,
    /// Now and then an entry is confirmed and not added.
    LosesEntries,
    /// Now and then a message is lost.
    LosesMessages,
    /// Now and then a message is overtaken by the next of its publisher.
    ReordersMessages,
    /// Now and then a message comes twice.
    RepeatsMessages,
    /// `PX` is forgotten: what should expire stays.
    NeverExpires,
    /// `PX` is taken for seconds.
    ExpiresInSeconds,
    /// Scores are not cleared: who crashed keeps the seat.
    NeverClears,
    /// Storage takes a write only from every other holder.
    RefusesStores,
    /// Now and then a lock is given back in words alone.
    KeepsLocks,
    /// One increment in fifty is confirmed and lost.
    LosesIncrements,
    /// Now and then an increment is done, fails, and is tried again by the transport.
    RetriesIncrements,
    /// Now and then a transaction is confirmed and not done.
    LosesTransactions,
    /// Now and then a transaction is done twice.
    RepeatsTransactions,
    /// `WATCH` is confirmed and not done.
    IgnoresWatch,
    /// Now and then a read is given what another client has asked for.
    MixesAnswers,
    /// A move from list to list leaves the job where it was.
    MovesACopy,
    /// A job that is moved from list to list is lost now and then on the way.
    DropsMoves,
    /// Now and then the removal of a finished job removes all the others, too.
    RemovesAll,
    /// A removal is always confirmed, also to whoever comes too late.
    AlwaysRemoved,
    /// Now and then a delayed job is confirmed and not added.
    LosesDelayed,
    /// Entries are claimed however short their consumers have been idle.
    ClaimsAtOnce,
    /// Entries are never claimed.
    ClaimsNothing,
}

/// Every breakage with the workload that is there to catch it.
pub(in super::super) const CAUGHT_BY: &[(Breakage, &str)] = &[
    (Breakage::LosesNx, "locks/workload/mutual-exclusion"),
    (Breakage::PlainDel, "locks/workload/mutual-exclusion"),
    (Breakage::ExpiresEarly, "locks/workload/mutual-exclusion"),
    (Breakage::NeverExpires, "locks/workload/mutual-exclusion"),
    (
        Breakage::ExpiresInSeconds,
        "locks/workload/mutual-exclusion",
    ),
    (Breakage::LosesNx, "locks/workload/handover"),
    (Breakage::KeepsLocks, "locks/workload/handover"),
    (Breakage::ForgetsWrites, "locks/workload/handover"),
    (Breakage::ForgetsFence, "locks/workload/fencing"),
    (Breakage::StoresLate, "locks/workload/fencing"),
    (Breakage::RefusesStores, "locks/workload/fencing"),
    (Breakage::SplitSeats, "locks/workload/semaphore"),
    (Breakage::NeverClears, "locks/workload/semaphore"),
    (Breakage::KeepsRemoved, "locks/workload/semaphore"),
    (Breakage::StaleReads, "locks/workload/register"),
    (Breakage::ForgetsWrites, "locks/workload/register"),
    (Breakage::SplitSwaps, "locks/workload/register"),
    (Breakage::LosesNx, "cache/workload/single-flight"),
    (Breakage::SplitIncrements, "patterns/workload/counter"),
    (Breakage::LosesIncrements, "patterns/workload/counter"),
    (Breakage::RetriesIncrements, "patterns/workload/counter"),
    (Breakage::SplitScripts, "patterns/workload/scripted-counter"),
    (Breakage::ForgetsCalls, "patterns/workload/fixed-window"),
    (Breakage::CountsTwice, "patterns/workload/fixed-window"),
    (Breakage::ForgetsCalls, "patterns/workload/sliding-log"),
    (Breakage::CountsTwice, "patterns/workload/sliding-log"),
    (Breakage::ForgetsCalls, "patterns/workload/sliding-window"),
    (Breakage::CountsTwice, "patterns/workload/sliding-window"),
    (Breakage::ForgetsCalls, "patterns/workload/token-bucket"),
    (Breakage::CountsTwice, "patterns/workload/token-bucket"),
    (Breakage::SplitTransactions, "patterns/workload/transfers"),
    (Breakage::LosesTransactions, "patterns/workload/transfers"),
    (Breakage::RepeatsTransactions, "patterns/workload/transfers"),
    (Breakage::IgnoresWatch, "patterns/workload/transfers"),
    (Breakage::LosesMessages, "patterns/workload/pubsub"),
    (Breakage::ReordersMessages, "patterns/workload/pubsub"),
    (Breakage::RepeatsMessages, "patterns/workload/pubsub"),
    (Breakage::StaleReads, "sessions/workload/own-writes"),
    (Breakage::StaleReads, "sessions/workload/others-writes"),
    (Breakage::StaleReads, "sessions/workload/fresh-clients"),
    (Breakage::StaleReads, "sessions/workload/handed-on"),
    (Breakage::MixesAnswers, "sessions/workload/own-writes"),
    (Breakage::SplitFieldIncrements, "sessions/workload/fields"),
    (Breakage::RewritesHashes, "sessions/workload/fields"),
    (Breakage::PopsTwice, "queue/workload/pops"),
    (Breakage::RetriesPushes, "queue/workload/pops"),
    (Breakage::PopsTheLast, "queue/workload/first-in-first-out"),
    (Breakage::FindsNothing, "queue/workload/first-in-first-out"),
    (Breakage::PopsTwice, "queue/workload/first-in-first-out"),
    (Breakage::MovesNowhere, "queue/workload/reliable"),
    (Breakage::MovesACopy, "queue/workload/reliable"),
    (Breakage::DropsMoves, "queue/workload/reliable"),
    (Breakage::RemovesAll, "queue/workload/reliable"),
    (Breakage::DueEarly, "queue/workload/delayed"),
    (Breakage::KeepsRemoved, "queue/workload/delayed"),
    (Breakage::AlwaysRemoved, "queue/workload/delayed"),
    (Breakage::LosesDelayed, "queue/workload/delayed"),
    (Breakage::RewindsGroups, "queue/workload/stream-group"),
    (Breakage::ForgetsAcks, "queue/workload/stream-group"),
    (Breakage::LosesEntries, "queue/workload/stream-group"),
    (Breakage::ClaimsAtOnce, "queue/workload/stream-group"),
    (Breakage::ClaimsNothing, "queue/workload/stream-group"),
];
