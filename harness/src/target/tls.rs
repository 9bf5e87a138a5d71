//! TLS for every target: rustls on ring, the system's authorities, and the user's own.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::error::TargetError;

/// Makes ring the process's provider of cryptography. Safe to call often.
pub(crate) fn install_provider() {
    // An error says that a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The certificates of `--ca-file`.
pub(crate) fn read_authorities(
    file: Option<&Path>,
) -> Result<Vec<CertificateDer<'static>>, TargetError> {
    let Some(path) = file else {
        return Ok(Vec::new());
    };
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| {
        TargetError::Mistake(format!(
            "the certificate file {shown} cannot be read: {error}. --ca-file takes a file in PEM format"
        ))
    })?;
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| {
            TargetError::Mistake(format!(
                "the certificate file {shown} is not valid PEM: {error}. It should hold \
                 '-----BEGIN CERTIFICATE-----' blocks"
            ))
        })?;
    if certificates.is_empty() {
        return Err(TargetError::Mistake(format!(
            "the certificate file {shown} holds no certificate: it should hold \
             '-----BEGIN CERTIFICATE-----' blocks"
        )));
    }
    Ok(certificates)
}

/// A client's TLS configuration that trusts the system's authorities and the user's.
pub(crate) fn client_config(
    authorities: &[CertificateDer<'static>],
) -> Result<Arc<rustls::ClientConfig>, TargetError> {
    install_provider();
    let mut roots = rustls::RootCertStore::empty();
    // A system without a certificate store is fine as long as --ca-file names one: the handshake
    // says so otherwise.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in authorities {
        roots.add(certificate.clone()).map_err(|error| {
            TargetError::Mistake(format!(
                "a certificate of --ca-file cannot be used as an authority: {error}"
            ))
        })?;
    }
    Ok(Arc::new(
        rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth(),
    ))
}

/// What a failed handshake means, and what to do, from rustls's words for it.
pub(crate) fn explain_handshake(error: &str) -> String {
    let lower = error.to_ascii_lowercase();
    let advice = if lower.contains("unknownissuer") || lower.contains("unknown issuer") {
        "its certificate is signed by an authority that this machine does not know: give the \
         authority's certificate by --ca-file"
    } else if lower.contains("expired") {
        "its certificate has expired: renew it, or check this machine's clock"
    } else if lower.contains("notvalidforname") || lower.contains("not valid for name") {
        "its certificate is for another name: use the name that the certificate is for"
    } else if lower.contains("corrupt message")
        || lower.contains("invalidcontenttype")
        || lower.contains("invalid content type")
        || lower.contains("eof")
        || lower.contains("reset by peer")
    {
        "it does not seem to speak TLS on this port: without TLS the URL begins with redis:// or \
         http://"
    } else {
        "check that the port is the one for TLS"
    };
    format!("{advice} ({error})")
}
