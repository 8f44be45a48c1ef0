//! What questions are told, whatever their askers wrote.

use serde_json::json;

use super::*;

#[test]
fn whatever_a_caller_says_of_atoms_is_overwritten() {
    let (settings, _folder) = settings(&[("10.0.0.0/8", "DE")]);
    let atoms = Atoms::open(&settings).unwrap();
    for (address, path, networks, country, route, params) in [
        (
            json!("10.1.2.3"),
            json!("/orders/7"),
            json!(["corp", "office"]),
            json!("DE"),
            json!("order"),
            json!({"id": "7"}),
        ),
        (
            json!("10.2.2.3"),
            json!("/docs"),
            json!(["corp"]),
            json!("DE"),
            json!("docs"),
            json!({}),
        ),
        (
            json!("11.0.0.1"),
            json!("/p/1/%C3%A9"),
            json!([]),
            Value::Null,
            json!("pair"),
            json!({"a": "é", "b": "1"}),
        ),
        (
            json!("10.1.2.3:80"),
            json!("/orders/7/"),
            json!([]),
            Value::Null,
            Value::Null,
            Value::Null,
        ),
        (
            json!(""),
            json!("/orders/../docs"),
            json!([]),
            Value::Null,
            Value::Null,
            Value::Null,
        ),
        (
            json!(7),
            json!("/docs/%2e%2e/orders/7"),
            json!([]),
            Value::Null,
            Value::Null,
            Value::Null,
        ),
        (
            Value::Null,
            json!("/orders/%37"),
            json!([]),
            Value::Null,
            Value::Null,
            Value::Null,
        ),
        (
            json!(["10.1.2.3"]),
            json!(["/docs"]),
            json!([]),
            Value::Null,
            Value::Null,
            Value::Null,
        ),
    ] {
        let told = told(&atoms, &question(&address, &path), NOW);
        let source = &told["context"]["source"];
        assert_eq!(
            (&source["networks"], &source["country"]),
            (&networks, &country),
            "{address}"
        );
        let properties = &told["resource"]["properties"];
        assert_eq!(
            (&properties["route"], &properties["params"]),
            (&route, &params),
            "{path}"
        );
        assert_eq!(
            properties.get("route").is_some(),
            !route.is_null(),
            "absent, not null"
        );
        assert_eq!(told["context"]["schedules"], json!(["always", "early"]));
        assert_eq!(source.get("address"), Some(&address), "base facts stay");
    }
}

#[test]
fn what_is_no_http_question_takes_no_route_and_still_has_its_lists() {
    let atoms = Atoms::open(&settings(&[]).0).unwrap();
    let plain = json!({"subject": {"type": "user", "id": "u"}, "action": {"name": "read"},
        "resource": {"type": "file", "id": "f", "properties": {"path": "/docs", "route": "docs"}}, "context": {}});
    let told = told(&atoms, &plain, NOW);
    assert_eq!(told["resource"]["properties"], json!({"path": "/docs"}));
    assert_eq!(
        told["context"],
        json!({"schedules": ["always", "early"], "source": {"networks": []}})
    );
    // Not of the shape that the service makes: there is nothing to be told, and nothing breaks.
    for odd in [
        json!(7),
        json!({}),
        json!({"context": 1}),
        json!({"context": {"source": "10.1.2.3"}, "resource": []}),
    ] {
        let _ = super::told(&atoms, &odd, NOW);
    }
    let nothing = Atoms::open(&AtomSettings::default()).unwrap();
    let bare = super::told(
        &nothing,
        &question(&json!("10.1.2.3"), &json!("/docs")),
        NOW,
    );
    assert_eq!(
        (
            &bare["context"]["schedules"],
            &bare["context"]["source"]["networks"]
        ),
        (&json!([]), &json!([]))
    );
    assert_eq!(bare["resource"]["properties"].get("route"), None);
}
