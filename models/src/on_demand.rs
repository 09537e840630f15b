//! An ONNX model that is loaded when it is first asked: a model that no tenant searches with costs no memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::onnx::{dimension, speaks};
use crate::{Embedder, Embedding, InContext, ModelError, OnnxEmbedder, OnnxOptions, QueryCache};

/// What `make runtime` provides beside the installation's own model.
const PROVIDED: &str = "models/multilingual-e5-small";

/// An [`OnnxEmbedder`] to be.
pub struct OnDemand {
    options: OnnxOptions,
    model: String,
    dimension: usize,
    counter: Arc<dyn Embedder>,
    loaded: OnceCell<OnnxEmbedder>,
}

impl OnDemand {
    /// Looks at `options.directory` without loading the model. Until it is loaded, tokens are counted by `counter`.
    ///
    /// # Errors
    /// [`ModelError::File`] when the directory holds no model, [`ModelError::Load`] when its configuration is not one.
    pub fn new(options: OnnxOptions, counter: Arc<dyn Embedder>) -> Result<Self, ModelError> {
        let onnx = options.directory.join("model.onnx");
        std::fs::metadata(&onnx).map_err(|source| ModelError::File { path: onnx, source })?;
        Ok(Self {
            model: options.model(),
            dimension: dimension(&options)?,
            options,
            counter,
            loaded: OnceCell::new(),
        })
    }

    /// Directories of the further models of an installation: those that are `named` (empty names are none), otherwise the one
    /// that is provided below `runtime`, if it is there and not the installation's own in `own`.
    pub fn directories(named: Option<&[PathBuf]>, runtime: &Path, own: &Path) -> Vec<PathBuf> {
        let provided = || {
            let directory = runtime.join(PROVIDED);
            let more = directory.is_dir() && directory.file_name() != own.file_name();
            more.then_some(directory).into_iter().collect()
        };
        let given = |named: &[PathBuf]| {
            let named = named.iter().filter(|directory| !directory.as_os_str().is_empty());
            named.cloned().collect()
        };
        named.map_or_else(provided, given)
    }

    /// One per directory, each with a memory for questions.
    ///
    /// # Errors
    /// Those of [`OnDemand::new`].
    pub fn all(
        directories: &[PathBuf],
        counter: &Arc<dyn Embedder>,
    ) -> Result<Vec<Arc<dyn Embedder>>, ModelError> {
        let models = directories.iter().map(|directory| {
            let model = Self::new(OnnxOptions::new(directory), Arc::clone(counter))?;
            Ok(Arc::new(QueryCache::new(Arc::new(model))) as Arc<dyn Embedder>)
        });
        models.collect()
    }

    async fn loaded(&self) -> Result<&OnnxEmbedder, ModelError> {
        let load = || async {
            let options = self.options.clone();
            let loading = tokio::task::spawn_blocking(move || OnnxEmbedder::load(&options));
            loading.await.map_err(|error| ModelError::Load {
                model: self.model.clone(),
                reason: error.to_string(),
            })?
        };
        self.loaded.get_or_try_init(load).await
    }
}

#[async_trait]
impl Embedder for OnDemand {
    fn model(&self) -> &str {
        &self.model
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    fn max_tokens(&self) -> usize {
        self.options.max_tokens
    }

    fn speaks(&self, language: &str) -> bool {
        speaks(&self.model, language)
    }

    fn count_tokens(&self, text: &str) -> usize {
        match self.loaded.get() {
            Some(model) => model.count_tokens(text),
            None => self.counter.count_tokens(text),
        }
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        self.loaded().await?.embed(texts).await
    }

    async fn embed_one(&self, text: &str) -> Result<Vec<f32>, ModelError> {
        self.loaded().await?.embed_one(text).await
    }

    fn tells_pieces(&self) -> bool {
        true
    }

    async fn embed_in_pieces(&self, passages: Vec<InContext>) -> Result<Vec<Embedding>, ModelError> {
        self.loaded().await?.embed_in_pieces(passages).await
    }

    async fn embed_one_in_pieces(&self, text: &str) -> Result<Embedding, ModelError> {
        self.loaded().await?.embed_one_in_pieces(text).await
    }
}
