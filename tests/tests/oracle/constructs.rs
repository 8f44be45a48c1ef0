//! What is written in other words before the engine reads it (`pdp/src/policy/source/`), and built-ins put
//! right (`pdp/src/policy/corrected.rs`), one policy each, on many inputs.

use edgeward::policy::on_deep_stack;
use serde_json::{Map, Value, json};

use crate::generator::Generator;
use crate::opa::{self, Opa};
use crate::ours::Ours;

const POLICIES: &[&str] = &[
    "decision := graph.reachable(input.graph, input.first)",
    "decision := [json.is_valid(input.a), yaml.is_valid(input.c)]",
    "decision := $\"{input.a} and \\{{input.b.c}} {count(input.first)}\"",
    "decision := $`{input}\n{[x | some x in input.first]} {{x | some x in input.first}}`",
    "decision contains $\"{k}={v}\" if some k, v in input.a",
    "decision := [pair | pair := walk(input)]",
    "decision := {path: value |\n\t[path, value] := walk(input)\n\tis_string(value)\n}",
    "decision contains path if {\n\tx := 1\n\t[path, x] = walk(input)\n}",
    "decision contains value if {\n\t[_, value] := walk(data.none) with data.none as input.b\n}",
    "f(\"a\", _)\n\nf(_, [])\n\nf(_, null)\n\ndecision contains x if {\n\tsome x in input.first\n\tf(x, input.a)\n}",
    "decision contains 1 if f(input.first)\n\ndecision contains 2 if g([input.first, 1])\n\n\
     f([x, y]) if x == y\n\ng([[x], z]) := y if {\n\ty := [x, z]\n}",
    "decision contains 1 if {\n\tas.p == q\n}\n\ndecision contains 2 if {\n\tas.p != data.edgeward.authz.as.p\n}\n\n\
     as.p := q if input.a\n\nas.p := 2 if not input.a\n\nq := 1",
    "decision contains x if {\n\tsome x in [input.a, input.b]\n\tin.g(x)[1] == x\n}\n\n\
     in.g(x) := [q, x] if q\n\nq if input.c",
    "decision contains 1 if not input.a.a == input.b.b\n\ndecision contains 2 if not input.a.a in input.b.b\n\n\
     decision contains 3 if not is_string(input.a.a)\n\ndecision contains 4 if not input[input.a.a]\n\n\
     decision contains 5 if not {input.a.a} == {input.b.b}\n\ndecision contains 6 if not input.a.a",
    "decision contains n if {\n\tn := count(input.first)\n\tdata.edgeward.authz.keys[n]\n}\n\n\
     decision contains x if some x in data.edgeward.authz.keys\n\n\
     keys contains x if some x in json.unmarshal(\"[\\\"0\\\", \\\"1\\\", \\\"2\\\"]\")",
    "decision contains i if {\n\tsome i in [\"a\", \"b\", \"c\"]\n\tevery j in [\"a\", \"b\"] { not input[i][j] }\n}",
];

/// A graph of a few nodes, some of which are not there.
fn graph(generator: &mut Generator) -> Value {
    let nodes = ["a", "b", "c", "d", "e", ""];
    let list = |generator: &mut Generator| -> Vec<&str> {
        let length = generator.below(4);
        (0..length).map(|_| nodes[generator.below(6)]).collect()
    };
    let there = nodes.iter().filter(|_| generator.below(5) > 0);
    let there: Vec<&str> = there.copied().collect();
    let mut graph = Map::new();
    for node in there {
        graph.insert(node.to_owned(), json!(list(generator)));
    }
    let first = list(generator);
    let mut question = generator.question();
    question["graph"] = graph.into();
    question["first"] = json!(first);
    question
}

#[test]
fn what_is_written_in_other_words_answers_as_in_opa() {
    let Some(folder) = opa::folder() else { return };
    on_deep_stack(move || {
        let mut opa = Opa::start(&folder);
        let mut generator = Generator::new(7, false, false);
        let questions: Vec<Value> = (0..500).map(|_| graph(&mut generator)).collect();
        for policy in POLICIES {
            let text = format!("package edgeward.authz\n\n{policy}\n");
            let modules = [("a.rego".to_owned(), text)];
            let (data, rule) = (json!({}), "data.edgeward.authz.decision");
            let mut ours = Ours::load(&modules, &data, rule)
                .unwrap_or_else(|refused| panic!("{policy}: {refused}"));
            let answers = opa.ask(&modules, &data, rule, &questions);
            let answers = answers.unwrap_or_else(|refused| panic!("{policy}: {refused}"));
            for (question, said) in questions.iter().zip(&answers) {
                if let Some(how) = ours.difference(question, said) {
                    panic!("{policy}\n{how}\nfor {question}");
                }
            }
        }
    })
    .expect("no difference");
}
