//! `plumbline search`.

use std::process::ExitCode;

use plumbline_retrieval::{Hit, SearchOptions};
use plumbline_store::Scope;

use crate::app::boot;
use crate::config::CommonArgs;

pub(crate) async fn run(
    common: &CommonArgs,
    query: &str,
    k: usize,
    explain: bool,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let booted = boot(common, None).await?;
    let mut tx = booted.app.store.tenant(booted.tenant.id).await?;
    let settings = tx.settings().await?.settings.retrieval;
    tx.commit().await?;
    booted.app.searcher.catch_up(booted.tenant.id).await?;
    let results = booted
        .app
        .searcher
        .search(
            booted.tenant.id,
            query,
            &SearchOptions {
                k,
                settings,
                scope: Scope::default(),
            },
        )
        .await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    } else if results.hits.is_empty() {
        println!("nothing found: no document is live; see `plumbline ingest --help`");
    } else {
        for (place, hit) in (1..).zip(&results.hits) {
            print(place, hit, explain);
        }
        if explain {
            let t = results.timings;
            println!(
                "lexical leg {:?}, vectors {}; embed {:.1} ms, lexical {:.1}, vector {:.1}, fuse {:.1}, total {:.1}",
                results.lexical,
                results.vector_scan,
                t.embed_ms,
                t.lexical_ms,
                t.vector_ms,
                t.fuse_ms,
                t.total_ms
            );
        }
    }
    booted.app.store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn print(place: usize, hit: &Hit, explain: bool) {
    let spot = match (hit.page, hit.row) {
        (Some(page), _) => format!(", page {page}"),
        (None, Some(row)) => format!(", row {row}"),
        (None, None) => String::new(),
    };
    println!(
        "{place}. {} (version {}{spot})",
        hit.document_key, hit.version_number
    );
    if !hit.heading_path.is_empty() {
        println!("   {}", hit.heading_path.join(" > "));
    }
    if explain {
        let leg = |leg: Option<plumbline_retrieval::LegScore>| match leg {
            Some(score) if score.rank > 0 => format!("rank {} score {:.3}", score.rank, score.score),
            Some(score) => format!("score {:.3}", score.score),
            None => "not found".to_owned(),
        };
        println!(
            "   score {:.3}; lexical {}; vector {}",
            hit.score,
            leg(hit.lexical),
            leg(hit.vector)
        );
    }
    let text: String = hit.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = text.chars().take(240).collect();
    println!("   {short}{}\n", if short.len() < text.len() { "…" } else { "" });
}
