//! TLS: certificates and keys from PEM files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::ServeError;

/// Prepares TLS with a chain of certificates and the private key of the first of them.
///
/// # Errors
/// If a file cannot be read or holds something else, or the key does not belong to the certificate.
pub(crate) fn tls_acceptor(certificates: &Path, key: &Path) -> Result<TlsAcceptor, ServeError> {
    let wrong = |path: &Path, reason: String| ServeError::Tls { path: path.to_owned(), reason };
    let read = |path: &Path| {
        let bytes = fs::read(path).map_err(|error| wrong(path, error.to_string()))?;
        // Lines outside of certificates and keys are comments, which may be in any encoding.
        Ok::<_, ServeError>(sim::text::decode(bytes.clone()).map_or(bytes, String::into_bytes))
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(certificates)?).collect();
    let chain = chain.map_err(|error| wrong(certificates, error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(certificates, "the file holds no certificate".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| wrong(key, error.to_string()))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(certificates, error.to_string()))?;
    let mut config =
        config.with_no_client_auth().with_single_cert(chain, private).map_err(|error| wrong(key, error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
