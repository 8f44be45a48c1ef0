//! Where one policy bundle comes from, and what is only for some of these places.

use std::path::PathBuf;
use std::time::Duration;

use super::sources::{fetch_settings, file_path, source_url};
use super::{Context, exactly_one, scalar};
use crate::bundle::{AwsCredentials, Endpoint, OciArtifact, OciLogin, S3Object, S3Place, Source};
use crate::config::problem::{Field, Findings};
use crate::config::raw_bundles::{RawAwsCredentials, RawOci, RawS3};
use crate::config::raw_text::{DurationText, SizeText};
use crate::config::raw_trust::RawFetch;
use crate::fetch::FetchSettings;

const SECOND: Duration = Duration::from_secs(1);
const SIZE: std::ops::RangeInclusive<u64> = 1024..=1024 * 1024 * 1024;
const DEFAULT_SIZE: u64 = 64 * 1024 * 1024;

/// The one place that was named.
pub(super) enum Place {
    Url(String),
    Path(PathBuf),
    S3(RawS3),
    Oci(RawOci),
}

/// What was said beside the place.
pub(super) struct Around {
    pub(super) unsigned: bool,
    pub(super) fetch: Option<RawFetch>,
    pub(super) max_size: Option<SizeText>,
    pub(super) long_poll: Option<DurationText>,
    pub(super) bearer_token: Option<PathBuf>,
}

impl Around {
    pub(super) fn source(
        mut self,
        place: Place,
        field: &Field,
        context: &Context<'_>,
        findings: &mut Findings,
    ) -> Option<Source> {
        let (is_path, is_url) = (
            matches!(place, Place::Path(_)),
            matches!(place, Place::Url(_)),
        );
        for (name, is_set, is_fit, what) in [
            (
                "unsigned",
                self.unsigned,
                !is_path,
                "what comes over a network",
            ),
            (
                "max_size",
                self.max_size.is_some(),
                !is_path,
                "what comes over a network",
            ),
            ("long_poll", self.long_poll.is_some(), is_url, "a `url`"),
            (
                "bearer_token_file",
                self.bearer_token.is_some(),
                is_url,
                "a `url`",
            ),
        ] {
            if is_set && !is_fit {
                let message = format!("is only for {what}: remove it");
                findings.refuse(&field.key(name), message);
            }
        }
        let fetch = self.fetch_settings(!is_path, field, context, findings);
        match place {
            Place::Path(path) => {
                file_path(&path, &field.key("path"), context, findings).map(Source::Path)
            }
            Place::Url(url) => self
                .endpoint(&url, fetch, field, context, findings)
                .map(|endpoint| Source::Http(Box::new(endpoint))),
            Place::S3(raw) => object(raw, fetch, &field.key("s3"), context, findings)
                .map(|object| Source::S3(Box::new(object))),
            Place::Oci(raw) => artifact(&raw, fetch, &field.key("oci"), context, findings)
                .map(|artifact| Source::Oci(Box::new(artifact))),
        }
    }

    fn fetch_settings(
        &mut self,
        is_fetched: bool,
        field: &Field,
        context: &Context<'_>,
        findings: &mut Findings,
    ) -> FetchSettings {
        let raw = self.fetch.take();
        let fetch = fetch_settings(raw, is_fetched, &defaults(), field, context, findings);
        let size = self.max_size.as_ref().map(|SizeText(text)| {
            let given = scalar::size(text);
            given.and_then(|given| scalar::within(given, &SIZE))
        });
        let size = size.and_then(|size| findings.accept(&field.key("max_size"), size));
        FetchSettings {
            max_bytes: usize::try_from(size.unwrap_or(DEFAULT_SIZE)).unwrap_or(usize::MAX),
            ..fetch
        }
    }

    fn endpoint(
        self,
        url: &str,
        fetch: FetchSettings,
        field: &Field,
        context: &Context<'_>,
        findings: &mut Findings,
    ) -> Option<Endpoint> {
        let wait = self.long_poll.as_ref();
        let long_poll = field.key("long_poll");
        let long_poll = scalar::duration_if(wait, SECOND..=600 * SECOND, &long_poll, findings);
        let token = field.key("bearer_token_file");
        let bearer_token = self.bearer_token;
        let bearer_token =
            bearer_token.and_then(|path| file_path(&path, &token, context, findings));
        Some(Endpoint {
            url: source_url(url, &field.key("url"), context, findings)?,
            fetch,
            long_poll,
            bearer_token,
        })
    }
}

fn defaults() -> FetchSettings {
    let mut defaults = FetchSettings {
        timeout: 30 * SECOND,
        ..FetchSettings::default()
    };
    defaults.refresh.interval = 30 * SECOND;
    defaults
}

fn object(
    raw: RawS3,
    fetch: FetchSettings,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<S3Object> {
    let at = field.key("credentials");
    let credentials = match raw.credentials {
        None => Some(AwsCredentials::Environment),
        Some(raw) => credentials(raw, &at, context, findings),
    };
    let place = S3Place {
        bucket: &raw.bucket,
        key: &raw.key,
        region: &raw.region,
        endpoint: raw.endpoint.as_deref(),
        is_path_style: raw.path_style.unwrap_or(raw.endpoint.is_some()),
    };
    let object = S3Object::new(place, credentials?, fetch);
    findings.accept(field, object)
}

enum Keys {
    One(String),
    File(PathBuf),
}

fn credentials(
    raw: RawAwsCredentials,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<AwsCredentials> {
    let choices = vec![
        ("access_key_id", raw.access_key_id.map(Keys::One)),
        ("file", raw.file.map(Keys::File)),
    ];
    let keys = exactly_one(choices, field, findings)?;
    let is_one = matches!(keys, Keys::One(_));
    for (name, is_set, is_fit, of) in [
        (
            "secret_access_key_file",
            raw.secret_access_key_file.is_some(),
            is_one,
            "access_key_id",
        ),
        (
            "session_token_file",
            raw.session_token_file.is_some(),
            is_one,
            "access_key_id",
        ),
        ("profile", raw.profile.is_some(), !is_one, "file"),
    ] {
        if is_set && !is_fit {
            findings.refuse(&field.key(name), format!("is only with `{of}`: remove it"));
        }
    }
    let mut path = |path: PathBuf, name| file_path(&path, &field.key(name), context, findings);
    match keys {
        Keys::File(file) => Some(AwsCredentials::Profile {
            file: path(file, "file")?,
            profile: raw.profile.unwrap_or_else(|| "default".to_owned()),
        }),
        Keys::One(access_key_id) => {
            let secret = raw.secret_access_key_file.unwrap_or_default();
            let session = raw.session_token_file;
            Some(AwsCredentials::Keys {
                access_key_id,
                secret_access_key: path(secret, "secret_access_key_file")?,
                session_token: match session {
                    Some(file) => Some(path(file, "session_token_file")?),
                    None => None,
                },
            })
        }
    }
}

fn artifact(
    raw: &RawOci,
    fetch: FetchSettings,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<OciArtifact> {
    let login = login(raw, field, context, findings);
    let at = field.key("reference");
    let reference = findings.accept(&at, raw.reference.parse())?;
    let hosts = field.key("token_hosts");
    for (index, host) in raw.token_hosts.iter().enumerate() {
        let is_host = source_url(
            &format!("https://{host}/"),
            &hosts.index(index),
            context,
            findings,
        )
        .is_some_and(|url| url.authority() == host);
        if !is_host {
            findings.refuse(
                &hosts.index(index),
                format!("`{host}` is no host, with a port where it is not 443, in small letters"),
            );
            return None;
        }
    }
    let artifact = OciArtifact::new(reference, login?, raw.token_hosts.clone(), fetch);
    findings.accept(&at, artifact)
}

fn login(
    raw: &RawOci,
    field: &Field,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<OciLogin> {
    let mut path = |path: &PathBuf, name| file_path(path, &field.key(name), context, findings);
    match (&raw.username, &raw.password_file, &raw.bearer_token_file) {
        (None, None, None) => Some(OciLogin::Anonymous),
        (None, None, Some(file)) => path(file, "bearer_token_file").map(OciLogin::Token),
        (Some(username), Some(file), None) if !username.contains(':') => Some(OciLogin::Password {
            username: username.clone(),
            password: path(file, "password_file")?,
        }),
        (Some(username), Some(_), None) => {
            let message = format!("`{username}` has a `:`, which no user name has");
            findings.refuse(&field.key("username"), message);
            None
        }
        _ => {
            let message =
                "must have `username` with `password_file`, or `bearer_token_file`, or none";
            findings.refuse(field, message);
            None
        }
    }
}
