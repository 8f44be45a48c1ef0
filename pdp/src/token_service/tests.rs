//! The token service as a whole, on real keys and real evidence: who gets which token, and who does not.

mod delegation;
mod evidence;
mod opaque;
mod renewal;
mod stage;
mod static_key;
