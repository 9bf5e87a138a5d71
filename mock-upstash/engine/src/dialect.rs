//! Whether the engine answers as stock Redis or as Upstash, quirk by quirk.
//!
//! A quirk is one way in which Upstash departs from Redis. It is a row here: what differs, where the
//! fact comes from and how sure it is, so that a fact that proves wrong is one row to change.

/// How well a fact about Upstash is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// Upstash's documentation says so.
    Documented,
    /// A test of an official SDK, run against the real service, relies on it.
    Tested,
    /// Reported or measured by others; at least one origin.
    Reported,
    /// Inferred from how the service is built, not observed.
    Inferred,
}

/// One row: a way in which Upstash departs from Redis.
#[derive(Debug)]
pub struct QuirkRow {
    /// Which quirk.
    pub quirk: Quirk,
    /// The name by which it is switched: `--quirk ID=off`.
    pub id: &'static str,
    /// Names of the rows of the command table that it concerns; none when it concerns all of them.
    pub commands: &'static [&'static str],
    /// What stock Redis does.
    pub redis: &'static str,
    /// What Upstash does.
    pub upstash: &'static str,
    /// Where the fact comes from.
    pub source: &'static str,
    /// How well it is known.
    pub confidence: Confidence,
    /// Why a suite of scenarios that is run on both cannot show it; `None` when it can.
    pub unseen: Option<&'static str>,
}

macro_rules! quirks {
    (@unseen) => { None };
    (@unseen $why:literal) => { Some($why) };
    ($($(#[doc = $doc:literal])* $name:ident: $id:literal, [$($command:literal),*], $redis:literal, $upstash:literal, $source:literal, $confidence:ident $($unseen:literal)?;)*) => {
        /// A way in which Upstash departs from Redis; [`QUIRKS`] describes each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Quirk { $(#[doc = concat!("`", $id, "`; see its row in [`QUIRKS`].")] $name,)* }

        /// Every quirk, described.
        pub const QUIRKS: &[QuirkRow] = &[$(QuirkRow {
            quirk: Quirk::$name, id: $id, commands: &[$($command),*], redis: $redis, upstash: $upstash, source: $source,
            confidence: Confidence::$confidence, unseen: quirks!(@unseen $($unseen)?),
        },)*];
    };
}

quirks! {
    UnknownCommand: "unknown-command",
        [],
        "ERR unknown command 'FOO', with args beginning with: …",
        "ERR Command is not available: 'FOO'. See https://upstash.com/docs/redis/overall/rediscompatibility for details",
        "reports of users, 2025-2026", Reported;
    SingleDatabase: "single-database",
        ["SELECT"],
        "SELECT takes an index below the number of databases (16)",
        "SELECT takes 0 alone: ERR Only 0th database is supported! Selected DB: 1",
        "Upstash docs, commands/select; measured over TCP by users, 2026", Reported;
    UnlinkWithoutKeys: "unlink-without-keys",
        ["UNLINK"],
        "UNLINK without a key is an arity error",
        "UNLINK without a key answers 0",
        "README of serverless-redis-http", Reported;
    DelWithoutKeys: "del-without-keys",
        ["DEL"],
        "DEL without a key is an arity error",
        "DEL without a key answers 0, if it does as UNLINK; nothing is known, so off unless switched on",
        "what README of serverless-redis-http says of UNLINK", Inferred;
    CopyOntoItself: "copy-onto-itself",
        ["COPY"],
        "COPY of a key onto itself is an error",
        "COPY of a key onto itself answers 0",
        "@upstash/redis test suite, copy", Tested;
    RangeLimit: "zrange-limit",
        ["ZRANGE", "ZRANGESTORE"],
        "ZRANGE by index refuses LIMIT",
        "ZRANGE and ZRANGESTORE by index honour LIMIT",
        "upstash-redis (Python) test suite, zrangestore", Tested;
    ScanWithType: "scan-withtype",
        ["SCAN"],
        "SCAN … WITHTYPE is a syntax error",
        "SCAN … WITHTYPE answers key and type in turn",
        "@upstash/redis test suite, scan", Tested;
    ScanCount: "scan-default-count",
        ["SCAN"],
        "SCAN without COUNT looks at about 10 keys",
        "SCAN without COUNT looks at more: all of about 40 keys come in one call (the mock's number is 100)",
        "@upstash/redis test suite, scan; the number is inferred", Tested
        "how many keys there are beside a scenario's own is everybody's doing";
    ConsumersOfMissingGroup: "xinfo-consumers-missing-group",
        ["XINFO CONSUMERS"],
        "XINFO CONSUMERS of a missing group is a NOGROUP error",
        "XINFO CONSUMERS of a missing group answers an empty array",
        "@upstash/redis test suite, xinfo", Tested;
    NoackConsumer: "xreadgroup-noack-consumer",
        ["XREADGROUP"],
        "XREADGROUP NOACK creates the consumer",
        "XREADGROUP NOACK does not create the consumer",
        "@upstash/redis test suite, xreadgroup", Tested;
    NearExactTrim: "near-exact-trim",
        ["XADD", "XTRIM"],
        "MAXLEN ~ and MINID ~ trim whole nodes of 100 entries",
        "MAXLEN ~ and MINID ~ trim to the exact length",
        "Upstash changelog, February 2024", Documented;
    PendingLimit: "pending-limit",
        ["XREADGROUP"],
        "a consumer's pending entries are not limited",
        "XREADGROUP is refused when a consumer would have more than 1000 pending entries",
        "Upstash docs, troubleshooting/stream_pel_limit", Documented;
    DoubleArithmetic: "double-arithmetic",
        ["INCRBYFLOAT", "HINCRBYFLOAT"],
        "INCRBYFLOAT and HINCRBYFLOAT compute in extended precision: 0.1 + 0.2 is 0.3",
        "INCRBYFLOAT and HINCRBYFLOAT compute in 64-bit doubles: 0.1 + 0.2 is 0.30000000000000004",
        "Upstash docs, commands/incrbyfloat; the digits are inferred", Documented;
    Resp3Forms: "resp3-forms",
        ["SMEMBERS", "CONFIG GET", "ZPOPMIN", "ZPOPMAX"],
        "in RESP3 SMEMBERS is a set, CONFIG GET a map, ZPOPMIN and ZPOPMAX with a count are pairs",
        "in RESP3 SMEMBERS is an array, CONFIG GET, ZPOPMIN and ZPOPMAX are flat arrays (INCRBYFLOAT and GEODIST are bulk strings, as in Redis)",
        "Upstash docs, command pages", Documented;
    EmptyCommandTable: "empty-command-table",
        ["COMMAND"],
        "COMMAND lists every command and has subcommands",
        "COMMAND answers an empty array and refuses arguments",
        "Upstash docs, commands/command", Documented;
    ConfigNotificationsOnly: "config-notifications-only",
        ["CONFIG GET", "CONFIG SET"],
        "CONFIG knows every setting",
        "CONFIG knows notify-keyspace-events alone, with the flags K E g $ l s h z t d x e m n A; CONFIG SET keeps what it set before an error",
        "Upstash docs, commands/config-get and config-set", Documented;
    InfoSections: "info-sections",
        ["INFO"],
        "INFO has Redis's sections",
        "INFO has Upstash's own sections and fields, with upstash_version",
        "INFO output published by users, 2025", Reported;
    AclTokens: "acl-tokens",
        ["ACL CAT", "ACL GENTOKEN", "ACL GETUSER", "ACL LOG", "ACL RESTTOKEN", "ACL SETUSER"],
        "ACL users have passwords of their own choice, selectors, subcommand rules, categories @fast and @slow; ACL LOG records denials",
        "ACL passwords come from ACL GENTOKEN, ACL RESTTOKEN gives REST tokens; no selectors, subcommand rules, @fast or @slow; @dangerous has SCAN in it; the default user stays as it is; LOG is empty",
        "Upstash docs, commands/acl-setuser", Documented;
    ScriptRollback: "script-rollback",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"],
        "a script that fails keeps the writes it made before",
        "a script that fails leaves none of its writes",
        "probe of a live database, published August 2026", Reported;
    ScriptTruncatesNumbers: "script-truncates-numbers",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"],
        "redis.call turns a number argument into 17 significant digits",
        "redis.call truncates a number argument toward zero",
        "probe of a live database, published August 2026", Reported;
    CjsonEmptyTable: "cjson-empty-table",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"],
        "cjson encodes an empty table as {}",
        "cjson encodes an empty table as []",
        "measurements of users on both engines, 2026", Reported;
    CjsonNull: "cjson-null",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"],
        "cjson decodes null to cjson.null and keeps it on the way back",
        "cjson decodes null to nil, so nulls vanish on the way back",
        "measurements of users on both engines, 2026", Reported;
    CjsonSharedTable: "cjson-shared-table",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"],
        "cjson encodes a table that is referenced twice, twice",
        "cjson takes a table that is referenced twice for a cycle: encode answers nil and an error",
        "measured on a live database, September 2026", Reported;
    ScriptReadOnlyKeys: "script-read-only-keys",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO"],
        "a script may change its KEYS and ARGV tables",
        "KEYS and ARGV are read-only tables: what writes to them fails",
        "comment in a published key-value wrapper", Reported;
    ScriptErrorText: "script-error-text",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"],
        "script errors end with the script's digest and its line",
        "ERR Error running script: @user_script:N: … with a stack traceback, for functions too",
        "@upstash/redis test suite, functions; reports of users", Tested;
    LuaErrorWords: "lua-error-words",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"],
        "Lua's own errors name what was used wrongly, and texts that pcall catches begin with user_script:N:",
        "Lua's own errors have gopher-lua's words (attempt to call a non-function object, cannot perform add operation between nil and number), and texts that pcall catches begin with @user_script:N:; its words for indexing name what Redis's do not tell, and the mock keeps Redis's there",
        "follows from the Lua that Upstash's stack traces show (gopher-lua)", Inferred;
    KeyLocking: "allow-key-locking",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO", "FUNCTION LOAD", "SCRIPT LOAD"],
        "the flag allow-key-locking is unknown",
        "the flag allow-key-locking lets scripts run concurrently; keys must be declared",
        "Upstash docs, features/key-locking", Documented;
    ReadOnlyFunctionCall: "fcall-ro-late-check",
        ["FCALL_RO"],
        "FCALL_RO refuses a function that lacks no-writes",
        "FCALL_RO runs it and fails when it reaches a write",
        "@upstash/redis test suite, functions", Tested;
    ScriptKill: "script-kill",
        ["SCRIPT KILL", "FUNCTION KILL"],
        "SCRIPT KILL and FUNCTION KILL end a running script",
        "SCRIPT KILL and FUNCTION KILL always answer NOTBUSY",
        "Upstash docs, commands/script-kill", Documented
        "a script would have to run for longer than any scenario may";
    JsonDeepestFirst: "json-deepest-first",
        ["JSON.ARRAPPEND", "JSON.ARRINDEX", "JSON.ARRINSERT", "JSON.ARRLEN", "JSON.ARRPOP", "JSON.ARRTRIM", "JSON.CLEAR", "JSON.GET", "JSON.MGET", "JSON.NUMINCRBY", "JSON.NUMMULTBY", "JSON.OBJKEYS", "JSON.OBJLEN", "JSON.RESP", "JSON.STRAPPEND", "JSON.STRLEN", "JSON.TOGGLE", "JSON.TYPE"],
        "recursive JSONPath matches come from the root down (RedisJSON)",
        "recursive JSONPath matches come deepest first",
        "@upstash/redis test suite, json.objlen", Tested;
    IntegerErrorText: "integer-error-text",
        [],
        "ERR value is not an integer or out of range",
        "ERR value is not an int or out of range",
        "Upstash docs, features/restapi (no live capture)", Documented;
    AuthErrorText: "auth-error-text",
        ["AUTH"],
        "NOAUTH and WRONGPASS end with a full stop",
        "NOAUTH names a page of the documentation, WRONGPASS has no full stop",
        "Upstash docs, troubleshooting/no_auth", Documented;
    CjsonNumber: "cjson-number",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"],
        "cjson writes numbers with 14 significant digits",
        "cjson writes numbers with as many digits as tell the double, and without exponent below 1e21",
        "follows from the JSON library that Upstash's scripts use (gopher-json)", Inferred;
    CjsonSparseList: "cjson-sparse-list",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"],
        "cjson fills holes in a list with null, and turns number keys beside text keys into text",
        "cjson answers nil and an error for a list with holes and for mixed keys",
        "follows from the JSON library that Upstash's scripts use (gopher-json)", Inferred;
    ReplicateCommands: "replicate-commands",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO"],
        "redis.replicate_commands() does nothing and answers true",
        "redis.replicate_commands() raises an error; seen in 2023, when a way to ignore it was offered, so off unless switched on",
        "redis-js issue 340, 2023", Reported;
    ConfigGetEmptyValue: "config-get-empty-value",
        ["CONFIG GET"],
        "CONFIG GET of an unknown name answers nothing",
        "CONFIG GET of any name answers the name with an empty value; seen in 2023 and against the documentation, so off unless switched on",
        "redis-js issue 526, 2023", Reported;
    ScriptTimeLimit: "script-time-limit",
        ["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"],
        "a script may run for ever; others are told BUSY after 5 seconds",
        "a script is ended after 250 ms, and none begins when scripts have run for 10 seconds of a minute; sample values with no known text, so off unless switched on (a script is ended after 5 seconds otherwise)",
        "Upstash Developer API, sample values of db_lua_timeout and db_lua_credits_per_min", Documented
        "how long a script runs is the machine's doing, and no text of the error is known";
    WaitAtOnce: "wait-at-once",
        ["WAIT", "WAITAOF"],
        "WAIT and WAITAOF wait for replicas until their time is up; WAITAOF refuses to wait for a file that is not kept",
        "WAIT and WAITAOF answer as soon as the writes before them are through",
        "Upstash docs, commands/wait and waitaof; the counts are inferred", Documented;
    MonitorAddress: "monitor-address",
        ["MONITOR"],
        "MONITOR shows the address of each client",
        "MONITOR shows 0.0.0.0:0 in its place",
        "Upstash docs, features/restapi", Documented
        "no scenario sends MONITOR, which shows other people's commands";
    StreamDeduplication: "xinfo-stream-fields",
        ["XINFO STREAM"],
        "XINFO STREAM tells of deduplicated adding since Redis 8.6",
        "XINFO STREAM has no such fields",
        "Upstash docs, commands/xadd: no such options", Inferred
        "the Redis that scenarios run on may be older than the fields";
    JsonTypeName: "json-type-name",
        ["TYPE", "SCAN"],
        "the type of a JSON document is called ReJSON-RL",
        "the type of a JSON document is called json",
        "the types that Upstash's own data browser knows; not observed on the wire", Inferred;
    MemoryUsageSamples: "memory-usage-samples",
        ["MEMORY USAGE"],
        "MEMORY USAGE refuses a negative number of samples",
        "MEMORY USAGE takes any number of samples, brought into range",
        "Upstash docs, commands/memory-usage", Documented;
    CountsExpired: "dbsize-counts-expired",
        ["DBSIZE"],
        "DBSIZE may count keys that have just expired (the mock's never does)",
        "DBSIZE counts keys for a second after they have expired; how long is not known, so off unless switched on",
        "Upstash docs, commands/dbsize", Documented
        "how many keys a database has is everybody's doing, and when they go is not known";
}

/// Which quirks are on. As stock Redis, none; as Upstash, all but those of which it is likelier that
/// they do not hold today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    on: u64,
    upstash: bool,
}

impl Dialect {
    /// Stock Redis.
    pub const REDIS: Dialect = Dialect {
        on: 0,
        upstash: false,
    };

    /// Upstash: every quirk but [`Quirk::IntegerErrorText`], of which the documentation shows a text
    /// that no report of a live database confirms, [`Quirk::ReplicateCommands`] and
    /// [`Quirk::ConfigGetEmptyValue`], which were seen in 2023 alone, [`Quirk::ScriptTimeLimit`], of
    /// which there is a sample value, [`Quirk::CountsExpired`], of which nobody says for how long, and
    /// [`Quirk::DelWithoutKeys`], which nobody has tried.
    pub const UPSTASH: Dialect = Dialect {
        on: u64::MAX,
        upstash: true,
    }
    .with(Quirk::IntegerErrorText, false)
    .with(Quirk::ReplicateCommands, false)
    .with(Quirk::ConfigGetEmptyValue, false)
    .with(Quirk::ScriptTimeLimit, false)
    .with(Quirk::CountsExpired, false)
    .with(Quirk::DelWithoutKeys, false);

    /// This dialect with one quirk switched.
    #[must_use]
    pub const fn with(mut self, quirk: Quirk, on: bool) -> Dialect {
        let bit = 1u64 << quirk as u64;
        if on {
            self.on |= bit;
        } else {
            self.on &= !bit;
        }
        self
    }

    /// Whether a quirk is on.
    pub const fn has(self, quirk: Quirk) -> bool {
        self.on & (1u64 << quirk as u64) != 0
    }

    /// Whether it began as Upstash's, whatever was switched since.
    pub const fn is_upstash(self) -> bool {
        self.upstash
    }
}

// A dialect is a set of bits.
const _: () = assert!(QUIRKS.len() <= 64);

/// The quirk with an id.
pub fn find(id: &str) -> Option<&'static QuirkRow> {
    QUIRKS.iter().find(|row| row.id == id)
}
