//! Trust providers whose evidence is a signed JWT: Kubernetes, continuous integration, clouds, SPIFFE.
//!
//! A token is verified as any other is (`edgeward_core::token`), with keys of the one issuer that it
//! names; only then its claims become attributes. Those keys are a keyring of their own: whom we take
//! evidence from is nobody whose tokens open a route.
//!
//! What this is not: the fetching of keys (`crate::keys`), or which workload it is.

mod claims;
mod platform;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use edgeward_core::json::{self, JsonError};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{
    KeyOwner, MissingKey, Subject, TokenRefusal, Trust, VerifiedToken, verify,
};
use serde_json::{Map, Value};
use thiserror::Error;

pub use claims::ClaimError;
pub(super) use claims::tell_named;
pub use platform::Platform;

use self::claims::tell;
use super::kubernetes::ReviewSettings;
use super::{Attested, AttributeError, Attributes, Once, ProviderName};
use crate::crypto::AwsLc;

/// One trust provider whose evidence are JWTs of one issuer or trust domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtProvider {
    /// Its name.
    pub name: ProviderName,
    /// Whose tokens, and so what their claims mean.
    pub platform: Platform,
    /// Whose keys: no two providers have the same owner.
    pub owner: KeyOwner,
    /// For [`Platform::Oidc`]: the claims that become attributes, by their own names.
    pub claims: Vec<String>,
    /// Whether each token counts once only, by its `jti`, which it must then have.
    pub single_use: bool,
    /// For [`Platform::Kubernetes`]: the API server that is asked about each token, beside its signature.
    pub review: Option<ReviewSettings>,
}

/// All of them, by whose tokens they take.
#[derive(Debug, Clone, Default)]
pub struct JwtProviders(BTreeMap<KeyOwner, JwtProvider>);

/// Two providers take the tokens of one issuer or trust domain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{owner} is the issuer of `{first}` and of `{second}`: one provider for each issuer")]
pub struct OwnerTwice {
    /// Whose tokens.
    pub owner: KeyOwner,
    /// One provider.
    pub first: ProviderName,
    /// The other.
    pub second: ProviderName,
}

/// Why a JWT is no evidence.
#[derive(Debug, Error)]
pub enum JwtRefusal {
    /// It does not hold as a token.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// Its claims are not the platform's.
    #[error(transparent)]
    Claims(#[from] ClaimError),
    /// A JSON object in it has a name twice, deeper down than the token's reader looks.
    #[error("payload: {0}")]
    Json(#[from] JsonError),
    /// Two claims that must say the same do not.
    #[error("claim `{0}` does not agree with the others")]
    Disagreement(&'static str),
    /// It is a person's token, or one that its issuer did not verify.
    #[error("not a workload's token: {0}")]
    NotAWorkload(&'static str),
    /// It is for others beside us.
    #[error("`aud` names others too: evidence must be for this PDP alone")]
    SharedAudience,
    /// It must count once only and has no `jti` to know it by.
    #[error("claim `jti` is missing: this provider takes each token once")]
    NoTokenId,
    /// A provider for its issuer is not there any more.
    #[error("no trust provider for this issuer")]
    NoProvider,
}

impl From<AttributeError> for JwtRefusal {
    fn from(error: AttributeError) -> Self {
        Self::Claims(error.into())
    }
}

impl JwtRefusal {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Token(refusal) => refusal.code(),
            Self::Claims(ClaimError::Missing(_)) | Self::NoTokenId => "evidence-claim-missing",
            Self::Claims(_) | Self::Json(_) => "evidence-claim-invalid",
            Self::Disagreement(_) => "evidence-claims-disagree",
            Self::NotAWorkload(_) => "evidence-not-a-workload",
            Self::SharedAudience => "evidence-audience-shared",
            Self::NoProvider => "evidence-provider-unknown",
        }
    }

    /// The key that is not there yet, where fresher keys could lift the refusal.
    pub fn missing_key(&self) -> Option<&MissingKey> {
        match self {
            Self::Token(TokenRefusal::MissingKey(key)) => Some(key),
            _ => None,
        }
    }
}

impl JwtProviders {
    /// All of `providers`; no issuer or trust domain may be that of two.
    pub fn new(providers: impl IntoIterator<Item = JwtProvider>) -> Result<Self, OwnerTwice> {
        let mut by_owner: BTreeMap<KeyOwner, JwtProvider> = BTreeMap::new();
        for provider in providers {
            let (owner, second) = (provider.owner.clone(), provider.name.clone());
            if let Some(first) = by_owner.insert(provider.owner.clone(), provider) {
                return Err(OwnerTwice {
                    owner,
                    first: first.name,
                    second,
                });
            }
        }
        Ok(Self(by_owner))
    }

    /// The provider that takes evidence of `owner`.
    pub fn of(&self, owner: &KeyOwner) -> Option<&JwtProvider> {
        self.0.get(owner)
    }

    /// What `token` attests at `now`, by which provider, and the token as it verified.
    pub fn attest(
        &self,
        token: &str,
        trust: &Trust,
        now: UnixSeconds,
    ) -> Result<(&JwtProvider, Attested, VerifiedToken), JwtRefusal> {
        let verified = verify(token, trust, now, &AwsLc)?;
        let provider = self
            .0
            .get(&owner(&verified))
            .ok_or(JwtRefusal::NoProvider)?;
        check_audiences(&verified, &provider.owner, trust)?;
        let attested = provider.read(&verified)?;
        Ok((provider, attested, verified))
    }
}

/// What is for others too can be shown to us by any of them.
fn check_audiences(
    verified: &VerifiedToken,
    owner: &KeyOwner,
    trust: &Trust,
) -> Result<(), JwtRefusal> {
    let rules = match owner {
        KeyOwner::Issuer(issuer) => trust.issuers.get(issuer).map(|trust| &trust.rules),
        KeyOwner::TrustDomain(name) => trust.trust_domains.get(name).map(|trust| &trust.rules),
    };
    let ours = &rules.ok_or(JwtRefusal::NoProvider)?.audiences;
    let mut names = verified.claims.audience.iter();
    if names.all(|name| ours.contains(name)) {
        return Ok(());
    }
    Err(JwtRefusal::SharedAudience)
}

fn owner(verified: &VerifiedToken) -> KeyOwner {
    match &verified.subject {
        Subject::Spiffe(id) => KeyOwner::TrustDomain(id.trust_domain()),
        Subject::Issued { issuer, .. } => KeyOwner::Issuer(issuer.clone()),
    }
}

impl JwtProvider {
    /// The attributes in a token that verified.
    fn read(&self, verified: &VerifiedToken) -> Result<Attested, JwtRefusal> {
        let claims = json::parse_object(verified.claims.all.as_bytes())?;
        self.check_holder(&claims)?;
        let mut attributes = Attributes::default();
        attributes.tell("subject", verified.claims.subject.clone())?;
        if let Subject::Spiffe(id) = &verified.subject {
            attributes.tell("spiffe_id", id.as_str())?;
            attributes.tell("trust_domain", id.trust_domain().as_str())?;
            attributes.tell("path", id.path())?;
        }
        for claim in self.platform.claims() {
            tell(*claim, &claims, &mut attributes)?;
        }
        for name in &self.claims {
            tell_named(name, &claims, &mut attributes)?;
        }
        for (claim, named) in platform::agreements(self.platform) {
            let says = claims.get(*claim).and_then(Value::as_str);
            if !says.is_some_and(|text| named.agrees(text, &attributes)) {
                return Err(JwtRefusal::Disagreement(claim));
            }
        }
        Ok(Attested {
            attributes,
            expires_at: verified.expires_at,
            once: self.once(verified)?,
        })
    }

    /// Whether the holder is a workload, and the issuer stands by what names it.
    fn check_holder(&self, claims: &Map<String, Value>) -> Result<(), JwtRefusal> {
        let refuse = |why| Err(JwtRefusal::NotAWorkload(why));
        match self.platform {
            // Anyone may call an unverified address their own.
            Platform::Gcp
                if claims.contains_key("email")
                    && claims.get("email_verified") != Some(&Value::Bool(true)) =>
            {
                refuse("`email_verified` is not true")
            }
            // "app" is what managed identities and applications have; people have "user".
            Platform::Azure if claims.get("idtyp").is_some_and(|kind| kind != "app") => {
                refuse("`idtyp` is not `app`")
            }
            // One application, many tenants: only the issuer's own may be named.
            Platform::Azure => {
                let tenant = claims.get("tid").and_then(Value::as_str);
                let issuer = claims.get("iss").and_then(Value::as_str);
                let is_of = |tenant, issuer: &str| issuer.split('/').any(|part| part == tenant);
                match (tenant, issuer) {
                    (Some(tenant), Some(issuer)) if is_of(tenant, issuer) => Ok(()),
                    _ => Err(JwtRefusal::Disagreement("tid")),
                }
            }
            _ => Ok(()),
        }
    }

    fn once(&self, verified: &VerifiedToken) -> Result<Option<Once>, JwtRefusal> {
        if !self.single_use {
            return Ok(None);
        }
        let token_id = verified.claims.token_id.as_ref();
        let id = token_id.ok_or(JwtRefusal::NoTokenId)?;
        Ok(Some(Once {
            id: format!("{}:{id}", self.name),
            until: Some(verified.expires_at),
        }))
    }
}
