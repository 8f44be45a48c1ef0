//! What is rewritten, and that nothing else is.

use proptest::prelude::*;

use super::token::tokens;
use super::{in_words_of_the_engine, keywords};
use crate::policy::Module;
use crate::policy::tests::build;

fn all(texts: &[&str]) -> Vec<String> {
    let module = |text: &&str| Module {
        file: "a.rego".to_owned(),
        text: (*text).to_owned(),
        roots: None,
    };
    let modules: Vec<Module> = texts.iter().map(module).collect();
    let written = in_words_of_the_engine(modules.iter());
    written
        .into_iter()
        .map(|(_, text)| text.into_owned())
        .collect()
}

fn written(text: &str) -> String {
    all(&[text]).remove(0)
}

#[test]
fn a_module_without_the_constructs_stays_as_it_is() {
    for text in [
        "package a\n\nallow if input.x == \"$\" # $\"{no}\"\n",
        "package a\n\nf(x) := 1\n\nf(x) if x\n\ng(x) := f(x)\n\ng(x) =\n  f(x)\n\np := x if\n  f(x)\n",
        "package a\np := `$\"{x}\"`\nq := \"$`\"\nr := \"\\\"\"\ndefault f(_) := 1\n",
        "package a\np contains f(1)\n\nq := 1\np contains x if some x in f(1)\nq := 1\n",
        "package a\np if {\n\tf(1)\n\tf(2)\n}\nq := [\nf(x)\n]\np := 1 +\nf(1)\n",
    ] {
        assert_eq!(written(text), text);
    }
}

#[test]
fn rules_named_by_their_whole_path_are_indexed_through_an_import() {
    let lib = "package b.lib\ns contains 1\nf(x) := x\na.c := 2\n";
    for (body, expected) in [
        ("data.b.lib.s[x]", Some("data__0[x]")),
        ("data.b[\"lib\"].s[1]", Some("data__0[1]")),
        ("data.b.lib.a.c[f(x)].d", Some("data__0.c[f(x)].d")),
        ("data.b.lib.s[data.a.q[x]]", Some("data__0[data__1[x]]")),
        ("data.b.lib.s", None),
        ("data.b.lib.s[\"1\"]", None),
        ("data.b.lib.f(x)[0]", None),
        ("data.b.lib.unknown[x]", None),
        ("data.users[x]", None),
        ("x.data.b.lib.s[x]", None),
        ("x == 1 with data.b.lib.s as {2}", None),
        ("\"data.b.lib.s[x]\"", None),
    ] {
        let text = format!("package a # b\nq := 1 if {body}\n");
        let [_, own] = &all(&[lib, &text])[..] else {
            panic!("two modules")
        };
        let imports = match expected {
            Some(body) if body.contains("data__1") => {
                " import data.a.q as data__1 import data.b.lib.s as data__0"
            }
            Some(body) if body.contains(".c") => " import data.b.lib.a as data__0",
            Some(_) => " import data.b.lib.s as data__0",
            None => "",
        };
        let body = expected.unwrap_or(body);
        assert_eq!(*own, format!("package a{imports} # b\nq := 1 if {body}\n"));
    }
}

#[test]
fn templates_become_calls_on_the_same_lines() {
    for (text, expected) in [
        ("$\"\"", "internal.template_string([])"),
        ("$\"a\\{b\\n\"", "internal.template_string([\"a{b\\n\", ])"),
        ("$`a\\{b\\n`", "internal.template_string([`a{b\\n`, ])"),
        (
            "$\"a {x.y}\"",
            "internal.template_string([\"a \", {__part0__ | __part0__ := x.y}, ])",
        ),
        (
            "$`{ {\"}\": 1} }\n`",
            "internal.template_string([{__part0__ | __part0__ :=  {\"}\": 1} }, `\n`, ])",
        ),
        (
            "$\"{$\"{a}\"}\"",
            "internal.template_string([{__part0__ | __part0__ := internal.template_string([{__part1__ | __part1__ := a}, ])}, ])",
        ),
    ] {
        assert_eq!(written(text), expected);
        assert_eq!(text.lines().count(), expected.lines().count());
    }
}

#[test]
fn what_does_not_end_stays_as_it_is() {
    let deep = format!("{}x{}", "$\"{".repeat(9), "}\"".repeat(9));
    for text in ["$\"", "$\"{", "$`{x`", "$\"{\"}\"", "$\"a\nb\"", "$", &deep] {
        assert_eq!(written(text), text);
    }
}

#[test]
fn heads_without_a_body_are_true() {
    let text = "package a\nf(\"*\", _)\ng.h(1) # why\n\nf(x, y) if x == y\nf(1, 2)";
    let expected = "package a\nf(\"*\", _) := true\ng.h(1) := true # why\n\nf(x, y) if x == y\nf(1, 2) := true";
    assert_eq!(written(text), expected);
}

#[test]
fn walk_as_a_value_becomes_its_argument() {
    for (statement, expected) in [
        (
            "[path, value] := walk(x)",
            "some path, value; walk(x, [path, value])",
        ),
        (
            "[_, v] := walk(f(x)) with input as 1",
            "some v; walk(f(x), [_, v]) with input as 1",
        ),
        ("pair := walk(x)", "some pair; walk(x, pair)"),
        ("pair = walk(x)", "walk(x, pair)"),
        ("[[], v] := walk(x)", "[[], v] := walk(x)"),
        ("v := walk(x)[0]", "v := walk(x)[0]"),
        ("a == b := walk(x)", "a == b := walk(x)"),
        ("walk(x, [a, b])", "walk(x, [a, b])"),
    ] {
        let module = |statement: &str| {
            format!("package a\np := [1 | {statement}]\nq if {{\n\t{statement}\n\ttrue\n}}\n")
        };
        let apart = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            apart(&written(&module(statement))),
            apart(&module(expected))
        );
    }
}

#[test]
fn rules_below_a_keyword_move_to_a_package_of_its_name() {
    let text = "package a\nimport data.x.y as z\n\np if not.f(q)\n\nnot.f(x) := q if {\n\tx == z.not\n}\nq := 1\n";
    let expected = [
        "package a\nimport data.x.y as z\n\np if data.a.not.f(q)\n\n\n\n\nq := 1\n",
        "\n\n\n\n\npackage a.not  import data.x.y as z import data.a.q  f(x) := q if {\n\tx == z.not\n}\n",
    ];
    assert_eq!(all(&[text]), expected);
}

#[test]
fn rules_below_a_keyword_stay_where_a_name_could_mean_two_things() {
    let text = "package a\nas.p := 1\n";
    for other in ["package a.as\nq := 1\n", "package a.as.b\n"] {
        assert_eq!(all(&[text, other]), [text, other]);
    }
    for text in [
        "package a\nas.q := q\nq := 1\n",
        "package a\nas.p := $\"{q}\"\nq := 1\n",
    ] {
        assert!(written(text).contains("as.") && all(&[text]).len() == 1);
    }
}

#[test]
fn an_error_behind_a_template_names_its_line() {
    let error = build("p := $`\n{1}\n`\n\ndecision := true if {\n\tnope(p)\n}\n");
    let error = error.expect_err("an unknown function").to_string();
    assert!(error.starts_with("a.rego:7: "), "{error}");
}

proptest! {
    #[test]
    fn tokens_are_the_whole_text(text in "[a-z0-9 \\n\"`${}()\\[\\]\\\\#.:=é]{0,40}") {
        let together: String = tokens(&text).iter().map(|token| token.text).collect();
        prop_assert_eq!(together, text);
    }

    #[test]
    fn text_without_a_dollar_and_a_bracket_stays_as_it_is(text in "[a-z0-9 \\n\"`{}\\[\\]\\\\#.:=é]{0,60}") {
        // A rule below a keyword (`if.a := 1`) moves.
        prop_assume!(!keywords::are_roots_in(&tokens(&text)));
        prop_assert_eq!(written(&text), text);
    }

    #[test]
    fn lines_stay_where_they_are(text in "[a-b \\n\"`${}()\\\\#.]{0,40}") {
        let lines = |text: &str| text.matches('\n').count();
        prop_assert_eq!(lines(&written(&text)), lines(&text));
    }
}

#[test]
fn a_result_as_an_argument_becomes_an_equation_on_the_same_lines() {
    for (before, after) in [
        ("p if crypto.md5(\"a\", x)", "p if x = crypto.md5(\"a\")"),
        (
            "p if not io.jwt.decode(t, [_, \"),\", x])",
            "p if not [_, \"),\", x] = io.jwt.decode(t)",
        ),
        (
            "p if {\n\tio.jwt.decode(\n\t\tt,\n\t\tx,\n\t)\n}",
            "p if {\n\tx = io.jwt.decode(\n\t\tt\n\t\t,\n\t)\n}",
        ),
        (
            "p := [y | array.flatten([[1], 2], y)]",
            "p := [y | y = array.flatten([[1], 2])]",
        ),
        (
            "p if {\n\tq\n\tarray.flatten([z | crypto.md5(\"a\", z)], y)\n}",
            "p if {\n\tq\n\ty = array.flatten([z | z = crypto.md5(\"a\")])\n}",
        ),
    ] {
        let (before, after) = (
            format!("package a\n{before}\n"),
            format!("package a\n{after}\n"),
        );
        // Spaces between tokens that are gone are of no matter.
        assert_eq!(
            written(&before).replace("  )", ")").replace(" )", ")"),
            after
        );
    }
    for text in [
        "p if x := crypto.md5(\"a\", y)",
        "# crypto.md5(a, x)",
        "p := `\ncrypto.md5(a, x)`",
        "p if crypto.md5(\"a\")",
        "p if my.crypto.md5(\"a\", x)",
        "p if f(crypto.md5(\"a\", x))",
        "p if f(\ncrypto.md5(\"a\", x))",
        "p if crypto.md5(\"a\", x",
        "p if crypto.md5(,)",
    ] {
        let text = format!("package a\n{text}\n");
        assert_eq!(written(&text), text);
    }
}
