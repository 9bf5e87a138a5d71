//! What no source tells of Upstash's REST API, its replicas, limits and billing: what the mock does, and the
//! switch for the other way.
//!
//! A fact about Upstash's commands is a quirk of the engine ([`crate::Quirk`]). Here are the gaps in
//! what is known: for each, what is likelier is the default, and the other way can be had by
//! [`crate::Builder::assume`] or `--assume ID=on`.

use redis_engine::RestChoices;

/// One gap, described.
#[derive(Debug)]
pub struct AssumptionRow {
    /// Which one.
    pub assumption: Assumption,
    /// The name by which it is switched: `--assume ID=on`.
    pub id: &'static str,
    /// What the mock does unless told otherwise.
    pub off: &'static str,
    /// What it does when the assumption is switched on.
    pub on: &'static str,
    /// What is known.
    pub evidence: &'static str,
}

macro_rules! assumptions {
    ($($name:ident: $id:literal, $off:literal, $on:literal, $evidence:literal;)*) => {
        /// A gap in what is known of Upstash; [`ASSUMPTIONS`] describes each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Assumption { $(#[doc = $on] $name,)* }

        /// Every gap, described.
        pub const ASSUMPTIONS: &[AssumptionRow] = &[$(AssumptionRow {
            assumption: Assumption::$name, id: $id, off: $off, on: $on, evidence: $evidence,
        },)*];
    };
}

assumptions! {
    NestedStatusBare: "nested-status-bare",
        "under `Upstash-Encoding: base64`, a status `OK` inside an array is encoded as any string is",
        "it stays a bare `OK`",
        "the documentation speaks of \"the OK response\" alone; the JavaScript SDK decodes every element of an array";
    NestedErrorObjects: "nested-error-objects",
        "an error inside an array, as scripts can return one, is its text",
        "it is an object: {\"error\": \"…\"}",
        "the SDKs read no objects in a result; no reply with an error inside an array is known";
    StaleTokenAsAny: "stale-token-as-any",
        "a token that was given out and whose user is gone or disabled is refused with WRONGPASS invalid username-password pair or user is disabled, and 401",
        "it is refused in the words for any wrong token",
        "a report of 2026 shows the text for a well-formed token, not the status nor how the token had become stale";
    Resp2ErrorsAsJson: "resp2-errors-as-json",
        "with `Upstash-Response-Format: resp2`, an error reply is `-ERR …` with status 400",
        "it is JSON, as without the header",
        "the documentation shows replies that are no errors; no SDK uses the format";
    Resp2PipelineAsJson: "resp2-pipeline-as-json",
        "with `Upstash-Response-Format: resp2`, `/pipeline` answers the replies one after the other, as TCP does",
        "it answers JSON, as `/multi-exec` does",
        "the documentation excepts `/multi-exec` alone";
    ForbiddenStatus: "forbidden-status",
        "a command that the token's user may not run is answered with status 400",
        "it is answered with status 403",
        "reports show the NOPERM text, not the status";
    NullPerCommand: "null-per-command",
        "a null argument in one command of `/pipeline` refuses the whole request",
        "it is the error of that command alone",
        "probe of a live database, published August 2026: the whole request, not independently confirmed";
    EmptyPipelineAnswersArray: "empty-pipeline-array",
        "`/pipeline` with `[]` is refused: ERR empty pipeline request",
        "it answers `[]`",
        "an emulator of 2022 whose tests ran against the live service";
    ShortestNumbers: "shortest-numbers",
        "a JSON number becomes the argument that its digits spell: 1.0, 1e3",
        "it becomes the shortest spelling of the number: 1, 1000",
        "integers keep their digits in either case; nothing is documented on fractions and exponents";
    EncodedSlashSplits: "encoded-slash-splits",
        "`%2F` in a path stays within its argument",
        "a path is decoded before it is split, so `%2F` begins a further argument",
        "users encode each segment and report no trouble; no test of the SDKs has a slash in a path";
    TolerateUncleanPaths: "tolerate-unclean-paths",
        "a path with empty, `.` or `..` segments is redirected (301) to the path without them, as Go's HTTP server does",
        "empty segments are passed over and the request is carried out",
        "reports of 301 and of failing requests when a base URL ends with a slash";
    EventLinesRaw: "event-lines-raw",
        "in a stream of events, each line of a message of several is a `data:` line of its own",
        "a message is written as it is, its further lines bare",
        "the SDK ignores lines that do not begin with `data:`; no message of several lines is known";
    UnknownEncodingRefused: "unknown-encoding-refused",
        "an `Upstash-Encoding` other than base64 is passed over",
        "it is refused with status 400",
        "the documentation names base64 alone, and says of the other header that it refuses what it does not know";
    FirstChannelAlone: "first-channel-alone",
        "`/subscribe/a/b` subscribes to both channels",
        "it subscribes to the first",
        "the SDKs open one stream for each channel";
    ReadOnlyScriptsRefused: "read-only-scripts-refused",
        "the read-only token may use EVAL_RO, EVALSHA_RO and FCALL_RO",
        "it may not, as it may not use EVAL and EVALSHA",
        "EVAL and EVALSHA were seen refused; of the read-only forms nothing is known";
    ReadOnlyOthersSwapped: "read-only-others-swapped",
        "the read-only token may use SELECT, PUBSUB, COMMAND and INFO, and neither WAIT, WAITAOF, SUBSCRIBE nor PSUBSCRIBE",
        "it is the other way round",
        "the documentation says that it reads, but for some powerful commands; these neither read nor write data";
    SyncTokenAtPrimary: "sync-token-at-primary",
        "with a replica lag, a read whose sync token is ahead of the replica waits for it (while time stands still, the primary answers)",
        "the primary answers at once",
        "the documentation says that the serving node is made to have the write, not how long that takes";
    PipelineReadsApart: "pipeline-reads-apart",
        "with a replica lag, a read in a pipeline sees the writes before it in the same pipeline",
        "each command of a pipeline is routed for itself, and such a read may be stale",
        "the documentation promises read-your-writes for a TCP connection and for sync tokens, and is silent on pipelines";
    ReplicaTransactions: "replica-transactions",
        "with a replica lag, a transaction is the primary's, even one that only reads",
        "one that only reads is served by the replica",
        "the documentation says that a transaction locks its keys, not at which node";
    SyncTokenCoversScripts: "sync-token-covers-scripts",
        "with a replica lag, the sync token does not tell of scripts: EVALSHA_RO meets a replica without the script although its token is later",
        "loading a script counts as a write that the token tells of",
        "the JavaScript SDK sends its token by default, and its test of EVALSHA_RO still waits a second after SCRIPT LOAD";
    WireSizes: "wire-sizes",
        "sizes of requests and replies are those of arguments and values alone",
        "they are those of the Redis protocol, with its lengths and line ends",
        "error texts show sizes of a few megabytes, not how they come about";
    FullRefusesWrites: "full-storage-refuses-writes",
        "with no storage left, commands that may need more and scripts are refused; deletions and the like pass",
        "every write but DEL, UNLINK, FLUSHDB and FLUSHALL is refused",
        "reports: writes and EVAL are refused, reads and deletes pass";
    ScriptCallsLimited: "script-calls-limited",
        "sizes of requests and replies are held against what clients send and get, not against what scripts call",
        "they are held against what scripts call too",
        "reports show commands of clients alone";
    ConnectionBilled: "connection-commands-billed",
        "AUTH, HELLO, QUIT, RESET and CLIENT are not billed, and work when a quota is used up",
        "they are billed as any other",
        "nothing is documented; a quota that refused AUTH would leave no connection to see its error on";
    MonitoringFree: "monitoring-commands-free",
        "PING, ECHO, SELECT, INFO, COMMAND and CONFIG are billed",
        "they are not billed",
        "the documentation says that monitoring commands count, users measured about one per scrape";
    RefusedFree: "refused-commands-free",
        "a command that is refused as unknown, malformed or not permitted is billed as any other",
        "it is not billed",
        "nothing is documented; what a limit refuses is not billed in either case";
    TransactionFrameFree: "transaction-frame-free",
        "over TCP, MULTI, EXEC and DISCARD are billed beside the commands of the transaction",
        "they are not billed",
        "the documentation says that each command of a transaction is billed";
    RestBlockPassedOver: "rest-block-passed-over",
        "over REST, XREAD and XREADGROUP with BLOCK are refused: ERR Command \"XREAD\" is not allowed in REST or it has a special context path",
        "they answer at once as without BLOCK, null when there is nothing",
        "the documentation says that they are not supported, @upstash/redis marks its option for it as not supported; no answer of a database is known";
    RestBlockingUnavailable: "rest-blocking-unavailable",
        "over REST, BLPOP and its like (and XREAD with BLOCK) are refused as what needs a connection is: ERR Command \"BLPOP\" is not allowed in REST or it has a special context path",
        "they are refused as a command that there is not: ERR Command is not available: 'BLPOP'",
        "the documentation says that they are not supported; a probe of a live database saw the text for commands of connections and transactions";
    RestSelectRefused: "rest-select-refused",
        "SELECT over REST is answered as over TCP: OK for 0, an error for others",
        "it is refused as what needs a connection is",
        "of the commands about connections the documentation names PING and ECHO alone for REST; a probe of a live database lists what is refused, without SELECT";
    RestWaitRefused: "rest-wait-refused",
        "WAIT and WAITAOF over REST are answered as over TCP",
        "they are refused as what needs a connection is",
        "their pages do not say that they are for TCP alone; the page on REST is silent";
    ClaimsLimited: "claims-limited",
        "XCLAIM and XAUTOCLAIM may bring a consumer above the number of entries that it may have pending",
        "they are refused in the words that refuse XREADGROUP, before anything is claimed",
        "the documentation speaks of XREADGROUP alone";
    ScriptTimeFlowsBack: "script-time-flows-back",
        "what scripts may run in a minute is theirs anew when a minute of the clock begins",
        "time that was used comes back evenly, a sixtieth in each second",
        "the Developer API calls it credits per minute";
    ScriptTimeWaits: "script-time-waits",
        "a script that comes when a minute's time for scripts is used up is refused",
        "it waits until there is time again",
        "nothing is documented; commands beyond a plan's rate wait";
}

/// Which assumptions are switched on; by default none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Assumptions(u64);

impl Assumptions {
    /// With one of them switched.
    #[must_use]
    pub(crate) const fn with(self, assumption: Assumption, on: bool) -> Self {
        let bit = 1 << assumption as u64;
        Assumptions(if on { self.0 | bit } else { self.0 & !bit })
    }

    /// What is assumed of commands over REST.
    pub(crate) const fn of_rest(self) -> RestChoices {
        RestChoices {
            block_passed_over: self.has(Assumption::RestBlockPassedOver),
            blocking_unavailable: self.has(Assumption::RestBlockingUnavailable),
            select_refused: self.has(Assumption::RestSelectRefused),
            wait_refused: self.has(Assumption::RestWaitRefused),
        }
    }

    /// Whether one of them is switched on.
    pub(crate) const fn has(self, assumption: Assumption) -> bool {
        self.0 & (1 << assumption as u64) != 0
    }
}

// They are kept as a set of bits.
const _: () = assert!(ASSUMPTIONS.len() <= 64);

/// The assumption with an id.
pub fn find(id: &str) -> Option<&'static AssumptionRow> {
    ASSUMPTIONS.iter().find(|row| row.id == id)
}
