//! What the API server's answers may say, and what they must not. The answers of a real one are tried in
//! `tests/tests/e2e/kubernetes.rs`.

use edgeward_core::json::parse_object;
use serde_json::{Value, json};

use super::*;
use crate::attestation::kubernetes::json::Object;

const AUDIENCE: &str = "https://edgeward.test";

fn attested() -> Attributes {
    let mut attributes = Attributes::default();
    for (name, value) in [
        ("namespace", "shop"),
        ("service_account", "cart"),
        ("service_account_uid", "sa-1"),
        ("pod", "cart-0"),
        ("pod_uid", "pod-1"),
    ] {
        attributes.tell(name, value).unwrap();
    }
    attributes
}

fn object(value: &Value) -> Object {
    parse_object(value.to_string().as_bytes()).unwrap()
}

fn changed(mut value: Value, at: &str, to: Value) -> Object {
    *value.pointer_mut(at).expect("a member that is there") = to;
    object(&value)
}

fn review() -> Value {
    json!({
        "kind": "TokenReview",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": { "creationTimestamp": null },
        "spec": { "token": "…", "audiences": [AUDIENCE] },
        "status": {
            "authenticated": true,
            "error": "",
            "audiences": [AUDIENCE],
            "user": {
                "username": "system:serviceaccount:shop:cart",
                "uid": "sa-1",
                "groups": ["system:serviceaccounts"],
                "extra": {
                    "authentication.kubernetes.io/pod-name": ["cart-0"],
                    "authentication.kubernetes.io/pod-uid": ["pod-1"],
                },
            },
        },
    })
}

#[test]
fn a_token_holds_where_the_api_server_says_so_of_this_very_workload() {
    let audiences = [AUDIENCE.to_owned()];
    let check = |answer: &Object| {
        let checked = token_review::check(answer, &audiences, &attested());
        checked.map_err(|refusal| refusal.code())
    };
    assert_eq!(check(&object(&review())), Ok(()));
    assert_eq!(
        check(&changed(review(), "/status/user/extra", Value::Null)),
        Ok(())
    );
    let (rejected, disagree, invalid) = (
        "kubernetes-token-rejected",
        "evidence-claims-disagree",
        "kubernetes-answer-invalid",
    );
    let pod_uid = "/status/user/extra/authentication.kubernetes.io~1pod-uid";
    for (at, to, code) in [
        ("/status/authenticated", json!(false), rejected),
        ("/status/authenticated", Value::Null, invalid),
        ("/status/authenticated", json!("true"), invalid),
        ("/status/error", json!("token has expired"), rejected),
        ("/status/audiences", Value::Null, disagree),
        ("/status/audiences", json!([]), disagree),
        ("/status/audiences", json!(["https://other.test"]), disagree),
        (
            "/status/audiences",
            json!([AUDIENCE, "https://other.test"]),
            disagree,
        ),
        ("/status/audiences", json!([[AUDIENCE]]), disagree),
        ("/status/audiences", json!(AUDIENCE), disagree),
        (
            "/status/user/username",
            json!("system:serviceaccount:shop:other"),
            disagree,
        ),
        (
            "/status/user/username",
            json!("system:serviceaccount:shop:cart:x"),
            disagree,
        ),
        ("/status/user/username", json!("admin"), disagree),
        ("/status/user/username", Value::Null, disagree),
        ("/status/user/uid", json!("sa-2"), disagree),
        ("/status/user/uid", json!(1), invalid),
        ("/status/user", json!([]), invalid),
        (pod_uid, json!(["pod-2"]), disagree),
        (pod_uid, json!(["pod-1", "pod-2"]), invalid),
        (pod_uid, json!([]), invalid),
        (pod_uid, json!("pod-1"), invalid),
        ("/status", Value::Null, invalid),
        ("/kind", json!("Status"), invalid),
    ] {
        assert_eq!(
            check(&changed(review(), at, to.clone())),
            Err(code),
            "{at} {to}"
        );
    }
    assert_eq!(check(&Object::new()), Err(invalid));
}

fn pod() -> Value {
    json!({
        "kind": "Pod",
        "metadata": {
            "namespace": "shop", "name": "cart-0", "uid": "pod-1",
            "labels": { "app": "cart", "empty": "" },
            "ownerReferences": [
                { "kind": "Other", "name": "x", "uid": "u-0" },
                { "kind": "StatefulSet", "name": "cart", "uid": "u-1", "controller": true },
            ],
        },
        "spec": {
            "serviceAccountName": "cart",
            "nodeName": "node-1",
            "initContainers": [{ "name": "setup", "image": "registry.test/setup:1" }],
            "containers": [{ "name": "cart", "image": "registry.test/cart:7" }],
            "ephemeralContainers": [{ "name": "debug", "image": "registry.test/debug:1" }],
        },
        "status": {
            "phase": "Running",
            "initContainerStatuses": [{ "name": "setup", "imageID": "registry.test/setup@sha256:aa" }],
            "containerStatuses": [{ "name": "cart", "imageID": "docker-pullable://registry.test/cart@sha256:bb" }],
            "ephemeralContainerStatuses": [{ "name": "debug", "imageID": "registry.test/debug@sha256:cc" }],
        },
    })
}

fn told(pod: &Object) -> Result<Attributes, &'static str> {
    let mut attributes = attested();
    pod::tell(pod, "pod-1", &mut attributes).map_err(|refusal| refusal.code())?;
    Ok(attributes)
}

#[test]
fn a_pod_tells_the_images_of_all_its_containers_and_each_counts() {
    let attributes = told(&object(&pod())).unwrap();
    assert_eq!(
        attributes.values("image"),
        [
            "registry.test/cart:7",
            "registry.test/setup:1",
            "registry.test/debug:1"
        ]
    );
    assert_eq!(
        attributes.values("image_digest"),
        ["sha256:bb", "sha256:aa", "sha256:cc"]
    );
    assert!(attributes.is_each("image") && attributes.is_each("image_digest"));
    for (name, value) in [
        ("node", "node-1"),
        ("owner_kind", "StatefulSet"),
        ("owner", "cart"),
        ("owner_uid", "u-1"),
        ("pod_label.app", "cart"),
    ] {
        assert_eq!(attributes.single(name), Some(value), "{name}");
    }
    assert!(attributes.values("pod_label.empty").is_empty());
}

#[test]
fn digests_are_told_where_that_of_every_container_is_known() {
    for image_id in [json!(""), Value::Null, json!("sha256:bb")] {
        let pod = changed(
            pod(),
            "/status/containerStatuses/0/imageID",
            image_id.clone(),
        );
        let attributes = told(&pod).unwrap();
        assert!(attributes.values("image_digest").is_empty(), "{image_id}");
        assert_eq!(attributes.values("image").len(), 3);
    }
    let attributes = told(&changed(
        pod(),
        "/status/ephemeralContainerStatuses",
        Value::Null,
    ));
    assert!(attributes.unwrap().values("image_digest").is_empty());
}

#[test]
fn a_pod_that_is_another_or_has_ended_is_refused() {
    let (disagree, invalid) = ("evidence-claims-disagree", "kubernetes-answer-invalid");
    for (at, to, code) in [
        ("/metadata/uid", json!("pod-2"), "kubernetes-pod-gone"),
        ("/metadata/uid", Value::Null, "kubernetes-pod-gone"),
        ("/metadata/name", json!("cart-1"), disagree),
        ("/metadata/namespace", json!("other"), disagree),
        ("/spec/serviceAccountName", json!("default"), disagree),
        ("/status/phase", json!("Succeeded"), "kubernetes-pod-ended"),
        ("/status/phase", json!("Failed"), "kubernetes-pod-ended"),
        ("/status/phase", json!(1), invalid),
        ("/spec/containers/0/image", Value::Null, invalid),
        ("/spec/containers", json!({}), invalid),
        ("/spec/containers", json!(["cart"]), invalid),
        ("/metadata/labels", json!({ "app": 1 }), invalid),
        (
            "/metadata/labels/app",
            json!("a\nb"),
            "evidence-claim-invalid",
        ),
        ("/kind", json!("PodList"), invalid),
    ] {
        assert_eq!(
            told(&changed(pod(), at, to.clone())).err(),
            Some(code),
            "{at} {to}"
        );
    }
    let mut attributes = attested();
    attributes.tell("node", "node-2").unwrap();
    let refused = pod::tell(&object(&pod()), "pod-1", &mut attributes).unwrap_err();
    assert_eq!(refused.code(), disagree);
}

#[test]
fn a_node_tells_where_it_is_and_must_be_the_one_that_was_asked_for() {
    let node = json!({
        "kind": "Node",
        "metadata": {
            "name": "node-1", "uid": "n-1",
            "labels": { "topology.kubernetes.io/region": "eu-1", "topology.kubernetes.io/zone": "eu-1a", "pool": "pci" },
        },
    });
    let tell = |node: &Object, attributes: &mut Attributes| {
        node::tell(node, "node-1", attributes).map_err(|refusal| refusal.code())
    };
    let mut attributes = attested();
    tell(&object(&node), &mut attributes).unwrap();
    assert_eq!(attributes.single("region"), Some("eu-1"));
    assert_eq!(attributes.single("zone"), Some("eu-1a"));
    assert_eq!(attributes.single("node_label.pool"), Some("pci"));
    let mut claimed = attested();
    claimed.tell("node_uid", "n-2").unwrap();
    assert_eq!(
        tell(&object(&node), &mut claimed),
        Err("evidence-claims-disagree")
    );
    let other = changed(node, "/metadata/name", json!("node-2"));
    assert_eq!(
        tell(&other, &mut attested()),
        Err("evidence-claims-disagree")
    );
}
