//! What each operation of a patch does, and what is none.

use serde_json::json;

use super::*;

fn patched(data: &Json, operations: &Json) -> Result<Json, String> {
    let bytes = json!({ "data": operations }).to_string().into_bytes();
    let patch = Patch::parse(bytes).map_err(|error| error.to_string())?;
    let data = data.as_object().unwrap().clone();
    let data = patch.apply(data).map_err(|error| error.to_string())?;
    Ok(data.into())
}

#[test]
fn operations_change_what_they_name_and_nothing_else() {
    let data = json!({"a": {"b": 1, "list": [1, 2, {"x": 1}]}, "s": "text"});
    let one = |op: &str, path: &str, value: Json| {
        patched(&data, &json!([{"op": op, "path": path, "value": value}])).unwrap()
    };
    for (found, place, expected) in [
        (one("upsert", "/a/b", json!(2)), "/a/b", Some(json!(2))),
        (one("upsert", "a/b/", json!(2)), "/a/b", Some(json!(2))),
        (
            one("upsert", "/n/e/w", json!(null)),
            "/n",
            Some(json!({"e": {"w": null}})),
        ),
        (one("upsert", "/a", json!(3)), "/a", Some(json!(3))),
        (one("replace", "/a/b", json!([])), "/a/b", Some(json!([]))),
        (one("remove", "/a/b", json!(null)), "/a/b", None),
        (
            one("upsert", "/a/x~1y~0%20z", json!(1)),
            "/a/x~1y~0 z",
            Some(json!(1)),
        ),
        (
            one("upsert", "/a/x%2fy", json!(1)),
            "/a/x~1y",
            Some(json!(1)),
        ),
        (
            one("upsert", "/a/list/0", json!(0)),
            "/a/list",
            Some(json!([0, 1, 2, {"x": 1}])),
        ),
        (
            one("upsert", "/a/list/-", json!(0)),
            "/a/list",
            Some(json!([1, 2, {"x": 1}, 0])),
        ),
        (
            one("upsert", "/a/list/3", json!(0)),
            "/a/list",
            Some(json!([1, 2, {"x": 1}, 0])),
        ),
        (
            one("replace", "/a/list/0", json!(0)),
            "/a/list",
            Some(json!([0, 2, {"x": 1}])),
        ),
        (
            one("remove", "/a/list/0", json!(0)),
            "/a/list",
            Some(json!([2, {"x": 1}])),
        ),
        (
            one("upsert", "/a/list/2/y", json!(0)),
            "/a/list/2",
            Some(json!({"x": 1, "y": 0})),
        ),
    ] {
        assert_eq!(found.pointer(place), expected.as_ref(), "{place}: {found}");
        assert_eq!(found["s"], "text");
    }
    let both = json!([
        {"op": "upsert", "path": "/n", "value": {"x": 1}},
        {"op": "remove", "path": "/n/x"},
    ]);
    assert_eq!(patched(&data, &both).unwrap()["n"], json!({}));
}

#[test]
fn what_is_no_operation_or_finds_nothing_is_named() {
    let data = json!({"a": {"b": 1, "list": [1]}});
    let deep = "/a".repeat(MAX_NAMES + 1);
    for (operation, says) in [
        (
            json!({"op": "add", "path": "/a/c", "value": 1}),
            "`op` must be",
        ),
        (json!({"path": "/a/c", "value": 1}), "`op` must be"),
        (
            json!({"op": "upsert", "path": "/a/c"}),
            "must have a `value`",
        ),
        (json!({"op": "upsert", "value": 1}), "must have a `path`"),
        (
            json!({"op": "upsert", "path": 1, "value": 1}),
            "must have a `path`",
        ),
        (
            json!({"op": "upsert", "path": "/", "value": {}}),
            "names nothing",
        ),
        (
            json!({"op": "upsert", "path": "/a/%ff", "value": {}}),
            "percent",
        ),
        (
            json!({"op": "upsert", "path": deep, "value": {}}),
            "more than 128",
        ),
        (
            json!({"op": "remove", "path": "/a/c", "from": "/b"}),
            "`from`",
        ),
        (json!("remove"), "object"),
        (
            json!({"op": "remove", "path": "/a/c"}),
            "(remove `data.a.c`): there is no `c`",
        ),
        (
            json!({"op": "replace", "path": "/a/c", "value": 1}),
            "there is no `c`",
        ),
        (
            json!({"op": "replace", "path": "/x/c", "value": 1}),
            "there is no `x`",
        ),
        (
            json!({"op": "upsert", "path": "/a/b/c", "value": 1}),
            "neither an object",
        ),
        (
            json!({"op": "upsert", "path": "/a/b/c/d", "value": 1}),
            "neither an object",
        ),
        (
            json!({"op": "upsert", "path": "/a/list/2", "value": 1}),
            "there is no `2`",
        ),
        (
            json!({"op": "upsert", "path": "/a/list/+0", "value": 1}),
            "there is no `+0`",
        ),
        (
            json!({"op": "replace", "path": "/a/list/-", "value": 1}),
            "there is no `-`",
        ),
        (
            json!({"op": "remove", "path": "/a/list/00"}),
            "there is no `00`",
        ),
        (
            json!({"op": "upsert", "path": "/a/list/7/x", "value": 1}),
            "there is no `7`",
        ),
    ] {
        let shown = operation.to_string();
        let first = json!({"op": "upsert", "path": "/a/ok", "value": 1});
        let error = patched(&data, &json!([first, operation])).unwrap_err();
        assert!(
            error.contains(says) && error.contains("`data[1]`"),
            "{shown}: {error}"
        );
    }
    for (text, says) in [
        ("[]", "not an object"),
        (r#"{"data":[]}"#, "no operation"),
        (r#"{"data":{}}"#, "list of operations"),
        (r#"{"data":[],"data":[]}"#, "duplicate"),
        (r#"{"patch":[]}"#, "list of operations"),
        (r#"{"data":[1],"x":1}"#, "`x`"),
    ] {
        let error = Patch::parse(text.into()).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn a_path_outside_of_the_roots_is_named() {
    let check = |roots: &[&str], path: &str| {
        let listed = json!({"data": [{"op": "remove", "path": path}]});
        let patch = Patch::parse(listed.to_string().into()).unwrap();
        patch.check(&Roots::parse(roots.iter().copied()).unwrap())
    };
    assert!(check(&["a/b"], "/a/b").is_ok() && check(&["a/b"], "/a/b/c").is_ok());
    assert!(check(&[""], "/x").is_ok());
    for path in ["/a", "/ab", "/a/c", "/x"] {
        let error = check(&["a/b"], path).unwrap_err().to_string();
        assert!(
            error.contains("is outside of the bundle's roots (a/b)"),
            "{error}"
        );
    }
}

#[test]
fn what_all_operations_move_together_is_bounded() {
    let inserts = |count: usize| {
        let one = json!({"op": "upsert", "path": "/a/0", "value": 1});
        patched(&json!({"a": []}), &vec![one; count].into())
    };
    assert!(inserts(5_000).is_ok());
    let refused = inserts(10_100).unwrap_err();
    assert!(refused.contains("moves more than"), "{refused}");
    let at_the_end = json!({"op": "upsert", "path": "/a/-", "value": 1});
    assert!(patched(&json!({"a": []}), &vec![at_the_end; 20_000].into()).is_ok());
}
