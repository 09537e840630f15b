//! Example utterances per route, and how similar a question is to them.

#![expect(
    clippy::cast_precision_loss,
    reason = "counts of words and examples are far below 2^23"
)]

use std::collections::BTreeMap;

use plumbline_models::{Embedder, ModelError, cosine, mean_direction};

use crate::answer::Route;

/// Built-in examples: any small business, four languages.
const BUILT_IN: &str = include_str!("examples.txt");

/// Nearest examples whose mean counts beside the centroid.
const NEAREST: usize = 3;

/// The examples of all routes as vectors.
#[derive(Debug, Clone)]
pub struct RouteExamples {
    routes: Vec<(Route, Vec<f32>, Vec<Vec<f32>>)>,
}

impl RouteExamples {
    /// Embeds the built-in examples.
    pub async fn built_in(embedder: &dyn Embedder) -> Result<Self, ModelError> {
        let mut texts: BTreeMap<Route, Vec<String>> = BTreeMap::new();
        for (route, text) in built_in() {
            texts.entry(route).or_default().push(text.to_owned());
        }
        let mut routes = Vec::with_capacity(texts.len());
        for (route, texts) in texts {
            let vectors = embedder.embed(texts).await?;
            routes.push((route, centroid(&vectors), vectors));
        }
        Ok(Self { routes })
    }

    /// The same with the examples of a business (route name to examples; unknown names are ignored).
    pub async fn with(
        &self,
        embedder: &dyn Embedder,
        extra: &BTreeMap<String, Vec<String>>,
    ) -> Result<Self, ModelError> {
        let mut extended = self.clone();
        for (name, examples) in extra {
            let Some(entry) =
                route_of(name).and_then(|route| extended.routes.iter_mut().find(|(r, ..)| *r == route))
            else {
                tracing::warn!(route = name, "examples of an unknown route are ignored");
                continue;
            };
            entry.2.extend(embedder.embed(examples.clone()).await?);
            entry.1 = centroid(&entry.2);
        }
        Ok(extended)
    }

    /// How similar `vector` is to the examples of each route.
    pub fn similarities(&self, vector: &[f32]) -> Similarities {
        self.routes
            .iter()
            .map(|(route, centroid, vectors)| {
                let mut nearest: Vec<f32> = vectors.iter().map(|example| cosine(vector, example)).collect();
                nearest.sort_by(|a, b| b.total_cmp(a));
                nearest.truncate(NEAREST);
                let mean = nearest.iter().sum::<f32>() / nearest.len().max(1) as f32;
                // The nearest example decides a known wording, the centroid an unknown one.
                let best = nearest.first().copied().unwrap_or_default();
                (*route, 0.4 * best + 0.4 * mean + 0.2 * cosine(vector, centroid))
            })
            .collect()
    }
}

/// Similarity per route.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Similarities(BTreeMap<Route, f32>);

impl Similarities {
    /// The similarity to a route's examples; 0 for a route without examples.
    pub fn of(&self, route: Route) -> f32 {
        self.0.get(&route).copied().unwrap_or_default()
    }
}

impl FromIterator<(Route, f32)> for Similarities {
    fn from_iter<I: IntoIterator<Item = (Route, f32)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

fn built_in() -> impl Iterator<Item = (Route, &'static str)> {
    let mut route = None;
    BUILT_IN
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(move |line| {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                route = route_of(name);
                return None;
            }
            route.map(|route| (route, line))
        })
}

fn route_of(name: &str) -> Option<Route> {
    match name {
        "commodity" => Some(Route::Commodity),
        "reasoning" => Some(Route::Reasoning),
        "smalltalk" => Some(Route::Smalltalk),
        "handoff" => Some(Route::Handoff),
        "out_of_scope" => Some(Route::OutOfScope),
        _ => None,
    }
}

fn centroid(vectors: &[Vec<f32>]) -> Vec<f32> {
    let dimension = vectors.first().map_or(0, Vec::len);
    mean_direction(vectors.iter().map(Vec::as_slice), dimension)
}

#[cfg(test)]
mod tests {
    use plumbline_models::HashEmbedder;

    use super::*;

    #[test]
    fn every_route_has_examples_and_none_is_said_twice() {
        let all: Vec<_> = built_in().collect();
        for route in [
            Route::Commodity,
            Route::Reasoning,
            Route::Smalltalk,
            Route::Handoff,
            Route::OutOfScope,
        ] {
            assert!(all.iter().filter(|(r, _)| *r == route).count() >= 20, "{route:?}");
        }
        let texts: std::collections::BTreeSet<_> = all.iter().map(|(_, text)| text).collect();
        assert_eq!(texts.len(), all.len());
        assert!(all.len() <= 260, "every example is embedded at start-up");
    }

    #[tokio::test]
    async fn an_example_is_most_similar_to_its_route_and_extra_ones_count() {
        let embedder = HashEmbedder::new(256);
        let extra = BTreeMap::from([
            ("handoff".to_owned(), vec!["zzyzx quux".to_owned()]),
            ("nonsense".to_owned(), vec![]),
        ]);
        let examples = RouteExamples::built_in(&embedder)
            .await
            .unwrap()
            .with(&embedder, &extra)
            .await
            .unwrap();
        let similar = examples.similarities(&embedder.embed_one("zzyzx quux").await.unwrap());
        for route in [
            Route::Commodity,
            Route::Reasoning,
            Route::Smalltalk,
            Route::OutOfScope,
        ] {
            assert!(similar.of(Route::Handoff) > similar.of(route));
        }
    }
}
