//! What the service itself needs to know of a question, beside the key by which it is decided: who and
//! what is asked about, for the log, and by what the subject may be revoked.

use std::borrow::Cow;

use serde_json::Value;

/// Facts of one question. What was not said, or is no text, is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked<'b> {
    /// `subject.id`.
    pub(super) subject: Cow<'b, str>,
    /// `action.name`.
    pub(super) action: Cow<'b, str>,
    /// `resource.id`.
    pub(super) resource: Cow<'b, str>,
    /// `subject.properties.issuer`.
    pub(super) issuer: Option<Cow<'b, str>>,
    /// `subject.properties.trust_domain`.
    pub(super) trust_domain: Option<Cow<'b, str>>,
    /// `subject.properties.claims.jti`.
    pub(super) token_id: Option<Cow<'b, str>>,
    /// `subject.properties.claims.sid`.
    pub(super) session: Option<Cow<'b, str>>,
    /// `context.tls.peer`.
    pub(super) peer: Option<Cow<'b, str>>,
    /// Whether the caller says a `context`.
    pub(super) has_context: bool,
    /// Whether it says `context.time`, be it anything.
    pub(super) has_time: bool,
}

impl<'q> Asked<'q> {
    /// The same, of a question that does not last as long.
    pub(super) fn into_owned(self) -> Asked<'static> {
        let owned = |text: Cow<'q, str>| Cow::Owned(text.into_owned());
        Asked {
            subject: owned(self.subject),
            action: owned(self.action),
            resource: owned(self.resource),
            issuer: self.issuer.map(owned),
            trust_domain: self.trust_domain.map(owned),
            token_id: self.token_id.map(owned),
            session: self.session.map(owned),
            peer: self.peer.map(owned),
            has_context: self.has_context,
            has_time: self.has_time,
        }
    }

    /// Of a question that was read whole, before anything is supplied.
    pub(super) fn of(input: &'q Value) -> Self {
        let text = |pointer| {
            let value = input.pointer(pointer)?;
            value.as_str().map(Cow::Borrowed)
        };
        let required = |pointer| text(pointer).unwrap_or_default();
        Self {
            subject: required("/subject/id"),
            action: required("/action/name"),
            resource: required("/resource/id"),
            issuer: text("/subject/properties/issuer"),
            trust_domain: text("/subject/properties/trust_domain"),
            token_id: text("/subject/properties/claims/jti"),
            session: text("/subject/properties/claims/sid"),
            peer: text("/context/tls/peer"),
            has_context: input.get("context").is_some(),
            has_time: input.pointer("/context/time").is_some(),
        }
    }
}
