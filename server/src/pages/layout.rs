//! What every page has around its content.

use super::assets;

/// Which entry of the navigation is the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Documents, one of them, or a passage.
    Documents,
    /// Runs of the eval, or drafts of golden cases.
    Evals,
    /// Traces.
    Traces,
    /// The playground.
    Playground,
    /// The simulator.
    Simulator,
    /// None of them.
    None,
}

/// The frame of a page: who looks at it, and where it is.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Name of the tenant, empty before sign-in.
    pub tenant: String,
    /// Address of the admin, none for a visitor.
    pub email: Option<String>,
    /// Present entry of the navigation.
    pub tab: Tab,
}

impl Shell {
    /// The frame for somebody who is not signed in.
    pub fn visitor() -> Self {
        Self {
            tenant: String::new(),
            email: None,
            tab: Tab::None,
        }
    }

    /// The address of an asset.
    pub fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    /// Whether the page belongs to the documents.
    pub fn on_documents(&self) -> bool {
        self.tab == Tab::Documents
    }

    /// Whether the page belongs to the evals.
    pub fn on_evals(&self) -> bool {
        self.tab == Tab::Evals
    }

    /// Whether the page belongs to the traces.
    pub fn on_traces(&self) -> bool {
        self.tab == Tab::Traces
    }

    /// Whether the page is the playground.
    pub fn on_playground(&self) -> bool {
        self.tab == Tab::Playground
    }

    /// Whether the page is the simulator.
    pub fn on_simulator(&self) -> bool {
        self.tab == Tab::Simulator
    }
}

/// A state in a few words and a tone of colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge {
    /// Class of the style sheet: `ok`, `warn`, `bad`, `busy`, `live` or nothing.
    pub tone: &'static str,
    /// The words.
    pub label: &'static str,
}

/// A message at the top of a page: what happened and, if anything, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `ok`, `warn` or `bad`.
    pub tone: &'static str,
    /// What happened.
    pub text: String,
    /// What to do about it, or nothing.
    pub to_do: String,
}

/// Why a version failed, and the way on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable code.
    pub code: String,
    /// What happened.
    pub reason: String,
    /// What to do about it.
    pub to_do: String,
}
