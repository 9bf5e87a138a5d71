//! Making a TCP or TLS connection, one stage at a time, so that an error can say which one failed.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::TargetError;
use super::tls::explain_handshake;

/// A connection, encrypted or not.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Where a server listens.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Connects within `limit`, and makes the TLS handshake, where `tls` is given, within another.
pub(crate) async fn dial(
    address: &Address,
    tls: Option<Arc<rustls::ClientConfig>>,
    limit: Duration,
) -> Result<Box<dyn Wire>, TargetError> {
    let tcp = timeout(limit, connect(address)).await.unwrap_or_else(|_| {
        Err(TargetError::Unreachable(format!(
            "{address} did not answer within {}: check the address, and that no firewall is in between",
            seconds(limit)
        )))
    })?;
    let Some(config) = tls else {
        return Ok(Box::new(tcp));
    };
    timeout(limit, shake_hands(address, tcp, config)).await.unwrap_or_else(|_| {
        // A plain Redis takes the handshake for a command whose end has not come, and waits.
        Err(TargetError::Unreachable(format!(
            "no TLS connection to {address}: it does not seem to speak TLS on this port, for it \
             left the handshake unanswered for {}. Without TLS the URL begins with redis://",
            seconds(limit)
        )))
    })
}

async fn connect(address: &Address) -> Result<TcpStream, TargetError> {
    let found: Vec<_> = tokio::net::lookup_host((address.host.as_str(), address.port))
        .await
        .map_err(|error| {
            TargetError::Unreachable(format!(
                "the host '{}' could not be found ({error}): check its spelling and the network",
                address.host
            ))
        })?
        .collect();
    let tcp = TcpStream::connect(&found[..])
        .await
        .map_err(|error| refused(address, &error))?;
    // A command is one small packet: waiting to fill it would be measured as latency.
    tcp.set_nodelay(true)
        .map_err(|error| refused(address, &error))?;
    Ok(tcp)
}

async fn shake_hands(
    address: &Address,
    tcp: TcpStream,
    config: Arc<rustls::ClientConfig>,
) -> Result<Box<dyn Wire>, TargetError> {
    let name = ServerName::try_from(address.host.clone()).map_err(|_| {
        TargetError::Mistake(format!(
            "'{}' is not a host name that a certificate can be for",
            address.host
        ))
    })?;
    match tokio_rustls::TlsConnector::from(config)
        .connect(name, tcp)
        .await
    {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(TargetError::Unreachable(format!(
            "no TLS connection to {address}: {}",
            explain_handshake(&error.to_string())
        ))),
    }
}

fn refused(address: &Address, error: &std::io::Error) -> TargetError {
    let advice = match error.kind() {
        std::io::ErrorKind::ConnectionRefused => {
            "nothing listens there: check the port, and that the server runs"
        }
        _ => "check the address and the network",
    };
    TargetError::Unreachable(format!("no connection to {address}: {advice} ({error})"))
}

/// A duration as a sentence has it: `5 s`, `250 ms`.
pub(crate) fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 && duration.as_secs() > 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}
