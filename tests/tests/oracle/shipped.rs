//! The shipped policies, with the data of their own tests.

use edgeward::policy::{Sources, on_deep_stack};
use edgeward_tests::built::workspace;
use serde_json::{Value, json};

use crate::opa::{self, Opa, Said};
use crate::ours::Ours;
use crate::questions::{RULES, questions};

#[test]
fn shipped_policies_answer_as_in_opa() {
    let Some(folder) = opa::folder() else { return };
    let asked = on_deep_stack(move || {
        let sources = Sources::read(&workspace().join("policies")).expect("the policies");
        let text = |tests: bool| {
            let chosen = sources.modules.iter().filter(|m| tests || !m.is_test());
            let files = chosen.map(|module| (module.file.clone(), module.text.clone()));
            files.collect::<Vec<_>>()
        };
        let mut opa = Opa::start(&folder);
        let nothing = json!({});
        let mut accesses = vec![json!({})];
        for package in ["authz_test", "client_test", "grant_test"] {
            let query = format!("data.edgeward.{package}.access");
            match opa.ask(
                &text(true),
                &nothing,
                &query,
                std::slice::from_ref(&nothing),
            ) {
                Ok(said) => match said.as_slice() {
                    [Said::Value(access)] => accesses.push(access.clone()),
                    other => panic!("{query}: {other:?}"),
                },
                Err(refused) => panic!("{refused}"),
            }
        }
        let questions = questions();
        let mut asked = 0;
        for access in accesses {
            let data = json!({ "access": access });
            for rule in RULES {
                asked += compare(&mut opa, &text(false), &data, rule, &questions);
            }
        }
        asked
    })
    .expect("no panic");
    println!("{asked} questions");
    assert!(asked > 5_000, "{asked}");
}

/// Asks both about `rule`; how many questions were asked.
fn compare(
    opa: &mut Opa,
    modules: &[(String, String)],
    data: &Value,
    rule: &str,
    questions: &[Value],
) -> usize {
    let mut ours = Ours::load(modules, data, rule).unwrap_or_else(|e| panic!("{rule}: {e}"));
    let answers = opa.ask(modules, data, rule, questions);
    let answers = answers.unwrap_or_else(|refused| panic!("{rule}: {refused}"));
    for (question, said) in questions.iter().zip(&answers) {
        if let Some(how) = ours.difference(question, said) {
            panic!("{rule}: {how}\nfor {question}\nwith {data}");
        }
    }
    answers.len()
}
