//! What a pod is: the images of its containers, its labels, who made it, where it runs.
//!
//! Any container of a pod can read the token of another, so that every image counts: those of sidecars,
//! of containers that ran first, and of those that somebody added to look around.
//!
//! Source: kubernetes.io, API reference `v1`, Pod.

use super::ReviewRefusal;
use super::json::{Object, labels, object, objects, text};
use crate::attestation::Attributes;

/// The three kinds of containers: where they are described, and where their state is told.
const CONTAINERS: [(&str, &str); 3] = [
    ("containers", "containerStatuses"),
    ("initContainers", "initContainerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
];

/// Tells `attributes` what `pod` is, which must be the one of this `uid`.
pub(super) fn tell(
    pod: &Object,
    uid: &str,
    attributes: &mut Attributes,
) -> Result<(), ReviewRefusal> {
    if text(pod, "kind")? != Some("Pod") {
        return Err(ReviewRefusal::Answer("kind"));
    }
    let metadata = object(pod, "metadata")?;
    // Another pod has its name now.
    if text(metadata, "uid")? != Some(uid) {
        return Err(ReviewRefusal::PodGone);
    }
    for (name, attribute) in [("namespace", "namespace"), ("name", "pod")] {
        if text(metadata, name)? != attributes.single(attribute) {
            return Err(ReviewRefusal::Disagreement("metadata"));
        }
    }
    let (spec, status) = (object(pod, "spec")?, object(pod, "status")?);
    if text(spec, "serviceAccountName")? != attributes.single("service_account") {
        return Err(ReviewRefusal::Disagreement("serviceAccountName"));
    }
    if matches!(text(status, "phase")?, Some("Succeeded" | "Failed")) {
        return Err(ReviewRefusal::PodEnded);
    }
    tell_node(spec, attributes)?;
    tell_images(spec, status, attributes)?;
    tell_owner(metadata, attributes)?;
    for (name, value) in labels(metadata)? {
        if !value.is_empty() {
            attributes.tell(&format!("pod_label.{name}"), value)?;
        }
    }
    Ok(())
}

/// Newer clusters put the node into the token; it is told once.
fn tell_node(spec: &Object, attributes: &mut Attributes) -> Result<(), ReviewRefusal> {
    match (text(spec, "nodeName")?, attributes.single("node")) {
        (Some(told), Some(claimed)) if told != claimed => {
            Err(ReviewRefusal::Disagreement("nodeName"))
        }
        (Some(told), None) => Ok(attributes.tell("node", told)?),
        _ => Ok(()),
    }
}

fn tell_images(
    spec: &Object,
    status: &Object,
    attributes: &mut Attributes,
) -> Result<(), ReviewRefusal> {
    let mut digests = Vec::new();
    for (described, told) in CONTAINERS {
        let states = objects(status, told)?;
        for container in objects(spec, described)? {
            let name = text(container, "name")?.ok_or(ReviewRefusal::Answer("name"))?;
            let image = text(container, "image")?.ok_or(ReviewRefusal::Answer("image"))?;
            attributes.tell_each("image", image)?;
            let mut of_it = None;
            for state in &states {
                if text(state, "name")? == Some(name) {
                    of_it = text(state, "imageID")?;
                }
            }
            // `registry/name@sha256:…`; without a name it is not the registry's digest.
            digests.push(
                of_it
                    .and_then(|id| id.rsplit_once('@'))
                    .map(|(_, digest)| digest),
            );
        }
    }
    // One that is not known yet could be any: none is told then.
    if let Some(digests) = digests.into_iter().collect::<Option<Vec<_>>>() {
        for digest in digests {
            attributes.tell_each("image_digest", digest)?;
        }
    }
    Ok(())
}

/// Who made it: the one owner that says that it controls it.
fn tell_owner(metadata: &Object, attributes: &mut Attributes) -> Result<(), ReviewRefusal> {
    for owner in objects(metadata, "ownerReferences")? {
        if owner.get("controller") != Some(&true.into()) {
            continue;
        }
        let told = [
            ("kind", "owner_kind"),
            ("name", "owner"),
            ("uid", "owner_uid"),
        ];
        for (name, attribute) in told {
            let value = text(owner, name)?.ok_or(ReviewRefusal::Answer("ownerReferences"))?;
            attributes.tell(attribute, value)?;
        }
    }
    Ok(())
}
