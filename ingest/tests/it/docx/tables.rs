//! Tables: which rows are headers, what merged and nested cells become, frames that are no tables.

use plumbline_ingest::BlockKind;

use super::{STYLES, cell, p, run, runs, text_of};
use crate::fixtures::{docx, read};

fn table(rows: &[Vec<String>]) -> String {
    let rows = rows.iter().map(|row| format!("<w:tr>{}</w:tr>", row.concat()));
    format!("<w:tbl>{}</w:tbl>", rows.collect::<String>())
}

fn cells<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.iter().map(|text| cell(text, "")).collect()
}

fn span(text: &str, columns: u8) -> String {
    cell(text, &format!(r#"<w:gridSpan w:val="{columns}"/>"#))
}

#[test]
fn a_title_row_two_header_rows_and_a_header_said_again() {
    let source = table(&[
        vec![span("Prices 2026", 4)],
        vec![cell("", ""), span("Weekdays", 2), cell("Sundays", "")],
        cells(["Service", "Adult", "Child", "All"]),
        cells(["Bus", "4", "2", "5"]),
        cells(["Service", "Adult", "Child", "All"]),
        vec![cell("Boat", ""), span("not offered", 2), cell("9", "")],
    ]);
    assert_eq!(
        text_of(&source),
        "Prices 2026\nService: Bus | Weekdays Adult: 4 | Weekdays Child: 2 | Sundays All: 5\nService: Boat | Weekdays Adult / Weekdays Child: not offered | Sundays All: 9"
    );
}

#[test]
fn pairs_of_key_and_value_and_a_table_without_a_header() {
    assert_eq!(
        text_of(&table(&[
            cells(["Phone:", "555 0100"]),
            cells(["Opening", "nine"])
        ])),
        "Phone: 555 0100\nOpening: nine"
    );
    assert_eq!(
        text_of(&table(&[
            cells(["Monday", "9:00", "18:00"]),
            cells(["Tuesday", "10:00", "19:00"])
        ])),
        "Monday | 9:00 | 18:00\nTuesday | 10:00 | 19:00"
    );
}

#[test]
fn merged_cells_hold_for_all_their_rows_and_columns() {
    let source = table(&[
        cells(["Zone", "Town", "Days"]),
        vec![
            cell("North", r#"<w:vMerge w:val="restart"/>"#),
            cell("Tamale", ""),
            cell("3", ""),
        ],
        vec![cell("", "<w:vMerge/>"), cell("Wa", ""), cell("4", "")],
        vec![
            cell("South", ""),
            cell("Accra", r#"<w:hMerge w:val="restart"/>"#),
            cell("", "<w:hMerge/>"),
        ],
    ]);
    assert_eq!(
        text_of(&source),
        "Zone: North | Town: Tamale | Days: 3\nZone: North | Town: Wa | Days: 4\nZone: South | Town: Accra"
    );
    let shifted = format!(
        r#"<w:tbl><w:tr>{}</w:tr><w:tr>{}</w:tr><w:tr><w:trPr><w:gridBefore w:val="1"/></w:trPr>{}</w:tr></w:tbl>"#,
        cells(["Item", "Size", "Price"]).concat(),
        cells(["Mug", "S", "5"]).concat(),
        cells(["L", "7"]).concat()
    );
    assert_eq!(
        text_of(&shifted),
        "Item: Mug | Size: S | Price: 5\nSize: L | Price: 7"
    );
}

#[test]
fn a_header_is_told_by_its_mark_its_style_or_its_shading() {
    let text = |properties: &str, header: &str, first: &str, styles: &str| {
        let row = |properties: &str, shade: &str, a: &str, b: &str| {
            format!("<w:tr>{properties}{}{}</w:tr>", cell(a, shade), cell(b, shade))
        };
        let body = format!(
            "<w:tbl>{properties}{}{}{}</w:tbl>",
            row(header, first, "Term", "Meaning"),
            row("", "", "Refund", "money back"),
            row("", "", "Credit", "a voucher")
        );
        read(&docx(&body, &[("styles.xml", styles)]), "a.docx")
            .unwrap()
            .text
    };
    let named = "Term: Refund | Meaning: money back\nTerm: Credit | Meaning: a voucher";
    let styles = r#"<w:styles xmlns:w="w"><w:style w:type="table" w:styleId="Fancy"><w:name w:val="Fancy"/><w:tblStylePr w:type="firstRow"><w:rPr><w:b/></w:rPr></w:tblStylePr></w:style></w:styles>"#;
    let style = r#"<w:tblPr><w:tblStyle w:val="Fancy"/><w:tblLook w:val="04A0" w:firstRow="1"/></w:tblPr>"#;
    assert_eq!(text("", "<w:trPr><w:tblHeader/></w:trPr>", "", styles), named);
    assert_eq!(text("", "", r#"<w:shd w:fill="DDDDDD"/>"#, styles), named);
    assert_eq!(text(style, "", "", styles), named);
    let pairs = "Term: Meaning\nRefund: money back\nCredit: a voucher";
    assert_eq!(text("", "", "", styles), pairs);
    let off = style.replace(r#"w:firstRow="1""#, r#"w:firstRow="0""#);
    assert_eq!(text(&off, "", "", styles), pairs);
}

#[test]
fn a_nested_table_stays_in_its_cell_unless_it_is_large() {
    let outer = |rows: usize| {
        let mut inner = vec![cells(["Size", "Price"])];
        inner.extend((0..rows).map(|row| cells(["Medium and a bit larger", &row.to_string()])));
        let nested = format!("<w:tc>{}{}</w:tc>", table(&inner), runs(&run("Both sizes.")));
        let rows = [
            format!("<w:tr>{}</w:tr>", cells(["Item", "Details"]).concat()),
            format!("<w:tr>{}{nested}</w:tr>", cell("Chair 1", "")),
            format!("<w:tr>{}</w:tr>", cells(["Desk 2", "3 drawers"]).concat()),
        ];
        text_of(&format!("<w:tbl>{}</w:tbl>", rows.concat()))
    };
    assert_eq!(
        outer(1),
        "Item: Chair 1 | Details: Size: Medium and a bit larger | Price: 0; Both sizes.\nItem: Desk 2 | Details: 3 drawers"
    );
    let large = outer(40);
    assert!(
        large.starts_with(
            "Item: Chair 1 | Details: Both sizes.\n\nSize: Medium and a bit larger | Price: 0\n"
        ),
        "{large}"
    );
    assert!(large.contains("Price: 39\n\nItem: Desk 2"));
}

#[test]
fn frames_that_arrange_text_are_no_tables() {
    let frame = |content: &str| format!("<w:tbl><w:tr><w:tc>{content}</w:tc></w:tr></w:tbl>");
    let boxed = frame(
        &(p("Ttulo1", "Notice")
            + &p("x", "We are closed.")
            + &table(&[cells(["Day", "Hours"]), cells(["Monday", "9"])])),
    );
    let extraction = read(&docx(&boxed, &[("styles.xml", STYLES)]), "a.docx").unwrap();
    assert_eq!(
        extraction.text,
        "Notice\n\nWe are closed.\n\nDay: Monday | Hours: 9"
    );
    assert_eq!(extraction.blocks[2].heading_path, ["Notice"]);
    let columns = format!(
        "<w:tbl><w:tr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr></w:tbl>",
        [p("x", "Left one."), p("x", "Left two."), p("x", "Left three.")].concat(),
        p("x", "Right.")
    );
    let extraction = read(&docx(&columns, &[]), "a.docx").unwrap();
    assert_eq!(extraction.text, "Left one.\n\nLeft two.\n\nLeft three.\n\nRight.");
    assert!(
        extraction
            .blocks
            .iter()
            .all(|block| block.kind == BlockKind::Paragraph)
    );
}

#[test]
fn column_names_may_hold_digits_and_codes_are_no_names() {
    let prices = table(&[
        cells(["Item", "Q1", "Price 2025", "2026"]),
        cells(["Oil", "7", "4.20", "4.50"]),
        cells(["Salt", "9", "0.50", "0.55"]),
    ]);
    assert!(text_of(&prices).starts_with("Item: Oil | Q1: 7 | Price 2025: 4.20 | 2026: 4.50\n"));
    let codes = table(&[
        cells(["E1", "Door open", "Close it"]),
        cells(["E2", "No water", "Open the tap"]),
    ]);
    assert_eq!(
        text_of(&codes),
        "E1 | Door open | Close it\nE2 | No water | Open the tap"
    );
}
