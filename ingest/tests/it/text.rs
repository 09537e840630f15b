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

fn blocks(source: &str, name: &str) -> Vec<String> {
    let extraction = read(source.as_bytes(), name).unwrap();
    let texts = extraction
        .blocks
        .iter()
        .map(|block| block.range.of(&extraction.text).to_owned());
    texts.collect()
}

#[test]
fn wrapped_items_html_and_references_in_markdown() {
    let source = "# Shop\n\n<!-- a note\nto ourselves -->\n- one item that\n  is wrapped\n- <b>two</b>\n\n  with a paragraph\n\nRead [the terms][1] at <https://shop.example/t> if 3 < 4 &amp; 5 > 4.<br>Done.\n\n[1]: https://shop.example/terms\n";
    assert_eq!(
        blocks(source, "a.md"),
        [
            "Shop",
            "- one item that is wrapped",
            "- two",
            "with a paragraph",
            "Read the terms at https://shop.example/t if 3 < 4 & 5 > 4. Done.",
            "[1]: https://shop.example/terms",
        ]
    );
}

#[test]
fn wrapped_lines_are_joined_and_drawn_tables_are_not() {
    let source = "The guarantee covers the installation of the panel and of the bat-\ntery for two years from the day on which it was delivered to your\nhouse.\n\nItem                 Size                 Price                 Stock\nGarden chair         medium               49.00                 twelve\nGarden table         large                199.00                three\n\u{0C}Next page.\n";
    let found = blocks(source, "a.txt");
    assert_eq!(
        found[0],
        "The guarantee covers the installation of the panel and of the battery for two years from the day on which it was delivered to your house."
    );
    assert_eq!(found[1].lines().count(), 3, "{}", found[1]);
    assert_eq!(found[2], "Next page.");
}

#[test]
fn the_encodings_of_the_world_are_read() {
    let texts = [
        (
            encoding_rs::EUC_JP,
            "配送には三日から五日かかります。返品は三十日以内に受け付けます。",
        ),
        (
            encoding_rs::GBK,
            "退货请在七天内联系客服，并保留原包装。运费由买家承担，退款将在五个工作日内到账。",
        ),
        (
            encoding_rs::BIG5,
            "退貨請於七天內聯絡客服，並保留原包裝。運費由買家負擔，退款將於五個工作天內入帳。",
        ),
        (
            encoding_rs::EUC_KR,
            "반품은 칠일 이내에 고객센터로 연락해 주세요. 배송비는 고객이 부담합니다.",
        ),
        (
            encoding_rs::KOI8_R,
            "Возврат товара возможен в течение семи дней после получения заказа.",
        ),
        (
            encoding_rs::WINDOWS_1251,
            "Возврат товара возможен в течение семи дней после получения заказа.",
        ),
        (
            encoding_rs::WINDOWS_1253,
            "Η επιστροφή των προϊόντων γίνεται μέσα σε δεκατέσσερις ημέρες.",
        ),
        (
            encoding_rs::WINDOWS_1254,
            "Ürünler on dört gün içinde iade edilebilir, kargo ücretsizdir.",
        ),
        (
            encoding_rs::WINDOWS_1250,
            "Zboží můžete vrátit do čtrnácti dnů, poštovné hradí zákazník.",
        ),
    ];
    for (encoding, text) in texts {
        let bytes = encoding.encode(text).0;
        assert_eq!(read(&bytes, "a.txt").unwrap().text, text, "{}", encoding.name());
    }
    let mut wide = vec![0, 0, 0xFE, 0xFF];
    wide.extend("año 👍".chars().flat_map(|c| u32::from(c).to_be_bytes()));
    assert_eq!(read(&wide, "a.txt").unwrap().text, "año 👍");
}
