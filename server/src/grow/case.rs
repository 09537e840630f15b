//! A draft as a line of a golden set's case file.

use plumbline_store::GoldenDraft;
use serde_json::{Value, json};

/// The line of a draft: a case without evidence and without demands, for a person to complete. No run asks it while
/// its status is `draft`.
pub fn case_line(draft: &GoldenDraft) -> String {
    let id = draft.id.simple().to_string();
    let line = json!({
        // the end of the identifier is its random part
        "id": format!("prod-{}", &id[id.len() - 12..]),
        "kind": draft.kind,
        "question": draft.question,
        "history": draft.history.0,
        "lang": draft.lang,
        "tags": ["draft", format!("reason:{}", name(draft))],
        "evidence": [],
        "reference": Value::Null,
        "must_include": [],
        "must_not": [],
        "source": "prod",
        "status": "draft",
        "added": draft.created_at.format("%Y-%m-%d").to_string(),
    });
    line.to_string()
}

fn name(draft: &GoldenDraft) -> String {
    let name = serde_json::to_value(draft.reason).unwrap_or_default();
    name.as_str().unwrap_or_default().to_owned()
}

/// A case file of drafts.
pub fn case_lines(drafts: &[GoldenDraft]) -> String {
    drafts.iter().map(|draft| case_line(draft) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use plumbline_store::{DraftKind, DraftReason, DraftState, Json};
    use uuid::Uuid;

    #[test]
    fn a_line_is_a_case_that_waits_for_a_person() {
        let draft = GoldenDraft {
            id: Uuid::from_u128(0xabc),
            answer_id: None,
            question: "and to \"Kumasi\"?\nToday".to_owned(),
            history: Json(json!([{ "role": "customer", "text": "delivery to Accra?" }])),
            lang: "en".to_owned(),
            kind: DraftKind::Unanswerable,
            reason: DraftReason::ThumbsDown,
            state: DraftState::Draft,
            created_at: DateTime::UNIX_EPOCH,
        };
        let lines = case_lines(&[draft.clone(), draft]);
        assert_eq!(lines.lines().count(), 2, "one line each");
        insta::assert_snapshot!(lines.lines().next().unwrap(), @r#"{"id":"prod-000000000abc","kind":"unanswerable","question":"and to \"Kumasi\"?\nToday","history":[{"role":"customer","text":"delivery to Accra?"}],"lang":"en","tags":["draft","reason:thumbs_down"],"evidence":[],"reference":null,"must_include":[],"must_not":[],"source":"prod","status":"draft","added":"1970-01-01"}"#);
    }
}
