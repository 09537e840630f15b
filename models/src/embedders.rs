//! The embedding models of one process, by name.
//!
//! One of them is the installation's own: it runs in the process, cuts documents, routes questions and is there when
//! an endpoint is not. The others serve the tenants whose settings name them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{ApiKey, Embedder, ModelError, OpenAiEmbedder, OpenAiOptions, QueryCache};

/// The models of a process; cheap to clone.
#[derive(Clone)]
pub struct Embedders {
    own: Arc<dyn Embedder>,
    others: Arc<BTreeMap<String, Arc<dyn Embedder>>>,
}

impl Embedders {
    /// The installation's own model with others beside it.
    ///
    /// # Errors
    /// [`ModelError::Load`] when two have one name: their vectors would meet.
    pub fn new(own: Arc<dyn Embedder>, others: Vec<Arc<dyn Embedder>>) -> Result<Self, ModelError> {
        let mut named: BTreeMap<String, Arc<dyn Embedder>> = BTreeMap::new();
        for other in others {
            let name = other.model().to_owned();
            if name == own.model() || named.insert(name.clone(), other).is_some() {
                return Err(ModelError::Load {
                    model: name,
                    reason: "another model has the same name; give one of them another".to_owned(),
                });
            }
        }
        Ok(Self {
            own,
            others: Arc::new(named),
        })
    }

    /// The same with another own model; it has the name of the present one.
    #[must_use]
    pub fn with_own(&self, own: Arc<dyn Embedder>) -> Self {
        Self {
            own,
            others: Arc::clone(&self.others),
        }
    }

    /// The installation's own model.
    pub fn own(&self) -> &Arc<dyn Embedder> {
        &self.own
    }

    /// The model of that name; the empty name means the installation's own.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] with the names that there are.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Embedder>, ModelError> {
        if self.is_own(name) {
            return Ok(&self.own);
        }
        self.others.get(name).ok_or_else(|| ModelError::Unknown {
            model: name.to_owned(),
            known: self
                .all()
                .map(|embedder| embedder.model())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// Whether a setting that says `name` means the installation's own model.
    pub fn is_own(&self, name: &str) -> bool {
        name.is_empty() || name == self.own.model()
    }

    /// All of them, the installation's own first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn Embedder>> {
        std::iter::once(&self.own).chain(self.others.values())
    }
}

impl From<Arc<dyn Embedder>> for Embedders {
    fn from(own: Arc<dyn Embedder>) -> Self {
        Self {
            own,
            others: Arc::default(),
        }
    }
}

impl<E: Embedder + 'static> From<Arc<E>> for Embedders {
    fn from(own: Arc<E>) -> Self {
        let own: Arc<dyn Embedder> = own;
        own.into()
    }
}

/// The models of one OpenAI-compatible endpoint, as they are configured.
#[derive(Debug, Clone, Default)]
pub struct RemoteModels {
    /// Address before `/embeddings`; empty for none.
    pub base_url: String,
    /// Key, if the endpoint wants one.
    pub api_key: Option<ApiKey>,
    /// `NAME=DIMENSION` per model, with commas; `NAME@DIMENSION` asks the endpoint to shorten the vectors to it.
    pub models: String,
    /// Longest input in tokens.
    pub max_tokens: usize,
}

impl RemoteModels {
    /// A client per model; nothing is asked yet. Tokens are counted by `counter`, see [`OpenAiEmbedder::new`].
    ///
    /// # Errors
    /// [`ModelError::Load`] naming what cannot be used.
    pub fn connect(&self, counter: &Arc<dyn Embedder>) -> Result<Vec<Arc<dyn Embedder>>, ModelError> {
        let named = self
            .models
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let mut models: Vec<Arc<dyn Embedder>> = Vec::new();
        for named in named {
            let (model, dimension, shortened) = parsed(named)?;
            if self.base_url.is_empty() {
                return Err(ModelError::Load {
                    model,
                    reason: "no endpoint is named; set PLUMBLINE_EMBEDDING_URL, as https://api.openai.com/v1"
                        .to_owned(),
                });
            }
            let options = OpenAiOptions {
                api_key: self.api_key.clone(),
                shortened,
                max_tokens: self.max_tokens.max(1),
                ..OpenAiOptions::new(&self.base_url, model, dimension)
            };
            let client = OpenAiEmbedder::new(options, Arc::clone(counter))?;
            models.push(Arc::new(QueryCache::new(Arc::new(client))));
        }
        Ok(models)
    }
}

/// Name, dimension, and whether the endpoint is asked for it.
fn parsed(named: &str) -> Result<(String, usize, bool), ModelError> {
    let at = named.rfind(['=', '@']);
    let parts = at.map(|at| (&named[..at], &named[at + 1..], named.as_bytes()[at] == b'@'));
    parts
        .filter(|(name, ..)| !name.trim().is_empty())
        .and_then(|(name, dimension, shortened)| {
            let dimension = dimension.trim().parse().ok()?;
            Some((name.trim().to_owned(), dimension, shortened))
        })
        .ok_or_else(|| ModelError::Load {
            model: named.to_owned(),
            reason: "write NAME=DIMENSION, as text-embedding-3-small=1536".to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HashEmbedder;

    #[test]
    fn an_empty_name_means_the_own_model_and_an_unknown_one_is_told_with_those_there_are() {
        let own: Arc<dyn Embedder> = Arc::new(HashEmbedder::new(16));
        let embedders = Embedders::new(own, vec![Arc::new(HashEmbedder::new(32))]).unwrap();
        assert_eq!(embedders.get("").unwrap().model(), "hash-trigram-16");
        assert_eq!(embedders.get("hash-trigram-32").unwrap().dimension(), 32);
        let said = embedders.get("else").err().unwrap().to_string();
        assert!(said.contains("hash-trigram-16, hash-trigram-32"), "{said}");
    }

    #[test]
    fn two_models_of_one_name_would_share_a_space() {
        let own: Arc<dyn Embedder> = Arc::new(HashEmbedder::new(16));
        assert!(Embedders::new(own, vec![Arc::new(HashEmbedder::new(16))]).is_err());
    }

    #[test]
    fn models_are_named_with_their_dimension() {
        assert_eq!(
            parsed("text-embedding-3-small=1536").unwrap(),
            ("text-embedding-3-small".to_owned(), 1_536, false)
        );
        assert_eq!(
            parsed("ns/m:latest@256").unwrap(),
            ("ns/m:latest".to_owned(), 256, true)
        );
        for wrong in ["m", "m=", "=3", "m=many"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
