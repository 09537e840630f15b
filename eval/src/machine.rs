//! Where the native parts of the machine are. The names are those of the `plumbline` program, so that
//! one environment serves both.

use std::path::PathBuf;

use clap::Args;
use plumbline_ingest::Limits;
use plumbline_models::{ApiKey, OnDemand, RemoteModels};

/// The provisioned runtime, or its parts one by one.
#[derive(Debug, Clone, Default, Args)]
pub struct Machine {
    /// Where `make runtime` put Postgres, the libraries and the embedding model.
    #[arg(
        long,
        value_name = "DIR",
        env = "PLUMBLINE_RUNTIME",
        default_value = "runtime/.local"
    )]
    pub runtime: PathBuf,
    /// Directory of the embedding model.
    #[arg(long, value_name = "DIR", env = "PLUMBLINE_MODEL_DIR", hide_short_help = true)]
    pub model_dir: Option<PathBuf>,
    /// Directories of further embedding models; `retrieval.model` of the settings names the one that answers.
    #[arg(
        long,
        value_name = "DIR",
        env = "PLUMBLINE_EMBEDDING_DIRS",
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub embedding_dirs: Option<Vec<PathBuf>>,
    /// Directory of a cross-encoder, for settings with `retrieval.rerank_by = "model"`.
    #[arg(
        long,
        value_name = "DIR",
        env = "PLUMBLINE_RERANKER_DIR",
        hide_short_help = true
    )]
    pub reranker_dir: Option<PathBuf>,
    /// ONNX Runtime 1.24 or newer.
    #[arg(long, value_name = "FILE", env = "ORT_DYLIB_PATH", hide_short_help = true)]
    pub onnx_library: Option<PathBuf>,
    /// The PDF library.
    #[arg(long, value_name = "FILE", env = "PDFIUM_LIB", hide_short_help = true)]
    pub pdfium: Option<PathBuf>,
    /// Installation of the private Postgres.
    #[arg(long, value_name = "DIR", env = "PLUMBLINE_PG_DIR", hide_short_help = true)]
    pub pg_dir: Option<PathBuf>,
    /// An OpenAI-compatible endpoint with further embedding models: the address before /embeddings.
    #[arg(
        long,
        value_name = "URL",
        env = "PLUMBLINE_EMBEDDING_URL",
        hide_short_help = true
    )]
    pub embedding_url: Option<String>,
    /// Its models with their dimensions; `retrieval.model` of the settings names the one that answers.
    #[arg(
        long,
        value_name = "NAME=N",
        env = "PLUMBLINE_EMBEDDING_MODELS",
        hide_short_help = true
    )]
    pub embedding_models: Option<String>,
    /// Its key.
    #[arg(
        long,
        value_name = "KEY",
        env = "PLUMBLINE_EMBEDDING_API_KEY",
        hide_short_help = true,
        hide_env_values = true,
        value_parser = api_key
    )]
    pub embedding_api_key: Option<ApiKey>,
    /// Longest input of its models in tokens.
    #[arg(
        long,
        value_name = "N",
        env = "PLUMBLINE_EMBEDDING_MAX_TOKENS",
        default_value_t = 512,
        hide_short_help = true
    )]
    pub embedding_max_tokens: usize,
}

#[expect(clippy::unnecessary_wraps, reason = "the form that clap wants")]
fn api_key(text: &str) -> Result<ApiKey, std::convert::Infallible> {
    Ok(ApiKey::new(text))
}

impl Machine {
    /// Directory of the embedding model.
    pub fn model_directory(&self) -> PathBuf {
        self.model_dir
            .clone()
            .unwrap_or_else(|| self.runtime.join("models/all-MiniLM-L6-v2"))
    }

    /// Directories of further embedding models: those that are named, or the one that `make runtime` provides.
    pub fn embedding_directories(&self) -> Vec<PathBuf> {
        OnDemand::directories(
            self.embedding_dirs.as_deref(),
            &self.runtime,
            &self.model_directory(),
        )
    }

    /// Name of the embedding model, as the model itself tells it.
    pub fn model_name(&self) -> String {
        let directory = self.model_directory();
        directory
            .file_name()
            .map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// The models of the endpoint, if one is configured.
    pub fn remote(&self) -> RemoteModels {
        RemoteModels {
            base_url: self.embedding_url.clone().unwrap_or_default(),
            api_key: self.embedding_api_key.clone(),
            models: self.embedding_models.clone().unwrap_or_default(),
            max_tokens: self.embedding_max_tokens,
        }
    }

    /// The ONNX Runtime library.
    pub fn onnx_runtime(&self) -> PathBuf {
        self.onnx_library
            .clone()
            .unwrap_or_else(|| self.library("onnxruntime"))
    }

    /// Installation of the private Postgres.
    pub fn postgres(&self) -> PathBuf {
        self.pg_dir
            .clone()
            .unwrap_or_else(|| self.runtime.join("postgres"))
    }

    /// What the extractors may read, and with which PDF library; they look for one when the runtime
    /// has none.
    pub fn limits(&self) -> Limits {
        let provisioned = Some(self.library("pdfium")).filter(|path| path.is_file());
        Limits {
            libpdfium: self.pdfium.clone().or(provisioned),
            ..Limits::default()
        }
    }

    fn library(&self, name: &str) -> PathBuf {
        use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
        self.runtime
            .join("lib")
            .join(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"))
    }
}
