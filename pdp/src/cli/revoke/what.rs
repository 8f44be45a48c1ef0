//! What is to be revoked, as the command line says it: arguments in, an order out.
//!
//! The order is read by the very code that the PDP reads it with, so that both say the same of it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Subcommand;
use edgeward_core::revocation::{Expiry, Order, digest_of_token, hex};
use edgeward_core::time::UnixSeconds;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::cli::Failure;
use crate::cli::instant::Instant;

/// Whose it is: exactly one.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Owner {
    /// The issuer (`iss`), to the letter
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The SPIFFE trust domain
    #[arg(long, value_name = "NAME")]
    trust_domain: Option<String>,
}

/// Said of every revocation.
#[derive(Debug, clap::Args)]
pub(super) struct Terms {
    /// Why, for whoever reads the list
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Until when: RFC 3339, seconds since 1970, a time from now such as `12h`, or `never`.
    /// Default: until what is revoked would have expired; what does not expire, until undone
    #[arg(long, value_name = "WHEN")]
    expires: Option<When>,
}

/// What is to be revoked.
#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// A token: by its file (only its digest is sent), its SHA-256, or its `jti`
    #[command(group = clap::ArgGroup::new("named").required(true))]
    Token {
        /// A file with the token
        #[arg(long, group = "named")]
        file: Option<PathBuf>,
        /// SHA-256 of the token without its signature (`header.payload`), in hex
        #[arg(long, group = "named", value_name = "HEX")]
        sha256: Option<String>,
        /// Its `jti`, with --issuer or --trust-domain
        #[arg(long, group = "named", value_name = "ID")]
        jti: Option<String>,
        /// The issuer (`iss`), to the letter
        #[arg(long, value_name = "URL", requires = "jti")]
        issuer: Option<String>,
        /// The SPIFFE trust domain
        #[arg(long, value_name = "NAME", requires = "jti", conflicts_with = "issuer")]
        trust_domain: Option<String>,
        #[command(flatten)]
        terms: Terms,
    },
    /// A workload
    Subject {
        /// Its SPIFFE ID, or `issuer|sub`
        id: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// A key, and with it every token that it signed
    Key {
        #[command(flatten)]
        owner: Owner,
        /// Its `kid`
        kid: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// An issuer, and with it all its tokens
    Issuer {
        /// Its `iss`, to the letter
        issuer: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// A trust domain, and with it all its workloads
    TrustDomain {
        /// Its name
        name: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// A session, and with it all its tokens
    Session {
        #[command(flatten)]
        owner: Owner,
        /// Its `sid`
        sid: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// A client certificate
    #[command(group = clap::ArgGroup::new("certificate").required(true))]
    Certificate {
        /// SHA-256 of the certificate, in hex, as `openssl x509 -noout -sha256 -fingerprint` prints it
        #[arg(group = "certificate")]
        sha256: Option<String>,
        /// A PEM file with the certificate, leaf first
        #[arg(long, group = "certificate")]
        file: Option<PathBuf>,
        #[command(flatten)]
        terms: Terms,
    },
    /// A policy revision: nothing is decided until another is in force
    Policy {
        /// The revision, as decisions and `/health/ready` name it
        revision: String,
        #[command(flatten)]
        terms: Terms,
    },
}

impl What {
    /// The order as it is sent.
    pub(super) fn order(&self) -> Result<Value, Failure> {
        let mut members = Members(Map::new());
        let terms = match self {
            Self::Token {
                file,
                sha256,
                jti,
                issuer,
                trust_domain,
                terms,
            } => {
                let digest = file.as_deref().map(digest_of_file).transpose()?;
                members.kind("token");
                members.set("sha256", digest.as_ref().or(sha256.as_ref()));
                members.set("jti", jti.as_ref());
                members.set("issuer", issuer.as_ref());
                members.set("trust_domain", trust_domain.as_ref());
                terms
            }
            Self::Subject { id, terms } => members.named("subject", "subject", id, terms),
            Self::Key { owner, kid, terms } => {
                members.owner(owner);
                members.named("key", "kid", kid, terms)
            }
            Self::Issuer { issuer, terms } => members.named("issuer", "issuer", issuer, terms),
            Self::TrustDomain { name, terms } => {
                members.named("trust-domain", "trust_domain", name, terms)
            }
            Self::Session { owner, sid, terms } => {
                members.owner(owner);
                members.named("session", "sid", sid, terms)
            }
            Self::Certificate {
                sha256,
                file,
                terms,
            } => {
                let digest = file.as_deref().map(digest_of_certificate).transpose()?;
                members.kind("certificate");
                members.set("sha256", digest.as_ref().or(sha256.as_ref()));
                terms
            }
            Self::Policy { revision, terms } => {
                members.named("policy", "revision", revision, terms)
            }
        };
        members.set("reason", terms.reason.as_ref());
        let mut order = members.0;
        if let Some(When(expiry)) = terms.expires {
            let value = match expiry {
                Expiry::At(instant) => instant.0.into(),
                Expiry::Never => "never".into(),
            };
            order.insert("expires_at".to_owned(), value);
        }
        let order = Value::Object(order);
        Order::parse(order.to_string().as_bytes())
            .map_err(|error| Failure::new(error.to_string()))?;
        Ok(order)
    }
}

struct Members(Map<String, Value>);

impl Members {
    fn set(&mut self, name: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.as_str().into());
        }
    }

    fn kind(&mut self, kind: &str) {
        self.0.insert("kind".to_owned(), kind.into());
    }

    fn owner(&mut self, owner: &Owner) {
        self.set("issuer", owner.issuer.as_ref());
        self.set("trust_domain", owner.trust_domain.as_ref());
    }

    fn named<'t>(
        &mut self,
        kind: &str,
        member: &str,
        name: &String,
        terms: &'t Terms,
    ) -> &'t Terms {
        self.kind(kind);
        self.set(member, Some(name));
        terms
    }
}

fn digest_of_file(file: &Path) -> Result<String, Failure> {
    let token = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    Ok(hex(&digest_of_token(token.trim())))
}

fn digest_of_certificate(file: &Path) -> Result<String, Failure> {
    let certificate = CertificateDer::from_pem_file(file).map_err(|error| {
        let file = file.display();
        Failure::new(format!(
            "{file}: {error}: it must hold a PEM block `BEGIN CERTIFICATE`"
        ))
    })?;
    Ok(hex(&Sha256::digest(&certificate)))
}

/// When a revocation ends, as `--expires` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct When(Expiry);

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "never" {
            return Ok(Self(Expiry::Never));
        }
        if let Ok(Instant(instant)) = text.parse() {
            return Ok(Self(Expiry::At(instant)));
        }
        let life = humantime::parse_duration(text).map_err(
            |_| "write `2026-01-31T12:00:00Z`, a time from now such as `12h`, or `never`",
        )?;
        Ok(Self(Expiry::At(Instant::now().0.plus(life.as_secs()))))
    }
}

impl When {
    /// An instant for people.
    pub(in crate::cli) fn rfc3339(instant: UnixSeconds) -> String {
        let seconds = i64::try_from(instant.0).ok();
        let timestamp = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        timestamp.map_or_else(|| instant.0.to_string(), |timestamp| timestamp.to_string())
    }
}
