//! Policies of `opa-envoy-plugin`, asked as Envoy asks that plugin.

use std::collections::HashMap;

use envoy_types::ext_authz::v3::pb::{HeaderAppendAction, HeaderValueOption};
use envoy_types::pb::envoy::config::core::v3::Metadata;
use envoy_types::pb::google::protobuf::{Struct, Timestamp, Value as Member, value::Kind};

use super::*;

fn speaking(identifies: bool) -> ExtAuthzSettings {
    ExtAuthzSettings {
        dialect: Dialect::OpaEnvoy { identifies },
        ..door()
    }
}

/// A PDP that knows no keys and asks `policy` in the plugin's words.
fn asked(policy: &str) -> Asked {
    let pdp = Pdp::deciding_with(policy, with(speaking(false)));
    let signer = Signer::generate(Algorithm::Es256).unwrap();
    Asked { pdp, signer }
}

/// The policy of the plugin's own quick start, in Rego of version 1.
const QUICK_START: &str = r#"
import input.attributes.request.http
default decision := false
decision if is_token_valid(http.headers.authorization)
decision := {
    "allowed": false, "http_status": 302, "body": "Unauthorized Request",
    "headers": {"x-ext-auth-allow": "no", "location": ["/login"]},
} if http.path == "/people"
is_token_valid(token) if {
    startswith(token, "Basic ")
    http.method == "GET"
    input.parsed_path[0] == "people"
    input.parsed_query.lang[0] == "en"
}
"#;

#[test]
fn a_policy_of_the_plugin_decides_by_what_the_plugin_shows_it() {
    let asked = asked(QUICK_START);
    let told = |path: &str| Told::get(path).header("authorization", "Basic YWxpY2U6cGFzc3dvcmQ=");
    let ok = allowed(asked.check(told("/people/1?lang=en&lang=fr")));
    assert!(header(&ok.headers, "x-edgeward-decision-id").is_some());
    assert_eq!(header(&ok.headers, "x-edgeward-subject"), None);
    assert!(ok.headers_to_remove.is_empty(), "the token is the policy's");
    let response = asked.check(told("/people"));
    assert_eq!(response.status.as_ref().unwrap().code, 7);
    let Some(HttpResponse::DeniedResponse(denied)) = response.http_response else {
        panic!("{response:?}")
    };
    assert_eq!(denied.status.unwrap().code, 302);
    assert_eq!(denied.body, "Unauthorized Request");
    assert_eq!(header(&denied.headers, "location"), Some("/login"));
    assert_eq!(header(&denied.headers, "x-ext-auth-allow"), Some("no"));
    let response = asked.check(told("/other/1?lang=en"));
    let Some(HttpResponse::DeniedResponse(denied)) = response.http_response else {
        panic!("{response:?}")
    };
    assert_eq!((denied.status.unwrap().code, &*denied.body), (403, ""));
}

/// Everything that the plugin shows, and nothing else, as its result's metadata.
const TELLS: &str = r#"decision := {"allowed": true, "dynamic_metadata": {"input": input}}"#;

fn shown(response: CheckResponse) -> Value {
    fn value(member: &Member) -> Value {
        match member.kind.as_ref().unwrap() {
            Kind::NullValue(_) => Value::Null,
            Kind::BoolValue(flag) => json!(flag),
            Kind::NumberValue(number) => json!(number),
            Kind::StringValue(text) => json!(text),
            Kind::ListValue(list) => list.values.iter().map(value).collect(),
            Kind::StructValue(of) => object(of),
        }
    }
    fn object(of: &Struct) -> Value {
        let fields = of.fields.iter();
        Value::Object(fields.map(|(name, v)| (name.clone(), value(v))).collect())
    }
    object(&response.dynamic_metadata.unwrap())["input"].clone()
}

#[test]
fn the_input_is_the_call_as_protobuf_has_it_in_json_with_path_query_and_body_taken_apart() {
    let asked = asked(TELLS);
    let told = Told::get("/a%20b/c?q=1&q=x+y&r")
        .header("content-type", "application/json")
        .header("x-list", "1")
        .header("x-list", "2")
        .header("cookie", "c=1")
        .header("x-edgeward-subject", "spoofed")
        .header("x_forwarded_user", "spoofed");
    for told in [told.clone().joined(), told] {
        let mut call = told.call();
        let attributes = call.attributes.as_mut().unwrap();
        attributes.context_extensions = HashMap::from([("tier".to_owned(), "gold".to_owned())]);
        attributes.metadata_context = Some(Metadata {
            filter_metadata: HashMap::from([("n".to_owned(), Struct::default())]),
            ..Metadata::default()
        });
        attributes.source.as_mut().unwrap().principal = "spiffe://a.test/b".to_owned();
        let request = attributes.request.as_mut().unwrap();
        request.time = Some(Timestamp {
            seconds: 1_700_000_000,
            nanos: 500_000_000,
        });
        let http = request.http.as_mut().unwrap();
        http.id = "7".to_owned();
        http.size = -1;
        http.protocol = "HTTP/2".to_owned();
        http.body = r#"{"n": [1]}"#.to_owned();
        let input = shown(asked.call(call));
        let expected = json!({
            "attributes": {
                "source": {
                    "address": {"socketAddress": {"address": "10.1.2.3"}},
                    "principal": "spiffe://a.test/b",
                },
                "request": {
                    "time": "2023-11-14T22:13:20.5Z",
                    "http": {
                        "id": "7", "method": "GET", "path": "/a%20b/c?q=1&q=x+y&r",
                        "host": "shop.example", "protocol": "HTTP/2", "size": "-1",
                        "body": r#"{"n": [1]}"#,
                        "headers": {
                            ":path": "/a%20b/c?q=1&q=x+y&r", "content-type": "application/json",
                            "cookie": "c=1", "x-list": "1,2",
                        },
                    },
                },
                "contextExtensions": {"tier": "gold"},
                "metadataContext": {"filterMetadata": {"n": {}}},
            },
            "parsed_path": ["a b", "c"],
            "parsed_query": {"q": ["1", "x y"], "r": [""]},
            "parsed_body": {"n": [1.0]},
            "truncated_body": false,
            "version": {"encoding": "protojson", "ext_authz": "v3"},
        });
        assert_eq!(input, expected);
    }
}

#[test]
fn every_change_that_the_plugin_tells_is_told_and_none_of_a_clients_spellings_survives_beside_it() {
    let asked = asked(
        r#"decision := {
            "allowed": true,
            "headers": {"X-User": "alice", "x-role": ["a", "b"], "x-edgeward-decision-id": "mine"},
            "response_headers_to_add": {"x-served-by": "edge"},
            "request_headers_to_remove": ["X-Secret", "x-user"],
            "query_parameters_to_set": {"user": "alice"}, "query_parameters_to_remove": ["debug"],
            "dynamic_metadata": {"tier": "gold"},
        }"#,
    );
    let told = Told::get("/a")
        .header("x-user", "mallory")
        .header("x_user", "mallory")
        .header("x_edgeward_subject", "mallory");
    let response = asked.check(told);
    let metadata = format!("{:?}", response.dynamic_metadata.clone().unwrap());
    assert!(metadata.contains("gold") && metadata.contains("decision_id"));
    let ok = allowed(response);
    assert_eq!(header(&ok.headers, "x-user"), Some("alice"));
    let roles = ok.headers.iter().filter(|option| {
        option
            .header
            .as_ref()
            .is_some_and(|header| header.key == "x-role")
    });
    let actions: Vec<_> = roles.map(HeaderValueOption::append_action).collect();
    let expected = [
        HeaderAppendAction::OverwriteIfExistsOrAdd,
        HeaderAppendAction::AppendIfExistsOrAdd,
    ];
    assert_eq!(actions, expected);
    let id = header(&ok.headers, "x-edgeward-decision-id").unwrap();
    assert_ne!(id, "mine", "it names the decision");
    let mut removed = ok.headers_to_remove.clone();
    removed.sort();
    assert_eq!(removed, ["x-secret", "x_edgeward_subject", "x_user"]);
    assert_eq!(
        header(&ok.response_headers_to_add, "x-served-by"),
        Some("edge")
    );
    assert_eq!(ok.query_parameters_to_remove, ["debug"]);
    let set = &ok.query_parameters_to_set[0];
    assert_eq!((&*set.key, &*set.value), ("user", "alice"));
}

#[test]
fn what_is_no_result_of_the_plugin_denies_and_so_does_what_has_no_canonical_form() {
    for (policy, code) in [
        (r#"decision := {"allow": true}"#, "policy-result-invalid"),
        (
            r#"decision := {"allowed": true, "headers": {":path": "/admin"}}"#,
            "policy-result-invalid",
        ),
        ("decision if input.absent", "policy-undefined"),
        (
            "decision := true if true\ndecision := false if true",
            "policy-error",
        ),
    ] {
        let asked = asked(policy);
        assert_eq!(
            denied(asked.check(Told::get("/a"))),
            (403, code.to_owned()),
            "{policy}"
        );
    }
    let asked = asked("decision := true");
    let refused = |path: &str| denied(asked.check(Told::get(path))).0;
    assert_eq!(refused("/a"), 0);
    for path in ["//admin/x", "/a/../admin", "/a%2fb", "///", "/\\a", ""] {
        assert_eq!(refused(path), 400, "{path}");
    }
    let mut call = Told::get("/a")
        .header("content-type", "application/json")
        .call();
    let request = call.attributes.as_mut().unwrap().request.as_mut().unwrap();
    request.http.as_mut().unwrap().body = "{\"a\": 1, \"a\": 2}".to_owned();
    let got = denied(asked.call(call));
    assert_eq!(got, (400, "ext-authz-body-unreadable".to_owned()));
}

#[test]
fn with_keys_it_is_known_who_asks_before_the_policy_is_asked() {
    let policy =
        r#"decision := {"allowed": input.subject.id == "https://issuer.demo.edgeward.dev|job"}"#;
    let asked = Asked::by(speaking(true), policy);
    let ok = allowed(asked.check(asked.get("/a")));
    assert_eq!(header(&ok.headers, "x-edgeward-subject"), Some(WHO));
    assert_eq!(ok.headers_to_remove, ["authorization"]);
    let got = denied(asked.check(Told::get("/a").bearer("not.a.token")));
    assert_eq!(got.0, 401);
    assert_eq!(denied(asked.check(Told::get("/a"))).0, 401);
}

#[test]
fn what_is_remembered_is_only_what_the_policy_could_not_tell_apart() {
    let asked = asked(r#"decision if input.attributes.request.http.headers["x-role"] == "admin""#);
    for _ in 0..3 {
        assert_eq!(
            denied(asked.check(Told::get("/a").header("x-role", "admin"))).0,
            0
        );
        assert_eq!(
            denied(asked.check(Told::get("/b").header("x-role", "user"))).0,
            403
        );
        assert_eq!(denied(asked.check(Told::get("/a"))).0, 403);
    }
}
