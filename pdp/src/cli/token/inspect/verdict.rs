//! Whether a token holds, by keys that were named: the verdict is core's.

use std::path::Path;
use std::sync::Arc;

use edgeward_core::jose::{CompactJws, KeySet, KeyUse};
use edgeward_core::spiffe::{SpiffeId, looks_like_spiffe_id};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{
    self, Audiences, Claims, IssuerTrust, TokenRefusal, TokenRules, TokenType, Trust,
    TrustDomainTrust, VerifiedToken,
};

use super::super::trust;
use super::Arguments;
use crate::cli::Failure;
use crate::config::Config;
use crate::crypto::AwsLc;
use crate::keys::KeySnapshot;

/// The longest file of keys, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// What a token is verified by.
pub(super) enum Keys {
    /// Nothing.
    None,
    /// A file's keys, as those of whoever the token names.
    Jwks {
        issuer: KeySet,
        trust_domain: KeySet,
        audiences: Vec<String>,
    },
    /// A configuration's.
    Config(Arc<KeySnapshot>),
}

impl Keys {
    pub(super) fn load(arguments: &Arguments) -> Result<Self, Failure> {
        if let Some(file) = &arguments.config {
            let config = Config::load(file)?;
            return Ok(Self::Config(trust::load(&config, arguments.fetch)?));
        }
        let Some(file) = &arguments.jwks else {
            return Ok(Self::None);
        };
        let (issuer, trust_domain) = key_sets(file)?;
        Ok(Self::Jwks {
            issuer,
            trust_domain,
            audiences: arguments.audience.clone(),
        })
    }

    /// The verdict; none without keys.
    pub(super) fn verify(
        &self,
        token: &str,
        now: UnixSeconds,
    ) -> Option<Result<VerifiedToken, TokenRefusal>> {
        match self {
            Self::None => None,
            Self::Config(snapshot) => Some(token::verify(token, &snapshot.trust, now, &AwsLc)),
            Self::Jwks {
                issuer,
                trust_domain,
                audiences,
            } => {
                let trust = trust_in(token, issuer, trust_domain, audiences).unwrap_or_default();
                Some(token::verify(token, &trust, now, &AwsLc))
            }
        }
    }
}

/// The keys of a file for issuers, and for trust domains: a plain JWK Set, in which no key says that it is
/// for JWT-SVIDs, is good for both.
fn key_sets(file: &Path) -> Result<(KeySet, KeySet), Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", file.display()));
    let bytes = crate::whole_file::read(file, MAX_FILE_BYTES).map_err(|error| failed(&error))?;
    let bytes = bytes.ok_or_else(|| failed(&"there is no such file"))?;
    let signing = KeySet::parse(&bytes, KeyUse::Signature).map_err(|error| failed(&error))?;
    let svid = KeySet::parse(&bytes, KeyUse::JwtSvid).map_err(|error| failed(&error))?;
    match (signing.is_empty(), svid.is_empty()) {
        (true, true) => Err(failed(&"has no key that verifies tokens")),
        (false, true) => Ok((signing.clone(), signing)),
        _ => Ok((signing, svid)),
    }
}

/// Trust in whoever `token` names, with these keys: what is left is whether it signed this, and the times.
/// None where the token cannot be read, which the verifier says then.
fn trust_in(
    token: &str,
    issuer: &KeySet,
    trust_domain: &KeySet,
    audiences: &[String],
) -> Option<Trust> {
    let jws = CompactJws::parse(token).ok()?;
    let typ = TokenType::of_header(jws.token_type.as_deref());
    let claims = Claims::parse(jws.payload).ok()?;
    let audiences = if audiences.is_empty() {
        claims.audience
    } else {
        audiences.to_vec()
    };
    let audiences = Audiences::try_from(audiences).ok()?;
    // How long a token may live is said elsewhere in the report.
    let unlimited = |rules: TokenRules| TokenRules {
        max_lifetime: u64::MAX,
        ..rules
    };
    let mut trust = Trust::default();
    if looks_like_spiffe_id(&claims.subject) {
        let id: SpiffeId = claims.subject.parse().ok()?;
        let rules = unlimited(TokenRules::for_trust_domain(audiences));
        let keys = trust_domain.clone();
        trust
            .trust_domains
            .insert(id.trust_domain(), TrustDomainTrust { rules, keys });
    } else {
        let mut rules = unlimited(TokenRules::for_issuer(audiences));
        rules.types = vec![typ];
        let keys = issuer.clone();
        trust
            .issuers
            .insert(claims.issuer?.parse().ok()?, IssuerTrust { rules, keys });
    }
    Some(trust)
}
