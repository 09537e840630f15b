//! Configuration: flags and environment variables, read once, here.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use plumbline_store::{DataDir, Secret};

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

    /// Directory of the embedding model.
    pub fn model_directory(&self) -> PathBuf {
        self.model_dir
            .clone()
            .unwrap_or_else(|| self.runtime.join("models/all-MiniLM-L6-v2"))
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
