//! libFuzzer's way into the property `authzen_request`; no check of its own.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    edgeward_fuzz_properties::authzen_request(data);
});
