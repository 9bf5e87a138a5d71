//! ACL: users, rules and tokens. On Upstash passwords are tokens that the server makes.

use bytes::Bytes;
use rand::Rng;

use crate::acl::{self, DEFAULT_USER, Permissions};
use crate::call::Call;
use crate::command::{self, Categories, Command, Flags, Group, Handler};
use crate::dialect::Quirk;
use crate::error::{NOT_AN_INTEGER, ReplyError, as_c_text};
use crate::number;
use crate::reply::{Outcome, Reply};

const fn row(name: &'static str, arity: i16, handler: Handler) -> Command {
    Command::new(Group::Server, name, arity, handler)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .since("6.0.0")
}

const fn admin(name: &'static str, arity: i16, handler: Handler) -> Command {
    row(name, arity, handler).flags(&[Flags::ADMIN])
}

/// The subcommands of ACL.
pub(super) const ACL: &[Command] = &[
    row("ACL CAT", -2, cat),
    admin("ACL DELUSER", -3, deluser),
    row("ACL GENPASS", -2, genpass),
    admin("ACL GENTOKEN", 2, gentoken)
        .since("Upstash")
        .upstash_only(),
    admin("ACL GETUSER", 3, getuser),
    admin("ACL LIST", 2, list),
    admin("ACL LOAD", 2, load),
    admin("ACL LOG", -2, log),
    row("ACL RESTTOKEN", -2, resttoken)
        .since("Upstash")
        .upstash_only(),
    admin("ACL SAVE", 2, save),
    admin("ACL SETUSER", -3, setuser),
    admin("ACL USERS", 2, users),
    row("ACL WHOAMI", 2, whoami),
];

/// `ACL WHOAMI`
fn whoami(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::bulk_or_nil(call.session().user.clone()))
}

/// `ACL USERS`
fn users(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::bulks(call.engine.acl.users().map(|(name, _)| name)))
}

/// `ACL LIST`
fn list(call: &mut Call<'_>) -> Outcome {
    let lines = call.engine.acl.users().map(|(name, user)| {
        let mut line = b"user ".to_vec();
        line.extend_from_slice(name);
        line.push(b' ');
        line.extend_from_slice(user.describe().as_bytes());
        line
    });
    Ok(Reply::bulks(lines))
}

/// `ACL GETUSER username`
fn getuser(call: &mut Call<'_>) -> Outcome {
    let Some(user) = call.engine.acl.user(call.arg(2)) else {
        return Ok(Reply::Nil);
    };
    let flags = user.flags().into_iter().map(Reply::bulk).collect();
    let passwords = user.passwords.iter().map(|password| acl::hex(password));
    let mut pairs = vec![
        (Reply::bulk("flags"), Reply::Set(flags)),
        (Reply::bulk("passwords"), Reply::bulks(passwords)),
    ];
    pairs.extend(rules(&user.root));
    // Upstash has no selectors (Upstash docs, commands/acl-getuser).
    if !call.quirk(Quirk::AclTokens) {
        let selectors = user
            .selectors
            .iter()
            .map(|selector| Reply::Map(rules(selector)))
            .collect();
        pairs.push((Reply::bulk("selectors"), Reply::Array(selectors)));
    }
    Ok(Reply::Map(pairs))
}

fn rules(permissions: &Permissions) -> Vec<(Reply, Reply)> {
    [
        ("commands", permissions.command_rules()),
        ("keys", permissions.key_rules()),
        ("channels", permissions.channel_rules()),
    ]
    .map(|(name, rules)| (Reply::bulk(name), Reply::bulk(rules)))
    .to_vec()
}

/// `ACL SETUSER username [rule …]`
fn setuser(call: &mut Call<'_>) -> Outcome {
    let name = call.arg(2);
    if name
        .iter()
        .any(|&byte| byte == 0 || byte.is_ascii_whitespace())
    {
        return Err(ReplyError::fixed(
            "ERR Usernames can't contain spaces or null characters",
        ));
    }
    let tokens_alone = call.quirk(Quirk::AclTokens);
    if tokens_alone && name == DEFAULT_USER {
        return Err(ReplyError::fixed(
            "ERR The 'default' user cannot be modified",
        ));
    }
    let mut user = call.engine.acl.user_or_new(name);
    for rule in joined_selectors(call.args_from(3))? {
        if tokens_alone {
            check_for_upstash(call, &rule)?;
        }
        user.apply(&rule).map_err(|why| {
            let why = format!("': {why}");
            ReplyError::quoting("ERR Error in ACL SETUSER modifier '", &rule, &why)
        })?;
        // Upstash's @dangerous has SCAN in it (Upstash docs, troubleshooting/readonly_connection).
        if tokens_alone && rule[..].get(1..).is_some_and(is_dangerous) {
            user.set_quietly("SCAN", rule[0] == b'+');
        }
    }
    call.engine.acl.set_user(name.clone(), user);
    Ok(Reply::OK)
}

/// Puts selectors that were split at their spaces together again: `(+get`, `~x)`.
fn joined_selectors(rules: &[Bytes]) -> Result<Vec<Bytes>, ReplyError> {
    let mut joined = Vec::new();
    let mut open: Option<(&Bytes, Vec<u8>)> = None;
    for rule in rules {
        match &mut open {
            None if rule.starts_with(b"(") && !rule.ends_with(b")") => {
                open = Some((rule, rule.to_vec()));
            }
            None => joined.push(rule.clone()),
            Some((_, selector)) => {
                selector.push(b' ');
                selector.extend_from_slice(rule);
                if rule.ends_with(b")") {
                    joined.extend(open.take().map(|(_, selector)| selector.into()));
                }
            }
        }
    }
    match open {
        None => Ok(joined),
        Some((first, _)) => {
            let mut text = b"ERR Unmatched parenthesis in acl selector starting at '".to_vec();
            text.extend_from_slice(as_c_text(first));
            text.extend_from_slice(b"'.");
            Err(ReplyError::new(text))
        }
    }
}

/// What Upstash refuses: passwords that it did not make, `nopass`, hashes, selectors, rules on
/// subcommands and on categories that it does not have (Upstash docs, commands/acl-setuser; the texts are inferred but for `is not supported`,
/// which users report).
fn check_for_upstash(call: &Call<'_>, rule: &[u8]) -> Result<(), ReplyError> {
    let unsupported = |what: &str| {
        Err(ReplyError::new(format!(
            "ERR Error in ACL SETUSER modifier '{what}': '{what}' is not supported"
        )))
    };
    match rule {
        [b'>', token @ ..] if !call.engine.acl.has_issued(token) => Err(ReplyError::fixed(
            "ERR Error in ACL SETUSER modifier '>': the password must be a token that ACL GENTOKEN generated",
        )),
        [b'#' | b'!', ..] => unsupported("#"),
        [b'(', ..] => unsupported("("),
        [b'+' | b'-', name @ ..] if name.contains(&b'|') => unsupported("|"),
        [b'+' | b'-', b'@', category @ ..] if is_speed(category) => {
            let why = "': Unknown command or category name in ACL";
            Err(ReplyError::quoting(
                "ERR Error in ACL SETUSER modifier '",
                rule,
                why,
            ))
        }
        _ if rule.eq_ignore_ascii_case(b"nopass") => unsupported("nopass"),
        _ => Ok(()),
    }
}

fn is_dangerous(category: &[u8]) -> bool {
    category.eq_ignore_ascii_case(b"@dangerous")
}

/// Whether a category is one of those that tell slow commands from fast ones: Upstash has none.
fn is_speed(category: &[u8]) -> bool {
    category.eq_ignore_ascii_case(b"fast") || category.eq_ignore_ascii_case(b"slow")
}

/// `ACL DELUSER username [username …]`
fn deluser(call: &mut Call<'_>) -> Outcome {
    let names = call.args_from(2);
    if names.iter().any(|name| name == DEFAULT_USER) {
        return Err(ReplyError::fixed(
            "ERR The 'default' user cannot be removed",
        ));
    }
    let mut removed = 0;
    for name in names {
        if call.engine.acl.remove_user(name) {
            removed += 1;
            call.engine.end_sessions_of(name);
        }
    }
    Ok(Reply::Integer(removed))
}

/// The categories as a user saw them listed, in that order (output published in May 2026).
const UPSTASH_CATEGORIES: &[&str] = &[
    "read",
    "list",
    "pubsub",
    "hyperloglog",
    "search",
    "connection",
    "all",
    "string",
    "bitmap",
    "json",
    "stream",
    "write",
    "dangerous",
    "set",
    "sortedset",
    "hash",
    "scripting",
    "admin",
    "keyspace",
    "blocking",
    "geo",
    "transaction",
];

/// `ACL CAT [category]`
fn cat(call: &mut Call<'_>) -> Outcome {
    let upstash = call.quirk(Quirk::AclTokens);
    match call.args_from(2) {
        [] if upstash => Ok(Reply::bulks(UPSTASH_CATEGORIES)),
        [] => {
            // Stock Redis has no modules' categories.
            let foreign = Categories::JSON | Categories::SEARCH;
            let own = Categories::all() - foreign;
            Ok(Reply::bulks(
                own.iter_names().map(|(name, _)| name.to_ascii_lowercase()),
            ))
        }
        [name] => {
            let text = String::from_utf8_lossy(name);
            let category = match text.as_ref() {
                "all" if upstash => Some(Categories::all()),
                _ if upstash && is_speed(name) => None,
                text => acl::category(text),
            };
            let category =
                category.ok_or_else(|| ReplyError::quoting("ERR Unknown category '", name, "'"))?;
            let mut names = Vec::new();
            let more = upstash && category == Categories::DANGEROUS;
            for row in command::all().filter(|row| call.engine.offers(row)) {
                let within = row.all_categories().intersects(category);
                let own = row.subcommands.is_empty() && (within || (more && row.name == "SCAN"));
                names.extend(own.then(|| row.full_name()));
                names.extend(
                    row.subcommands
                        .iter()
                        .filter(|row| {
                            call.engine.offers(row) && row.all_categories().intersects(category)
                        })
                        .map(Command::full_name),
                );
            }
            Ok(Reply::bulks(names))
        }
        _ => Err(ReplyError::subcommand_form(call.args)),
    }
}

/// `ACL GENPASS [bits]`
fn genpass(call: &mut Call<'_>) -> Outcome {
    let bits = match call.args_from(2) {
        [] => 256,
        [bits] => {
            let bits = number::integer(bits).ok_or(NOT_AN_INTEGER)?;
            if !(1..=4096).contains(&bits) {
                return Err(ReplyError::fixed(
                    "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
                ));
            }
            bits
        }
        _ => return Err(ReplyError::subcommand_form(call.args)),
    };
    let digits = usize::try_from(bits).unwrap_or(0).div_ceil(4);
    let mut bytes = vec![0u8; digits.div_ceil(2)];
    call.engine.random.fill_bytes(&mut bytes);
    let mut text = acl::hex(&bytes);
    text.truncate(digits);
    Ok(Reply::bulk(text))
}

/// `ACL GENTOKEN`: a token that ACL SETUSER takes as a password.
fn gentoken(call: &mut Call<'_>) -> Outcome {
    let token = new_token(call);
    call.engine.acl.issue(token.as_bytes());
    Ok(Reply::bulk(token))
}

/// `ACL RESTTOKEN username password`: a REST token with the rights of that user.
fn resttoken(call: &mut Call<'_>) -> Outcome {
    let [user, password] = call.args_from(2) else {
        return Err(ReplyError::fixed(
            "ERR invalid syntax. Usage: ACL RESTTOKEN username password",
        ));
    };
    if !call.engine.acl.authenticates(user, password) {
        return Err(ReplyError::new(format!(
            "ERR Wrong password or user \"{}\" does not exist",
            String::from_utf8_lossy(user)
        )));
    }
    let token = new_token(call);
    call.engine
        .acl
        .add_token(token.clone().into(), user.clone());
    Ok(Reply::bulk(token))
}

/// Tokens look like base64 of 123 characters that begins with `gwAAAA`, as one that a user published.
fn new_token(call: &mut Call<'_>) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0u8; 117];
    call.engine.random.fill_bytes(&mut bytes);
    let body: String = bytes
        .iter()
        .map(|byte| char::from(DIGITS[usize::from(byte % 64)]))
        .collect();
    format!("gwAAAA{body}")
}

/// `ACL LOG [count | RESET]`
fn log(call: &mut Call<'_>) -> Outcome {
    let count = match call.args_from(2) {
        [] => 10,
        [_] if call.is(2, "RESET") => {
            call.engine.acl.log.clear();
            return Ok(Reply::OK);
        }
        [count] => number::integer(count).ok_or(NOT_AN_INTEGER)?,
        _ => return Err(ReplyError::subcommand_form(call.args)),
    };
    // Upstash keeps none (Upstash docs, commands/acl-log).
    if call.quirk(Quirk::AclTokens) {
        return Ok(Reply::Array(Vec::new()));
    }
    let now_ms = call.now_ms;
    let integer = |n: u64| Reply::Integer(i64::try_from(n).unwrap_or(i64::MAX));
    let entries = call
        .engine
        .acl
        .log
        .entries()
        .iter()
        .take(usize::try_from(count).unwrap_or(0));
    let replies = entries.map(|denial| {
        let age = now_ms.saturating_sub(denial.created_ms) as f64 / 1000.0;
        let fields = [
            ("count", integer(denial.count)),
            ("reason", Reply::bulk(denial.reason)),
            ("context", Reply::bulk(denial.context)),
            ("object", Reply::bulk(&denial.object)),
            ("username", Reply::bulk(&denial.user)),
            ("age-seconds", Reply::Double(age)),
            ("client-info", Reply::bulk(&denial.client)),
            ("entry-id", integer(denial.id)),
            ("timestamp-created", integer(denial.created_ms)),
            ("timestamp-last-updated", integer(denial.updated_ms)),
        ];
        Reply::Map(
            fields
                .into_iter()
                .map(|(name, value)| (Reply::bulk(name), value))
                .collect(),
        )
    });
    Ok(Reply::Array(replies.collect()))
}

const NO_FILE: ReplyError = ReplyError::fixed(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.",
);

/// `ACL LOAD`: on Upstash it fetches the users from the primary, which the one node here is.
fn load(call: &mut Call<'_>) -> Outcome {
    if call.quirk(Quirk::AclTokens) {
        Ok(Reply::OK)
    } else {
        Err(NO_FILE)
    }
}

/// `ACL SAVE`: on Upstash it sends the users to the replicas, of which there are none here.
fn save(call: &mut Call<'_>) -> Outcome {
    if call.quirk(Quirk::AclTokens) {
        Ok(Reply::OK)
    } else {
        Err(NO_FILE)
    }
}

impl crate::engine::Engine {
    /// Closes the connections of a user that is no more.
    fn end_sessions_of(&mut self, user: &[u8]) {
        for session in self.sessions.values_mut() {
            if session.user.as_deref() == Some(user) {
                session.user = None;
                session.closing = true;
                if !session.rest {
                    // It says nothing; the front looks whether the connection is to end.
                    session.outbox.push(Reply::None);
                }
            }
        }
    }
}
