//! Encode, parse, equal.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_checks::round_trip::check(input));
