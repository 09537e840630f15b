//! `synth`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::EvalError;
use crate::gate::Exit;
use crate::golden::case::Case;
use crate::golden::load::{DRAFTS, load_with_drafts};
use crate::machine::Machine;
use crate::synth;

#[derive(Debug, Args)]
pub(super) struct SynthArgs {
    /// Golden directory; corpus/ with documents is enough.
    #[arg(long, value_name = "DIR", default_value = "golden")]
    golden: PathBuf,
    /// Most drafts of each sort from one document.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=500))]
    per_document: u16,
    #[command(flatten)]
    machine: Machine,
}

pub(super) fn synth(args: &SynthArgs) -> Result<u8, EvalError> {
    // drafts that are there already are not drafted again, whoever has edited them since
    let golden = load_with_drafts(&args.golden)?;
    let (materials, texts) = synth::read(&golden, &args.machine.limits())?;
    let drafts = synth::drafts(&golden, &materials, &texts, usize::from(args.per_document));
    let file = args.golden.join(DRAFTS).join("synth.jsonl");
    append(&file, &drafts)?;
    let told = format!(
        "{} drafts added to {}; rewrite them as customers write, then move them to cases/ without `status`",
        drafts.len(),
        file.display()
    );
    println!("{}", Exit::ok(told));
    Ok(0)
}

fn append(file: &Path, drafts: &[Case]) -> Result<(), EvalError> {
    if drafts.is_empty() {
        return Ok(());
    }
    let failed = |error: &dyn std::fmt::Display| {
        EvalError::Infra(format!("{}: cannot be written: {error}", file.display()))
    };
    let mut text = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|error| failed(&error))?,
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for draft in drafts {
        text.push_str(&serde_json::to_string(draft).map_err(|error| failed(&error))?);
        text.push('\n');
    }
    std::fs::create_dir_all(file.parent().unwrap_or(Path::new("."))).map_err(|error| failed(&error))?;
    std::fs::write(file, text).map_err(|error| failed(&error))
}
