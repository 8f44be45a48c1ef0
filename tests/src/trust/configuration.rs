//! The configuration of the demo's PDP: whose word it takes, and who may get a token.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::TRUST_DOMAIN;
use super::platforms::Platforms;

/// The whole of it; AWS is in it where moto is at hand.
pub(super) fn configuration(platforms: &Platforms, folder: &TempDir) -> Value {
    let mut config = without_aws(platforms, folder);
    let workloads = config["client_workloads"].as_array_mut();
    if let (Some(_), Some(workloads)) = (&platforms.sts, workloads) {
        workloads.push(json!({
            "name": "settle", "spiffe_id": "spiffe://prod.demo/cloud/settle", "provider": "aws",
            "selectors": { "account": "123456789012", "arn": "arn:aws:iam::123456789012:role/deploy" },
            "audiences": ["ledger"],
        }));
    }
    config
}

fn without_aws(platforms: &Platforms, folder: &TempDir) -> Value {
    let sealing_key = folder.path().join("sealing-key");
    std::fs::write(&sealing_key, crate::mint::random(32)).expect("a file is written");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&sealing_key, private).expect("its mode is set");
    json!({
        "token_service": {
            "trust_domain": TRUST_DOMAIN,
            "keys": { "directory": folder.path().join("keys"), "sealing_key_file": sealing_key },
        },
        "key_cache": { "directory": folder.path().join("known-keys") },
        "trust_providers": platforms.config(),
        "client_workloads": [
            {
                "name": "deploy", "spiffe_id": "spiffe://prod.demo/ci/deploy", "provider": "ci",
                "selectors": { "repository_id": "34", "repository_owner_id": "12", "ref": "refs/heads/main" },
                "environment": { "runner_environment": "github-hosted" },
                "audiences": ["deploys"],
            },
            {
                "name": "cart", "spiffe_id": "spiffe://prod.demo/shop/cart", "provider": "cluster",
                "selectors": { "service_account_uid": "uid-cart" },
                "environment": { "node": "node-eu-*" },
                "audiences": ["orders"],
            },
            {
                "name": "orders", "spiffe_id": "spiffe://prod.demo/shop/orders", "provider": "cluster",
                "selectors": { "service_account_uid": "uid-orders" },
                "audiences": ["payments"], "addressed_as": ["orders"], "acts_for": ["cart"],
            },
            {
                "name": "batch", "spiffe_id": "spiffe://prod.demo/shop/batch", "provider": "cluster",
                "selectors": { "service_account_uid": "uid-batch" },
                "audiences": ["reports"], "certificate_bound": true,
            },
            {
                "name": "partner-feed", "spiffe_id": "spiffe://prod.demo/partner/feed", "provider": "partner",
                "selectors": { "spiffe_id": "spiffe://partner.demo/feed" },
                "audiences": ["stock"],
            },
        ],
        "trust_domains": [{
            "name": TRUST_DOMAIN, "bundle": { "token_service": true },
            "audiences": ["deploys", "ledger", "orders", "payments", "reports", "stock"],
        }],
    })
}
