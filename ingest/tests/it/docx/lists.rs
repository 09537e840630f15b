//! Lists: labels through paragraph properties, styles and list styles.

use plumbline_ingest::BlockKind;

use super::{run, runs};
use crate::fixtures::{docx, outline, read};

const STYLES: &str = r#"<w:styles xmlns:w="w"><w:style w:styleId="1"><w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="3"/></w:numPr></w:pPr></w:style><w:style w:styleId="2"><w:name w:val="heading 2"/><w:basedOn w:val="1"/></w:style><w:style w:styleId="LB2"><w:name w:val="List Bullet 2"/><w:pPr><w:numPr><w:numId w:val="4"/></w:numPr></w:pPr></w:style></w:styles>"#;

const NUMBERING: &str = r#"<w:numbering xmlns:w="w"><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:pStyle w:val="1"/><w:lvlText w:val="%1"/></w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="decimal"/><w:pStyle w:val="2"/><w:lvlText w:val="%1.%2"/></w:lvl><w:lvl w:ilvl="2"><w:numFmt w:val="lowerRoman"/><w:lvlText w:val="(%3)"/></w:lvl></w:abstractNum><w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="-"/></w:lvl></w:abstractNum><w:num w:numId="3"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="4"><w:abstractNumId w:val="1"/></w:num></w:numbering>"#;

fn styled(style: &str, properties: &str, text: &str) -> String {
    runs(&(format!(r#"<w:pPr><w:pStyle w:val="{style}"/>{properties}</w:pPr>"#) + &run(text)))
}

#[test]
fn numbers_come_from_styles_and_their_levels() {
    let item = |level: u8, id: u8, text: &str| {
        styled(
            "x",
            &format!(r#"<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{id}"/></w:numPr>"#),
            text,
        )
    };
    let body = [
        styled("1", "", "Scope"),
        styled("2", "", "Goods"),
        styled("2", "", "Services"),
        item(2, 3, "repairs"),
        item(2, 3, "rentals"),
        styled("1", "", "Prices"),
        styled("2", "", "Tax"),
        styled("1", r#"<w:numPr><w:numId w:val="0"/></w:numPr>"#, "Annex"),
        styled("LB2", "", "a point"),
        item(0, 99, "of no list"),
    ];
    let parts = [("styles.xml", STYLES), ("numbering.xml", NUMBERING)];
    let extraction = read(&docx(&body.concat(), &parts), "a.docx").unwrap();
    insta::assert_snapshot!(outline(&extraction));
    assert_eq!(extraction.blocks[8].kind, BlockKind::ListItem { depth: 1 });
}
