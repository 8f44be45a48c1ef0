//! Ids that nobody can guess and no two decisions share: UUID version 7 (RFC 9562), 74 random bits
//! behind the time.

use aws_lc_rs::rand;
use edgeward_core::decision::{DecisionId, Lease};

use super::clock;

/// The system gave no randomness, so nothing can be named.
#[derive(Debug, thiserror::Error)]
#[error("no randomness for an id")]
pub(super) struct NoRandomness;

/// The number of a new decision.
pub(super) fn number() -> Result<u128, NoRandomness> {
    let mut random = [0_u8; 10];
    rand::fill(&mut random).map_err(|_| NoRandomness)?;
    let mut bytes = [0_u8; 16];
    if let Some(tail) = bytes.last_chunk_mut() {
        *tail = random;
    }
    let millis = u128::from(clock::unix_millis() & 0xffff_ffff_ffff);
    let version_and_variant = 7 << 76 | 1 << 63;
    let free = u128::from_be_bytes(bytes) & !(0xf << 76 | 0b11 << 62);
    Ok(millis << 80 | version_and_variant | free)
}

/// The id of the decision with this number: `018f3c1e-7b2a-7…`.
pub(super) fn decision_id(number: u128) -> Result<DecisionId, NoRandomness> {
    written(number).parse().map_err(|_| NoRandomness)
}

/// Names one response of the sync feed.
pub(super) fn lease() -> Result<Lease, NoRandomness> {
    Lease::try_from(unique()?.replace('-', "")).map_err(|_| NoRandomness)
}

/// A fresh id as text.
pub(super) fn unique() -> Result<String, NoRandomness> {
    number().map(written)
}

fn written(number: u128) -> String {
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        number >> 96,
        number >> 80 & 0xffff,
        number >> 64 & 0xffff,
        number >> 48 & 0xffff,
        number & 0xffff_ffff_ffff
    )
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
        decision_id(number().unwrap()).unwrap();
        lease().unwrap();
    }
}
