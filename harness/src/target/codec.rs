//! What the two clients do with bytes, without a connection: for benchmarks of that alone.

use scenarios::client::Command;
use scenarios::{ClientError, Reply};

use super::rest;
use super::tcp;

/// The body of a command over REST.
///
/// # Errors
/// When REST cannot carry the command.
pub fn rest_request(command: &Command) -> Result<Vec<u8>, ClientError> {
    Ok(rest::Request::command(command)?.body)
}

/// The body of a pipeline over REST.
///
/// # Errors
/// When an argument is not UTF-8.
pub fn rest_pipeline(commands: &[Command]) -> Result<Vec<u8>, ClientError> {
    Ok(rest::Request::batch("/pipeline", commands)?.body)
}

/// The reply in the body of an answer over REST, whose strings are in base64.
///
/// # Errors
/// When it is no JSON, or not of a reply's form.
pub fn rest_reply(body: &[u8]) -> Result<Reply, ClientError> {
    let value = serde_json::from_slice(body)
        .map_err(|error| ClientError::Protocol(format!("the body is not JSON: {error}")))?;
    match rest::Envelope::decode(value) {
        Ok(envelope) => Ok(envelope.0),
        Err(error) => Err(ClientError::Protocol(error.to_string())),
    }
}

/// A command in the Redis protocol.
///
/// # Errors
/// When the command cannot be sent on a connection that is shared.
pub fn tcp_request(command: &Command) -> Result<Vec<u8>, ClientError> {
    Ok(tcp::packed(command)?.get_packed_command())
}

/// The reply in bytes of the Redis protocol.
///
/// # Errors
/// When they are no whole reply.
pub fn tcp_reply(bytes: &[u8]) -> Result<Reply, ClientError> {
    redis::parse_redis_value(bytes)
        .map(tcp::reply)
        .map_err(|error| ClientError::Protocol(format!("the bytes are no reply: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clients_say_the_same_in_their_own_ways() {
        let command: Command = vec![b"GET".to_vec(), b"k".to_vec()];
        assert_eq!(rest_request(&command).unwrap(), br#"["GET","k"]"#);
        let both = [command.clone(), command.clone()];
        assert_eq!(
            rest_pipeline(&both).unwrap(),
            br#"[["GET","k"],["GET","k"]]"#
        );
        assert_eq!(
            tcp_request(&command).unwrap(),
            b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
        );
        let value = Reply::Bulk(b"ok!".to_vec());
        assert_eq!(rest_reply(br#"{"result":"b2sh"}"#).unwrap(), value);
        assert_eq!(tcp_reply(b"$3\r\nok!\r\n").unwrap(), value);
        assert!(rest_reply(b"{}").is_err() && tcp_reply(b"$9\r\n").is_err());
        assert!(rest_request(&Vec::new()).is_err());
    }
}
