//! Responses: bodies, headers that every response has, refusals.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Body as _;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use redis_engine::Engine;

use super::argument::BadBody;
use super::encode;
use super::mangle::Mangled;
use super::stream::EventStream;
use crate::assumption::Assumption;
use crate::shared::Shared;

/// A response's body: whole, a stream of server-sent events, or an answer that a fault mangles.
pub(crate) type Body = Either<Full<Bytes>, Either<EventStream, Mangled>>;

/// Text as seen by users of the service, 2024-2026.
const BAD_TOKEN: &str = "WRONGPASS invalid or missing auth token. See https://docs.upstash.com/redis/troubleshooting/http_unauthorized for details.";

/// The text for a token whose user is gone or disabled, as seen by a user of the service, April 2026.
const STALE_TOKEN: &str = "WRONGPASS invalid username-password pair or user is disabled";

/// The connection ends without an answer; a fault asked for it.
#[derive(Debug, thiserror::Error)]
#[error("a fault ended the connection")]
pub(crate) struct HungUp;

/// A request that is not carried out.
pub(super) enum Refusal {
    /// An answer with an error.
    Answer { status: StatusCode, error: String },
    /// No answer: the connection ends.
    HangUp,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Refusal::Answer {
            status,
            error: error.into(),
        }
    }

    pub(super) fn bad_request(error: impl Into<String>) -> Self {
        Refusal::new(StatusCode::BAD_REQUEST, error)
    }

    /// The client went away, or closed its side, before the end of the body.
    pub(super) fn body_broken() -> Self {
        Refusal::bad_request("ERR the request's body could not be read to its end")
    }

    /// The client took too long over the body.
    pub(super) fn body_late() -> Self {
        Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "ERR the request's body did not arrive in time",
        )
    }

    /// No user has the token.
    pub(super) fn unauthorized() -> Self {
        Refusal::new(StatusCode::UNAUTHORIZED, BAD_TOKEN)
    }

    /// No user has the token, which may have been somebody's.
    pub(super) fn unauthorized_by(shared: &Shared, engine: &Engine, token: &[u8]) -> Self {
        if shared.assumptions.has(Assumption::StaleTokenAsAny) || !engine.acl.has_given(token) {
            return Refusal::unauthorized();
        }
        Refusal::new(StatusCode::UNAUTHORIZED, STALE_TOKEN)
    }
}

impl From<BadBody> for Refusal {
    fn from(bad: BadBody) -> Self {
        Refusal::bad_request(bad.0)
    }
}

/// The bytes of a whole body.
pub(super) fn whole(body: Full<Bytes>) -> Bytes {
    let mut context = Context::from_waker(Waker::noop());
    // A whole body is ready at once.
    match std::pin::pin!(body).poll_frame(&mut context) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        _ => Bytes::new(),
    }
}

/// A response that says what is wrong.
pub(super) fn refused(status: StatusCode, error: &[u8]) -> Response<Body> {
    let mut body = Vec::with_capacity(error.len() + 16);
    encode::error_envelope(&mut body, error);
    json(status, body)
}

pub(super) fn json(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
    response(status, body, JSON)
}

pub(super) fn resp2(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
    response(status, body, OCTETS)
}

pub(super) fn html(status: StatusCode, body: String) -> Response<Body> {
    const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
    response(status, body.into_bytes(), HTML)
}

pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::default()));
    *response.status_mut() = status;
    response
}

fn response(status: StatusCode, body: Vec<u8>, content_type: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

/// The answer to a path with empty or dotted segments, as Go's HTTP server gives it.
pub(super) fn moved(path: &str, query: Option<&str>) -> Response<Body> {
    let location = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut response = html(
        StatusCode::MOVED_PERMANENTLY,
        format!("<a href=\"{location}\">Moved Permanently</a>.\n\n"),
    );
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The answer to what browsers ask before a request from another site.
pub(super) fn preflight(headers: &HeaderMap) -> Response<Body> {
    let mut response = empty(StatusCode::OK);
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
