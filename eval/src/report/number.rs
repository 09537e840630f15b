//! Numbers as people read them.

use crate::metrics::registry::Unit;

/// `0.806`, `183 ms`, `no end` for a latency whose rank holds a failed call.
pub(super) fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => format!("{value:.3}"),
        Unit::Milliseconds if value.is_infinite() => "no end".to_owned(),
        Unit::Milliseconds => format!("{value:.0} ms"),
        Unit::Dollars => format!("${value:.5}"),
    }
}

/// A threshold as it was written.
pub(super) fn threshold(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => value.to_string(),
        Unit::Milliseconds => format!("{value} ms"),
        Unit::Dollars => format!("${value}"),
    }
}

/// `72.5/90`, or the rank of a latency.
pub(super) fn ratio(k: f64, n: usize, unit: Unit) -> String {
    let k = if (k - k.round()).abs() < 1e-9 {
        format!("{k:.0}")
    } else {
        format!("{k:.1}")
    };
    match unit {
        Unit::Share => format!("{k}/{n}"),
        Unit::Milliseconds => format!("rank {k}/{n}"),
        Unit::Dollars => format!("{n} calls"),
    }
}

/// A share that may be missing.
pub(super) fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
}
