//! Azure: a managed identity's token, or the attested document of a machine that has none.
//!
//! Sources: learn.microsoft.com, "How to use managed identities to acquire an access token" (virtual
//! machines, App Service), "Azure Instance Metadata Service" (versions, attested data).

use http::{Method, StatusCode};

use super::evidence::{Evidence, EvidenceType};
use super::metadata::{Answer, EVIDENCE, Metadata, PRESENCE, Question, encoded};
use super::probe::{ProbeError, Probed, Surroundings};
use crate::attestation::azure_document::nonce;
use crate::attestation::evidence::EvidenceKind;

/// The variable by which Azure's SDKs are told of another metadata service.
const HOST: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
const OWN_HOST: &str = "http://169.254.169.254";
/// Without it the service answers nobody: a redirected or careless caller does not send it.
const METADATA: (&str, &str) = ("metadata", "true");
const SERVER: &str = "Azure's metadata service";

/// A token of the managed identity for the application that the audience names.
pub(super) async fn probe_identity(surroundings: &Surroundings) -> Result<Probed, ProbeError> {
    let variables = &surroundings.variables;
    let audience = encoded(&surroundings.audience);
    let client = variables.get("AZURE_CLIENT_ID").map(encoded);
    let client = client.map_or_else(String::new, |client| format!("&client_id={client}"));
    let query = format!("resource={audience}{client}");
    let own = (
        variables.get("IDENTITY_ENDPOINT"),
        variables.get("IDENTITY_HEADER"),
    );
    let answer = if let (Some(endpoint), Some(secret)) = own {
        // App Service, Functions and Container Apps.
        let service = Metadata::at(endpoint, "IDENTITY_ENDPOINT")?;
        let path = service.path_and_query();
        let path = format!("{path}?api-version=2019-08-01&{query}");
        service
            .ask(get(&path, &[("x-identity-header", secret)]))
            .await?
    } else {
        let service = match find(surroundings).await? {
            Ok(service) => service,
            Err(absent) => return Ok(absent),
        };
        let path = format!("/metadata/identity/oauth2/token?api-version=2018-02-01&{query}");
        service.ask(get(&path, &[METADATA])).await?
    };
    read_identity(&answer)
}

fn read_identity(answer: &Answer) -> Result<Probed, ProbeError> {
    if answer.status == StatusCode::BAD_REQUEST {
        // `invalid_request` with `Identity not found`, or another error of OAuth.
        let said = answer.member("error_description").unwrap_or_default();
        if said.contains("Identity not found") {
            return Ok(Probed::absent(
                "this machine has no managed identity: assign one",
            ));
        }
        let error = answer.member("error").unwrap_or_default();
        let error: String = error
            .chars()
            .filter(char::is_ascii_graphic)
            .take(100)
            .collect();
        return Err(ProbeError::Answer {
            of: SERVER,
            what: format!("`{error}`: is --evidence-audience the application's ID URI?"),
        });
    }
    if answer.status != StatusCode::OK {
        return Err(ProbeError::status(SERVER, answer.status.as_u16()));
    }
    let token = answer.member("access_token");
    let token = token.ok_or_else(|| ProbeError::unread(SERVER, "access_token"))?;
    let evidence = Evidence::of_text(&token, EvidenceType::Jwt, "Azure's token")?;
    Ok(Probed::Found(evidence))
}

/// The attested document of this machine, asked for with the nonce of the audience.
pub(super) async fn probe_document(surroundings: &Surroundings) -> Result<Probed, ProbeError> {
    let service = match find(surroundings).await? {
        Ok(service) => service,
        Err(absent) => return Ok(absent),
    };
    let nonce = nonce(&surroundings.audience, Surroundings::now());
    let path = format!("/metadata/attested/document?api-version=2021-02-01&nonce={nonce}");
    let answer = service.ask(get(&path, &[METADATA])).await?;
    if answer.status != StatusCode::OK {
        return Err(ProbeError::status(SERVER, answer.status.as_u16()));
    }
    if answer.member("signature").is_none() {
        return Err(ProbeError::unread(SERVER, "signature"));
    }
    let text = answer
        .text()
        .ok_or_else(|| ProbeError::unread(SERVER, "signature"))?;
    let kind = EvidenceType::Other(EvidenceKind::AzureDocument);
    Ok(Probed::Found(Evidence::of_text(
        text,
        kind,
        "Azure's document",
    )?))
}

/// The metadata service, where one of Azure's answers.
async fn find(surroundings: &Surroundings) -> Result<Result<Metadata, Probed>, ProbeError> {
    let host = surroundings.variables.get(HOST).unwrap_or(OWN_HOST);
    let service = Metadata::at(host, HOST)?;
    let question = Question {
        patience: PRESENCE,
        ..get("/metadata/versions", &[METADATA])
    };
    let answer = match service.ask(question).await {
        Err(error) if error.is_absence() => return Ok(Err(Probed::Absent(error.to_string()))),
        answer => answer?,
    };
    let is_azure = answer.status == StatusCode::OK
        && edgeward_core::json::parse_object(&answer.body)
            .is_ok_and(|members| members.contains_key("apiVersions"));
    if is_azure {
        return Ok(Ok(service));
    }
    let absent = "what answers there is not Azure's metadata service";
    Ok(Err(Probed::Absent(absent.to_owned())))
}

fn get<'q>(path: &'q str, headers: &'q [(&'static str, &'q str)]) -> Question<'q> {
    Question {
        method: &Method::GET,
        path,
        headers,
        patience: EVIDENCE,
    }
}
