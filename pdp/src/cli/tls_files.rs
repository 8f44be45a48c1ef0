//! The files of TLS listeners, as `edgeward serve` opens them and `edgeward check` tries them.

use std::sync::Arc;

use crate::config::TlsFiles;
use crate::service::tls::{self, Clients, TlsError};
use crate::token_service::TokenService;

/// What the files of a TLS listener make; without the token service nobody's X.509-SVID lets in, and nothing is
/// served to whom it would.
pub(super) fn load(
    files: &TlsFiles,
    service: Option<&Arc<TokenService>>,
) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    let clients = match (&files.client_ca, service) {
        (Some(authorities), _) => Clients::Of(authorities),
        (None, Some(service)) if files.client_svids => Clients::Svids(Arc::clone(service)),
        (None, _) => Clients::None,
    };
    tls::load(&files.certificate, &files.key, clients)
}
