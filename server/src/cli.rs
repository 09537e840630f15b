//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::commands;
use crate::commands::stop::{gently, promptly};
use crate::config::{CommonArgs, ServeArgs, WhatsappArgs};
use crate::filter::FilterRequest;

/// Answers WhatsApp customers from a business's own documents, with the evidence for every sentence.
#[derive(Debug, Parser)]
#[command(name = "plumbline", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    /// What to log: error, warn, info, debug, trace, or a filter such as `plumbline_server=debug`
    #[arg(long, env = "PLUMBLINE_LOG", global = true, value_name = "FILTER")]
    log: Option<String>,
    /// Log one JSON object per line
    #[arg(long, env = "PLUMBLINE_LOG_JSON", global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server: API, webhook, pages, and the workers unless --no-work is given
    Serve {
        #[command(flatten)]
        serve: ServeArgs,
        /// Leave the work to `plumbline work` processes
        #[arg(long)]
        no_work: bool,
    },
    /// Run the workers alone: builds documents, answers turns, sends replies
    Work {
        #[command(flatten)]
        serve: ServeArgs,
    },
    /// Bring the database up to date and stop
    Migrate,
    /// Make files searchable; exit code 1 if any of them failed
    Ingest {
        /// Files, or folders with files
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// One JSON object per file instead of progress bars
        #[arg(long)]
        json: bool,
        /// Go on until Ctrl-C: files that change or appear are made searchable, files that go are reported
        #[arg(long)]
        watch: bool,
        /// Tag of the documents, may be repeated; the files' tags are these from now on, without the flag they stay
        #[arg(long = "tag", value_name = "TAG")]
        tags: Vec<String>,
    },
    /// Show what is read out of a file; writes nothing
    Extract {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// All blocks with their pages and byte ranges, as JSON
        #[arg(long)]
        json: bool,
        /// Recognise the text of scanned pages with an installed tesseract, in these languages, as `eng+fra`
        #[arg(long, value_name = "LANGS")]
        ocr: Option<String>,
    },
    /// Show and change the versioned settings of --tenant
    #[command(subcommand)]
    Settings(commands::settings::SettingsCommand),
    /// Show and switch the embedding model of --tenant
    #[command(subcommand)]
    Models(commands::models::ModelsCommand),
    /// What questions looked at on the way to their answers: list, show, ask again
    #[command(subcommand)]
    Traces(commands::traces::TracesCommand),
    /// Everything that can be wrong with a file and what to do, as a page of documentation
    Errors,
    /// Search the live documents, all or those that the filter keeps
    Search {
        /// The question
        query: String,
        /// Passages wanted
        #[arg(long, short, default_value_t = 5, value_name = "N")]
        k: usize,
        #[command(flatten)]
        filter: FilterRequest,
        /// How each passage was found: the words of the question, ranks and scores of both legs, weights, timings
        #[arg(long)]
        explain: bool,
        /// Keep the trace of this search and print its identifier, for `plumbline traces show`
        #[arg(long)]
        trace: bool,
        /// The result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask what a customer would ask, and see the answer with its evidence
    Ask {
        /// The question
        question: String,
        /// Keep the trace of this answer and print its identifier, for `plumbline traces show`
        #[arg(long)]
        trace: bool,
        /// The full record as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make drafts of golden cases from answers to customers that went wrong
    Grow(commands::grow::GrowArgs),
    /// Everything on this machine: documents, server, and a WhatsApp simulator in the browser
    Demo {
        /// Address to listen on
        #[arg(
            long,
            env = "PLUMBLINE_LISTEN",
            default_value = "127.0.0.1:8080",
            value_name = "ADDRESS"
        )]
        listen: std::net::SocketAddr,
        /// The documents to answer from
        #[arg(long, default_value = "golden/corpus", value_name = "DIR")]
        corpus: PathBuf,
        /// Name of the business in the chat
        #[arg(long, default_value = "Tamarind Home & Solar", value_name = "NAME")]
        business: String,
    },
    /// Say what was found, what is missing, and the command that mends it
    Doctor {
        /// Only whether a running server answers at `PLUMBLINE_LISTEN` (for health checks)
        #[arg(long)]
        quick: bool,
        /// The running server
        #[arg(
            long,
            env = "PLUMBLINE_LISTEN",
            default_value = "127.0.0.1:8080",
            value_name = "ADDRESS"
        )]
        listen: std::net::SocketAddr,
        #[command(flatten)]
        whatsapp: WhatsappArgs,
    },
    /// Make, list and revoke API keys; make sign-ins
    #[command(subcommand)]
    Access(commands::access::Access),
    /// Run a command with `DATABASE_URL` set to a throw-away PostgreSQL
    #[command(hide = true)]
    WithPostgres {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<std::ffi::OsString>,
    },
    /// The child process that reads one file
    #[command(hide = true)]
    ExtractWorker,
}

/// Parses the command line, runs the command and chooses the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::ExtractWorker) {
        return plumbline_ingest::worker_main();
    }
    start_log(&cli);
    // one TLS stack for everything that speaks https
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    runtime.block_on(run(cli)).unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("plumbline: {error:#}");
    ExitCode::FAILURE
}

fn start_log(cli: &Cli) {
    let quiet = !matches!(cli.command, Command::Serve { .. } | Command::Work { .. });
    let default = if quiet { "error" } else { "info,tower_http=warn" };
    let filter = cli.log.clone().unwrap_or_else(|| default.to_owned());
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr);
    if cli.log_json {
        log.json().init();
    } else {
        log.init();
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let common = &cli.common;
    match cli.command {
        Command::Serve { serve, no_work } => {
            gently(|stop| commands::serve::serve(common, &serve, !no_work, stop)).await
        }
        Command::Work { serve } => gently(|stop| commands::serve::work(common, &serve, stop)).await,
        Command::Migrate => promptly(commands::migrate::run(common)).await,
        Command::Ingest {
            paths,
            json,
            watch,
            tags,
        } => {
            let wanted = commands::ingest::Wanted { paths, tags };
            gently(|stop| commands::ingest::run(common, &wanted, json, watch, stop)).await
        }
        Command::Extract { file, json, ocr } => {
            promptly(commands::extract::run(common, &file, json, ocr)).await
        }
        Command::Search {
            query,
            k,
            filter,
            explain,
            trace,
            json,
        } => {
            let format = commands::search::Format { explain, trace, json };
            promptly(commands::search::run(common, &query, k, &filter, format)).await
        }
        Command::Ask {
            question,
            trace,
            json,
        } => promptly(commands::ask::run(common, &question, trace, json)).await,
        Command::Demo {
            listen,
            corpus,
            business,
        } => gently(|stop| commands::demo::run(common, listen, &corpus, &business, stop)).await,
        Command::Doctor {
            quick: true, listen, ..
        } => promptly(commands::doctor::quick(listen)).await,
        Command::Doctor { whatsapp, .. } => promptly(commands::doctor::run(common, &whatsapp)).await,
        Command::Grow(args) => promptly(commands::grow::run(common, &args)).await,
        Command::Settings(command) => promptly(commands::settings::run(common, command)).await,
        Command::Traces(command) => promptly(commands::traces::run(common, command)).await,
        Command::Models(command) => promptly(commands::models::run(common, command)).await,
        Command::Errors => {
            print!("{}", crate::http::catalogue::markdown());
            Ok(ExitCode::SUCCESS)
        }
        // these two take over the signals when they are ready for them
        Command::Access(access) => commands::access::run(common, access).await,
        Command::WithPostgres { command } => commands::with_postgres::run(common, &command).await,
        Command::ExtractWorker => Ok(plumbline_ingest::worker_main()),
    }
}
