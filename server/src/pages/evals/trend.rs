//! A metric over the last runs, as a line that a page draws and a sentence that says the same.

use plumbline_store::{EvalState, TrendPoint};

use super::figures::{self, CHIEF};
use super::report::Metric;
use crate::pages::words;

/// Size of the drawing.
const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 60.0;
/// Room for the dots at the rim.
const RIM: f64 = 5.0;

/// A run on the line.
#[derive(Debug, Clone, PartialEq)]
pub struct Dot {
    /// Where.
    pub x: String,
    /// Where.
    pub y: String,
    /// Class of its colour.
    pub tone: &'static str,
    /// When, and how much.
    pub title: String,
}

/// A metric over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Metric in words.
    pub label: &'static str,
    /// The value of the newest run.
    pub now: String,
    /// How it moved since the run before.
    pub moved: Option<(&'static str, String)>,
    /// Points of the line.
    pub line: String,
    /// The runs.
    pub dots: Vec<Dot>,
    /// The same in words.
    pub spoken: String,
}

/// The chief metrics over `points`, oldest first; those that fewer than two runs measured are left out.
pub fn trends(points: &[TrendPoint]) -> Vec<Trend> {
    let measured: Vec<Vec<Metric>> = points
        .iter()
        .map(|point| figures::metrics(Some(&point.metrics)))
        .collect();
    CHIEF
        .iter()
        .filter_map(|&(name, label)| trend(name, label, points, &measured))
        .collect()
}

struct Value {
    place: usize,
    value: f64,
}

fn trend(name: &str, label: &'static str, points: &[TrendPoint], measured: &[Vec<Metric>]) -> Option<Trend> {
    let of = |metrics: &Vec<Metric>| metrics.iter().find(|metric| metric.name == name).cloned();
    let known: Vec<Option<Metric>> = measured.iter().map(of).collect();
    let Metric { direction, unit, .. } = known.iter().flatten().next_back()?.clone();
    let values: Vec<Value> = (0..)
        .zip(&known)
        .filter_map(|(place, metric)| {
            let value = &metric.as_ref()?.measured.value;
            Some(Value {
                place,
                value: value.point.filter(|_| value.n > 0)?,
            })
        })
        .collect();
    let [.., before, last] = values.as_slice() else {
        return None;
    };
    let scale = Scale::new(&values, &unit, points.len());
    let dots: Vec<Dot> = values
        .iter()
        .map(|value| Dot {
            x: format!("{:.1}", scale.x(value.place)),
            y: format!("{:.1}", scale.y(value.value)),
            tone: tone(points[value.place].state),
            title: format!(
                "{}: {}",
                words::moment(points[value.place].created_at),
                figures::value(Some(value.value), &unit)
            ),
        })
        .collect();
    let line: Vec<String> = dots.iter().map(|dot| format!("{},{}", dot.x, dot.y)).collect();
    let said = |value: f64| figures::value(Some(value), &unit);
    Some(Trend {
        label,
        now: said(last.value),
        moved: Some(figures::change(before.value, last.value, &direction, &unit)),
        line: line.join(" "),
        spoken: format!(
            "{label} over {}: from {} to {}, lowest {}, highest {}.",
            words::count(i64::try_from(values.len()).unwrap_or(i64::MAX), "run", "runs"),
            said(values[0].value),
            said(last.value),
            said(scale.least),
            said(scale.most)
        ),
        dots,
    })
}

fn tone(state: EvalState) -> &'static str {
    match state {
        EvalState::Passed => "ok",
        EvalState::Refused => "bad",
        EvalState::Queued | EvalState::Running | EvalState::Broken => "",
    }
}

/// From values to the drawing. What hardly moves is drawn as what hardly moves.
struct Scale {
    least: f64,
    most: f64,
    bottom: f64,
    span: f64,
    last: f64,
}

impl Scale {
    fn new(values: &[Value], unit: &str, runs: usize) -> Self {
        let (least, most) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
                (least.min(value.value), most.max(value.value))
            });
        let least_span = if unit == "share" { 0.05 } else { most.abs() * 0.25 };
        let span = (most - least).max(least_span).max(f64::MIN_POSITIVE);
        #[expect(clippy::cast_precision_loss, reason = "a few dozen runs")]
        let steps = runs.saturating_sub(1).max(1) as f64;
        Self {
            least,
            most,
            bottom: f64::midpoint(least, most) - span / 2.0,
            span,
            last: steps,
        }
    }

    fn x(&self, place: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few dozen runs")]
        let share = place as f64 / self.last;
        RIM + share * (WIDTH - 2.0 * RIM)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - RIM - (value - self.bottom) / self.span * (HEIGHT - 2.0 * RIM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;

    fn point(recall: Option<f64>, state: EvalState) -> TrendPoint {
        TrendPoint {
            id: Uuid::nil(),
            state,
            created_at: DateTime::UNIX_EPOCH,
            metrics: json!([{ "name": "recall_at_5", "direction": "high", "unit": "share",
                              "measured": { "value": { "k": 1, "n": 2, "point": recall } } }]),
        }
    }

    #[test]
    fn a_trend_says_in_words_what_it_draws() {
        let runs = [
            point(Some(0.80), EvalState::Passed),
            point(None, EvalState::Broken),
            point(Some(0.74), EvalState::Refused),
        ];
        let trends = trends(&runs);
        assert_eq!(trends.len(), 1, "what nothing measured is not drawn");
        assert_eq!(
            trends[0].spoken,
            "Recall@5 over 2 runs: from 80.0 % to 74.0 %, lowest 74.0 %, highest 80.0 %."
        );
        assert_eq!(trends[0].moved, Some(("bad", "−6.0 points".to_owned())));
        assert_eq!(trends[0].line, "5.0,5.0 235.0,55.0");
        assert!(super::trends(&runs[..1]).is_empty(), "one run is no trend");
    }

    proptest! {
        #[test]
        fn every_run_lies_within_the_drawing(values in prop::collection::vec(0.0..=1.0_f64, 2..40)) {
            let runs: Vec<TrendPoint> =
                values.iter().map(|value| point(Some(*value), EvalState::Passed)).collect();
            let trend = trends(&runs).remove(0);
            prop_assert_eq!(trend.dots.len(), values.len());
            for dot in &trend.dots {
                let (x, y): (f64, f64) = (dot.x.parse().unwrap(), dot.y.parse().unwrap());
                prop_assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{} {}", x, y);
            }
        }
    }
}
