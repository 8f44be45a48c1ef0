//! Header names: what Edgeward sets, what a client may never say, what a policy never sees.
//!
//! Strip, then set: every header that Edgeward may set is removed from the request before anything
//! is decided, also when Edgeward then sets nothing. Names are compared in lower case with `-` and
//! `_` equal, because CGI-like servers read both as one.

/// Prefix of every header that Edgeward sets.
pub const PREFIX: &str = "x-edgeward-";
/// The id of the decision that let the request pass.
pub const DECISION_ID: &str = "x-edgeward-decision-id";
/// The verified workload, or `anonymous`.
pub const SUBJECT: &str = "x-edgeward-subject";
/// The certificate of the peer as Envoy saw it (`XFCC`).
pub const FORWARDED_CLIENT_CERT: &str = "x-forwarded-client-cert";

/// Names by which some proxy, framework or identity provider passes on an identity, another path,
/// another method or a forwarding fact that only a proxy may state; and a `host` beside `:authority`.
const NEVER_FROM_CLIENTS: [&str; 39] = [
    "client-cert",
    "client-cert-chain",
    "forwarded",
    "host",
    "remote-groups",
    "remote-user",
    "x-amzn-oidc-accesstoken",
    "x-amzn-oidc-data",
    "x-amzn-oidc-identity",
    "x-auth-request-access-token",
    "x-auth-request-email",
    "x-auth-request-groups",
    "x-auth-request-user",
    "x-authenticated-user",
    "x-client-cert",
    "x-envoy-original-host",
    "x-envoy-original-method",
    "x-envoy-original-path",
    "x-forwarded-access-token",
    "x-forwarded-client-cert",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-port",
    "x-forwarded-preferred-username",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-uri",
    "x-forwarded-user",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
];

/// Set by Envoy itself before any filter runs; the upstream may see them, a policy never does, and
/// a client's spelling with underscores is not Envoy's.
const ENVOYS_OWN: [&str; 4] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
];

/// Credentials of the client: forwarded or not as configured, but never a fact for a policy.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "dpop"];

/// What becomes of a request header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFate {
    /// Forwarded, and part of what the policy sees.
    Pass,
    /// Forwarded, but no fact for a policy.
    Hide,
    /// Removed: a client may not say this.
    Strip,
}

/// What becomes of the request header `name`; `also_strip` are further names in lower case with
/// dashes, such as those that obligations may set.
pub fn fate(name: &str, also_strip: &[String]) -> HeaderFate {
    if name.starts_with(':') {
        return HeaderFate::Hide;
    }
    let normal;
    let (name, respelt) = if is_normal(name) {
        (name, false)
    } else {
        normal = normalize(name);
        (normal.as_str(), true)
    };
    if name.starts_with(PREFIX)
        // Not a binary search: lengths differ mostly, and texts are compared byte by byte in Wasm.
        || NEVER_FROM_CLIENTS.contains(&name)
        || also_strip.iter().any(|stripped| stripped == name)
    {
        return HeaderFate::Strip;
    }
    let envoys_own = name.starts_with("x-envoy-") || ENVOYS_OWN.contains(&name);
    if envoys_own || CREDENTIALS.contains(&name) {
        return if respelt {
            HeaderFate::Strip
        } else {
            HeaderFate::Hide
        };
    }
    HeaderFate::Pass
}

/// Whether a policy may set the request header `name`: one of Edgeward's, or one of `allowed`.
pub fn may_be_obliged(name: &str, allowed: &[String]) -> bool {
    name.starts_with(PREFIX) || allowed.iter().any(|allowed| allowed == name)
}

/// Whether a configuration may name the header `name`, for a token or for policies to set: it is
/// spelt as names are compared, may be set, and Edgeward does not set it by itself.
pub fn may_be_configured(name: &str) -> bool {
    may_be_set(name) && normalize(name) == name && !is_edgewards(name)
}

/// What a configuration is told whose header name may not be there.
pub const NOT_CONFIGURABLE: &str = "must be a header name in lower case, with dashes and no \
     underscores, and none that Edgeward itself sets";

/// Whether Edgeward sets the header `name` (normal spelling) on requests that it lets pass.
pub fn is_edgewards(name: &str) -> bool {
    name.starts_with(PREFIX) || name == FORWARDED_CLIENT_CERT
}

/// The spelling by which names are compared: lower case, dashes for underscores.
pub fn normalize(name: &str) -> String {
    name.chars()
        .map(|character| match character {
            '_' => '-',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

fn is_normal(name: &str) -> bool {
    !name
        .bytes()
        .any(|byte| byte == b'_' || byte.is_ascii_uppercase())
}

/// Whether `name` may be set on a request or response: a token in lower case (RFC 9110 section
/// 5.1) that is no pseudo-header and steers no hop.
pub fn may_be_set(name: &str) -> bool {
    let token = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_')
    };
    let steering = matches!(
        name,
        "host"
            | "connection"
            | "content-length"
            | "transfer-encoding"
            | "te"
            | "trailer"
            | "upgrade"
    );
    !name.is_empty() && name.len() <= 128 && name.bytes().all(token) && !steering
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identity_and_forwarding_headers_are_stripped_in_every_spelling() {
        for name in NEVER_FROM_CLIENTS.into_iter().chain([DECISION_ID, SUBJECT]) {
            for spelling in [name.to_owned(), name.replace('-', "_"), name.to_uppercase()] {
                assert_eq!(fate(&spelling, &[]), HeaderFate::Strip, "{spelling}");
            }
        }
        for spelling in [
            "x_forwarded_for",
            "x_envoy_peer_metadata",
            "proxy_authorization",
        ] {
            assert_eq!(fate(spelling, &[]), HeaderFate::Strip, "{spelling}");
        }
        assert_eq!(
            fate("x-tenant", &["x-tenant".to_owned()]),
            HeaderFate::Strip
        );
        assert_eq!(
            fate("X_Tenant", &["x-tenant".to_owned()]),
            HeaderFate::Strip
        );
    }

    #[test]
    fn credentials_and_envoys_own_headers_are_no_facts() {
        for name in [
            "authorization",
            "cookie",
            "x-forwarded-for",
            "x-request-id",
            ":path",
        ] {
            assert_eq!(fate(name, &[]), HeaderFate::Hide, "{name}");
        }
        assert_eq!(fate("accept", &[]), HeaderFate::Pass);
    }

    proptest! {
        #[test]
        fn spelling_never_turns_strip_into_pass(
            index in 0..NEVER_FROM_CLIENTS.len(), flips in proptest::collection::vec(0..3_u8, 40)
        ) {
            let name: String = NEVER_FROM_CLIENTS[index]
                .chars()
                .zip(flips)
                .map(|(character, flip)| match (character, flip) {
                    ('-', 1..) => '_',
                    (other, 2) => other.to_ascii_uppercase(),
                    (other, _) => other,
                })
                .collect();
            prop_assert_eq!(fate(&name, &[]), HeaderFate::Strip);
        }
    }
}
