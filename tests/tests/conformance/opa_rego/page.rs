//! `docs/compatibility.md`: what came of OPA's suite, folder by folder, with the cause of every refusal.
//!
//! The page is written by the test that checks it: `EDGEWARD_WRITE_DOCS=1 ./just conformance`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use edgeward_tests::built::workspace;

use super::Count;

const PAGE: &str = "docs/compatibility.md";

const HEAD: &str = "\
# Rego as OPA has it, and as Edgeward has it

<!-- Written by `EDGEWARD_WRITE_DOCS=1 ./just conformance`; a test fails when it is out of date. -->

OPA's own conformance suite, run through the engine as the doors use it: the gate, then bytecode where the policies let it, else
the interpreter. A case ends *right* (the value, or an error of evaluation where the suite wants one), or it is *refused* when the
policies are loaded, with file, line and reason. None ends otherwise; the test that writes this page fails if one does.

Cases of the suite that want a failed built-in to be undefined run with `BuiltinErrors::Undefined`, the others with
`BuiltinErrors::Fail`. Edgeward's own doors use the latter: a built-in that fails denies.

What is written in other words before the engine reads it (`pdp/src/policy/source/mod.rs`): template strings, heads without a body,
rules below keywords, `walk` as a value, and negated expressions, whose parts are evaluated in front of them as in OPA. What is
refused, beside built-ins that are not there: `pdp/src/policy/gate/mod.rs`.

Beside the suite, policies made by chance and the shipped ones are asked of OPA's own engine too (`tests/tests/oracle/main.rs`,
`./just soak-rego`). What is known to differ, and is not refused:

- A loop over what is no collection and arithmetic with what is no number are an error, which denies, where OPA takes them for
  undefined.
- Sets are ordered before objects by `<` and its like, and in sets that hold both; in OPA behind them.
- A number in a template string is written as short as it can be: `1.0` and `1e3` are not written as they came.
- OPA's static checks (types, unused names) are not made: it refuses policies that Edgeward takes.
";

/// Whether the page says what was found; writes it where that is asked for.
pub(super) fn check(folders: &BTreeMap<String, Count>) -> Result<(), String> {
    let page = page(folders);
    let path = workspace().join(PAGE);
    if std::env::var_os("EDGEWARD_WRITE_DOCS").is_some() {
        fs::write(&path, page).map_err(|error| format!("{PAGE}: {error}"))?;
        return Ok(());
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    // Another edition of the suite has other cases: it has no page here.
    let same_edition = written.is_empty() || cases_of(&written) == cases_of(&page);
    if same_edition && written != page {
        return Err(format!(
            "{PAGE} is out of date: EDGEWARD_WRITE_DOCS=1 ./just conformance writes it"
        ));
    }
    Ok(())
}

/// The number of all cases, as the page has it.
fn cases_of(page: &str) -> Option<&str> {
    let line = page.lines().find(|line| line.starts_with("| all "))?;
    line.split('|').nth(2).map(str::trim)
}

fn all(folders: &BTreeMap<String, Count>) -> String {
    let sum = |of: fn(&Count) -> usize| folders.values().map(of).sum::<usize>();
    let (cases, right) = (sum(Count::cases), sum(|count| count.right));
    format!(
        "| all | {cases} | {right} | {} | {}.{} % right |\n",
        cases - right,
        right * 100 / cases.max(1),
        right * 1000 / cases.max(1) % 10
    )
}

fn page(folders: &BTreeMap<String, Count>) -> String {
    let mut page =
        format!("{HEAD}\n| folder | cases | right | refused | why |\n|---|---|---|---|---|\n");
    page.push_str(&all(folders));
    for (folder, count) in folders {
        let refused: Vec<String> = count
            .refused
            .iter()
            .map(|(why, cases)| format!("{cases}: {}", why.replace('|', "\\|")))
            .collect();
        let _ = writeln!(
            page,
            "| {folder} | {} | {} | {} | {} |",
            count.cases(),
            count.right,
            count.cases() - count.right,
            refused.join("; ")
        );
    }
    page
}
