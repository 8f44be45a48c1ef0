//! What kind of token it says it is: by its header, its issuer and the claims that only one platform has.

use edgeward_core::spiffe::looks_like_spiffe_id;
use serde_json::{Map, Value};

use super::decoded::{Decoded, Jwt};

/// A kind: a stable word, and words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) word: &'static str,
    pub(super) says: &'static str,
}

const fn kind(word: &'static str, says: &'static str) -> Kind {
    Kind { word, says }
}

/// Issuers that have one name all over the world.
const ISSUERS: [(&str, Kind); 7] = [
    (
        "https://token.actions.githubusercontent.com",
        kind("github", "the token of a GitHub Actions job"),
    ),
    (
        "https://app.terraform.io",
        kind("terraform", "the token of an HCP Terraform run"),
    ),
    (
        "https://oidc.circleci.com/",
        kind("circleci", "the token of a CircleCI job"),
    ),
    (
        "https://api.bitbucket.org/",
        kind("bitbucket", "the token of a Bitbucket Pipelines step"),
    ),
    (
        "https://accounts.google.com",
        kind("gcp", "an identity token of Google"),
    ),
    (
        "https://sts.windows.net/",
        kind("azure", "a token of Microsoft Entra ID (version 1)"),
    ),
    (
        "https://login.microsoftonline.com/",
        kind("azure", "a token of Microsoft Entra ID (version 2)"),
    ),
];

/// Claims that one platform has, also where its issuer is one's own server.
const CLAIMS: [(&str, Kind); 6] = [
    (
        "kubernetes.io",
        kind("kubernetes", "a service account token of Kubernetes"),
    ),
    (
        "https://sts.amazonaws.com/",
        kind("aws", "a token of AWS (`sts:GetWebIdentityToken`)"),
    ),
    (
        "terraform_workspace_id",
        kind("terraform", "the token of a Terraform run"),
    ),
    (
        "workspaceUuid",
        kind("bitbucket", "the token of a Bitbucket Pipelines step"),
    ),
    (
        "repository_owner_id",
        kind("github", "the token of a GitHub Actions job"),
    ),
    ("project_path", kind("gitlab", "the token of a GitLab job")),
];

impl Kind {
    pub(super) fn of(decoded: &Decoded) -> Self {
        match decoded {
            Decoded::Jwt(jwt) => of_jwt(jwt),
            Decoded::Encrypted(_) => kind(
                "encrypted",
                "an encrypted token (JWE): only its header can be read",
            ),
            Decoded::AwsRequest => kind(
                "aws-sts",
                "a signed `GetCallerIdentity` of AWS: whoever holds it can say that it is its signer",
            ),
            Decoded::Opaque => kind(
                "opaque",
                "an opaque token, or none: only its issuer knows what it says",
            ),
        }
    }
}

fn of_jwt(jwt: &Jwt) -> Kind {
    let text = |members: &Map<String, Value>, name: &str| {
        let text = members.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let is_ours = jwt.claims.get("edgeward").is_some_and(Value::is_object);
    if looks_like_spiffe_id(&text(&jwt.claims, "sub")) {
        return if is_ours {
            kind(
                "jwt-svid",
                "a SPIFFE JWT-SVID that says that Edgeward's token service made it",
            )
        } else {
            kind("jwt-svid", "a SPIFFE JWT-SVID")
        };
    }
    let typ = text(&jwt.header, "typ").to_ascii_lowercase();
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "at+jwt" if is_ours => {
            return kind(
                "access-token",
                "an access token that says that Edgeward's token service made it",
            );
        }
        "at+jwt" => return kind("access-token", "an access token (RFC 9068)"),
        "dpop+jwt" => return kind("dpop-proof", "a DPoP proof (RFC 9449), which is no token"),
        "logout+jwt" => {
            return kind(
                "logout-token",
                "a logout token of OpenID Connect, which opens nothing",
            );
        }
        _ => {}
    }
    let issuer = text(&jwt.claims, "iss");
    // One that ends in `/` stands for all below it.
    let is_of =
        |known: &str| issuer == known || (known.ends_with('/') && issuer.starts_with(known));
    let by_issuer = ISSUERS.into_iter().find(|(known, _)| is_of(known));
    let by_claim = || {
        CLAIMS
            .into_iter()
            .find(|(name, _)| jwt.claims.contains_key(*name))
    };
    let found = by_issuer.or_else(by_claim).map(|(_, kind)| kind);
    found.unwrap_or(kind(
        "jwt",
        "a JWT of an issuer that is known by no sign of its own",
    ))
}
