//! What an admin laid over a document by hand, as the pages show it.

use plumbline_store::{ChunkRow, Overlay, OverlayKind, OverlayPlace, Version};
use uuid::Uuid;

use crate::pages::words;

/// An overlay in the list of a document or of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayLine {
    /// Overlay.
    pub id: Uuid,
    /// Name of its kind, for the style sheet.
    pub kind: &'static str,
    /// What it does.
    pub what: String,
    /// The question, or the new text.
    pub body: String,
    /// The passage it was made for.
    pub passage: String,
    /// Headings above the passage.
    pub headings: Vec<String>,
    /// The chunk it lies on in the version shown.
    pub chunk_href: Option<String>,
    /// What became of its place: found although the text changed, or not looked for yet.
    pub note: String,
    /// Why it lies nowhere.
    pub conflict: Option<String>,
    /// Made.
    pub made: String,
    /// Whether removing it builds a new version.
    pub rebuilds: bool,
}

/// A sign on a chunk that something was laid over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// `bad`, `ok` or nothing.
    pub tone: &'static str,
    /// Words.
    pub label: String,
}

/// A factor without digits that say nothing.
pub fn factor(factor: f32) -> String {
    let text = format!("{factor:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What an overlay does, in a few words.
pub fn what(overlay: &Overlay) -> String {
    match overlay.kind {
        OverlayKind::Disable => "Hidden from answers".to_owned(),
        OverlayKind::Pin => "Preferred".to_owned(),
        OverlayKind::Boost => format!("Weight × {}", factor(overlay.factor.unwrap_or(1.0))),
        OverlayKind::Edit => "Text corrected".to_owned(),
        OverlayKind::Question => "Answers a question".to_owned(),
    }
}

/// The overlays of a document with their places in the version `shown`.
pub fn overlay_lines(overlays: &[Overlay], places: &[OverlayPlace], shown: &Version) -> Vec<OverlayLine> {
    overlays
        .iter()
        .map(|overlay| {
            let place = places.iter().find(|place| place.overlay_id == overlay.id);
            overlay_line(overlay, place, shown)
        })
        .collect()
}

fn overlay_line(overlay: &Overlay, place: Option<&OverlayPlace>, shown: &Version) -> OverlayLine {
    let lost = place.filter(|place| place.chunk_id.is_none());
    let note = match place {
        Some(place) if place.chunk_id.is_some() && !place.note.is_empty() => {
            format!(
                "{} {:.0} % of it is alike.",
                words::sentence(&place.note),
                place.similarity * 100.0
            )
        }
        None if shown.state.is_ready() => "Not looked for in this version yet.".to_owned(),
        None => "It is looked for when this version is built.".to_owned(),
        _ => String::new(),
    };
    OverlayLine {
        id: overlay.id,
        kind: overlay.kind.as_str(),
        what: what(overlay),
        body: overlay.body.clone().unwrap_or_default(),
        passage: super::view::dense(&overlay.anchor_text),
        headings: overlay.anchor_headings.clone(),
        chunk_href: place
            .and_then(|place| place.chunk_id)
            .map(|chunk| format!("/chunks/{chunk}")),
        note,
        conflict: lost.map(|place| {
            if place.note.is_empty() {
                "Its passage is not in this version.".to_owned()
            } else {
                words::sentence(&place.note)
            }
        }),
        made: words::moment(overlay.created_at),
        rebuilds: overlay.kind == OverlayKind::Edit,
    }
}

/// The overlays that lie on one chunk.
pub fn on_chunk<'a>(overlays: &'a [Overlay], places: &[OverlayPlace], chunk: Uuid) -> Vec<&'a Overlay> {
    let here = |overlay: &&Overlay| {
        let same = |place: &&OverlayPlace| place.overlay_id == overlay.id && place.chunk_id == Some(chunk);
        places.iter().any(|place| same(&place))
    };
    overlays.iter().filter(here).collect()
}

/// The signs on a chunk.
pub fn chunk_marks(chunk: &ChunkRow, overlays: &[Overlay], places: &[OverlayPlace]) -> Vec<Mark> {
    let mark = |tone, label: String| Mark { tone, label };
    let mut marks = Vec::new();
    if chunk.disabled {
        marks.push(mark("bad", "Hidden from answers".to_owned()));
    }
    if chunk.pinned {
        marks.push(mark("ok", "Preferred".to_owned()));
    }
    if (chunk.boost - 1.0).abs() > f32::EPSILON {
        marks.push(mark("ok", format!("Weight × {}", factor(chunk.boost))));
    }
    let questions = i64::try_from(chunk.questions.len()).unwrap_or_default();
    if questions > 0 {
        marks.push(mark(
            "ok",
            format!("{} added", words::count(questions, "question", "questions")),
        ));
    }
    let edited = |overlay: &&Overlay| overlay.kind == OverlayKind::Edit;
    if on_chunk(overlays, places, chunk.id).iter().any(edited) {
        marks.push(mark("warn", "Text corrected".to_owned()));
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::factor;

    #[test]
    fn factors_have_no_empty_digits() {
        assert_eq!([1.0, 2.5, 0.25, 10.0].map(factor), ["1", "2.5", "0.25", "10"]);
    }
}
