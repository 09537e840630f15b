//! The same cases, then and now: by how much they changed, and how likely that is by chance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::baseline::Outcome;
use crate::golden::case::{ROUTES, route_name};
use crate::metrics::registry::Direction;
use crate::metrics::routing::MIN_GOLD;
use crate::stats::bootstrap::{Bootstrap, bootstrap, mean_change};
use crate::stats::{mcnemar, share};

/// A call that failed counts as this long, the time after which a call is given up.
const FAILED_MS: f64 = 60_000.0;

/// How pairs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Exact one-sided McNemar.
    Mcnemar,
    /// Paired bootstrap over clusters.
    Bootstrap,
}

/// The same case, then and now.
pub struct Pair<'a> {
    /// In the baseline.
    pub before: &'a Outcome,
    /// In this run.
    pub now: &'a Outcome,
}

/// What the pairs say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Paired {
    /// How they were compared.
    pub method: Method,
    /// Their number.
    pub pairs: usize,
    /// Value over the pairs then, as the metric counts; of times 1.
    pub before: f64,
    /// Value over the pairs now; of times the ratio.
    pub now: f64,
    /// How much worse: points of a share, part of a time. Negative when it got better.
    pub drop: f64,
    /// Upper bound of the drop at one-sided 95 %; McNemar's test has none.
    pub drop_upper: Option<f64>,
    /// Pairs that got worse.
    pub broke: usize,
    /// Pairs that got better.
    pub fixed: usize,
    /// Probability of as much by chance, had nothing become worse.
    pub p: f64,
}

/// Score then, score now, cluster.
type Scored<'a> = (f64, f64, &'a str);

/// A change, high = better, and its cluster.
type Change<'a> = (f64, &'a str);

/// The pairs that a metric scores.
pub fn scores<'a>(pairs: &[&Pair<'a>], metric: &str) -> Vec<Scored<'a>> {
    let both = |pair: &&Pair<'a>| {
        let (before, now) = (pair.before.scores.get(metric)?, pair.now.scores.get(metric)?);
        Some((*before, *now, pair.now.cluster.as_str()))
    };
    pairs.iter().filter_map(both).collect()
}

/// Compares scores, kept as good = 1; a metric in which low is good is told the other way round.
pub fn by_score(scores: &[Scored<'_>], right_or_wrong: bool, direction: Direction, seed: u64) -> Paired {
    let changes: Vec<Change<'_>> = scores
        .iter()
        .map(|&(before, now, cluster)| (now - before, cluster))
        .collect();
    let mean = |of: fn(&Scored<'_>) -> f64| share(scores.iter().map(of).sum(), scores.len());
    let told = |good: f64| {
        if direction == Direction::High {
            good
        } else {
            1.0 - good
        }
    };
    let (before, now) = (mean(|s| s.0), mean(|s| s.1));
    let counted = Paired {
        before: told(before),
        now: told(now),
        drop: before - now,
        ..counted(&changes)
    };
    if right_or_wrong {
        let p = mcnemar::p_worse(counted.broke, counted.fixed);
        return Paired {
            method: Method::Mcnemar,
            p,
            ..counted
        };
    }
    let clusters = clustered(&changes);
    let drawn = mean_change(&clusters, seed);
    Paired {
        drop_upper: Some(-drawn.lower),
        p: drawn.p_worse.max(floor(&clusters)),
        ..counted
    }
}

/// The least p-value that so many clusters can show. The bootstrap knows only the clusters it was given: when three of forty got
/// worse, 5 % of its draws contain none of them, and when there is but one cluster every draw is the same. Yet three coins fall
/// alike with probability ⅛. So no bootstrap is believed further than coins would be, had every changed cluster got worse:
/// `p ≥ ½^worse`.
fn floor(clusters: &[Vec<f64>]) -> f64 {
    let worse = clusters
        .iter()
        .filter(|changes| changes.iter().sum::<f64>() < 0.0);
    mcnemar::p_worse(worse.count(), 0)
}

const CLASSES: usize = ROUTES.len();

/// Per class: right and claimed then, right and claimed now.
type Counts = [f64; CLASSES * 4];

/// A case's gold class, the classes taken then and now ([`CLASSES`] for none), its cluster.
type Routed<'a> = (usize, usize, usize, &'a str);

/// Compares macro precision over the routes with enough gold. A reply without a route counts as a false alarm of its own class.
pub fn by_routes(pairs: &[&Pair<'_>], seed: u64) -> Paired {
    let routed: Vec<Routed<'_>> = pairs.iter().filter_map(|pair| classes(pair)).collect();
    let headline: Vec<usize> = (0..CLASSES)
        .filter(|class| routed.iter().filter(|(gold, ..)| gold == class).count() >= MIN_GOLD)
        .collect();
    let clusters = count(&routed);
    let drawn = bootstrap(
        &clusters,
        |counts| precision(counts, &headline, 2) - precision(counts, &headline, 0),
        seed,
    );
    let mut total: Counts = [0.0; CLASSES * 4];
    for counts in &clusters {
        for (sum, value) in total.iter_mut().zip(counts) {
            *sum += value;
        }
    }
    let right = |taken: usize, gold: usize| if taken == gold { 1.0 } else { 0.0 };
    let changes: Vec<Change<'_>> = routed
        .iter()
        .map(|&(gold, before, now, cluster)| (right(now, gold) - right(before, gold), cluster))
        .collect();
    Paired {
        before: precision(&total, &headline, 0),
        now: precision(&total, &headline, 2),
        ..drawn_from(&changes, &drawn)
    }
}

fn classes<'a>(pair: &Pair<'a>) -> Option<Routed<'a>> {
    let class = |route: &Option<String>| {
        ROUTES
            .iter()
            .position(|&known| Some(route_name(known)) == route.as_deref())
    };
    let gold = class(&pair.now.gold_route)?;
    let taken = |outcome: &Outcome| class(&outcome.route).unwrap_or(CLASSES);
    Some((
        gold,
        taken(pair.before),
        taken(pair.now),
        pair.now.cluster.as_str(),
    ))
}

fn count(routed: &[Routed<'_>]) -> Vec<Counts> {
    let mut clusters: BTreeMap<&str, Counts> = BTreeMap::new();
    for &(gold, before, now, cluster) in routed {
        let counts = clusters.entry(cluster).or_insert([0.0; CLASSES * 4]);
        for (offset, taken) in [(0, before), (2, now)] {
            let claimed = if taken == CLASSES { gold } else { taken };
            counts[claimed * 4 + offset] += if taken == gold { 1.0 } else { 0.0 };
            counts[claimed * 4 + offset + 1] += 1.0;
        }
    }
    clusters.into_values().collect()
}

fn precision(counts: &Counts, headline: &[usize], offset: usize) -> f64 {
    let of = |&class: &usize| {
        let (right, claimed) = (counts[class * 4 + offset], counts[class * 4 + offset + 1]);
        if claimed > 0.0 { right / claimed } else { 0.0 }
    };
    share(headline.iter().map(of).sum(), headline.len())
}

/// Compares times by the mean of the logarithm of their ratio: twice as slow and twice as fast cancel out.
pub fn by_times(pairs: &[&Pair<'_>], seed: u64) -> Paired {
    let change = |pair: &&Pair<'_>| {
        let now = match pair.now.wall_ms {
            None if pair.now.observed.is_error() => FAILED_MS,
            now => now?,
        };
        Some((pair.before.wall_ms? / now).ln())
    };
    let changes: Vec<Change<'_>> = pairs
        .iter()
        .filter_map(|pair| Some((change(pair)?, pair.now.cluster.as_str())))
        .collect();
    let drawn = mean_change(&clustered(&changes), seed);
    let slower = |change: f64| (-change).exp() - 1.0;
    Paired {
        before: 1.0,
        now: 1.0 + slower(drawn.point),
        drop: slower(drawn.point),
        drop_upper: Some(slower(drawn.lower)),
        ..drawn_from(&changes, &drawn)
    }
}

fn drawn_from(changes: &[Change<'_>], drawn: &Bootstrap) -> Paired {
    Paired {
        drop: -drawn.point,
        drop_upper: Some(-drawn.lower),
        p: drawn.p_worse.max(floor(&clustered(changes))),
        ..counted(changes)
    }
}

/// Only the counts; nothing is told about their meaning yet.
fn counted(changes: &[Change<'_>]) -> Paired {
    Paired {
        method: Method::Bootstrap,
        pairs: changes.len(),
        before: 0.0,
        now: 0.0,
        drop: 0.0,
        drop_upper: None,
        broke: changes.iter().filter(|(change, _)| *change < 0.0).count(),
        fixed: changes.iter().filter(|(change, _)| *change > 0.0).count(),
        p: 1.0,
    }
}

fn clustered(changes: &[Change<'_>]) -> Vec<Vec<f64>> {
    let mut clusters: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for &(change, cluster) in changes {
        clusters.entry(cluster).or_default().push(change);
    }
    clusters.into_values().collect()
}
