//! Extraction, then chunking with settings from the input: no text is lost, no range is wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 3] = ["a.txt", "a.md", "a.csv"];

fuzz_target!(|bytes: &[u8]| {
    let [content @ .., name, knob] = bytes else {
        return;
    };
    if let Some(extraction) = plumbline_fuzz::read(content, NAMES[usize::from(name % 3)]) {
        plumbline_fuzz::cut(&extraction, *knob);
    }
});
