//! SPIFFE IDs, trust domains, bundles, key sets, X.509-SVIDs and the JWT-SVID schema.

use edgeward::crypto::check_x509_svid;
use edgeward_core::bundle::SpiffeBundle;
use edgeward_core::jose::Algorithm;
use edgeward_core::peer::{self, TlsFacts};
use edgeward_core::spiffe::{SpiffeId, TrustDomain, check_path};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::data::{Data, list, text};
use crate::svid_chains;
use crate::table::Suite;

pub(crate) fn run(data: &Data) -> Vec<Suite> {
    let expectations = data.json("expectations.json");
    let cases = data.json("spiffe-id-cases.json");
    vec![
        ids(&cases),
        trust_domains(&cases),
        paths(&cases),
        bundles(data, &expectations),
        key_sets(data),
        certificates(data, &expectations),
        peers(&expectations),
        svid_chains::verification(list(&expectations, "/x509_svid_verify_cases_to_generate")),
        schema(data),
    ]
}

fn ids(cases: &Value) -> Suite {
    let mut suite = Suite::new("spiffe ids");
    for case in list(cases, "/id") {
        let input = text(case, "/input");
        let seen = input.parse::<SpiffeId>();
        let held = match &seen {
            Ok(id) => {
                case["valid"] == true
                    && id.as_str() == input
                    && case["trust_domain"] == id.trust_domain().as_str()
                    && case["path"] == id.path()
            }
            Err(_) => case["valid"] == false,
        };
        suite.check(held, input.escape_debug(), seen);
    }
    suite
}

fn trust_domains(cases: &Value) -> Suite {
    let mut suite = Suite::new("spiffe trust domains");
    for case in list(cases, "/trust_domain") {
        let input = text(case, "/input");
        // go-spiffe also takes a whole ID here. We read one with the parser of IDs only.
        let seen = match input.parse::<SpiffeId>() {
            Ok(id) if input.parse::<TrustDomain>().is_err() => Ok(id.trust_domain()),
            _ => input.parse::<TrustDomain>(),
        };
        let held = match &seen {
            Ok(domain) => case["trust_domain"] == domain.as_str() && case["valid"] == true,
            Err(_) => case["valid"] == false,
        };
        suite.check(held, input.escape_debug(), seen);
    }
    suite.note(
        "a whole SPIFFE ID is no trust domain name in our configuration: read by the parser of IDs",
    );
    suite
}

fn paths(cases: &Value) -> Suite {
    let mut suite = Suite::new("spiffe path segments");
    for case in list(cases, "/segments") {
        let path: String = list(case, "/segments")
            .iter()
            .map(|segment| format!("/{}", segment.as_str().expect("a segment is text")))
            .collect();
        let seen = check_path(&path);
        let held = seen.is_ok() == case.get("error").is_none()
            && case.get("path").is_none_or(|wanted| *wanted == path);
        suite.check(held, path, seen);
    }
    suite
}

fn bundles(data: &Data, expectations: &Value) -> Suite {
    let mut suite = Suite::new("spiffe bundles");
    for case in list(expectations, "/bundles") {
        let file = text(case, "/file");
        let seen = SpiffeBundle::parse(&data.bytes(&format!("bundles/{file}")));
        let held = match &seen {
            Ok(bundle) => {
                case["go_spiffe_accepts"] == true
                    && case["keys"] == bundle.jwt_keys.len()
                    && case["sequence"].as_u64() == bundle.sequence
                    && case["refresh_hint_s"].as_u64() == bundle.refresh_hint
            }
            Err(_) => case["go_spiffe_accepts"] == false,
        };
        suite.check(held, file, seen);
    }
    let revoked = SpiffeBundle::parse(br#"{"keys":[],"spiffe_sequence":2}"#);
    let empty = revoked
        .as_ref()
        .is_ok_and(|bundle| bundle.jwt_keys.is_empty() && bundle.x509_authorities.is_empty());
    suite.check(empty, "empty `keys`", revoked);
    suite.note("empty `keys` revokes all: parses, verifies nothing (the standard; go-spiffe errs); no `keys` at all is refused");
    suite.note("two certificates in one `x5c` are refused, as in go-spiffe (the standard: ignore all but the first)");
    for file in data.files("x509bundle") {
        assert!(file.contains(".pem"), "{file}");
        suite.skip("PEM trust bundles: Edgeward's sources are SPIFFE bundle documents and the Workload API (DER)");
    }
    suite
}

/// go-spiffe reads these as the JWT keys of a trust domain; a bundle has them with their `use`.
fn key_sets(data: &Data) -> Suite {
    let mut suite = Suite::new("spiffe jwks");
    for (file, wanted) in [
        ("jwks_valid_1.json", Some(1)),
        ("jwks_valid_2.json", Some(2)),
        ("jwks_missing_kid.json", None),
    ] {
        let mut document = data.json(&format!("jwks/{file}"));
        for key in document["keys"].as_array_mut().expect("keys") {
            key["use"] = json!("jwt-svid");
        }
        let seen = SpiffeBundle::parse(document.to_string().as_bytes());
        let count = seen.as_ref().ok().map(|bundle| bundle.jwt_keys.len());
        suite.check(count == wanted, file, seen);
    }
    suite
}

/// The check that the PDP makes of a bundle endpoint's certificate, on the leaf.
fn certificates(data: &Data, expectations: &Value) -> Suite {
    let mut suite = Suite::new("spiffe x509svid");
    let workload: SpiffeId = "spiffe://example.org/workload-1".parse().expect("an id");
    for case in list(expectations, "/x509svid_parse") {
        let file = text(case, "/file");
        if file.starts_with("wrong-intermediate") {
            suite.skip("faults of an intermediate: chains are Envoy's (BoringSSL) and, for bundle endpoints, rustls-webpki's to judge");
            continue;
        }
        let bytes = data.bytes(&format!("x509svid/{file}"));
        let seen = CertificateDer::from_pem_slice(&bytes)
            .map_err(|error| error.to_string())
            .and_then(|leaf| check_x509_svid(&leaf, &workload).map_err(|error| error.to_string()));
        suite.check(case["accept"] == seen.is_ok(), file, seen);
    }
    suite
}

/// What is left to prove after Envoy's validation: exactly one URI name, a SPIFFE ID.
fn peers(expectations: &Value) -> Suite {
    let mut suite = Suite::new("spiffe x509svid names, behind Envoy");
    for case in list(expectations, "/x509_svid_verify_cases_to_generate") {
        let name = text(case, "/case");
        let uris: &[&str] = match name {
            "success" => &["spiffe://domain1.test/workload"],
            "no URI SAN" => &[],
            "more than one URI SAN" => &["spiffe://domain1.test/a", "spiffe://domain1.test/b"],
            "scheme is not spiffe" => &["https://domain1.test/workload"],
            // Chain, key usage and bundle choice are Envoy's: `tests/tests/e2e/mtls.rs`.
            _ => continue,
        };
        let tls = TlsFacts {
            certificate_digest: [0xab; 32],
            first_uri: uris.first().map(|uri| (*uri).to_owned()),
        };
        let names: String = uris.iter().map(|uri| format!(";URI={uri}")).collect();
        let seen = peer::direct(&tls, Some(&format!("Hash={}{names}", "ab".repeat(32))));
        suite.check(case["reject"] == seen.is_err(), name, seen);
    }
    suite
}

/// What the schema allows and demands is what our rules for a trust domain allow and demand; the
/// cases that break it are in `jwt_svid`.
fn schema(data: &Data) -> Suite {
    let mut suite = Suite::new("spiffe JWT-SVID schema");
    let schema = String::from_utf8(data.bytes("schemas/JWT-SVID.schema.yaml")).expect("UTF-8");
    let schema: Value = serde_saphyr::from_str(&schema).expect("YAML");
    let header = "/properties/header/properties";
    let mut allowed: Vec<&str> = list(&schema, &format!("{header}/alg/enum"))
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut ours = Algorithm::JWT_SVID.map(Algorithm::as_str);
    allowed.sort_unstable();
    ours.sort_unstable();
    suite.check(allowed == ours, "algorithms", ours);
    for (case, held) in crate::jwt_svid::schema_cases(&schema) {
        suite.check(held, case, "not as the schema says");
    }
    suite
}
