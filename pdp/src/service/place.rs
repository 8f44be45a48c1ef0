//! Where in a question a value stands: what the standard knows, and what the service itself needs. It
//! reads nothing.

use super::asked::Asked;

/// A place in a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// All of it.
    Question,
    /// `subject`.
    Subject,
    /// `subject.properties`.
    SubjectProperties,
    /// `subject.properties.claims`.
    Claims,
    /// `action`.
    Action,
    /// `resource`.
    Resource,
    /// `properties` of something else.
    Properties,
    /// `context`.
    Context,
    /// `context.tls`.
    Tls,
    /// A text that the service needs.
    Text(Says),
    /// Anywhere else.
    Anywhere,
}

/// A text that the service needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    SubjectType,
    SubjectId,
    ActionName,
    ResourceType,
    ResourceId,
    Issuer,
    TrustDomain,
    TokenId,
    Session,
    Peer,
}

impl Says {
    /// Of all that must be there.
    pub(super) const ALL_REQUIRED: u8 = 0b1_1111;

    /// A bit of its own where it must be there, and be a text.
    pub(super) fn required(self) -> u8 {
        match self {
            Self::SubjectType => 1,
            Self::SubjectId => 1 << 1,
            Self::ActionName => 1 << 2,
            Self::ResourceType => 1 << 3,
            Self::ResourceId => 1 << 4,
            _ => 0,
        }
    }
}

impl Place {
    /// Whether what stands here must be an object.
    pub(super) fn is_object(self) -> bool {
        match self {
            Self::Question
            | Self::Subject
            | Self::SubjectProperties
            | Self::Action
            | Self::Resource
            | Self::Properties
            | Self::Context => true,
            Self::Claims | Self::Tls | Self::Text(_) | Self::Anywhere => false,
        }
    }

    /// Whether what stands here must be a text.
    pub(super) fn is_required_text(self) -> bool {
        matches!(self, Self::Text(says) if says.required() != 0)
    }

    /// The place of the member `name`, and whether it is part of the question at all; notes in `asked`
    /// that it is there.
    pub(super) fn member(self, name: &str, asked: &mut Asked<'_>) -> (Self, bool) {
        let known = match (self, name) {
            (Self::Question, "subject") => Self::Subject,
            (Self::Question, "action") => Self::Action,
            (Self::Question, "resource") => Self::Resource,
            (Self::Question, "context") => {
                asked.has_context = true;
                Self::Context
            }
            (Self::Subject, "type") => Self::Text(Says::SubjectType),
            (Self::Subject, "id") => Self::Text(Says::SubjectId),
            (Self::Subject, "properties") => Self::SubjectProperties,
            (Self::Action, "name") => Self::Text(Says::ActionName),
            (Self::Resource, "type") => Self::Text(Says::ResourceType),
            (Self::Resource, "id") => Self::Text(Says::ResourceId),
            (Self::Action | Self::Resource, "properties") => Self::Properties,
            (Self::Question | Self::Subject | Self::Action | Self::Resource, _) => {
                return (Self::Anywhere, false);
            }
            (Self::SubjectProperties, "issuer") => Self::Text(Says::Issuer),
            (Self::SubjectProperties, "trust_domain") => Self::Text(Says::TrustDomain),
            (Self::SubjectProperties, "claims") => Self::Claims,
            (Self::Claims, "jti") => Self::Text(Says::TokenId),
            (Self::Claims, "sid") => Self::Text(Says::Session),
            (Self::Context, "tls") => Self::Tls,
            (Self::Context, "time") => {
                asked.has_time = true;
                Self::Anywhere
            }
            (Self::Tls, "peer") => Self::Text(Says::Peer),
            _ => Self::Anywhere,
        };
        (known, true)
    }
}
