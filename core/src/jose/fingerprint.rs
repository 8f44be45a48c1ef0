//! The ROCA fingerprint (CVE-2017-15361): RSA moduli made by a broken chip library whose private
//! key can be computed from the public one. A key that bears it verifies nothing.
//!
//! Source: Nemec et al., "The Return of Coppersmith's Attack", ACM CCS 2017, section 2.2: such a
//! modulus is, modulo every small prime, a power of 65537. A random modulus is so for all of these
//! primes with a chance below 2^-27.

const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether the big-endian `modulus` bears the ROCA fingerprint.
pub fn is_roca_modulus(modulus: &[u8]) -> bool {
    PRIMES
        .iter()
        .all(|&prime| is_power_of_generator(remainder(modulus, prime), prime))
}

fn remainder(modulus: &[u8], prime: u32) -> u32 {
    modulus
        .iter()
        .fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % prime)
}

fn is_power_of_generator(residue: u32, prime: u32) -> bool {
    let generator = 65537 % prime;
    let mut power = 1;
    for _ in 0..prime {
        if power == residue {
            return true;
        }
        power = power * generator % prime;
    }
    false
}
