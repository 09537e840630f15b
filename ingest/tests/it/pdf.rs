//! PDF: reading order, tables, furniture, rotation, hyphens, headings.

use plumbline_ingest::{BlockKind, Code, Limits, extract};

use crate::fixtures::{bold, document, draw, lines, locked_pdf, outline, pdf, read, save, scanned_pdf};

const LEFT: [&str; 6] = [
    "The left column begins the story of the",
    "workshop and goes on for several lines",
    "so that it clearly reads as running text",
    "in a narrow column of a leaflet, and it",
    "ends in the middle of a sentence that is",
    "continued at the top of the second",
];
const RIGHT: [&str; 6] = [
    "column, where the reader expects to find",
    "the rest of it. The right column has text",
    "of the same kind and the same width, as",
    "columns in leaflets do. It explains how",
    "to reach the workshop by bus and when",
    "the workshop is open to visitors.",
];

#[test]
fn columns_are_read_one_after_the_other_however_they_are_drawn() {
    let left = lines(50.0, 700.0, 10.0, &LEFT);
    let right = lines(310.0, 700.0, 10.0, &RIGHT);
    let title = draw(
        50.0,
        760.0,
        20.0,
        "A leaflet with a title across both of its columns",
    );
    let column_wise: Vec<_> = [vec![title.clone()], left.clone(), right.clone()].concat();
    let line_wise: Vec<_> = std::iter::once(title)
        .chain(
            left.into_iter()
                .zip(right)
                .flat_map(|(left, right)| [left, right]),
        )
        .collect();
    for page in [column_wise, line_wise] {
        let extraction = read(&pdf(&[page], 0), "a.pdf").unwrap();
        assert!(
            extraction
                .text
                .contains("continued at the top of the second column, where the reader"),
            "{}",
            extraction.text
        );
        assert_eq!(
            extraction.title.as_deref(),
            Some("A leaflet with a title across both of its columns")
        );
    }
}

#[test]
fn a_table_drawn_column_by_column_comes_out_row_by_row() {
    let columns: [(f32, [&str; 5]); 3] = [
        (60.0, ["Product", "Chair", "Table", "Lamp", "Desk"]),
        (220.0, ["Colour", "red", "oak", "black", "white"]),
        (380.0, ["Price", "49.00", "199.00", "19.50", "310.00"]),
    ];
    let mut page = vec![bold(60.0, 760.0, 16.0, "Prices")];
    for (x, cells) in columns {
        page.extend(
            cells
                .iter()
                .zip(0_u8..)
                .map(|(cell, row)| draw(x, 700.0 - 18.0 * f32::from(row), 10.0, cell)),
        );
    }
    let extraction = read(&pdf(&[page], 0), "a.pdf").unwrap();
    assert_eq!(
        extraction.text,
        "Prices\n\nProduct | Colour | Price\nChair | red | 49.00\nTable | oak | 199.00\nLamp | black | 19.50\nDesk | white | 310.00"
    );
    let row = &extraction.blocks[2];
    assert_eq!(row.kind, BlockKind::TableRow);
    assert_eq!(row.heading_path, ["Prices", "Product | Colour | Price"]);
}

#[test]
fn wrapped_cells_stay_in_their_row() {
    let mut page = Vec::new();
    let rows = [
        ("F1", "Voltage too low", "Charge the battery and"),
        ("F2", "Fan blocked", "Remove the dust"),
        ("F3", "Lid open", "Close the lid and check"),
    ];
    for ((code, cause, remedy), row) in rows.iter().zip(0_u8..) {
        let y = 700.0 - 34.0 * f32::from(row);
        page.extend([
            draw(60.0, y, 10.0, code),
            draw(120.0, y, 10.0, cause),
            draw(260.0, y, 10.0, remedy),
        ]);
        page.push(draw(260.0, y - 12.0, 10.0, "wait for ten minutes"));
    }
    let extraction = read(&pdf(&[page], 0), "a.pdf").unwrap();
    assert!(
        extraction
            .text
            .contains("F1 | Voltage too low | Charge the battery and wait for ten minutes\n"),
        "{}",
        extraction.text
    );
    assert_eq!(extraction.blocks.len(), 3);
}

#[test]
fn headers_footers_and_page_numbers_disappear_but_no_page_becomes_empty() {
    let pages: Vec<_> = (1..=5)
        .map(|number| {
            let mut page = vec![
                draw(50.0, 810.0, 9.0, "Tamarind user manual"),
                draw(270.0, 30.0, 9.0, &format!("Page {number} of 5")),
            ];
            if number < 5 {
                page.push(draw(
                    50.0,
                    700.0,
                    11.0,
                    &format!(
                        "{} chapter, number {number}.",
                        ["First", "Second", "Third", "Fourth"][number - 1]
                    ),
                ));
            }
            page
        })
        .collect();
    let extraction = read(&pdf(&pages, 0), "a.pdf").unwrap();
    assert!(!extraction.text.contains("Page 2 of 5"), "{}", extraction.text);
    assert_eq!(
        extraction.text.matches("Tamarind user manual").count(),
        1,
        "only on the page that has nothing else"
    );
    assert_eq!(extraction.pages.len(), 5);
    assert!(extraction.text.contains("Fourth chapter"));
}

#[test]
fn a_rotated_page_is_read_upright() {
    let page = [
        vec![bold(60.0, 780.0, 18.0, "Landscape")],
        lines(60.0, 740.0, 10.0, &LEFT),
    ]
    .concat();
    let upright = read(&pdf(std::slice::from_ref(&page), 0), "a.pdf").unwrap();
    let rotated = read(&pdf(&[page], 90), "a.pdf").unwrap();
    assert_eq!(rotated.text, upright.text);
    assert!(
        rotated
            .text
            .contains("begins the story of the workshop and goes on")
    );
}

#[test]
fn words_split_at_line_ends_are_whole_and_lists_are_items() {
    let mut page = lines(
        60.0,
        740.0,
        10.0,
        &[
            "The guarantee covers the instal-",
            "lation of the panel and the battery.",
        ],
    );
    page.extend(lines(
        60.0,
        690.0,
        10.0,
        &[
            "\u{2022} Bring the receipt to the shop, where the tech-",
            "nician looks at it.",
            "\u{2022} Wait for the message.",
        ],
    ));
    let extraction = read(&pdf(&[page], 0), "a.pdf").unwrap();
    assert!(
        extraction.text.contains("the installation of the panel"),
        "{}",
        extraction.text
    );
    assert!(
        extraction.text.contains(
            "\u{2022} Bring the receipt to the shop, where the technician looks at it.\n\u{2022} Wait"
        ),
        "{}",
        extraction.text
    );
}

#[test]
fn locked_scanned_empty_and_broken_files_say_what_is_wrong() {
    assert_eq!(read(&locked_pdf(), "a.pdf").unwrap_err().code, Code::Encrypted);
    let scanned = read(&scanned_pdf(), "a.pdf").unwrap_err();
    assert_eq!(scanned.code, Code::NoText);
    assert!(
        scanned.message.contains("page 1 looks scanned"),
        "{}",
        scanned.message
    );
    assert_eq!(read(&pdf(&[vec![]], 0), "a.pdf").unwrap_err().code, Code::NoText);
    let whole = pdf(&[lines(60.0, 740.0, 10.0, &LEFT)], 0);
    assert_eq!(
        read(&whole[..whole.len() / 3], "a.pdf").unwrap_err().code,
        Code::DamagedPdf
    );
    assert_eq!(
        read(b"%PDF-1.7\n%%EOF", "a.pdf").unwrap_err().code,
        Code::DamagedPdf
    );
}

#[test]
fn a_page_without_text_among_others_is_a_warning() {
    let extraction = read(&pdf(&[lines(60.0, 740.0, 10.0, &LEFT), vec![]], 0), "a.pdf").unwrap();
    assert_eq!(extraction.warnings[0].code, Code::PageWithoutText);
    assert_eq!(extraction.warnings[0].page, Some(2));
    assert!(extraction.pages[1].range.is_empty());
}

#[test]
fn junk_before_the_header_is_legal() {
    let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n".to_vec();
    bytes.extend(pdf(&[lines(60.0, 740.0, 10.0, &LEFT)], 0));
    assert!(read(&bytes, "a.pdf").unwrap().text.contains("left column"));
}

#[test]
fn a_manual_page_as_blocks() {
    let mut page = vec![
        bold(60.0, 790.0, 20.0, "CoolBox manual"),
        bold(60.0, 750.0, 13.0, "1. Setting up"),
    ];
    page.extend(lines(
        60.0,
        730.0,
        10.0,
        &[
            "Stand the appliance upright for six hours before you",
            "switch it on. The oil must flow back.",
        ],
    ));
    page.extend(lines(
        60.0,
        700.0,
        10.0,
        &["1. Choose a place in the shade.", "2. Connect the cable."],
    ));
    page.push(bold(60.0, 650.0, 13.0, "2. Faults"));
    let rows = [
        ("Code", "Cause"),
        ("F1", "12 V too low"),
        ("F2", "Fan 1 blocked"),
        ("F3", "40 degrees exceeded"),
    ];
    for ((left, right), row) in rows.iter().zip(0_u8..) {
        let y = 630.0 - 16.0 * f32::from(row);
        page.extend([draw(60.0, y, 10.0, left), draw(140.0, y, 10.0, right)]);
    }
    insta::assert_snapshot!(outline(&read(&pdf(&[page], 0), "manual.pdf").unwrap()));
}

#[test]
fn absurd_structures_end_in_text_or_in_the_catalogue() {
    let page = lines(60.0, 740.0, 10.0, &LEFT);
    let mut cyclic = document(std::slice::from_ref(&page), 0);
    let catalog = cyclic.trailer.get(b"Root").unwrap().as_reference().unwrap();
    let tree = cyclic
        .get_dictionary(catalog)
        .unwrap()
        .get(b"Pages")
        .unwrap()
        .as_reference()
        .unwrap();
    cyclic
        .get_object_mut(tree)
        .unwrap()
        .as_dict_mut()
        .unwrap()
        .set("Kids", vec![lopdf::Object::from(tree)]);
    assert!(read(&save(cyclic), "a.pdf").is_err());

    let mut endless = document(std::slice::from_ref(&page), 0);
    endless
        .get_object_mut(tree)
        .unwrap()
        .as_dict_mut()
        .unwrap()
        .set("Count", i64::from(i32::MAX));
    let limits = Limits {
        max_pages: 20,
        ..Limits::default()
    };
    let extraction = extract(&save(endless), "a.pdf", &limits).unwrap();
    assert!(extraction.text.contains("left column") && extraction.pages.len() <= 20);

    let limits = Limits {
        max_pages: 2,
        ..Limits::default()
    };
    let extraction = extract(
        &pdf(&[page.clone(), page.clone(), page.clone()], 0),
        "a.pdf",
        &limits,
    )
    .unwrap();
    assert_eq!(
        (extraction.pages.len(), extraction.warnings[0].code),
        (2, Code::TruncatedPages)
    );

    let whole = pdf(&[page], 0);
    let text = String::from_utf8_lossy(&whole).into_owned();
    let without_table = text.replace("startxref", "startxxxx");
    if let Err(error) = read(without_table.as_bytes(), "a.pdf") {
        assert_eq!(error.code, Code::DamagedPdf);
    }
}
