//! DOCX: structure, numbering, tables, notes, tracked changes, text boxes, and attacks.

use plumbline_ingest::{BlockKind, Code, Limits, extract};

use crate::fixtures::{docx, outline, package, read};

mod lists;
mod looks;
mod packages;
mod tables;
mod words;

const STYLES: &str = r#"<w:styles xmlns:w="w"><w:style w:styleId="Ttulo1"><w:name w:val="heading 1"/></w:style><w:style w:styleId="Ttulo2"><w:name w:val="heading 2"/><w:basedOn w:val="Ttulo1"/></w:style><w:style w:styleId="Mine"><w:name w:val="My heading"/><w:basedOn w:val="Ttulo2"/></w:style><w:style w:styleId="Titel"><w:name w:val="Title"/></w:style><w:style w:styleId="TDC1"><w:name w:val="toc 1"/></w:style></w:styles>"#;

/// The text of a document with this body.
fn text_of(body: &str) -> String {
    read(&docx(body, &[]), "a.docx").unwrap().text
}

/// A paragraph of runs.
fn runs(content: &str) -> String {
    format!("<w:p>{content}</w:p>")
}

fn run(text: &str) -> String {
    format!(r#"<w:r><w:t xml:space="preserve">{text}</w:t></w:r>"#)
}

fn p(style: &str, text: &str) -> String {
    format!(
        r#"<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>"#
    )
}

fn cell(text: &str, properties: &str) -> String {
    format!("<w:tc><w:tcPr>{properties}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>")
}

#[test]
fn structure_of_a_policy() {
    let numbering = r#"<w:numbering xmlns:w="w"><w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%2)"/></w:lvl></w:abstractNum><w:num w:numId="4"><w:abstractNumId w:val="1"/></w:num></w:numbering>"#;
    let item = |level: u8, text: &str| {
        format!(
            r#"<w:p><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="4"/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"#
        )
    };
    let row = |cells: &[String]| format!("<w:tr>{}</w:tr>", cells.concat());
    let table = format!(
        "<w:tbl>{}{}{}{}</w:tbl>",
        row(&[cell("Service", ""), cell("Weight", ""), cell("Price", "")]),
        row(&[
            cell("Express", r#"<w:vMerge w:val="restart"/>"#),
            cell("up to 5 kg", ""),
            cell("40", "")
        ]),
        row(&[cell("", "<w:vMerge/>"), cell("up to 20 kg", ""), cell("63", "")]),
        row(&[cell("All prices include tax", r#"<w:gridSpan w:val="3"/>"#)]),
    );
    let footnotes = r#"<w:footnotes xmlns:w="w"><w:footnote w:id="0" w:type="separator"><w:p><w:r><w:t>---</w:t></w:r></w:p></w:footnote><w:footnote w:id="2"><w:p><w:r><w:t>Except on public holidays.</w:t></w:r></w:p></w:footnote></w:footnotes>"#;
    let body = [
        p("TDC1", "Delivery....... 1"),
        p("Ttulo1", "Delivery &amp; returns"),
        r#"<w:p><w:r><w:t xml:space="preserve">We deliver </w:t></w:r><w:del><w:r><w:delText>never</w:delText></w:r></w:del><w:ins><w:r><w:t>every day</w:t></w:r></w:ins><w:r><w:footnoteReference w:id="2"/><w:t>.</w:t><w:tab/><w:t>Call us</w:t><w:noBreakHyphen/><w:t>first.</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>"#.to_owned(),
        p("Mine", "How"),
        item(0, "Order"),
        item(1, "by phone"),
        item(1, "in the shop"),
        item(0, "Wait"),
        table,
        r#"<w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:r><w:r><w:t>Beside the box</w:t></w:r></w:p>"#.to_owned(),
    ];
    let header =
        r#"<w:hdr xmlns:w="w"><w:p><w:r><w:t>Tamarind delivery policy 2026</w:t></w:r></w:p></w:hdr>"#;
    let parts = [
        ("styles.xml", STYLES),
        ("numbering.xml", numbering),
        ("footnotes.xml", footnotes),
        ("header1.xml", header),
        ("header2.xml", header),
    ];
    insta::assert_snapshot!(outline(
        &read(&docx(&body.concat(), &parts), "policy.docx").unwrap()
    ));
}

#[test]
fn a_document_written_by_a_library_is_read() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    docx_rs::Docx::new()
        .add_paragraph(docx_rs::Paragraph::new().add_run(docx_rs::Run::new().add_text("Opening hours")))
        .add_table(docx_rs::Table::new(vec![
            docx_rs::TableRow::new(vec![text_cell("Day"), text_cell("Hours")]),
            docx_rs::TableRow::new(vec![text_cell("Monday"), text_cell("9 to 17")]),
        ]))
        .build()
        .pack(&mut bytes)
        .unwrap();
    let extraction = read(&bytes.into_inner(), "hours.docx").unwrap();
    assert_eq!(extraction.text, "Opening hours\n\nDay: Monday | Hours: 9 to 17");
    assert_eq!(extraction.blocks[1].kind, BlockKind::TableRow);
}

fn text_cell(text: &str) -> docx_rs::TableCell {
    docx_rs::TableCell::new()
        .add_paragraph(docx_rs::Paragraph::new().add_run(docx_rs::Run::new().add_text(text)))
}

#[test]
fn attacks_and_damage_end_in_the_catalogue() {
    let code = |bytes: &[u8]| read(bytes, "a.docx").unwrap_err().code;
    let deep = format!("{}{}", "<w:tbl>".repeat(300_000), "</w:tbl>".repeat(300_000));
    assert_eq!(code(&docx(&deep, &[])), Code::XmlTooDeep);
    assert_eq!(code(&docx("<w:p><w:r><w:t>cut", &[])), Code::DamagedDocx);
    let whole = docx(&p("x", "text"), &[]);
    assert_eq!(code(&whole[..whole.len() - 40]), Code::DamagedDocx);
    let laughs = r#"<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><w:document xmlns:w="w"><w:body><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:body></w:document>"#;
    let parts = |document: &str| {
        vec![
            ("[Content_Types].xml".to_owned(), "wordprocessingml".to_owned()),
            ("word/document.xml".to_owned(), document.to_owned()),
        ]
    };
    assert_eq!(code(&package(&parts(laughs))), Code::DoctypeRefused);
    assert_eq!(code(&docx("", &[])), Code::NoText);
    let sheet = package(&[(
        "[Content_Types].xml".to_owned(),
        "<x>spreadsheetml</x>".to_owned(),
    )]);
    assert_eq!(code(&sheet), Code::Unsupported);
    assert_eq!(
        code(&package(&[("readme.txt".to_owned(), "hello".to_owned())])),
        Code::Unsupported
    );
}

#[test]
fn a_part_that_inflates_beyond_the_cap_is_a_bomb() {
    let bomb = docx(&p("x", &" ".repeat(4_000_000)), &[]);
    assert!(bomb.len() < 20_000);
    let limits = Limits {
        max_part_bytes: 1_000_000,
        ..Limits::default()
    };
    assert_eq!(extract(&bomb, "a.docx", &limits).unwrap_err().code, Code::ZipBomb);
    let limits = Limits {
        max_zip_entries: 3,
        ..Limits::default()
    };
    assert_eq!(extract(&bomb, "a.docx", &limits).unwrap_err().code, Code::ZipBomb);
}

#[test]
fn a_title_stands_above_all_headings() {
    let body = [
        p("Titel", "Policy"),
        p("Ttulo1", "Scope"),
        p("x", "For everybody."),
        p("Ttulo1", "Costs"),
        p("x", "None."),
    ];
    let extraction = read(&docx(&body.concat(), &[("styles.xml", STYLES)]), "a.docx").unwrap();
    assert_eq!(extraction.blocks[4].heading_path, ["Policy", "Costs"]);
    assert_eq!(extraction.title.as_deref(), Some("Policy"));
}
