//! SPIFFE: a JWT-SVID of this workload, from the agent behind the Workload API.
//!
//! Source: `SPIFFE_Workload_API.md` section 5, `SPIFFE_Workload_Endpoint.md` section 4.

use std::time::Duration;

use spiffe::WorkloadApiClient;

use super::evidence::{Evidence, EvidenceType};
use super::probe::{ProbeError, Probed, Surroundings};

const SOCKET: &str = "SPIFFE_ENDPOINT_SOCKET";
/// The longest wait for the agent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the agent.
pub(super) async fn probe(surroundings: &Surroundings) -> Result<Probed, ProbeError> {
    let Some(endpoint) = surroundings.variables.get(SOCKET) else {
        return Ok(Probed::absent(format!("{SOCKET} is not set")));
    };
    let asked = async {
        let client = WorkloadApiClient::connect_to(endpoint).await?;
        client.fetch_jwt_token([&surroundings.audience], None).await
    };
    let answered = tokio::time::timeout(PATIENCE, asked).await;
    let answered =
        answered.map_err(|_| ProbeError::WorkloadApi(format!("no answer within {PATIENCE:?}")))?;
    let token = answered.map_err(|error| ProbeError::WorkloadApi(error.to_string()))?;
    let evidence = Evidence::of_text(&token, EvidenceType::Jwt, "the agent's JWT-SVID")?;
    Ok(Probed::Found(evidence))
}
