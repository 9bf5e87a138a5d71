//! Accepting connections, with TLS or without.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::transport::Stream;

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A place where clients connect.
pub(crate) struct Listener {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
}

/// A listener on its way from one runtime to another.
pub(crate) struct Suspended {
    tcp: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
}

/// A connection before its TLS handshake, if there is to be one.
pub(crate) struct Accepted {
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    pub(crate) async fn bind(
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
    ) -> std::io::Result<Listener> {
        let tcp = TcpListener::bind(address).await?;
        Ok(Listener { tcp, tls })
    }

    /// Takes it out of this runtime, to be put into another by [`Listener::resume`].
    pub(crate) fn suspend(self) -> std::io::Result<Suspended> {
        let tcp = self.tcp.into_std()?;
        Ok(Suspended { tcp, tls: self.tls })
    }

    /// Goes on accepting in the runtime that this is called in.
    pub(crate) fn resume(suspended: Suspended) -> std::io::Result<Listener> {
        let tcp = TcpListener::from_std(suspended.tcp)?;
        Ok(Listener {
            tcp,
            tls: suspended.tls,
        })
    }

    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// The next connection; `None` when one could not be had.
    pub(crate) async fn accept(&mut self) -> Option<(Accepted, SocketAddr)> {
        match self.tcp.accept().await {
            Ok((tcp, address)) => {
                tcp.set_nodelay(true).ok();
                let tls = self.tls.clone();
                Some((Accepted { tcp, tls }, address))
            }
            Err(error) => {
                // Out of file descriptors, or the client gone already: let others finish first.
                tracing::debug!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(5)).await;
                None
            }
        }
    }
}

impl Accepted {
    /// Does the TLS handshake, if there is to be one.
    pub(crate) async fn secure(self) -> std::io::Result<Stream> {
        let Some(tls) = self.tls else {
            return Ok(Stream::Plain(self.tcp));
        };
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(self.tcp));
        match handshake.await {
            Ok(stream) => Ok(Stream::Tls(Box::new(stream?.into()))),
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }
}
