//! Patterns: what they match, what they cover, and what is none.

use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

#[test]
fn a_pattern_matches_what_its_text_says() {
    for (text, matched, others) in [
        (
            "main",
            &["main"][..],
            &["Main", "main ", "mai", "xmain", ""][..],
        ),
        (
            "octo/*",
            &["octo/", "octo/a", "octo/a-b.c"],
            &["octo", "octo/a/b", "octo/a:ref:refs", "xocto/a"],
        ),
        (
            "repo:octo/*:ref:refs/heads/main",
            &["repo:octo/a:ref:refs/heads/main"],
            &[
                "repo:octo/a:environment:x:ref:refs/heads/main",
                "repo:octo/a/b:ref:refs/heads/main",
                "repo:octo/a:ref:refs/heads/main2",
            ],
        ),
        (
            "octo/**",
            &["octo/", "octo/a", "octo/a/b:c"],
            &["octo", "xocto/a"],
        ),
        (
            "**@refs/heads/main",
            &["@refs/heads/main", "a/b.yml@refs/heads/main"],
            &["a/b.yml@refs/heads/mai", "a/b.yml@refs/heads/main2"],
        ),
        ("*", &["", "a"], &["/", "a:", "a/b"]),
        ("**", &["", "a", "a/b:c"], &[]),
        (
            "*-prod",
            &["-prod", "a-prod", "a-prod-prod"],
            &["a/-prod", "a-prod-"],
        ),
        (
            "a**b*c",
            &["abc", "a/b/bc", "abxbc", "ab:b--c"],
            &["ab/c", "a/bc/", "abx:c"],
        ),
        ("*/**/*", &["a/b/c", "//", "a/b/c/d"], &["a/b", "a", "/"]),
        ("{1de4-ce}:*", &["{1de4-ce}:{9}"], &["{1de4-ce}:{8}:{9}"]),
        ("é*", &["éa", "é"], &["e"]),
    ] {
        let pattern = pattern(text);
        for value in matched {
            assert!(pattern.matches(value), "{text} does not match {value}");
        }
        for value in others {
            assert!(!pattern.matches(value), "{text} matches {value}");
        }
    }
}

#[test]
fn what_is_no_pattern_is_refused_for_its_own_reason() {
    let long = "a".repeat(MAX_TEXT_BYTES + 1);
    let starry = "a*".repeat(MAX_WILDCARDS + 1);
    for (text, want) in [
        ("", PatternError::Empty),
        (&*long, PatternError::TooLong),
        ("a\nb", PatternError::Control),
        ("refs/heads/mai?", PatternError::QuestionMark),
        ("a***b", PatternError::Stars),
        ("****", PatternError::Stars),
        (&*starry, PatternError::TooManyWildcards),
    ] {
        assert_eq!(text.parse::<Pattern>(), Err(want), "{text}");
    }
    let starry = "a*".repeat(MAX_WILDCARDS);
    assert!(starry.parse::<Pattern>().is_ok());
    assert!("a".repeat(MAX_TEXT_BYTES).parse::<Pattern>().is_ok());
}

#[test]
fn a_pattern_covers_another_only_where_that_is_plain() {
    for (wide, narrow, want) in [
        ("main", "main", true),
        ("main", "main2", false),
        ("ma*", "main", true),
        ("ma*", "ma/in", false),
        ("ma*", "ma*", true),
        ("ma**", "mai*", true),
        ("ma**", "ma*", true),
        ("ma**", "main/**", true),
        ("ma**", "m**", false),
        ("**", "*-prod", true),
        ("main", "main*", false),
        // True, and not seen: the two are then ambiguous, and nobody is admitted.
        ("*", "a*", false),
    ] {
        let (wide, narrow) = (pattern(wide), pattern(narrow));
        assert_eq!(wide.covers(&narrow), want, "{wide} covers {narrow}");
    }
}

#[test]
fn the_longest_value_against_the_worst_pattern_takes_no_longer_than_its_places() {
    let worst = pattern(&format!("{}b", "**a".repeat(MAX_WILDCARDS)));
    let value = "a".repeat(MAX_TEXT_BYTES);
    let started = std::time::Instant::now();
    assert!(!worst.matches(&value));
    assert!(!pattern("**aa*aa*aa*aa*aa*ab**").matches(&value));
    // Some hundred thousand steps. Backtracking would take 2048 to the eighth.
    assert!(started.elapsed().as_secs() < 2);
}

/// The meaning of a pattern, as it would be told: character by character, no regard to time.
fn by_meaning(pattern: &str, value: &str) -> bool {
    let within = |one: char| one != '/' && one != ':';
    let tails = |takes: fn(char) -> bool| {
        let mut tail = Some(value.chars());
        std::iter::from_fn(move || {
            let this = tail.take()?;
            let mut longer = this.clone();
            tail = longer.next().filter(|one| takes(*one)).map(|_| longer);
            Some(this.as_str())
        })
    };
    if let Some(rest) = pattern.strip_prefix("**") {
        return tails(|_| true).any(|tail| by_meaning(rest, tail));
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        return tails(within).any(|tail| by_meaning(rest, tail));
    }
    let (mut left, mut right) = (pattern.chars(), value.chars());
    match (left.next(), right.next()) {
        (None, None) => true,
        (Some(one), Some(other)) if one == other => by_meaning(left.as_str(), right.as_str()),
        _ => false,
    }
}

const PATTERNS: &str = "(a|b|/|:|é){0,3}((\\*|\\*\\*)(a|b|/|:|é){1,2}){0,4}(\\*|\\*\\*)?";
const VALUES: &str = "(a|b|/|:|é){0,10}";

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn matching_is_what_the_text_means(text in PATTERNS, value in VALUES) {
        if let Ok(pattern) = text.parse::<Pattern>() {
            prop_assert_eq!(pattern.matches(&value), by_meaning(&text, &value));
        }
    }

    #[test]
    fn what_covers_matches_whatever_the_other_matches(
        wide in PATTERNS,
        narrow in PATTERNS,
        value in VALUES,
    ) {
        if let (Ok(wide), Ok(narrow)) = (wide.parse::<Pattern>(), narrow.parse::<Pattern>()) {
            let holds = !wide.covers(&narrow) || !narrow.matches(&value) || wide.matches(&value);
            prop_assert!(holds, "{} covers {}, not {}", wide, narrow, value);
        }
    }

    #[test]
    fn what_matches_begins_with_the_literal_prefix(text in PATTERNS, value in VALUES) {
        if let Ok(pattern) = text.parse::<Pattern>() {
            prop_assert!(!pattern.matches(&value) || value.starts_with(pattern.literal_prefix()));
        }
    }
}
