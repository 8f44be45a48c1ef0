//! What each workload gets by its own evidence, and what those get who have it wrongly.

mod rightful;
mod wrongful;

use crate::ca::Leaf;

use super::Trust;

/// How a caller comes to the token that it shows.
pub enum Ask {
    /// It exchanges what it has.
    Exchange {
        /// The parameters of the form.
        form: Vec<(&'static str, String)>,
        /// The client certificate, of which it also shows the token.
        certificate: Option<Leaf>,
    },
    /// It has one already.
    Show {
        /// The token.
        token: String,
        /// The certificate with which it is shown.
        certificate: Option<Leaf>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The upstream has seen the request.
    Passed,
    /// The token service refused, with this code.
    NoToken(String),
    /// Envoy answered with this status and code.
    Denied(u16, String),
}

/// A story, and how it must end.
pub struct Case {
    /// Who, as the table says it.
    pub who: &'static str,
    /// What it tries.
    pub title: &'static str,
    /// How it comes to its token.
    pub ask: Ask,
    /// The path that it calls.
    pub path: &'static str,
    /// What must come of it.
    pub must: Outcome,
}

/// All stories, with fresh evidence.
pub fn all(trust: &Trust) -> Vec<Case> {
    let mut cases = rightful::own_service(trust);
    cases.extend(rightful::callers(trust));
    cases.extend(wrongful::not_theirs(trust));
    cases.extend(wrongful::forged(trust));
    cases.extend(rightful::bound(trust));
    cases.extend(rightful::on_behalf(trust));
    cases
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The form of an exchange.
pub struct Form(Vec<(&'static str, String)>);

impl Form {
    /// Its parameters.
    pub fn each(&self) -> Vec<(&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }
}

/// What asks for a token for `audience`, on this evidence.
pub fn form(evidence: &str, audience: &str) -> Form {
    Form(vec![
        ("grant_type", EXCHANGE.to_owned()),
        ("subject_token", evidence.to_owned()),
        ("subject_token_type", JWT.to_owned()),
        ("audience", audience.to_owned()),
    ])
}

fn exchange(evidence: &str, audience: &str) -> Ask {
    Ask::Exchange {
        form: form(evidence, audience).0,
        certificate: None,
    }
}

fn exchange_aws(evidence: &str, audience: &str) -> Ask {
    let mut form = form(evidence, audience).0;
    for (name, value) in &mut form {
        if *name == "subject_token_type" {
            *value = "urn:edgeward:evidence:aws-sts".to_owned();
        }
    }
    Ask::Exchange {
        form,
        certificate: None,
    }
}

fn show(token: &str, certificate: Option<Leaf>) -> Ask {
    Ask::Show {
        token: token.to_owned(),
        certificate,
    }
}

fn no_token(code: &str) -> Outcome {
    Outcome::NoToken(code.to_owned())
}

fn case(
    who: &'static str,
    title: &'static str,
    ask: Ask,
    (path, must): (&'static str, Outcome),
) -> Case {
    Case {
        who,
        title,
        ask,
        path,
        must,
    }
}
