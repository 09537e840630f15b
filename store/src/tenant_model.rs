//! The embedding models of a tenant: whose vectors are kept, and the switch from one to another.
//!
//! The model that answers is the setting `retrieval.model`; empty, it is the installation's own, whose vectors every
//! document has. Another model can be put into force only when every window that customers may meet has a vector of it.
//! Publishing a version and putting settings into force exclude each other for a moment (an advisory lock, shared by
//! the publishers), so that no version can slip in without the vectors that the next question needs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::{NewJob, Settings, StoreError, TenantTx};

/// Queue of the jobs that make the vectors of a model.
pub const MODEL_QUEUE: &str = "model";

/// A model of a tenant beside the installation's own.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TenantModel {
    /// Name.
    pub model: String,
    /// Its space; none until a worker that has the model began.
    pub space_id: Option<i32>,
    /// A switch to it is under way.
    pub wanted: bool,
    /// The switch waits for a verdict where the tenant wants one.
    pub judged: bool,
    /// It was in force once.
    pub served: bool,
    /// Windows that have a vector.
    pub windows_done: i64,
    /// Windows that need one.
    pub windows_total: i64,
    /// What keeps the switch from going on, empty for nothing.
    pub problem: String,
    /// Since when it is neither in force nor wanted.
    pub idle_since: Option<DateTime<Utc>>,
}

impl TenantModel {
    /// Whether uploads are embedded with it.
    pub fn is_kept_current(&self) -> bool {
        self.wanted || self.served
    }
}

/// What became of the wish to put a model into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switched {
    /// It is in force, with this version of the settings.
    InForce(i64),
    /// These settings are staged and wait for this run of the eval.
    Judged(i64, Uuid),
    /// So many windows have no vector of it yet.
    Incomplete(i64),
}

/// The windows that customers may meet: those of live versions and of newer ones that wait to be published.
macro_rules! served_windows {
    () => {
        "windows w
            JOIN document_versions v ON v.id = w.version_id AND v.state IN ('ready', 'ready_with_warnings')
            JOIN documents d ON d.id = v.document_id AND d.deleted_at IS NULL
            LEFT JOIN document_versions l ON l.id = d.live_version_id"
    };
}

/// Of them, those that have no vector in space `$1`.
macro_rules! unembedded {
    () => {
        "w.space_id <> $1 AND v.number >= coalesce(l.number, 0)
            AND NOT EXISTS (SELECT FROM windows n
                             WHERE n.chunk_id = w.chunk_id AND n.space_id = $1 AND n.ordinal = w.ordinal)"
    };
}

impl TenantTx {
    /// The tenant's models beside the installation's own, by name.
    pub async fn tenant_models(&mut self) -> Result<Vec<TenantModel>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT model, space_id, wanted, judged, served, windows_done, windows_total, problem, idle_since
               FROM tenant_models ORDER BY model",
        )
        .fetch_all(self.conn())
        .await?)
    }

    /// The space of a model that has one.
    pub async fn space_of(&mut self, model: &str) -> Result<Option<i32>, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT id FROM embedding_spaces WHERE model = $1")
                .bind(model)
                .fetch_optional(self.conn())
                .await?,
        )
    }

    /// Notes the wish for a switch to `model`: from now on uploads are embedded with it too. Takes the place of an earlier
    /// wish.
    pub async fn want_model(&mut self, model: &str, judged: bool) -> Result<(), StoreError> {
        let tenant = self.tenant();
        sqlx::query(
            "UPDATE tenant_models SET wanted = false, idle_since = now() WHERE wanted AND model <> $1",
        )
        .bind(model)
        .execute(self.conn())
        .await?;
        sqlx::query(
            "INSERT INTO tenant_models (tenant_id, model, wanted, judged) VALUES ($1, $2, true, $3)
             ON CONFLICT (tenant_id, model) DO UPDATE
                SET wanted = true, judged = excluded.judged, problem = '', idle_since = NULL",
        )
        .bind(tenant)
        .bind(model)
        .bind(judged)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Has the vectors of a wanted model made in the background.
    pub async fn make_vectors(&mut self, model: &str) -> Result<(), StoreError> {
        let job = NewJob {
            queue: MODEL_QUEUE,
            key: MODEL_QUEUE.to_owned(),
            dedupe: Some(model.to_owned()),
            payload: json!({ "model": model }),
            delay: Duration::ZERO,
            max_attempts: 20,
        };
        self.enqueue(&job, Duration::ZERO).await?;
        Ok(())
    }

    /// Notes the space of a model and what keeps the switch from going on (empty: nothing). False when the switch is not
    /// wanted any more.
    pub async fn note_model(
        &mut self,
        model: &str,
        space: Option<i32>,
        problem: &str,
    ) -> Result<bool, StoreError> {
        let noted = sqlx::query(
            "UPDATE tenant_models SET space_id = coalesce($2, space_id), problem = $3 WHERE model = $1 AND wanted",
        )
        .bind(model)
        .bind(space)
        .bind(problem)
        .execute(self.conn())
        .await?;
        Ok(noted.rows_affected() == 1)
    }

    /// Counts how far a model is, notes it and returns how many windows have no vector of it.
    pub async fn note_model_progress(&mut self, model: &str, space: i32) -> Result<i64, StoreError> {
        let missing = self.missing_windows(space).await?;
        let total: i64 = sqlx::query_scalar(concat!(
            "SELECT count(DISTINCT (w.chunk_id, w.ordinal)) FROM ",
            served_windows!(),
            " WHERE v.number >= coalesce(l.number, 0)"
        ))
        .fetch_one(self.conn())
        .await?;
        sqlx::query("UPDATE tenant_models SET windows_done = $2, windows_total = $3 WHERE model = $1")
            .bind(model)
            .bind(total - missing)
            .bind(total)
            .execute(self.conn())
            .await?;
        Ok(missing)
    }

    /// Adds `windows` to what is noted as done.
    pub async fn note_model_step(&mut self, model: &str, windows: usize) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE tenant_models SET windows_done = least(windows_done + $2, windows_total) WHERE model = $1",
        )
        .bind(model)
        .bind(i64::try_from(windows).unwrap_or_default())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Ends a switch that is not to be made, with the reason.
    pub async fn end_switch(&mut self, model: &str, problem: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE tenant_models SET wanted = false, problem = $2, idle_since = coalesce(idle_since, now())
              WHERE model = $1 AND wanted",
        )
        .bind(model)
        .bind(problem)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// How many windows of live and staged versions have no vector in `space`.
    pub async fn missing_windows(&mut self, space: i32) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(concat!(
            "SELECT count(DISTINCT (w.chunk_id, w.ordinal)) FROM ",
            served_windows!(),
            " WHERE ",
            unembedded!()
        ))
        .bind(space)
        .fetch_one(self.conn())
        .await?)
    }

    /// A live or staged version with windows that have no vector in `space`.
    pub async fn unembedded_version(&mut self, space: i32) -> Result<Option<Uuid>, StoreError> {
        Ok(sqlx::query_scalar(concat!(
            "SELECT w.version_id FROM ",
            served_windows!(),
            " WHERE ",
            unembedded!(),
            " LIMIT 1"
        ))
        .bind(space)
        .fetch_optional(self.conn())
        .await?)
    }

    /// Waits until no settings are being put into force, and keeps them from it to the end of the transaction. Whoever
    /// completes or publishes a version does this first, before any row is locked.
    pub(crate) async fn share_models(&mut self) -> Result<(), StoreError> {
        let tenant = self.tenant();
        sqlx::query("SELECT pg_advisory_xact_lock_shared(hashtext('models'), hashtext($1::text))")
            .bind(tenant)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Keeps everybody from completing and publishing versions, to the end of the transaction. Who locks the settings too
    /// does that first.
    async fn lock_models(&mut self) -> Result<(), StoreError> {
        let tenant = self.tenant();
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext('models'), hashtext($1::text))")
            .bind(tenant)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// The space of the model in force, if it is another than the installation's own.
    pub(crate) async fn space_in_force(&mut self) -> Result<Option<i32>, StoreError> {
        let model = self.settings().await?.settings.retrieval.model;
        if model.is_empty() {
            return Ok(None);
        }
        self.space_of(&model).await
    }

    /// Before settings with the model `new` take the place of those with `old`: nobody publishes meanwhile, and every
    /// window has its vector.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one has none.
    pub(crate) async fn check_model(&mut self, old: &str, new: &str) -> Result<(), StoreError> {
        self.lock_models().await?;
        if new == old || new.is_empty() {
            return Ok(());
        }
        let kept: Option<Option<i32>> =
            sqlx::query_scalar("SELECT space_id FROM tenant_models WHERE model = $1")
                .bind(new)
                .fetch_optional(self.conn())
                .await?;
        let missing = match kept.flatten() {
            Some(space) => self.missing_windows(space).await?,
            None => -1,
        };
        let lacking = match missing {
            0 => return Ok(()),
            -1 => "there are no vectors of it".to_owned(),
            missing => format!("{missing} windows have no vector of it"),
        };
        Err(StoreError::Conflict(format!(
            "`retrieval.model` cannot be {new} yet: {lacking}; `plumbline models switch {new}` makes them and then puts \
             it into force"
        )))
    }

    /// Notes which model answers from now on and which one no longer does.
    pub(crate) async fn model_took_over(&mut self, old: &str, new: &str) -> Result<(), StoreError> {
        if old == new {
            return Ok(());
        }
        sqlx::query(
            "UPDATE tenant_models
                SET wanted = wanted AND model <> $2, served = served OR model = $2,
                    idle_since = CASE model WHEN $2 THEN NULL WHEN $1 THEN now() ELSE idle_since END,
                    problem = CASE model WHEN $2 THEN '' ELSE problem END
              WHERE model IN ($1, $2)",
        )
        .bind(old)
        .bind(new)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Puts the live settings with another model into force, or stages them where the tenant wants a verdict and `judged`
    /// says so. `setting` is the value of `retrieval.model`, `space` where its vectors are. One transaction: with the
    /// commit every question is answered from the new space.
    pub async fn switch_model(
        &mut self,
        setting: &str,
        space: i32,
        judged: bool,
    ) -> Result<Switched, StoreError> {
        self.lock_settings().await?;
        self.lock_models().await?;
        let live = self.settings().await?;
        let missing = self.missing_windows(space).await?;
        if missing > 0 {
            return Ok(Switched::Incomplete(missing));
        }
        if live.settings.retrieval.model == setting {
            self.model_took_over("", setting).await?;
            return Ok(Switched::InForce(live.version));
        }
        if let Some((version, run)) = self.verdict_awaited(setting).await?.filter(|_| judged) {
            return Ok(Switched::Judged(version, run));
        }
        let mut settings: Settings = live.settings;
        setting.clone_into(&mut settings.retrieval.model);
        let note = if setting.is_empty() {
            "embedding model: the installation's own".to_owned()
        } else {
            format!("embedding model: {setting}")
        };
        if judged {
            return Ok(
                match self
                    .replace_or_stage_settings(live.version, &settings, &note)
                    .await?
                {
                    (version, Some(run)) => Switched::Judged(version, run),
                    (version, None) => Switched::InForce(version),
                },
            );
        }
        let version = self.replace_settings(live.version, &settings, &note).await?;
        Ok(Switched::InForce(version))
    }

    /// Staged settings with this model that wait for a verdict, with the run.
    async fn verdict_awaited(&mut self, setting: &str) -> Result<Option<(i64, Uuid)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT s.version, r.id FROM eval_runs r
               JOIN settings s ON s.tenant_id = r.tenant_id AND s.version = r.settings_version
              WHERE r.state IN ('queued', 'running') AND coalesce(s.body #>> '{retrieval,model}', '') = $1
              ORDER BY s.version DESC LIMIT 1",
        )
        .bind(setting)
        .fetch_optional(self.conn())
        .await?)
    }

    /// Forgets the wish for the installation's own model, whose vectors are kept without one.
    pub async fn forget_wish(&mut self, model: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM tenant_models WHERE model = $1")
            .bind(model)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// The value of `retrieval.model` before the present one; none when there was never another. Before its first settings
    /// were stored a tenant had the installation's own model.
    pub async fn model_before(&mut self) -> Result<Option<String>, StoreError> {
        let live = self.settings().await?;
        let before = sqlx::query_scalar(
            "SELECT coalesce(s.body #>> '{retrieval,model}', '') FROM settings s
              WHERE s.version < $1 AND coalesce(s.body #>> '{retrieval,model}', '') <> $2
                AND (coalesce(s.body #>> '{retrieval,model}', '') = ''
                     OR EXISTS (SELECT FROM tenant_models m
                                 WHERE m.model = s.body #>> '{retrieval,model}' AND m.served))
              ORDER BY s.version DESC LIMIT 1",
        )
        .bind(live.version)
        .bind(&live.settings.retrieval.model)
        .fetch_optional(self.conn())
        .await?;
        let own = (!live.settings.retrieval.model.is_empty()).then(String::new);
        Ok(before.or(own))
    }

    /// Removes a model of the tenant with its vectors; returns its space.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is in force or a switch to it is under way; [`StoreError::NotFound`] when the
    /// tenant has no such model.
    pub async fn remove_model(&mut self, model: &str) -> Result<Option<i32>, StoreError> {
        self.lock_settings().await?;
        self.lock_models().await?;
        let live = self.settings().await?.settings.retrieval.model;
        if live == model {
            return Err(StoreError::Conflict(format!(
                "{model} is in force; switch to another model first"
            )));
        }
        let found = self
            .tenant_models()
            .await?
            .into_iter()
            .find(|kept| kept.model == model);
        let kept = found.ok_or(StoreError::NotFound {
            what: "model of the tenant",
        })?;
        sqlx::query("DELETE FROM windows WHERE space_id = $1")
            .bind(kept.space_id)
            .execute(self.conn())
            .await?;
        sqlx::query("DELETE FROM embedded_windows WHERE space_id = $1")
            .bind(kept.space_id)
            .execute(self.conn())
            .await?;
        sqlx::query("DELETE FROM tenant_models WHERE model = $1")
            .bind(model)
            .execute(self.conn())
            .await?;
        Ok(kept.space_id)
    }

    /// Models that are neither in force nor wanted since longer than `age`.
    pub async fn idle_models(&mut self, age: Duration) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT model FROM tenant_models
              WHERE NOT wanted AND idle_since < now() - make_interval(secs => $1)",
        )
        .bind(age.as_secs_f64())
        .fetch_all(self.conn())
        .await?)
    }
}
