//! A bounded cache of vectors, least recently used out first.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Default)]
struct Entries {
    /// Text hash to (last use, vector).
    vectors: HashMap<u64, (u64, Arc<[f32]>)>,
    clock: u64,
}

/// Vectors by the hash of their text.
pub(super) struct VectorCache {
    entries: Mutex<Entries>,
    hasher: RandomState,
    capacity: usize,
}

impl VectorCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: Mutex::default(),
            hasher: RandomState::new(),
            capacity: capacity.max(1),
        }
    }

    pub(super) fn get(&self, text: &str) -> Option<Arc<[f32]>> {
        let key = self.hasher.hash_one(text);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let now = entries.clock;
        entries.vectors.get_mut(&key).map(|(used, vector)| {
            *used = now;
            Arc::clone(vector)
        })
    }

    pub(super) fn put(&self, text: &str, vector: Arc<[f32]>) {
        let key = self.hasher.hash_one(text);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.vectors.len() >= self.capacity && !entries.vectors.contains_key(&key) {
            entries.forget_oldest(self.capacity);
        }
        entries.clock += 1;
        let now = entries.clock;
        entries.vectors.insert(key, (now, vector));
    }
}

impl Entries {
    /// Drops the older tenth at once, so that a full cache does not search for its oldest entry at every insertion.
    fn forget_oldest(&mut self, capacity: usize) {
        let mut uses: Vec<u64> = self.vectors.values().map(|(used, _)| *used).collect();
        uses.sort_unstable();
        let limit = uses.get(capacity / 10).copied().unwrap_or(u64::MAX);
        self.vectors.retain(|_, (used, _)| *used > limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first_and_the_size_is_bounded() {
        let cache = VectorCache::new(10);
        cache.put("kept", Arc::from([1.0]));
        for n in 0..100 {
            assert!(cache.get("kept").is_some(), "lost after {n}");
            cache.put(&n.to_string(), Arc::from([0.0]));
        }
        assert!(cache.get("0").is_none());
        assert!(cache.get("99").is_some());
        assert!(cache.entries.lock().unwrap().vectors.len() <= 10);
    }
}
