//! `edgeward bundle verify`: would a PDP take this bundle? Nothing is fetched, nothing is kept.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use edgeward_core::jose::Algorithm;
use serde_json::{Value, json};

use super::super::instant::Instant;
use super::super::output::{OutputFormat, printable};
use super::super::{Failure, Verdict};
use crate::bundle::{
    self, BundleKeys, BundleSettings, BundlesSettings, LocalError, PemKey, PolicyBundle, Rollback,
    Source, Trust,
};
use crate::policy::PolicySettings;

/// Arguments of `edgeward bundle verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  edgeward bundle verify bundle.tar.gz --jwks keys.jwks
  edgeward bundle verify bundle.tar.gz --key release.pem --algorithm ES256 --scope edge
  edgeward bundle verify policies --entrypoint data.authz.decision    a folder, unsigned

With `--entrypoint` the policies are compiled too, and their own tests are run. Exit code 1 when a
PDP would refuse the bundle.")]
pub(super) struct Arguments {
    /// The bundle: `bundle.tar.gz`, or a folder with an unpacked one
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// The keys it must be signed with: a file with a JWK Set
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    jwks: Option<PathBuf>,
    /// The key it must be signed with: a PEM file with a public key or a certificate
    #[arg(long, value_name = "FILE", requires = "algorithm")]
    key: Option<PathBuf>,
    /// The algorithm of the signature made with `--key`, such as ES256
    #[arg(long, value_name = "NAME", requires = "key")]
    algorithm: Option<Algorithm>,
    /// What the signature must be for. Default: a signature without scope
    #[arg(long)]
    scope: Option<String>,
    /// The rule that is to decide, such as `data.authz.decision`
    #[arg(long, value_name = "RULE")]
    entrypoint: Option<String>,
    /// How to answer
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,
}

/// The id given to the one key of `--key`, which counts whatever the signature says.
const KEY_ID: &str = "--key";

pub(super) fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let output = arguments.output;
    let shown = arguments.bundle.display().to_string();
    let verified = verify(arguments);
    let mut out = std::io::stdout().lock();
    match (output, &verified) {
        (OutputFormat::Json, _) => writeln!(out, "{}", answer(&shown, verified.as_ref()))?,
        (OutputFormat::Text, Ok(verified)) => {
            writeln!(out, "{}: ok: {}", printable(&shown), in_words(verified))?;
        }
        (OutputFormat::Text, Err((_, why))) => {
            writeln!(out, "{}: refused: {}", printable(&shown), printable(why))?;
        }
    }
    Ok(if verified.is_ok() {
        Verdict::Yes
    } else {
        Verdict::No
    })
}

struct Verified {
    bundle: Arc<PolicyBundle>,
    is_signed: bool,
    /// What evaluates it, where that was asked for.
    engine: Option<&'static str>,
}

type Refused = (&'static str, String);

fn verify(arguments: Arguments) -> Result<Verified, Refused> {
    let trust = trust(&arguments);
    let is_signed = trust.is_some();
    let bundle = bundle::read(&arguments.bundle, trust.as_ref())
        .map_err(|error| (error.code(), error.to_string()))?;
    let engine = match arguments.entrypoint {
        None => None,
        Some(entry_point) => compile(arguments.bundle, trust, entry_point)?,
    };
    Ok(Verified {
        bundle,
        is_signed,
        engine,
    })
}

fn trust(arguments: &Arguments) -> Option<Trust> {
    let pem = arguments.key.as_ref().zip(arguments.algorithm);
    let pem = pem.map(|(file, algorithm)| {
        BundleKeys::Pem(vec![PemKey {
            id: KEY_ID.to_owned(),
            algorithm,
            file: file.clone(),
        }])
    });
    let key_id = pem.is_some().then(|| KEY_ID.to_owned());
    let jwks = arguments.jwks.clone().map(BundleKeys::Jwks);
    Some(Trust {
        keys: pem.or(jwks)?,
        key_id,
        scope: arguments.scope.clone(),
    })
}

fn compile(
    path: PathBuf,
    trust: Option<Trust>,
    entry_point: String,
) -> Result<Option<&'static str>, Refused> {
    let refused = |error: LocalError| ("bundle-policy", error.to_string());
    let settings = BundleSettings {
        source: Source::Path(path),
        trust,
        rollback: Rollback::Allowed,
        max_age: std::time::Duration::from_hours(1),
    };
    let name = "bundle".parse();
    let name = name.map_err(|error| ("bundle-policy", format!("{error}")))?;
    let settings = BundlesSettings {
        bundles: [(name, settings)].into(),
        directory: None,
    };
    let policies = PolicySettings {
        entry_point,
        ..PolicySettings::default()
    };
    let set = bundle::check(&settings, policies, Instant::now().0).map_err(refused)?;
    Ok(set.map(|set| set.engine()))
}

fn in_words(verified: &Verified) -> String {
    let bundle = &verified.bundle;
    let revision = match bundle.revision() {
        "" => "without revision".to_owned(),
        revision => format!("revision {}", printable(revision)),
    };
    let roots: Vec<String> = bundle
        .roots()
        .texts()
        .map(|root| printable(&root))
        .collect();
    let roots = match roots.join(", ") {
        all if all.is_empty() => "all of data".to_owned(),
        some => format!("roots {some}"),
    };
    let signed = if verified.is_signed {
        "signed"
    } else {
        "unsigned"
    };
    let files = bundle.files().count();
    let engine = verified
        .engine
        .map(|engine| format!(", policies in {engine}"));
    let engine = engine.unwrap_or_default();
    format!("{signed}, {revision}, {roots}, {files} files{engine}")
}

fn answer(shown: &str, verified: Result<&Verified, &Refused>) -> Value {
    match verified {
        Ok(verified) => json!({
            "result": "ok",
            "bundle": shown,
            "signed": verified.is_signed,
            "revision": verified.bundle.revision(),
            "roots": verified.bundle.roots().texts().collect::<Vec<_>>(),
            "files": verified.bundle.files().collect::<Vec<_>>(),
            "engine": verified.engine,
        }),
        Err((code, message)) => json!({
            "result": "refused",
            "bundle": shown,
            "code": code,
            "message": message,
        }),
    }
}
