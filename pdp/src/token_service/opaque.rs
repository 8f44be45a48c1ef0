//! Who is behind an opaque token: its authorization server is asked, once for all who show it meanwhile, and not
//! again for a while.

use std::sync::Arc;

use edgeward_core::time::UnixSeconds;
use sha2::{Digest as _, Sha256};

use super::TokenService;
use super::exchange::Circumstances;
use super::memory::Admitted;
use super::party::{Party, unrevoked, wait};
use super::refusal::ExchangeRefusal;
use crate::attestation::introspection::IntrospectionSettings;
use crate::attestation::{ProviderName, introspection};

impl TokenService {
    /// The workload of a token that only its server can read; `named` says whose it is.
    pub(super) fn opaque(
        &self,
        token: &str,
        named: Option<&ProviderName>,
        circumstances: Circumstances<'_>,
    ) -> Result<Party, ExchangeRefusal> {
        let Circumstances {
            now, revocations, ..
        } = circumstances;
        let (provider, settings) = self.server_of(named)?;
        let key = digest(provider, token);
        let revision = self.evidence_keys.snapshot().revision;
        let admitted = match self.memory.find(&key, revision, now) {
            Some(admitted) => admitted,
            None => self.admit_opaque(token, (provider, settings), key, revision, now)?,
        };
        unrevoked(&admitted.identity(token), revocations)?;
        Ok(Party {
            workload: admitted.workload,
            attested_at: admitted.at,
            until: admitted.expires_at,
            once: None,
            token: None,
        })
    }

    /// The server that is named, or the only one.
    fn server_of(
        &self,
        named: Option<&ProviderName>,
    ) -> Result<(&ProviderName, &IntrospectionSettings), ExchangeRefusal> {
        let mut servers = self.introspection.iter();
        let found = match named {
            Some(name) => servers.find(|(known, _)| known == name),
            None => servers.next().filter(|_| servers.next().is_none()),
        };
        let (name, settings) = found.ok_or(ExchangeRefusal::WhoseToken)?;
        Ok((name, settings))
    }

    fn admit_opaque(
        &self,
        token: &str,
        (provider, settings): (&ProviderName, &IntrospectionSettings),
        key: [u8; 32],
        revision: u64,
        now: UnixSeconds,
    ) -> Result<Admitted, ExchangeRefusal> {
        let question = async { settings.introspect(token, now).await.map_err(Arc::new) };
        let said: introspection::Introspected =
            wait(self.introspections.join(key, self.ask(question)))??;
        let workload = self.workload_of(provider, &said.attested.attributes, now)?;
        let admitted = Admitted {
            workload: Arc::clone(workload),
            at: now,
            expires_at: said.attested.expires_at,
            known_until: now.plus(settings.recheck_after.as_secs()),
            subject: said.subject,
            token_id: said.token_id,
            key_id: None,
        };
        self.memory.remember(key, revision, admitted.clone());
        Ok(admitted)
    }
}

/// The same text may be a token of two servers.
fn digest(provider: &ProviderName, token: &str) -> [u8; 32] {
    let digest = Sha256::new_with_prefix(provider.as_str());
    digest
        .chain_update([0])
        .chain_update(token)
        .finalize()
        .into()
}
