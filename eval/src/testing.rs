//! Cases and replies for the unit tests.

use plumbline_answer::{Answer, Citation, Outcome, Route, Timings, Usage};
use plumbline_retrieval::Hit;
use uuid::Uuid;

use crate::golden::case::{Case, Evidence, Kind, ROUTES, Source, Status};
use crate::golden::pin::{How, Span};
use crate::golden::verdict::Verdicts;
use crate::metrics::citation::Check;
use crate::metrics::grade::grade;
use crate::metrics::hallucination::Standing;
use crate::metrics::{Graded, Observed};
use crate::target::{Reply, VersionTexts};

/// A case with just a question, of kind chitchat.
pub(crate) fn case(question: &str) -> Case {
    Case {
        id: "case".into(),
        kind: Kind::Chitchat,
        question: question.into(),
        history: Vec::new(),
        lang: "en".into(),
        tags: Vec::new(),
        evidence: Vec::new(),
        reference: None,
        must_include: Vec::new(),
        must_not: Vec::new(),
        route: None,
        tools: Vec::new(),
        ordered: false,
        forbidden_tools: Vec::new(),
        source: Source::Human,
        label_by: None,
        added: None,
        status: Status::Accepted,
    }
}

/// An answered reply on the commodity route without citations.
pub(crate) fn answer(text: &str) -> Answer {
    Answer {
        id: Uuid::nil(),
        outcome: Outcome::Answered,
        route: Route::Commodity,
        reason: None,
        text: text.into(),
        sentences: Vec::new(),
        citations: Vec::new(),
        confidence: 0.9,
        features: None,
        query: "q".into(),
        hits: Vec::new(),
        language: "en".into(),
        timings: Timings {
            total_ms: 12.0,
            embed_ms: 5.0,
            ..Timings::default()
        },
        usage: Usage::default(),
        settings_version: 0,
    }
}

/// A citation of `quote` at `start`.
pub(crate) fn citation(document: &str, start: usize, quote: &str) -> Citation {
    Citation {
        document_id: Uuid::from_u128(1),
        version_id: Uuid::from_u128(2),
        document_key: document.into(),
        document_title: String::new(),
        version_number: 1,
        chunk_id: Uuid::from_u128(3),
        start,
        end: start + quote.len(),
        page: None,
        row: None,
        quote: quote.into(),
    }
}

/// A hit with `text` at `start`.
pub(crate) fn hit(document: &str, start: usize, text: &str) -> Hit {
    Hit {
        chunk_id: Uuid::from_u128(u128::try_from(start).unwrap_or_default() + 10),
        document_id: Uuid::from_u128(1),
        version_id: Uuid::from_u128(2),
        document_key: document.into(),
        document_title: String::new(),
        version_number: 1,
        start,
        end: start + text.len(),
        page: None,
        row: None,
        heading_path: Vec::new(),
        text: text.into(),
        score: 0.5,
        parts: plumbline_retrieval::ScoreParts::default(),
        lexical: None,
        vector: None,
        duplicate_of: None,
    }
}

/// A case that was routed somewhere; `None` is an error.
pub(crate) fn routed(gold: Route, predicted: Option<Route>) -> Graded {
    let mut asked = case("q");
    asked.kind = match gold {
        Route::Commodity | Route::Reasoning => Kind::Answerable,
        Route::Smalltalk => Kind::Chitchat,
        Route::Handoff => Kind::Handoff,
        Route::OutOfScope => Kind::OutOfScope,
    };
    asked.route = Some(gold);
    let answer = predicted
        .map(|route| Answer {
            route,
            ..answer("text")
        })
        .ok_or_else(|| "down".to_owned());
    graded(&asked, &[], answer)
}

/// A case of a kind with an outcome.
pub(crate) fn observed(kind: Kind, observed: Observed) -> Graded {
    let mut asked = case("q");
    asked.kind = kind;
    let reply = match observed {
        Observed::Error => Err("down".to_owned()),
        Observed::Empty => Ok(answer("")),
        Observed::Answered => Ok(answer("text")),
        Observed::Abstained => Ok(Answer {
            outcome: Outcome::Abstained,
            ..answer("text")
        }),
        Observed::HandedOff => Ok(Answer {
            outcome: Outcome::HandedOff,
            ..answer("text")
        }),
    };
    let mut graded = graded(&asked, &[], reply);
    if observed == Observed::Answered {
        graded.standing = Standing::Unflagged;
        graded.flagged = false;
    }
    graded
}

/// Grades a reply of 10 ms.
pub(crate) fn graded(case: &Case, spans: &[Span], answer: Result<Answer, String>) -> Graded {
    let reply = Reply {
        answer,
        calls: Vec::new(),
        wall_ms: 10.0,
        live: true,
    };
    grade(case, spans, reply, &VersionTexts::new(), &Verdicts::default())
}

/// The same case with a failed call.
pub(crate) fn as_error(before: &Graded) -> Graded {
    let mut after = graded(&before.case, &before.spans, Err("down".into()));
    after.warm_up = before.warm_up;
    after
}

/// The evidence of the answerable cases of [`sample`]: one span of `d.txt`.
pub(crate) fn span() -> Span {
    Span {
        group: "1".into(),
        doc: "d.txt".into(),
        start: 100,
        end: 107,
        text: "21 days".into(),
        grade: 3,
        how: How::Exact,
    }
}

/// A hit that holds [`span`].
pub(crate) fn good_hit() -> Hit {
    hit("d.txt", 93, "Within 21 days of delivery.")
}

/// 120 cases of all kinds with replies of all sorts, chosen by a seed.
pub(crate) fn sample(seed: u64) -> Vec<Graded> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move |below: usize| {
        // xorshift64 (G. Marsaglia, 2003): small, seeded, good enough to mix cases.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 1_000_003).unwrap_or_default() % below
    };
    (0..120).map(|i| one_of_sample(i, &mut next)).collect()
}

fn one_of_sample(i: usize, next: &mut impl FnMut(usize) -> usize) -> Graded {
    let mut asked = case(&format!("question {i}"));
    asked.id = format!("case-{i:03}");
    asked.kind = [
        Kind::Answerable,
        Kind::Answerable,
        Kind::Unanswerable,
        Kind::Chitchat,
        Kind::Handoff,
        Kind::OutOfScope,
    ][i % 6];
    asked.route = asked.kind.implied_route().or(Some(ROUTES[i / 6 % 2]));
    asked.must_not = vec!["14 days".into()];
    let mut spans = Vec::new();
    if asked.kind == Kind::Answerable {
        asked.must_include = vec!["21 days".into()];
        let quote = "21 days".to_owned();
        let (group, doc) = ("1".to_owned(), "d.txt".to_owned());
        asked.evidence = vec![Evidence {
            group,
            doc,
            quote,
            grade: 3,
            doc_sha256: None,
            start: None,
            end: None,
        }];
        spans.push(span());
    }
    let mut reply = answer(["Within 21 days.", "Within 14 days.", "No idea.", ""][next(4)]);
    reply.outcome = [
        Outcome::Answered,
        Outcome::Answered,
        Outcome::Abstained,
        Outcome::HandedOff,
    ][next(4)];
    reply.route = if next(4) == 0 {
        ROUTES[next(5)]
    } else {
        asked.expected_route().unwrap_or(Route::Commodity)
    };
    reply.hits = vec![
        hit("e.txt", 0, "Nothing of interest."),
        hit("d.txt", 900, "Elsewhere."),
    ];
    if next(3) > 0 {
        reply.hits.insert(next(3), good_hit());
    }
    let mut row = graded(&asked, &spans, Ok(reply));
    row.reply.wall_ms = crate::stats::real(5 + next(90));
    if !row.observed.is_error() && next(2) == 0 {
        let problem = (next(4) == 0).then(|| "another".to_owned());
        row.citations = vec![Check {
            document: "d.txt".into(),
            start: 0,
            end: 1,
            problem,
        }];
    }
    if row.observed == Observed::Answered {
        row.standing = [
            Standing::Unflagged,
            Standing::Cleared,
            Standing::Convicted,
            Standing::Undecided,
        ][next(4)];
        row.flagged = matches!(row.standing, Standing::Convicted | Standing::Undecided);
    }
    row
}
