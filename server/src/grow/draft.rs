//! From an answer to a draft.

use plumbline_answer::{Message, Speaker};
use plumbline_store::{AskedAnswer, DraftKind, DraftReason, DraftTurn, NewDraft, Scrubbed};

/// What went wrong with an answer, worst first. What the customer says of it weighs more than what we think of it.
pub(super) fn reason(asked: &AskedAnswer) -> DraftReason {
    match asked.outcome.as_str() {
        _ if asked.disliked => DraftReason::ThumbsDown,
        "handed_off" => DraftReason::Handoff,
        "abstained" => DraftReason::Abstained,
        _ => DraftReason::LowConfidence,
    }
}

/// What a good system probably does: what ours did, until a person says otherwise.
fn kind(asked: &AskedAnswer) -> DraftKind {
    match (asked.route.as_str(), asked.outcome.as_str()) {
        ("smalltalk", _) => DraftKind::Chitchat,
        ("out_of_scope", _) => DraftKind::OutOfScope,
        ("handoff", _) | (_, "handed_off") => DraftKind::Handoff,
        (_, "abstained") => DraftKind::Unanswerable,
        _ => DraftKind::Answerable,
    }
}

/// The draft of an answer, without what tells who asked.
pub(super) fn new_draft(asked: &AskedAnswer, said: Vec<Message>, reason: DraftReason) -> NewDraft {
    let name = asked.contact_name.as_deref().unwrap_or_default();
    let scrubbed = |text: &str| Scrubbed::new(text, &[name]);
    let history = said.into_iter().map(|message| DraftTurn {
        role: match message.role {
            Speaker::Customer => "customer",
            Speaker::Bot => "bot",
        },
        text: scrubbed(&message.text),
    });
    let understood = asked.understood.as_deref().filter(|text| !text.trim().is_empty());
    NewDraft {
        answer_id: asked.id,
        question: scrubbed(&asked.question),
        understood: scrubbed(understood.unwrap_or(&asked.question)),
        history: history.collect(),
        lang: asked.language.clone().unwrap_or_else(|| "en".to_owned()),
        kind: kind(asked),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use uuid::Uuid;

    fn asked(outcome: &str, route: &str) -> AskedAnswer {
        AskedAnswer {
            id: Uuid::nil(),
            conversation_id: None,
            turn_id: None,
            question: "and Ama's contract 40071839?".to_owned(),
            understood: Some("how much is left on Ama's contract 40071839?".to_owned()),
            language: Some("en".to_owned()),
            outcome: outcome.to_owned(),
            route: route.to_owned(),
            confidence: 0.5,
            disliked: false,
            contact_name: Some("Ama Mensah".to_owned()),
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_reason_is_what_weighs_most() {
        let mut given = asked("abstained", "commodity");
        assert_eq!(reason(&given), DraftReason::Abstained);
        given.disliked = true;
        assert_eq!(reason(&given), DraftReason::ThumbsDown);
        assert_eq!(
            reason(&asked("answered", "commodity")),
            DraftReason::LowConfidence
        );
    }

    #[test]
    fn the_kind_is_guessed_from_what_the_system_did() {
        for (outcome, route, expected) in [
            ("answered", "commodity", DraftKind::Answerable),
            ("abstained", "reasoning", DraftKind::Unanswerable),
            ("handed_off", "commodity", DraftKind::Handoff),
            ("abstained", "out_of_scope", DraftKind::OutOfScope),
            ("answered", "smalltalk", DraftKind::Chitchat),
        ] {
            assert_eq!(kind(&asked(outcome, route)), expected, "{outcome} {route}");
        }
    }

    #[test]
    fn nothing_of_a_draft_tells_who_asked() {
        let said = |role, text: &str| Message {
            role,
            text: text.to_owned(),
        };
        let said = vec![
            said(Speaker::Customer, "my name is Ama, call 024 555 0199"),
            said(Speaker::Bot, "Hello Ama, we will."),
        ];
        let draft = new_draft(&asked("abstained", "commodity"), said, DraftReason::Abstained);
        assert_eq!(draft.question.as_str(), "and [name]'s contract [number]?");
        assert_eq!(
            draft.understood.as_str(),
            "how much is left on [name]'s contract [number]?"
        );
        let history: Vec<_> = draft
            .history
            .iter()
            .map(|turn| (turn.role, turn.text.as_str()))
            .collect();
        assert_eq!(
            history,
            [
                ("customer", "my name is [name], call [phone]"),
                ("bot", "Hello [name], we will.")
            ]
        );
    }
}
