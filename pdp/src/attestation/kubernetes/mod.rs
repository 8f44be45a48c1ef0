//! Kubernetes, asked: whether a service account's token still holds, and what runs in its pod.
//!
//! A token's signature says that the API server issued it. That its pod was deleted since, and which images
//! run in it, only the API server can say: it is asked by a TokenReview, and for the pod and its node.
//! Order of reading: `token_review`, `pod`, `node`, `api`, `refusal`.
//!
//! INVARIANT: nothing is told that is not of the very pod, by its UID, to which the token is bound.
//!
//! What this is not: the verification of the token (`super::jwt`), which comes first: who made a token up
//! costs the API server nothing.

mod api;
mod json;
mod node;
mod pod;
mod refusal;
mod token_review;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

pub use self::refusal::ReviewRefusal;
use super::Attributes;
use crate::fetch::{FetchSettings, SourceUrl};

/// Checked settings: which API server, and what it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewSettings {
    /// Its URL, without a path.
    pub server: SourceUrl,
    /// The file of the token by which it knows us; read again each time.
    pub token_file: PathBuf,
    /// What this PDP is called in tokens: as for their verification, never empty.
    pub audiences: Vec<String>,
    /// Whether the token's pod is looked up.
    pub pods: bool,
    /// Whether the pod's node is.
    pub nodes: bool,
    /// How long its word is taken without asking again.
    pub recheck_after: Duration,
    /// How it is asked.
    pub fetch: FetchSettings,
}

impl ReviewSettings {
    /// Asks about `token`, which verified and said `attributes`, and adds what its pod and node are.
    ///
    /// Attributes: of the pod `image` and `image_digest` (of every container, each of which must be as
    /// selectors have it), `pod_label.NAME`, `owner_kind`, `owner`, `owner_uid`, `node`; of the node
    /// `region`, `zone`, `node_label.NAME`.
    pub async fn review(
        &self,
        token: &str,
        mut attributes: Attributes,
    ) -> Result<Attributes, ReviewRefusal> {
        let server = api::Server::of(self)?;
        let question = token_review::question(token, &self.audiences);
        let answer = server.post(token_review::PATH, &question).await?;
        token_review::check(&answer, &self.audiences, &attributes)?;
        let named = |name: &str| attributes.single(name).map(str::to_owned);
        let bound = (named("namespace"), named("pod"), named("pod_uid"));
        let (true, (Some(namespace), Some(name), Some(uid))) = (self.pods, bound) else {
            return Ok(attributes);
        };
        let path = ["api", "v1", "namespaces", &namespace, "pods", &name];
        let pod = server.get("pods", &path).await?;
        let pod = pod.ok_or(ReviewRefusal::PodGone)?;
        pod::tell(&pod, &uid, &mut attributes)?;
        let node = attributes.single("node").map(str::to_owned);
        if let (true, Some(node)) = (self.nodes, node) {
            let path = ["api", "v1", "nodes", &node];
            let answer = server.get("nodes", &path).await?;
            let answer = answer.ok_or(ReviewRefusal::Answer("no such node"))?;
            node::tell(&answer, &node, &mut attributes)?;
        }
        Ok(attributes)
    }
}
