//! What a set brings along for grading beside its cases: prices and tools.

use std::path::Path;

use super::cost::{Cost, Prices};
use super::grade::Graded;
use super::tools::{self, Tools};
use crate::error::EvalError;

/// The tables of a set.
#[derive(Debug, Clone)]
pub struct Tables {
    prices: Prices,
    tools: Tools,
}

impl Tables {
    /// Reads `prices.toml` and `tools.jsonl` of a golden directory, where there are any.
    pub fn read(golden: &Path) -> Result<Self, EvalError> {
        Ok(Self {
            prices: Prices::read(golden)?,
            tools: Tools::read(golden)?,
        })
    }

    /// Grades cost and calls of a reply by these tables.
    pub fn apply(&self, graded: &mut Graded) {
        let answer = graded.reply.answer.as_ref();
        graded.cost = answer.map_or(Cost::Unknown, |answer| self.prices.cost(&answer.usage));
        graded.tools = tools::of(&graded.case, &graded.reply.calls, &self.tools);
    }

    /// Day of the oldest price.
    pub fn prices_as_of(&self) -> Option<String> {
        self.prices.as_of().map(|day| day.to_string())
    }
}
