//! Prints what is read from files: `cargo run -p plumbline-ingest --example extract -- FILE…`.
//! With `--chunks`, the chunks instead of the blocks; with `--ocr`, scanned pages are recognised.

use std::path::Path;
use std::process::ExitCode;

use plumbline_ingest::{ChunkingSettings, Extraction, Limits, Ocr, Wanted, chunk, extract_with};

fn main() -> ExitCode {
    let (flags, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let wanted = Wanted {
        ocr: flags.iter().any(|flag| flag == "--ocr").then(Ocr::default),
        ..Wanted::default()
    };
    let read = |bytes: &[u8], name: &str| {
        extract_with(bytes, name, &Limits::default(), &wanted, &mut |_| {}).map_err(|error| error.to_string())
    };
    let mut failed = false;
    for file in &files {
        let name = Path::new(file)
            .file_name()
            .map_or(file.as_str(), |name| name.to_str().unwrap_or(file));
        println!("==== {name}");
        let outcome = std::fs::read(file).map_err(|error| error.to_string());
        match outcome.and_then(|bytes| read(&bytes, name)) {
            Ok(extraction) if flags.iter().any(|flag| flag == "--chunks") => print_chunks(&extraction),
            Ok(extraction) => print_blocks(&extraction),
            Err(reason) => {
                println!("error: {reason}");
                failed = true;
            }
        }
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn print_blocks(extraction: &Extraction) {
    println!(
        "{} title={:?} language={:?} rows={:?} pages={}",
        extraction.format.as_str(),
        extraction.title,
        extraction.language,
        extraction.rows,
        extraction.pages.len()
    );
    for warning in &extraction.warnings {
        println!("! {} {}", warning.code, warning.message);
    }
    for block in &extraction.blocks {
        let place = block
            .page
            .map(|page| format!("p{page} "))
            .or(block.row.map(|row| format!("r{row} ")));
        println!(
            "[{}{:?} {:?}] {}",
            place.unwrap_or_default(),
            block.kind,
            block.heading_path,
            block.range.of(&extraction.text)
        );
    }
}

fn print_chunks(extraction: &Extraction) {
    let words = |text: &str| text.split_whitespace().count() * 4 / 3;
    for piece in chunk(extraction, &ChunkingSettings::default(), &words) {
        println!(
            "---- {} {:?} tokens={} windows={}",
            piece.ordinal,
            piece.heading_path,
            piece.tokens,
            piece.windows.len()
        );
        println!("{}", piece.text);
    }
}
