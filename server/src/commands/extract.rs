//! `plumbline extract`: what is read out of a file.

use std::path::Path;
use std::process::ExitCode;

use plumbline_ingest::{Extraction, Ocr, Wanted};

use crate::app::isolation;
use crate::config::CommonArgs;

pub(crate) async fn run(
    common: &CommonArgs,
    file: &Path,
    json: bool,
    ocr: Option<String>,
) -> anyhow::Result<ExitCode> {
    let wanted = Wanted {
        formats: Vec::new(),
        ocr: ocr.map(|languages| Ocr {
            languages,
            ..Ocr::default()
        }),
    };
    let name = file
        .file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy()
        .into_owned();
    if let Err(error) = std::fs::metadata(file) {
        anyhow::bail!("cannot read {}: {error}", file.display());
    }
    match isolation(common)?.extract(file, &name, &wanted, &|_, _| {}).await {
        Ok(extraction) if json => println!("{}", serde_json::to_string_pretty(&extraction)?),
        Ok(extraction) => print(&extraction),
        Err(error) => {
            if json {
                println!(
                    "{}",
                    serde_json::json!({ "code": error.code, "message": error.message, "suggestion": error.suggestion })
                );
            } else {
                eprintln!("{}: {}\n{}", error.code.as_str(), error.message, error.suggestion);
            }
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(extraction: &Extraction) {
    println!("format    {}", extraction.format.as_str());
    println!("title     {}", extraction.title.as_deref().unwrap_or("-"));
    println!("language  {}", extraction.language.as_deref().unwrap_or("-"));
    println!(
        "text      {} bytes in {} blocks",
        extraction.text.len(),
        extraction.blocks.len()
    );
    for page in extraction
        .pages
        .iter()
        .filter(|page| page.looks_scanned || page.reading_order_doubt)
    {
        let scanned = if page.looks_scanned {
            "looks scanned"
        } else {
            "reading order in doubt"
        };
        println!("page {:<4} {scanned}", page.page);
    }
    for warning in &extraction.warnings {
        println!("warning   {}: {}", warning.code.as_str(), warning.message);
    }
    println!("\n{}", extraction.text);
}
