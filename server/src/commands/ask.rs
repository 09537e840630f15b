//! `plumbline ask`.

use std::process::ExitCode;

use plumbline_answer::{Ask, Citation};

use crate::app::boot;
use crate::config::CommonArgs;

pub(crate) async fn run(common: &CommonArgs, question: &str, json: bool) -> anyhow::Result<ExitCode> {
    let booted = boot(common, None).await?;
    booted.app.searcher.catch_up(booted.tenant.id).await?;
    let ask = Ask {
        question: question.to_owned(),
        ..Ask::default()
    };
    let answer = booted.app.answerer.answer(booted.tenant.id, &ask).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        println!("{}\n", answer.text);
        for (number, citation) in (1..).zip(&answer.citations) {
            println!("[{number}] {}", place(citation));
            println!(
                "    {}",
                citation.quote.split_whitespace().collect::<Vec<_>>().join(" ")
            );
        }
        let reason = answer
            .reason
            .map(|reason| format!(", {reason:?}"))
            .unwrap_or_default();
        println!(
            "\n{:?}{reason}; route {:?}; confidence {:.2}; {:.0} ms",
            answer.outcome, answer.route, answer.confidence, answer.timings.total_ms
        );
    }
    booted.app.store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn place(citation: &Citation) -> String {
    let spot = match (citation.page, citation.row) {
        (Some(page), _) => format!(", page {page}"),
        (None, Some(row)) => format!(", row {row}"),
        (None, None) => String::new(),
    };
    format!(
        "{}, version {}{spot}, bytes {}–{}",
        citation.document_key, citation.version_number, citation.start, citation.end
    )
}
