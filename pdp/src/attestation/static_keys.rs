//! Static keys: a workload shows a key that it has stored. For development, where no platform vouches for anybody.
//!
//! Of a key only its SHA-256 is configured. What this is not: attestation. Nothing is known of who shows a key but
//! that it has it; `edgeward check` refuses these in production and grades them as the weakest.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use edgeward_core::time::UnixSeconds;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{Attested, Attributes};

/// The shortest key, in bytes: its digest is not salted, and short ones can be found by trying.
const MIN_KEY_BYTES: usize = 32;
/// The longest key, in bytes.
const MAX_KEY_BYTES: usize = 512;
/// The most keys: each is compared.
pub const MAX_KEYS: usize = 64;

/// The keys, by their digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticKeys(Vec<([u8; 32], Attributes)>);

/// Why keys cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StaticKeysError {
    /// None, or more than [`MAX_KEYS`].
    #[error("must have 1 to {MAX_KEYS} keys")]
    Number,
    /// The second of the same digest, by its place.
    #[error("the key is there twice: remove one")]
    Twice(usize),
}

/// Why a key does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StaticKeyRefusal {
    /// Too short, too long, or not of visible characters.
    #[error("a static key is {MIN_KEY_BYTES} to {MAX_KEY_BYTES} visible ASCII characters")]
    Unreadable,
    /// Nobody's.
    #[error("the key is none that is configured")]
    Unknown,
}

impl StaticKeyRefusal {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "evidence-unreadable",
            Self::Unknown => "static-key-unknown",
        }
    }
}

impl StaticKeys {
    /// These digests, each with what is told of who shows its key.
    pub fn new(keys: Vec<([u8; 32], Attributes)>) -> Result<Self, StaticKeysError> {
        if keys.is_empty() || keys.len() > MAX_KEYS {
            return Err(StaticKeysError::Number);
        }
        let twice = keys.iter().enumerate().find(|(index, (digest, _))| {
            let before = keys.iter().take(*index);
            before.into_iter().any(|(other, _)| other == digest)
        });
        match twice {
            Some((index, _)) => Err(StaticKeysError::Twice(index)),
            None => Ok(Self(keys)),
        }
    }
}

/// Whose key `evidence` is.
pub fn verify(evidence: &str, keys: &StaticKeys) -> Result<Attested, StaticKeyRefusal> {
    let is_key = (MIN_KEY_BYTES..=MAX_KEY_BYTES).contains(&evidence.len())
        && evidence.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_key {
        return Err(StaticKeyRefusal::Unreadable);
    }
    let digest = Sha256::digest(evidence);
    // All are compared, whichever it is: how long it takes says nothing.
    let found = keys.0.iter().fold(None, |found, (known, attributes)| {
        let is_it = verify_slices_are_equal(known, &digest).is_ok();
        if is_it { Some(attributes) } else { found }
    });
    let attributes = found.ok_or(StaticKeyRefusal::Unknown)?;
    Ok(Attested {
        attributes: attributes.clone(),
        // For as long as it is configured.
        expires_at: UnixSeconds(u64::MAX),
        once: None,
    })
}

#[cfg(test)]
mod tests {
    use edgeward_core::revocation::hex;

    use super::*;

    const KEY: &str = "a-key-of-thirty-two-characters-1";

    fn keys(all: &[&str]) -> Result<StaticKeys, StaticKeysError> {
        let keys = all.iter().map(|key| {
            let mut attributes = Attributes::default();
            attributes.tell("name", *key).unwrap();
            (Sha256::digest(key).into(), attributes)
        });
        StaticKeys::new(keys.collect())
    }

    #[test]
    fn a_key_tells_what_is_configured_of_it_and_of_no_other() {
        let other = KEY.replace('1', "2");
        let keys = keys(&[&other, KEY, "short"]).unwrap();
        for key in [KEY, &other] {
            let attested = verify(key, &keys).unwrap();
            assert_eq!(attested.attributes.single("name"), Some(key));
        }
    }

    #[test]
    fn whatever_else_is_shown_is_no_key() {
        let keys = keys(&[KEY, "short"]).unwrap();
        let (unknown, unreadable) = (StaticKeyRefusal::Unknown, StaticKeyRefusal::Unreadable);
        let digest = hex(&Sha256::digest(KEY));
        for (shown, refusal) in [
            (KEY.to_uppercase(), unknown),
            (KEY.replace('1', "3"), unknown),
            (format!("{KEY}1"), unknown),
            // What stands in the configuration opens nothing.
            (digest, unknown),
            (String::new(), unreadable),
            // Configured, and guessed as fast as one can hash.
            ("short".to_owned(), unreadable),
            (format!("{KEY}\n"), unreadable),
            (format!(" {KEY}"), unreadable),
            (format!("{KEY}\0"), unreadable),
            ("é".repeat(32), unreadable),
            ("a".repeat(MAX_KEY_BYTES + 1), unreadable),
        ] {
            assert_eq!(verify(&shown, &keys), Err(refusal), "{shown:?}");
        }
        let refused = verify(&KEY.to_uppercase(), &keys).unwrap_err();
        assert!(!refused.to_string().contains("KEY-OF"), "{refused}");
    }

    #[test]
    fn no_key_is_there_twice_and_there_are_some_and_not_too_many() {
        assert_eq!(keys(&[]), Err(StaticKeysError::Number));
        assert_eq!(keys(&["a", "b", "a"]), Err(StaticKeysError::Twice(2)));
        let many: Vec<String> = (0..=MAX_KEYS).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(keys(&many), Err(StaticKeysError::Number));
        keys(&many[1..]).unwrap();
    }
}
