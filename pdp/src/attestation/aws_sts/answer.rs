//! What STS says: a `GetCallerIdentityResponse`, as JSON or as XML, and nothing else.

use edgeward_core::json;
use roxmltree::{Document, Node};
use serde_json::{Map, Value};

use super::AwsStsRefusal;

/// The namespace of version 2011-06-15.
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Who signed a request, in the words of STS.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CallerIdentity {
    pub(super) account: String,
    pub(super) arn: String,
    pub(super) user_id: String,
}

/// Reads the body of an answer.
pub(super) fn read(body: &[u8]) -> Result<CallerIdentity, AwsStsRefusal> {
    let unexpected = AwsStsRefusal::Answer("neither JSON nor XML of that name");
    match body.first() {
        Some(b'{') => of_json(body),
        Some(b'<') => of_xml(body),
        _ => None,
    }
    .ok_or(unexpected)
}

fn of_json(body: &[u8]) -> Option<CallerIdentity> {
    let mut answer = json::parse_object(body).ok()?;
    let mut result = object(
        object(answer.remove("GetCallerIdentityResponse")?)?.remove("GetCallerIdentityResult")?,
    )?;
    let mut told = |name: &str| match result.remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    };
    Some(CallerIdentity {
        account: told("Account")?,
        arn: told("Arn")?,
        user_id: told("UserId")?,
    })
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn of_xml(body: &[u8]) -> Option<CallerIdentity> {
    // Without document types: no entities that could stand for something else.
    let document = Document::parse(std::str::from_utf8(body).ok()?).ok()?;
    let root = document.root_element();
    if !root.has_tag_name((NAMESPACE, "GetCallerIdentityResponse")) {
        return None;
    }
    let result = only(root, "GetCallerIdentityResult")?;
    Some(CallerIdentity {
        account: text(only(result, "Account")?)?,
        arn: text(only(result, "Arn")?)?,
        user_id: text(only(result, "UserId")?)?,
    })
}

/// The one child of that name.
fn only<'a, 'x>(node: Node<'a, 'x>, name: &str) -> Option<Node<'a, 'x>> {
    let mut named = node
        .children()
        .filter(|child| child.has_tag_name((NAMESPACE, name)));
    let first = named.next()?;
    named.next().is_none().then_some(first)
}

/// All that is in it, which must be text in one piece.
fn text(node: Node<'_, '_>) -> Option<String> {
    let mut children = node.children();
    let only = children.next().filter(Node::is_text)?;
    let text = only.text()?.to_owned();
    children.next().is_none().then_some(text)
}
