//! One request: method, token, headers, body, then the commands, in the order in which Upstash
//! checks them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use redis_engine::{Engine, Reply};
use tokio::sync::watch;

use super::argument::{self, BadBody};
use super::encode::{self, Encoding};
use super::mangle::{How, Mangled};
use super::path;
use super::stream::{self, EventStream};
use crate::fault::Effect;
use crate::resp;
use crate::shared::Shared;

/// A response's body: whole, a stream of server-sent events, or an answer that a fault mangles.
pub(crate) type Body = Either<Full<Bytes>, Either<EventStream, Mangled>>;

/// Largest body of a request, in bytes. Upstash limits commands, not bodies; this bounds memory.
const MAX_BODY: usize = 512 * 1024 * 1024;

const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");
const ENCODING: &str = "upstash-encoding";
const FORMAT: &str = "upstash-response-format";
/// The documentation's own samples spell it so.
const FORMAT_MISSPELT: &str = "upstash-reponse-format";

/// Text as seen by users of the service, 2024-2026.
const BAD_TOKEN: &str = "WRONGPASS invalid or missing auth token. See https://upstash.com/docs/redis/troubleshooting/http_unauthorized for details.";

/// How a reply is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json(Encoding),
    Resp2,
}

/// Answers one request.
pub(crate) async fn handle(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    stopped: watch::Receiver<()>,
) -> Result<Response<Body>, HungUp> {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let head_only = request.method() == Method::HEAD;
    let mut response = match respond(&shared, request, stopped).await {
        Ok(response) => response,
        Err(Refusal::Answer { status, error }) => refused(status, &error),
        Err(Refusal::HangUp) => return Err(HungUp),
    };
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    );
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    if head_only {
        *response.body_mut() = Either::Left(Full::default());
    }
    Ok(response)
}

/// The connection ends without an answer; a fault asked for it.
#[derive(Debug, thiserror::Error)]
#[error("a fault ended the connection")]
pub(crate) struct HungUp;

/// A request that is not carried out.
enum Refusal {
    /// An answer with an error.
    Answer { status: StatusCode, error: String },
    /// No answer: the connection ends.
    HangUp,
}

impl Refusal {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Refusal::Answer {
            status,
            error: error.into(),
        }
    }
}

fn refused(status: StatusCode, error: &str) -> Response<Body> {
    let mut body = Vec::new();
    encode::error_envelope(&mut body, error.as_bytes());
    json_response(status, body)
}

impl From<BadBody> for Refusal {
    fn from(bad: BadBody) -> Self {
        Refusal::new(StatusCode::BAD_REQUEST, bad.0)
    }
}

async fn respond(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
    stopped: watch::Receiver<()>,
) -> Result<Response<Body>, Refusal> {
    let method = request.method();
    if method == Method::OPTIONS {
        return Ok(preflight(request.headers()));
    }
    if !matches!(
        *method,
        Method::GET | Method::POST | Method::PUT | Method::HEAD
    ) {
        let mut response = Response::new(Either::Left(Full::default()));
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        return Ok(response);
    }
    let (parts, body) = request.into_parts();
    let (query_token, parameters) = path::query(parts.uri.query().unwrap_or_default());
    let token = query_token
        .or_else(|| bearer(&parts.headers))
        .unwrap_or_default();
    if shared.engine.lock().acl.user_of_token(&token).is_none() {
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, BAD_TOKEN));
    }
    let format = format(&parts.headers)?;
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "ERR the request's body could not be read to its end",
        )
    })?;
    let body = body.to_bytes();
    let segments = path::segments(parts.uri.path());
    let target = segments.first().map(|first| first.to_ascii_lowercase());
    let work = match (target.as_deref(), segments.len()) {
        (None, _) => Work::One(argument::command(&body)?),
        (Some(b"pipeline"), 1) => Work::Pipeline(argument::commands(&body)?),
        (Some(b"multi-exec"), 1) => Work::Transaction(argument::commands(&body)?),
        (Some(b"subscribe" | b"psubscribe"), 2..) | (Some(b"monitor"), 1) => {
            return stream::open(shared, &token, &segments, stopped)
                .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()));
        }
        _ => {
            let mut command = segments;
            if !body.is_empty() {
                command.push(body);
            }
            command.extend(parameters);
            Work::One(command)
        }
    };
    match shared.strike(&token, work.commands()) {
        None => work.carry_out(shared, &token, format),
        Some(effect) => struck(shared, &token, work, format, effect).await,
    }
}

/// What a request asks for.
enum Work {
    One(Vec<Bytes>),
    Pipeline(Vec<Vec<Bytes>>),
    Transaction(Vec<Vec<Bytes>>),
}

impl Work {
    fn commands(&self) -> &[Vec<Bytes>] {
        match self {
            Work::One(command) => std::slice::from_ref(command),
            Work::Pipeline(commands) | Work::Transaction(commands) => commands,
        }
    }

    fn carry_out(
        self,
        shared: &Shared,
        token: &[u8],
        format: Format,
    ) -> Result<Response<Body>, Refusal> {
        match self {
            Work::One(command) => one(shared, token, &command, format),
            Work::Pipeline(commands) => pipeline(shared, token, &commands, format),
            Work::Transaction(commands) => transaction(shared, token, &commands, format),
        }
    }
}

/// Carries out a request that a fault strikes. A request is struck as a whole, whichever of its
/// commands the fault describes.
async fn struck(
    shared: &Shared,
    token: &[u8],
    work: Work,
    format: Format,
    effect: Effect,
) -> Result<Response<Body>, Refusal> {
    let mangle = |response: Response<Body>, how: How| {
        let (parts, body) = response.into_parts();
        let Either::Left(whole) = body else {
            return Err(Refusal::HangUp);
        };
        Ok(Response::from_parts(
            parts,
            Either::Right(Either::Right(Mangled::new(whole, how))),
        ))
    };
    match effect {
        Effect::Delay { ms, .. } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            work.carry_out(shared, token, format)
        }
        Effect::Error(message) => Err(Refusal::new(StatusCode::BAD_REQUEST, message)),
        Effect::Status { status, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            Ok(response(status, body.into_bytes(), html))
        }
        Effect::ResetBefore => Err(Refusal::HangUp),
        Effect::ResetAfter => {
            work.carry_out(shared, token, format)?;
            Err(Refusal::HangUp)
        }
        Effect::HalfAnswer => mangle(work.carry_out(shared, token, format)?, How::Half),
        Effect::Drip { bytes, interval_ms } => {
            let interval = Duration::from_millis(interval_ms);
            mangle(
                work.carry_out(shared, token, format)?,
                How::Drip { bytes, interval },
            )
        }
        Effect::BlackHole => std::future::pending().await,
    }
}

/// The token of the `Authorization` header, with or without `Bearer`.
fn bearer(headers: &HeaderMap) -> Option<Bytes> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let token = match value.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case(b"bearer ") => &value[7..],
        _ => value,
    };
    Some(Bytes::copy_from_slice(token))
}

fn format(headers: &HeaderMap) -> Result<Format, Refusal> {
    let refuse = |error: &str| Err(Refusal::new(StatusCode::BAD_REQUEST, error));
    // Only base64 is documented; what another value does is not known, so it is ignored.
    let base64 = headers.get(ENCODING).is_some_and(|value| value == "base64");
    match headers
        .get(FORMAT)
        .or_else(|| headers.get(FORMAT_MISSPELT))
        .map(HeaderValue::as_bytes)
    {
        None | Some(b"json") if base64 => Ok(Format::Json(Encoding::Base64)),
        None | Some(b"json") => Ok(Format::Json(Encoding::Text)),
        Some(b"resp2") if base64 => {
            refuse("ERR resp2 response format can not be used with base64 encoding")
        }
        Some(b"resp2") => Ok(Format::Resp2),
        Some(_) => refuse("ERR unknown response format, use json or resp2"),
    }
}

/// `/` and the path form: one command.
fn one(
    shared: &Shared,
    token: &[u8],
    command: &[Bytes],
    format: Format,
) -> Result<Response<Body>, Refusal> {
    let mut engine = shared.engine.lock();
    let client = rest_client(shared, &mut engine, token)?;
    let reply = engine.execute(client, command);
    let sync = sync_token(&engine);
    drop(engine);
    let status = if matches!(reply, Reply::Error(_)) {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    let mut body = Vec::with_capacity(64);
    let mut response = match format {
        Format::Json(encoding) => {
            encode::envelope(&mut body, &reply, encoding);
            json_response(status, body)
        }
        Format::Resp2 => {
            resp::encode(&mut body, &reply, redis_engine::Protocol::Resp2);
            resp2_response(status, body)
        }
    };
    response.headers_mut().insert(SYNC_TOKEN, sync);
    Ok(response)
}

/// `/pipeline`: each command for itself.
fn pipeline(
    shared: &Shared,
    token: &[u8],
    commands: &[Vec<Bytes>],
    format: Format,
) -> Result<Response<Body>, Refusal> {
    /// Commands run without letting others in between; more would make them wait too long.
    const TURN: usize = 64;
    let mut replies = Vec::with_capacity(commands.len());
    let mut sync = HeaderValue::from_static("0");
    for turn in commands.chunks(TURN) {
        let mut engine = shared.engine.lock();
        let client = rest_client(shared, &mut engine, token)?;
        for command in turn {
            replies.push(if command.is_empty() {
                Reply::Error(redis_engine::ReplyError::fixed(
                    "ERR empty pipeline command",
                ))
            } else {
                engine.execute(client, command)
            });
        }
        sync = sync_token(&engine);
    }
    let mut response = many(&replies, format);
    response.headers_mut().insert(SYNC_TOKEN, sync);
    Ok(response)
}

/// `/multi-exec`: all or nothing, with nothing in between. Answers JSON whatever was asked for.
fn transaction(
    shared: &Shared,
    token: &[u8],
    commands: &[Vec<Bytes>],
    format: Format,
) -> Result<Response<Body>, Refusal> {
    let encoding = match format {
        Format::Json(encoding) => encoding,
        Format::Resp2 => Encoding::Text,
    };
    let mut engine = shared.engine.lock();
    let client = rest_client(shared, &mut engine, token)?;
    let outcome = engine.transaction(client, commands);
    let sync = sync_token(&engine);
    drop(engine);
    let mut response = match outcome {
        Ok(replies) => many(&replies, Format::Json(encoding)),
        Err(error) => {
            let mut body = Vec::new();
            encode::error_envelope(&mut body, error.as_bytes());
            json_response(StatusCode::BAD_REQUEST, body)
        }
    };
    response.headers_mut().insert(SYNC_TOKEN, sync);
    Ok(response)
}

fn many(replies: &[Reply], format: Format) -> Response<Body> {
    let mut body = Vec::with_capacity(32 * replies.len());
    match format {
        Format::Json(encoding) => {
            body.push(b'[');
            for (i, reply) in replies.iter().enumerate() {
                if i > 0 {
                    body.push(b',');
                }
                encode::envelope(&mut body, reply, encoding);
            }
            body.push(b']');
            json_response(StatusCode::OK, body)
        }
        Format::Resp2 => {
            for reply in replies {
                resp::encode(&mut body, reply, redis_engine::Protocol::Resp2);
            }
            resp2_response(StatusCode::OK, body)
        }
    }
}

fn rest_client(
    shared: &Shared,
    engine: &mut Engine,
    token: &[u8],
) -> Result<redis_engine::ClientId, Refusal> {
    // The user may have been deleted since the token was checked.
    shared
        .rest_client(engine, token)
        .ok_or_else(|| Refusal::new(StatusCode::UNAUTHORIZED, BAD_TOKEN))
}

/// The state of the primary: a count of changes in the digits 0-9a-v, as observed on a live database.
fn sync_token(engine: &Engine) -> HeaderValue {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let mut rest = engine.stats.changes;
    let mut digits = Vec::new();
    loop {
        digits.push(DIGITS[(rest % 32) as usize]);
        rest /= 32;
        if rest == 0 {
            break;
        }
    }
    digits.reverse();
    HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("0"))
}

fn preflight(headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::default()));
    let allowed = headers
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .cloned()
        .unwrap_or(HeaderValue::from_static("*"));
    let answer = response.headers_mut();
    answer.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("HEAD,GET,POST,PUT"),
    );
    answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    response
}

fn json_response(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    response(
        status,
        body,
        HeaderValue::from_static("application/json; charset=utf-8"),
    )
}

fn resp2_response(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    response(
        status,
        body,
        HeaderValue::from_static("application/octet-stream"),
    )
}

fn response(status: StatusCode, body: Vec<u8>, content_type: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}
