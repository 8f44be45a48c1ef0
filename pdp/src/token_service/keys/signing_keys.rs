//! All signing keys of this PDP: what is on the disk, what is published and what signs, in that order.
//!
//! INVARIANT: a change is on the disk before it is published, and published before a key of it signs.
//! Where the disk fails, what was so before stays so, and is tried again; a key past its time signs
//! nothing, whatever the disk does.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use edgeward_core::spiffe::TrustDomain;
use edgeward_core::time::UnixSeconds;
use thiserror::Error;
use tokio::sync::watch;

use super::clock::Moment;
use super::disk::{DirectoryError, Disk};
use super::life::{Keys, Occasion, Rotation, RotationError};
use super::published::PublishedKeys;
use super::record::{self, RecordError, SealingKeys};
use super::sealing::{SealingKey, SealingKeyError};
use super::settings::{KeyLife, SigningKeySettings};
use super::signing_key::{JwtType, SignError, SigningKey};
use super::status::SigningKeysStatus;

/// How often it is asked what is due, at the least.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why the keys cannot be opened or changed.
#[derive(Debug, Error)]
pub enum SigningKeysError {
    /// No sealing key.
    #[error(transparent)]
    SealingKey(#[from] SealingKeyError),
    /// The directory or the disk.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The file is not read, and stays as it is.
    #[error("signing keys `{}`: {error}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: RecordError,
    },
    /// No other key takes over.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// The cryptographic library failed.
    #[error("the signing keys could not be sealed")]
    Sealing,
}

/// All keys.
#[derive(Debug)]
pub struct SigningKeys {
    kept: Mutex<Kept>,
    current: ArcSwap<SigningKey>,
    published: watch::Sender<Arc<PublishedKeys>>,
    life: KeyLife,
    rotations: AtomicU64,
}

/// What is on the disk.
#[derive(Debug)]
struct Kept {
    disk: Disk,
    keys: Keys,
    sealing: SealingKey,
    trust_domain: TrustDomain,
    /// The file is to be written, though nothing in it changes: it is sealed under the key before.
    is_to_be_sealed_anew: bool,
    failures: u64,
    last_failure: Option<String>,
}

impl SigningKeys {
    /// Reads the keys, or makes the first where there is no file. What is due is done at once. A file
    /// that cannot be read is an error and stays as it is.
    pub fn open(settings: SigningKeySettings, now: Moment) -> Result<Self, SigningKeysError> {
        let life = settings.life;
        let previous = settings.previous_sealing_key_file.as_deref();
        let sealing = SealingKeys {
            key: SealingKey::read(&settings.sealing_key_file)?,
            previous: previous.map(SealingKey::read).transpose()?,
        };
        let disk = Disk::open(&settings.directory)?;
        let domain = &settings.trust_domain;
        let (keys, is_to_be_sealed_anew) = match disk.read()? {
            Some(text) => {
                let read = record::read(&text, &sealing, domain, now);
                let read = read.map_err(|error| SigningKeysError::Record {
                    path: disk.path(),
                    error,
                })?;
                (read.keys, read.is_under_previous)
            }
            None => (make_first(&disk, &sealing.key, domain, &life, now)?, false),
        };
        let this = Self {
            current: ArcSwap::from_pointee(signing_key(&keys, &life)),
            published: watch::Sender::new(Arc::new(keys.publish()?)),
            kept: Mutex::new(Kept {
                disk,
                keys,
                sealing: sealing.key,
                trust_domain: settings.trust_domain,
                is_to_be_sealed_anew,
                failures: 0,
                last_failure: None,
            }),
            life,
            rotations: AtomicU64::new(0),
        };
        // Told where it fails: what was read is as good as before.
        let _ = this.step(now, Occasion::Start);
        Ok(this)
    }

    /// The key that signs. Cheap; take one for each token.
    pub fn current(&self) -> Arc<SigningKey> {
        self.current.load_full()
    }

    /// Signs with the key that signs now ([`SigningKey::sign`]). No token may live longer than the
    /// `longest_token` of the settings: its key would be gone before it.
    pub fn sign(
        &self,
        jwt_type: JwtType,
        claims: &[u8],
        now: UnixSeconds,
    ) -> Result<String, SignError> {
        self.current.load().sign(jwt_type, claims, now)
    }

    /// What is published, now and after each change.
    pub fn published(&self) -> watch::Receiver<Arc<PublishedKeys>> {
        self.published.subscribe()
    }

    /// What operators are told. Waits for the disk while a change is written.
    pub fn status(&self) -> SigningKeysStatus {
        let kept = self.lock();
        let current = self.current.load();
        SigningKeysStatus {
            key_id: current.key_id().to_owned(),
            signs_since: kept.keys.current.since,
            signs_until: current.signs_until(),
            next_is_propagated: kept.keys.next.is_propagated,
            published: kept.keys.published(),
            sequence: kept.keys.sequence,
            rotations: self.rotations.load(Ordering::Relaxed),
            failures: kept.failures,
            last_failure: kept.last_failure.clone(),
        }
    }

    /// Does what is due; none where nothing is. Waits for the disk.
    pub fn rotate(&self, now: Moment) -> Result<Option<Rotation>, SigningKeysError> {
        self.step(now, Occasion::Time)
    }

    /// Has the next key sign now, due or not: for operators. Refused while that is not published long
    /// enough. Waits for the disk.
    pub fn rotate_now(&self, now: Moment) -> Result<Option<Rotation>, SigningKeysError> {
        self.step(now, Occasion::Order)
    }

    /// Does what is due, for ever; `clock` tells the time.
    pub async fn keep_rotating(self: Arc<Self>, clock: impl Fn() -> Moment + Send) {
        let pause = LONGEST_PAUSE.min(self.life.propagation() / 2);
        loop {
            let (this, now) = (Arc::clone(&self), clock());
            // On a thread that may wait for the disk.
            let _ = tokio::task::spawn_blocking(move || this.rotate(now)).await;
            tokio::time::sleep(pause).await;
        }
    }

    fn step(&self, now: Moment, occasion: Occasion) -> Result<Option<Rotation>, SigningKeysError> {
        let mut kept = self.lock();
        if kept.keys.current.is_worn(now, &self.life) {
            self.current.load().wear_out();
        }
        let outcome = self.change(&mut kept, now, occasion);
        match &outcome {
            Ok(rotation) => {
                kept.last_failure = None;
                rotation.iter().for_each(tell);
            }
            // An operator's order that came too early is no failure of ours.
            Err(SigningKeysError::Rotation(RotationError::NotPropagated { .. })) => {}
            Err(error) => {
                kept.failures = kept.failures.saturating_add(1);
                kept.last_failure = Some(error.to_string());
                tracing::error!(
                    %error,
                    key_id = kept.keys.current.signer.key_id(),
                    signs_until = self.current.load().signs_until().0,
                    "signing keys could not be changed: the key in use goes on until its time is over"
                );
            }
        }
        outcome
    }

    fn change(
        &self,
        kept: &mut Kept,
        now: Moment,
        occasion: Occasion,
    ) -> Result<Option<Rotation>, SigningKeysError> {
        let Some((keys, rotation)) = kept.keys.step(now, &self.life, occasion)? else {
            if kept.is_to_be_sealed_anew {
                write(&kept.disk, &kept.keys, &kept.sealing, &kept.trust_domain)?;
                kept.is_to_be_sealed_anew = false;
            }
            return Ok(None);
        };
        let published = keys.publish()?;
        write(&kept.disk, &keys, &kept.sealing, &kept.trust_domain)?;
        kept.is_to_be_sealed_anew = false;
        kept.keys = keys;
        if published != **self.published.borrow() {
            self.published.send_replace(Arc::new(published));
        }
        if rotation.has_rotated || occasion == Occasion::Start {
            let current = Arc::new(signing_key(&kept.keys, &self.life));
            self.current.swap(current).retire(now.wall);
            let rotated = u64::from(rotation.has_rotated);
            self.rotations.fetch_add(rotated, Ordering::Relaxed);
        }
        Ok(Some(rotation))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // What is behind it is changed after the disk was, in one step.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_first(
    disk: &Disk,
    sealing: &SealingKey,
    domain: &TrustDomain,
    life: &KeyLife,
    now: Moment,
) -> Result<Keys, SigningKeysError> {
    let keys = Keys::first(now, life).map_err(RotationError::from)?;
    write(disk, &keys, sealing, domain)?;
    tracing::info!(
        key_id = keys.current.signer.key_id(),
        sequence = keys.sequence,
        file = %disk.path().display(),
        "there were no signing keys: the first ones are made"
    );
    Ok(keys)
}

fn write(
    disk: &Disk,
    keys: &Keys,
    sealing: &SealingKey,
    domain: &TrustDomain,
) -> Result<(), SigningKeysError> {
    let text = record::write(keys, sealing, domain).map_err(|_| SigningKeysError::Sealing)?;
    Ok(disk.write(&text)?)
}

fn signing_key(keys: &Keys, life: &KeyLife) -> SigningKey {
    SigningKey::new(Arc::clone(&keys.current.signer), keys.current.until(life))
}

fn tell(rotation: &Rotation) {
    if rotation.has_rotated || !rotation.erased.is_empty() {
        tracing::info!(
            key_id = rotation.key_id,
            has_rotated = rotation.has_rotated,
            erased = ?rotation.erased,
            sequence = rotation.sequence,
            "signing keys have changed"
        );
    }
}
