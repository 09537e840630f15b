//! Metrics in the words and numbers of the pages.

use serde_json::Value;

use super::report::{Estimate, Metric};
use crate::pages::words;

/// The metrics that are shown of every run, with the words over them.
pub const CHIEF: [(&str, &str); 5] = [
    ("recall_at_5", "Recall@5"),
    ("routing_macro_precision", "Routing"),
    ("false_abstention", "False abstention"),
    ("hallucination_rate", "Hallucination"),
    ("p95_latency_ms", "p95 time"),
];

/// The name of a metric in words: `routing_macro_precision` becomes `Routing macro precision`.
pub fn label(name: &str) -> String {
    match name {
        "recall_at_1" => "Recall@1".to_owned(),
        "recall_at_5" => "Recall@5".to_owned(),
        "recall_at_10" => "Recall@10".to_owned(),
        "ndcg_at_5" => "nDCG@5".to_owned(),
        "mrr" => "MRR".to_owned(),
        "p95_latency_ms" => "p95 time".to_owned(),
        other => {
            let words = other.replace("_at_", "@").replace('_', " ");
            let mut letters = words.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect())
                .unwrap_or_default()
        }
    }
}

/// A sentence with the metrics in it in words: `recall_at_5 failed` becomes `Recall@5 failed`.
pub fn in_words(sentence: &str) -> String {
    let words = sentence.split(' ').map(|word| {
        let name = word.trim_end_matches([',', ';', '.', ':']);
        let is_metric = name.contains('_')
            && name
                .chars()
                .all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit());
        if is_metric {
            label(name) + &word[name.len()..]
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A value in its unit: `82.7 %`, `143 ms`; a dash for one that is not there.
pub fn value(point: Option<f64>, unit: &str) -> String {
    match (point, unit) {
        (None, _) => "–".to_owned(),
        (Some(point), "milliseconds") => words::milliseconds(point),
        (Some(point), "share") => share(point),
        (Some(point), _) => format!("{point:.4}"),
    }
}

/// `82.7 %`
pub fn share(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The value of an estimate; a dash where nothing was counted.
pub fn point(estimate: &Estimate, unit: &str) -> String {
    value(estimate.point.filter(|_| estimate.n > 0), unit)
}

/// The bound on the side that matters.
pub fn bound(estimate: &Estimate, direction: &str, unit: &str) -> String {
    let bound = if direction == "low" {
        estimate.upper
    } else {
        estimate.lower
    };
    value(bound.filter(|_| estimate.n > 0), unit)
}

/// How a value moved: a tone, and words such as `+1.2 points`. No tone for what looks the same.
pub fn change(before: f64, after: f64, direction: &str, unit: &str) -> (&'static str, String) {
    let (step, words) = match unit {
        "milliseconds" => (0.5, format!("{} ms", signed((after - before).round(), 0))),
        "share" => (0.000_5, format!("{} points", signed((after - before) * 100.0, 1))),
        _ => (0.000_05, signed(after - before, 4)),
    };
    let moved = after - before;
    let tone = match direction {
        _ if moved.abs() < step => return ("", "same".to_owned()),
        "low" if moved < 0.0 => "ok",
        "high" if moved > 0.0 => "ok",
        "low" | "high" => "bad",
        _ => "",
    };
    (tone, words)
}

fn signed(number: f64, digits: usize) -> String {
    let sign = if number < 0.0 { '−' } else { '+' };
    format!("{sign}{:.digits$}", number.abs())
}

/// The metrics that a run keeps beside its report.
pub fn metrics(kept: Option<&Value>) -> Vec<Metric> {
    let list = kept.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Metric::deserialize_from).collect()
}

impl Metric {
    fn deserialize_from(value: &Value) -> Option<Self> {
        serde::Deserialize::deserialize(value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_names_that_people_read() {
        assert_eq!(
            ["recall_at_5", "all_hit_at_5", "routing_harm", ""].map(label),
            ["Recall@5", "All hit@5", "Routing harm", ""]
        );
    }

    #[test]
    fn a_change_is_good_or_bad_by_the_direction_of_its_metric() {
        assert_eq!(
            change(0.8, 0.812, "high", "share"),
            ("ok", "+1.2 points".to_owned())
        );
        assert_eq!(
            change(0.8, 0.812, "low", "share"),
            ("bad", "+1.2 points".to_owned())
        );
        assert_eq!(
            change(140.0, 120.4, "low", "milliseconds"),
            ("ok", "−20 ms".to_owned())
        );
        assert_eq!(change(0.8, 0.800_1, "high", "share"), ("", "same".to_owned()));
    }

    #[test]
    fn what_was_not_counted_has_no_value() {
        let empty = Estimate {
            point: Some(0.0),
            ..Estimate::default()
        };
        assert_eq!(point(&empty, "share"), "–");
        assert_eq!(value(None, "milliseconds"), "–");
        assert_eq!(value(Some(0.827), "share"), "82.7 %");
    }

    #[test]
    fn a_sentence_names_metrics_in_words_and_leaves_files_alone() {
        assert_eq!(
            in_words("recall_at_5 failed, correct_abstention; see gates_old.toml"),
            "Recall@5 failed, Correct abstention; see gates_old.toml"
        );
    }
}
