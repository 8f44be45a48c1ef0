//! Public keys, and the numbers that Go gives to algorithms.

use regorus::Value;

use super::super::Failed;
use super::curves::Curve;
use super::der::{INTEGER, Reader, SEQUENCE, parts};
use super::values::{Members, bytes, integer, unsigned};
use super::{malformed, need};

pub(super) const NULL: &[u8] = &[5, 0];

pub(super) const RSA: &[u32] = &[1, 2, 840, 113_549, 1, 1, 1];
const DSA: &[u32] = &[1, 2, 840, 10_040, 4, 1];
pub(super) const ECDSA: &[u32] = &[1, 2, 840, 10_045, 2, 1];
pub(super) const ED25519: &[u32] = &[1, 3, 101, 112];
const RSA_PSS: &[u32] = &[1, 2, 840, 113_549, 1, 1, 10];
const MGF1: &[u32] = &[1, 2, 840, 113_549, 1, 1, 8];

/// Go's numbers of what a signature is made with.
const SIGNATURES: [(&[u32], u64); 12] = [
    (&[1, 2, 840, 113_549, 1, 1, 4], 2),
    (&[1, 2, 840, 113_549, 1, 1, 5], 3),
    (&[1, 3, 14, 3, 2, 29], 3),
    (&[1, 2, 840, 113_549, 1, 1, 11], 4),
    (&[1, 2, 840, 113_549, 1, 1, 12], 5),
    (&[1, 2, 840, 113_549, 1, 1, 13], 6),
    (&[1, 2, 840, 10_040, 4, 3], 7),
    (&[2, 16, 840, 1, 101, 3, 4, 3, 2], 8),
    (&[1, 2, 840, 10_045, 4, 1], 9),
    (&[1, 2, 840, 10_045, 4, 3, 2], 10),
    (&[1, 2, 840, 10_045, 4, 3, 3], 11),
    (&[1, 2, 840, 10_045, 4, 3, 4], 12),
];
/// SHA-2 with RSA-PSS: the hash, the length of its salt, Go's number.
const PSS: [(&[u32], i64, u64); 3] = [
    (&[2, 16, 840, 1, 101, 3, 4, 2, 1], 32, 13),
    (&[2, 16, 840, 1, 101, 3, 4, 2, 2], 48, 14),
    (&[2, 16, 840, 1, 101, 3, 4, 2, 3], 64, 15),
];
const PURE_ED25519: u64 = 16;

/// An algorithm and its parameters, which are a whole element, or empty.
pub(super) struct Algorithm<'d> {
    pub(super) oid: Vec<u32>,
    pub(super) parameters: &'d [u8],
}

impl<'d> Algorithm<'d> {
    pub(super) fn read(mut inside: Reader<'d>) -> Result<Self, Failed> {
        let oid = need(inside.oid(), "malformed OID")?;
        let parameters = if inside.is_empty() {
            [].as_slice()
        } else {
            need(inside.any(), "malformed parameters")?.whole
        };
        Ok(Self { oid, parameters })
    }

    /// Go's number of it, where it is of signatures; 0 for what Go does not know.
    pub(super) fn of_signature(&self) -> Result<u64, Failed> {
        if self.oid == ED25519 {
            let plain = self.parameters.is_empty();
            return Ok(if plain { PURE_ED25519 } else { 0 });
        }
        if self.oid == RSA_PSS {
            return self.of_pss();
        }
        let known = SIGNATURES.iter().find(|(oid, _)| *oid == self.oid);
        Ok(known.map_or(0, |(_, number)| *number))
    }

    /// RFC 4055 section 3.1. Go wants everything said but the trailer, and the hash twice.
    fn of_pss(&self) -> Result<u64, Failed> {
        let Some(mut inside) = Reader(self.parameters).inside(SEQUENCE) else {
            return Ok(0);
        };
        let mut explicit = |number| -> Result<Option<Reader<'d>>, Failed> {
            let odd = "odd parameters of RSA-PSS";
            let outer = need(inside.optional(parts(number)), odd)?;
            let Some(outer) = outer else { return Ok(None) };
            let mut rest = outer;
            let one = rest.any().is_some() && rest.is_empty();
            // Go reads on where the inner element ends.
            if one {
                Ok(Some(outer))
            } else {
                Err(malformed(odd))
            }
        };
        let parts = (explicit(0)?, explicit(1)?, explicit(2)?, explicit(3)?);
        let (Some(mut hash), Some(mut mask), Some(mut salt), trailer) = parts else {
            return Ok(0);
        };
        let (Some(hash), Some(mask)) = (hash.inside(SEQUENCE), mask.inside(SEQUENCE)) else {
            return Ok(0);
        };
        let (hash, mask) = (Self::read(hash), Self::read(mask));
        let (Ok(hash), Ok(mask)) = (hash, mask) else {
            return Ok(0);
        };
        let inner = Reader(mask.parameters).inside(SEQUENCE).map(Self::read);
        let (Some(Ok(inner)), Some(salt)) = (inner, salt.small(INTEGER)) else {
            return Ok(0);
        };
        let trailer = trailer.map_or(Some(1), |mut trailer| trailer.small(INTEGER));
        let plain = |algorithm: &Self| matches!(algorithm.parameters, [] | NULL);
        let usual = mask.oid == MGF1 && inner.oid == hash.oid && trailer == Some(1);
        let known = (PSS.iter()).find(|(oid, length, _)| *oid == hash.oid && *length == salt);
        let known = known.filter(|_| usual && plain(&hash) && plain(&inner));
        Ok(known.map_or(0, |(_, _, number)| *number))
    }

    /// Go's number of it, where it is of a key; 0 for what Go does not know.
    fn of_key(&self) -> u64 {
        match &*self.oid {
            RSA => 1,
            DSA => 2,
            ECDSA => 3,
            ED25519 => 4,
            _ => 0,
        }
    }
}

/// The number of a key's algorithm, and the key; null where Go does not know the algorithm.
pub(super) fn public_key(mut info: Reader<'_>) -> Result<(u64, Value), Failed> {
    let algorithm = need(info.inside(SEQUENCE), "malformed public key algorithm")?;
    let algorithm = Algorithm::read(algorithm)?;
    let data = need(info.bits(), "malformed subjectPublicKey")?.right_aligned();
    let key = match &*algorithm.oid {
        RSA => rsa(&algorithm, &data)?,
        DSA => dsa(&algorithm, &data)?,
        ECDSA => ecdsa(&algorithm, &data)?.value(),
        ED25519 if algorithm.parameters.is_empty() && data.len() == 32 => bytes(&data),
        ED25519 => return Err(malformed("invalid Ed25519 public key")),
        _ => Value::Null,
    };
    Ok((algorithm.of_key(), key))
}

/// A whole number above 0.
fn positive<'d>(reader: &mut Reader<'d>) -> Option<&'d [u8]> {
    let number = reader.integer(INTEGER)?;
    let positive = number != [0] && number.first()? & 0x80 == 0;
    positive.then_some(number)
}

fn rsa(algorithm: &Algorithm<'_>, data: &[u8]) -> Result<Value, Failed> {
    let invalid = || malformed("invalid RSA public key");
    if algorithm.parameters != NULL {
        return Err(malformed("RSA key missing NULL parameters"));
    }
    let mut inside = Reader(data).inside(SEQUENCE).ok_or_else(invalid)?;
    let modulus = positive(&mut inside).ok_or_else(invalid)?;
    let exponent = inside.small(INTEGER).filter(|exponent| *exponent > 0);
    let mut key = Members::default();
    key.set("E", exponent.ok_or_else(invalid)?);
    key.set("N", integer(modulus)?);
    Ok(key.value())
}

fn dsa(algorithm: &Algorithm<'_>, data: &[u8]) -> Result<Value, Failed> {
    let invalid = || malformed("invalid DSA public key");
    let mut inside = Reader(algorithm.parameters)
        .inside(SEQUENCE)
        .ok_or_else(invalid)?;
    let mut key = Members::default();
    let public = positive(&mut Reader(data)).ok_or_else(invalid)?;
    key.set("Y", integer(public)?);
    for name in ["P", "Q", "G"] {
        let parameter = positive(&mut inside).ok_or_else(invalid)?;
        key.set(name, integer(parameter)?);
    }
    Ok(key.value())
}

/// The members of a key on a curve.
pub(super) fn ecdsa(algorithm: &Algorithm<'_>, data: &[u8]) -> Result<Members, Failed> {
    let oid = need(
        Reader(algorithm.parameters).oid(),
        "invalid ECDSA parameters",
    )?;
    let curve = need(Curve::of(&oid), "unsupported elliptic curve")?;
    let (x, y) = need(curve.point(data), "invalid point on the curve")?;
    let mut key = Members::default();
    key.set("Curve", Value::new_object());
    key.set("X", unsigned(&x)?);
    key.set("Y", unsigned(&y)?);
    Ok(key)
}
