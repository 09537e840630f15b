//! A filter is obeyed by both legs, before they cut: nothing else is found, and never fewer than there are.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use plumbline_retrieval::SearchOptions;
use plumbline_store::{Filter, RetrievalSettings, Scope, Tags};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::{World, owned};

const WORDS: [&str; 6] = ["battery", "delivery", "warranty", "ts200", "livraison", "price"];
const TAGS: [&str; 3] = ["faq", "prices", "old"];
const LANGUAGES: [&str; 3] = ["en", "fr", "es"];
const FOLDERS: [&str; 3] = ["", "shop/", "shop/archive/"];

/// A document as it is made: versions one after the other, the last one live.
#[derive(Debug, Clone)]
struct Plan {
    folder: usize,
    tags: BTreeSet<usize>,
    /// Language and number of chunks of each version.
    versions: Vec<(usize, usize)>,
    deleted: bool,
    words: Vec<usize>,
}

/// A filter before it is known when anything was received.
#[derive(Debug, Clone)]
struct Wanted {
    document: Option<(usize, u8)>,
    tags: BTreeSet<usize>,
    language: Option<usize>,
    since: Option<usize>,
    until: Option<usize>,
    k: usize,
    query: Vec<usize>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let versions = prop::collection::vec((0..LANGUAGES.len(), 1_usize..5), 1..3);
    let parts = (
        0..FOLDERS.len(),
        prop::collection::btree_set(0..TAGS.len(), 0..3),
        versions,
        prop::bool::weighted(0.15),
        prop::collection::vec(0..WORDS.len(), 1..4),
    );
    parts.prop_map(|(folder, tags, versions, deleted, words)| Plan {
        folder,
        tags,
        versions,
        deleted,
        words,
    })
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let parts = (
        prop::option::of((0_usize..8, 0_u8..3)),
        prop::collection::btree_set(0..TAGS.len(), 0..3),
        prop::option::weighted(0.3, 0..LANGUAGES.len()),
        prop::option::weighted(0.3, 0_usize..8),
        prop::option::weighted(0.3, 0_usize..8),
        1_usize..12,
        prop::collection::vec(0..WORDS.len(), 0..3),
    );
    parts.prop_map(|(document, tags, language, since, until, k, query)| Wanted {
        document,
        tags,
        language,
        since,
        until,
        k,
        query,
    })
}

/// A document as it came to be.
struct Made {
    id: Uuid,
    key: String,
    live: Uuid,
    received: DateTime<Utc>,
    plan: Plan,
}

async fn make(world: &World, tenant: Uuid, number: usize, plan: &Plan) -> Made {
    let key = format!("{}{number}.txt", FOLDERS[plan.folder]);
    let mut last = None;
    for (edition, &(language, chunks)) in plan.versions.iter().enumerate() {
        let texts: Vec<String> = (0..chunks)
            .map(|chunk| {
                let about = WORDS[plan.words[chunk % plan.words.len()]];
                format!("{about} of {number} line {chunk} edition {edition}")
            })
            .collect();
        last = Some(world.build(tenant, &key, LANGUAGES[language], &texts).await);
        let mut tx = world.store.tenant(tenant).await.unwrap();
        assert!(tx.publish_if_newest(last.unwrap().1).await.unwrap());
        tx.commit().await.unwrap();
    }
    let (id, live) = last.unwrap();
    let mut tx = world.store.tenant(tenant).await.unwrap();
    let tags = Tags::parse(plan.tags.iter().map(|&tag| TAGS[tag])).unwrap();
    tx.set_tags(&[id], &tags).await.unwrap();
    let received = tx.version(live).await.unwrap().created_at;
    if plan.deleted {
        tx.delete_document(id).await.unwrap();
    }
    tx.commit().await.unwrap();
    Made {
        id,
        key,
        live,
        received,
        plan: plan.clone(),
    }
}

impl Wanted {
    fn filter(&self, made: &[Made]) -> Filter {
        let at = |number: usize| made[number % made.len()].received;
        let document = self.document.map(|(number, form)| {
            let document = &made[number % made.len()];
            match form {
                0 => document.key.clone(),
                1 => document.id.to_string(),
                _ => FOLDERS[1 + number % 2].to_owned(),
            }
        });
        Filter {
            documents: document.into_iter().collect(),
            tags: self.tags.iter().map(|&tag| TAGS[tag].to_owned()).collect(),
            language: self.language.map(|language| LANGUAGES[language].to_owned()),
            since: self.since.map(at),
            until: self.until.map(at),
        }
    }
}

/// Whether the filter keeps the document, said once more and without SQL.
fn keeps(filter: &Filter, made: &Made) -> bool {
    let named = |name: &String| {
        *name == made.key
            || *name == made.id.to_string()
            || (name.ends_with('/') && made.key.starts_with(name))
    };
    let tagged = |tag: &String| made.plan.tags.iter().any(|&own| TAGS[own] == tag);
    let language = made
        .plan
        .versions
        .last()
        .map(|&(language, _)| LANGUAGES[language]);
    !made.plan.deleted
        && (filter.documents.is_empty() || filter.documents.iter().any(named))
        && (filter.tags.is_empty() || filter.tags.iter().any(tagged))
        && filter
            .language
            .as_deref()
            .is_none_or(|code| language == Some(code))
        && filter.since.is_none_or(|since| made.received >= since)
        && filter.until.is_none_or(|until| made.received < until)
}

async fn holds(world: &World, plans: Vec<Plan>, wanted: Vec<Wanted>) -> Result<(), TestCaseError> {
    let mut tx = world.store.system().await.unwrap();
    let mut tenants = Vec::new();
    for _ in 0..2 {
        let slug = Uuid::now_v7().simple().to_string();
        tenants.push(tx.ensure_tenant(&slug, "Shop").await.unwrap().id);
    }
    tx.commit().await.unwrap();
    let (ours, theirs) = (tenants[0], tenants[1]);
    let mut made = Vec::new();
    for (number, plan) in plans.iter().enumerate() {
        made.push(make(world, ours, number, plan).await);
    }
    let mut before = Vec::new();
    for round in 0..2 {
        for (place, wanted) in wanted.iter().enumerate() {
            let filter = wanted.filter(&made);
            let kept: Vec<&Made> = made.iter().filter(|made| keeps(&filter, made)).collect();
            let there: usize = kept
                .iter()
                .map(|made| made.plan.versions.last().map_or(0, |&(_, chunks)| chunks))
                .sum();
            let query: Vec<&str> = wanted.query.iter().map(|&word| WORDS[word]).collect();
            let options = SearchOptions {
                k: wanted.k,
                settings: RetrievalSettings {
                    // so shallow that a leg which cuts before it filters has nothing left
                    leg_depth: 1,
                    ..RetrievalSettings::default()
                },
                scope: Scope::default(),
                filter,
                trace: false,
            };
            let found = world
                .searcher
                .search(ours, &query.join(" "), &options)
                .await
                .unwrap();
            for hit in &found.hits {
                prop_assert!(
                    kept.iter()
                        .any(|made| (made.id, made.live) == (hit.document_id, hit.version_id)),
                    "{hit:?} is outside of {options:?}"
                );
            }
            prop_assert_eq!(found.hits.len(), wanted.k.min(there), "{:?}", options);
            if round == 0 {
                before.push(found.hits);
            } else {
                prop_assert_eq!(&found.hits, &before[place], "another tenant's documents count");
            }
        }
        if round == 0 {
            for (number, plan) in plans.iter().enumerate() {
                make(world, theirs, number, plan).await;
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaks_and_nothing_is_missing_whatever_the_filter() {
    let world = World::new().await;
    let runtime = tokio::runtime::Handle::current();
    let world = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(Config {
            cases: 8,
            max_shrink_iters: 20,
            failure_persistence: None,
            ..Config::default()
        });
        let cases = (
            prop::collection::vec(plan(), 1..7),
            prop::collection::vec(wanted(), 8),
        );
        let result = runner.run(&cases, |(plans, wanted)| {
            runtime.block_on(holds(&world, plans, wanted))
        });
        if let Err(error) = result {
            panic!("{error}");
        }
        world
    });
    world.await.unwrap().end().await;
}

#[tokio::test]
async fn the_lexical_leg_alone_looks_past_everything_that_the_filter_drops() {
    let world = World::new().await;
    let crowd: Vec<String> = (0..40).map(|n| format!("battery battery battery {n}")).collect();
    world.publish(world.tenant, "crowd.txt", "en", &crowd).await;
    let kept = owned(&["the only battery in a long text about something else altogether"]);
    world.publish(world.tenant, "kept.txt", "en", &kept).await;
    let mut options = SearchOptions {
        k: 1,
        settings: RetrievalSettings {
            vector: false,
            leg_depth: 1,
            ..RetrievalSettings::default()
        },
        scope: Scope::default(),
        filter: Filter::default(),
        trace: false,
    };
    let all = world
        .searcher
        .search(world.tenant, "battery", &options)
        .await
        .unwrap();
    assert_eq!(all.hits[0].document_key, "crowd.txt");
    options.filter.documents = vec!["kept.txt".to_owned()];
    let found = world
        .searcher
        .search(world.tenant, "battery", &options)
        .await
        .unwrap();
    assert_eq!(found.hits.len(), 1);
    assert_eq!(found.hits[0].text, kept[0]);
    assert!(
        (found.lexical_bound - all.lexical_bound).abs() < f32::EPSILON,
        "a filter changes who is found, not what a passage is worth"
    );
    options.filter.documents = vec!["nobody.txt".to_owned()];
    let none = world
        .searcher
        .search(world.tenant, "battery", &options)
        .await
        .unwrap();
    assert!(none.hits.is_empty());
    world.end().await;
}
