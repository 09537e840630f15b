//! Questions as vectors, each bound to the space it belongs to.
//!
//! Which model embeds a question is a setting, and another question of the same tenant may already be embedded by
//! another one. A vector therefore never travels without its space, and only [`Spaces::embed`] makes one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use plumbline_models::{Embedder, Embedders, Embedding, ModelError, Piece, cosine};
use plumbline_store::{Store, StoreError};
use uuid::Uuid;

use crate::SearchError;

/// The models of this process with the spaces of their vectors.
pub(crate) struct Spaces {
    embedders: Embedders,
    known: PerModel<i32>,
    resting: PerModel<f32>,
}

/// What is known of every model, by its name, for as long as the process lives.
#[derive(Default)]
struct PerModel<T>(Mutex<HashMap<String, T>>);

impl<T: Copy> PerModel<T> {
    fn of(&self, embedder: &dyn Embedder) -> Option<T> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(embedder.model()).copied()
    }

    fn keep(&self, embedder: &dyn Embedder, value: T) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(embedder.model().to_owned(), value);
    }
}

/// The vector of a question, in its space, and what the installation's own model reads in it.
pub(crate) struct QueryVector {
    space: i32,
    /// Of another model than the own one.
    foreign: Option<Vec<f32>>,
    own_space: i32,
    own: Embedding,
    embedder: Arc<dyn Embedder>,
    resting: f32,
}

impl QueryVector {
    /// What a cosine with this vector counts.
    pub(crate) fn nearness(&self, cosine: f32) -> f32 {
        nearness(cosine, self.resting)
    }

    /// The only space that it may be compared in.
    pub(crate) fn space(&self) -> i32 {
        self.space
    }

    /// Its values, as many as the space has dimensions.
    pub(crate) fn values(&self) -> &[f32] {
        self.foreign.as_ref().unwrap_or(&self.own.vector)
    }

    /// The space that passages are kept piece by piece in, and the pieces of the question; none from models that do not tell.
    pub(crate) fn pieces(&self) -> (i32, &[Piece]) {
        (self.own_space, &self.own.pieces)
    }

    /// Name of its model.
    pub(crate) fn model(&self) -> &str {
        self.embedder.model()
    }

    /// Whether its model was trained on texts in `language`.
    pub(crate) fn speaks(&self, language: &str) -> bool {
        self.embedder.speaks(language)
    }

    /// The vector of the installation's own model: what else is compared with a question (the examples of routes) is of
    /// that model.
    pub(crate) fn into_own(self) -> Vec<f32> {
        self.own.vector
    }
}

impl Spaces {
    pub(crate) fn new(embedders: Embedders) -> Self {
        Self {
            embedders,
            known: PerModel::default(),
            resting: PerModel::default(),
        }
    }

    /// `query` as a vector of the model that the settings name, and of the own one.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] when this process has no such model; [`ModelError::Inference`] when a vector is not as
    /// long as its space wants.
    pub(crate) async fn embed(
        &self,
        store: &Store,
        tenant: Uuid,
        model: &str,
        query: &str,
    ) -> Result<QueryVector, SearchError> {
        let embedder = Arc::clone(self.embedders.get(model)?);
        let own = self.embedders.own();
        let foreign = async {
            if self.embedders.is_own(embedder.model()) {
                return Ok(None);
            }
            embedder.embed_one(query).await.map(Some)
        };
        let (foreign, read) = tokio::try_join!(foreign, own.embed_one_in_pieces(query))?;
        for (model, vector) in [
            (own.as_ref(), Some(&read.vector)),
            (embedder.as_ref(), foreign.as_ref()),
        ] {
            check_length(model, vector)?;
        }
        Ok(QueryVector {
            space: self.space(store, tenant, embedder.as_ref()).await?,
            foreign,
            own_space: self.space(store, tenant, own.as_ref()).await?,
            own: read,
            resting: self.resting(embedder.as_ref()).await?,
            embedder,
        })
    }

    /// Where the cosines of a model begin, measured once per process.
    async fn resting(&self, embedder: &dyn Embedder) -> Result<f32, ModelError> {
        if let Some(cosine) = self.resting.of(embedder) {
            return Ok(cosine);
        }
        let cosine = resting_cosine(embedder).await?;
        tracing::debug!(model = embedder.model(), cosine, "retrieval.resting_cosine");
        self.resting.keep(embedder, cosine);
        Ok(cosine)
    }

    /// The space that questions are embedded into when the settings name `model`.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] when this process has no such model.
    pub(crate) async fn of(&self, store: &Store, tenant: Uuid, model: &str) -> Result<i32, SearchError> {
        let embedder = self.embedders.get(model)?;
        Ok(self.space(store, tenant, embedder.as_ref()).await?)
    }

    /// The id of a model's space; its name and dimension never change once it is there.
    async fn space(&self, store: &Store, tenant: Uuid, embedder: &dyn Embedder) -> Result<i32, StoreError> {
        if let Some(space) = self.known.of(embedder) {
            return Ok(space);
        }
        let mut tx = store.tenant(tenant).await?;
        let space = tx.ensure_space(embedder.model(), embedder.dimension()).await?;
        // remembered only once it is committed
        tx.commit().await?;
        self.known.keep(embedder, space);
        Ok(space)
    }
}

/// Refuses a vector that is not as long as its model says.
fn check_length(model: &dyn Embedder, vector: Option<&Vec<f32>>) -> Result<(), ModelError> {
    match vector {
        Some(vector) if vector.len() != model.dimension() => Err(ModelError::Inference {
            model: model.model().to_owned(),
            reason: format!(
                "a vector of {} dimensions came where {} are expected",
                vector.len(),
                model.dimension()
            ),
        }),
        _ => Ok(()),
    }
}

/// Questions and passages of which none has to do with another.
const UNRELATED: [(&str, &str); 6] = [
    (
        "Who painted the ceiling of the chapel?",
        "The ferry leaves the island at half past six.",
    ),
    (
        "How do I remove rust from a pan?",
        "Her third novel is set among fishermen.",
    ),
    (
        "When does the football season start?",
        "Limestone is dissolved by rain over centuries.",
    ),
    (
        "Is this medicine safe for children?",
        "The committee elected a new treasurer on Monday.",
    ),
    (
        "What is the capital of Mongolia?",
        "Knead the dough until it no longer sticks.",
    ),
    (
        "Why is my printer offline?",
        "Swallows fly south when the nights grow cold.",
    ),
];

/// Above this a model is taken to press its cosines together: those of unrelated texts are about 0 for most models, and
/// 0.7 or more for those that were trained with a low temperature (E5).
const PRESSED: f32 = 0.4;

/// Mean cosine of questions with passages that have nothing to do with them, or 0 where cosines have their usual range.
/// A weight of the fusion then means about the same for every model.
async fn resting_cosine(embedder: &dyn Embedder) -> Result<f32, ModelError> {
    let passages = embedder
        .embed(
            UNRELATED
                .iter()
                .map(|(_, passage)| (*passage).to_owned())
                .collect(),
        )
        .await?;
    let (mut sum, mut pairs) = (0.0, 0.0);
    for (question, _) in UNRELATED {
        let question = embedder.embed_one(question).await?;
        for passage in &passages {
            sum += cosine(&question, passage);
            pairs += 1.0;
        }
    }
    let mean = sum / pairs;
    Ok(if (PRESSED..1.0).contains(&mean) { mean } else { 0.0 })
}

/// A cosine as it counts: 0 for texts that have as much to do with each other as those of [`UNRELATED`], 1 for the same.
fn nearness(cosine: f32, resting: f32) -> f32 {
    (cosine - resting) / (1.0 - resting)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use plumbline_models::HashEmbedder;
    use plumbline_store::testing::TestDatabase;

    use super::*;

    /// Says 64 dimensions and hands out 32, as an endpoint does whose model was replaced.
    struct Changed(HashEmbedder);

    #[async_trait]
    impl Embedder for Changed {
        fn model(&self) -> &'static str {
            "changed"
        }

        fn dimension(&self) -> usize {
            64
        }

        fn max_tokens(&self) -> usize {
            64
        }

        fn speaks(&self, _language: &str) -> bool {
            true
        }

        fn count_tokens(&self, text: &str) -> usize {
            self.0.count_tokens(text)
        }

        async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
            self.0.embed(texts).await
        }
    }

    /// Has all vectors near one direction: cosines lie between 0.75 and 1.
    struct Pressed(HashEmbedder);

    #[async_trait]
    impl Embedder for Pressed {
        fn model(&self) -> &'static str {
            "pressed"
        }

        fn dimension(&self) -> usize {
            self.0.dimension() + 1
        }

        fn max_tokens(&self) -> usize {
            self.0.max_tokens()
        }

        fn speaks(&self, _language: &str) -> bool {
            true
        }

        fn count_tokens(&self, text: &str) -> usize {
            self.0.count_tokens(text)
        }

        async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
            let mut vectors = self.0.embed(texts).await?;
            for vector in &mut vectors {
                for value in vector.iter_mut() {
                    *value *= 0.5;
                }
                vector.push(0.75_f32.sqrt());
            }
            Ok(vectors)
        }
    }

    #[tokio::test]
    async fn cosines_that_a_model_presses_together_are_spread_again() {
        let plain = HashEmbedder::new(256);
        assert_eq!(resting_cosine(&plain).await.unwrap().to_bits(), 0.0_f32.to_bits());
        let pressed = Pressed(HashEmbedder::new(256));
        let resting = resting_cosine(&pressed).await.unwrap();
        assert!((0.7..0.85).contains(&resting), "{resting}");
        let texts = ["the fan costs 250", "the fan costs 260", "open on Sunday"].map(String::from);
        let vectors = pressed.embed(texts.into()).await.unwrap();
        let nearness = |other: &[f32]| nearness(cosine(&vectors[0], other), resting);
        assert!(nearness(&vectors[1]) > 0.5, "{}", nearness(&vectors[1]));
        assert!(nearness(&vectors[2]) < 0.2, "{}", nearness(&vectors[2]));
        assert!((nearness(&vectors[0]) - 1.0).abs() < 1e-3);
    }

    #[tokio::test]
    async fn a_vector_that_does_not_fit_its_space_reaches_no_query() {
        let database = TestDatabase::create().await.unwrap();
        let store = database.store().await.unwrap();
        let mut tx = store.system().await.unwrap();
        let tenant = tx.ensure_tenant("t", "T").await.unwrap().id;
        tx.commit().await.unwrap();
        let own: Arc<dyn Embedder> = Arc::new(HashEmbedder::new(16));
        let others: Vec<Arc<dyn Embedder>> = vec![
            Arc::new(HashEmbedder::new(32)),
            Arc::new(Changed(HashEmbedder::new(32))),
        ];
        let spaces = Spaces::new(Embedders::new(own, others).unwrap());

        let mine = spaces.embed(&store, tenant, "", "a question").await.unwrap();
        let other = spaces
            .embed(&store, tenant, "hash-trigram-32", "a question")
            .await
            .unwrap();
        assert_ne!(mine.space(), other.space());
        assert_eq!((mine.values().len(), other.values().len()), (16, 32));
        assert_eq!(other.into_own(), mine.into_own(), "routes are of the own model");
        for wrong in ["changed", "nowhere"] {
            assert!(
                spaces.embed(&store, tenant, wrong, "a question").await.is_err(),
                "{wrong}"
            );
        }
        store.close().await;
        database.drop().await.unwrap();
    }
}
