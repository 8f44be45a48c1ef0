//! The words both sides of Edgeward speak: identity, canonical request, decision.
//!
//! INVARIANT: no I/O, no clock, no randomness. Keys, time and the signature arithmetic are
//! arguments. Builds for the host and for `wasm32-unknown-unknown`.
//!
//! A request is read through these modules in this order: [`request`] (one canonical form or a
//! refusal), [`headers`] (what the client may not say), [`token`] and [`peer`] (who it is),
//! [`credential`] (where it is shown), [`authzen`] (what is asked), [`atoms`] (the small values that stand for large ones), [`decision`] (what was answered), [`refusal`] (what a refused caller gets). [`feed`] is how the PDP tells the
//! filter whom to believe, [`missing_keys`] how the filter tells the PDP which keys it lacks,
//! [`revocation`] what is taken back before its time.

pub mod atoms;
pub mod authzen;
pub mod bundle;
pub mod cache_key;
pub mod credential;
pub mod decide;
pub mod decision;
pub mod feed;
pub mod footprint;
pub mod headers;
pub mod jose;
pub mod json;
pub mod members;
pub mod missing_keys;
pub mod peer;
pub mod refusal;
pub mod request;
pub mod revocation;
pub mod spiffe;
pub mod time;
pub mod token;
pub mod xfcc;
