//! Answers a turn: all pending messages of a customer, as one.
//!
//! Three steps, each repeatable: take the pending messages into a turn; answer, outside any transaction; store the
//! answer with its outbox parts in one transaction, provided the bot still owns the conversation. A turn has at most
//! one answer, so a worker that died after the last step changes nothing when its job comes back.

use std::time::Duration;

use plumbline_answer::phrases::{self, Phrase};
use plumbline_answer::{Answer, AnswerTrace, Ask, Message, Outcome, Reason, Speaker, split_message};
use plumbline_store::{Element, Job, NewAnswer, NewCitation, Said, TenantTx, TraceSource, Turn};
use uuid::Uuid;

use super::{Done, WorkError, field};
use crate::app::App;
use crate::http::error::chain;
use crate::traces::{self, Origin, TraceRecord};
use crate::whatsapp::content::{MessageContent, message_text};
use crate::whatsapp::parse;

/// Characters of one WhatsApp text message.
const MESSAGE_CHARS: usize = 4_096;

/// Takes, answers and stores the turn of the job.
pub async fn answer(app: &App, job: &Job) -> Result<Done, WorkError> {
    let Some(turn) = take(app, job).await? else {
        return Ok(Done::Finished);
    };
    if turn.answered || !turn.conversation.bot_owns() {
        return Ok(Done::Finished);
    }
    let question = question_of(&turn.messages);
    if question.is_empty() {
        // A reaction asks for nothing; a picture or a voice note without words asks for eyes and ears.
        if has_attachment(&turn.messages) {
            hand_over(app, job.tenant_id, turn.conversation.id).await?;
        }
        return Ok(Done::Finished);
    }
    tokio::spawn(show_typing(app.clone(), job.tenant_id, turn.clone()));
    let ask = ask(app, job.tenant_id, &turn, question).await?;
    let given = give(app, job.tenant_id, &ask).await?;
    store(app, job.tenant_id, &turn, &ask, given).await
}

/// An answer with what it looked at, if that may be kept.
struct Given {
    answer: Answer,
    trace: Option<AnswerTrace>,
}

async fn give(app: &App, tenant: Uuid, ask: &Ask) -> Result<Given, WorkError> {
    let settings = ask.settings.as_ref().map(|settings| settings.settings.traces);
    let given = if settings.is_some_and(traces::wanted) {
        let given = app.answerer.answer_traced(tenant, ask).await;
        given.map(|(answer, trace)| Given {
            answer,
            trace: Some(trace),
        })
    } else {
        let given = app.answerer.answer(tenant, ask).await;
        given.map(|answer| Given { answer, trace: None })
    };
    given.map_err(|error| WorkError::retry(format!("the turn could not be answered: {}", chain(&error))))
}

/// Keeps the trace of an answer that was stored, if the settings choose it.
async fn keep_trace(app: &App, tenant: Uuid, ask: &Ask, given: Given) {
    let (Some(settings), Some(trace)) = (&ask.settings, given.trace) else {
        return;
    };
    let answer = given.answer;
    if !traces::sampled(answer.id, settings.settings.traces, Some(answer.outcome)) {
        return;
    }
    let origin = Origin::of(TraceSource::Whatsapp);
    let (id, version) = (answer.id, settings.version);
    let record = TraceRecord::of_answer(ask, &settings.settings, (&answer, trace), &origin);
    traces::keep(&app.store, tenant, &record.into_row(id, origin.source, version)).await;
}

/// Puts the customer's pending messages into the turn of this job; none when there is nothing to answer.
async fn take(app: &App, job: &Job) -> Result<Option<Turn>, WorkError> {
    let channel: Uuid = field(job, "channel_id")?;
    let sender: String = field(job, "sender")?;
    let mut tx = app.store.tenant(job.tenant_id).await?;
    let pending = tx.pending_messages(channel, &sender).await?;
    let conversation = match (tx.conversation_of_job(job).await?, pending.last()) {
        (Some(conversation), _) => conversation,
        (None, None) => return Ok(None),
        (None, Some(last)) => {
            let contact = last.contact.as_ref();
            let name = parse::display_name(contact).unwrap_or_default();
            let contact = tx
                .resolve_contact(&parse::aliases(&last.payload, contact), &name)
                .await?;
            tx.ensure_conversation(channel, contact).await?
        }
    };
    let mut turn = tx.open_turn(job, &conversation, &pending).await?;
    let hours = tx.settings().await?.settings.conversation.human_hours;
    if !conversation.bot_owns() && tx.release_if_stale(conversation.id, hours).await? {
        turn.conversation = tx.lock_conversation(conversation.id).await?;
    }
    tx.commit().await?;
    Ok(Some(turn))
}

/// The words of all messages of the turn.
fn question_of(messages: &[Element]) -> String {
    let contents: Vec<MessageContent> = messages
        .iter()
        .map(|message| message_text(&message.payload))
        .collect();
    contents
        .iter()
        .filter_map(MessageContent::words)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether the customer sent something that only a person can look at.
fn has_attachment(messages: &[Element]) -> bool {
    messages.iter().any(|message| {
        matches!(
            message_text(&message.payload),
            MessageContent::Media { .. } | MessageContent::Location { .. }
        )
    })
}

async fn ask(app: &App, tenant: Uuid, turn: &Turn, question: String) -> Result<Ask, WorkError> {
    let mut tx = app.store.tenant(tenant).await?;
    let settings = tx.settings().await?;
    let turns = i64::try_from(settings.settings.answer.memory_turns).unwrap_or(i64::MAX);
    let said = tx.said_before(turn.conversation.id, Some(turn.id), turns).await?;
    tx.commit().await?;
    let history = said.into_iter().filter_map(message).collect();
    Ok(Ask {
        question,
        history,
        language_hint: turn.conversation.language.clone(),
        settings: Some(settings),
        ..Ask::default()
    })
}

/// A message of an earlier turn, if it has words.
pub(crate) fn message(said: Said) -> Option<Message> {
    let role = if said.reply.is_some() {
        Speaker::Bot
    } else {
        Speaker::Customer
    };
    let text = match (said.reply, said.payload) {
        (Some(reply), _) => reply,
        (None, Some(payload)) => message_text(&payload).words()?.to_owned(),
        (None, None) => return None,
    };
    Some(Message { role, text })
}

/// Read marks and the typing indicator are courtesy: their failure is only logged.
async fn show_typing(app: App, tenant: Uuid, turn: Turn) {
    let (Some(graph), Some(last)) = (&app.graph, turn.messages.last()) else {
        return;
    };
    let shown = async {
        let mut tx = app
            .store
            .tenant(tenant)
            .await
            .map_err(|error| error.to_string())?;
        let channel = tx
            .channel(turn.conversation.channel_id)
            .await
            .map_err(|error| error.to_string())?;
        drop(tx);
        let sent = graph
            .mark_read_and_typing(&channel.phone_number_id, &last.external_id)
            .await;
        sent.map_err(|error| error.to_string())
    };
    if let Err(error) = shown.await {
        tracing::debug!(turn = %turn.id, error, "whatsapp.typing.failed");
    }
}

/// Stores the answer and its parts, unless a person took over while it was being written.
async fn store(app: &App, tenant: Uuid, turn: &Turn, ask: &Ask, given: Given) -> Result<Done, WorkError> {
    let answer = &given.answer;
    let mut tx = app.store.tenant(tenant).await?;
    let now = tx.lock_conversation(turn.conversation.id).await?;
    if !now.bot_owns() || now.epoch != turn.conversation.epoch {
        tracing::info!(turn = %turn.id, "conversation.turn.taken_over");
        return Ok(Done::Finished);
    }
    let cited: Vec<Uuid> = answer
        .citations
        .iter()
        .map(|citation| citation.version_id)
        .collect();
    if !tx.still_exist(&cited).await? {
        // Deleted while the answer was being written: it is answered again from what is left.
        return Ok(Done::Later(Duration::ZERO));
    }
    // With automatic answers off every message would get the same notice: once is enough.
    let said_already = answer.reason == Some(Reason::BotDisabled)
        && tx.last_reason(now.id).await? == answer.reason.as_ref().map(snake);
    tx.set_language(now.id, &answer.language).await?;
    let stored = tx
        .insert_answer(&record(answer, &ask.question, Some((now.id, turn.id))))
        .await;
    match stored {
        Err(error) if error.constraint() == Some("answers_turn_unique") => return Ok(Done::Finished),
        other => other?,
    }
    // Switched off is not handed over: when the business switches the bot on again, it answers everybody again.
    let epoch = if answer.outcome == Outcome::HandedOff && answer.reason != Some(Reason::BotDisabled) {
        give_to_a_person(&mut tx, now.id, now.epoch).await?
    } else {
        now.epoch
    };
    if !said_already {
        let parts = split_message(&answer.text, MESSAGE_CHARS);
        tx.send_parts(now.id, Some(answer.id), epoch, &parts).await?;
    }
    tx.commit().await?;
    let outcome = snake(&answer.outcome);
    metrics::counter!("plumbline_answers_total", "outcome" => outcome.clone()).increment(1);
    metrics::histogram!("plumbline_answer_seconds").record(answer.timings.total_ms / 1_000.0);
    tracing::info!(turn = %turn.id, answer = %answer.id, outcome, "conversation.turn.answered");
    keep_trace(app, tenant, ask, given).await;
    Ok(Done::Finished)
}

/// A person owns the conversation from now on; what the bot said before is still delivered.
async fn give_to_a_person(tx: &mut TenantTx, conversation: Uuid, before: i64) -> Result<i64, WorkError> {
    let epoch = tx.set_owner(conversation, false).await?;
    tx.renew_waiting_parts(conversation, before, epoch).await?;
    Ok(epoch)
}

/// A turn that cannot be answered goes to a person, and the customer is told so.
pub async fn give_up(app: &App, job: &Job) -> Result<(), WorkError> {
    let Some(turn) = take(app, job).await? else {
        return Ok(());
    };
    if turn.answered || !turn.conversation.bot_owns() {
        return Ok(());
    }
    hand_over(app, job.tenant_id, turn.conversation.id).await
}

/// Gives the conversation to a person and tells the customer so; nothing when a person has it already.
async fn hand_over(app: &App, tenant: Uuid, conversation: Uuid) -> Result<(), WorkError> {
    let mut tx = app.store.tenant(tenant).await?;
    let conversation = tx.lock_conversation(conversation).await?;
    if !conversation.bot_owns() {
        return Ok(());
    }
    let settings = tx.settings().await?.settings.answer;
    let language = conversation
        .language
        .as_deref()
        .unwrap_or(&settings.default_language);
    let text = phrases::text(Phrase::NeedsPerson, language, &settings.business_name);
    let epoch = give_to_a_person(&mut tx, conversation.id, conversation.epoch).await?;
    tx.send_parts(conversation.id, None, epoch, &[text]).await?;
    tx.commit().await?;
    Ok(())
}

/// The row of an answer; `place` is the conversation and turn it belongs to, if any.
pub fn record(answer: &Answer, question: &str, place: Option<(Uuid, Uuid)>) -> NewAnswer {
    let citations = answer.citations.iter().map(|citation| NewCitation {
        version_id: citation.version_id,
        chunk_id: citation.chunk_id,
        start: citation.start,
        end: citation.end,
        page: citation.page,
        row: citation.row,
    });
    NewAnswer {
        id: answer.id,
        conversation_id: place.map(|(conversation, _)| conversation),
        turn_id: place.map(|(_, turn)| turn),
        question: question.to_owned(),
        outcome: snake(&answer.outcome),
        route: snake(&answer.route),
        reason: answer.reason.as_ref().map(snake),
        text: answer.text.clone(),
        confidence: answer.confidence,
        record: serde_json::to_value(answer).unwrap_or_default(),
        settings_version: answer.settings_version,
        model: answer.usage.model.clone(),
        input_tokens: answer.usage.input_tokens,
        output_tokens: answer.usage.output_tokens,
        total_ms: answer.timings.total_ms,
        citations: citations.collect(),
    }
}

/// The one serialised name of an enum without data.
fn snake(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|json| json.as_str().map(str::to_owned))
        .unwrap_or_default()
}
