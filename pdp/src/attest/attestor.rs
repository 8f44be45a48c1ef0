//! Evidence and its exchange, as often as a token is needed.

use thiserror::Error;

use super::exchange::{ExchangeError, Order, Token, TokenService};
use super::platform::Platform;
use super::probe::{ProbeError, Probed, Surroundings};
use crate::token_service::TokenKind;

/// Everything that a token is made of.
#[derive(Debug)]
pub(crate) struct Attestor {
    /// What probes are told.
    pub(crate) surroundings: Surroundings,
    /// The one that vouches; found by trying where none is named. Once it gave evidence it stays: another
    /// one would say that this is somebody else.
    pub(crate) platform: Option<Platform>,
    /// Where evidence is exchanged.
    pub(crate) service: TokenService,
    /// For what.
    pub(crate) order: Order,
    /// The trust domain of the service, where a token for itself takes the place of evidence.
    pub(crate) trust_domain: Option<String>,
    /// That token.
    pub(crate) own: Option<Token>,
}

/// Why there is no token.
#[derive(Debug, Error)]
pub(crate) enum AttestError {
    /// Nobody vouches for this workload: each platform, and why not.
    #[error("no platform was found that vouches for this workload{}", listed(.0))]
    NoPlatform(Vec<(Platform, String)>),
    /// A platform is there and gives no evidence.
    #[error("{}: {error}", platform.as_str())]
    Probe {
        /// Which.
        platform: Platform,
        /// What it said.
        error: ProbeError,
    },
    /// The token service gives no token for it.
    #[error("evidence of {}: {error}", platform.as_str())]
    Exchange {
        /// Whose evidence.
        platform: Platform,
        /// What the service said.
        error: ExchangeError,
    },
}

fn listed(probed: &[(Platform, String)]) -> String {
    let line =
        |(platform, why): &(Platform, String)| format!("\n  {:<15} {why}", platform.as_str());
    probed.iter().map(line).collect()
}

impl Attestor {
    /// A fresh token.
    pub(crate) async fn obtain(&mut self) -> Result<Token, AttestError> {
        let Some(domain) = &self.trust_domain else {
            let order = self.order.clone();
            return self.attest(&order).await;
        };
        let for_itself = Order {
            audiences: vec![format!("spiffe://{domain}")],
            scopes: Vec::new(),
            kind: TokenKind::JwtSvid,
        };
        if let Some(token) = self.renew(&for_itself).await? {
            return Ok(token);
        }
        let own = self.attest(&for_itself).await?;
        let token = self.service.renew(&own, &self.order).await;
        self.own = Some(own);
        token.map_err(|error| self.exchange_failed(error))
    }

    /// A token for the order, by the service's own, which is renewed with it; none where only new evidence
    /// helps.
    async fn renew(&mut self, for_itself: &Order) -> Result<Option<Token>, AttestError> {
        let Some(own) = self.own.take() else {
            return Ok(None);
        };
        if own.lifetime(Surroundings::now()) == 0 {
            return Ok(None);
        }
        let renewed = match self.service.renew(&own, for_itself).await {
            Ok(renewed) => renewed,
            // Attested too long ago, or not known any more.
            Err(ExchangeError::Refused { status, .. }) if status < 500 => return Ok(None),
            Err(error) => {
                self.own = Some(own);
                return Err(self.exchange_failed(error));
            }
        };
        let token = self.service.renew(&renewed, &self.order).await;
        self.own = Some(renewed);
        token.map(Some).map_err(|error| self.exchange_failed(error))
    }

    fn exchange_failed(&self, error: ExchangeError) -> AttestError {
        // It was found when the first token was.
        let platform = self.platform.unwrap_or(Platform::File);
        AttestError::Exchange { platform, error }
    }

    async fn attest(&mut self, order: &Order) -> Result<Token, AttestError> {
        let (platform, evidence) = match self.platform {
            Some(platform) => self.ask(&[platform]).await?,
            None => self.ask(&Platform::TRIED).await?,
        };
        self.platform = Some(platform);
        let exchanged = self.service.exchange(&evidence, order).await;
        exchanged.map_err(|error| AttestError::Exchange { platform, error })
    }

    async fn ask(
        &self,
        platforms: &[Platform],
    ) -> Result<(Platform, super::evidence::Evidence), AttestError> {
        let mut absent = Vec::new();
        for platform in platforms {
            let platform = *platform;
            match platform.probe(&self.surroundings).await {
                Ok(Probed::Found(evidence)) => return Ok((platform, evidence)),
                Ok(Probed::Absent(why)) => absent.push((platform, why)),
                Err(error) => return Err(AttestError::Probe { platform, error }),
            }
        }
        Err(AttestError::NoPlatform(absent))
    }
}
