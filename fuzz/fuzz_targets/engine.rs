//! Parser, engine and encoder against a model.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_checks::engine::check(input));
