//! libFuzzer's way into the property `filter_config`; no check of its own.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    edgeward_fuzz_properties::filter_config(data);
});
