//! The parser of replies, whole and in pieces.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_checks::replies::check(input));
