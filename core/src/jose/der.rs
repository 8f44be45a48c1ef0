//! The little DER that JOSE keys and signatures need: written, never read.
//!
//! Why not the `der` crate: its generic encoder cost the filter's module 10 kB for three shapes.
//! Everything here is checked against aws-lc-rs in the PDP's tests.
//!
//! Source: ITU-T X.690 sections 8 and 10.

/// The tag of `INTEGER`.
const INTEGER: u8 = 0x02;
/// The tag of `BIT STRING`.
const BIT_STRING: u8 = 0x03;
/// The tag of `SEQUENCE`.
const SEQUENCE: u8 = 0x30;

/// A sequence of parts that are encoded already.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, &parts.concat())
}

/// A non-negative integer from its big-endian bytes: no leading zeros, but one where the first bit
/// would be a sign.
pub fn unsigned_integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(zeros..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_none_or(|byte| *byte >= 0x80) {
        &[0]
    } else {
        &[]
    };
    element(INTEGER, &[sign, digits].concat())
}

/// A string of whole bytes as bits.
pub fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let digits = length.get(zeros..).unwrap_or_default();
    let mut encoded = vec![tag];
    match digits {
        [] => encoded.push(0),
        [short] if *short < 0x80 => encoded.push(*short),
        _ => {
            encoded.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
            encoded.extend_from_slice(digits);
        }
    }
    encoded.extend_from_slice(content);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_signs_have_their_shortest_form() {
        assert_eq!(unsigned_integer(&[]), [2, 1, 0]);
        assert_eq!(unsigned_integer(&[0, 0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(unsigned_integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(sequence(&[&[1; 127]])[..2], [0x30, 127]);
        assert_eq!(sequence(&[&[1; 128]])[..3], [0x30, 0x81, 128]);
        assert_eq!(bit_string(&[7; 300])[..5], [3, 0x82, 0x01, 0x2d, 0]);
    }
}
