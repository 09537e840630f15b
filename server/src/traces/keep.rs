//! Which traces are kept.

use plumbline_answer::Outcome;
use plumbline_store::{NewTrace, Store, StoreError, TraceSettings};
use uuid::Uuid;

use crate::http::error::chain;

/// Whether any trace may be kept with these settings, so that it is worth making.
pub fn wanted(settings: TraceSettings) -> bool {
    settings.sample > 0.0
}

/// Whether the trace `id` is kept: a share of them, chosen by the random end of their identifiers, so that every
/// process and every retry chooses alike; and all of those that were not answered, unless none is kept at all.
pub fn sampled(id: Uuid, settings: TraceSettings, outcome: Option<Outcome>) -> bool {
    if !wanted(settings) {
        return false;
    }
    if outcome.is_some_and(|outcome| outcome != Outcome::Answered) {
        return true;
    }
    let random = u32::try_from(id.as_u128() & u128::from(u32::MAX)).unwrap_or_default();
    f64::from(random) < f64::from(settings.sample) * 2_f64.powi(32)
}

/// Stores a trace; whether it is kept. A trace that cannot be stored is logged, and nothing else: what it tells of was
/// done before.
pub async fn keep(store: &Store, tenant: Uuid, trace: &NewTrace) -> bool {
    match insert(store, tenant, trace).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(trace = %trace.id, error = chain(&error), "traces.trace.lost");
            false
        }
    }
}

async fn insert(store: &Store, tenant: Uuid, trace: &NewTrace) -> Result<(), StoreError> {
    let mut tx = store.tenant(tenant).await?;
    tx.insert_trace(trace).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(sample: f32) -> TraceSettings {
        TraceSettings {
            sample,
            ..TraceSettings::default()
        }
    }

    #[test]
    fn the_share_is_kept_and_what_was_not_answered_always() {
        let ids: Vec<Uuid> = (0..4_000).map(|_| Uuid::now_v7()).collect();
        let kept = |sample, outcome| {
            let settings = settings(sample);
            ids.iter().filter(|&&id| sampled(id, settings, outcome)).count()
        };
        assert_eq!(kept(0.0, Some(Outcome::Answered)), 0);
        assert_eq!(kept(0.0, Some(Outcome::Abstained)), 0, "none is none");
        assert_eq!(kept(1.0, Some(Outcome::Answered)), 4_000);
        assert_eq!(kept(1.0, None), 4_000);
        assert_eq!(kept(0.001, Some(Outcome::HandedOff)), 4_000);
        let quarter = kept(0.25, Some(Outcome::Answered));
        assert!((800..1_200).contains(&quarter), "{quarter}");
        assert_eq!(
            quarter,
            kept(0.25, Some(Outcome::Answered)),
            "the same ones every time"
        );
    }
}
