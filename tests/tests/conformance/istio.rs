//! Istio's path normalisation in four modes, and its sample tokens.

use std::collections::BTreeMap;

use edgeward::crypto::AwsLc;
use edgeward_core::jose::{KeySet, KeyUse};
use edgeward_core::request::{CanonicalRequest, PathNormalization};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{Audiences, IssuerTrust, TokenRules, Trust, verify};
use serde_json::Value;

use crate::data::{Data, list, text};
use crate::table::Suite;
use crate::verdict;

/// 2026-01-01T00:00:00Z: after every sample's `iat`, before every `exp` but the expired one's.
const NOW: UnixSeconds = UnixSeconds(1_767_225_600);

pub(crate) fn run(data: &Data) -> Vec<Suite> {
    vec![
        paths(&data.json("path-normalization.json")),
        tokens(&data.json("jwt-samples.json")),
    ]
}

fn paths(file: &Value) -> Suite {
    let mut suite = Suite::new("istio path normalisation");
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for group in list(file, "/groups") {
        let mode = text(group, "/mode");
        let normalization = match mode {
            "NONE" => PathNormalization::Strict,
            "BASE" => PathNormalization::Base,
            "MERGE_SLASHES" => PathNormalization::MergeSlashes,
            "DECODE_AND_MERGE_SLASHES" => PathNormalization::DecodeAndMergeSlashes,
            other => panic!("the suite has a mode {other}"),
        };
        let (reproduced, refused) = counts.entry(mode).or_default();
        for case in list(group, "/cases") {
            let (path, wanted) = (text(case, "/in"), text(case, "/out"));
            let seen = CanonicalRequest::parse("GET", "example.org", path, normalization);
            let held = match &seen {
                Ok(request) => spelled(&request.target()) == spelled(wanted),
                Err(_) => true,
            };
            if seen.is_err() {
                *refused += 1;
            } else {
                *reproduced += 1;
            }
            suite.check(held, format!("{mode} {path} → {wanted}"), seen);
        }
    }
    for (mode, (reproduced, refused)) in counts {
        suite.note(format!(
            "{mode}: {reproduced} reproduced, {refused} refused"
        ));
    }
    suite.note(
        "hex digits of a percent-encoding are compared without case (RFC 3986 section 6.2.2.1)",
    );
    suite
}

/// The path with the hex digits of every percent-encoding in upper case.
fn spelled(path: &str) -> String {
    let mut digits = 0;
    path.chars()
        .map(|character| {
            if character == '%' {
                digits = 2;
                return character;
            }
            if digits > 0 {
                digits -= 1;
                return character.to_ascii_uppercase();
            }
            character
        })
        .collect()
}

fn tokens(file: &Value) -> Suite {
    let mut suite = Suite::new("istio sample tokens");
    let trust = trust(&file["jwks"]);
    for (name, token) in file["tokens"].as_object().expect("tokens by name") {
        let token = token.as_str().expect("a token is text");
        let seen = verdict::of_jws(token, &file["jwks"]);
        suite.check(seen.is_verified(), format!("{name}: signature"), seen);
        let code =
            verify(token, &trust, NOW, &AwsLc).map_or_else(|error| error.code(), |_| "accepted");
        // Istio lets a token without `aud` pass; here the audience is mandatory.
        let wanted = if name.contains("WithAud") {
            "accepted"
        } else {
            "token-claim-missing"
        };
        suite.check(code == wanted, format!("{name}: {wanted}"), code);
    }
    suite.note("every signature verifies; only tokens with one of our audiences are accepted");
    suite
}

fn trust(keys: &Value) -> Trust {
    let keys = KeySet::parse(keys.to_string().as_bytes(), KeyUse::Signature).expect("a key set");
    let audiences = Audiences::try_from(vec!["foo".to_owned()]).expect("an audience");
    let rules = TokenRules {
        // The samples live for a century.
        max_lifetime: 4_000_000_000,
        ..TokenRules::for_issuer(audiences)
    };
    let mut trust = Trust::default();
    for number in 1..=3 {
        let issuer = format!("test-issuer-{number}@istio.io")
            .parse()
            .expect("an issuer");
        let (rules, keys) = (rules.clone(), keys.clone());
        trust.issuers.insert(issuer, IssuerTrust { rules, keys });
    }
    trust
}
