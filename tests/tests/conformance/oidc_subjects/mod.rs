//! Subjects of continuous integration against conditions of AWS, Azure and Google Cloud, with a grade
//! of each condition: written as selectors, and judged as `edgeward check` does.
//!
//! A vector's grade is of its condition and its token together, ours of the selectors alone: the same
//! condition may be labelled *caution* with one token and *dangerous* with another. So ours is never
//! laxer than a label; where it is stricter, the row counts it as skipped and says by what finding.
//!
//! What this is not: trust providers. A real token of these platforms has more claims than a vector
//! tells; whether it holds is not asked here.

mod condition;

use std::collections::{BTreeMap, BTreeSet};

use edgeward::attestation::{Attributes, ProviderName};
use edgeward::workloads::grade::{Grade, ProviderKind, grade, worst};
use edgeward::workloads::{ClientWorkload, ClientWorkloads, Grant, Selectors};
use edgeward_core::token::Audiences;
use serde_json::Value;

use self::condition::Condition;
use crate::data::{Data, list, text};
use crate::table::Suite;

pub(crate) fn run(data: &Data) -> Vec<Suite> {
    let mut matching = Suite::new("oidc-subjects matching");
    let mut grades = Suite::new("oidc-subjects grades");
    let files = data.files(".").into_iter();
    let files = files.filter(|file| file.ends_with(".json"));
    let files: Vec<Value> = files.map(|file| data.json(&file)).collect();
    let vectors = || files.iter().flat_map(|file| list(file, "/vectors"));
    let mut strictest = Strictest::new();
    for vector in vectors() {
        let label = vector.pointer("/judgment/grade").and_then(Value::as_str);
        if let (Ok(condition), Some(label)) = (Condition::read(vector), label) {
            let told = strictest
                .entry((text(vector, "/issuer").to_owned(), condition.selectors))
                .or_insert(Grade::Safe);
            *told = labelled(label).max(*told);
        }
    }
    for vector in vectors() {
        one(vector, &strictest, &mut matching, &mut grades);
    }
    vec![matching, grades]
}

/// The strictest label of each condition, whichever the token.
type Strictest = BTreeMap<(String, BTreeMap<String, Vec<String>>), Grade>;

fn one(vector: &Value, strictest: &Strictest, matching: &mut Suite, grades: &mut Suite) {
    let id = text(vector, "/id");
    let label = vector.pointer("/judgment/grade").and_then(Value::as_str);
    let condition = match Condition::read(vector) {
        Ok(condition) => condition,
        Err(why) => {
            let why = format!("no selector says this: {why}");
            matching.skip(&why);
            if label.is_some() {
                grades.skip(&why);
            }
            return;
        }
    };
    let same = (text(vector, "/issuer").to_owned(), condition.selectors);
    let strictest = strictest.get(&same).copied();
    let selectors = match Selectors::new(same.1) {
        Ok(selectors) => selectors,
        Err(refused) => {
            let why = format!("refused as selectors ({refused})");
            matching.skip(&why);
            if label.is_some() {
                grades.skip(&why);
            }
            return;
        }
    };
    let kind = kind(vector);
    let workload = workload(selectors);
    let found = grade(&workload, kind);
    if let Some(label) = label.map(labelled) {
        let (ours, codes) = (worst(&found), found.iter().map(|finding| finding.code));
        if ours > label {
            let codes: BTreeSet<&str> = codes.collect();
            let codes: Vec<&str> = codes.into_iter().collect();
            let why = if strictest == Some(ours) {
                "as the same condition is labelled with another token".to_owned()
            } else {
                codes.join(", ")
            };
            grades.skip(&format!("{label} there, {ours} here: {why}"));
        } else {
            grades.check(ours == label, format!("{id}: {label}"), &found);
        }
    }
    let token = claims(vector);
    let is_for_us = condition.audiences.is_none_or(|audiences| {
        let audiences = Audiences::try_from(audiences).expect("the suite's audiences");
        token.get("aud").is_some_and(|one| audiences.contains(one))
    });
    let provider: ProviderName = workload.provider.clone();
    let workloads = ClientWorkloads::new(vec![workload]).expect("one workload");
    let is_match = is_for_us && workloads.find(&provider, &attributes(kind, &token)).is_ok();
    let wanted = text(vector, "/expect") == "match";
    matching.check(is_match == wanted, id, is_match);
}

fn kind(vector: &Value) -> ProviderKind {
    match text(vector, "/issuer") {
        "github" => ProviderKind::Github,
        "gitlab" => ProviderKind::Gitlab,
        "terraform-cloud" => ProviderKind::Terraform,
        "bitbucket" => ProviderKind::Bitbucket,
        "circleci" => ProviderKind::Circleci,
        other => panic!("the suite has an issuer {other}"),
    }
}

fn labelled(grade: &str) -> Grade {
    let all = [Grade::Safe, Grade::Caution, Grade::Dangerous];
    let known = all.into_iter().find(|one| one.as_str() == grade);
    known.unwrap_or_else(|| panic!("the suite has a grade {grade}"))
}

/// The claims of the token; without them its subject alone.
fn claims(vector: &Value) -> BTreeMap<String, String> {
    let Some(claims) = vector.get("claims").and_then(Value::as_object) else {
        return BTreeMap::from([("sub".to_owned(), text(vector, "/subject").to_owned())]);
    };
    let claims = claims.iter().map(|(name, value)| {
        let value = value.as_str().expect("the suite's claims are texts");
        (name.clone(), value.to_owned())
    });
    claims.collect()
}

fn attributes(kind: ProviderKind, token: &BTreeMap<String, String>) -> Attributes {
    let mut attributes = Attributes::default();
    for (claim, value) in token {
        let name = attribute(kind, claim);
        attributes.tell(&name, value.clone()).expect("attributes");
    }
    attributes
}

/// What the providers of this kind call a claim.
fn attribute(kind: ProviderKind, claim: &str) -> String {
    let name = match (kind, claim) {
        (_, "sub") => "subject".to_owned(),
        (ProviderKind::Circleci, claim) => claim.replace("oidc.circleci.com/", ""),
        (ProviderKind::Terraform, claim) => claim.replace("terraform_", ""),
        (_, claim) => claim.to_owned(),
    };
    name.replace('-', "_")
}

fn workload(selectors: Selectors) -> ClientWorkload {
    ClientWorkload {
        name: "deploy".parse().expect("a name"),
        spiffe_id: "spiffe://prod.example/deploy".parse().expect("an ID"),
        provider: "ci".parse().expect("a name"),
        selectors,
        environment: None,
        grant: Grant {
            audiences: vec!["orders".to_owned()],
            addressed_as: Vec::new(),
            acts_for: BTreeSet::new(),
            scopes: Vec::new(),
            lifetime: None,
            certificate_bound: false,
        },
    }
}
