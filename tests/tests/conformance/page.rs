//! `docs/compatibility.md`: the table of all suites, and what came of OPA's, folder by folder, with the
//! cause of every refusal.
//!
//! The page is written by the test that checks it: `EDGEWARD_WRITE_DOCS=1 ./just conformance`. It tells
//! of one edition of the data; of another it says nothing, and the check says that it was skipped.

use std::fmt::Write as _;
use std::fs;

use edgeward_tests::built::workspace;

use crate::opa_rego::{Count, Folders};
use crate::table::{Suite, Table};

const PAGE: &str = "docs/compatibility.md";
const EDITION: &str = "Edition of the data: ";

const HEAD: &str = "\
# What the published suites say of Edgeward

<!-- Written by `EDGEWARD_WRITE_DOCS=1 ./just conformance`; a test fails when it is out of date. -->

Nobody here wrote these cases: their own labels decide. *Skipped* are those that Edgeward refuses on
purpose though the label accepts, after they were seen to be refused, and those that are not for Edgeward; why is said below.
Of `oidc-subjects grades` they are also those that Edgeward grades stricter than the label, with the finding; laxer is a failure.
No case fails: the test that writes this page would.
";

const REGO: &str = "\
## Rego as OPA has it, and as Edgeward has it

OPA's own conformance suite, run through the engine as the doors use it: the gate, then bytecode where the policies let it, else
the interpreter. A case ends *right* (the value, or an error of evaluation where the suite wants one), or it is *refused* when the
policies are loaded, with file, line and reason. None ends otherwise; the test that writes this page fails if one does.

Cases of the suite that want a failed built-in to be undefined run with `BuiltinErrors::Undefined`, the others with
`BuiltinErrors::Fail`. Edgeward's own doors use the latter: a built-in that fails denies. Where the suite wants an error, an error
it is; which kind is not compared, for every one denies.

What is written in other words before the engine reads it (`pdp/src/policy/source/mod.rs`): template strings, heads without a body,
rules below keywords, `walk` as a value, results as arguments, `rego.metadata.chain` and `.rule`, objects as patterns, which get
a guard, negated expressions, whose parts are evaluated in front of them as in OPA, and what `some … in … with` goes through, for
which alone something is replaced. What is refused, beside built-ins that are not there: `pdp/src/policy/gate/mod.rs`.

Policies that OPA compiled to WebAssembly (`policy.wasm`, ABI 1.2 and 1.3) run as OPA made them: its own operators and built-ins, and
Edgeward's for those that a module asks its host for (`docs/bundles.md`). Native built-ins of a module that fail are undefined
whatever is asked for, as with OPA's own Wasm engine; modules of ABI 1.1, which old OPAs made, are refused.

Beside the suite, policies made by chance and the shipped ones are asked of OPA's own engine too (`tests/tests/oracle/main.rs`,
`./just soak-rego`). What is known to differ, and is not refused:

- A loop over what is no collection and arithmetic with what is no number are an error, which denies, where OPA takes them for
  undefined. Not where a failed built-in is undefined (OPA's API, `ext_authz.dialect: opa-envoy`) and a function of the policies has
  several definitions: there both are as in OPA, but for a set less a number and what stands within 12 brackets, which are
  an error still, as is a `rand.intn` or `uuid.rfc4122` that fails (`pdp/src/policy/leniency.rs`).
- A rule is evaluated here that OPA leaves out, its index knowing that something its body reads of `input` is not there: a
  function with two values that it calls is an error, which denies.
- Sets are ordered before objects by `<` and its like, and in sets that hold both; in OPA behind them.
- A number in a template string is written as short as it can be: `1.0` and `1e3` are not written as they came.
- Built-ins have bounds that OPA has not (`pdp/src/policy/builtins/mod.rs`): what passes one is an error, which denies.
- `io.jwt.*` verifies nothing by an RSA key below 2048 bits. `strings.render_template` has no pipes, functions or assignments:
  they are errors. `graphql.*` takes objects for documents only as it writes them itself: others are errors, where OPA reads
  names in any case and leaves out what does not fit; a whole number written with a fraction is one there (`{\"Kind\": 1.0}`),
  which OPA calls invalid.
- `crypto.x509.*` refuses some of what OPA reads (`pdp/src/policy/builtins/x509/mod.rs` says where): times of other zones or to
  the minute, requests with odd attributes. A key of RSA may be compared, but not answered: its modulus is no number of JSON here.
- `providers.aws.sign_req` takes no time before 1970, and signs no body with fractions or sets; `1.0` in a body is `1`
  (`pdp/src/policy/builtins/aws.rs`).
- `json.verify_schema` is an error for references, unusual keywords and faults whose words are not known
  (`pdp/src/policy/builtins/schemas.rs`).
- Behind a loop (`data.lists[_][input.n]`), a text is no index into an array of data files; in OPA it is. Nor is one that a
  name gets by `=` or from another loop, but inside of `not`, where it is as in OPA.
- A number as the name of a member is looked for as it is shortest: `1.0` and `1e3` in a policy or an input are not looked for as
  they are written.
- What a built-in or a reference cannot take is an error in some places where OPA has it undefined.
- `trace` leaves notes (`explain=notes`), and these alone are explained: the engine keeps no trace of its steps, so that
  `explain=full`, `fails` and `debug` are a 501. There is no partial evaluation: `/v1/compile` is a 501 (`docs/opa-api.md`).
- OPA's static checks (types, unused names) are not made: it refuses policies that Edgeward takes.
";

/// Whether the page says what was found; writes it where that is asked for. A row of the table.
pub(crate) fn check(table: &Table, folders: Option<&Folders>) -> Suite {
    let mut row = Suite::new(PAGE);
    let Some(folders) = folders.filter(|_| table.is_whole()) else {
        row.skip("not compared: it tells of all suites, and not all are here");
        return row;
    };
    let page = page(table, folders);
    let path = workspace().join(PAGE);
    if std::env::var_os("EDGEWARD_WRITE_DOCS").is_some() {
        let written = fs::write(&path, page);
        row.check(written.is_ok(), "writing it", written);
        return row;
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let (told, here) = (edition_of(&written), edition_of(&page));
    if told.is_some() && told != here {
        row.skip(&format!(
            "not compared: it tells of edition {}, here is {}",
            told.unwrap_or_default(),
            here.unwrap_or_default()
        ));
    } else {
        let seen = "out of date: EDGEWARD_WRITE_DOCS=1 ./just conformance writes it";
        row.check(written == page, PAGE, seen);
    }
    row
}

fn edition_of(page: &str) -> Option<&str> {
    page.lines().find_map(|line| line.strip_prefix(EDITION))
}

fn page(table: &Table, folders: &Folders) -> String {
    let mut page = format!("{HEAD}\n{EDITION}`{}`\n\n", table.edition());
    page.push_str("| suite | cases | pass | fail | skipped |\n|---|---|---|---|---|\n");
    for suite in table.suites() {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            suite.name(),
            suite.cases(),
            suite.passed(),
            suite.failed(),
            suite.skipped()
        );
    }
    page.push_str("\nWhy cases are skipped (those of `opa-rego`: in its own table):\n\n");
    for suite in table.suites().filter(|suite| suite.name() != "opa-rego") {
        for (why, cases) in suite.reasons() {
            let _ = writeln!(page, "- {}, {cases}: {why}", suite.name());
        }
    }
    let _ = writeln!(
        page,
        "\n{REGO}\n| folder | cases | right | refused | why |\n|---|---|---|---|---|"
    );
    page.push_str(&all(folders));
    for (folder, count) in folders {
        page.push_str(&row_of(folder, count));
    }
    page
}

fn all(folders: &Folders) -> String {
    let sum = |of: fn(&Count) -> usize| folders.values().map(of).sum::<usize>();
    let (cases, right) = (sum(Count::cases), sum(|count| count.right));
    format!(
        "| all | {cases} | {right} | {} | {}.{} % right |\n",
        cases - right,
        right * 100 / cases.max(1),
        right * 1000 / cases.max(1) % 10
    )
}

fn row_of(folder: &str, count: &Count) -> String {
    let refused: Vec<String> = count
        .refused
        .iter()
        .map(|(why, cases)| format!("{cases}: {}", why.replace('|', "\\|")))
        .collect();
    format!(
        "| {folder} | {} | {} | {} | {} |\n",
        count.cases(),
        count.right,
        count.cases() - count.right,
        refused.join("; ")
    )
}
