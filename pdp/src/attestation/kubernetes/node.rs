//! Where a node is: its region, zone and labels.
//!
//! Source: kubernetes.io, "Well-Known Labels, Annotations and Taints".

use super::ReviewRefusal;
use super::json::{Object, labels, object, text};
use crate::attestation::Attributes;

/// The labels that have names of their own here.
const TOPOLOGY: [(&str, &str); 2] = [
    ("topology.kubernetes.io/region", "region"),
    ("topology.kubernetes.io/zone", "zone"),
];

/// Tells `attributes` what the node of this `name` is.
pub(super) fn tell(
    node: &Object,
    name: &str,
    attributes: &mut Attributes,
) -> Result<(), ReviewRefusal> {
    if text(node, "kind")? != Some("Node") {
        return Err(ReviewRefusal::Answer("kind"));
    }
    let metadata = object(node, "metadata")?;
    if text(metadata, "name")? != Some(name) {
        return Err(ReviewRefusal::Disagreement("metadata"));
    }
    if let Some(claimed) = attributes.single("node_uid")
        && text(metadata, "uid")? != Some(claimed)
    {
        return Err(ReviewRefusal::Disagreement("metadata"));
    }
    for (label, value) in labels(metadata)? {
        if value.is_empty() {
            continue;
        }
        if let Some((_, attribute)) = TOPOLOGY.iter().find(|(known, _)| *known == label) {
            attributes.tell(attribute, value)?;
        }
        attributes.tell(&format!("node_label.{label}"), value)?;
    }
    Ok(())
}
