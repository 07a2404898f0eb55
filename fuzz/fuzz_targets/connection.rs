//! The server's connection loop on a stream in memory.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_checks::connection::check(input));
