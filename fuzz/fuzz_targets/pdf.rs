//! The PDF extractor: pdfium and, above it, our layout. Crashes inside pdfium are contained by
//! the child process in production; panics of our own code are findings.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"%PDF-") {
        plumbline_fuzz::read(bytes, "a.pdf");
    } else {
        let mut all = b"%PDF-1.7\n".to_vec();
        all.extend_from_slice(bytes);
        plumbline_fuzz::read(&all, "a.pdf");
    }
});
