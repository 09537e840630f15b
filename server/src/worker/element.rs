//! Applies statuses and echoes.

use plumbline_store::{Element, Job, StatusReport};
use uuid::Uuid;

use super::{Done, WorkError, field};
use crate::app::App;
use crate::whatsapp::parse;

/// Applies one stored element to what it is about.
pub async fn apply(app: &App, job: &Job) -> Result<Done, WorkError> {
    let id: i64 = field(job, "element_id")?;
    let mut tx = app.store.tenant(job.tenant_id).await?;
    let element = tx.element(id).await?;
    match element.kind.as_str() {
        "status" => {
            // None of ours when another tool sends on the same number.
            let ours = tx.apply_status(&report(&element)).await?;
            tracing::debug!(element = id, ours, "whatsapp.status.applied");
        }
        // A person answered from the business's phone: the conversation is theirs.
        "echo" => {
            let customer = parse::recipient_aliases(&element.payload, element.contact.as_ref());
            let contact = tx.resolve_contact(&customer, "").await?;
            let conversation = tx.ensure_conversation(element.channel_id, contact).await?;
            tx.set_owner(conversation.id, false).await?;
        }
        _ => {}
    }
    tx.commit().await?;
    Ok(Done::Finished)
}

fn report(element: &Element) -> StatusReport<'_> {
    let payload = &element.payload;
    let error = &payload["errors"][0];
    StatusReport {
        wamid: payload["id"].as_str().unwrap_or_default(),
        part: payload["biz_opaque_callback_data"]
            .as_str()
            .and_then(|text| Uuid::parse_str(text).ok()),
        status: payload["status"].as_str().unwrap_or_default(),
        at: element.occurred_at,
        error_code: error["code"].as_i64().and_then(|code| i32::try_from(code).ok()),
        error: error["error_data"]["details"]
            .as_str()
            .or_else(|| error["title"].as_str()),
    }
}
