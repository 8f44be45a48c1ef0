//! Static secrets, known by their format: what a request carries though it should not need it.
//!
//! Formats are those that their makers publish so that secrets can be found. What has no format of its own
//! (passwords, hexadecimal keys) is not looked for: it could only be guessed. Short-lived credentials are none:
//! that is what to use instead.
//!
//! INVARIANT: what is found is a kind and a place. The value goes nowhere.

use std::borrow::Cow;
use std::sync::LazyLock;

use edgeward_core::jose::CompactJws;
use edgeward_core::json::parse_object;
use percent_encoding::percent_decode_str;
use regex::bytes::RegexSet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most bytes of one field that are searched.
const MAX_SEARCHED: usize = 16 * 1024;
/// A percent-encoded byte is so long.
const ENCODED_BYTES: usize = 3;
/// A token that lives longer is as good as a static one, in seconds.
const LONG_LIVED: u64 = 30 * 24 * 60 * 60;

/// Of which kind a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretKind {
    /// An access key of an AWS user.
    AwsAccessKey,
    /// A key of an Azure storage account.
    AzureStorageKey,
    /// User name and password (RFC 7617).
    BasicCredentials,
    /// A personal access token of GitHub.
    GithubToken,
    /// A personal, project or group access token of GitLab.
    GitlabToken,
    /// An API key of Google.
    GoogleApiKey,
    /// A signed token without an end, or with one in more than thirty days.
    LongLivedToken,
    /// A token of npm.
    NpmToken,
    /// A private key.
    PrivateKey,
    /// A token of `PyPI`.
    PypiToken,
    /// A key of `SendGrid`.
    SendgridKey,
    /// A token of Slack.
    SlackToken,
    /// A live key of Stripe.
    StripeKey,
    /// A service token of Vault.
    VaultToken,
}

impl SecretKind {
    /// As reports, logs and metrics name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwsAccessKey => "aws-access-key",
            Self::AzureStorageKey => "azure-storage-key",
            Self::BasicCredentials => "basic-credentials",
            Self::GithubToken => "github-token",
            Self::GitlabToken => "gitlab-token",
            Self::GoogleApiKey => "google-api-key",
            Self::LongLivedToken => "long-lived-token",
            Self::NpmToken => "npm-token",
            Self::PrivateKey => "private-key",
            Self::PypiToken => "pypi-token",
            Self::SendgridKey => "sendgrid-key",
            Self::SlackToken => "slack-token",
            Self::StripeKey => "stripe-key",
            Self::VaultToken => "vault-token",
        }
    }
}

/// Each format, of which no two begin alike. None is part of a longer word.
const FORMATS: [(SecretKind, &str); 12] = [
    (SecretKind::AwsAccessKey, r"\bAKIA[A-Z2-7]{16}\b"),
    (
        SecretKind::AzureStorageKey,
        r"\bAccountKey=[A-Za-z0-9+/]{86}==",
    ),
    (
        SecretKind::GithubToken,
        r"\b(?:ghp_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b",
    ),
    (SecretKind::GitlabToken, r"\bglpat-[A-Za-z0-9_-]{20}"),
    (SecretKind::GoogleApiKey, r"\bAIza[A-Za-z0-9_-]{35}"),
    (SecretKind::NpmToken, r"\bnpm_[A-Za-z0-9]{36}\b"),
    (
        SecretKind::PrivateKey,
        r"-----BEGIN[ +](?:[A-Z]{2,9}[ +])?PRIVATE[ +]KEY-----",
    ),
    (
        SecretKind::PypiToken,
        r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50}",
    ),
    (
        SecretKind::SendgridKey,
        r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    ),
    (
        SecretKind::SlackToken,
        r"\bxox[abp]-[0-9]{8,}-[A-Za-z0-9-]{16}",
    ),
    (SecretKind::StripeKey, r"\b[sr]k_live_[A-Za-z0-9]{24}"),
    (SecretKind::VaultToken, r"\bhvs\.[A-Za-z0-9_-]{24}"),
];

/// None only if a format were no expression, which a test would show.
static SET: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    let formats = FORMATS.iter().map(|(_, format)| format!("(?-u){format}"));
    RegexSet::new(formats).ok()
});

/// The same in any case: names of hosts and headers are put into lower case, and a secret in one stays one.
static IN_ANY_CASE: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    let formats = FORMATS.iter().map(|(_, format)| format!("(?i-u){format}"));
    RegexSet::new(formats).ok()
});

/// Whether a name has no secret in it, in any case, so that it may be kept. Not where nothing can be searched.
pub(super) fn is_free_of_secrets(name: &str) -> bool {
    IN_ANY_CASE
        .as_ref()
        .is_some_and(|set| !set.is_match(name.as_bytes()))
}

/// The kinds of secrets in a path or a query, with and without percent-encoding.
pub fn find_in_target(text: &str) -> Vec<SecretKind> {
    let end = text.floor_char_boundary(MAX_SEARCHED * ENCODED_BYTES);
    let decoded: Cow<'_, [u8]> = percent_decode_str(text.get(..end).unwrap_or_default()).into();
    find(&decoded)
}

/// The kinds of secrets in `text`, in linear time.
pub fn find(text: &[u8]) -> Vec<SecretKind> {
    let searched = text.get(..MAX_SEARCHED).unwrap_or(text);
    let found = SET.as_ref().map(|set| set.matches(searched));
    let found = found.iter().flatten();
    found
        .filter_map(|index| FORMATS.get(index).map(|(kind, _)| *kind))
        .collect()
}

/// The kinds of secrets in the value of the header `name` (in lower case).
pub fn find_in_header(name: &str, value: &[u8]) -> Vec<SecretKind> {
    let mut found = find(value);
    if let "authorization" | "proxy-authorization" = name
        && let Some((scheme, credentials)) = std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.split_once(' '))
    {
        if scheme.eq_ignore_ascii_case("basic") && !credentials.trim().is_empty() {
            found.push(SecretKind::BasicCredentials);
        }
        if scheme.eq_ignore_ascii_case("bearer") && is_long_lived(credentials.trim()) {
            found.push(SecretKind::LongLivedToken);
        }
    }
    found
}

fn is_long_lived(token: &str) -> bool {
    let Ok(jws) = CompactJws::parse(token) else {
        return false;
    };
    let Ok(claims) = parse_object(&jws.payload) else {
        return false;
    };
    let time = |name: &str| claims.get(name).and_then(Value::as_u64);
    match (time("exp"), time("iat").or(time("nbf"))) {
        (None, _) => true,
        (Some(end), Some(begin)) => end.saturating_sub(begin) > LONG_LIVED,
        (Some(_), None) => false,
    }
}
