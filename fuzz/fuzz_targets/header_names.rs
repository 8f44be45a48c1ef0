//! libFuzzer's way into the property `header_names`; no check of its own.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    edgeward_fuzz_properties::header_names(data);
});
