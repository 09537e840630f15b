//! The documents of a tenant in its own database, as customers get them or with staged versions among them.
//!
//! What is judged here is content: the evidence of a case is looked for in the texts that would answer tomorrow. A case
//! whose evidence is gone is stale, and the person who staged the change reads which.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use plumbline_store::{Scope, SettingsVersion, Store};
use uuid::Uuid;

use super::local::infra;
use crate::error::EvalError;
use crate::golden::pin::{CorpusDoc, DocText, Texts};

/// Which tenant, and what of it.
#[derive(Debug, Clone)]
pub struct TenantOptions {
    /// Its database.
    pub database_url: String,
    /// Its slug.
    pub slug: String,
    /// Ready versions that are seen instead of the live ones of their documents.
    pub staged: Vec<Uuid>,
    /// Settings version to answer with instead of the live one.
    pub settings_version: Option<i64>,
    /// Data directory, for the lexical index.
    pub data: PathBuf,
}

impl TenantOptions {
    /// What the report calls it.
    pub fn label(&self) -> String {
        let mut label = format!("tenant {}", self.slug);
        if !self.staged.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(label, " with {} staged versions", self.staged.len());
        }
        if let Some(version) = self.settings_version {
            let _ = write!(label, " with staged settings {version}");
        }
        label
    }
}

/// A tenant's documents and settings, as a run sees them.
pub struct TenantDocuments {
    /// Database.
    pub store: Store,
    /// Tenant.
    pub tenant: Uuid,
    /// Versions seen.
    pub scope: Scope,
    /// Settings to answer with.
    pub settings: SettingsVersion,
    /// The documents by key, with the hash of the file.
    pub docs: Vec<CorpusDoc>,
    /// Their canonical texts.
    pub texts: Texts,
}

impl TenantDocuments {
    /// Reads what the options name.
    ///
    /// # Errors
    /// [`EvalError::Usage`] when there is no such tenant, version or settings version; [`EvalError::Infra`] when the
    /// database cannot be read.
    pub async fn open(options: &TenantOptions) -> Result<Self, EvalError> {
        let store = Store::connect(&options.database_url, 8).await.map_err(infra)?;
        let mut system = store.system().await.map_err(infra)?;
        let tenant = system.tenant_by_slug(&options.slug).await.map_err(infra)?;
        system.commit().await.map_err(infra)?;
        let tenant = tenant
            .ok_or_else(|| EvalError::Usage(format!("--tenant: there is no tenant {}", options.slug)))?
            .id;
        let mut tx = store.tenant(tenant).await.map_err(infra)?;
        let ready = tx.ready_versions(&options.staged).await.map_err(infra)?;
        if let Some(missing) = options.staged.iter().find(|id| !ready.contains(id)) {
            return Err(EvalError::Usage(format!(
                "--preview-version: {missing} is no version of a document of {}, or it is not ready",
                options.slug
            )));
        }
        let settings = match options.settings_version {
            None => tx.settings().await.map_err(infra)?,
            Some(version) => tx
                .settings_version(version)
                .await
                .map_err(|error| EvalError::Usage(format!("--preview-settings {version}: {error}")))?,
        };
        let scope = Scope::preview(ready);
        let mut docs = Vec::new();
        let mut texts = BTreeMap::new();
        for document in tx.visible_documents(&scope).await.map_err(infra)? {
            let text = tx.version_text(document.version_id).await.map_err(infra)?;
            texts.insert(document.key.clone(), DocText::new(text));
            docs.push(CorpusDoc {
                path: document.key,
                sha256: document.sha256,
            });
        }
        tx.commit().await.map_err(infra)?;
        Ok(Self {
            store,
            tenant,
            scope,
            settings,
            docs,
            texts,
        })
    }
}
