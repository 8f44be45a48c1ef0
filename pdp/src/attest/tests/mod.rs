//! Each probe against a service that behaves as its platform documents, and against those that do not.

mod aws;
mod azure;
mod ci;
mod gcp;
mod keeping;
mod order;
mod platform;
mod spiffe;

use super::evidence::{Evidence, EvidenceType};
use super::platform::Platform;
use super::probe::{ProbeError, Probed, Surroundings};
use super::variables::Variables;

const AUDIENCE: &str = "https://edgeward.example";
/// What must be in no message.
const SECRET: &str = "s3cr3t-of-the-platform";

fn surroundings(variables: &[(&str, &str)]) -> Surroundings {
    Surroundings {
        variables: variables.iter().copied().collect::<Variables>(),
        audience: AUDIENCE.to_owned(),
        evidence_file: None,
        evidence_variable: None,
        evidence_type: EvidenceType::Jwt,
    }
}

async fn probe(platform: Platform, variables: &[(&str, &str)]) -> Result<Probed, ProbeError> {
    platform.probe(&surroundings(variables)).await
}

#[track_caller]
fn found(probed: Result<Probed, ProbeError>) -> Evidence {
    match probed {
        Ok(Probed::Found(evidence)) => evidence,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn absent(probed: Result<Probed, ProbeError>) -> String {
    match probed {
        Ok(Probed::Absent(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn failed(probed: Result<Probed, ProbeError>) -> String {
    let error = probed.expect_err("a failure");
    let said = format!("{error} {error:?}");
    assert!(!said.contains(SECRET), "{said}");
    error.to_string()
}
