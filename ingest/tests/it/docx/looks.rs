//! Headings of people who do not use heading styles: bold or large lines, with restraint.

use super::{STYLES, p, run, runs};
use crate::fixtures::{docx, outline, read};

fn looking(properties: &str, text: &str) -> String {
    runs(&format!(
        "<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"
    ))
}

fn bold(text: &str) -> String {
    looking("<w:b/>", text)
}

fn sized(size: u8, text: &str) -> String {
    looking(&format!(r#"<w:sz w:val="{size}"/>"#), text)
}

const SENTENCE: &str = "Goods can be returned within thirty days, if they are complete.";

#[test]
fn large_and_bold_lines_above_text_are_headings() {
    let text = || p("x", SENTENCE);
    let body = [
        sized(40, "Terms of sale"),
        text(),
        sized(28, "Returns"),
        bold("Electrical goods"),
        text(),
        bold("1. Toys"),
        text(),
        sized(28, "Costs"),
        text(),
        bold("This whole sentence is bold because it matters."),
        text(),
    ];
    insta::assert_snapshot!(outline(&read(&docx(&body.concat(), &[]), "a.docx").unwrap()));
}

#[test]
fn addresses_bold_documents_and_last_lines_are_not_headings() {
    let headings = |body: &[String]| {
        let extraction = read(&docx(&body.concat(), &[("styles.xml", STYLES)]), "a.docx").unwrap();
        let is_heading = |block: &&plumbline_ingest::Block| {
            matches!(block.kind, plumbline_ingest::BlockKind::Heading { .. })
        };
        extraction.blocks.iter().filter(is_heading).count()
    };
    let text = || p("x", SENTENCE);
    assert_eq!(
        headings(&[
            text(),
            bold("Tamarind Home"),
            bold("12 High Street"),
            bold("Accra"),
            text()
        ]),
        0
    );
    assert_eq!(headings(&[bold("One"), text(), bold("Yours faithfully")]), 1);
    assert_eq!(
        headings(&[bold("All"), bold("of it"), bold("is bold"), bold("and short")]),
        0
    );
    assert_eq!(headings(&[p("Ttulo1", "Styled"), bold("A guess"), text()]), 2);
    let mixed = runs(&(run("Only ") + "<w:r><w:rPr><w:b/></w:rPr><w:t>one word</w:t></w:r>"));
    assert_eq!(headings(&[mixed, text()]), 0);
}
