//! Drafts of a small corpus, as a person sees them.

use plumbline_ingest::{Limits, extract};

use super::source::Material;
use super::*;
use crate::golden::lint::{Level, lint, quotes};
use crate::golden::load::{Header, Located, Place};
use crate::golden::pin::{CorpusDoc, DocText};
use crate::golden::verdict::Verdicts;

const FAQ: &str = "# Returns\n\n## Broken goods\n\nBroken goods come back within 21 days, with the receipt.\n\n\
    **Can I return a phone?**\nYes, within 14 days, if the seal is whole. Later it goes to repair.\n";
const PRICES: &str = "Model,Cash price GHS,Warranty,Weight\nSunNest 20,850,24 months,3 kg\nSunNest 50,1450,24 months,5 kg\n\
    SunNest 80,2600,36 months,9 kg\n";
const SHOPS: &str =
    "Shop,Phone,Sunday\nAccra Mall,030 555 0101,12:00-18:00\nTema Harbour,030 555 0103,closed\n";

fn corpus() -> (Golden, Vec<Material>, Texts) {
    let files = [("faq.md", FAQ), ("prices.csv", PRICES), ("shops.csv", SHOPS)];
    let (mut docs, mut materials, mut texts) = (Vec::new(), Vec::new(), Texts::new());
    for (name, text) in files {
        let extraction = extract(text.as_bytes(), name, &Limits::default()).unwrap();
        docs.push(CorpusDoc {
            path: name.into(),
            sha256: sha256_hex(text.as_bytes()),
        });
        texts.insert(name.into(), DocText::new(extraction.text.clone()));
        let mut material = Material::of(name, &extraction);
        material.lang = "en".into();
        materials.push(material);
    }
    let header: Header = toml::from_str("name = 'x'").unwrap();
    let golden = Golden {
        dir: ".".into(),
        header,
        cases: Vec::new(),
        docs,
        manifest: String::new(),
        verdicts: Verdicts::default(),
    };
    (golden, materials, texts)
}

fn located(cases: Vec<Case>) -> Vec<Located> {
    let place = Place {
        file: "drafts/synth.jsonl".into(),
        line: 0,
    };
    cases
        .into_iter()
        .map(|case| Located {
            place: place.clone(),
            case,
        })
        .collect()
}

#[test]
fn drafts_of_a_small_corpus() {
    let (golden, materials, texts) = corpus();
    let drafts = drafts(&golden, &materials, &texts, 3);
    let told: Vec<String> = drafts
        .iter()
        .map(|case| {
            let quotes: Vec<&str> = case
                .evidence
                .iter()
                .map(|evidence| evidence.quote.as_str())
                .collect();
            let before: Vec<&str> = case.history.iter().map(|message| message.text.as_str()).collect();
            format!(
                "{} [{}] {}\n    {:?} <- {quotes:?}",
                case.kind,
                case.tags.join(" "),
                case.question,
                before
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn drafts_pass_the_lint_but_for_being_drafts_and_repeat_themselves() {
    let (mut golden, materials, texts) = corpus();
    let first = drafts(&golden, &materials, &texts, 3);
    assert_eq!(
        first,
        drafts(&golden, &materials, &texts, 3),
        "the same documents, the same drafts"
    );
    for wanted in [
        "faq",
        "heading",
        "csv_row",
        "near_miss",
        "multi_evidence",
        "multi_turn",
    ] {
        assert!(first.iter().any(|case| case.tags[1] == wanted), "{wanted}");
    }
    assert!(
        first
            .iter()
            .all(|case| case.source == Source::Synthetic && case.tags[0] == "synth")
    );

    golden.cases = located(first.clone());
    assert_eq!(
        drafts(&golden, &materials, &texts, 3),
        [],
        "what is asked already is not drafted again"
    );
    let errors: Vec<String> = lint(&golden)
        .into_iter()
        .chain(quotes(&golden, &texts))
        .filter(|finding| finding.level == Level::Error && !finding.message.starts_with("status"))
        .map(|finding| finding.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn a_near_miss_names_what_no_document_holds() {
    let (golden, materials, texts) = corpus();
    let all: String = materials.iter().map(|material| material.text.as_str()).collect();
    let misses = drafts(&golden, &materials, &texts, 3)
        .into_iter()
        .filter(|case| case.kind == Kind::Unanswerable);
    for case in misses {
        let unknown = [
            "SunNest 21",
            "SunNest 51",
            "SunNest 81",
            "country of manufacture",
            "noise level",
            "resale value",
        ]
        .into_iter()
        .find(|thing| case.question.contains(thing))
        .expect(&case.question);
        assert!(!all.contains(unknown), "{unknown}");
    }
}
