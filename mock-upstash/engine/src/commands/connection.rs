//! Connection commands: who the client is, and which protocol it speaks.

use bytes::Bytes;

use crate::call::Call;
use crate::command::{Categories, Command, Flags, Group, Handler};
use crate::dialect::Quirk;
use crate::error::{DB_INDEX_OUT_OF_RANGE, ReplyError, as_c_text};
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::session::{Protocol, Session};

const fn row(name: &'static str, arity: i16, handler: Handler) -> Command {
    Command::new(Group::Connection, name, arity, handler)
}

const fn client_row(name: &'static str, arity: i16, handler: Handler) -> Command {
    row(name, arity, handler)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .tcp_only()
}

const ALWAYS: &[Flags] = &[
    Flags::NOSCRIPT,
    Flags::LOADING,
    Flags::STALE,
    Flags::FAST,
    Flags::NO_AUTH,
    Flags::ALLOW_BUSY,
];

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("AUTH", -2, auth)
        .flags(ALWAYS)
        .tcp_only()
        .since("1.0.0"),
    Command::container(Group::Connection, "CLIENT", -2, CLIENT)
        .tcp_only()
        .since("2.4.0"),
    row("ECHO", 2, echo)
        .flags(&[Flags::LOADING, Flags::STALE, Flags::FAST])
        .read_only_token(true)
        .since("1.0.0"),
    row("HELLO", -1, hello)
        .flags(ALWAYS)
        .tcp_only()
        .since("6.0.0"),
    row("PING", -1, ping)
        .flags(&[Flags::FAST])
        .read_only_token(true)
        .since("1.0.0"),
    row("QUIT", -1, quit)
        .flags(ALWAYS)
        .tcp_only()
        .since("1.0.0"),
    row("RESET", 1, reset)
        .flags(ALWAYS)
        .tcp_only()
        .since("6.2.0"),
    row("SELECT", 2, select)
        .flags(&[Flags::LOADING, Flags::STALE, Flags::FAST])
        .read_only_token(true)
        .since("1.0.0"),
];

const CLIENT: &[Command] = &[
    client_row("CLIENT GETNAME", 2, client_getname).since("2.6.9"),
    client_row("CLIENT ID", 2, client_id).since("5.0.0"),
    client_row("CLIENT INFO", 2, client_info).since("6.2.0"),
    client_row("CLIENT LIST", -2, client_list)
        .flags(&[Flags::ADMIN])
        .categories(&[Categories::DANGEROUS])
        .since("2.4.0"),
    client_row("CLIENT SETINFO", 4, client_setinfo).since("7.2.0"),
    client_row("CLIENT SETNAME", 3, client_setname).since("2.6.9"),
];

/// `PING [message]`
fn ping(call: &mut Call<'_>) -> Outcome {
    if call.args.len() > 2 {
        return Err(ReplyError::arity("ping"));
    }
    let message = call.args.get(1);
    if call.session().in_subscribe_mode() {
        let message = message.map_or(Reply::bulk(""), Reply::bulk);
        return Ok(Reply::Array(vec![Reply::bulk("pong"), message]));
    }
    Ok(message.map_or(Reply::status("PONG"), Reply::bulk))
}

/// `ECHO message`
fn echo(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::bulk(call.arg(1)))
}

/// `SELECT index`
fn select(call: &mut Call<'_>) -> Outcome {
    let index = call.integer_in(1, i32::MIN.into(), i32::MAX.into())?;
    if call.quirk(Quirk::SingleDatabase) && index != 0 {
        return Err(ReplyError::new(format!(
            "ERR Only 0th database is supported! Selected DB: {index}"
        )));
    }
    match usize::try_from(index) {
        Ok(index) if index < call.engine.databases.len() => {
            call.engine.set_db(call.client, index);
            Ok(Reply::OK)
        }
        _ => Err(DB_INDEX_OUT_OF_RANGE),
    }
}

/// `QUIT`
fn quit(call: &mut Call<'_>) -> Outcome {
    call.session().closing = true;
    Ok(Reply::OK)
}

/// `RESET`
fn reset(call: &mut Call<'_>) -> Outcome {
    let client = call.client;
    call.engine.unwatch(client);
    call.engine.monitors.retain(|id| *id != client);
    let session = call.session();
    session.transaction = None;
    session.monitors = false;
    session.name = Bytes::new();
    let (channels, patterns) = (session.channels.clone(), session.patterns.clone());
    for channel in &channels {
        call.engine.unsubscribe(client, channel, false);
    }
    for pattern in &patterns {
        call.engine.unsubscribe(client, pattern, true);
    }
    call.engine.set_db(client, 0);
    call.engine.set_protocol(client, Protocol::Resp2);
    let open = call.engine.acl.is_open();
    call.session().user = open.then(|| Bytes::from_static(b"default"));
    Ok(Reply::status("RESET"))
}

/// `AUTH [username] password`
fn auth(call: &mut Call<'_>) -> Outcome {
    let (user, password) = match call.args {
        [_, password] => {
            if call.engine.acl.is_open() {
                return Err(ReplyError::fixed(
                    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
                ));
            }
            (Bytes::from_static(b"default"), password)
        }
        [_, user, password] => (user.clone(), password),
        _ => return call.syntax_error(),
    };
    authenticate(call, user, password)?;
    Ok(Reply::OK)
}

fn authenticate(call: &mut Call<'_>, user: Bytes, password: &[u8]) -> Result<(), ReplyError> {
    if !call.engine.acl.authenticates(&user, password) {
        let denied = (call.arg(0).clone(), user);
        call.engine
            .note_denial(call.client, "auth", denied, call.origin, call.now_ms);
        return Err(if call.quirk(Quirk::AuthErrorText) {
            ReplyError::fixed("WRONGPASS invalid username-password pair or user is disabled")
        } else {
            ReplyError::fixed("WRONGPASS invalid username-password pair or user is disabled.")
        });
    }
    call.session().user = Some(user);
    Ok(())
}

/// `HELLO [protover [AUTH username password] [SETNAME clientname]]`
fn hello(call: &mut Call<'_>) -> Outcome {
    let protocol = match call.args.get(1) {
        None => call.session().protocol,
        Some(version) => match number::integer(version) {
            None => {
                return Err(ReplyError::fixed(
                    "ERR Protocol version is not an integer or out of range",
                ));
            }
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            Some(_) => return Err(ReplyError::fixed("NOPROTO unsupported protocol version")),
        },
    };
    let mut name = None;
    let mut credentials = None;
    let mut at = 2;
    while at < call.args.len() {
        if call.is(at, "AUTH") && at + 2 < call.args.len() {
            credentials = Some((call.arg(at + 1).clone(), call.arg(at + 2)));
            at += 3;
        } else if call.is(at, "SETNAME") && at + 1 < call.args.len() {
            let given = call.arg(at + 1);
            if !is_valid_name(given) {
                return Err(INVALID_NAME);
            }
            name = Some(given.clone());
            at += 2;
        } else {
            let before = "ERR Syntax error in HELLO option '";
            return Err(ReplyError::quoting(before, call.arg(at), "'"));
        }
    }
    if let Some((user, password)) = credentials {
        authenticate(call, user, password)?;
    }
    if call.session().user.is_none() {
        return Err(ReplyError::fixed(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        ));
    }
    if let Some(name) = name {
        call.session().name = name;
    }
    call.engine.set_protocol(call.client, protocol);
    let id = i64::try_from(call.client).unwrap_or(i64::MAX);
    let pairs = [
        ("server", Reply::bulk("redis")),
        ("version", Reply::bulk(crate::engine::REDIS_VERSION)),
        (
            "proto",
            Reply::Integer(if protocol == Protocol::Resp3 { 3 } else { 2 }),
        ),
        ("id", Reply::Integer(id)),
        ("mode", Reply::bulk("standalone")),
        ("role", Reply::bulk("master")),
        ("modules", Reply::Array(Vec::new())),
    ];
    Ok(Reply::Map(
        pairs
            .into_iter()
            .map(|(key, value)| (Reply::bulk(key), value))
            .collect(),
    ))
}

const INVALID_NAME: ReplyError =
    ReplyError::fixed("ERR Client names cannot contain spaces, newlines or special characters.");

fn is_valid_name(name: &[u8]) -> bool {
    as_c_text(name)
        .iter()
        .all(|byte| (b'!'..=b'~').contains(byte))
}

/// `CLIENT GETNAME`
fn client_getname(call: &mut Call<'_>) -> Outcome {
    let name = call.session().name.clone();
    Ok(if name.is_empty() {
        Reply::Nil
    } else {
        Reply::Bulk(name)
    })
}

/// `CLIENT SETNAME name`
fn client_setname(call: &mut Call<'_>) -> Outcome {
    let name = call.arg(2);
    if !is_valid_name(name) {
        return Err(INVALID_NAME);
    }
    call.session().name = name.clone();
    Ok(Reply::OK)
}

/// `CLIENT SETINFO LIB-NAME|LIB-VER value`
fn client_setinfo(call: &mut Call<'_>) -> Outcome {
    let value = call.arg(3).clone();
    let which = call.arg(2);
    let is_name = call.is(2, "LIB-NAME");
    if !is_name && !call.is(2, "LIB-VER") {
        return Err(ReplyError::quoting("ERR Unrecognized option '", which, "'"));
    }
    if !is_valid_name(&value) {
        return Err(ReplyError::quoting(
            "ERR ",
            which,
            " cannot contain spaces, newlines or special characters.",
        ));
    }
    let library = &mut call.session().library;
    if is_name {
        library.0 = value;
    } else {
        library.1 = value;
    }
    Ok(Reply::OK)
}

/// `CLIENT ID`
fn client_id(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::Integer(
        i64::try_from(call.client).unwrap_or(i64::MAX),
    ))
}

/// `CLIENT INFO`
fn client_info(call: &mut Call<'_>) -> Outcome {
    let now_ms = call.now_ms;
    Ok(text(describe(call.session(), now_ms) + "\n"))
}

/// `CLIENT LIST`
fn client_list(call: &mut Call<'_>) -> Outcome {
    let ids = match call.args.len() {
        2 => None,
        4.. if call.is(2, "ID") => {
            let ids = (3..call.args.len())
                .map(|at| {
                    number::integer(call.arg(at)).ok_or(ReplyError::fixed("ERR Invalid client ID"))
                })
                .collect::<Result<Vec<_>, _>>()?;
            Some(ids)
        }
        4 if call.is(2, "TYPE") => {
            let kind = call.arg(3).to_ascii_lowercase();
            match &kind[..] {
                b"normal" => None,
                b"master" | b"replica" | b"slave" | b"pubsub" => Some(Vec::new()),
                _ => {
                    let before = "ERR Unknown client type '";
                    return Err(ReplyError::quoting(before, call.arg(3), "'"));
                }
            }
        }
        _ => return call.syntax_error(),
    };
    let now_ms = call.now_ms;
    let lines: String = call
        .engine
        .sessions()
        .into_iter()
        .filter(|session| {
            let id = i64::try_from(session.id).unwrap_or(i64::MAX);
            !session.rest && ids.as_ref().is_none_or(|ids| ids.contains(&id))
        })
        .map(|session| describe(session, now_ms) + "\n")
        .collect();
    Ok(text(lines))
}

fn text(text: String) -> Reply {
    Reply::Verbatim(*b"txt", text.into())
}

/// A client in one line, with the fields of Redis that mean something here.
pub(crate) fn describe(session: &Session, now_ms: u64) -> String {
    let lossy = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let mut flags = String::new();
    for (on, letter) in [
        (session.subscriptions() > 0, 'P'),
        (session.transaction.is_some(), 'x'),
        (session.blocked.is_some(), 'b'),
        (session.monitors, 'O'),
        (session.watch_broken, 'd'),
    ] {
        if on {
            flags.push(letter);
        }
    }
    if flags.is_empty() {
        flags.push('N');
    }
    let multi = session
        .transaction
        .as_ref()
        .map_or(-1, |t| i64::try_from(t.queue.len()).unwrap_or(i64::MAX));
    format!(
        "id={} addr={} name={} age={} idle={} flags={} db={} sub={} psub={} multi={} watch={} cmd={} user={} resp={} lib-name={} lib-ver={}",
        session.id,
        session.address,
        lossy(&session.name),
        now_ms.saturating_sub(session.connected_ms) / 1000,
        now_ms.saturating_sub(session.last_command_ms) / 1000,
        flags,
        session.db,
        session.channels.len(),
        session.patterns.len(),
        multi,
        session.watched.len(),
        session
            .last_command
            .map_or_else(|| "NULL".to_owned(), Command::full_name),
        session
            .user
            .as_ref()
            .map_or_else(|| "(superuser)".to_owned(), &lossy),
        if session.protocol == Protocol::Resp3 {
            3
        } else {
            2
        },
        lossy(&session.library.0),
        lossy(&session.library.1),
    )
}
