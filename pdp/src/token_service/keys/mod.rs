//! The token service's own signing keys: made, published, signing, retired, gone, and sealed on disk.
//!
//! - [`SigningKeys`]: all of them; what a start opens and the minting of tokens asks.
//! - [`SigningKey`]: the one that signs.
//! - [`PublishedKeys`]: what others verify our tokens by: the JWK Set and the SPIFFE bundle.
//! - [`SigningKeySettings`], [`KeyTimes`]: how it is all set up.
//! - [`Clock`]: the time, told by two clocks.
//!
//! In here, `life` has the rules of a key's life and `stages` its parts, both pure; `record` what of it stands on disk, `disk` the
//! directory, `sealing` the encryption.
//!
//! What this is not: what stands in a token, and who gets one. `docs/signing-keys.md` is for operators.

mod clock;
mod disk;
mod life;
mod published;
mod record;
mod sealing;
mod settings;
mod signing_key;
mod signing_keys;
mod stages;
mod status;

#[cfg(test)]
mod tests;

pub use clock::{Clock, Moment};
pub use disk::DirectoryError;
pub use life::{Rotation, RotationError};
pub use published::PublishedKeys;
pub use record::RecordError;
pub use sealing::SealingKeyError;
pub use settings::{KeyLife, KeyTimes, KeyTimesError, SigningKeySettings};
pub use signing_key::{JwtType, SignError, SigningKey};
pub use signing_keys::{SigningKeys, SigningKeysError};
pub use status::SigningKeysStatus;
