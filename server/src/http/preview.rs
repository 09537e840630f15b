//! Looking at what is not live yet: staged versions and staged settings, by the same way that customers' answers take.

use plumbline_store::{Scope, SettingsVersion};
use serde::Deserialize;
use uuid::Uuid;

use super::error::ApiError;
use crate::app::App;

/// Most staged versions of one preview.
const MOST_VERSIONS: usize = 100;

/// What a search or an answer looks at instead of what customers get.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// Ready versions, each seen instead of the live version of its document.
    #[serde(default)]
    pub versions: Vec<Uuid>,
    /// Settings version to work with instead of the live one.
    pub settings_version: Option<i64>,
}

/// A preview whose parts exist.
pub(crate) struct Looked {
    /// Versions seen.
    pub scope: Scope,
    /// The staged ones among them.
    pub staged: Vec<Uuid>,
    /// Settings in force.
    pub settings: SettingsVersion,
}

/// Finds what `preview` names, or what is live without one.
///
/// # Errors
/// [`ApiError::BadRequest`] naming what is missing or not ready.
pub(crate) async fn look(app: &App, tenant: Uuid, preview: Option<&Preview>) -> Result<Looked, ApiError> {
    let mut tx = app.store.tenant(tenant).await?;
    let Some(preview) = preview else {
        let settings = tx.settings().await?;
        tx.commit().await?;
        return Ok(Looked {
            scope: Scope::default(),
            staged: Vec::new(),
            settings,
        });
    };
    if preview.versions.len() > MOST_VERSIONS {
        return Err(ApiError::BadRequest(format!(
            "`preview.versions` holds more than {MOST_VERSIONS} versions"
        )));
    }
    let ready = tx.ready_versions(&preview.versions).await?;
    if let Some(missing) = preview.versions.iter().find(|id| !ready.contains(id)) {
        return Err(ApiError::BadRequest(format!(
            "`preview.versions`: {missing} is no version of a document, or it is not ready"
        )));
    }
    if tx.documents_of(&ready).await?.len() < ready.len() {
        return Err(ApiError::BadRequest(
            "`preview.versions` holds two versions of one document".to_owned(),
        ));
    }
    let settings = match preview.settings_version {
        None => tx.settings().await?,
        Some(version) => tx.settings_version(version).await.map_err(|_| {
            ApiError::BadRequest(format!(
                "`preview.settings_version`: there is no version {version}"
            ))
        })?,
    };
    tx.commit().await?;
    Ok(Looked {
        scope: Scope::preview(ready.clone()),
        staged: ready,
        settings,
    })
}
