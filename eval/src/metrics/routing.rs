//! Was the question sent the right way? (definition row 4)
//!
//! The headline is the macro precision over the classes with enough gold; accuracy hides a small
//! class that is always wrong. Harm (a hard question treated cheaply) and waste (a cheap one
//! treated dearly) cost different things and are told apart.
//!
//! A reply that failed has no route. It is counted as the false alarm that lowers the macro
//! precision most, class by class, so that a crash can never hide a wrong route.

use plumbline_answer::Route;
use serde::{Deserialize, Serialize};

use super::grade::Graded;
use super::{Estimate, Measured};
use crate::golden::case::{ROUTES, route_name};
use crate::stats::{real, share, wilson};

/// Gold cases from which a class counts in the headline.
pub const MIN_GOLD: usize = 20;

/// One class of the confusion matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClassRow {
    /// The gold route.
    pub route: String,
    /// Cases with this gold route.
    pub gold: usize,
    /// What they were routed to, in the order of [`ROUTES`]; the last column is "error".
    pub predicted: Vec<usize>,
    /// Precision of this class, 0 when it was never predicted.
    pub precision: f64,
    /// Its lower bound W⁻.
    pub precision_lower: f64,
    /// Recall of this class.
    pub recall: f64,
    /// Whether the class counts in the headline.
    pub in_headline: bool,
}

/// The confusion matrix with precision and recall per class.
pub fn confusion(graded: &[&Graded]) -> Vec<ClassRow> {
    let tally = Tally::of(graded);
    ROUTES
        .iter()
        .enumerate()
        .map(|(class, &route)| {
            let gold = tally.gold(class);
            let (correct, claimed) = (tally.correct(class), tally.claimed(class));
            ClassRow {
                route: route_name(route).to_owned(),
                gold,
                predicted: tally.counts[class].to_vec(),
                precision: share(real(correct), claimed),
                precision_lower: wilson::lower(real(correct), claimed),
                recall: share(real(correct), gold),
                in_headline: gold >= MIN_GOLD,
            }
        })
        .collect()
}

/// Macro precision over the classes with at least [`MIN_GOLD`] gold cases; bounds by recovering the
/// variance from the classes' Wilson intervals.
pub fn macro_precision(graded: &[&Graded]) -> Measured {
    let tally = Tally::of(graded);
    let classes: Vec<usize> = (0..ROUTES.len())
        .filter(|&class| tally.gold(class) >= MIN_GOLD)
        .collect();
    let mut shares: Vec<(usize, usize)> = classes
        .iter()
        .map(|&class| (tally.correct(class), tally.claimed(class)))
        .collect();
    charge_errors(&mut shares, tally.errors());
    let as_real: Vec<(f64, usize)> = shares.iter().map(|&(k, n)| (real(k), n)).collect();
    let (lower, upper) = wilson::mean_of_shares(&as_real);
    let point = share(as_real.iter().map(|&(k, n)| share(k, n)).sum(), shares.len());
    let value = Estimate {
        k: real(shares.iter().map(|(k, _)| k).sum()),
        n: shares.iter().map(|(_, n)| n).sum(),
        point,
        lower,
        upper,
    };
    let mut measured = Measured::plain(value, tally.errors());
    let flawless: Vec<(f64, usize)> = classes
        .iter()
        .map(|&c| (real(tally.gold(c)), tally.gold(c)))
        .collect();
    let (lower, upper) = wilson::mean_of_shares(&flawless);
    measured.flawless = Some(Estimate {
        point: 1.0,
        lower,
        upper,
        ..value
    });
    if classes.is_empty() {
        measured.problem = Some(format!("no route has {MIN_GOLD} gold cases"));
    }
    measured
}

/// Adds each error as a false alarm where it lowers the sum of precisions most. Each precision is
/// convex in its false alarms, so taking the largest step each time finds the lowest sum.
fn charge_errors(shares: &mut [(usize, usize)], errors: usize) {
    for _ in 0..errors {
        let loss = |&(k, n): &(usize, usize)| share(real(k), n) - share(real(k), n + 1);
        let worst = shares.iter_mut().max_by(|a, b| loss(a).total_cmp(&loss(b)));
        if let Some((_, n)) = worst {
            *n += 1;
        }
    }
}

/// Share of all cases with a gold route that were routed right: printed beside the headline.
pub fn accuracy(graded: &[&Graded]) -> Measured {
    let (k, n, errors) = count(graded, rightly);
    Measured::success(real(k), n, errors)
}

/// P(routed cheaply | gold is reasoning or handoff); cheap is commodity or small talk.
pub fn harm(graded: &[&Graded]) -> Measured {
    let (k, n, errors) = count(graded, not_cheaply);
    Measured::failure(real(n - k), n, errors)
}

/// P(routed dearly | gold is commodity or small talk); dear is reasoning or handoff.
pub fn waste(graded: &[&Graded]) -> Measured {
    let (k, n, errors) = count(graded, not_dearly);
    Measured::failure(real(n - k), n, errors)
}

/// Share of the cases of one gold route that got it.
pub fn recall_of(graded: &[&Graded], good: fn(&Graded) -> Option<bool>) -> Measured {
    let (k, n, errors) = count(graded, good);
    Measured::success(real(k), n, errors)
}

/// Whether the case was routed right; `None` for a case without a gold route. A failed reply is routed wrong.
pub fn rightly(graded: &Graded) -> Option<bool> {
    Some(graded.route() == Some(graded.case.expected_route()?))
}

/// The same, for cases that need a person.
pub fn rightly_handed_off(graded: &Graded) -> Option<bool> {
    rightly(graded).filter(|_| graded.case.expected_route() == Some(Route::Handoff))
}

/// The same, for cases that are none of the business's concern.
pub fn rightly_out_of_scope(graded: &Graded) -> Option<bool> {
    rightly(graded).filter(|_| graded.case.expected_route() == Some(Route::OutOfScope))
}

/// Whether a hard question was not treated cheaply.
pub fn not_cheaply(graded: &Graded) -> Option<bool> {
    avoids(graded, HARD, CHEAP)
}

/// Whether an easy question was not treated dearly.
pub fn not_dearly(graded: &Graded) -> Option<bool> {
    avoids(graded, CHEAP, HARD)
}

/// Routes that a cheap model serves.
const CHEAP: [Route; 2] = [Route::Commodity, Route::Smalltalk];

/// Routes that need a dear model or a person.
const HARD: [Route; 2] = [Route::Reasoning, Route::Handoff];

fn avoids(graded: &Graded, gold: [Route; 2], wrong: [Route; 2]) -> Option<bool> {
    let counts = gold.contains(&graded.case.expected_route()?);
    counts.then(|| graded.route().is_some_and(|route| !wrong.contains(&route)))
}

/// Good cases, cases that count, errors among them.
fn count(graded: &[&Graded], good: fn(&Graded) -> Option<bool>) -> (usize, usize, usize) {
    let judged: Vec<(bool, bool)> = graded
        .iter()
        .filter_map(|g| Some((good(g)?, g.route().is_none())))
        .collect();
    let k = judged.iter().filter(|(good, _)| *good).count();
    let errors = judged.iter().filter(|(_, error)| *error).count();
    (k, judged.len(), errors)
}

fn pairs<'a>(graded: &'a [&Graded]) -> impl Iterator<Item = (Route, Option<Route>)> + 'a {
    graded
        .iter()
        .filter_map(|g| Some((g.case.expected_route()?, g.route())))
}

/// Counts by gold class and predicted class, with a column for errors.
struct Tally {
    counts: [[usize; ROUTES.len() + 1]; ROUTES.len()],
}

impl Tally {
    fn of(graded: &[&Graded]) -> Self {
        let index = |route: Route| ROUTES.iter().position(|&r| r == route);
        let mut counts = [[0; ROUTES.len() + 1]; ROUTES.len()];
        for (gold, predicted) in pairs(graded) {
            if let Some(row) = index(gold) {
                counts[row][predicted.and_then(index).unwrap_or(ROUTES.len())] += 1;
            }
        }
        Self { counts }
    }

    fn gold(&self, class: usize) -> usize {
        self.counts[class].iter().sum()
    }

    fn correct(&self, class: usize) -> usize {
        self.counts[class][class]
    }

    fn claimed(&self, class: usize) -> usize {
        self.counts.iter().map(|row| row[class]).sum()
    }

    fn errors(&self) -> usize {
        self.counts.iter().map(|row| row[ROUTES.len()]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::routed;

    /// 20 commodity (18 right, 2 to reasoning), 20 reasoning (15 right, 5 to commodity), 3 handoff
    /// (all right, too few for the headline).
    fn sample() -> Vec<Graded> {
        let mut cases = Vec::new();
        let mut add = |n: usize, gold: Route, predicted: Option<Route>| {
            for _ in 0..n {
                cases.push(routed(gold, predicted));
            }
        };
        add(18, Route::Commodity, Some(Route::Commodity));
        add(2, Route::Commodity, Some(Route::Reasoning));
        add(15, Route::Reasoning, Some(Route::Reasoning));
        add(5, Route::Reasoning, Some(Route::Commodity));
        add(3, Route::Handoff, Some(Route::Handoff));
        cases
    }

    /// precision(commodity) = 18/23, precision(reasoning) = 15/17.
    #[test]
    fn figures_by_hand() {
        let cases = sample();
        let all: Vec<&Graded> = cases.iter().collect();
        let headline = macro_precision(&all);
        assert!((headline.value.point - f64::midpoint(18.0 / 23.0, 15.0 / 17.0)).abs() < 1e-12);
        assert!(headline.value.lower < headline.value.point && headline.value.point < headline.value.upper);
        assert!((accuracy(&all).value.point - 36.0 / 43.0).abs() < 1e-12);
        assert!((harm(&all).value.point - 5.0 / 23.0).abs() < 1e-12);
        assert!((waste(&all).value.point - 2.0 / 20.0).abs() < 1e-12);
        assert!((recall_of(&all, rightly_handed_off).value.point - 1.0).abs() < 1e-12);
        let matrix = confusion(&all);
        assert_eq!(matrix[1].predicted, [5, 15, 0, 0, 0, 0]);
        assert!(matrix[0].in_headline && !matrix[3].in_headline);
    }

    #[test]
    fn a_class_that_is_never_predicted_scores_zero() {
        let cases: Vec<Graded> = (0..20)
            .map(|_| routed(Route::OutOfScope, Some(Route::Commodity)))
            .collect();
        let all: Vec<&Graded> = cases.iter().collect();
        assert!(macro_precision(&all).value.point.abs() < 1e-12);
    }

    #[test]
    fn an_error_never_helps() {
        let before = sample();
        let baseline: Vec<&Graded> = before.iter().collect();
        for i in 0..before.len() {
            let mut after = before.clone();
            let gold = after[i].case.expected_route().unwrap();
            after[i] = routed(gold, None);
            let all: Vec<&Graded> = after.iter().collect();
            assert!(macro_precision(&all).value.point <= macro_precision(&baseline).value.point + 1e-12);
            assert!(accuracy(&all).value.point <= accuracy(&baseline).value.point);
            assert!(harm(&all).value.point >= harm(&baseline).value.point);
            assert!(waste(&all).value.point >= waste(&baseline).value.point);
        }
    }

    #[test]
    fn too_little_gold_is_a_problem_not_a_score() {
        let cases = [routed(Route::Commodity, Some(Route::Commodity))];
        let all: Vec<&Graded> = cases.iter().collect();
        assert!(macro_precision(&all).problem.unwrap().contains("20 gold cases"));
    }
}
