//! Plain text and CSV end to end.

use plumbline_ingest::{BlockKind, Code, Format};

use crate::fixtures::{outline, read};

#[test]
fn a_notice_as_blocks() {
    let source = "TAMARIND HOME & SOLAR\nNotice of 12 October\n\nOPENING HOURS\n\nShops open at eight in the morning and close at six, except on the\nfirst Monday of the month, when they open at ten.\n\n- Accra\n- Kumasi,\n  near the market\n\n1. Deliveries\nThe last day is 15 December.\n\nReturns\n\nBring the receipt and the goods to any company shop.\n";
    insta::assert_snapshot!(outline(&read(source.as_bytes(), "notice.txt").unwrap()));
}

#[test]
fn the_content_decides_and_a_wrong_name_is_a_warning() {
    let extraction = read(b"a;b;c\n1;2;3\n4;5;6\n7;8;9\n", "table.txt").unwrap();
    assert_eq!(
        (extraction.format, extraction.warnings[0].code),
        (Format::Csv, Code::NameMismatch)
    );
    let extraction = read(
        "Dear customer, we have moved.\n\nThe new shop is beside the old post office.\n".as_bytes(),
        "letter.csv",
    )
    .unwrap();
    assert_eq!(extraction.format, Format::Text);
    assert_eq!(extraction.warnings[0].code, Code::NameMismatch);
    let extraction = read(b"Plain words.", "scan.pdf").unwrap();
    assert_eq!(
        (extraction.format, extraction.warnings[0].code),
        (Format::Text, Code::NameMismatch)
    );
    assert!(
        read(b"# Title\n\n## Part\n\nText\n", "notes.txt")
            .unwrap()
            .warnings
            .is_empty()
    );
}

#[test]
fn languages_are_told_from_sentences_only() {
    let language = |text: &str, name: &str| read(text.as_bytes(), name).unwrap().language;
    let portuguese = "A garantia não cobre quedas, incêndios nem inundações, e o cliente deve guardar o recibo da compra durante todo o período.";
    assert_eq!(language(portuguese, "a.txt").as_deref(), Some("pt"));
    assert_eq!(
        language(
            "Town,Weight,Price\nAccra,5,12\nTema,5,13\nMadina,20,14\n",
            "a.csv"
        ),
        None
    );
}

#[test]
fn markdown_without_a_name_is_recognised() {
    let extraction = read(
        b"# Shop\n\nHello.\n\n## Hours\n\n**Daily** from nine.\n",
        "readme",
    )
    .unwrap();
    assert_eq!(extraction.format, Format::Markdown);
    assert_eq!(extraction.text, "Shop\n\nHello.\n\nHours\n\nDaily from nine.");
    assert_eq!(extraction.blocks[2].kind, BlockKind::Heading { level: 2 });
    assert_eq!(extraction.title.as_deref(), Some("Shop"));
}
