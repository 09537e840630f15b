//! `plumbline models`: the embedding model of a tenant.

use std::process::ExitCode;

use clap::Subcommand;

use crate::app::{load_embedders, open};
use crate::config::CommonArgs;
use crate::embedding::{self, ModelState, SwitchState};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Show the models, which of them answers for --tenant, and how far a switch is
    #[command(visible_alias = "status")]
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Put another model into force: a running server or worker makes its vectors while the present one answers
    Switch {
        /// Its name, see `list`
        model: String,
    },
    /// Put the model into force again that answered before
    Rollback,
    /// Remove the vectors of a model that does not answer
    Remove {
        /// Its name, see `list`
        model: String,
    },
}

pub(crate) async fn run(common: &CommonArgs, command: ModelsCommand) -> anyhow::Result<ExitCode> {
    let opened = open(common).await?;
    let embedders = load_embedders(common).await?;
    let (store, tenant) = (&opened.store, opened.tenant.id);
    let said = match command {
        ModelsCommand::List { json } => {
            let states = embedding::list(store, &embedders, tenant).await?;
            if json {
                serde_json::to_string_pretty(&states)?
            } else {
                states.iter().map(line).collect::<Vec<_>>().join("\n")
            }
        }
        ModelsCommand::Switch { model } => {
            let state = embedding::switch(store, &embedders, tenant, &model, true).await?;
            told(&model, &state)
        }
        ModelsCommand::Rollback => {
            let (model, state) = embedding::rollback(store, &embedders, tenant).await?;
            told(&model, &state)
        }
        ModelsCommand::Remove { model } => {
            embedding::remove(store, &embedders, tenant, &model).await?;
            format!("the vectors of {model} are gone")
        }
    };
    println!("{said}");
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn told(model: &str, state: &SwitchState) -> String {
    match state {
        SwitchState::InForce { settings_version } => {
            format!("{model} is in force, settings version {settings_version}")
        }
        SwitchState::Judged { eval_run, .. } => {
            format!("{model} waits for eval run {eval_run}: it is put into force when the golden set passes")
        }
        SwitchState::Building { windows_missing } => format!(
            "{windows_missing} windows get their vectors of {model} from a running `plumbline serve` or `plumbline work`; \
             see `plumbline models status`"
        ),
    }
}

/// `* name  384 dimensions  in force` of one model.
fn line(state: &ModelState) -> String {
    let mark = if state.in_force { "*" } else { " " };
    let dimension = state
        .dimension
        .map_or("not in this process".to_owned(), |dimension| {
            format!("{dimension} dimensions")
        });
    let mut notes = Vec::new();
    if state.own {
        notes.push("the installation's own".to_owned());
    }
    if state.in_force {
        notes.push("answers".to_owned());
    } else if state.wanted && state.windows_done < state.windows_total {
        notes.push(format!(
            "{} of {} windows embedded",
            state.windows_done, state.windows_total
        ));
    } else if state.wanted {
        notes.push("waits for its verdict".to_owned());
    } else if state.kept {
        notes.push("kept for a rollback".to_owned());
    }
    if !state.problem.is_empty() {
        notes.push(state.problem.clone());
    }
    format!("{mark} {}  {dimension}  {}", state.model, notes.join("; "))
        .trim_end()
        .to_owned()
}
