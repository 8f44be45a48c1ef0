//! A refusal as the host takes it. What it says is [`edgeward_core::refusal`]'s.

use edgeward_core::refusal;
use proxy_wasm::types::GrpcStatusCode;

use crate::identify::Field;

pub use edgeward_core::refusal::{Refusal, Reply};

/// The gRPC status of a refusal, as the host names it.
pub(crate) fn grpc_status(refusal: Refusal) -> GrpcStatusCode {
    match refusal {
        Refusal::NotCanonical => GrpcStatusCode::InvalidArgument,
        Refusal::Unauthenticated => GrpcStatusCode::Unauthenticated,
        Refusal::Denied => GrpcStatusCode::PermissionDenied,
        Refusal::Unavailable => GrpcStatusCode::Unavailable,
    }
}

/// Whether a request's fields say that its caller reads gRPC statuses.
pub(crate) fn is_grpc(fields: &[Field]) -> bool {
    fields
        .iter()
        .any(|(name, value)| name == "content-type" && refusal::is_grpc(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_s_grpc_statuses_are_those_of_the_refusal() {
        for refusal in [
            Refusal::NotCanonical,
            Refusal::Unauthenticated,
            Refusal::Denied,
            Refusal::Unavailable,
        ] {
            assert_eq!(grpc_status(refusal) as u32, refusal.grpc_status());
        }
    }
}
