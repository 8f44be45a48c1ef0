//! The filter's key of a request against the question that the policy is asked.

use edgeward_core::authzen::{Context, EvaluationRequest, Source, Tls};
use edgeward_core::cache_key::{write_question, write_value};
use edgeward_core::decide;
use edgeward_core::request::{CanonicalRequest, PathNormalization};
use proptest::prelude::*;
use serde_json::json;
use serde_json::value::RawValue;

use super::*;

const PATHS: &[&[&str]] = &[
    &["action"],
    &["context"],
    &["context", "source"],
    &ADDRESS,
    &NETWORKS,
    &COUNTRY,
    &SCHEDULES,
    &["resource"],
    &["resource", "properties", "path"],
    &["resource", "properties", "query"],
    &ROUTE,
    &PARAMS,
    &["resource", "properties", "params", "a"],
    &["subject", "id"],
];

/// Which request: method, host, target, address.
type Asked = (&'static str, &'static str, String, &'static str);

fn any_asked() -> impl Strategy<Value = Asked> {
    let addresses = vec![
        "",
        "10.1.0.1",
        "10.2.0.1",
        "11.0.0.1",
        "::1",
        "2001:db8::1",
        "::ffff:10.1.0.1",
    ];
    (
        prop::sample::select(vec!["GET", "PUT"]),
        prop::sample::select(vec!["h", "k:80"]),
        "/(orders|docs|p)?(/{1,2}([ab]|%20|%7B|\\.\\.|\\\\)){0,3}/?(\\?q=[ab])?",
        prop::sample::select(addresses),
    )
}

/// The filter's key, the projection that it stands for, and the question that the PDP is asked.
fn both(
    atoms: &Atoms,
    asked: &Asked,
    vary: &Footprint,
    mode: PathNormalization,
) -> Option<(Vec<u8>, Value, Value)> {
    let (method, authority, target, address) = asked;
    let request = CanonicalRequest::parse(method, authority, target, mode).ok()?;
    let subject = json!({"type": "workload", "id": "s"});
    let raw = RawValue::from_string(subject.to_string()).unwrap();
    let context = Context {
        source: Source { address },
        tls: Some(Tls {
            peer: "spiffe://a.test/p",
        }),
    };
    let asked = EvaluationRequest::http(&raw, &request, Vec::new(), context);
    let Caching {
        program,
        vary,
        atoms: definitions,
        ..
    } = atoms.caching(caching(vary.clone()));
    let (mut subject_key, mut key, mut body) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(part) = vary.member("subject") {
        write_value(&mut subject_key, &part.project(subject));
    }
    write_question(&mut key, &asked, &subject_key, &vary, &definitions);
    decide::write_question(&mut body, &program);
    write_value(&mut body, &json!({}));
    body.extend_from_slice(&key);
    let projection = decide::read_question(&body).unwrap().input;
    let whole = told(atoms, &serde_json::to_value(&asked).unwrap(), NOW);
    Some((key, projection, whole))
}

fn modes() -> impl Strategy<Value = PathNormalization> {
    prop::sample::select(vec![
        PathNormalization::Strict,
        PathNormalization::Base,
        PathNormalization::MergeSlashes,
        PathNormalization::DecodeAndMergeSlashes,
    ])
}

proptest! {
    /// Whatever form of paths the filter makes: where it knows all that the policy is told, its key
    /// is the PDP's.
    #[test]
    fn the_filter_makes_the_atoms_that_the_pdp_makes(
        asked in any_asked(), mode in modes(),
        paths in prop::collection::vec(prop::sample::select(PATHS), 0..5),
    ) {
        let mut settings = settings(&[]).0;
        settings.schedules.clear();
        let atoms = Atoms::open(&settings).unwrap();
        let vary = vary(&paths);
        let Some((key, _, mut told)) = both(&atoms, &asked, &vary, mode) else { return Ok(()) };
        // What only the PDP knows.
        told["context"].as_object_mut().unwrap().remove("schedules");
        let mut expected = Vec::new();
        write_value(&mut expected, &vary.project(told.clone()));
        prop_assert_eq!(key, expected, "{} {:?}", told, vary);
    }

    /// The bytes differ where countries and schedules are read: what counts is that at one instant
    /// two questions with one key are one question to the policy.
    #[test]
    fn two_requests_share_a_key_of_the_filter_only_if_they_are_one_to_the_policy(
        one in any_asked(), other in any_asked(), same in prop::collection::vec(prop::bool::ANY, 4), mode in modes(),
        paths in prop::collection::vec(prop::sample::select(PATHS), 0..5),
    ) {
        let (settings, _folder) = settings(&[("10.1.0.0/16", "DE"), ("11.0.0.0/8", "FR"), ("2001:db8::/32", "DE")]);
        let atoms = Atoms::open(&settings).unwrap();
        let vary = vary(&paths);
        let near = (
            if same[0] { one.0 } else { other.0 },
            if same[1] { one.1 } else { other.1 },
            if same[2] { one.2.clone() } else { other.2 },
            if same[3] { one.3 } else { other.3 },
        );
        let questions = [&one, &near].map(|asked| both(&atoms, asked, &vary, mode));
        let [Some((first, projection, one)), Some((second, _, near))] = questions else { return Ok(()) };
        if first == second {
            prop_assert_eq!(vary.project(one.clone()), vary.project(near));
        }
        // On the short way the PDP has no more than the filter's projection, and makes the same of it.
        let mut completed = projection;
        atoms.complete(&mut completed, &vary, NOW);
        prop_assert_eq!(vary.project(completed), vary.project(one));
    }
}
