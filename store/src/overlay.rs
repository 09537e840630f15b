//! Overlays: what an admin laid over a document by hand, and where it came to lie in each version.
//!
//! An overlay belongs to the document. Which chunk of a version it concerns is computed when the version is built or
//! published, outside this crate, and written here together with its effect on search: flags on the chunk, and a window
//! per added question.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::embedded::{known_of, lost_vector};
use crate::{StoreError, TenantTx};

/// What an overlay does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum OverlayKind {
    /// The chunk is never found.
    Disable,
    /// The chunk comes before others that are about as good.
    Pin,
    /// The chunk's score is multiplied.
    Boost,
    /// Another text stands in the place of the passage.
    Edit,
    /// The chunk answers a question that it does not resemble.
    Question,
}

impl OverlayKind {
    /// The name in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Pin => "pin",
            Self::Boost => "boost",
            Self::Edit => "edit",
            Self::Question => "question",
        }
    }
}

/// An overlay to add.
#[derive(Debug, Clone)]
pub struct NewOverlay {
    /// What it does.
    pub kind: OverlayKind,
    /// Hash of the chunk it is made for.
    pub anchor_hash: Vec<u8>,
    /// The passage it is made for.
    pub anchor_text: String,
    /// Headings above the passage.
    pub anchor_headings: Vec<String>,
    /// Position of the chunk in its version, to tell equal passages apart.
    pub anchor_ordinal: i32,
    /// Edit: the new text. Question: the question.
    pub body: Option<String>,
    /// Boost: the factor, above 0 and at most 10.
    pub factor: Option<f32>,
    /// The admin who made it.
    pub created_by: Option<Uuid>,
}

/// An overlay.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct Overlay {
    /// Identifier.
    pub id: Uuid,
    /// Document.
    pub document_id: Uuid,
    /// What it does.
    pub kind: OverlayKind,
    /// Hash of the chunk it was made for.
    #[serde(skip)]
    pub anchor_hash: Vec<u8>,
    /// The passage it was made for.
    pub anchor_text: String,
    /// Headings above the passage.
    pub anchor_headings: Vec<String>,
    /// Position of the chunk it was made for.
    #[serde(skip)]
    pub anchor_ordinal: i32,
    /// Edit: the new text. Question: the question.
    pub body: Option<String>,
    /// Boost: the factor.
    pub factor: Option<f32>,
    /// Made.
    pub created_at: DateTime<Utc>,
}

/// The overlays of a document.
#[derive(Debug, Clone, Default)]
pub struct Overlays {
    /// Oldest first.
    pub list: Vec<Overlay>,
    /// Grows with every change of them.
    pub revision: i64,
}

/// Where an overlay comes to lie in a version.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPlace {
    /// Overlay.
    pub overlay_id: Uuid,
    /// Ordinal of the chunk; none is a conflict.
    pub chunk: Option<u32>,
    /// Likeness of the passage found to the one it was made for, 0 to 1.
    pub similarity: f32,
    /// Why it is a conflict, or what changed.
    pub note: String,
    /// Question: hash of its embedded text.
    pub question_hash: Option<[u8; 32]>,
}

/// Where an overlay lies in a version.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct OverlayPlace {
    /// Overlay.
    pub overlay_id: Uuid,
    /// Chunk; none is a conflict.
    pub chunk_id: Option<Uuid>,
    /// Likeness of the passage to the one the overlay was made for, 0 to 1.
    pub similarity: f32,
    /// Why it is a conflict, or what changed.
    pub note: String,
}

macro_rules! overlay_query {
    ($tail:literal) => {
        concat!(
            "SELECT id, document_id, kind, anchor_hash, anchor_text, anchor_headings, anchor_ordinal, body, factor,
                    created_at
               FROM overlays ",
            $tail
        )
    };
}

impl TenantTx {
    /// The overlays of a document.
    pub async fn overlays(&mut self, document: Uuid) -> Result<Overlays, StoreError> {
        // The revision first: a change in between makes the list newer than it, and that is noticed.
        let revision: Option<i64> =
            sqlx::query_scalar("SELECT overlay_revision FROM documents WHERE id = $1")
                .bind(document)
                .fetch_optional(self.conn())
                .await?;
        let list = sqlx::query_as(overlay_query!(
            "WHERE document_id = $1 AND removed_at IS NULL ORDER BY created_at, id"
        ))
        .bind(document)
        .fetch_all(self.conn())
        .await?;
        Ok(Overlays {
            list,
            revision: revision.unwrap_or_default(),
        })
    }

    /// One overlay that was not removed.
    pub async fn overlay(&mut self, id: Uuid) -> Result<Overlay, StoreError> {
        sqlx::query_as(overlay_query!("WHERE id = $1 AND removed_at IS NULL"))
            .bind(id)
            .fetch_optional(self.conn())
            .await?
            .ok_or(StoreError::NotFound { what: "overlay" })
    }

    /// Where the overlays of a document lie in `version`, conflicts included. Overlays that were never looked for in
    /// that version (it was not live since they were made) are not listed.
    pub async fn overlay_places(&mut self, version: Uuid) -> Result<Vec<OverlayPlace>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT p.overlay_id, p.chunk_id, p.similarity, p.note
               FROM overlay_places p
               JOIN overlays o ON o.id = p.overlay_id AND o.removed_at IS NULL
               JOIN document_versions v ON v.id = $1 AND p.version_id = coalesce(v.same_text_as, v.id)
              ORDER BY o.created_at, o.id",
        )
        .bind(version)
        .fetch_all(self.conn())
        .await?)
    }

    /// Adds an overlay to a document that was not deleted. It has no effect before it is placed.
    pub async fn add_overlay(&mut self, document: Uuid, new: &NewOverlay) -> Result<Overlay, StoreError> {
        self.overlays_change(document).await?;
        let tenant = self.tenant();
        let id = Uuid::now_v7();
        sqlx::query(
            "INSERT INTO overlays (id, tenant_id, document_id, kind, anchor_hash, anchor_text, anchor_headings,
                                   anchor_ordinal, body, factor, created_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(id)
        .bind(tenant)
        .bind(document)
        .bind(new.kind.as_str())
        .bind(&new.anchor_hash)
        .bind(&new.anchor_text)
        .bind(&new.anchor_headings)
        .bind(new.anchor_ordinal)
        .bind(&new.body)
        .bind(new.factor)
        .bind(new.created_by)
        .execute(self.conn())
        .await?;
        self.overlay(id).await
    }

    /// Takes an overlay and its effects on every version away. An edit stays part of the versions that were built with
    /// it; the caller builds a new one.
    pub async fn remove_overlay(&mut self, id: Uuid) -> Result<Overlay, StoreError> {
        let overlay = self.overlay(id).await?;
        self.overlays_change(overlay.document_id).await?;
        sqlx::query("UPDATE overlays SET removed_at = now() WHERE id = $1")
            .bind(id)
            .execute(self.conn())
            .await?;
        sqlx::query("DELETE FROM windows WHERE overlay_id = $1")
            .bind(id)
            .execute(self.conn())
            .await?;
        let versions: Vec<Uuid> =
            sqlx::query_scalar("DELETE FROM overlay_places WHERE overlay_id = $1 RETURNING version_id")
                .bind(id)
                .fetch_all(self.conn())
                .await?;
        for version in versions {
            self.refresh_chunks(version).await?;
        }
        self.bump_revision(overlay.document_id).await?;
        Ok(overlay)
    }

    /// Locks the document and counts the change.
    async fn overlays_change(&mut self, document: Uuid) -> Result<(), StoreError> {
        let changed = sqlx::query(
            "UPDATE documents SET overlay_revision = overlay_revision + 1 WHERE id = $1 AND deleted_at IS NULL",
        )
        .bind(document)
        .execute(self.conn())
        .await?;
        if changed.rows_affected() == 0 {
            return Err(StoreError::NotFound { what: "document" });
        }
        Ok(())
    }

    /// Writes where overlays lie in a version, replacing earlier places of the same overlays, and their effect on its
    /// chunks. The vectors of questions in `spaces` must be saved.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the vector of a question is not saved.
    pub async fn place_overlays(
        &mut self,
        version: Uuid,
        spaces: &[i32],
        places: &[NewPlace],
    ) -> Result<(), StoreError> {
        if places.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant();
        let overlays: Vec<Uuid> = places.iter().map(|place| place.overlay_id).collect();
        sqlx::query("DELETE FROM windows WHERE version_id = $1 AND overlay_id = ANY($2)")
            .bind(version)
            .bind(&overlays)
            .execute(self.conn())
            .await?;
        sqlx::query(
            "INSERT INTO overlay_places (tenant_id, overlay_id, version_id, chunk_id, similarity, note)
             SELECT $1, u.overlay_id, $2, c.id, u.similarity, u.note
               FROM unnest($3::uuid[], $4::int[], $5::real[], $6::text[]) AS u(overlay_id, ordinal, similarity, note)
               LEFT JOIN chunks c ON c.version_id = $2 AND c.ordinal = u.ordinal
             ON CONFLICT (overlay_id, version_id) DO UPDATE
                SET chunk_id = excluded.chunk_id, similarity = excluded.similarity, note = excluded.note",
        )
        .bind(tenant)
        .bind(version)
        .bind(&overlays)
        .bind(places.iter().map(ordinal).collect::<Vec<_>>())
        .bind(places.iter().map(|place| place.similarity).collect::<Vec<_>>())
        .bind(places.iter().map(|place| place.note.as_str()).collect::<Vec<_>>())
        .execute(self.conn())
        .await?;
        for &space in spaces {
            self.place_questions(version, space, places).await?;
        }
        self.refresh_chunks(version).await
    }

    /// Writes the windows of the questions among `places` in one space. Their places among the windows of their chunk are
    /// the same in every space: another model's vectors may come later.
    async fn place_questions(
        &mut self,
        version: Uuid,
        space: i32,
        places: &[NewPlace],
    ) -> Result<(), StoreError> {
        let tenant = self.tenant();
        let questions: Vec<(&NewPlace, &[u8])> = places
            .iter()
            .filter_map(|place| Some((place, place.question_hash.as_ref()?.as_slice())))
            .collect();
        sqlx::query(concat!(
            "INSERT INTO windows (tenant_id, version_id, space_id, chunk_id, ordinal, text_start, text_end, hash,
                                  embedding, overlay_id)
             SELECT $1, $2, $3, c.id,
                    (SELECT max(w.ordinal) FROM windows w
                      WHERE w.chunk_id = c.id AND (w.overlay_id IS NULL OR w.overlay_id <> ALL($4))) + u.place::int,
                    c.text_start, c.text_end, u.hash, ",
            known_of!("embedding", "u.hash"),
            ", u.overlay_id
               FROM unnest($4::uuid[], $5::int[], $6::bytea[]) WITH ORDINALITY AS u(overlay_id, ordinal, hash, place)
               JOIN chunks c ON c.version_id = $2 AND c.ordinal = u.ordinal"
        ))
        .bind(tenant)
        .bind(version)
        .bind(space)
        .bind(questions.iter().map(|(place, _)| place.overlay_id).collect::<Vec<_>>())
        .bind(questions.iter().map(|(place, _)| ordinal(place)).collect::<Vec<_>>())
        .bind(questions.iter().map(|(_, hash)| *hash).collect::<Vec<_>>())
        .execute(self.conn())
        .await
        .map_err(lost_vector)?;
        Ok(())
    }

    /// Announces that search must read the live text of a document again, because its overlays changed.
    pub async fn overlays_took_effect(&mut self, document: Uuid) -> Result<(), StoreError> {
        self.bump_revision(document).await
    }

    /// Brings the flags of a version's chunks in line with the overlays that lie on them.
    async fn refresh_chunks(&mut self, version: Uuid) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE chunks c
                SET disabled = e.disabled, pinned = e.pinned, boost = e.boost, questions = e.questions
               FROM (SELECT k.id,
                            coalesce(bool_or(o.kind = 'disable'), false) AS disabled,
                            coalesce(bool_or(o.kind = 'pin'), false) AS pinned,
                            coalesce((array_agg(o.factor ORDER BY o.created_at DESC)
                                      FILTER (WHERE o.kind = 'boost'))[1], 1) AS boost,
                            coalesce(array_agg(o.body ORDER BY o.created_at)
                                     FILTER (WHERE o.kind = 'question'), '{}') AS questions
                       FROM chunks k
                       LEFT JOIN overlay_places p ON p.chunk_id = k.id
                       LEFT JOIN overlays o ON o.id = p.overlay_id AND o.removed_at IS NULL
                      WHERE k.version_id = $1 GROUP BY k.id) e
              WHERE c.id = e.id
                AND (c.disabled, c.pinned, c.boost, c.questions)
                    IS DISTINCT FROM (e.disabled, e.pinned, e.boost, e.questions)",
        )
        .bind(version)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

fn ordinal(place: &NewPlace) -> Option<i32> {
    place.chunk.map(u32::cast_signed)
}
