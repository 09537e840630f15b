//! `plumbline ask`.

use std::process::ExitCode;

use plumbline_answer::{Ask, Citation};
use plumbline_store::TraceSource;

use crate::app::boot;
use crate::config::CommonArgs;
use crate::traces::{self, Asking, Keep, Origin};

pub(crate) async fn run(
    common: &CommonArgs,
    question: &str,
    trace: bool,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let booted = boot(common, None).await?;
    booted.app.searcher.catch_up(booted.tenant.id).await?;
    let mut tx = booted.app.store.tenant(booted.tenant.id).await?;
    let settings = tx.settings().await?;
    tx.commit().await?;
    let ask = Ask {
        question: question.to_owned(),
        settings: Some(settings.clone()),
        ..Ask::default()
    };
    let asking = Asking {
        origin: Origin::of(TraceSource::Answer),
        keep: if trace { Keep::Always } else { Keep::Never },
        store_answer: false,
    };
    let asked = traces::ask(&booted.app, booted.tenant.id, &ask, &settings, &asking).await?;
    let answer = asked.result;
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
    if let Some(id) = asked.trace_id.filter(|_| !json) {
        println!("trace {id}");
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
