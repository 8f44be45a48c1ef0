//! One token, one verdict.
//!
//! The order is cheap before dear: sizes, structure, claims, rules, time, and only then the key and
//! the signature. An attacker's flood of bad tokens buys no arithmetic.

use std::fmt;

use thiserror::Error;

use super::{Claims, ClaimsError, Issuer, KeyOwner, MissingKey, TokenRules, TokenType, Trust};
use crate::jose::{BadSignature, CompactJws, JwsError, KeySelectionError, KeySet, SignatureCheck};
use crate::spiffe::{SpiffeId, SpiffeIdError, looks_like_spiffe_id};
use crate::time::UnixSeconds;

/// Which standard a token was read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A SPIFFE JWT-SVID: keys of the trust domain in `sub`.
    JwtSvid,
    /// A JWT of a configured issuer: keys bound to `iss`.
    Oidc,
}

impl Profile {
    /// The stable name used in output: `jwt-svid` or `oidc`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JwtSvid => "jwt-svid",
            Self::Oidc => "oidc",
        }
    }
}

/// The workload a token was issued to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Named by a SPIFFE ID.
    Spiffe(SpiffeId),
    /// Named by an issuer: the pair is the name, `sub` alone means nothing.
    Issued {
        /// The issuer.
        issuer: Issuer,
        /// Its name for the workload.
        subject: String,
    },
}

impl fmt::Display for Subject {
    /// `spiffe://…`, or `issuer|sub` (an issuer has no bar in it, so this is one-to-one).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spiffe(id) => id.fmt(f),
            Self::Issued { issuer, subject } => write!(f, "{issuer}|{subject}"),
        }
    }
}

/// A token whose signature, rules and times all held at the instant it was checked.
#[derive(Debug, Clone)]
pub struct VerifiedToken {
    /// Which standard it was read by.
    pub profile: Profile,
    /// The workload.
    pub subject: Subject,
    /// All claims.
    pub claims: Claims,
    /// The key that signed it, where it has a name.
    pub key_id: Option<String>,
    /// The first instant at which it must no longer be honoured: `exp` plus leeway.
    pub expires_at: UnixSeconds,
}

/// Why a token was refused. [`Self::code`] is stable; the message is for the operator.
#[derive(Debug, Error)]
pub enum TokenRefusal {
    /// Not a compact JWS that Edgeward would look at.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The claims are not acceptable.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// `sub` sets out to be a SPIFFE ID and is not one.
    #[error("`sub` is not a SPIFFE ID: {0}")]
    SpiffeId(#[from] SpiffeIdError),
    /// The trust domain of `sub` is not configured.
    #[error("trust domain of `sub` is not configured")]
    UnknownTrustDomain,
    /// `iss` is not configured, or absent.
    #[error("`iss` is absent or not configured")]
    UnknownIssuer,
    /// `alg` is not on this issuer's list.
    #[error("`alg` is not allowed for this issuer")]
    AlgorithmNotAllowed,
    /// `typ` is not on this issuer's list.
    #[error("`typ` `{0}` is not allowed for this issuer")]
    TypeNotAllowed(TokenType),
    /// None of `aud` is ours.
    #[error("`aud` does not name us")]
    Audience,
    /// `exp` has passed.
    #[error("token has expired")]
    Expired,
    /// `nbf` has not come.
    #[error("token is not valid yet")]
    NotYetValid,
    /// `iat` has not come.
    #[error("token was issued in the future")]
    IssuedInFuture,
    /// It lives longer than this issuer's `max_lifetime`.
    #[error("token lives longer than this issuer's `max_lifetime`")]
    Lifetime,
    /// The owner's set has no key of this name: the only refusal that fresher keys may lift.
    #[error("{} has no key with this `kid`", .0.owner)]
    MissingKey(MissingKey),
    /// No one key can be chosen.
    #[error(transparent)]
    Key(#[from] KeySelectionError),
    /// The signature does not verify.
    #[error(transparent)]
    Signature(#[from] BadSignature),
}

impl TokenRefusal {
    /// The stable reason code, kebab-case. It goes to the caller and into metrics and evidence.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Jws(error) => match error {
                JwsError::TooLong => "token-too-long",
                JwsError::NotThreeParts => "token-not-compact",
                JwsError::Encoding { .. } => "token-encoding-invalid",
                JwsError::Header(_) | JwsError::HeaderMember { .. } => "token-header-invalid",
                JwsError::UnsupportedAlgorithm => "token-algorithm-unsupported",
                JwsError::ForbiddenParameter { .. } => "token-header-forbidden",
            },
            Self::Claims(error) => match error {
                ClaimsError::Json(_) => "token-payload-invalid",
                ClaimsError::Malformed(_) => "token-claim-invalid",
                ClaimsError::Missing(_) => "token-claim-missing",
            },
            Self::SpiffeId(_) => "token-spiffe-id-invalid",
            Self::UnknownTrustDomain => "token-trust-domain-unknown",
            Self::UnknownIssuer => "token-issuer-unknown",
            Self::AlgorithmNotAllowed => "token-algorithm-not-allowed",
            Self::TypeNotAllowed(_) => "token-type-not-allowed",
            Self::Audience => "token-audience-mismatch",
            Self::Expired => "token-expired",
            Self::NotYetValid => "token-not-yet-valid",
            Self::IssuedInFuture => "token-issued-in-future",
            Self::Lifetime => "token-lifetime-too-long",
            Self::MissingKey(_) => "token-key-unknown",
            Self::Key(error) => match error {
                KeySelectionError::MissingKeyId => "token-key-id-missing",
                KeySelectionError::UnknownKey => "token-key-unknown",
                KeySelectionError::AlgorithmMismatch => "token-key-mismatch",
                KeySelectionError::AmbiguousKey => "token-key-ambiguous",
            },
            Self::Signature(_) => "token-signature-invalid",
        }
    }
}

/// Verifies `token` at `now` against the keys of the one issuer or trust domain it names.
///
/// A `sub` that begins with `spiffe:` is a JWT-SVID or nothing: it is never read as the private
/// name of some issuer, so that no issuer can speak for a trust domain.
pub fn verify(
    token: &str,
    trust: &Trust,
    now: UnixSeconds,
    check: &impl SignatureCheck,
) -> Result<VerifiedToken, TokenRefusal> {
    let mut jws = CompactJws::parse(token)?;
    let claims = Claims::parse(std::mem::take(&mut jws.payload))?;
    let (profile, subject, rules, keys) = resolve(&claims, trust)?;
    check_rules(&jws, &claims, rules)?;
    check_times(&claims, rules, now)?;
    if profile == Profile::JwtSvid && jws.key_id.is_none() {
        return Err(KeySelectionError::MissingKeyId.into());
    }
    let key = keys
        .select(jws.key_id.as_deref(), jws.algorithm)
        .map_err(|error| refusal_of(error, &subject, jws.key_id.as_deref()))?;
    check.check(jws.algorithm, key, jws.signed, &jws.signature)?;
    let expires_at = claims.expires_at.plus(rules.leeway);
    Ok(VerifiedToken {
        profile,
        subject,
        claims,
        key_id: jws.key_id,
        expires_at,
    })
}

fn resolve<'t>(
    claims: &Claims,
    trust: &'t Trust,
) -> Result<(Profile, Subject, &'t TokenRules, &'t KeySet), TokenRefusal> {
    if looks_like_spiffe_id(&claims.subject) {
        let id: SpiffeId = claims.subject.parse()?;
        let domain = trust
            .trust_domains
            .get(&id.trust_domain())
            .ok_or(TokenRefusal::UnknownTrustDomain)?;
        return Ok((
            Profile::JwtSvid,
            Subject::Spiffe(id),
            &domain.rules,
            &domain.keys,
        ));
    }
    let named = claims
        .issuer
        .as_deref()
        .ok_or(TokenRefusal::UnknownIssuer)?;
    let (issuer, settings) = trust.issuer(named).ok_or(TokenRefusal::UnknownIssuer)?;
    let subject = Subject::Issued {
        issuer: issuer.clone(),
        subject: claims.subject.clone(),
    };
    Ok((Profile::Oidc, subject, &settings.rules, &settings.keys))
}

/// A key that was named and is not there is told by owner and name, so that it can be asked for.
fn refusal_of(error: KeySelectionError, subject: &Subject, key_id: Option<&str>) -> TokenRefusal {
    let (KeySelectionError::UnknownKey, Some(key_id)) = (error, key_id) else {
        return error.into();
    };
    TokenRefusal::MissingKey(MissingKey {
        owner: match subject {
            Subject::Spiffe(id) => KeyOwner::TrustDomain(id.trust_domain()),
            Subject::Issued { issuer, .. } => KeyOwner::Issuer(issuer.clone()),
        },
        key_id: key_id.to_owned(),
    })
}

fn check_rules(
    jws: &CompactJws<'_>,
    claims: &Claims,
    rules: &TokenRules,
) -> Result<(), TokenRefusal> {
    if !rules.algorithms.contains(&jws.algorithm) {
        return Err(TokenRefusal::AlgorithmNotAllowed);
    }
    let token_type = TokenType::of_header(jws.token_type.as_deref());
    if !rules.types.contains(&token_type) {
        return Err(TokenRefusal::TypeNotAllowed(token_type));
    }
    if !claims
        .audience
        .iter()
        .any(|name| rules.audiences.contains(name))
    {
        return Err(TokenRefusal::Audience);
    }
    Ok(())
}

fn check_times(claims: &Claims, rules: &TokenRules, now: UnixSeconds) -> Result<(), TokenRefusal> {
    if now >= claims.expires_at.plus(rules.leeway) {
        return Err(TokenRefusal::Expired);
    }
    let latest = now.plus(rules.leeway);
    if claims.not_before.is_some_and(|instant| instant > latest) {
        return Err(TokenRefusal::NotYetValid);
    }
    if claims.issued_at.is_some_and(|instant| instant > latest) {
        return Err(TokenRefusal::IssuedInFuture);
    }
    let start = claims.issued_at.or(claims.not_before).unwrap_or(now);
    if claims.expires_at.seconds_since(start) > rules.max_lifetime {
        return Err(TokenRefusal::Lifetime);
    }
    Ok(())
}
