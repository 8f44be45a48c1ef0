//! Google Cloud: an identity token of the instance's service account, from the metadata server.
//!
//! Source: cloud.google.com, "Verifying the identity of instances" and "About VM metadata" (the header in
//! both directions).

use http::{Method, StatusCode};

use super::evidence::{Evidence, EvidenceType};
use super::metadata::{EVIDENCE, Metadata, PRESENCE, Question, encoded};
use super::probe::{ProbeError, Probed, Surroundings};

const HOST: &str = "GCE_METADATA_HOST";
/// The header that a caller sends, and by which the server is known.
const FLAVOR: (&str, &str) = ("metadata-flavor", "Google");
const SERVER: &str = "the metadata server of Google Cloud";

/// Asks the metadata server.
pub(super) async fn probe(surroundings: &Surroundings) -> Result<Probed, ProbeError> {
    let host = surroundings.variables.get(HOST);
    let metadata = Metadata::at(host.unwrap_or("metadata.google.internal"), HOST)?;
    let question = Question {
        method: &Method::GET,
        path: "/",
        headers: &[FLAVOR],
        patience: PRESENCE,
    };
    match metadata.ask(question).await {
        Err(error) if error.is_absence() => return Ok(Probed::absent(error.to_string())),
        Err(error) => return Err(error.into()),
        Ok(answer) if answer.header(FLAVOR.0) != Some(FLAVOR.1) => {
            return Ok(Probed::absent(
                "what answers there is not Google's metadata server",
            ));
        }
        Ok(_) => {}
    }
    let audience = encoded(&surroundings.audience);
    let path = format!(
        "/computeMetadata/v1/instance/service-accounts/default/identity?audience={audience}&format=full"
    );
    let question = Question {
        path: &path,
        patience: EVIDENCE,
        ..question
    };
    let answer = metadata.ask(question).await?;
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(Probed::absent(
            "this instance has no service account: give it one",
        ));
    }
    if answer.status != StatusCode::OK {
        return Err(ProbeError::status(SERVER, answer.status.as_u16()));
    }
    if answer.header(FLAVOR.0) != Some(FLAVOR.1) {
        return Err(ProbeError::unread(SERVER, "Metadata-Flavor"));
    }
    let text = answer
        .text()
        .ok_or_else(|| ProbeError::unread(SERVER, "token"))?;
    let evidence = Evidence::of_text(text, EvidenceType::Jwt, "Google's token")?;
    Ok(Probed::Found(evidence))
}
