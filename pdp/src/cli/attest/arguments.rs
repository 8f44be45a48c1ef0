//! Arguments of `edgeward attest`, checked against each other.

use std::path::PathBuf;

use clap::ValueEnum;

use super::super::Failure;
use super::super::output::OutputFormat;
use super::super::telemetry::LogFormat;
use crate::attest::attestor::Attestor;
use crate::attest::evidence::EvidenceType;
use crate::attest::exchange::{MAX_ANSWER_BYTES, Order, TokenService};
use crate::attest::platform::Platform;
use crate::attest::probe::Surroundings;
use crate::attest::variables::Variables;
use crate::attestation::evidence::EvidenceKind;
use crate::client::{Client, Endpoint, Identity, Tls};
use crate::token_service::TokenKind;

/// The environment's name for the server.
const SERVER_VARIABLE: &str = "EDGEWARD_SERVER";
/// The longest name in evidence, in bytes: AWS's header takes no more.
const MAX_AUDIENCE_BYTES: usize = 256;

/// Arguments of `edgeward attest`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  edgeward attest --server https://edgeward.example --audience orders
  edgeward attest --audience orders --platform kubernetes --token-file /run/edgeward/orders.jwt
  edgeward attest --audience orders --socket /run/edgeward/token.sock
  curl --unix-socket /run/edgeward/token.sock http://localhost/token
  edgeward attest --audience orders --evidence-file evidence.jwt --output json

Platforms, in the order in which they are tried: github, gitlab, circleci, bitbucket, terraform, kubernetes,
spiffe, aws, gcp, azure, aws-instance, azure-document. docs/attest.md says what each looks for.

With --token-file or --socket it runs until SIGTERM or SIGINT and renews at about half of the token's life; while
that fails it tries again, and the token stays until it expires. With --once it does so once.
Exit codes: 0 a token (or asked to stop), 1 the token service refused, 2 usage, no evidence, or no token service.")]
pub(crate) struct Arguments {
    /// The token service: `https://`, or `http://` or `unix:/path` on this machine. Default: the variable
    /// `EDGEWARD_SERVER`
    #[arg(long, value_name = "URL")]
    server: Option<Endpoint>,
    /// PEM file of authorities that vouch for the server. Default: the system's
    #[arg(long, visible_alias = "ca", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// PEM file with this workload's certificate chain, leaf first: tokens can be bound to it
    #[arg(
        long,
        visible_alias = "cert",
        value_name = "FILE",
        requires = "key_file"
    )]
    cert_file: Option<PathBuf>,
    /// PEM file with the key of that certificate
    #[arg(
        long,
        visible_alias = "key",
        value_name = "FILE",
        requires = "cert_file"
    )]
    key_file: Option<PathBuf>,
    /// Whom the token is for; may be repeated
    #[arg(long, required = true)]
    audience: Vec<String>,
    /// A scope of the token; may be repeated
    #[arg(long)]
    scope: Vec<String>,
    /// The kind of token
    #[arg(long, value_enum, default_value_t = RequestedType::Jwt)]
    requested_type: RequestedType,
    /// The platform that vouches for this workload, in place of trying
    #[arg(long, value_name = "NAME")]
    platform: Option<Platform>,
    /// A file with evidence; with `--platform kubernetes`, where the token is mounted
    #[arg(long, value_name = "FILE", conflicts_with = "evidence_env")]
    evidence_file: Option<PathBuf>,
    /// The variable with evidence
    #[arg(long, value_name = "NAME", conflicts_with = "platform")]
    evidence_env: Option<String>,
    /// What the evidence of --evidence-file or --evidence-env is
    #[arg(long, value_enum, value_name = "TYPE", default_value_t = EvidenceOption::Jwt)]
    evidence_type: EvidenceOption,
    /// What the token service is called in evidence. Default: scheme, host and port of the server
    #[arg(long, value_name = "AUDIENCE")]
    evidence_audience: Option<String>,
    /// The token service's trust domain: renew by a token for the service itself, as long as `renewable_for`
    /// lets it, and by new evidence only then
    #[arg(long, value_name = "NAME")]
    trust_domain: Option<edgeward_core::spiffe::TrustDomain>,
    /// Keep the token fresh in this file (mode 0600)
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// Serve the token on this Unix socket (mode 0600): `GET /token`
    #[arg(long, value_name = "PATH", conflicts_with = "once")]
    pub(super) socket: Option<PathBuf>,
    /// Try once, and end
    #[arg(long)]
    pub(super) once: bool,
    /// How to answer, and what the token file holds: the token, or JSON
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(super) output: OutputFormat,
    /// How to log. Default: text on a terminal, else JSON
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) log_format: Option<LogFormat>,
    /// What to log: a level, or directives
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub(super) log: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RequestedType {
    /// A SPIFFE JWT-SVID
    Jwt,
    /// An access token (RFC 9068)
    #[value(name = "access_token", alias = "access-token")]
    AccessToken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EvidenceOption {
    /// A JWT, or another token of an issuer
    Jwt,
    /// A signed `GetCallerIdentity`
    AwsSts,
    /// An instance identity document
    AwsInstance,
    /// An attested document
    AzureDocument,
    /// A static key, in development
    StaticKey,
}

impl Arguments {
    /// What they ask for.
    pub(super) fn attestor(&self, variables: Variables) -> Result<Attestor, Failure> {
        let client = self.client(&variables)?;
        let audience = self.evidence_audience(&client.endpoint)?;
        Ok(Attestor {
            surroundings: Surroundings {
                variables,
                audience,
                evidence_file: self.evidence_file.clone(),
                evidence_variable: self.evidence_env.clone(),
                evidence_type: self.evidence_type(),
            },
            platform: self.platform()?,
            service: TokenService(client),
            order: Order {
                audiences: self.audience.clone(),
                scopes: self.scope.clone(),
                kind: match self.requested_type {
                    RequestedType::Jwt => TokenKind::JwtSvid,
                    RequestedType::AccessToken => TokenKind::AccessToken,
                },
            },
            trust_domain: self.trust_domain.as_ref().map(ToString::to_string),
            own: None,
        })
    }

    fn client(&self, variables: &Variables) -> Result<Client, Failure> {
        let endpoint = match (&self.server, variables.get(SERVER_VARIABLE)) {
            (Some(server), _) => server.clone(),
            (None, Some(text)) => text
                .parse()
                .map_err(|error| Failure::new(format!("{SERVER_VARIABLE}: `{text}` {error}")))?,
            (None, None) => {
                return Err(Failure::new(format!(
                    "no token service: name it by --server, or set {SERVER_VARIABLE}"
                )));
            }
        };
        let files = (&self.cert_file, &self.key_file);
        let identity = match files {
            (Some(certificate), Some(key)) => Some(Identity {
                certificate: certificate.clone(),
                key: key.clone(),
            }),
            _ => None,
        };
        if identity.is_some() && !endpoint.is_tls() {
            return Err(Failure::new(
                "a certificate is shown in TLS only: name an `https://` URL by --server",
            ));
        }
        let tls = Tls {
            ca_file: self.ca_file.clone(),
            identity,
        };
        if endpoint.is_tls() {
            // They are read again at every call; what is wrong from the start is said at the start.
            let config = tls.config();
            config.map_err(|error| Failure::new(error.to_string()))?;
        }
        Ok(Client {
            endpoint,
            tls,
            max_bytes: MAX_ANSWER_BYTES,
        })
    }

    fn evidence_audience(&self, endpoint: &Endpoint) -> Result<String, Failure> {
        let named = self.evidence_audience.clone().or_else(|| endpoint.origin());
        let audience = named.ok_or_else(|| {
            Failure::new(
                "a Unix socket has no name for evidence: say by --evidence-audience which of its \
                 provider's `audiences` the token service is",
            )
        })?;
        let is_name = !audience.is_empty()
            && audience.len() <= MAX_AUDIENCE_BYTES
            && audience.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_name {
            return Err(Failure::new(format!(
                "--evidence-audience must be 1 to {MAX_AUDIENCE_BYTES} visible ASCII characters"
            )));
        }
        Ok(audience)
    }

    fn evidence_type(&self) -> EvidenceType {
        match self.evidence_type {
            EvidenceOption::Jwt => EvidenceType::Jwt,
            EvidenceOption::AwsSts => EvidenceType::Other(EvidenceKind::AwsSts),
            EvidenceOption::AwsInstance => EvidenceType::Other(EvidenceKind::AwsInstance),
            EvidenceOption::AzureDocument => EvidenceType::Other(EvidenceKind::AzureDocument),
            EvidenceOption::StaticKey => EvidenceType::Other(EvidenceKind::StaticKey),
        }
    }

    fn platform(&self) -> Result<Option<Platform>, Failure> {
        match (self.platform, &self.evidence_file, &self.evidence_env) {
            (None, Some(_), _) => Ok(Some(Platform::File)),
            (None, None, Some(_)) => Ok(Some(Platform::Variable)),
            (None | Some(Platform::Kubernetes), _, _) | (Some(_), None, _) => Ok(self.platform),
            (Some(platform), Some(_), _) => Err(Failure::new(format!(
                "--evidence-file is not for --platform {}: leave one of them out",
                platform.as_str()
            ))),
        }
    }
}
