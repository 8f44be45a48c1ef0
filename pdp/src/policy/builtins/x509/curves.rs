//! Whether a point is on one of the curves that OPA knows (FIPS 186-4): a certificate whose key is none
//! does not parse.
//!
//! Arithmetic on public values; nothing is verified by it.

use num_bigint::BigUint;

/// A curve y² = x³ - 3x + b over a prime field.
pub(super) struct Curve {
    oid: &'static [u32],
    /// Bytes of a coordinate.
    size: usize,
    prime: &'static str,
    b: &'static str,
}

const CURVES: [Curve; 4] = [
    Curve {
        oid: &[1, 3, 132, 0, 33],
        size: 28,
        prime: "ffffffffffffffffffffffffffffffff000000000000000000000001",
        b: "b4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4",
    },
    Curve {
        oid: &[1, 2, 840, 10045, 3, 1, 7],
        size: 32,
        prime: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
    },
    Curve {
        oid: &[1, 3, 132, 0, 34],
        size: 48,
        prime: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
    },
    Curve {
        oid: &[1, 3, 132, 0, 35],
        size: 66,
        prime: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        b: "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
    },
];

impl Curve {
    pub(super) fn of(oid: &[u32]) -> Option<&'static Self> {
        CURVES.iter().find(|curve| curve.oid == oid)
    }

    /// The coordinates of an uncompressed point (SEC 1 section 2.3.4).
    pub(super) fn point(&self, data: &[u8]) -> Option<(BigUint, BigUint)> {
        let (&form, coordinates) = data.split_first()?;
        if form != 4 || coordinates.len() != 2 * self.size {
            return None;
        }
        let (x, y) = coordinates.split_at_checked(self.size)?;
        let (x, y) = (BigUint::from_bytes_be(x), BigUint::from_bytes_be(y));
        let number = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16);
        let (prime, b) = (number(self.prime)?, number(self.b)?);
        let below = x < prime && y < prime;
        let cube = &x * &x * &x + b;
        (below && (&y * &y + 3_u32 * &x) % &prime == cube % &prime).then_some((x, y))
    }
}
