//! The parser and the printer of conformance cases.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_checks::case_file::check(input));
