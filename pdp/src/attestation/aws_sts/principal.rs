//! Who a caller is, by one name: an assumed role is its role, whatever session it is used in, and
//! always with its account.

use super::super::{Attributes, AwsAccount};
use super::AwsStsRefusal;
use super::answer::CallerIdentity;

/// The longest ARN, in bytes.
const MAX_ARN_BYTES: usize = 2048;
const WRONG: AwsStsRefusal = AwsStsRefusal::Answer("an ARN, account or user id of another kind");

/// A caller whose ARN, account and user id agree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Principal {
    account: AwsAccount,
    caller_arn: String,
    /// Of the user or role.
    arn: String,
    /// The id that AWS gave the user or role, and never gives again.
    user_id: String,
    /// Of an assumed role.
    session: Option<String>,
}

impl Principal {
    /// Reads what STS said.
    pub(super) fn of(caller: &CallerIdentity) -> Result<Self, AwsStsRefusal> {
        let account: AwsAccount = caller.account.parse().map_err(|_| WRONG)?;
        if caller.arn.len() > MAX_ARN_BYTES
            || !caller.arn.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(WRONG);
        }
        let parts: Vec<&str> = caller.arn.splitn(6, ':').collect();
        let ["arn", partition, service, "", of, resource] = parts.as_slice() else {
            return Err(WRONG);
        };
        let is_partition = *partition == "aws" || partition.starts_with("aws-");
        if !is_partition || *of != account.as_str() {
            return Err(WRONG);
        }
        let names: Vec<&str> = resource.split('/').collect();
        if names.iter().any(|name| name.is_empty()) {
            return Err(WRONG);
        }
        let (arn, user_id, session) = match (*service, names.as_slice()) {
            ("sts", ["assumed-role", role, session]) => {
                let (id, told) = caller.user_id.split_once(':').ok_or(WRONG)?;
                if told != *session {
                    return Err(WRONG);
                }
                let arn = format!("arn:{partition}:iam::{account}:role/{role}");
                (arn, id, Some((*session).to_owned()))
            }
            ("sts", ["federated-user", _]) | ("iam", ["user", .., _] | ["root"]) => {
                (caller.arn.clone(), caller.user_id.as_str(), None)
            }
            _ => return Err(WRONG),
        };
        if user_id.is_empty() || user_id.contains(char::is_whitespace) {
            return Err(WRONG);
        }
        Ok(Self {
            account,
            caller_arn: caller.arn.clone(),
            arn,
            user_id: user_id.to_owned(),
            session,
        })
    }

    /// Whose it is.
    pub(super) fn account(&self) -> &AwsAccount {
        &self.account
    }

    /// What is told of it. No name stands there without its account.
    pub(super) fn attributes(self) -> Result<Attributes, AwsStsRefusal> {
        let mut attributes = Attributes::default();
        attributes.tell("account", self.account.as_str())?;
        if let Some(session) = self.session {
            attributes.tell("role", self.arn.as_str())?;
            attributes.tell("session", session)?;
        }
        attributes.tell("arn", self.arn)?;
        attributes.tell("caller_arn", self.caller_arn)?;
        attributes.tell("user_id", self.user_id)?;
        Ok(attributes)
    }
}
