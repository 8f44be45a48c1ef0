//! A packed bundle in a bucket of S3, or of a store that speaks its language: one signed GET.
//!
//! The request is signed over what is sent of its headers; there is no body. Redirects are not followed,
//! for the signature would not be good there. What this is not: a list of what is in a bucket.

use edgeward_core::time::UnixSeconds;
use http::header::{AUTHORIZATION, HOST};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

use super::aws_credentials::{AwsCredentials, AwsKeys};
use super::source::{Failed, read_apart};
use crate::crypto::AwsScope;
use crate::fetch::{
    Ask, Credential, FetchSettings, Got, Plaintext, Redirects, Server, SourceUrl, SourceUrlError,
    ask,
};

/// The SHA-256 of no body.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// Bytes of a key (AWS, "Object key naming").
const MAX_KEY: usize = 1024;

/// One object of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Object {
    url: SourceUrl,
    region: String,
    credentials: AwsCredentials,
    /// How it is fetched, and how often.
    pub fetch: FetchSettings,
}

/// Where an object is, as it was written.
#[derive(Debug, Clone, Copy)]
pub struct S3Place<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The object's key.
    pub key: &'a str,
    /// Such as `eu-central-1`.
    pub region: &'a str,
    /// The store's URL; none for AWS' own of that region.
    pub endpoint: Option<&'a str>,
    /// Whether the bucket stands in the path instead of the host's name.
    pub is_path_style: bool,
}

/// Why there cannot be such an object. The word is the field's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum S3PlaceError {
    /// Not a bucket's name.
    #[error(
        "`bucket`: `{0}` is no bucket: 3 to 63 lower-case letters, digits, `-` and `.`, a letter or \
         digit at both ends"
    )]
    Bucket(String),
    /// A key that no URL can have.
    #[error(
        "`key`: must have 1 to {MAX_KEY} bytes, and no `.`, `..` or empty name between two `/`"
    )]
    Key,
    /// Not a region.
    #[error("`region`: `{0}` is no region: write one such as `eu-central-1`")]
    Region(String),
    /// Not a URL of a store.
    #[error("`endpoint`: {0}")]
    Endpoint(#[from] SourceUrlError),
    /// More than scheme, host and port.
    #[error("`endpoint`: must end after host and port")]
    Path,
}

impl S3Object {
    /// The object at `place`.
    pub fn new(
        place: S3Place<'_>,
        credentials: AwsCredentials,
        fetch: FetchSettings,
    ) -> Result<Self, S3PlaceError> {
        Ok(Self {
            url: url(place, fetch.plaintext)?,
            region: place.region.to_owned(),
            credentials,
            fetch,
        })
    }

    /// Its URL.
    pub fn url(&self) -> &SourceUrl {
        &self.url
    }

    /// Asks for it, unless it is what `known`, its `ETag`, stands for.
    pub(super) async fn ask(&self, known: Option<&str>, now: UnixSeconds) -> Result<Got, Failed> {
        let credentials = self.credentials.clone();
        let keys = read_apart(move || credentials.read()).await?;
        let credential = self.credential(&keys, now)?;
        let question = Ask {
            known,
            credential: Some(&credential),
            ..Ask::BUNDLE
        };
        let server = Server::WebPki(self.fetch.ca_file.as_deref());
        Ok(ask(&self.url, server, Redirects::None, &self.fetch, &question).await?)
    }

    fn credential(&self, keys: &AwsKeys, now: UnixSeconds) -> Result<Credential, Failed> {
        let scope = AwsScope {
            access: &keys.access,
            secret: &keys.secret,
            session: &keys.session,
            region: &self.region,
            service: "s3",
        };
        let time = i64::try_from(now.0).ok();
        let time = time.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let time = time.ok_or_else(|| Failed::credential("the clock says no time"))?;
        let time = time.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut headers = scope.headers(self.url.authority(), &time, EMPTY);
        let url = self.url.as_url();
        let start = format!("GET\n{}\n", url.path());
        let authorization = scope.authorization(&time, start.into_bytes(), &headers, EMPTY);
        // The client sends it anyway, and of a version of HTTP where it is no header.
        headers.remove(HOST.as_str());
        headers.insert(AUTHORIZATION.as_str(), authorization);
        Credential::of(headers).ok_or_else(|| Failed::credential("keys that no header can carry"))
    }
}

fn url(place: S3Place<'_>, plaintext: Plaintext) -> Result<SourceUrl, S3PlaceError> {
    let S3Place {
        bucket,
        key,
        region,
        ..
    } = place;
    let is_of = |text: &str, others: &[u8]| {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let ends = [text.as_bytes().first(), text.as_bytes().last()];
        text.bytes().all(|b| is_plain(b) || others.contains(&b))
            && ends.iter().all(|end| end.is_some_and(|b| is_plain(*b)))
    };
    if !(3..=63).contains(&bucket.len()) || !is_of(bucket, b"-.") || bucket.contains("..") {
        return Err(S3PlaceError::Bucket(bucket.to_owned()));
    }
    if region.len() > 63 || !is_of(region, b"-") {
        return Err(S3PlaceError::Region(region.to_owned()));
    }
    let is_name = |name: &str| !matches!(name, "" | "." | "..");
    if key.len() > MAX_KEY || !key.split('/').all(is_name) {
        return Err(S3PlaceError::Key);
    }
    let of_aws = format!("https://s3.{region}.amazonaws.com");
    let endpoint = SourceUrl::parse(place.endpoint.unwrap_or(&of_aws), plaintext)?;
    let origin = endpoint.as_url();
    if origin.path() != "/" || origin.query().is_some() {
        return Err(S3PlaceError::Path);
    }
    let (scheme, authority) = (origin.scheme(), endpoint.authority());
    let key = utf8_percent_encode(key, UNRESERVED);
    let url = if place.is_path_style {
        format!("{scheme}://{authority}/{bucket}/{key}")
    } else {
        format!("{scheme}://{bucket}.{authority}/{key}")
    };
    Ok(SourceUrl::parse(&url, plaintext)?)
}

/// What Signature Version 4 leaves as it is in a path of S3; every other byte is percent-encoded, once.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

#[cfg(test)]
#[path = "s3_tests.rs"]
mod tests;
