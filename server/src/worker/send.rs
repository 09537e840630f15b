//! Delivers a part of a reply.
//!
//! Jobs of one conversation run in order, so parts arrive in order. Who owns the conversation is checked again right
//! before the send. A send whose outcome is unknown waits for a status that names it; only silence lets it be repeated.

use std::time::Duration;

use plumbline_store::{Channel, Job, OutboxPart, SEND_QUEUE, TenantTx};
use uuid::Uuid;

use super::{Done, WorkError, field};
use crate::app::App;
use crate::whatsapp::errors::{Disposition, SendError};
use crate::whatsapp::graph::Recipient;

/// How long a parked part waits before it looks whether sending was resumed.
const PARKED_WAIT: Duration = Duration::from_mins(1);

/// A parked channel is tried again after this time: what was wrong may have been mended elsewhere.
const PROBE_AFTER_SECONDS: f64 = 600.0;

/// Sends of unknown outcome before a part is given up: more copies would be worse than none.
const MOST_UNKNOWN_SENDS: i32 = 2;

/// What to do with a part after a look at the database.
enum Step {
    Done(Done),
    Send {
        part: Box<OutboxPart>,
        channel: Channel,
        to: Recipient,
    },
}

/// Sends the part of the job.
pub async fn send(app: &App, job: &Job) -> Result<Done, WorkError> {
    let id: Uuid = field(job, "part")?;
    let Some(graph) = &app.graph else {
        return Ok(Done::Later(PARKED_WAIT)); // sending is not configured in this process
    };
    let (part, channel, to) = match prepare(app, job, id).await? {
        Step::Done(done) => return Ok(done),
        Step::Send { part, channel, to } => (part, channel, to),
    };
    let sent = graph
        .send_text(
            &channel.phone_number_id,
            &to,
            &part.body,
            &part.id.to_string(),
            None,
        )
        .await;
    let mut tx = app.store.tenant(job.tenant_id).await?;
    let done = match sent {
        Ok(accepted) => {
            tx.part_sent(part.id, &accepted.wamid).await?;
            if channel.parked_reason.is_some() {
                tx.park_channel(channel.id, None).await?;
                tx.hurry_jobs(SEND_QUEUE).await?;
            }
            metrics::counter!("plumbline_sent_total").increment(1);
            Ok(Done::Finished)
        }
        Err(error) => refused(app, &mut tx, &part, &channel, error).await,
    };
    tx.commit().await?;
    done
}

/// Decides in one transaction whether to send now, and if so marks the part: from then on its outcome is unknown.
async fn prepare(app: &App, job: &Job, id: Uuid) -> Result<Step, WorkError> {
    let mut tx = app.store.tenant(job.tenant_id).await?;
    let part = tx.lock_part(id).await?;
    if matches!(part.state.as_str(), "sent" | "failed" | "cancelled") {
        return Ok(Step::Done(Done::Finished));
    }
    if part.state == "sending"
        && let Some(wait) = still_unknown(app, &part)
    {
        return Ok(Step::Done(Done::Later(wait)));
    }
    let conversation = tx.lock_conversation(part.conversation_id).await?;
    let channel = tx.channel(conversation.channel_id).await?;
    let address = tx.address_of(conversation.contact_id).await?;
    let parked = channel.parked_reason.is_some()
        && part
            .seconds_since_attempt
            .is_none_or(|seconds| seconds < PROBE_AFTER_SECONDS);
    let problem = if part.epoch != conversation.epoch {
        Some(("cancelled", "a person took over the conversation"))
    } else if part.state == "sending" && part.attempts >= MOST_UNKNOWN_SENDS {
        Some((
            "failed",
            "sent twice without an answer or a status; check that the webhook receives message statuses",
        ))
    } else if !tx.in_service_window(conversation.id).await? {
        Some((
            "failed",
            "the customer's last message is more than 24 hours old; only an approved template may be sent",
        ))
    } else {
        None
    };
    let step = match (problem, Recipient::of(&address)) {
        (Some((state, reason)), _) => {
            tx.part_not_sent(part.id, state, None, reason).await?;
            Step::Done(Done::Finished)
        }
        (None, None) => {
            tx.part_not_sent(
                part.id,
                "failed",
                None,
                "the contact has neither a phone number nor a user id",
            )
            .await?;
            Step::Done(Done::Finished)
        }
        (None, Some(_)) if parked => {
            tx.part_not_sent(
                part.id,
                "parked",
                None,
                channel.parked_reason.as_deref().unwrap_or_default(),
            )
            .await?;
            Step::Done(Done::Later(PARKED_WAIT))
        }
        (None, Some(to)) => {
            tx.begin_send(part.id).await?;
            Step::Send {
                part: Box::new(part),
                channel,
                to,
            }
        }
    };
    tx.commit().await?;
    Ok(step)
}

/// How long a part whose send has an unknown outcome must still wait for a status.
fn still_unknown(app: &App, part: &OutboxPart) -> Option<Duration> {
    let sent = Duration::try_from_secs_f64(part.seconds_since_attempt?).unwrap_or_default();
    // While nobody listened no status could come: after a restart the wait begins anew.
    let waited = sent.min(app.work.since.elapsed());
    let left = app.work.ambiguous_grace.checked_sub(waited)?;
    // looked at again soon: the status that settles it may come any moment
    Some(left.clamp(Duration::from_millis(50), Duration::from_secs(1)))
}

async fn refused(
    app: &App,
    tx: &mut TenantTx,
    part: &OutboxPart,
    channel: &Channel,
    error: SendError,
) -> Result<Done, WorkError> {
    let words = error.to_string();
    tracing::warn!(part = %part.id, code = error.code, disposition = ?error.disposition, "whatsapp.send.refused");
    metrics::counter!("plumbline_send_errors_total", "disposition" => format!("{:?}", error.disposition))
        .increment(1);
    match error.disposition {
        Disposition::Ambiguous => Ok(Done::Later(app.work.ambiguous_grace.min(Duration::from_secs(1)))),
        Disposition::RetryAfterBackoff | Disposition::RetryThisRecipient => {
            tx.part_not_sent(part.id, "queued", error.code, &words).await?;
            let earlier = u32::try_from(part.attempts).unwrap_or_default();
            Err(WorkError {
                after: error.wait(earlier),
                retry: true,
                message: words,
            })
        }
        Disposition::Park => {
            tracing::error!(
                number = channel.phone_number_id,
                reason = words,
                "whatsapp.channel.parked"
            );
            tx.park_channel(channel.id, Some(&words)).await?;
            tx.part_not_sent(part.id, "parked", error.code, &words).await?;
            Ok(Done::Later(PARKED_WAIT))
        }
        Disposition::NeedsTemplate | Disposition::Permanent => {
            tx.part_not_sent(part.id, "failed", error.code, &words).await?;
            Ok(Done::Finished)
        }
    }
}

/// Ends a part that was refused at every attempt.
pub async fn give_up(app: &App, job: &Job, reason: &str) -> Result<(), WorkError> {
    let id: Uuid = field(job, "part")?;
    let mut tx = app.store.tenant(job.tenant_id).await?;
    tx.part_not_sent(id, "failed", None, reason).await?;
    tx.commit().await?;
    Ok(())
}
