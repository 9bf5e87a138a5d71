//! Where a target listens, for callers that make connections of their own.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::error::TargetError;
use super::secret::Secret;
use super::tls;

/// A server's address and credentials. It holds secrets: it has no `Debug`.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// The URL, which may hold a password.
    pub(crate) url: Url,
    /// The token, over REST.
    pub(crate) token: Option<Secret>,
    /// A certificate authority to trust besides the system's.
    pub(crate) ca_file: Option<PathBuf>,
}

impl Endpoint {
    /// The TLS configuration, where the URL asks for TLS, offering these protocols by ALPN.
    pub(crate) fn tls(
        &self,
        protocols: &[&[u8]],
    ) -> Result<Option<Arc<rustls::ClientConfig>>, TargetError> {
        if !matches!(self.url.scheme(), "https" | "rediss") {
            return Ok(None);
        }
        let authorities = tls::read_authorities(self.ca_file.as_deref())?;
        let mut config = (*tls::client_config(&authorities)?).clone();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        // A ticket from an earlier connection would hide a round trip of a cold start.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Some(Arc::new(config)))
    }
}
