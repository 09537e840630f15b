//! Whether the model that searches knows the languages of a tenant's documents.

use plumbline_models::speaks;
use plumbline_store::Store;

use super::{Finding, INDENT, Outcome};
use crate::config::CommonArgs;

/// Looks at the live documents of the tenant of that name, as far as their language could be told.
pub(super) async fn look(store: &Store, common: &CommonArgs) -> anyhow::Result<Finding> {
    let mut tx = store.system().await?;
    let tenant = tx.tenant_by_slug(&common.tenant).await?;
    tx.commit().await?;
    let (mut model, mut documents) = (String::new(), Vec::new());
    if let Some(tenant) = tenant {
        let mut tx = store.tenant(tenant.id).await?;
        model = tx.settings().await?.settings.retrieval.model;
        documents = tx.live_languages().await?;
        tx.commit().await?;
    }
    if model.is_empty() {
        model = name(&common.model_directory());
    }
    // what an endpoint offers was trained on many languages
    let local: Vec<String> = std::iter::once(common.model_directory())
        .chain(common.embedding_directories())
        .map(|directory| name(&directory))
        .collect();
    let knows =
        |model: &str, language: &str| !local.iter().any(|one| one == model) || speaks(model, language);
    let better = local
        .iter()
        .find(|other| documents.iter().all(|(language, _)| knows(other, language)));
    Ok((
        "languages",
        outcome(
            &model,
            &documents,
            &|language| knows(&model, language),
            better.map(String::as_str),
        ),
    ))
}

fn name(directory: &std::path::Path) -> String {
    let name = directory.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn outcome(
    model: &str,
    documents: &[(String, i64)],
    knows: &dyn Fn(&str) -> bool,
    better: Option<&str>,
) -> Outcome {
    let told = |documents: &[&(String, i64)]| {
        let counts = documents
            .iter()
            .map(|(language, count)| format!("{count} {language}"));
        counts.collect::<Vec<_>>().join(", ")
    };
    let all: Vec<&(String, i64)> = documents.iter().collect();
    let foreign: Vec<&(String, i64)> = documents
        .iter()
        .filter(|(language, _)| !knows(language))
        .collect();
    match (all.is_empty(), foreign.is_empty(), better) {
        (true, ..) => Outcome::Fine("no documents whose language could be told yet".to_owned()),
        (false, true, _) => Outcome::Fine(format!("documents: {}; {model} knows them", told(&all))),
        (false, false, better) => Outcome::Note(format!(
            "documents: {}; {model} does not know {}: questions find those by their words, hardly by their meaning\n{INDENT}{}",
            told(&all),
            told(&foreign),
            better.map_or_else(
                || "`make runtime` provides a model of many languages, see docs/models.md".to_owned(),
                |better| format!("`plumbline models switch {better}` changes that"),
            )
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(documents: &[(&str, i64)], better: Option<&str>) -> String {
        let documents: Vec<(String, i64)> = documents
            .iter()
            .map(|(language, count)| ((*language).to_owned(), *count))
            .collect();
        match outcome(
            "all-MiniLM-L6-v2",
            &documents,
            &|language| language == "en",
            better,
        ) {
            Outcome::Fine(words) => format!("ok: {words}"),
            Outcome::Note(words) => format!("note: {words}"),
            Outcome::Missing(words) => format!("missing: {words}"),
        }
    }

    #[test]
    fn what_is_said_of_languages() {
        insta::assert_snapshot!(
            [
                said(&[], None),
                said(&[("en", 41)], None),
                said(&[("en", 3), ("sw", 12), ("fr", 1)], Some("multilingual-e5-small")),
                said(&[("pt", 5)], None),
            ]
            .join("\n")
        );
    }
}
