//! Selectors: when they hold, when they imply others, and what are none.

use super::*;

fn named(named: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let named = named.iter();
    named
        .map(|(name, alternatives)| ((*name).to_owned(), texts(alternatives)))
        .collect()
}

fn selectors(of: &[(&str, &[&str])]) -> Selectors {
    Selectors::new(named(of)).unwrap()
}

fn attributes(of: &[(&str, &str)]) -> Attributes {
    let mut attributes = Attributes::default();
    for (name, value) in of {
        attributes.tell(name, *value).unwrap();
    }
    attributes
}

#[test]
fn every_attribute_must_have_a_value_that_an_alternative_matches() {
    let selectors = selectors(&[("id", &["7"]), ("ref", &["main", "release/*"])]);
    for (of, failing) in [
        (&[("id", "7"), ("ref", "main")][..], None),
        (&[("id", "7"), ("ref", "release/1"), ("more", "x")], None),
        (&[("id", "7"), ("ref", "release/1/x")], Some("ref")),
        (&[("id", "8"), ("ref", "main")], Some("id")),
        (&[("id", "7")], Some("ref")),
        (&[("ref", "main")], Some("id")),
        (&[], Some("id")),
        (&[("Id", "7"), ("ref", "main")], Some("id")),
    ] {
        let attributes = attributes(of);
        let seen = selectors.first_that_fails(&attributes);
        assert_eq!(seen.map(Selector::name), failing, "{of:?}");
        assert_eq!(selectors.hold(&attributes), failing.is_none());
    }
}

#[test]
fn of_an_attribute_whose_values_all_count_each_must_be_matched() {
    let selectors = selectors(&[("image", &["cart:*", "proxy:1"])]);
    for (images, holds) in [
        (&["cart:7"][..], true),
        (&["cart:7", "proxy:1"], true),
        (&["cart:7", "shell:1"], false),
        (&["shell:1", "cart:7"], false),
        (&[], false),
    ] {
        let mut attributes = Attributes::default();
        for image in images {
            attributes.tell_each("image", *image).unwrap();
        }
        assert_eq!(selectors.hold(&attributes), holds, "{images:?}");
    }
}

#[test]
fn of_an_attribute_with_several_values_one_is_enough() {
    let selectors = selectors(&[("groups", &["deploy", "ops-*"])]);
    assert!(selectors.hold(&attributes(&[("groups", "all"), ("groups", "deploy")])));
    assert!(selectors.hold(&attributes(&[("groups", "ops-1"), ("groups", "all")])));
    assert!(!selectors.hold(&attributes(&[("groups", "all"), ("groups", "deployers")])));
}

#[test]
fn an_attribute_that_was_not_told_fails_even_a_wildcard() {
    let selectors = selectors(&[("id", &["7"]), ("environment", &["**"])]);
    assert!(!selectors.hold(&attributes(&[("id", "7")])));
    assert!(selectors.hold(&attributes(&[("id", "7"), ("environment", "x")])));
}

#[test]
fn what_is_no_selectors_is_refused_and_named() {
    let many: Vec<String> = (0..=MAX_ALTERNATIVES).map(|one| one.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (of, want) in [
        (&[][..], SelectorsError::None),
        (&[("", &["a"][..])], SelectorsError::Name(String::new())),
        (&[("a\tb", &["a"])], SelectorsError::Name("a\tb".to_owned())),
        (&[("a", &[])], SelectorsError::NoAlternative("a".to_owned())),
        (
            &[("a", &*many)],
            SelectorsError::TooManyAlternatives("a".to_owned()),
        ),
        (
            &[("a", &["x", "y", "x"])],
            SelectorsError::Twice {
                name: "a".to_owned(),
                pattern: "x".to_owned(),
            },
        ),
        (
            &[("a", &["x?"])],
            SelectorsError::Pattern {
                name: "a".to_owned(),
                pattern: "x?".to_owned(),
                error: PatternError::QuestionMark,
            },
        ),
        (&[("a", &["**"])], SelectorsError::Everybody),
        (
            &[("a", &["x", "*"]), ("b", &["**"])],
            SelectorsError::Everybody,
        ),
    ] {
        assert_eq!(Selectors::new(named(of)), Err(want), "{of:?}");
    }
    let names: Vec<String> = (0..=MAX_SELECTORS).map(|one| one.to_string()).collect();
    let mut many: BTreeMap<String, Vec<String>> = names
        .into_iter()
        .map(|name| (name, vec!["a".to_owned()]))
        .collect();
    assert_eq!(Selectors::new(many.clone()), Err(SelectorsError::TooMany));
    many.remove("0");
    Selectors::new(many).unwrap();
}

#[test]
fn alternatives_in_another_order_are_the_same_selectors() {
    assert_eq!(
        selectors(&[("a", &["x", "y"])]),
        selectors(&[("a", &["y", "x"])])
    );
}

#[test]
fn selectors_imply_those_that_ask_for_less() {
    let one = &[("id", &["7"][..])][..];
    let two = &[("id", &["7"][..]), ("ref", &["main"])][..];
    let wide = &[("id", &["7", "8"][..]), ("ref", &["ma*"])][..];
    for (narrow, other, want) in [
        (two, one, true),
        (one, two, false),
        (two, wide, true),
        (wide, two, false),
        (one, one, true),
        (wide, one, false),
    ] {
        let (narrow, other) = (selectors(narrow), selectors(other));
        assert_eq!(narrow.imply(&other), want, "{narrow:?} {other:?}");
    }
}
