//! Answers of OPA 1.20.2, as its engine in the Python package `opa-golib-python-bindings` gave them, with
//! built-ins strict: an expression and its value a line, or the expression alone where it is an error.

use serde_json::Value as Json;

use super::value_of;

/// What is an error here where OPA has a value.
const NOT_HERE: [&str; 4] = [
    "`\\B` is not understood here",
    "is not understood: of Go's templates",
    "a number with an exponent",
    "an AST is read only as",
];

#[test]
fn answers_are_those_of_opa() {
    let mut wrong = Vec::new();
    for line in include_str!("recorded.jsonl").lines() {
        let pair: Vec<Json> = serde_json::from_str(line).unwrap();
        let expression = pair[0].as_str().unwrap();
        let said = value_of(expression);
        let right = match (&said, pair.get(1)) {
            (Ok(said), Some(wanted)) => said == wanted,
            (Err(error), Some(_)) => NOT_HERE.iter().any(|why| error.contains(why)),
            (Err(error), None) => error.contains("error: "),
            (Ok(_), None) => false,
        };
        if !right {
            wrong.push(format!("{expression}: {said:?}, not {:?}", pair.get(1)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
