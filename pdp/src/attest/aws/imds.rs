//! EC2's Instance Metadata Service, version 2: a session is opened by a PUT, and shown with every question.
//! Version 1, which any redirected GET could use, is not spoken.

use http::{Method, StatusCode};

use super::keys::Keys;
use crate::attest::metadata::{Answer, EVIDENCE, Metadata, MetadataError, PRESENCE, Question};
use crate::attest::probe::ProbeError;
use crate::attest::variables::Variables;

const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
const SERVER: &str = "EC2's metadata service";
/// How long a session is good, in seconds.
const SESSION: &str = "60";

/// An open session.
pub(super) struct Imds {
    service: Metadata,
    session: String,
}

/// The role of an instance.
pub(super) enum Role {
    None,
    Keys(Keys),
}

impl Imds {
    /// Opens a session; where there is no such service, the reason.
    pub(super) async fn open(variables: &Variables) -> Result<Result<Self, String>, ProbeError> {
        if variables.says_true("AWS_EC2_METADATA_DISABLED") {
            return Ok(Err("AWS_EC2_METADATA_DISABLED is set".to_owned()));
        }
        let over_ipv6 = variables
            .get(MODE)
            .is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
        let own = if over_ipv6 {
            "http://[fd00:ec2::254]"
        } else {
            "http://169.254.169.254"
        };
        let service = Metadata::at(variables.get(ENDPOINT).unwrap_or(own), ENDPOINT)?;
        let question = Question {
            method: &Method::PUT,
            path: "/latest/api/token",
            headers: &[("x-aws-ec2-metadata-token-ttl-seconds", SESSION)],
            patience: PRESENCE,
        };
        let answer = match service.ask(question).await {
            Ok(answer) => answer,
            Err(error @ MetadataError::Silent(..)) => {
                return Ok(Err(format!(
                    "{error}: in a container, the instance's hop limit must be 2"
                )));
            }
            Err(error) if error.is_absence() => return Ok(Err(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        if answer.status != StatusCode::OK {
            let status = answer.status.as_u16();
            return Ok(Err(format!(
                "what answers there opens no IMDSv2 session: status {status}"
            )));
        }
        let session = answer
            .text()
            .filter(|text| !text.is_empty())
            .map(str::to_owned);
        match session {
            Some(session) => Ok(Ok(Self { service, session })),
            None => Ok(Err(
                "what answers there is not EC2's metadata service".to_owned()
            )),
        }
    }

    /// The credentials of the instance's role.
    pub(super) async fn role(&self) -> Result<Role, ProbeError> {
        const PATH: &str = "/latest/meta-data/iam/security-credentials/";
        let answer = self.get(PATH).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(Role::None);
        }
        let names = read(&answer, "the role's name")?;
        let name = names.lines().next().unwrap_or_default();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(ProbeError::unread(SERVER, "the role's name"));
        }
        let answer = self.get(&format!("{PATH}{name}")).await?;
        read(&answer, "AccessKeyId")?;
        Keys::of_answer(&answer.body, SERVER).map(Role::Keys)
    }

    /// The region that the instance is in.
    pub(super) async fn region(&self) -> Result<String, ProbeError> {
        let answer = self.get("/latest/meta-data/placement/region").await?;
        read(&answer, "region").map(str::to_owned)
    }

    /// The identity document with its signature (RSA-2048), in base64.
    pub(super) async fn document(&self) -> Result<String, ProbeError> {
        let answer = self
            .get("/latest/dynamic/instance-identity/rsa2048")
            .await?;
        read(&answer, "rsa2048").map(str::to_owned)
    }

    async fn get(&self, path: &str) -> Result<Answer, MetadataError> {
        let question = Question {
            method: &Method::GET,
            path,
            headers: &[("x-aws-ec2-metadata-token", &self.session)],
            patience: EVIDENCE,
        };
        self.service.ask(question).await
    }
}

fn read<'a>(answer: &'a Answer, what: &str) -> Result<&'a str, ProbeError> {
    if answer.status != StatusCode::OK {
        return Err(ProbeError::status(SERVER, answer.status.as_u16()));
    }
    let text = answer.text().filter(|text| !text.is_empty());
    text.ok_or_else(|| ProbeError::unread(SERVER, what))
}
