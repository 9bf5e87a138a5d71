//! What a missing, broken or unwelcome answer means, and what to do about it.

use reqwest::StatusCode;
use scenarios::{ClientError, Reply};
use serde_json::Value;

use super::super::dial::seconds;
use super::super::tls;
use super::decode::{DecodeError, Envelope};
use super::{Answer, SLOW_DOWN_RETRIES, Shared};

/// How much of an unreadable answer an error shows.
const EXCERPT: usize = 120;

impl Shared {
    /// Why a request has no answer. Only a connection that was never made proves that nothing ran.
    pub(super) fn no_answer(&self, error: &reqwest::Error) -> ClientError {
        let text = self.token.redact(&whole(error));
        let shown = &self.shown;
        if error.is_connect() {
            let lower = text.to_ascii_lowercase();
            let advice = if lower.contains("certificate")
                || lower.contains("tls")
                || lower.contains("corrupt message")
            {
                tls::explain_handshake(&text)
            } else if lower.contains("dns") || lower.contains("lookup") {
                format!("its host could not be found: check the spelling and the network ({text})")
            } else if lower.contains("timed out") || error.is_timeout() {
                let tls = match shown.starts_with("https://") {
                    true => "; if the server does not expect TLS, the URL begins with http://",
                    false => "",
                };
                format!(
                    "it did not answer in time: check the address and the network{tls} ({text})"
                )
            } else {
                format!("nothing listens there: check the URL, and that the server runs ({text})")
            };
            return ClientError::NotSent(format!("no connection to {shown}: {advice}"));
        }
        if error.is_timeout() {
            return ClientError::OutcomeUnknown(format!(
                "{shown} did not answer within {}; whether it ran the command is not known, so it \
                 was not repeated",
                seconds(self.reply_timeout)
            ));
        }
        if error.is_builder() {
            return ClientError::NotSent(format!(
                "the request to {shown} cannot be built ({text})"
            ));
        }
        let tls = match shown.starts_with("http://") {
            true => "; if the server expects TLS, the URL begins with https://",
            false => "",
        };
        // hyper's word for bytes that are no HTTP, a TLS alert say.
        let what = match text.contains("invalid HTTP") {
            true => "answered with something that is not HTTP",
            false => "closed the connection without an answer",
        };
        ClientError::OutcomeUnknown(format!(
            "{shown} {what}; whether it ran the command is not known, so it was not repeated{tls} ({text})"
        ))
    }

    pub(super) fn cut_off(&self, status: StatusCode, error: &reqwest::Error) -> ClientError {
        let text = self.token.redact(&whole(error));
        if error.is_timeout() {
            return ClientError::OutcomeUnknown(format!(
                "{} began to answer ({status}) and did not finish within {}; the command was \
                 probably run, and was not repeated",
                self.shown,
                seconds(self.reply_timeout)
            ));
        }
        ClientError::Protocol(format!(
            "{} sent only part of its answer ({status}) and closed the connection; the command was \
             probably run, and was not repeated ({text})",
            self.shown
        ))
    }

    /// The beginning of a body, on one line, without the token.
    pub(super) fn excerpt(&self, body: &[u8]) -> String {
        if body.is_empty() {
            return "an empty body".to_owned();
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(EXCERPT * 4)]).into_owned();
        let text = self.token.redact(&text);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut short: String = line.chars().take(EXCERPT).collect();
        if short.len() < line.len() || body.len() > EXCERPT * 4 {
            short.push('…');
        }
        short
    }

    /// The JSON of an answer that a healthy server may give: 200, or 400 and 413 with an error in it.
    pub(super) fn json(&self, answer: &Answer) -> Result<Value, ClientError> {
        let excerpt = || self.excerpt(&answer.body);
        match answer.status.as_u16() {
            200 => serde_json::from_slice(&answer.body).map_err(|error| {
                ClientError::Protocol(format!(
                    "{} answered 200 with a body that is not valid JSON ({error}): {}. Check that \
                     the URL is the REST URL of the database",
                    self.shown,
                    excerpt()
                ))
            }),
            400 | 413 => match serde_json::from_slice::<Value>(&answer.body) {
                Ok(value) if value.get("error").is_some() => Ok(value),
                _ if answer.status == StatusCode::PAYLOAD_TOO_LARGE => {
                    Err(ClientError::NotSent(format!(
                        "{} answered 413: the request is larger than the database's plan allows. Send \
                     smaller values, or split the request",
                        self.shown
                    )))
                }
                _ => Err(ClientError::Protocol(format!(
                    "{} answered {} without an error in JSON: {}",
                    self.shown,
                    answer.status,
                    excerpt()
                ))),
            },
            401 | 403 => Err(ClientError::NotSent(format!(
                "{} refused the token ({}): {}. Copy the REST token from the Upstash console into \
                 UPSTASH_REDIS_REST_TOKEN; a Redis password is not a REST token on older databases",
                self.shown,
                answer.status,
                excerpt()
            ))),
            429 => Err(ClientError::NotSent(format!(
                "{} answered 429 (too many requests) {} times in a row: wait a while, or run fewer \
                 scenarios with --area or --filter",
                self.shown,
                SLOW_DOWN_RETRIES + 1
            ))),
            300..=399 => Err(ClientError::NotSent(format!(
                "{} redirected the request ({}), which loses it: give the URL that it redirects to, \
                 https:// rather than http:// most likely",
                self.shown, answer.status
            ))),
            404 | 405 => Err(ClientError::NotSent(format!(
                "{} answered {}: this does not look like Upstash's REST API. Check the URL: {}",
                self.shown,
                answer.status,
                excerpt()
            ))),
            500..=599 => Err(ClientError::OutcomeUnknown(format!(
                "{} answered {}: {}. Whether the command was run is not known, so a write was not \
                 repeated; try again later",
                self.shown,
                answer.status,
                excerpt()
            ))),
            _ => Err(ClientError::Protocol(format!(
                "{} answered {}, which Upstash does not use: {}",
                self.shown,
                answer.status,
                excerpt()
            ))),
        }
    }

    /// The reply in an envelope. A server that shows the token in an error has it taken out.
    pub(super) fn reply(&self, value: Value, body: &[u8]) -> Result<Reply, ClientError> {
        match Envelope::decode(value) {
            Ok(Envelope(Reply::Error(text))) => Ok(Reply::Error(self.token.redact(&text))),
            Ok(Envelope(reply)) => Ok(reply),
            Err(error) => Err(self.unreadable(error, body)),
        }
    }

    fn unreadable(&self, error: DecodeError, body: &[u8]) -> ClientError {
        ClientError::Protocol(format!(
            "{} answered with JSON that is not a reply: {error}. The answer was {}",
            self.shown,
            self.excerpt(body)
        ))
    }
}

/// An error with all its causes: reqwest's own text stops at the first. Without the URL, which an
/// error of ours names already.
pub(super) fn whole(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    match text.is_empty() {
        true => "no further reason given".to_owned(),
        false => text,
    }
}
