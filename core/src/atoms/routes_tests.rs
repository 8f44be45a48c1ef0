//! Templates, their order, and paths in every spelling.

use proptest::prelude::*;

use super::*;
use crate::request::{CanonicalPath, PathNormalization};

fn route(name: &str, methods: &[&str], hosts: &[&str], template: &str) -> Route {
    let texts = |list: &[&str]| {
        list.iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let template = Template::parse(template).unwrap();
    Route::new(name, &texts(methods), &texts(hosts), &template)
}

fn found(routes: &Routes, method: &str, host: &str, path: &str) -> String {
    let path = CanonicalPath::parse(path, PathNormalization::Strict).unwrap();
    let Some(found) = routes.find(method, host, path.segments()) else {
        return "none".to_owned();
    };
    let params = found
        .params
        .iter()
        .map(|(name, value)| format!(" {name}={value}"));
    params.fold(found.name.to_owned(), |text, param| text + &param)
}

#[test]
fn a_route_is_found_by_whole_decoded_segments() {
    let routes = Routes::new(vec![
        route("root", &[], &[], "/"),
        route("items", &[], &[], "/orders/{id}/items/**"),
        route("order", &[], &[], "/orders/{id}"),
        route("two", &[], &[], "/z/{b}/{a}"),
        route("café", &[], &[], "/café/new order"),
        route("slash", &[], &[], "/end/"),
    ]);
    for (path, expected) in [
        ("/", "root"),
        ("/orders", "none"),
        ("/orders/", "none"),
        ("/orders/7", "order id=7"),
        ("/orders/7/", "none"),
        ("/orders/a%20b%7B", "order id=a b{"),
        ("/orders/%7Bid%7D", "order id={id}"),
        ("/orders/**", "order id=**"),
        ("/orders/7/items", "items id=7"),
        ("/orders/7/items/", "items id=7"),
        ("/orders/7/items/a/b", "items id=7"),
        ("/orders/7/itemsx", "none"),
        ("/Orders/7", "none"),
        ("/orders;a=b/7", "none"),
        ("/z/1/2", "two a=2 b=1"),
        ("/caf%C3%A9/new%20order", "café"),
        ("/end/", "slash"),
        ("/end", "none"),
    ] {
        assert_eq!(found(&routes, "GET", "h", path), expected, "{path}");
    }
    assert!(
        Routes::default()
            .find("GET", "h", &[String::new()])
            .is_none()
    );
}

#[test]
fn the_first_route_that_matches_is_the_one_however_plain_the_next() {
    let general = route("general", &[], &[], "/a/{x}");
    let special = route("special", &[], &[], "/a/b");
    let first = Routes::new(vec![special.clone(), general.clone()]);
    assert_eq!(found(&first, "GET", "h", "/a/b"), "special");
    assert_eq!(found(&first, "GET", "h", "/a/c"), "general x=c");
    let other = Routes::new(vec![general, special]);
    assert_eq!(found(&other, "GET", "h", "/a/b"), "general x=b");
}

#[test]
fn methods_and_hosts_narrow_a_route() {
    let routes = Routes::new(vec![
        route("write", &["PUT", "POST"], &[], "/a"),
        route("shop", &[], &["shop.test", "*.shop.test"], "/a"),
        route("v6", &[], &["[::1]"], "/a"),
    ]);
    for (method, host, expected) in [
        ("PUT", "any.test", "write"),
        ("POST", "shop.test", "write"),
        ("put", "any.test", "none"),
        ("GET", "shop.test", "shop"),
        ("GET", "eu.shop.test", "shop"),
        ("GET", "a.eu.shop.test", "shop"),
        ("GET", "myshop.test", "none"),
        ("GET", ".shop.test", "none"),
        ("GET", "[::1]", "v6"),
        ("GET", "", "none"),
    ] {
        assert_eq!(
            found(&routes, method, host, "/a"),
            expected,
            "{method} {host}"
        );
    }
}

#[test]
fn what_is_no_template_or_host_is_refused() {
    for (text, error) in [
        ("orders", TemplateError::NoSlash),
        ("", TemplateError::NoSlash),
        ("/a//b", TemplateError::Empty),
        ("/a/../b", TemplateError::Dot),
        ("/.", TemplateError::Dot),
        ("/**/a", TemplateError::Rest),
        ("/{a", TemplateError::Braces),
        ("/a{b}", TemplateError::Braces),
        ("/{}", TemplateError::Braces),
        ("/{a b}", TemplateError::Braces),
        ("/{a}/{a}", TemplateError::Twice),
        ("/a%20b", TemplateError::Character),
        ("/*", TemplateError::Character),
        ("/a?b", TemplateError::Character),
        ("/a\u{0}", TemplateError::Character),
    ] {
        assert_eq!(Template::parse(text), Err(error), "{text}");
    }
    let long = format!("/{}", "a".repeat(MAX_TEMPLATE_BYTES));
    assert_eq!(Template::parse(&long), Err(TemplateError::Long));
    for host in [
        "",
        "*",
        "*.",
        "A.test",
        "a.test:80",
        "a.*.test",
        "a,b",
        "a b",
        "*.*.a",
    ] {
        assert!(parse_host(host).is_err(), "{host}");
    }
    for host in ["a.test", "*.a.test", "10.0.0.1", "[::1]"] {
        assert_eq!(parse_host(host), Ok(host));
    }
}

fn any_template() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "b", "{x}", "{y}", "**", ""]);
    prop::collection::vec(segment, 1..4)
        .prop_map(|segments| format!("/{}", segments.join("/")))
        .prop_filter("a template", |text| Template::parse(text).is_ok())
}

fn any_path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..4)
        .prop_flat_map(|segments| {
            prop_oneof![
                Just(segments.clone()),
                Just([&segments[..], &[""]].concat())
            ]
        })
        .prop_map(|segments| format!("/{}", segments.join("/")))
}

/// What a template says, read as the pattern it stands for.
fn matches(template: &[&str], segments: &[&str]) -> bool {
    match (template, segments) {
        ([], []) | (["**"], _) => true,
        ([part, template @ ..], [segment, segments @ ..]) => {
            let fits = if part.starts_with('{') {
                !segment.is_empty()
            } else {
                part == segment
            };
            fits && matches(template, segments)
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_template_matches_what_it_says_and_one_that_covers_it_does_too(
        one in any_template(), other in any_template(), paths in prop::collection::vec(any_path(), 1..6),
    ) {
        let (first, second) = (route("one", &[], &[], &one), route("other", &[], &[], &other));
        let covers = first.covers(&second);
        for path in paths {
            let parts = |text: &str| text.split('/').skip(1).map(str::to_owned).collect::<Vec<_>>();
            let said = |template: &str| {
                let (template, segments) = (parts(template), parts(&path));
                let template: Vec<&str> = template.iter().map(String::as_str).collect();
                let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
                matches(&template, &segments)
            };
            let segments = parts(&path);
            prop_assert_eq!(take(&first.0, "GET", "h", &segments).is_some(), said(&one), "{} {}", one, path);
            prop_assert!(!covers || !said(&other) || said(&one), "{} covers {}: {}", one, other, path);
        }
    }

    #[test]
    fn routes_are_told_as_they_are(
        methods in prop::collection::vec("[A-Z]{1,3}", 0..3),
        hosts in prop::collection::vec("(\\*\\.)?[a-z]{1,3}", 0..3),
        template in any_template(), space in "/[a-c ]{0,3}x",
    ) {
        let list = |texts: &[String]| texts.to_vec();
        let routes = Routes::new([template, space].iter().map(|template| {
            Route::new("n", &list(&methods), &list(&hosts), &Template::parse(template).unwrap())
        }).collect());
        let wire = serde_json::to_value(&routes).unwrap();
        let told = Routes(serde_json::from_value(wire).unwrap());
        prop_assert_eq!(told, routes);
    }
}
