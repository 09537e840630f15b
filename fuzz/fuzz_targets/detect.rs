//! Detection alone: any bytes under any of the names people give files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plumbline_ingest::extract::detect;

const NAMES: [&str; 8] = ["a.pdf", "a.docx", "a.csv", "a.tsv", "a.md", "a.txt", "a.doc", "a"];

fuzz_target!(|bytes: &[u8]| {
    let Some((knob, content)) = bytes.split_last() else {
        return;
    };
    let name = NAMES[usize::from(knob % 8)];
    match detect(content, name) {
        Ok(detected) => assert!(detected.text.is_none_or(|text| !text.trim().is_empty())),
        Err(error) => assert!(error.message.contains(name), "{error}"),
    }
});
