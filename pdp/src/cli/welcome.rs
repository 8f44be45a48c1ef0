//! What to try next, said once at the start: commands that work as they stand.

use std::fmt::Write as _;

use crate::config::Listener;
use crate::service::BoundAddress;

/// An AuthZEN question that the embedded example policy allows.
pub(super) const EXAMPLE_QUESTION: &str = r#"{
  "subject": {"type": "workload", "id": "spiffe://demo.edgeward.dev/ns/shop/sa/frontend"},
  "action": {"name": "GET"},
  "resource": {"type": "http", "id": "shop.example",
    "properties": {"host": "shop.example", "path": "/orders", "segments": ["orders"]}}
}"#;

/// The text, for the first plain TCP listener; `None` where there is none, since then nothing can
/// be tried without more files.
pub(super) fn text(
    bound: &[BoundAddress],
    listeners: &[Listener],
    is_example: bool,
) -> Option<String> {
    let base = bound
        .iter()
        .zip(listeners)
        .find_map(|(address, listener)| match (address, listener) {
            (BoundAddress::Tcp(address), Listener::Tcp { tls: None, .. }) => {
                Some(format!("http://{address}"))
            }
            _ => None,
        })?;
    let policy = if is_example {
        "the embedded example policy"
    } else {
        "your policies"
    };
    let mut text = format!(
        "Edgeward {} decides by {policy}.\n\n",
        env!("CARGO_PKG_VERSION")
    );
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        "Try next:\n  curl {base}/health/ready\n  curl {base}/access/v1/evaluation \
         -H 'content-type: application/json' -d '{EXAMPLE_QUESTION}'\n"
    );
    if is_example {
        text.push_str(
            "\nThen write your own: `edgeward --help`, `edgeward schema`, `edgeward serve --config FILE`.\n",
        );
    }
    Some(text + "\n")
}
