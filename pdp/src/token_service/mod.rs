//! The token service: a workload shows evidence, and gets a short-lived token of ours.
//!
//! Order of reading: `request` (what is asked), `exchange` (whether it is granted), `party` (who
//! asks), `own` (a token of ours shown again), `mint` (what the token says), `keys` (who signs it), `memory` and `used`
//! (evidence seen before).
//!
//! What this is not: the checking of evidence (`crate::attestation`), which workload it makes
//! (`crate::workloads`), or the door (`crate::service`).

mod awaited_keys;
mod certified;
mod exchange;
pub mod keys;
mod memory;
mod mint;
mod noted;
mod opaque;
mod own;
mod party;
mod refusal;
mod request;
mod used;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use edgeward_core::spiffe::TrustDomain;
use edgeward_core::token::Issuer;
use thiserror::Error;
use tokio::sync::{Semaphore, watch};

pub use exchange::Circumstances;
pub use refusal::ExchangeRefusal;
pub use request::{
    ACCESS_TOKEN, EXCHANGE, JWT, MAX_FORM_BYTES, RequestError, TokenKind, TokenRequest,
};
pub use used::{OpenError, UsedError};

use self::awaited_keys::AwaitedKeys;
use self::keys::{Moment, PublishedKeys, SigningKeySettings, SigningKeys, SigningKeysError};
use self::memory::Memory;
use self::used::Used;
use crate::attestation::evidence::{EvidenceProviders, EvidenceProvidersError};
use crate::attestation::introspection::{
    Introspected, IntrospectionRefusal, IntrospectionSettings,
};
use crate::attestation::jwt::{JwtProviders, OwnerTwice};
use crate::attestation::kubernetes::ReviewRefusal;
use crate::attestation::{AttestationSettings, Attributes, Flights, ProviderName};
use crate::inventory::Inventory;
use crate::keys::{Keyring, KeyringError};
use crate::workloads::{ClientWorkload, ClientWorkloads};

/// The most that ask a platform at once.
const MAX_ASKING: usize = 64;

/// Checked settings.
#[derive(Debug, Clone)]
pub struct TokenServiceSettings {
    /// The trust domain of its JWT-SVIDs.
    pub trust_domain: TrustDomain,
    /// What it is called in tokens that are to be renewed (`aud`).
    pub name: String,
    /// Its `iss`: access tokens have one always, JWT-SVIDs where there is one.
    pub issuer: Option<Issuer>,
    /// How long tokens live where the workload's own settings do not say.
    pub lifetime: Duration,
    /// For how long after attestation a token may be exchanged for another; zero for not at all.
    pub renewable_for: Duration,
    /// Its signing keys.
    pub keys: SigningKeySettings,
    /// Whose evidence is taken.
    pub attestation: AttestationSettings,
    /// Who may get tokens.
    pub workloads: Arc<ClientWorkloads>,
}

/// A token that was issued.
#[derive(Debug)]
pub struct Issued {
    /// The token: a secret.
    pub token: String,
    /// Its kind.
    pub kind: TokenKind,
    /// Seconds until it ends.
    pub expires_in: u64,
    /// Its `jti`.
    pub token_id: String,
    /// Who it is about.
    pub workload: Arc<ClientWorkload>,
    /// Who acts in it.
    pub actor: Option<String>,
}

/// Why there is no token service.
#[derive(Debug, Error)]
pub enum TokenServiceError {
    /// Two providers of one issuer.
    #[error("trust_providers: {0}")]
    Providers(#[from] OwnerTwice),
    /// Certificates that a provider's platform signs by.
    #[error("trust_providers: {0}")]
    Evidence(#[from] EvidenceProvidersError),
    /// Keys of a provider.
    #[error("trust_providers: {0}")]
    EvidenceKeys(#[from] KeyringError),
    /// The signing keys.
    #[error("token_service.keys: {0}")]
    SigningKeys(#[from] SigningKeysError),
    /// What evidence was used.
    #[error("token_service.keys.directory: {0}")]
    Used(#[from] OpenError),
}

/// The token service.
pub struct TokenService {
    settings: Issuing,
    providers: JwtProviders,
    evidence_providers: EvidenceProviders,
    asking: Semaphore,
    reviews: Flights<Option<Result<Attributes, Arc<ReviewRefusal>>>>,
    introspection: Vec<(ProviderName, IntrospectionSettings)>,
    introspections: Flights<Option<Result<Introspected, Arc<IntrospectionRefusal>>>>,
    evidence_keys: Arc<Keyring>,
    workloads: Arc<ClientWorkloads>,
    keys: Arc<SigningKeys>,
    published: watch::Receiver<Arc<PublishedKeys>>,
    memory: Memory,
    awaited_keys: AwaitedKeys,
    used: Used,
    inventory: Option<Arc<Inventory>>,
}

/// What of the settings is asked at each exchange.
struct Issuing {
    trust_domain: TrustDomain,
    name: String,
    issuer: Option<Issuer>,
    lifetime: Duration,
    renewable_for: Duration,
    refresh_hint: u64,
}

impl TokenService {
    /// Reads keys and what evidence was used; nothing is fetched yet.
    pub fn open(settings: TokenServiceSettings, now: Moment) -> Result<Self, TokenServiceError> {
        let directory = settings.keys.directory.clone();
        let refresh_hint = settings.keys.life.refresh_hint();
        let keys = Arc::new(SigningKeys::open(settings.keys, now)?);
        let published = keys.published();
        Ok(Self {
            settings: Issuing {
                trust_domain: settings.trust_domain,
                name: settings.name,
                issuer: settings.issuer,
                lifetime: settings.lifetime,
                renewable_for: settings.renewable_for,
                refresh_hint,
            },
            providers: JwtProviders::new(settings.attestation.jwt)?,
            evidence_providers: EvidenceProviders::open(settings.attestation.evidence)?,
            asking: Semaphore::new(MAX_ASKING),
            reviews: Flights::default(),
            introspection: settings.attestation.introspection,
            introspections: Flights::default(),
            evidence_keys: Arc::new(Keyring::open(settings.attestation.keys)?),
            workloads: settings.workloads,
            memory: Memory::default(),
            awaited_keys: AwaitedKeys::default(),
            used: Used::open(&directory, now.wall)?,
            published,
            keys,
            inventory: None,
        })
    }

    /// The names of those who may get tokens.
    pub fn workload_names(&self) -> impl Iterator<Item = String> {
        self.workloads
            .iter()
            .map(|workload| workload.name.to_string())
    }

    /// Has whoever asks noted in `inventory`.
    pub fn note_in(&mut self, inventory: Arc<Inventory>) {
        self.inventory = Some(inventory);
    }

    /// The keys by which evidence is verified; whoever opened the service starts them.
    pub fn evidence_keys(&self) -> &Arc<Keyring> {
        &self.evidence_keys
    }

    /// The signing keys; whoever opened the service keeps them rotating.
    pub fn keys(&self) -> &Arc<SigningKeys> {
        &self.keys
    }

    /// The keys as others are told them, now.
    pub fn published(&self) -> Arc<PublishedKeys> {
        Arc::clone(&self.published.borrow())
    }

    /// How often others are told to fetch its keys, in seconds.
    pub fn refresh_hint(&self) -> u64 {
        self.settings.refresh_hint
    }

    /// Its `iss`, where it has one.
    pub fn issuer(&self) -> Option<&Issuer> {
        self.settings.issuer.as_ref()
    }
}
