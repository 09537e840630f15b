//! Progress on stderr: a bar in a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::PoisonError;

use indicatif::{ProgressBar, ProgressStyle};

/// Lines per stage where there is no terminal.
const LINES: u64 = 5;

/// Where progress is told.
pub struct Progress {
    bar: Option<ProgressBar>,
    stage: Mutex<Stage>,
}

#[derive(Default)]
struct Stage {
    name: String,
    total: u64,
    done: u64,
}

impl Progress {
    /// A bar when stderr is a terminal.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg:24} [{bar:40}] {pos}/{len} {elapsed}");
            ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            stage: Mutex::default(),
        }
    }

    /// Begins a stage of `total` steps.
    pub fn begin(&self, name: &str, total: usize) {
        let total = total as u64;
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Stage {
            name: name.to_owned(),
            total,
            done: 0,
        };
        match &self.bar {
            Some(bar) => {
                bar.reset();
                bar.set_length(total);
                bar.set_message(name.to_owned());
            }
            None => eprintln!("{name}: {total}"),
        }
    }

    /// One step is done.
    pub fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            return;
        }
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        stage.done += 1;
        let Stage { name, total, done } = &*stage;
        let told = |done: u64| done * LINES / total.max(&1);
        if done < total && told(*done) > told(done - 1) {
            eprintln!("{name}: {done}/{total}");
        }
    }

    /// Says something beside the bar.
    pub fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// Nothing more will come.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
