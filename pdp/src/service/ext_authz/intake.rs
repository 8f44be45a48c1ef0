//! A request taken in: one canonical form or a refusal, and what the client may not say found, in
//! every spelling it came in.
//!
//! The filter writes the canonical form back; whether this proxy would, nobody here can see. So a
//! request that has another spelling than its canonical one is refused: then what is decided is
//! what is forwarded, whatever the proxy makes of our answer.

use edgeward_core::headers::{self, HeaderFate};
use edgeward_core::refusal::is_grpc;
use edgeward_core::request::{CanonicalRequest, RequestRefusal, field_value};

use super::ExtAuthzSettings;
use super::told::Told;

/// A request that has a canonical form, and came in it.
pub(super) struct Intake<'t> {
    pub(super) request: CanonicalRequest,
    /// The headers that a policy may see.
    pub(super) visible: Vec<(&'t str, &'t str)>,
    /// Names of headers that must not go on, as they came.
    pub(super) remove: Vec<String>,
    /// Whether the token header is there.
    pub(super) has_token: bool,
}

/// Why a request is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotTaken {
    #[error(transparent)]
    Request(#[from] RequestRefusal),
    #[error("request is not spelt in its canonical form")]
    Spelling,
    #[error("a header that the proxy cannot remove may not come from a client")]
    Header,
}

impl NotTaken {
    /// The stable reason code, kebab-case.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Request(refusal) => refusal.code(),
            Self::Spelling => "request-not-canonical",
            Self::Header => "request-header-forbidden",
        }
    }
}

/// Takes `told` in.
pub(super) fn take_in<'t>(
    told: &'t Told,
    settings: &ExtAuthzSettings,
) -> Result<Intake<'t>, NotTaken> {
    let Told {
        method,
        authority,
        target,
        ..
    } = told;
    let request = CanonicalRequest::parse(method, authority, target, settings.normalization)?;
    if !request.is_target(target) || request.authority.as_str() != authority {
        return Err(NotTaken::Spelling);
    }
    let stripped = settings.stripped();
    let mut intake = Intake {
        request,
        visible: Vec::with_capacity(told.fields.len()),
        remove: Vec::new(),
        has_token: false,
    };
    for (name, value) in &told.fields {
        if *name == settings.token.header {
            intake.has_token = true;
            continue;
        }
        match headers::fate(name, &stripped) {
            // No proxy lets it be removed, and it may not say anything else than `:authority`.
            HeaderFate::Strip if name == "host" => {
                if value != authority.as_bytes() {
                    return Err(RequestRefusal::Pseudo(":authority").into());
                }
            }
            HeaderFate::Strip if !told.removes => return Err(NotTaken::Header),
            HeaderFate::Strip => {
                if !intake.remove.contains(name) {
                    intake.remove.push(name.clone());
                }
            }
            HeaderFate::Hide => {}
            HeaderFate::Pass => {
                let text = field_value(value).map_err(RequestRefusal::from)?;
                intake.visible.push((name, text));
            }
        }
    }
    Ok(intake)
}

/// Whether the caller reads gRPC statuses.
pub(super) fn reads_grpc(told: &Told) -> bool {
    told.fields
        .iter()
        .any(|(name, value)| name == "content-type" && is_grpc(value))
}
