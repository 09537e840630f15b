//! `/v1/documents/{id}/versions/{number}/blocks`: the structure that was read out of a file.

use axum::Json;
use axum::extract::{Path, Query, State};
use plumbline_ingest as ingest;
use plumbline_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::versions::{PartQuery, Place, version_at};
use crate::app::App;
use crate::http::auth::ApiTenant;
use crate::http::error::{ApiError, ErrorBody};

/// What a block is to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockType {
    /// A heading of `level`.
    Heading,
    /// Running text.
    Paragraph,
    /// One item of a list, nested `level` deep.
    ListItem,
    /// One row of a table.
    TableRow,
    /// Preformatted text.
    Code,
}

/// One unit of a document in reading order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Block {
    /// What it is.
    pub kind: BlockType,
    /// Headings: 1 is the highest. List items: depth, 0 is the outermost list.
    pub level: Option<u8>,
    /// First byte in the canonical text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// 1-based page.
    pub page: Option<u32>,
    /// 1-based data row of a CSV file.
    pub row: Option<u64>,
    /// Headings above, outermost first.
    pub heading_path: Vec<String>,
    /// Its text.
    pub text: String,
}

impl Block {
    fn new(block: &ingest::Block, text: &str) -> Self {
        let (kind, level) = match block.kind {
            ingest::BlockKind::Heading { level } => (BlockType::Heading, Some(level)),
            ingest::BlockKind::Paragraph => (BlockType::Paragraph, None),
            ingest::BlockKind::ListItem { depth } => (BlockType::ListItem, Some(depth)),
            ingest::BlockKind::TableRow => (BlockType::TableRow, None),
            ingest::BlockKind::Code => (BlockType::Code, None),
        };
        Self {
            kind,
            level,
            start: block.range.start,
            end: block.range.end,
            page: block.page,
            row: block.row,
            heading_path: block.heading_path.clone(),
            text: block.range.of(text).to_owned(),
        }
    }
}

/// Blocks of a version.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockList {
    /// Format of the content: `pdf`, `docx`, `text`, `markdown` or `csv`.
    pub format: &'static str,
    /// Title found in the document.
    pub title: Option<String>,
    /// Blocks in reading order, edits of overlays included.
    pub blocks: Vec<Block>,
    /// Blocks of the version in all.
    pub total: usize,
}

/// The blocks of a version in reading order, as they were read out of its file.
#[utoipa::path(get, path = "/v1/documents/{id}/versions/{number}/blocks", tag = "versions", security(("key" = [])),
    params(("id" = Uuid, Path), ("number" = i32, Path), PartQuery),
    responses((status = 200, body = BlockList), (status = 404, body = ErrorBody)))]
pub async fn blocks(
    State(app): State<App>,
    ApiTenant(tenant): ApiTenant,
    Path((id, number)): Place,
    Query(query): Query<PartQuery>,
) -> Result<Json<BlockList>, ApiError> {
    let version = version_at(&app, tenant, id, number).await?;
    let extraction = app.pipeline.saved_extraction(tenant, version.id).await?;
    let extraction = extraction.ok_or(StoreError::NotFound {
        what: "structure of the document version",
    })?;
    let (limit, offset) = query.range();
    let part = extraction
        .blocks
        .iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or_default());
    Ok(Json(BlockList {
        format: extraction.format.as_str(),
        title: extraction.title.clone(),
        blocks: part.map(|block| Block::new(block, &extraction.text)).collect(),
        total: extraction.blocks.len(),
    }))
}
