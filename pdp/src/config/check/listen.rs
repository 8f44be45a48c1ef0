//! Where the PDP listens, and what may stand in the open.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::{Context, exactly_one, scalar};
use crate::attestation::AttestationSettings;
use crate::attestation::jwt::Platform;
use crate::config::problem::{Field, Findings};
use crate::config::raw::{RawAdmin, RawListener, RawTls};
use crate::config::raw_text::ModeText;
use crate::config::{Listener, TlsFiles};

/// The default port of the PDP.
const DEFAULT_PORT: u16 = 8181;
/// Owner and group may connect.
const DEFAULT_MODE: u32 = 0o660;
/// What the operating systems allow for a Unix socket's path, in bytes.
const MAX_SOCKET_PATH_BYTES: usize = 107;

enum Place {
    Tcp(String),
    Unix(PathBuf),
}

pub(super) fn listeners(
    raw: Option<Vec<RawListener>>,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Vec<Listener> {
    let Some(raw) = raw else {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
        return vec![Listener::Tcp { address, tls: None }];
    };
    if raw.is_empty() {
        findings.refuse(
            field,
            "must not be empty: name a `tcp` address or a `unix` socket",
        );
    }
    let mut listeners: Vec<Listener> = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let field = field.index(index);
        let Some(listener) = listener(raw, &field, context, findings) else {
            continue;
        };
        if listeners.iter().any(|other| same_place(other, &listener)) {
            findings.refuse(&field, "listens where another one does: remove one of them");
        }
        listeners.push(listener);
    }
    listeners
}

fn listener(
    raw: RawListener,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<Listener> {
    let choices = vec![
        ("tcp", raw.tcp.map(Place::Tcp)),
        ("unix", raw.unix.map(Place::Unix)),
    ];
    match exactly_one(choices, field, findings)? {
        Place::Tcp(text) => {
            if raw.mode.is_some() {
                findings.refuse(&field.key("mode"), "is only for `unix` sockets: remove it");
            }
            let address = findings.accept(&field.key("tcp"), scalar::address(&text))?;
            let tls = raw.tls.map(|tls| {
                let field = field.key("tls");
                tls_files(&tls, &field, context, findings)
            });
            let open = !address.ip().is_loopback() && tls.is_none() && !raw.plaintext;
            if open && context.is_production() {
                findings.refuse(
                    field,
                    "would serve decisions unencrypted beyond this machine: set `tls`, or \
                     `plaintext: true` where a service mesh protects it",
                );
            }
            if raw.plaintext && tls.is_some() {
                findings.refuse(
                    &field.key("plaintext"),
                    "contradicts `tls`: remove one of them",
                );
            }
            Some(Listener::Tcp { address, tls })
        }
        Place::Unix(path) => {
            if raw.tls.is_some() || raw.plaintext {
                findings.refuse(
                    field,
                    "`tls` and `plaintext` are only for `tcp`: remove them",
                );
            }
            let mode = match &raw.mode {
                Some(ModeText(text)) => findings.accept(&field.key("mode"), scalar::mode(text)),
                None => Some(DEFAULT_MODE),
            };
            let path = socket_path(&path, &field.key("unix"), context, findings)?;
            Some(Listener::Unix { path, mode: mode? })
        }
    }
}

fn socket_path(
    path: &Path,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<PathBuf> {
    let path = context.resolve(path);
    let length = path.as_os_str().len();
    if (1..=MAX_SOCKET_PATH_BYTES).contains(&length) {
        return Some(path);
    }
    findings.refuse(
        field,
        format!("is {length} bytes long: a socket's path has 1 to {MAX_SOCKET_PATH_BYTES}"),
    );
    None
}

/// Whose X.509-SVIDs are asked for must be said by a trust provider.
pub(super) fn svid_listeners(
    listeners: &[Listener],
    attestation: &AttestationSettings,
    root: &Field,
    findings: &mut Findings,
) {
    let mut jwt = attestation.jwt.iter();
    if jwt.any(|provider| provider.platform == Platform::Spiffe) {
        return;
    }
    let asks = |listener: &Listener| match listener {
        Listener::Tcp { tls: Some(tls), .. } => tls.client_svids,
        Listener::Tcp { tls: None, .. } | Listener::Unix { .. } => false,
    };
    for (index, _) in listeners.iter().enumerate().filter(|(_, one)| asks(one)) {
        let field = root.key("listen").index(index).key("tls");
        let message =
            "would let nobody in: name their trust domain as a trust provider of the kind `spiffe`";
        findings.refuse(&field.key("client_svids"), message);
    }
}

fn tls_files(
    raw: &RawTls,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> TlsFiles {
    let field = field.key("client_svids");
    match raw.client_svids {
        Some(false) => findings.refuse(&field, "can only be `true`: leave it out instead"),
        Some(true) if raw.client_ca.is_some() => findings.refuse(
            &field,
            "is for a listener without `client_ca`: give workloads of other trust domains one of their own",
        ),
        _ => {}
    }
    TlsFiles {
        client_svids: raw.client_svids == Some(true),
        certificate: context.resolve(&raw.certificate),
        key: context.resolve(&raw.key),
        client_ca: raw.client_ca.as_deref().map(|path| context.resolve(path)),
    }
}

pub(super) fn admin(
    raw: Option<RawAdmin>,
    field: &Field,
    listeners: &[Listener],
    findings: &mut Findings,
) -> Option<SocketAddr> {
    let field = field.key("tcp");
    let address = findings.accept(&field, scalar::address(&raw?.tcp))?;
    let admin = Listener::Tcp { address, tls: None };
    if listeners
        .iter()
        .any(|listener| same_place(listener, &admin))
    {
        findings.refuse(&field, "is also in `listen`: give it a port of its own");
    }
    Some(address)
}

fn same_place(one: &Listener, other: &Listener) -> bool {
    match (one, other) {
        (Listener::Tcp { address: one, .. }, Listener::Tcp { address: other, .. }) => {
            one == other && one.port() != 0
        }
        (Listener::Unix { path: one, .. }, Listener::Unix { path: other, .. }) => one == other,
        _ => false,
    }
}
