//! What counts as text: fields, links, tracked changes, controls, symbols, formulas, notes.

use plumbline_ingest::Code;

use super::{cell, p, run, runs, text_of};
use crate::fixtures::{docx, read};

fn field(instruction: &str, result: &str) -> String {
    format!(
        r#"<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve">{instruction}</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>{result}<w:r><w:fldChar w:fldCharType="end"/></w:r>"#
    )
}

#[test]
fn of_a_field_only_the_result_is_text() {
    let mark = |kind: &str| format!(r#"<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>"#);
    let condition =
        "<w:r><w:instrText> IF </w:instrText></w:r>".to_owned() + &field(" REF a ", &run("inner"));
    let nested = mark("begin") + &condition + &mark("separate") + &run("yes") + &mark("end");
    let body = [
        runs(&(run("See ") + &field(" REF _Ref1 \\h ", &run("chapter 4")) + &run("."))),
        runs(&format!(
            r#"<w:fldSimple w:instr=" DATE ">{}</w:fldSimple>"#,
            run("1 May")
        )),
        runs(&nested),
        runs(&(run("Kept") + r#"<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:t>lost</w:t></w:r>"#)),
        runs(&run("A field that never ends hides only its own paragraph.")),
    ];
    assert_eq!(
        text_of(&body.concat()),
        "See chapter 4.\n\n1 May\n\nyes\n\nKept\n\nA field that never ends hides only its own paragraph."
    );
}

#[test]
fn a_table_of_contents_is_left_out_wherever_it_came_from() {
    let entry = |text: &str| {
        runs(&format!(
            r#"<w:hyperlink w:anchor="_Toc1">{}</w:hyperlink>"#,
            run(text)
        ))
    };
    let control = format!(
        r#"<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>"#,
        entry("Returns")
    );
    let open = r#"<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> TOC \o </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>Returns 12</w:t></w:r></w:p>"#;
    let body = [
        control,
        open.to_owned(),
        entry("Costs"),
        p("x", "The first sentence of the document."),
    ];
    assert_eq!(text_of(&body.concat()), "The first sentence of the document.");
}

#[test]
fn a_link_shows_where_it_leads_unless_its_text_does() {
    let link = |id: &str, text: &str| format!(r#"<w:hyperlink r:id="{id}">{}</w:hyperlink>"#, run(text));
    let body = [
        runs(
            &(run("Use ")
                + &link("a", "our ")
                + &link("a", "form")
                + &run(" or ")
                + &link("b", "help@shop.example")
                + &run(".")),
        ),
        runs(
            &(run("Or ") + &field(r#" HYPERLINK "https://shop.example/faq" "#, &run("read on")) + &run(".")),
        ),
    ];
    let relations = r#"<Relationships><Relationship Id="a" Type="http://t/hyperlink" Target="https://shop.example/form" TargetMode="External"/><Relationship Id="b" Type="http://t/hyperlink" Target="mailto:help@shop.example" TargetMode="External"/></Relationships>"#;
    let document = format!(
        r#"<w:document xmlns:w="w" xmlns:r="r"><w:body>{}</w:body></w:document>"#,
        body.concat()
    );
    let parts = [
        ("[Content_Types].xml", "wordprocessingml"),
        ("word/document.xml", &document),
        ("word/_rels/document.xml.rels", relations),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(
        read(&crate::fixtures::package(&parts), "a.docx").unwrap().text,
        "Use our form (https://shop.example/form) or help@shop.example.\n\nOr read on (https://shop.example/faq)."
    );
}

#[test]
fn tracked_changes_read_as_if_accepted() {
    let tracked = |name: &str, text: &str| format!("<w:{name}>{}</w:{name}>", run(text));
    let deleted_row = format!(
        "<w:tr><w:trPr><w:del/></w:trPr>{}{}</w:tr>",
        cell("gone", ""),
        cell("gone", "")
    );
    let kept_row = format!(
        "<w:tr>{}{}{}</w:tr>",
        cell("Battery", ""),
        cell("gone", "<w:cellDel/>"),
        cell("two years", "")
    );
    let body = [
        runs(
            &(run("Within ")
                + &tracked("del", "14")
                + &tracked("ins", "30")
                + &run(" days. ")
                + &tracked("moveFrom", "Old place.")),
        ),
        runs(&tracked("moveTo", "New place.")),
        runs(&(r"<w:pPr><w:rPr><w:del/></w:rPr></w:pPr>".to_owned() + &run("These were "))),
        runs(&run("two paragraphs.")),
        runs(&(r"<w:pPr><w:rPr><w:del/></w:rPr></w:pPr>".to_owned() + &tracked("del", "An empty one."))),
        format!("<w:tbl>{deleted_row}{kept_row}</w:tbl>"),
        runs(&format!(
            "<w:r><w:rPr><w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange></w:rPr><w:t>Was hidden.</w:t></w:r>{}",
            run("")
        )),
    ];
    assert_eq!(
        text_of(&body.concat()),
        "Within 30 days.\n\nNew place.\n\nThese were two paragraphs.\n\nBattery: two years\n\nWas hidden."
    );
}

#[test]
fn controls_symbols_ruby_and_breaks() {
    let control = |properties: &str, text: &str| {
        format!(
            "<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>",
            run(text)
        )
    };
    let body = [
        runs(
            &(run("Name: ")
                + &control("<w:text/>", "Ama Mensah")
                + &control("<w:showingPlcHdr/>", "Click here to enter text.")),
        ),
        runs(
            r#"<w:r><w:sym w:font="Wingdings" w:char="F0FE"/><w:t xml:space="preserve"> paid, </w:t><w:sym w:font="Symbol" w:char="F06D"/><w:t>m</w:t></w:r>"#,
        ),
        runs(
            "<w:r><w:ruby><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase></w:ruby></w:r>",
        ),
        runs(
            r#"<w:pPr><w:tabs><w:tab w:val="left" w:pos="720"/></w:tabs></w:pPr><w:r><w:t>Monday</w:t><w:tab/><w:t>9</w:t><w:noBreakHyphen/><w:t>17</w:t><w:br/><w:t>Sunday</w:t><w:tab/><w:t>closed</w:t></w:r>"#,
        ),
        runs(r#"<w:r><w:rPr><w:rFonts w:ascii="Symbol"/></w:rPr><w:t>&#xF057;</w:t></w:r>"#),
    ];
    assert_eq!(
        text_of(&body.concat()),
        "Name: Ama Mensah\n\n☑ paid, μm\n\n東京\n\nMonday 9-17\nSunday closed\n\nΩ"
    );
}

#[test]
fn formulas_are_written_on_one_line() {
    let t = |text: &str| format!("<m:r><m:t>{text}</m:t></m:r>");
    let body = format!(
        "<w:p><m:oMath>{}<m:f><m:num>{}</m:num><m:den>{}</m:den></m:f>{}<m:sSup><m:e>{}</m:e><m:sup>{}</m:sup></m:sSup><m:rad><m:deg/><m:e>{}</m:e></m:rad><m:d><m:dPr><m:begChr m:val=\"[\"/><m:endChr m:val=\"]\"/></m:dPr><m:e>{}</m:e></m:d></m:oMath></w:p>",
        t("r="),
        t("a+b"),
        t("2"),
        t("+"),
        t("x"),
        t("2"),
        t("y"),
        t("z")
    );
    assert_eq!(text_of(&body), "r=(a+b)/2+x^2√(y)[z]");
}

#[test]
fn hidden_text_is_left_out_with_a_warning_and_web_hidden_text_is_not_hidden() {
    let with = |properties: &str| runs(&format!("<w:r><w:rPr>{properties}</w:rPr><w:t>Text.</w:t></w:r>"));
    let styles = r#"<w:styles xmlns:w="w"><w:style w:styleId="H"><w:name w:val="Internal"/><w:rPr><w:vanish/></w:rPr></w:style></w:styles>"#;
    let read = |body: &str| {
        read(
            &docx(&(body.to_owned() + &p("x", "Seen.")), &[("styles.xml", styles)]),
            "a.docx",
        )
        .unwrap()
    };
    for hidden in [
        with("<w:vanish/>"),
        with(r#"<w:rStyle w:val="H"/>"#),
        p("H", "Text."),
    ] {
        let extraction = read(&hidden);
        assert_eq!(extraction.text, "Seen.", "{hidden}");
        assert_eq!(extraction.warnings[0].code, Code::HiddenText);
    }
    for shown in [with(r#"<w:vanish w:val="0"/>"#), with("<w:webHidden/>")] {
        let extraction = read(&shown);
        assert_eq!(extraction.text, "Text.\n\nSeen.", "{shown}");
        assert!(extraction.warnings.is_empty());
    }
}

#[test]
fn notes_follow_their_paragraph_or_their_table_under_the_mark_in_the_text() {
    let notes = |kind: &str| {
        let kind_end = format!("{kind}s");
        format!(
            r#"<w:{kind_end} xmlns:w="w"><w:{kind} w:id="0" w:type="separator">{}</w:{kind}><w:{kind} w:id="2">{}</w:{kind}></w:{kind_end}>"#,
            p("x", "---"),
            p("x", &format!("Text of the {kind}."))
        )
    };
    let reference = |kind: &str| format!(r#"<w:r><w:{kind}Reference w:id="2"/></w:r>"#);
    let price = format!("<w:tc><w:p>{}{}</w:p></w:tc>", run("49"), reference("endnote"));
    let body = [
        runs(&(run("Free delivery") + &reference("footnote") + &run(" everywhere."))),
        format!(
            "<w:tbl><w:tr>{}{}</w:tr><w:tr>{}{price}</w:tr></w:tbl>",
            cell("Item", ""),
            cell("Price", ""),
            cell("Chair", "")
        ),
        p("x", "The end."),
    ];
    let (at_foot, at_end) = (notes("footnote"), notes("endnote"));
    let parts = [
        ("footnotes.xml", at_foot.as_str()),
        ("endnotes.xml", at_end.as_str()),
        ("comments.xml", "<w:comments/>"),
    ];
    assert_eq!(
        read(&docx(&body.concat(), &parts), "a.docx").unwrap().text,
        "Free delivery[1] everywhere.\n\n[1] Text of the footnote.\n\nItem: Chair | Price: 49[2]\n\n[2] Text of the endnote.\n\nThe end."
    );
}
