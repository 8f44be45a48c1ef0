//! Documents that are remembered are those that would be made now.

use std::num::NonZeroUsize;

use serde_json::{Value, json};

use super::super::harness::{Pdp, settings};
use super::{answer, open};

/// `twin` is the same rule under another name: it is never remembered, and never in bytecode.
const POLICY: &str = r"package app
import rego.v1

default allow := false
allow if {
	some role in data.app.users[input.user].roles
	input.action in data.app.roles[role]
	not data.app.suspended[input.user]
}
allow if input.claims.admin == true
default twin := false
twin if {
	some role in data.app.users[input.user].roles
	input.action in data.app.roles[role]
	not data.app.suspended[input.user]
}
twin if input.claims.admin == true
";

/// Numbers that look as if made by chance, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }

    fn input(&mut self) -> Value {
        let mut input = json!({ "noise": self.below(1_000_000), "list": [self.below(9)] });
        let names = ["ann", "bob", "cid", "dan", "eve"];
        let mut name = || names[usize::try_from(self.below(5)).unwrap()];
        match name() {
            "eve" => {}
            user => input["user"] = user.into(),
        }
        input["action"] = match self.below(5) {
            0 => Value::Null,
            1 => json!({ "read": true }),
            2 => "read".into(),
            _ => "write".into(),
        };
        match self.below(8) {
            0 => input["claims"] = json!({ "admin": true, "jti": self.below(1000) }),
            1 => input["claims"] = json!({ "admin": 1, "jti": self.below(1000) }),
            2 => input["claims"] = json!("admin"),
            3 => input["claims"] = Value::Null,
            _ => {}
        }
        input
    }

    fn data(&mut self) -> String {
        let roles = |n| {
            if n == 0 {
                json!(["reader"])
            } else {
                json!(["writer", "reader"])
            }
        };
        json!({
            "users": { "ann": { "roles": roles(self.below(2)) }, "bob": { "roles": roles(self.below(2)) }, "cid": {} },
            "roles": { "reader": ["read"], "writer": if self.below(2) == 0 { json!(["write"]) } else { json!([]) } },
            "suspended": if self.below(2) == 0 { json!({}) } else { json!({ "ann": true }) },
        })
        .to_string()
    }
}

#[test]
fn a_remembered_document_is_the_one_that_would_be_made_whatever_the_input_and_whenever_data_change()
{
    let mut settings = settings();
    settings.opa_api = Some(open());
    settings.workers = NonZeroUsize::MIN;
    let mut chance = Chance(7);
    let files = [("app.rego", POLICY), ("app/data.json", "{}")];
    let pdp = Pdp::with_entry_point(&files, settings, "data.app.allow");
    for _ in 0..8 {
        let data = chance.data();
        std::fs::write(pdp.folder.path().join("app/data.json"), data).unwrap();
        pdp.store.reload();
        let revision = pdp.store.subscribe().borrow().set.revision().to_owned();
        let in_force = || {
            let (_, said) = answer(
                &pdp,
                "/v1/data/app/allow?provenance",
                Some(r#"{"input":{}}"#),
            );
            said["provenance"]["revision"] == *revision
        };
        assert!((0..2000).any(|_| in_force()));
        for _ in 0..250 {
            let body = json!({ "input": chance.input() }).to_string();
            let asked = answer(&pdp, "/v1/data/app/allow", Some(&body));
            assert_eq!(
                asked,
                answer(&pdp, "/v1/data/app/twin", Some(&body)),
                "{body}"
            );
        }
    }
    let metrics = pdp.get("/metrics").body;
    let counted = |series: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(series));
        let number = line.unwrap_or_else(|| panic!("{series}: {metrics}")).trim();
        number.parse::<u64>().unwrap()
    };
    assert!(
        counted("edgeward_documents_remembered_total ") > 1000,
        "{metrics}"
    );
    assert_eq!(counted("edgeward_footprint_missed_total "), 0);
}

#[test]
fn what_a_policy_reads_of_the_clock_or_of_a_whole_input_is_made_each_time() {
    for rule in [
        "allow := time.now_ns()",
        "allow := count(input)",
        "allow := rand.intn(\"x\", 9)",
    ] {
        let mut settings = settings();
        settings.opa_api = Some(open());
        settings.workers = NonZeroUsize::MIN;
        let policy = format!("package app\n\n{rule}\n");
        let pdp = Pdp::with_entry_point(&[("app.rego", &policy)], settings, "data.app.allow");
        for _ in 0..20 {
            let (status, said) = answer(&pdp, "/v1/data/app/allow", Some(r#"{"input":{"a":1}}"#));
            assert!(
                status == 200 && said["result"].is_number(),
                "{rule}: {said}"
            );
        }
        let metrics = pdp.get("/metrics").body;
        assert!(
            metrics.contains("edgeward_documents_remembered_total 0"),
            "{rule}"
        );
    }
}
