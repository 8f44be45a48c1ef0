//! Ids that nobody can guess and no two decisions share: UUID version 7 (RFC 9562), 74 random bits
//! behind the time.

use aws_lc_rs::rand;
use edgeward_core::decision::{DecisionId, Lease};

use super::clock;

/// The system gave no randomness, so nothing can be named.
#[derive(Debug, thiserror::Error)]
#[error("no randomness for an id")]
pub(super) struct NoRandomness;

/// Names a decision.
pub(super) fn decision_id() -> Result<DecisionId, NoRandomness> {
    unique()?.parse().map_err(|_| NoRandomness)
}

/// Names one response of the sync feed.
pub(super) fn lease() -> Result<Lease, NoRandomness> {
    Lease::try_from(unique()?.replace('-', "")).map_err(|_| NoRandomness)
}

/// A fresh id as text: `018f3c1e-7b2a-7…`.
pub(super) fn unique() -> Result<String, NoRandomness> {
    let mut random = [0_u8; 10];
    rand::fill(&mut random).map_err(|_| NoRandomness)?;
    let [a0, a1, tail @ ..] = random;
    let a = u16::from_be_bytes([a0, a1]) & 0x0fff;
    let b = u64::from_be_bytes(tail) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
    let millis = clock::unix_millis() & 0xffff_ffff_ffff;
    Ok(format!(
        "{:08x}-{:04x}-7{a:03x}-{:04x}-{:012x}",
        millis >> 16,
        millis & 0xffff,
        b >> 48,
        b & 0xffff_ffff_ffff
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_7_and_differ() {
        let (one, two) = (unique().unwrap(), unique().unwrap());
        assert_ne!(one, two);
        let dashes: Vec<usize> = one.match_indices('-').map(|(at, _)| at).collect();
        assert_eq!((one.len(), dashes), (36, vec![8, 13, 18, 23]));
        assert_eq!(one.as_bytes()[14], b'7');
        assert!(matches!(one.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        decision_id().unwrap();
        lease().unwrap();
    }
}
