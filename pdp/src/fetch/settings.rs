//! The checked settings of a fetch. The config room builds them from YAML; tests build them by hand.

use std::path::PathBuf;
use std::time::Duration;

use super::Plaintext;

/// How one source is fetched over the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchSettings {
    /// PEM certificates of the only authorities that may vouch for the server; `None` means those
    /// the operating system trusts. Read again at every fetch.
    pub ca_file: Option<PathBuf>,
    /// The file of the bearer token that the server wants to see before it shows its keys; read again at
    /// every fetch. Only the fetching of keys sends it.
    pub token_file: Option<PathBuf>,
    /// The longest a fetch may take, from name look-up to last byte.
    pub timeout: Duration,
    /// The largest document, in bytes.
    pub max_bytes: usize,
    /// How often.
    pub refresh: RefreshSettings,
    /// Which addresses may be connected to.
    pub addresses: AddressRule,
    /// Whether URLs that a discovery document or an issuer's name give may be plain http. For
    /// development only; needs [`AddressRule::allow_loopback`] too.
    pub plaintext: Plaintext,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            ca_file: None,
            token_file: None,
            timeout: Duration::from_secs(5),
            max_bytes: 512 * 1024,
            refresh: RefreshSettings::default(),
            addresses: AddressRule::default(),
            plaintext: Plaintext::Refused,
        }
    }
}

/// How often a source is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshSettings {
    /// When the server gives no hint (for keys SPIFFE Federation section 4.1.2 recommends 5 minutes).
    pub interval: Duration,
    /// The server's hint (`Cache-Control: max-age`, `spiffe_refresh_hint`) is not followed below…
    pub shortest: Duration,
    /// …nor above these bounds. A withdrawn key lives at most this long where the server answers.
    pub longest: Duration,
    /// The longest wait between attempts while the server fails; the first is a second.
    pub longest_backoff: Duration,
    /// The shortest time between two fetches caused by tokens with an unknown `kid`.
    pub unknown_key_interval: Duration,
}

impl Default for RefreshSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_mins(5),
            shortest: Duration::from_secs(30),
            longest: Duration::from_hours(1),
            longest_backoff: Duration::from_mins(1),
            unknown_key_interval: Duration::from_secs(10),
        }
    }
}

/// Which addresses may be connected to. Unspecified, multicast, broadcast and the clouds' metadata
/// addresses never; private ones (10/8, `fc00::/7` …) always: issuers in a cluster live there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AddressRule {
    /// 127.0.0.0/8 and `::1`.
    pub allow_loopback: bool,
    /// 169.254.0.0/16 and `fe80::/10`, still without the metadata addresses.
    pub allow_link_local: bool,
}
