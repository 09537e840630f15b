//! What a search must know before it looks, read in one transaction while the question is being embedded.

use plumbline_store::{Store, StoreError, VectorIndex, VectorScan};
use uuid::Uuid;

use crate::catch_up::TenantIndex;
use crate::{EXACT_SCAN_UP_TO, SearchOptions};

/// The state of a tenant's documents when a search begins.
pub(crate) struct Outlook {
    /// Newest revision: what the lexical index must have seen.
    pub(crate) revision: i64,
    /// Windows among which the vectors are searched.
    pub(crate) windows: i64,
    /// How the vectors are searched.
    pub(crate) scan: VectorScan,
    /// The documents that the filter keeps; none when there is no filter.
    pub(crate) kept: Option<Vec<Uuid>>,
}

impl Outlook {
    /// Looks at `tenant`, whose questions are vectors of `space`.
    pub(crate) async fn read(
        store: &Store,
        tenant: Uuid,
        space: i32,
        options: &SearchOptions,
        index: &TenantIndex,
    ) -> Result<Self, StoreError> {
        let mut tx = store.tenant(tenant).await?;
        let state = tx.search_state(space).await?;
        let (windows, kept) = if options.filter.is_empty() {
            (index.live_windows(&mut tx, state.revision).await?, None)
        } else {
            let windows = tx.kept_windows(&options.scope, &options.filter).await?;
            let kept = tx.kept_documents(&options.scope, &options.filter).await?;
            (windows, Some(kept))
        };
        drop(tx); // it only read, and nobody needs to wait for its end
        // A filter that keeps few windows would have the index walk past all the others: what is kept is compared whole.
        let scan = if windows > EXACT_SCAN_UP_TO && state.vector_index == VectorIndex::Ready {
            state.index_scan
        } else {
            VectorScan::Exact
        };
        Ok(Self {
            revision: state.revision,
            windows,
            scan,
            kept,
        })
    }
}
