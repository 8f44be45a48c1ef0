//! The JWT-SVID cases that the suite names and leaves to be generated, and the example WIT-SVID.

use edgeward::crypto::{AwsLc, KeyPurpose, Signer};
use edgeward_core::jose::{Algorithm, KeySet, KeyUse, encode_base64url};
use edgeward_core::time::UnixSeconds;
use edgeward_core::token::{Audiences, TokenRules, Trust, TrustDomainTrust, verify};
use serde_json::{Value, json};

use crate::data::{Data, list, text};
use crate::table::Suite;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// A trust domain with two keys, and one claim set that it accepts.
struct Domain {
    keys: [Signer; 2],
    trust: Trust,
}

impl Domain {
    fn new() -> Self {
        let keys = ["one", "two"].map(|kid| {
            let key = Signer::generate(Algorithm::Es256).expect("a key");
            key.with_key_id(kid)
        });
        let jwks = json!({"keys": keys.each_ref().map(|key| key.public_jwk(KeyPurpose::JwtSvid))});
        let keys_read = KeySet::parse(jwks.to_string().as_bytes(), KeyUse::JwtSvid).expect("keys");
        let audiences = Audiences::try_from(vec!["edgeward".to_owned()]).expect("an audience");
        let mut trust = Trust::default();
        trust.trust_domains.insert(
            "domain1.test".parse().expect("a trust domain"),
            TrustDomainTrust {
                rules: TokenRules::for_trust_domain(audiences),
                keys: keys_read,
            },
        );
        Self { keys, trust }
    }

    /// `accepted`, or the code of the refusal.
    fn judge(&self, token: &str) -> &'static str {
        verify(token, &self.trust, NOW, &AwsLc).map_or_else(|error| error.code(), |_| "accepted")
    }

    /// The good token, with members of its header and claims replaced; `null` removes one.
    fn token(&self, header: &Value, claims: &Value) -> String {
        let good_header = json!({"alg": "ES256", "kid": "one", "typ": "JWT"});
        let good_claims = json!({
            "sub": "spiffe://domain1.test/workload", "aud": ["edgeward"], "exp": NOW.0 + 300,
        });
        let header = changed(good_header, header).to_string();
        let claims = changed(good_claims, claims).to_string();
        self.keys[0]
            .sign_with_header(header.as_bytes(), claims.as_bytes())
            .expect("a signature")
    }
}

fn changed(mut members: Value, changes: &Value) -> Value {
    let members_of = members.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            members_of.remove(name);
        } else {
            members_of.insert(name.clone(), value.clone());
        }
    }
    members
}

pub(crate) fn run(data: &Data) -> Vec<Suite> {
    let mut suite = Suite::new("spiffe JWT-SVIDs");
    let domain = Domain::new();
    let expectations = data.json("expectations.json");
    for case in list(&expectations, "/jwt_svid_cases_to_generate") {
        let name = text(case, "/case");
        let (token, wanted) = generated(&domain, name);
        let seen = domain.judge(&token);
        let labelled = case["reject"] == (seen != "accepted");
        suite.check(labelled && seen == wanted, name, seen);
    }
    suite.note("each refusal is also the one reason code that the case's one fault must have");
    suite.note("`kid` is demanded of JWT-SVIDs, as in go-spiffe (the standard: optional)");
    wit(data, &domain, &mut suite);
    vec![suite]
}

fn generated(domain: &Domain, name: &str) -> (String, &'static str) {
    let none = json!({});
    let with_header = |header: Value| domain.token(&header, &none);
    let with_claims = |claims: Value| domain.token(&none, &claims);
    let name = name.split(" (").next().unwrap_or(name);
    match name {
        "success" => (with_header(none.clone()), "accepted"),
        "malformed" => ("malformed".to_owned(), "token-not-compact"),
        "HS256 token" => (hmac_token(domain), "token-algorithm-unsupported"),
        "missing sub" => (with_claims(json!({"sub": null})), "token-claim-missing"),
        "missing exp" => (with_claims(json!({"exp": null})), "token-claim-missing"),
        "expired" => (with_claims(json!({"exp": NOW.0 - 60})), "token-expired"),
        "audience not ours" => (
            with_claims(json!({"aud": ["other"]})),
            "token-audience-mismatch",
        ),
        "sub not a SPIFFE ID" => (
            with_claims(json!({"sub": "spiffe:workload"})),
            "token-spiffe-id-invalid",
        ),
        "no kid" => (with_header(json!({"kid": null})), "token-key-id-missing"),
        "no bundle for the subject trust domain" => (
            with_claims(json!({"sub": "spiffe://domain2.test/workload"})),
            "token-trust-domain-unknown",
        ),
        "kid unknown in that trust domain" => {
            (with_header(json!({"kid": "three"})), "token-key-unknown")
        }
        "signed by another authority of the same bundle than the kid names" => (
            with_header(json!({"kid": "two"})),
            "token-signature-invalid",
        ),
        "typ set and not JWT or JOSE" => (
            with_header(json!({"typ": "at+jwt"})),
            "token-type-not-allowed",
        ),
        other => panic!("the suite names a case that is not generated yet: {other}"),
    }
}

/// Signed with a secret that everyone knows: the published public key.
fn hmac_token(domain: &Domain) -> String {
    use aws_lc_rs::hmac;
    let signed = domain.token(&json!({"alg": "HS256"}), &json!({}));
    let (signed, _) = signed.rsplit_once('.').expect("three parts");
    let secret = json!(domain.keys[0].public_jwk(KeyPurpose::JwtSvid)).to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", encode_base64url(tag.as_ref()))
}

/// A WIT-SVID proves nothing without its proof of possession: never good as a bearer token.
fn wit(data: &Data, domain: &Domain, suite: &mut Suite) {
    let example = data.json("wit-svid-example.json");
    let seen = domain.judge(text(&example, "/wit_svid"));
    suite.check(
        seen != "accepted",
        "the WIT-SVID example as a bearer token",
        seen,
    );
    let header = json!({"typ": text(&example, "/header/typ")});
    let seen = domain.judge(&domain.token(&header, &json!({})));
    let held = seen == "token-type-not-allowed";
    suite.check(held, "a good JWT-SVID but for `typ` wit+jwt", seen);
}

/// Every `typ` that the schema allows is accepted, and every member that it requires is required.
pub(crate) fn schema_cases(schema: &Value) -> Vec<(String, bool)> {
    let domain = Domain::new();
    let none = json!({});
    let mut cases = Vec::new();
    for typ in list(schema, "/properties/header/properties/typ/enum") {
        let token = domain.token(&json!({"typ": typ}), &none);
        cases.push((format!("typ {typ}"), domain.judge(&token) == "accepted"));
    }
    let absent = domain.token(&json!({"typ": null}), &none);
    cases.push(("no typ".to_owned(), domain.judge(&absent) == "accepted"));
    for name in list(schema, "/properties/header/required") {
        let token = domain.token(&json!({name.as_str().expect("a name"): null}), &none);
        cases.push((
            format!("header without {name}"),
            domain.judge(&token) == "token-header-invalid",
        ));
    }
    for name in list(schema, "/properties/payload/required") {
        let name = name.as_str().expect("a name");
        let token = domain.token(&none, &json!({name: null}));
        cases.push((
            format!("claims without {name}"),
            domain.judge(&token) == "token-claim-missing",
        ));
        let token = domain.token(&none, &json!({name: {}}));
        cases.push((
            format!("{name} of a wrong type"),
            domain.judge(&token) == "token-claim-invalid",
        ));
    }
    cases
}
