//! A packed bundle in a registry of OCI artifacts: manifest, layer, and the token that the registry wants.
//!
//! As OPA, ORAS and the policy tools push it: the one layer of type `application/vnd.oci.image.layer.v1.tar+gzip`
//! is the bundle. What is named by a digest is compared with it before anything of it is parsed. A layer may lie
//! elsewhere: such redirects are followed, without telling anybody there who we are.
//!
//! What this is not: a reader of images. An index of several is refused.

use std::path::PathBuf;

use edgeward_core::json;
use serde::Deserialize;

use super::aws_credentials::in_file;
use super::oci_challenge::Challenge;
use super::oci_reference::{OciDigest, OciReference, OciVersion};
use super::source::{Failed, read_apart};
use crate::fetch::{
    Ask, Credential, FetchError, FetchSettings, Fetched, Got, Kind, Redirects, Server, SourceUrl,
    SourceUrlError, ask,
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Bytes of a manifest, and of what a server of tokens says.
const MAX_MANIFEST: usize = 256 * 1024;

/// One artifact of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciArtifact {
    reference: OciReference,
    /// The root of its repository.
    url: SourceUrl,
    login: OciLogin,
    /// Who may give tokens beside its own host.
    token_hosts: Vec<String>,
    /// How it is fetched, and how often.
    pub fetch: FetchSettings,
}

/// Who we are to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OciLogin {
    /// Nobody.
    Anonymous,
    /// A user; the password is in a file. It is sent only to who asks for it.
    Password {
        /// The user's name.
        username: String,
        /// The file.
        password: PathBuf,
    },
    /// Whoever has the token in this file.
    Token(PathBuf),
}

/// Of a manifest what counts here (OCI Image Specification, "Image Manifest").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    media_type: Option<String>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    /// Of an index: what is both would be read two ways.
    manifests: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl OciArtifact {
    /// The artifact `reference`; `token_hosts` may give tokens for it, as the registry's own host may.
    pub fn new(
        reference: OciReference,
        login: OciLogin,
        token_hosts: Vec<String>,
        fetch: FetchSettings,
    ) -> Result<Self, SourceUrlError> {
        let (registry, repository) = (&reference.registry, &reference.repository);
        let url = format!("https://{registry}/v2/{repository}/");
        let url = SourceUrl::parse(&url, fetch.plaintext)?;
        Ok(Self {
            reference,
            url,
            login,
            token_hosts,
            fetch,
        })
    }

    /// What it is called.
    pub fn reference(&self) -> &OciReference {
        &self.reference
    }

    /// Asks for the bundle, unless its layer is the one of digest `known`.
    pub(super) async fn ask(&self, known: Option<&str>) -> Result<Got, Failed> {
        let mut credential = self.first_credential().await?;
        let version = self.reference.version.to_string();
        let manifest = match self.manifest(&version, credential.as_ref()).await {
            Err(FetchError::Unauthorized(challenge)) if credential.is_none() => {
                credential = Some(self.credential(&challenge).await?);
                self.manifest(&version, credential.as_ref()).await
            }
            answered => answered,
        };
        let layer = self.layer(&manifest?.body)?;
        if known == Some(layer.0.as_str()) {
            return Ok(Got::Unchanged { is_awaited: false });
        }
        self.blob(layer, credential.as_ref()).await
    }

    async fn manifest(
        &self,
        version: &str,
        credential: Option<&Credential>,
    ) -> Result<Fetched, FetchError> {
        let question = Ask {
            kind: Kind::Named(MANIFEST),
            credential,
            ..Ask::BUNDLE
        };
        let url = self.url.join(&format!("manifests/{version}"));
        self.get(url, Redirects::SameOrigin, MAX_MANIFEST, &question)
            .await
    }

    /// The digest and size of the layer that is the bundle.
    fn layer(&self, manifest: &[u8]) -> Result<(OciDigest, usize), Failed> {
        if let OciVersion::Digest(digest) = &self.reference.version
            && !digest.is_of(manifest)
        {
            return Err(Failed::server(format!(
                "sent another manifest than `{digest}`"
            )));
        }
        let wrong = |what: String| Failed::server(format!("sent a manifest that {what}"));
        let value = json::parse(manifest).map_err(|error| wrong(format!("is none: {error}")))?;
        let manifest: Manifest =
            serde_json::from_value(value).map_err(|error| wrong(format!("is none: {error}")))?;
        let is_image = manifest
            .media_type
            .as_deref()
            .is_none_or(|kind| kind == MANIFEST);
        if manifest.schema_version != 2 || !is_image || manifest.manifests.is_some() {
            return Err(wrong(format!("is no `{MANIFEST}`")));
        }
        let mut layers = manifest.layers.into_iter();
        let mut bundles = layers.by_ref().filter(|layer| layer.media_type == LAYER);
        let (Some(layer), None) = (bundles.next(), bundles.next()) else {
            return Err(wrong(format!(
                "has not exactly one layer of type `{LAYER}`"
            )));
        };
        let digest = layer
            .digest
            .parse()
            .map_err(|error| wrong(format!("has {error}")))?;
        let limit = self.fetch.max_bytes;
        let size = usize::try_from(layer.size)
            .ok()
            .filter(|size| *size <= limit);
        Ok((digest, size.ok_or(FetchError::TooLarge(limit))?))
    }

    async fn blob(
        &self,
        (digest, size): (OciDigest, usize),
        credential: Option<&Credential>,
    ) -> Result<Got, Failed> {
        let question = Ask {
            credential,
            ..Ask::BUNDLE
        };
        let url = self.url.join(&format!("blobs/{digest}"));
        let blob = self.get(url, Redirects::AnyOrigin, size, &question).await?;
        if blob.body.len() != size || !digest.is_of(&blob.body) {
            return Err(Failed::server(format!(
                "sent another layer than `{digest}`"
            )));
        }
        Ok(Got::Document(Fetched {
            tag: Some(digest.to_string()),
            ..blob
        }))
    }

    /// What is told before anybody asks.
    async fn first_credential(&self) -> Result<Option<Credential>, Failed> {
        match &self.login {
            OciLogin::Token(file) => {
                let file = file.clone();
                let token = read_apart(move || Credential::bearer_in(&file)).await;
                token.map(Some)
            }
            OciLogin::Anonymous | OciLogin::Password { .. } => Ok(None),
        }
    }

    /// What the registry wants to see.
    async fn credential(&self, challenge: &str) -> Result<Credential, Failed> {
        let password = match &self.login {
            OciLogin::Password { username, password } => {
                let file = password.clone();
                let password = read_apart(move || in_file(&file)).await?;
                Credential::basic(username, &password)
            }
            OciLogin::Anonymous | OciLogin::Token(_) => None,
        };
        match Challenge::parse(challenge) {
            Some(Challenge::Basic) => password.ok_or_else(|| {
                Failed::credential("the registry wants a user name and a password: set `username`")
            }),
            Some(Challenge::Bearer { realm, service }) => {
                self.token(&realm, service.as_deref(), password.as_ref())
                    .await
            }
            None => Err(Failed::credential(
                "the registry asks for what is neither a password nor a token",
            )),
        }
    }

    /// A token to pull this repository, of the server that the registry trusts (Distribution, "Token
    /// Authentication Specification").
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        password: Option<&Credential>,
    ) -> Result<Credential, Failed> {
        let of_realm = |error: SourceUrlError| Failed::credential(format!("token server: {error}"));
        let url = SourceUrl::parse(realm, self.fetch.plaintext).map_err(of_realm)?;
        if !self.may_give_tokens(&url) {
            let why = "is not the registry's own host: add it to `oci.token_hosts`, if it may see the password";
            return Err(Failed::credential(format!(
                "token server: `{}` {why}",
                url.authority()
            )));
        }
        let scope = format!("repository:{}:pull", self.reference.repository);
        let service = service.map(|service| ("service", service));
        let url = url.with_query(service.into_iter().chain([("scope", &*scope)]));
        let question = Ask {
            credential: password,
            ..Ask::JSON
        };
        let get = self.get(Ok(url), Redirects::SameOrigin, MAX_MANIFEST, &question);
        let answer = get
            .await
            .map_err(|error| Failed::credential(format!("token server: {error}")))?;
        let none = || Failed::credential("the token server sent no token");
        let value = json::parse(&answer.body).map_err(|_| none())?;
        let answer: Token = serde_json::from_value(value).map_err(|_| none())?;
        let token = answer.token.or(answer.access_token).ok_or_else(none)?;
        Credential::bearer(&token).ok_or_else(none)
    }

    /// A registry is not free to choose whom a password is sent to.
    fn may_give_tokens(&self, server: &SourceUrl) -> bool {
        let mut named = self.token_hosts.iter();
        named.any(|host| host == server.authority())
            || server.as_url().host() == self.url.as_url().host()
    }

    async fn get(
        &self,
        url: Result<SourceUrl, SourceUrlError>,
        redirects: Redirects,
        max_bytes: usize,
        question: &Ask<'_>,
    ) -> Result<Fetched, FetchError> {
        let settings = FetchSettings {
            max_bytes,
            ..self.fetch.clone()
        };
        let server = Server::WebPki(settings.ca_file.as_deref());
        match ask(&url?, server, redirects, &settings, question).await? {
            Got::Document(document) => Ok(document),
            Got::Unchanged { .. } => Err(FetchError::Status(304)),
        }
    }
}

#[cfg(test)]
#[path = "oci_tests.rs"]
mod tests;
