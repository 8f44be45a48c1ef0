//! What the token service counts: tokens by outcome. Codes are ours, so there are few of them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    outcome: &'static str,
    code: &'static str,
}

/// Tokens issued, and refused by reason code.
#[derive(Debug)]
pub(in crate::service) struct TokenMetrics {
    tokens: Family<Labels, Counter>,
    issued: Counter,
}

impl TokenMetrics {
    pub(in crate::service) fn register(registry: &mut Registry) -> Self {
        let tokens = Family::<Labels, Counter>::default();
        let labels = Labels {
            outcome: "issued",
            code: "",
        };
        let issued = tokens.get_or_create(&labels).clone();
        let help = "Requests for a token, by outcome and reason code";
        registry.register("token_requests", help, tokens.clone());
        Self { tokens, issued }
    }

    pub(super) fn issued(&self) {
        self.issued.inc();
    }

    pub(super) fn refused(&self, code: &'static str) {
        let labels = Labels {
            outcome: "refused",
            code,
        };
        self.tokens.get_or_create(&labels).inc();
    }
}
