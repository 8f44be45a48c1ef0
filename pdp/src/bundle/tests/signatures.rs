//! Which signatures count.

use edgeward_core::jose::Algorithm;
use serde_json::Value;

use super::{Files, Release, authz, pack};
use crate::bundle::{PolicyBundle, Trust};
use crate::crypto::Signer;

#[test]
fn a_signature_is_of_the_scope_and_strength_that_is_asked_for_and_keys_may_change() {
    let release = Release::new();
    let scoped = Trust {
        scope: Some("edge".to_owned()),
        ..release.trust()
    };
    let code = |trust: &Trust, files: &Files| {
        PolicyBundle::unpack(&pack(files), Some(trust))
            .err()
            .map(|error| error.to_string())
    };
    let of_scope = release.sign_with(&authz("1"), |payload| payload["scope"] = "edge".into());
    assert_eq!(code(&scoped, &of_scope), None);
    assert!(
        code(&release.trust(), &of_scope)
            .unwrap()
            .contains("scope `edge`, not ``")
    );
    assert!(
        code(&scoped, &release.sign(&authz("1")))
            .unwrap()
            .contains("scope `")
    );
    for weak in ["MD5", "SHA-1", "SHA-224", "none", ""] {
        let weakly = release.sign_with(&authz("1"), |payload| {
            payload["files"][0]["algorithm"] = weak.into();
        });
        let said = code(&release.trust(), &weakly).unwrap();
        assert!(said.contains("SHA-256 or stronger"), "{weak}: {said}");
    }
    let twice = release.sign_with(&authz("1"), |payload| {
        let again = payload["files"][0].clone();
        payload["files"].as_array_mut().unwrap().push(again);
    });
    assert!(code(&release.trust(), &twice).unwrap().contains("twice"));
    let mut two = release.sign(&authz("1"));
    let mut document: Value = serde_json::from_slice(&two[".signatures.json"]).unwrap();
    let again = document["signatures"][0].clone();
    document["signatures"].as_array_mut().unwrap().push(again);
    two.insert(".signatures.json".to_owned(), document.to_string().into());
    assert!(
        code(&release.trust(), &two)
            .unwrap()
            .contains("there must be one")
    );
    let unchecked = PolicyBundle::unpack(&pack(&release.sign(&authz("1"))), None);
    assert!(
        unchecked
            .unwrap_err()
            .to_string()
            .contains("no key is configured")
    );

    // A new key beside the old one, then alone: nothing is restarted for that.
    let next = Signer::generate(Algorithm::Es256)
        .unwrap()
        .with_key_id("release-2");
    let by_old = release.sign(&authz("1"));
    release.publish(&[&release.signer, &next]);
    assert_eq!(code(&release.trust(), &by_old), None);
    release.publish(&[&next]);
    assert!(
        code(&release.trust(), &by_old)
            .unwrap()
            .contains("no key with this `kid`")
    );
}
