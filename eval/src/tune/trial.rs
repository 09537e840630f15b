//! The bench: the dev cases, and the answerer that is asked them with one setting after the other.

use std::sync::Arc;

use plumbline_answer::Answerer;
use plumbline_models::{ChatModel, Extractive};
use plumbline_store::{Settings, SettingsVersion};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::knob::Stage;
use super::memo::{MemoEmbedder, MemoModel, Mute};
use crate::error::EvalError;
use crate::golden::case::{Case, Kind};
use crate::golden::load::Golden;
use crate::golden::pin::{Span, pin};
use crate::golden::split::{Selection, Split, split_of};
use crate::golden::texts::read_texts;
use crate::golden::verdict::Verdicts;
use crate::machine::Machine;
use crate::metrics::Graded;
use crate::metrics::grade::grade;
use crate::progress::Progress;
use crate::target::local::{Local, LocalSettings};
use crate::target::{Reply, VersionTexts};

/// Questions at a time.
const AT_A_TIME: usize = 2;

/// The cases of one side of the split and the answerer that is asked them.
pub struct Bench {
    local: Arc<Local>,
    /// Finds and routes, and has nothing to say.
    mute: Arc<Answerer>,
    /// Says what it said before to the same request.
    speaking: Arc<Answerer>,
    cases: Vec<Arc<(Case, Vec<Span>)>>,
}

impl Bench {
    /// Opens the answerer with the cases of the dev split; those of the test split are left out here and never asked.
    pub async fn for_tuning(
        local: &LocalSettings,
        machine: &Machine,
        golden: &Golden,
        progress: &Progress,
    ) -> Result<Self, EvalError> {
        let bench = Self::open(local, machine, golden, Selection::Dev, progress).await?;
        if let Some(case) = bench
            .cases
            .iter()
            .find(|case| split_of(&case.0.id) == Split::Test)
        {
            return Err(EvalError::Usage(format!(
                "{}: the test split is not for tuning",
                case.0.id
            )));
        }
        Ok(bench)
    }

    /// Opens the answerer with the cases of a selection.
    pub async fn open(
        settings: &LocalSettings,
        machine: &Machine,
        golden: &Golden,
        selection: Selection,
        progress: &Progress,
    ) -> Result<Self, EvalError> {
        let texts = read_texts(golden, &machine.limits())?;
        let asked = golden.cases.iter().map(|located| &located.case);
        let mut cases = Vec::new();
        for case in asked.filter(|case| selection.holds(&case.id)) {
            let spans = pin(case, &golden.docs, &texts).map_err(|lost| {
                EvalError::Stale(format!(
                    "{}: {}; run `plumbline-eval repin`",
                    case.id,
                    lost.join("; ")
                ))
            })?;
            cases.push(Arc::new((case.clone(), spans)));
        }
        if cases.is_empty() {
            return Err(EvalError::Usage(format!("no case is in the split {selection:?}")));
        }
        let local = Arc::new(Local::open(settings, machine, golden, progress).await?);
        let embedder = Arc::new(MemoEmbedder::new(local.embedder()));
        let searcher = Arc::new(local.searcher(Arc::clone(&embedder) as _).await?);
        let answerer = |model: Arc<dyn ChatModel>| {
            let (searcher, embedder) = (Arc::clone(&searcher), Arc::clone(&embedder));
            Arc::new(Answerer::new(local.store(), searcher, embedder as _, model))
        };
        let speaker = Arc::new(Extractive::new(Arc::clone(&embedder) as _));
        Ok(Self {
            mute: answerer(Arc::new(Mute)),
            speaking: answerer(Arc::new(MemoModel::new(speaker))),
            local,
            cases,
        })
    }

    /// Ids of the cases that are asked.
    pub fn ids(&self) -> Vec<&str> {
        self.cases.iter().map(|case| case.0.id.as_str()).collect()
    }

    /// What a setting scores in a stage.
    pub(super) async fn score(
        &self,
        settings: &Settings,
        stage: Stage,
        progress: &Progress,
    ) -> Result<f64, EvalError> {
        let wanted = |case: &Case| match stage {
            Stage::Retrieval => case.kind == Kind::Answerable,
            Stage::Routing => true,
            Stage::Abstention => matches!(case.kind, Kind::Answerable | Kind::Unanswerable),
        };
        let answerer = if stage == Stage::Abstention {
            &self.speaking
        } else {
            &self.mute
        };
        let graded = self.ask(answerer, settings, wanted, progress).await?;
        Ok(stage.objective(&graded))
    }

    /// What is found for the answerable cases with these settings; nothing is composed.
    pub(super) async fn find(
        &self,
        settings: &Settings,
        progress: &Progress,
    ) -> Result<Vec<Graded>, EvalError> {
        let wanted = |case: &Case| case.kind == Kind::Answerable;
        self.ask(&self.mute, settings, wanted, progress).await
    }

    async fn ask(
        &self,
        answerer: &Arc<Answerer>,
        settings: &Settings,
        wanted: impl Fn(&Case) -> bool,
        progress: &Progress,
    ) -> Result<Vec<Graded>, EvalError> {
        let cases: Vec<_> = self.cases.iter().filter(|case| wanted(&case.0)).collect();
        progress.begin("asking", cases.len());
        let settings = SettingsVersion {
            version: 0,
            settings: settings.clone(),
        };
        let slots = Arc::new(Semaphore::new(AT_A_TIME));
        let mut calls = JoinSet::new();
        for case in cases {
            let (answerer, local, slots) =
                (Arc::clone(answerer), Arc::clone(&self.local), Arc::clone(&slots));
            let (case, settings) = (Arc::clone(case), settings.clone());
            calls.spawn(async move {
                // The semaphore is never closed, so a permit always comes.
                let _permit = slots.acquire().await;
                let answer = local.ask_of(&answerer, &case.0, settings).await;
                (case, answer)
            });
        }
        let mut graded = Vec::new();
        while let Some(done) = calls.join_next().await {
            let (case, answer) = done.map_err(|error| EvalError::Infra(error.to_string()))?;
            // A setting must not win because a part was down for a moment.
            let answer = answer.map_err(|error| EvalError::Infra(format!("{}: {error}", case.0.id)))?;
            let reply = Reply {
                answer: Ok(answer),
                calls: Vec::new(),
                wall_ms: 0.0,
                live: false,
            };
            graded.push(grade(
                &case.0,
                &case.1,
                reply,
                &VersionTexts::new(),
                &Verdicts::default(),
            ));
            progress.step();
        }
        graded.sort_by(|a, b| a.case.id.cmp(&b.case.id));
        Ok(graded)
    }
}
