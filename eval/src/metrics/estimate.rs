//! A measured value with what can be said about it.

use serde::{Deserialize, Serialize};

use crate::stats::{real, share, wilson};

/// A point with its one-sided 95 % bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Estimate {
    /// Successes, or the sum of the scores; of a latency the rank.
    pub k: f64,
    /// Denominator.
    pub n: usize,
    /// The value; infinite for a latency whose rank holds a failed call.
    #[serde(with = "finite")]
    #[schemars(with = "Option<f64>")]
    pub point: f64,
    /// Lower bound.
    #[serde(with = "finite")]
    #[schemars(with = "Option<f64>")]
    pub lower: f64,
    /// Upper bound.
    #[serde(with = "finite")]
    #[schemars(with = "Option<f64>")]
    pub upper: f64,
}

impl Estimate {
    /// A share `k/n`, or a mean of scores in [0, 1] with the sum `k`, with Wilson bounds.
    pub fn share(k: f64, n: usize) -> Self {
        let (lower, upper) = wilson::bounds(k, n);
        Self {
            k,
            n,
            point: share(k, n),
            lower,
            upper,
        }
    }
}

/// What a metric says about a set of replies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Measured {
    /// The value with every undecided reply counted as bad.
    pub value: Estimate,
    /// The value with every undecided reply counted as good; present when there is any.
    pub best: Option<Estimate>,
    /// Replies whose score nobody knows.
    pub undecided: usize,
    /// Replies beyond a sample that nobody scored: only a bound needs more of them.
    #[serde(default)]
    pub unsampled: usize,
    /// Why the bound proves nothing, whatever it is; a gate on the point is not concerned.
    #[serde(default)]
    pub unproven: Option<String>,
    /// Cases of the denominator that came back as an error or empty.
    pub errors: usize,
    /// What a flawless system would show on this sample: when even that misses a gate, the sample
    /// is too small to decide it.
    pub flawless: Option<Estimate>,
    /// Why the value must not be used for a gate.
    pub problem: Option<String>,
}

impl Measured {
    /// A share in which high is good.
    pub fn success(k: f64, n: usize, errors: usize) -> Self {
        let flawless = Some(Estimate::share(real(n), n));
        Self {
            flawless,
            ..Self::plain(Estimate::share(k, n), errors)
        }
    }

    /// A share in which low is good.
    pub fn failure(k: f64, n: usize, errors: usize) -> Self {
        let flawless = Some(Estimate::share(0.0, n));
        Self {
            flawless,
            ..Self::plain(Estimate::share(k, n), errors)
        }
    }

    /// Just a value.
    pub fn plain(value: Estimate, errors: usize) -> Self {
        let problem = (value.n == 0).then(|| "no case to measure it on".to_owned());
        Self {
            value,
            best: None,
            undecided: 0,
            unsampled: 0,
            unproven: None,
            errors,
            flawless: None,
            problem,
        }
    }

    /// Share of the denominator that came back with something to score.
    pub fn coverage(&self) -> f64 {
        1.0 - share(real(self.errors), self.value.n)
    }
}

/// JSON has no infinity: it is written as `null` and read back as infinity.
mod finite {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            serializer.serialize_f64(*value)
        } else {
            serializer.serialize_none()
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}
