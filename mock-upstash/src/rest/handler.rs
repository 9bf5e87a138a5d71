//! One request: method, token, headers, body, then the commands, in the order in which Upstash
//! checks them.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use redis_engine::Limits;
use tokio::sync::watch;

use super::argument;
use super::control;
use super::encode::Encoding;
use super::path;
use super::response::{self, Body, HungUp, Refusal};
use super::stream;
use super::work::{EMPTY_COMMAND, Format, Terms, Work};
use crate::assumption::{Assumption, Assumptions};
use crate::bound::Bounds;
use crate::journal::RequestKind;
use crate::replica::{self, SYNC_TOKEN};
use crate::shared::Shared;

/// Largest body that is read before it is known whose it is.
pub(super) const MAX_BODY_OF_A_STRANGER: u64 = 64 * 1024;

const ENCODING: &str = "upstash-encoding";
const FORMAT: &str = "upstash-response-format";
/// The documentation's own samples spell it so.
const FORMAT_MISSPELT: &str = "upstash-reponse-format";

/// The headers of a request that are read here; nobody has to keep others.
pub(super) static HEADERS: [HeaderName; 7] = [
    header::AUTHORIZATION,
    header::ORIGIN,
    header::ACCESS_CONTROL_REQUEST_HEADERS,
    HeaderName::from_static(ENCODING),
    HeaderName::from_static(FORMAT),
    HeaderName::from_static(FORMAT_MISSPELT),
    SYNC_TOKEN,
];

/// A request, its body perhaps still on its way.
pub(super) struct Asked<F> {
    pub(super) parts: Parts,
    /// Most bytes that the body can have; `None` when that is not known.
    pub(super) body_at_most: Option<u64>,
    pub(super) body: F,
    /// Whether no fault strikes it: those that begin while it is under way strike the next one.
    pub(super) spared: bool,
}

impl Asked<()> {
    /// One that hyper has read the head of.
    pub(super) fn of(
        request: Request<Incoming>,
        shared: &Shared,
    ) -> Asked<impl Future<Output = Result<Bytes, Refusal>>> {
        let (parts, body) = request.into_parts();
        Asked {
            parts,
            body_at_most: body.size_hint().upper(),
            body: read(body, &shared.bounds),
            spared: false,
        }
    }
}

/// Answers one request.
pub(super) async fn handle(
    shared: &Arc<Shared>,
    asked: Asked<impl Future<Output = Result<Bytes, Refusal>>>,
    stopped: &watch::Receiver<()>,
) -> Result<Response<Body>, HungUp> {
    let origin = asked.parts.headers.get(header::ORIGIN).cloned();
    let head_only = asked.parts.method == Method::HEAD;
    let mut response = match respond(shared, asked, stopped).await {
        Ok(response) => response,
        Err(Refusal::Answer { status, error }) => response::refused(status, error.as_bytes()),
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

async fn respond(
    shared: &Arc<Shared>,
    asked: Asked<impl Future<Output = Result<Bytes, Refusal>>>,
    stopped: &watch::Receiver<()>,
) -> Result<Response<Body>, Refusal> {
    let parts = asked.parts;
    let path = parts.uri.path();
    let query = parts.uri.query();
    if !shared.assumptions.has(Assumption::TolerateUncleanPaths)
        && let Some(cleaned) = path::cleaned(path)
    {
        return Ok(response::moved(&cleaned, query));
    }
    if parts.method == Method::OPTIONS {
        return Ok(response::preflight(&parts.headers));
    }
    let for_control = shared.control && control::is_path(path);
    if !for_control
        && !matches!(
            parts.method,
            Method::GET | Method::POST | Method::PUT | Method::HEAD
        )
    {
        return Ok(response::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    let (query_token, parameters) = path::query(query.unwrap_or_default());
    let token = query_token
        .or_else(|| bearer(&parts.headers))
        .unwrap_or_default();
    // A small body costs nothing; the token is then looked up once, when the command is carried out.
    if asked.body_at_most.unwrap_or(u64::MAX) > MAX_BODY_OF_A_STRANGER {
        check(shared, &token)?;
    }
    let body = asked.body.await;
    if for_control {
        check(shared, &token)?;
        return control::answer(shared, &token, &parts.method, path, &body?);
    }
    match parse(shared, path, &parts.headers, body, parameters) {
        Ok(Task::Work(terms, work)) => carry_out(shared, token, terms, work, asked.spared).await,
        Ok(Task::Stream(command)) => {
            let (user, response) = stream::open(shared, &token, &command, stopped.clone()).await?;
            let status = Some(response.status().as_u16());
            let commands = std::iter::once(&command[..]);
            shared
                .journal
                .note(RequestKind::Stream, &user, commands, status);
            Ok(response)
        }
        // Who has no token learns nothing of what else is wrong.
        Err(refusal) => check(shared, &token).and(Err(refusal)),
    }
}

/// What a request turned out to ask for.
enum Task {
    Work(Terms, Work),
    Stream(Vec<Bytes>),
}

fn parse(
    shared: &Shared,
    path: &str,
    headers: &HeaderMap,
    body: Result<Bytes, Refusal>,
    parameters: Vec<Bytes>,
) -> Result<Task, Refusal> {
    let terms = Terms {
        format: format(headers, shared.assumptions)?,
        position: replica::position(headers),
    };
    let body = body?;
    let assumptions = shared.assumptions;
    let segments = path::segments(path, assumptions.has(Assumption::EncodedSlashSplits));
    let is = |name: &str| {
        segments
            .first()
            .is_some_and(|first| first.eq_ignore_ascii_case(name.as_bytes()))
    };
    let work = match segments.len() {
        0 => Work::One(argument::command(&body, assumptions)?),
        1 if is("pipeline") => Work::Pipeline(argument::commands(&body, assumptions)?),
        1 if is("multi-exec") => {
            let rows = argument::commands(&body, assumptions)?.into_iter();
            let commands = rows.map(|row| match row {
                Ok(command) if command.is_empty() => Err(EMPTY_COMMAND),
                row => row,
            });
            let commands = commands.collect::<Result<_, _>>();
            Work::Transaction(commands.map_err(|error| Refusal::bad_request(error.to_string()))?)
        }
        _ if path::opens_stream(&segments) => return Ok(Task::Stream(segments)),
        _ => {
            let mut command = segments;
            if !body.is_empty() {
                command.push(body);
            }
            command.extend(parameters);
            Work::One(command)
        }
    };
    Ok(Task::Work(terms, work))
}

async fn carry_out(
    shared: &Arc<Shared>,
    token: Bytes,
    terms: Terms,
    work: Work,
    spared: bool,
) -> Result<Response<Body>, Refusal> {
    shared.pace(work.commands()).await;
    let (outcome, user) = if !spared && shared.faults.any() {
        let user = check(shared, &token)?;
        let outcome = match work.strike(shared, &user) {
            None => work.carry_out(shared, &token, terms).await,
            Some(effect) => work.carry_out_struck(shared, &token, terms, effect).await,
        };
        (outcome, Some(user))
    } else {
        (work.carry_out(shared, &token, terms).await, None)
    };
    if shared.journal.is_on() {
        let (user, status) = match &outcome {
            Ok((caller, response)) => (Some(caller.user.clone()), Some(response.status())),
            Err(Refusal::Answer { status, .. }) => (user, Some(*status)),
            Err(Refusal::HangUp) => (user, None),
        };
        // Requests of strangers are not noted: nothing was asked in anybody's name.
        if let Some(user) = user {
            let status = status.map(|status| status.as_u16());
            shared
                .journal
                .note(work.kind(), &user, work.commands(), status);
        }
    }
    outcome.map(|(_, response)| response)
}

/// The user that a token stands for.
fn check(shared: &Shared, token: &Bytes) -> Result<Bytes, Refusal> {
    let engine = &mut shared.engine.lock();
    shared
        .caller(engine, token)
        .map(|caller| caller.user)
        .ok_or_else(|| Refusal::unauthorized_by(shared, engine, token))
}

/// Reads a body; a client that stops half way is told, and let go.
async fn read(body: Incoming, bounds: &Bounds) -> Result<Bytes, Refusal> {
    let most = bounds.max_body;
    let announced = body.size_hint().lower();
    let too_large = |actual: u64| {
        let error = Limits::too_large(most as u64, actual);
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
    };
    if announced > most as u64 {
        return Err(too_large(announced));
    }
    let whole = Limited::new(body, most).collect();
    match tokio::time::timeout(bounds.body_timeout, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(most as u64 + 1)),
        Ok(Err(_)) => Err(Refusal::body_broken()),
        Err(_) => Err(Refusal::body_late()),
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

fn format(headers: &HeaderMap, assumptions: Assumptions) -> Result<Format, Refusal> {
    let encoding = headers.get(ENCODING);
    let base64 = encoding.is_some_and(|value| value == "base64");
    if encoding.is_some() && !base64 && assumptions.has(Assumption::UnknownEncodingRefused) {
        return Err(Refusal::bad_request("ERR unknown encoding, use base64"));
    }
    let wanted = headers.get(FORMAT).or_else(|| headers.get(FORMAT_MISSPELT));
    match wanted.map(HeaderValue::as_bytes) {
        None | Some(b"json") if base64 => Ok(Format::Json(Encoding::Base64)),
        None | Some(b"json") => Ok(Format::Json(Encoding::Text)),
        Some(b"resp2") if base64 => Err(Refusal::bad_request(
            "ERR resp2 response format can not be used with base64 encoding",
        )),
        Some(b"resp2") => Ok(Format::Resp2),
        Some(_) => Err(Refusal::bad_request(
            "ERR unknown response format, use json or resp2",
        )),
    }
}
