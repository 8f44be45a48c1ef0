//! `edgeward token mint`: tokens for development, signed with keys that lie on this machine.
//!
//! What this is not: a token service. It refuses to run against a production configuration.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use edgeward_core::jose::Algorithm;
use edgeward_core::spiffe::SpiffeId;
use edgeward_core::token::TokenRules;
use serde_json::{Map, Value};

use super::key_file;
use super::publish::{self, Destination};
use super::{Failure, Verdict};
use crate::cli::instant::Instant;
use crate::config::{Config, Environment};
use crate::crypto::Signer;

/// Where keys are kept unless said otherwise, beside the configuration file.
const DEFAULT_KEY_DIRECTORY: &str = "dev-keys";

/// Arguments of `edgeward token mint`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  edgeward token mint --config dev.yaml --as spiffe://example.org/cart
  edgeward token mint --config dev.yaml --issuer https://idp.example --subject alice --ttl 1h --claim role=admin
  edgeward token mint --config dev.yaml --as spiffe://example.org/cart --forged

The configuration must say `environment: development`, and the issuer's or trust domain's keys must
come from a file: the public key is added to that file. Private keys stay in the key directory.")]
pub(super) struct Arguments {
    /// The configuration to mint for
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Mint a JWT-SVID for this SPIFFE ID
    #[arg(long = "as", value_name = "SPIFFE_ID", conflicts_with_all = ["issuer", "subject"], required_unless_present = "issuer")]
    spiffe_id: Option<SpiffeId>,
    /// Mint a JWT of this issuer
    #[arg(long, requires = "subject")]
    issuer: Option<String>,
    /// The `sub` of the JWT
    #[arg(long, requires = "issuer")]
    subject: Option<String>,
    /// The `aud`; may be repeated. Default: the first audience in the configuration
    #[arg(long)]
    audience: Vec<String>,
    /// How long the token lives
    #[arg(long, default_value = "5m", value_parser = humantime::parse_duration)]
    ttl: Duration,
    /// When it was issued, RFC 3339 or seconds since 1970, instead of now
    #[arg(long, value_name = "INSTANT")]
    issued_at: Option<Instant>,
    /// A further claim; the value is JSON, or text where it is not. May be repeated
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse_claim)]
    claims: Vec<(String, Value)>,
    /// The signature algorithm. Default: ES256 where allowed, else the first allowed
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// Where private keys are kept. Default: `dev-keys` beside the configuration file
    #[arg(long, value_name = "DIR")]
    key_dir: Option<PathBuf>,
    /// Sign with a throwaway key under the real key's id, as a forger would
    #[arg(long)]
    forged: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let config = Config::load(&arguments.config)?;
    let file = arguments.config.display();
    if config.environment != Environment::Development {
        return Err(Failure::new(format!(
            "{file}: is a production configuration: tokens are only minted where it says \
             `environment: development`"
        )));
    }
    let minter = Minter::of(arguments, &config)?;
    let algorithm = minter.algorithm(arguments.algorithm)?;
    let signer = signer(arguments, &minter, algorithm)?;
    let claims = Value::Object(minter.claims(arguments)).to_string();
    let token = signer
        .sign(Some("JWT"), claims.as_bytes())
        .map_err(|error| Failure::new(error.to_string()))?;
    writeln!(std::io::stdout().lock(), "{token}")?;
    Ok(Verdict::Yes)
}

fn signer(
    arguments: &Arguments,
    minter: &Minter<'_>,
    algorithm: Algorithm,
) -> Result<Signer, Failure> {
    let directory = key_directory(arguments);
    let _lock = key_file::lock(&directory)?;
    let signer = key_file::load_or_create(&directory, minter.name, algorithm)?;
    publish::publish(&minter.destination, &signer)?;
    if !arguments.forged {
        return Ok(signer);
    }
    let forger = Signer::generate(algorithm).map_err(|error| Failure::new(error.to_string()))?;
    Ok(forger.with_key_id(signer.key_id()))
}

fn key_directory(arguments: &Arguments) -> PathBuf {
    let beside = || {
        arguments
            .config
            .parent()
            .unwrap_or(Path::new(""))
            .join(DEFAULT_KEY_DIRECTORY)
    };
    arguments.key_dir.clone().unwrap_or_else(beside)
}

/// Who would have issued the token, and where its verifier looks for the key.
struct Minter<'a> {
    issuer: Option<&'a str>,
    subject: &'a str,
    rules: &'a TokenRules,
    destination: Destination<'a>,
    name: &'a str,
}

impl<'a> Minter<'a> {
    fn of(arguments: &'a Arguments, config: &'a Config) -> Result<Self, Failure> {
        let file = arguments.config.display();
        if let Some(id) = &arguments.spiffe_id {
            let domain = config
                .keys
                .trust_domains
                .iter()
                .find(|domain| id.is_member_of(&domain.name))
                .ok_or_else(|| {
                    Failure::new(format!(
                        "{file}: trust_domains: has no `{}`: add it, with `bundle: {{file: …}}`",
                        id.trust_domain()
                    ))
                })?;
            return Ok(Self {
                issuer: None,
                subject: id.as_str(),
                rules: &domain.rules,
                destination: Destination::of_trust_domain(domain)?,
                name: domain.name.as_str(),
            });
        }
        let (issuer, subject) = (arguments.issuer.as_deref(), arguments.subject.as_deref());
        let settings = config
            .keys
            .issuers
            .iter()
            .find(|settings| Some(settings.issuer.as_str()) == issuer)
            .ok_or_else(|| {
                let issuer = issuer.unwrap_or_default();
                Failure::new(format!(
                    "{file}: issuers: has no `{issuer}`: add it, with `keys: {{file: …}}`"
                ))
            })?;
        Ok(Self {
            issuer,
            subject: subject.unwrap_or_default(),
            rules: &settings.rules,
            destination: Destination::of_issuer(settings)?,
            name: settings.issuer.as_str(),
        })
    }

    fn algorithm(&self, wanted: Option<Algorithm>) -> Result<Algorithm, Failure> {
        let allowed = &self.rules.algorithms;
        let first = allowed
            .contains(&Algorithm::Es256)
            .then_some(Algorithm::Es256);
        let algorithm = wanted.or(first).or_else(|| allowed.first().copied());
        match algorithm {
            Some(algorithm) if allowed.contains(&algorithm) => Ok(algorithm),
            Some(algorithm) => Err(Failure::new(format!(
                "`--algorithm {algorithm}` is not among the `algorithms` of `{}`",
                self.name
            ))),
            None => Err(Failure::new(format!(
                "`algorithms` of `{}` is empty",
                self.name
            ))),
        }
    }

    /// The registered claims, then those of `--claim`, which win: tests need odd tokens.
    fn claims(&self, arguments: &Arguments) -> Map<String, Value> {
        let Instant(issued_at) = arguments.issued_at.unwrap_or_else(Instant::now);
        let mut audience = arguments.audience.clone();
        if audience.is_empty() {
            audience.extend(Vec::from(self.rules.audiences.clone()).into_iter().take(1));
        }
        let mut claims = Map::new();
        if let Some(issuer) = self.issuer {
            claims.insert("iss".to_owned(), issuer.into());
        }
        claims.insert("sub".to_owned(), self.subject.into());
        claims.insert("aud".to_owned(), audience.into());
        claims.insert("iat".to_owned(), issued_at.0.into());
        claims.insert(
            "exp".to_owned(),
            issued_at.plus(arguments.ttl.as_secs()).0.into(),
        );
        claims.extend(arguments.claims.iter().cloned());
        claims
    }
}

fn parse_claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("write it as NAME=VALUE, such as `role=admin` or `groups=[\"a\"]`")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}
