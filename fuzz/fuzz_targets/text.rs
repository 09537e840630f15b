//! The text extractor, behind detection as in production.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    plumbline_fuzz::read(bytes, "a.txt");
});
