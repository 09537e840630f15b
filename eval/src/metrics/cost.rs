//! What does a message cost? (definition row 11)
//!
//! Tokens times a dated price table. A model without a price makes the figure unusable rather than cheap. A call that failed is
//! charged [`FAILED_USD`], far more than a message costs: nobody knows what it would have cost, and an outage must not look
//! like a saving. The eval asks no judge, so what it spends is what the replies cost.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use chrono::NaiveDate;
use plumbline_answer::Usage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grade::Graded;
use super::{Estimate, Measured};
use crate::error::EvalError;
use crate::golden::case::{ROUTES, route_name};
use crate::stats::percentile::{nearest_rank, percentile, upper_bound};
use crate::stats::wilson::Z95;
use crate::stats::{real, share};

/// What a failed call is charged, US dollars.
pub const FAILED_USD: f64 = 1.0;

/// The table of the program.
static BUILT_IN: LazyLock<Prices> = LazyLock::new(|| parse(include_str!("prices.toml")).unwrap_or_default());

/// Prices by model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prices {
    by_model: BTreeMap<String, Price>,
}

/// One line of a price table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    model: String,
    /// US dollars per million input tokens.
    input: f64,
    /// US dollars per million output tokens.
    output: f64,
    /// When the price was read.
    as_of: NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    price: Vec<Price>,
}

fn parse(text: &str) -> Result<Prices, String> {
    let table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    let wrong = |price: &&Price| !(price.input >= 0.0 && price.output >= 0.0);
    if let Some(price) = table.price.iter().find(wrong) {
        return Err(format!("{}: a price is 0 or more", price.model));
    }
    let by_model = table.price.into_iter().map(|price| (price.model.clone(), price));
    Ok(Prices {
        by_model: by_model.collect(),
    })
}

impl Prices {
    /// The table of the program.
    pub fn built_in() -> Self {
        BUILT_IN.clone()
    }

    /// The table of a set, `prices.toml`, else the built-in one.
    pub fn read(golden: &Path) -> Result<Self, EvalError> {
        let path = golden.join("prices.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => parse(&text).map_err(|error| EvalError::unreadable(&path, &error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::built_in()),
            Err(error) => Err(EvalError::unreadable(&path, &error)),
        }
    }

    /// What the tokens cost. A reply that no model was asked for costs nothing.
    pub fn cost(&self, usage: &Usage) -> Cost {
        let Some(price) = self.by_model.get(&usage.model) else {
            let unused = usage.model.is_empty() && usage.input_tokens + usage.output_tokens == 0;
            return if unused {
                Cost::Usd(0.0)
            } else {
                Cost::Unpriced(usage.model.clone())
            };
        };
        let million = |tokens: u64, price: f64| millions(tokens) * price;
        Cost::Usd(million(usage.input_tokens, price.input) + million(usage.output_tokens, price.output))
    }

    /// The oldest price.
    pub fn as_of(&self) -> Option<NaiveDate> {
        self.by_model.values().map(|price| price.as_of).min()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "tokens of one reply stay far below 2^52"
)]
fn millions(tokens: u64) -> f64 {
    tokens as f64 / 1e6
}

/// What one reply cost.
#[derive(Debug, Clone, PartialEq)]
pub enum Cost {
    /// US dollars.
    Usd(f64),
    /// The model has no price.
    Unpriced(String),
    /// The call failed.
    Unknown,
}

/// What each call is charged, and the models without a price.
fn charges(graded: &[&Graded]) -> (Vec<f64>, Vec<String>) {
    let mut unpriced = Vec::new();
    let mut charge = |graded: &&Graded| match &graded.cost {
        _ if graded.observed.is_error() => FAILED_USD,
        Cost::Usd(usd) => *usd,
        Cost::Unknown => FAILED_USD,
        Cost::Unpriced(model) => {
            unpriced.push(model.clone());
            FAILED_USD
        }
    };
    let charges = graded.iter().map(&mut charge).collect();
    unpriced.sort();
    unpriced.dedup();
    (charges, unpriced)
}

fn with_problem(mut measured: Measured, unpriced: &[String]) -> Measured {
    if !unpriced.is_empty() {
        measured.problem = Some(format!(
            "no price for the model {}; add it to prices.toml of the golden directory",
            unpriced.join(", ")
        ));
    }
    measured
}

/// Mean cost of a message in US dollars; bounds by the normal approximation of the mean.
pub fn mean(graded: &[&Graded]) -> Measured {
    let (charges, unpriced) = charges(graded);
    let n = charges.len();
    let point = share(charges.iter().sum(), n);
    let squares: f64 = charges.iter().map(|charge| (charge - point).powi(2)).sum();
    let error = if n > 1 {
        (squares / real(n - 1) / real(n)).sqrt()
    } else {
        f64::INFINITY
    };
    let value = Estimate {
        k: charges.iter().sum(),
        n,
        point,
        lower: (point - Z95 * error).max(0.0),
        upper: point + Z95 * error,
    };
    let errors = graded.iter().filter(|g| g.observed.is_error()).count();
    with_problem(Measured::plain(value, errors), &unpriced)
}

/// 95th percentile of the cost with its distribution-free upper bound.
pub fn p95(graded: &[&Graded]) -> Measured {
    let (charges, unpriced) = charges(graded);
    let n = charges.len();
    let value = Estimate {
        k: real(if n == 0 { 0 } else { nearest_rank(n, 0.95) }),
        n,
        point: percentile(&charges, 0.95).unwrap_or(FAILED_USD),
        lower: 0.0,
        upper: upper_bound(&charges, 0.95).unwrap_or(f64::INFINITY),
    };
    let errors = graded.iter().filter(|g| g.observed.is_error()).count();
    with_problem(Measured::plain(value, errors), &unpriced)
}

/// Cost of the replies of one route, and of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteCost {
    /// The route taken; `all` for all of them.
    pub route: String,
    /// Replies.
    pub n: usize,
    /// Mean, US dollars.
    pub mean_usd: f64,
    /// 95th percentile, US dollars.
    pub p95_usd: f64,
    /// Sum: what this run spent.
    pub total_usd: f64,
}

/// Cost per route taken; failed calls have none and are in no row.
pub fn by_route(graded: &[&Graded]) -> Vec<RouteCost> {
    let row = |name: &str, holds: &dyn Fn(&Graded) -> bool| {
        let costs: Vec<f64> = graded
            .iter()
            .filter(|g| !g.observed.is_error() && holds(g))
            .filter_map(|g| {
                if let Cost::Usd(usd) = &g.cost {
                    Some(*usd)
                } else {
                    None
                }
            })
            .collect();
        let total: f64 = costs.iter().sum();
        Some(RouteCost {
            route: name.to_owned(),
            n: costs.len(),
            mean_usd: share(total, costs.len()),
            p95_usd: percentile(&costs, 0.95)?,
            total_usd: total,
        })
    };
    let routes = ROUTES
        .into_iter()
        .filter_map(|route| row(route_name(route), &|g| g.route() == Some(route)));
    routes.chain(row("all", &|_| true)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::case::Kind;
    use crate::metrics::Observed;
    use crate::testing::observed;

    const TABLE: &str = "[[price]]\nmodel='big'\ninput=3.0\noutput=15.0\nas_of='2026-10-01'\n\
        [[price]]\nmodel='extractive'\ninput=0.0\noutput=0.0\nas_of='2026-11-01'\n";

    fn usage(model: &str, input_tokens: u64, output_tokens: u64) -> Usage {
        Usage {
            model: model.into(),
            input_tokens,
            output_tokens,
        }
    }

    fn charged(costs: &[Cost]) -> Vec<Graded> {
        costs
            .iter()
            .map(|cost| {
                let mut row = observed(Kind::Chitchat, Observed::Answered);
                row.cost = cost.clone();
                row
            })
            .collect()
    }

    /// 2,000 · 3 / 10⁶ + 400 · 15 / 10⁶ = 0.012.
    #[test]
    fn tokens_times_price() {
        let prices = parse(TABLE).unwrap();
        let Cost::Usd(usd) = prices.cost(&usage("big", 2_000, 400)) else {
            panic!()
        };
        assert!((usd - 0.012).abs() < 1e-12);
        assert_eq!(prices.cost(&usage("extractive", 900, 90)), Cost::Usd(0.0));
        assert_eq!(prices.cost(&usage("", 0, 0)), Cost::Usd(0.0));
        assert_eq!(prices.cost(&usage("new", 0, 0)), Cost::Unpriced("new".into()));
        assert_eq!(
            prices.as_of().map(|day| day.to_string()).as_deref(),
            Some("2026-10-01")
        );
        assert_eq!(
            Prices::built_in().cost(&usage("extractive", 1, 1)),
            Cost::Usd(0.0)
        );
        assert!(parse("[[price]]\nmodel='x'\ninput=-1.0\noutput=0.0\nas_of='2026-10-01'").is_err());
    }

    #[test]
    fn a_model_without_a_price_is_a_problem_not_a_bargain() {
        let rows = charged(&[Cost::Usd(0.01), Cost::Unpriced("new".into())]);
        let all: Vec<&Graded> = rows.iter().collect();
        for measured in [mean(&all), p95(&all)] {
            assert!(measured.problem.unwrap().contains("no price for the model new"));
        }
    }

    #[test]
    fn mean_and_percentile_by_hand() {
        let rows = charged(&[0.01, 0.02, 0.03, 0.04].map(Cost::Usd));
        let all: Vec<&Graded> = rows.iter().collect();
        let measured = mean(&all);
        assert!((measured.value.point - 0.025).abs() < 1e-12);
        // s = 0.012_910, s/√4 = 0.006_455
        assert!(
            (measured.value.upper - (0.025 + Z95 * 0.006_454_972)).abs() < 1e-8,
            "{measured:?}"
        );
        assert!((p95(&all).value.point - 0.04).abs() < 1e-12);
        let routes = by_route(&all);
        assert_eq!(
            routes.last().map(|row| (row.route.as_str(), row.n)),
            Some(("all", 4))
        );
    }

    #[test]
    fn a_failed_call_is_no_saving() {
        let mut rows = charged(&[0.01, 0.02, 0.03].map(Cost::Usd));
        let before = mean(&rows.iter().collect::<Vec<_>>()).value.point;
        rows[2] = crate::testing::as_error(&rows[2]);
        assert!(mean(&rows.iter().collect::<Vec<_>>()).value.point > before);
    }
}
