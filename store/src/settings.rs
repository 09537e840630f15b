//! Versioned settings of a tenant: one row per version, one of them live.
//!
//! Everything that changes what customers read is here and nowhere else, so that the playground, the eval and WhatsApp
//! run the same configuration and every rollback is a row, not a deploy.

mod check;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

pub use check::SettingsProblem;

use crate::{StoreError, TenantTx};

/// Settings of one tenant. Fields left out of a stored row take the defaults below.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Search.
    pub retrieval: RetrievalSettings,
    /// Composition and the decision to answer.
    pub answer: AnswerSettings,
    /// Routing.
    pub routing: RoutingSettings,
    /// Conversations on WhatsApp.
    pub conversation: ConversationSettings,
    /// Chunking of new versions.
    pub chunking: ChunkingSettings,
    /// What is read out of files.
    pub extraction: ExtractionSettings,
    /// What may be uploaded.
    pub uploads: UploadSettings,
    /// What must hold before a change reaches customers.
    pub publishing: PublishingSettings,
    /// Which traces are kept.
    pub traces: TraceSettings,
}

impl Settings {
    /// Whether customers may be answered otherwise with `other`. What switches the bot off, limits uploads or applies to
    /// later versions alone is not among it: that takes effect at once.
    pub fn answers_differ(&self, other: &Self) -> bool {
        self.retrieval != other.retrieval || self.answer != other.answer || self.routing != other.routing
    }
}

/// What must hold before a change reaches customers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishingSettings {
    /// New document versions and settings are staged until the tenant's golden set passes with them.
    pub gated: bool,
}

/// How the scores of the two legs become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fusion {
    /// Convex sum of BM25 as a share of the most that this question could score and the raw cosine.
    #[default]
    Bounded,
    /// Convex sum of both scores, each stretched to 0 to 1 over the candidates of the question (min-max).
    Convex,
    /// Reciprocal ranks, weighed (Cormack, Clarke and Büttcher, SIGIR 2009).
    Rrf,
}

impl Fusion {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bounded, Self::Convex, Self::Rrf];
}

/// Who reads the best candidates once more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RerankBy {
    /// Built-in features.
    #[default]
    Features,
    /// The cross-encoder that is installed; the features where there is none, or it is late.
    Model,
}

/// How the two legs are searched and fused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetrievalSettings {
    /// Embedding model that answers, by name; empty for the installation's own. Another one is put into force when every
    /// window has a vector of it, see `plumbline models`.
    pub model: String,
    /// How the scores of the legs become one.
    pub fusion: Fusion,
    /// Constant of the reciprocal ranks, `1 / (k + rank)`: how little the first ranks stand out. Above 0.
    pub rrf_k: f32,
    /// Weight of the lexical leg in the sum; the vector leg gets the rest. 0 to 1.
    pub lexical_weight: f32,
    /// The same for questions in a language that the embedding model does not speak. 0 to 1.
    pub lexical_weight_foreign: f32,
    /// How near a passage is: weight of the vector of the whole passage, 0 to 1; its nearest window gets the rest.
    pub whole_weight: f32,
    /// What a word of the question among the headings above a passage adds to its lexical score, as a factor of BM25 over
    /// headings alone. 0 to 10.
    pub heading_boost: f32,
    /// The same for the title of its document. 0 to 10.
    pub title_boost: f32,
    /// Candidates taken from each leg.
    pub leg_depth: usize,
    /// Hits handed to the composer.
    pub top_k: usize,
    /// Whether the lexical leg takes part.
    pub lexical: bool,
    /// Whether the vector leg takes part.
    pub vector: bool,
    /// Whether the best candidates are read once more for what neither leg sees.
    pub rerank: bool,
    /// What the built-in features of that reading count, as a factor: the more, the more the words of a question decide.
    /// 0 to 10.
    pub rerank_weight: f32,
    /// What it counts that a passage says what the question says word piece by word piece (late interaction), as a factor of
    /// the mean similarity. 0 to 10; part of that reading.
    pub late_weight: f32,
    /// Who reads them.
    pub rerank_by: RerankBy,
    /// The most that the reranking model adds to a fused score, for a passage that surely answers. 0 to 10.
    pub rerank_model_weight: f32,
    /// How long the reranking model may take, in milliseconds; when it is late the features judge.
    pub rerank_deadline_ms: u64,
    /// A pinned chunk comes first when its score is at most this share below the best. 0 to 1.
    pub pin_margin: f32,
}

impl Default for RetrievalSettings {
    fn default() -> Self {
        Self {
            model: String::new(),
            fusion: Fusion::Bounded,
            rrf_k: 10.0,
            lexical_weight: 0.25,
            lexical_weight_foreign: 0.7,
            whole_weight: 0.7,
            heading_boost: 0.0,
            title_boost: 0.0,
            leg_depth: 40,
            top_k: 8,
            lexical: true,
            vector: true,
            rerank: true,
            rerank_weight: 0.5,
            late_weight: 0.75,
            rerank_by: RerankBy::Features,
            rerank_model_weight: 1.0,
            rerank_deadline_ms: 500,
            pin_margin: 0.25,
        }
    }
}

/// When and how to answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerSettings {
    /// Least confidence (estimated probability that the evidence answers) to send an answer. 0 to 1.
    pub min_confidence: f32,
    /// Most sentences in a reply.
    pub max_sentences: usize,
    /// Most characters in a reply.
    pub max_chars: usize,
    /// Earlier messages that a follow-up may refer to.
    pub memory_turns: usize,
    /// Language of replies when the customer's cannot be told, ISO 639-1.
    pub default_language: String,
    /// Name of the business, used in greetings and refusals.
    pub business_name: String,
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self {
            min_confidence: 0.5,
            max_sentences: 3,
            max_chars: 700,
            memory_turns: 6,
            default_language: "en".to_owned(),
            business_name: String::new(),
        }
    }
}

/// How questions are routed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoutingSettings {
    /// Extra example questions per route (route name → examples), beside the built-in ones.
    pub examples: std::collections::BTreeMap<String, Vec<String>>,
    /// Least cosine to a route's examples before the embedding route overrules the default.
    pub min_similarity: f32,
    /// Best passage cosine under which a question counts as out of scope.
    pub out_of_scope_below: f32,
}

impl Default for RoutingSettings {
    fn default() -> Self {
        Self {
            examples: std::collections::BTreeMap::new(),
            min_similarity: 0.55,
            out_of_scope_below: 0.2,
        }
    }
}

/// How WhatsApp conversations are handled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConversationSettings {
    /// The kill switch: false hands every message to people.
    pub bot_enabled: bool,
    /// Quiet time after a message before the turn is answered, milliseconds.
    pub debounce_ms: u64,
    /// Longest that a stream of messages may delay the turn, milliseconds.
    pub debounce_max_ms: u64,
    /// Hours after which a conversation that was handed to people goes back to the bot.
    pub human_hours: u32,
}

impl Default for ConversationSettings {
    fn default() -> Self {
        Self {
            bot_enabled: true,
            debounce_ms: 1_500,
            debounce_max_ms: 6_000,
            human_hours: 24,
        }
    }
}

/// How documents are cut. A change applies to versions built afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChunkingSettings {
    /// Tokens of the embedding model that a chunk aims at.
    pub target_tokens: usize,
    /// Tokens of running text repeated from the chunk before.
    pub overlap_tokens: usize,
    /// Most tokens of one embedded window.
    pub window_tokens: usize,
    /// Sections below this are tiny and may share a chunk; no chunk is left with less if its neighbour can take it.
    pub min_tokens: usize,
}

impl Default for ChunkingSettings {
    fn default() -> Self {
        Self {
            target_tokens: 180,
            overlap_tokens: 30,
            window_tokens: 64,
            min_tokens: 40,
        }
    }
}

/// What is read out of files. A change applies to versions built afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExtractionSettings {
    /// Recognise the text of scanned pages with an installed `tesseract`. Takes seconds per page.
    pub ocr: bool,
    /// Its languages, in its own form.
    pub ocr_languages: String,
}

impl Default for ExtractionSettings {
    fn default() -> Self {
        Self {
            ocr: false,
            ocr_languages: "eng".to_owned(),
        }
    }
}

/// What may be uploaded; the server's own limits stand above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UploadSettings {
    /// Largest file in MiB.
    pub max_file_mib: u32,
    /// Most files of one upload.
    pub max_files: u32,
    /// Formats that are accepted, by content: `pdf`, `docx`, `text`, `markdown`, `csv`. Empty means all.
    pub formats: Vec<String>,
}

impl Default for UploadSettings {
    fn default() -> Self {
        Self {
            max_file_mib: 100,
            max_files: 50,
            formats: Vec::new(),
        }
    }
}

/// Which traces of questions are kept, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TraceSettings {
    /// Share of the questions whose trace is kept, 0 to 1. A question that was not answered is one that somebody will
    /// ask about: its trace is kept whatever the share, unless that is 0.
    pub sample: f32,
    /// Days that a trace is kept.
    pub keep_days: u32,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self {
            sample: 0.1,
            keep_days: 14,
        }
    }
}

/// A stored settings row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingsVersion {
    /// Version number, increasing; 0 means "the built-in defaults, nothing stored yet".
    pub version: i64,
    /// The settings.
    pub settings: Settings,
}

/// A stored settings row in a list.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct SettingsEntry {
    /// Version number.
    pub version: i64,
    /// Why it was made.
    pub note: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Whether it is in force.
    pub live: bool,
}

impl TenantTx {
    /// The live settings; the defaults with version 0 when none were stored.
    pub async fn settings(&mut self) -> Result<SettingsVersion, StoreError> {
        let row: Option<(i64, Json<Settings>)> = sqlx::query_as(
            "SELECT s.version, s.body
               FROM settings s JOIN settings_live l ON l.tenant_id = s.tenant_id AND l.version = s.version",
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(row.map_or_else(
            || SettingsVersion {
                version: 0,
                settings: Settings::default(),
            },
            |(version, Json(settings))| SettingsVersion { version, settings },
        ))
    }

    /// A stored version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such version.
    pub async fn settings_version(&mut self, version: i64) -> Result<SettingsVersion, StoreError> {
        let body: Option<Json<Settings>> = sqlx::query_scalar("SELECT body FROM settings WHERE version = $1")
            .bind(version)
            .fetch_optional(self.conn())
            .await?;
        let Json(settings) = body.ok_or(StoreError::NotFound {
            what: "settings version",
        })?;
        Ok(SettingsVersion { version, settings })
    }

    /// Stores `settings` as a new version and makes it live; returns its number.
    pub async fn save_settings(&mut self, settings: &Settings, note: &str) -> Result<i64, StoreError> {
        let version = self.stage_settings(settings, note).await?;
        self.activate_settings(version).await?;
        Ok(version)
    }

    /// Stores `settings` as a new version that is not in force; returns its number.
    pub async fn stage_settings(&mut self, settings: &Settings, note: &str) -> Result<i64, StoreError> {
        self.lock_settings().await?;
        let tenant = self.tenant();
        let version: i64 = sqlx::query_scalar(
            "INSERT INTO settings (tenant_id, version, body, note)
             SELECT $1, coalesce(max(version), 0) + 1, $2, $3 FROM settings
             RETURNING version",
        )
        .bind(tenant)
        .bind(Json(settings))
        .bind(note)
        .fetch_one(self.conn())
        .await?;
        Ok(version)
    }

    /// Stores `settings` as a new version if `base` is still the live one: nobody's change is overwritten unseen.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another version is live.
    pub async fn replace_settings(
        &mut self,
        base: i64,
        settings: &Settings,
        note: &str,
    ) -> Result<i64, StoreError> {
        self.lock_settings().await?;
        let live = self.settings().await?.version;
        if live != base {
            return Err(StoreError::Conflict(format!(
                "the settings are at version {live}, the change is based on version {base}; read them again"
            )));
        }
        self.save_settings(settings, note).await
    }

    /// Serialises what changes the settings of the tenant, to the end of the transaction.
    pub(crate) async fn lock_settings(&mut self) -> Result<(), StoreError> {
        let tenant = self.tenant();
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext('settings'), hashtext($1::text))")
            .bind(tenant)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// The stored versions, newest first.
    pub async fn settings_history(&mut self, limit: i64) -> Result<Vec<SettingsEntry>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT s.version, s.note, s.created_at, l.version IS NOT NULL AS live
               FROM settings s LEFT JOIN settings_live l ON l.tenant_id = s.tenant_id AND l.version = s.version
              ORDER BY s.version DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(self.conn())
        .await?)
    }

    /// Makes a stored version live again (rollback).
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such version; [`StoreError::Conflict`] when its embedding model is
    /// another and not every window has a vector of it.
    pub async fn activate_settings(&mut self, version: i64) -> Result<(), StoreError> {
        self.lock_settings().await?;
        let tenant = self.tenant();
        let wanted = self.settings_version(version).await?.settings.retrieval.model;
        let model = self.settings().await?.settings.retrieval.model;
        self.check_model(&model, &wanted).await?;
        sqlx::query(
            "INSERT INTO settings_live (tenant_id, version) VALUES ($1, $2)
             ON CONFLICT (tenant_id) DO UPDATE SET version = excluded.version",
        )
        .bind(tenant)
        .bind(version)
        .execute(self.conn())
        .await?;
        self.model_took_over(&model, &wanted).await
    }
}
