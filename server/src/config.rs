//! Configuration: flags and environment variables, read once, here.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use plumbline_models::{ApiKey, OnDemand, RemoteModels};
use plumbline_store::{BlobStore, DataDir, S3Blobs, S3Credentials, S3Options, S3Timeouts, Secret};

/// What every command needs to reach the database, the files and the models.
#[derive(Debug, Clone, Args)]
pub struct CommonArgs {
    /// Everything the program writes goes below this directory
    #[arg(
        long,
        env = "PLUMBLINE_DATA",
        default_value = ".data",
        global = true,
        value_name = "DIR"
    )]
    pub data: PathBuf,
    /// A PostgreSQL 15 or newer with pgvector; without it a private one is started in the data directory
    #[arg(
        long,
        env = "DATABASE_URL",
        global = true,
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,
    /// Where `make runtime` put PostgreSQL, the libraries and the model
    #[arg(
        long,
        env = "PLUMBLINE_RUNTIME",
        default_value = "runtime/.local",
        global = true,
        value_name = "DIR"
    )]
    pub runtime: PathBuf,
    /// Directory of the embedding model (model.onnx and its tokenizer files)
    #[arg(long, env = "PLUMBLINE_MODEL_DIR", global = true, value_name = "DIR")]
    pub model_dir: Option<PathBuf>,
    /// Directories of further embedding models (the same files), with commas between them; a model is loaded when a tenant's
    /// `retrieval.model` names it
    #[arg(
        long,
        env = "PLUMBLINE_EMBEDDING_DIRS",
        global = true,
        value_name = "DIR",
        value_delimiter = ','
    )]
    pub embedding_dirs: Option<Vec<PathBuf>>,
    /// Directory of a cross-encoder (the same files) for tenants whose settings say `retrieval.rerank_by = "model"`
    #[arg(long, env = "PLUMBLINE_RERANKER_DIR", global = true, value_name = "DIR")]
    pub reranker_dir: Option<PathBuf>,
    /// ONNX Runtime 1.24 or newer
    #[arg(long, env = "ORT_DYLIB_PATH", global = true, value_name = "FILE")]
    pub onnx_library: Option<PathBuf>,
    /// libpdfium
    #[arg(long, env = "PDFIUM_LIB", global = true, value_name = "FILE")]
    pub pdfium: Option<PathBuf>,
    /// Installation of the private PostgreSQL
    #[arg(long, env = "PLUMBLINE_PG_DIR", global = true, value_name = "DIR")]
    pub pg_dir: Option<PathBuf>,
    /// The tenant to work for
    #[arg(
        long,
        env = "PLUMBLINE_TENANT",
        default_value = "default",
        global = true,
        value_name = "SLUG"
    )]
    pub tenant: String,
    /// Files on S3.
    #[command(flatten)]
    pub s3: S3Args,
    /// Embedding models of an endpoint.
    #[command(flatten)]
    pub embedding: EmbeddingArgs,
}

/// Embedding models beside the installation's own: those of an OpenAI-compatible endpoint.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Embedding models of an OpenAI-compatible endpoint")]
pub struct EmbeddingArgs {
    /// Address before /embeddings, such as `https://api.openai.com/v1`
    #[arg(long, env = "PLUMBLINE_EMBEDDING_URL", global = true, value_name = "URL")]
    pub embedding_url: Option<String>,
    /// Its models with their dimensions, such as `text-embedding-3-small=1536,other=768`; NAME@N asks for N dimensions
    #[arg(
        long,
        env = "PLUMBLINE_EMBEDDING_MODELS",
        global = true,
        value_name = "NAME=N"
    )]
    pub embedding_models: Option<String>,
    /// Key
    #[arg(long, env = "PLUMBLINE_EMBEDDING_API_KEY", global = true, hide_env_values = true, value_name = "KEY", value_parser = presented)]
    pub embedding_api_key: Option<Secret>,
    /// Longest input of its models in tokens, counted by the installation's own model: leave a margin
    #[arg(
        long,
        env = "PLUMBLINE_EMBEDDING_MAX_TOKENS",
        default_value_t = 512,
        global = true,
        value_name = "N"
    )]
    pub embedding_max_tokens: usize,
}

impl EmbeddingArgs {
    /// What the arguments say. An empty variable counts as one that is not set.
    pub fn remote(&self) -> RemoteModels {
        let key = self.embedding_api_key.as_ref().filter(|key| is_given(key));
        RemoteModels {
            base_url: given(self.embedding_url.as_ref()).unwrap_or_default(),
            api_key: key.map(|key| ApiKey::new(key.expose())),
            models: given(self.embedding_models.as_ref()).unwrap_or_default(),
            max_tokens: self.embedding_max_tokens,
        }
    }

    /// The same for a program started by this one, as variables.
    pub fn variables(&self) -> Vec<(&'static str, Secret)> {
        let mut variables = vec![(
            "PLUMBLINE_EMBEDDING_MAX_TOKENS",
            Secret::presented(self.embedding_max_tokens.to_string()),
        )];
        let texts = [
            ("PLUMBLINE_EMBEDDING_URL", &self.embedding_url),
            ("PLUMBLINE_EMBEDDING_MODELS", &self.embedding_models),
        ];
        for (name, text) in texts {
            variables.extend(text.iter().map(|text| (name, Secret::presented(text))));
        }
        let key = self.embedding_api_key.clone();
        variables.extend(key.map(|key| ("PLUMBLINE_EMBEDDING_API_KEY", key)));
        variables
    }
}

/// Where files are kept when not in the data directory.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Files on S3")]
pub struct S3Args {
    /// Keep the uploaded files in this bucket instead of the data directory
    #[arg(long, env = "PLUMBLINE_S3_BUCKET", global = true, value_name = "NAME")]
    pub s3_bucket: Option<String>,
    /// Folder in the bucket
    #[arg(long, env = "PLUMBLINE_S3_PREFIX", global = true, value_name = "FOLDER")]
    pub s3_prefix: Option<String>,
    /// Region of the bucket; without it `AWS_REGION` counts
    #[arg(long, env = "PLUMBLINE_S3_REGION", global = true, value_name = "REGION")]
    pub s3_region: Option<String>,
    /// Address of a store other than AWS, such as `https://minio.example:9000`
    #[arg(long, env = "PLUMBLINE_S3_ENDPOINT", global = true, value_name = "URL")]
    pub s3_endpoint: Option<String>,
    /// Name the bucket in the path of an address; most stores other than AWS want that
    #[arg(long, env = "PLUMBLINE_S3_PATH_STYLE", global = true)]
    pub s3_path_style: bool,
    /// Access key
    #[arg(long, env = "AWS_ACCESS_KEY_ID", global = true, value_name = "ID")]
    pub s3_access_key_id: Option<String>,
    /// Secret of the access key
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", global = true, hide_env_values = true, value_name = "SECRET", value_parser = presented)]
    pub s3_secret_access_key: Option<Secret>,
    /// Session token of a temporary access key
    #[arg(long, env = "AWS_SESSION_TOKEN", global = true, hide_env_values = true, value_name = "TOKEN", value_parser = presented)]
    pub s3_session_token: Option<Secret>,
    /// The region of everything at AWS
    #[arg(long, env = "AWS_REGION", global = true, hide = true, value_name = "REGION")]
    pub aws_region: Option<String>,
}

impl S3Args {
    /// What the arguments say, if they name a bucket. An empty variable counts as one that is not set.
    pub fn options(&self, spool: PathBuf) -> anyhow::Result<Option<S3Options>> {
        let Some(bucket) = given(self.s3_bucket.as_ref()) else {
            return Ok(None);
        };
        let endpoint = given(self.s3_endpoint.as_ref());
        let region = given(self.s3_region.as_ref()).or_else(|| given(self.aws_region.as_ref()));
        // a store other than AWS has no regions, and signs with this name
        let elsewhere = endpoint.is_some().then(|| "us-east-1".to_owned());
        let region = region
            .or(elsewhere)
            .context("set PLUMBLINE_S3_REGION to the region of the bucket")?;
        let token = self.s3_session_token.clone();
        let key = given(self.s3_access_key_id.as_ref());
        let secret = self.s3_secret_access_key.clone();
        let (Some(access_key_id), Some(secret_access_key)) = (key, secret.filter(is_given)) else {
            anyhow::bail!(
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key that may use bucket {bucket}"
            );
        };
        Ok(Some(S3Options {
            bucket,
            prefix: given(self.s3_prefix.as_ref()).unwrap_or_default(),
            region,
            endpoint,
            path_style: self.s3_path_style,
            credentials: S3Credentials {
                access_key_id,
                secret_access_key,
                session_token: token.filter(is_given),
            },
            spool,
            timeouts: S3Timeouts::default(),
        }))
    }
}

fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn is_given(secret: &Secret) -> bool {
    !secret.expose().is_empty()
}

#[expect(clippy::unnecessary_wraps, reason = "the form that clap wants")]
fn presented(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::presented(text))
}

/// File name of a shared library on this system.
fn library(name: &str) -> String {
    format!(
        "{}{name}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    )
}

impl CommonArgs {
    /// The data directory.
    pub fn data_dir(&self) -> DataDir {
        DataDir::new(&self.data)
    }

    /// Where uploaded files are kept.
    pub fn blobs(&self) -> anyhow::Result<BlobStore> {
        let data = self.data_dir();
        Ok(match self.s3.options(data.spool())? {
            Some(options) => BlobStore::S3(S3Blobs::connect(options)?),
            None => BlobStore::Directory(data.blobs()),
        })
    }

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

    /// The ONNX Runtime library.
    pub fn onnx_runtime(&self) -> PathBuf {
        self.onnx_library
            .clone()
            .unwrap_or_else(|| self.runtime.join("lib").join(library("onnxruntime")))
    }

    /// The PDF library: named, provisioned, beside the program, or the system's.
    pub fn pdfium_library(&self) -> PathBuf {
        if let Some(path) = &self.pdfium {
            return path.clone();
        }
        let name = library("pdfium");
        let beside = std::env::current_exe()
            .ok()
            .and_then(|exe| Some(exe.parent()?.join(&name)));
        let places = [
            Some(self.runtime.join("lib").join(&name)),
            beside,
            Some(Path::new("/usr/local/lib").join(&name)),
        ];
        let found = places.iter().flatten().find(|path| path.is_file()).cloned();
        found.unwrap_or_else(|| self.runtime.join("lib").join(&name))
    }

    /// Installation of the private PostgreSQL.
    pub fn postgres_install(&self) -> PathBuf {
        self.pg_dir
            .clone()
            .unwrap_or_else(|| self.runtime.join("postgres"))
    }
}

/// How the server is reached and how it reaches WhatsApp.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Address to listen on
    #[arg(
        long,
        env = "PLUMBLINE_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,
    /// The address people use is https: cookies are sent over nothing else
    #[arg(long, env = "PLUMBLINE_HTTPS")]
    pub https: bool,
    /// Largest upload in MiB
    #[arg(
        long,
        env = "PLUMBLINE_MAX_UPLOAD_MIB",
        default_value_t = 100,
        value_name = "MIB"
    )]
    pub max_upload_mib: usize,
    /// Most files of one upload
    #[arg(
        long,
        env = "PLUMBLINE_MAX_UPLOAD_FILES",
        default_value_t = 50,
        value_name = "N"
    )]
    pub max_upload_files: usize,
    #[command(flatten)]
    /// WhatsApp.
    pub whatsapp: WhatsappArgs,
}

/// The WhatsApp Cloud API.
#[derive(Debug, Clone, Default, Args)]
pub struct WhatsappArgs {
    /// Secret of the Meta app: webhooks are signed with it
    #[arg(long, env = "WHATSAPP_APP_SECRET", hide_env_values = true, value_name = "SECRET", value_parser = secret)]
    pub app_secret: Option<Secret>,
    /// The word that Meta repeats when the webhook is registered
    #[arg(long, env = "WHATSAPP_VERIFY_TOKEN", hide_env_values = true, value_name = "TOKEN", value_parser = secret)]
    pub verify_token: Option<Secret>,
    /// Access token for sending
    #[arg(long, env = "WHATSAPP_ACCESS_TOKEN", hide_env_values = true, value_name = "TOKEN", value_parser = secret)]
    pub access_token: Option<Secret>,
    /// Id of the business number; it is tied to the tenant given by --tenant
    #[arg(long, env = "WHATSAPP_PHONE_NUMBER_ID", value_name = "ID")]
    pub phone_number_id: Option<String>,
    /// Where messages are sent to
    #[arg(
        long,
        env = "WHATSAPP_GRAPH_URL",
        default_value = "https://graph.facebook.com",
        value_name = "URL"
    )]
    pub graph_url: String,
    /// Version of the Graph API
    #[arg(
        long,
        env = "WHATSAPP_GRAPH_VERSION",
        default_value = "v23.0",
        value_name = "VERSION"
    )]
    pub graph_version: String,
    /// Seconds that a message whose sending was interrupted waits for word of it before it is sent again
    #[arg(
        long,
        env = "WHATSAPP_SEND_GRACE_SECONDS",
        default_value_t = 60,
        value_name = "SECONDS"
    )]
    pub send_grace_seconds: u64,
}

fn secret(text: &str) -> Result<Secret, String> {
    if text.is_empty() {
        Err("must not be empty".to_owned())
    } else {
        Ok(Secret::presented(text))
    }
}
