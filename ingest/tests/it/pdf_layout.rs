//! PDF: layouts of many producers. Words, columns, tables and pages as a reader sees them, however
//! they are drawn.

use lopdf::content::Operation;
use lopdf::{Document, Object, Stream, dictionary};
use plumbline_ingest::{BlockKind, Extraction};

use crate::fixtures::{Draw, bold, document, draw, lines, pdf, read, save};

const PROSE: [&str; 8] = [
    "The guarantee begins with the day of the delivery",
    "and covers every part of the appliance that fails",
    "without fault of the owner during the first years.",
    "Whoever claims it shows the receipt and describes",
    "the fault to the workshop before the appliance is",
    "sent in, so that spare parts can be ordered early",
    "and the repair does not take longer than the five",
    "working days which the law of the country allows.",
];
const MORE: [&str; 8] = [
    "Repairs outside the guarantee are charged by hour",
    "and by the price of the parts that were replaced.",
    "An estimate is sent to the owner before the works",
    "begin; whoever refuses it pays the inspection and",
    "gets the appliance back as it was. Appliances are",
    "kept for ninety days, after which the shop may in",
    "writing set a last date and may then sell them to",
    "cover the costs of storage and of the inspection.",
];

/// Adds horizontal or vertical lines, from (x, y) to (x, y), to the first page.
fn with_rules(mut document: Document, rules: &[[f32; 4]]) -> Vec<u8> {
    let page = document.get_pages()[&1];
    let mut content = document.get_page_content(page);
    for [x0, y0, x1, y1] in rules {
        content.extend(format!("\n0.5 w {x0} {y0} m {x1} {y1} l S").into_bytes());
    }
    let stream = document.add_object(Stream::new(dictionary! {}, content));
    set(&mut document, "Contents", stream.into());
    save(document)
}

fn set(document: &mut Document, key: &str, value: Object) {
    let page = document.get_pages()[&1];
    document
        .get_object_mut(page)
        .unwrap()
        .as_dict_mut()
        .unwrap()
        .set(key, value);
}

/// Text in any script: every character is a code of a font that says what it means.
fn unicode_pdf(items: &[(f32, f32, &str)]) -> Vec<u8> {
    let mut document = document(&[vec![]], 0);
    let mut letters: Vec<String> = items
        .iter()
        .flat_map(|item| item.2.chars())
        .map(String::from)
        .collect();
    letters.sort();
    letters.dedup();
    let code = |letter: char| {
        letters
            .iter()
            .position(|known| known.starts_with(letter))
            .unwrap()
            + 33
    };
    let mut meanings = String::new();
    for (code, letter) in (33..).zip(&letters) {
        let units: Vec<String> = letter.encode_utf16().map(|unit| format!("{unit:04X}")).collect();
        meanings.push_str(&format!("<{code:02X}> <{}>\n", units.concat()));
    }
    let cmap = format!(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def 1 begincodespacerange <00> <FF> endcodespacerange {} beginbfchar\n{meanings}endbfchar endcmap end end",
        letters.len()
    );
    let cmap = document.add_object(Stream::new(dictionary! {}, cmap.into_bytes()));
    let widths: Vec<Object> = letters.iter().map(|_| 500.into()).collect();
    let font = document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "FirstChar" => 33,
        "LastChar" => i64::try_from(32 + letters.len()).unwrap(), "Widths" => widths, "ToUnicode" => cmap,
    });
    let mut content = String::new();
    for (x, y, text) in items {
        let codes: Vec<String> = text
            .chars()
            .map(|letter| format!("{:02X}", code(letter)))
            .collect();
        let codes = codes.concat();
        content.push_str(&format!("BT /F1 12 Tf 1 0 0 1 {x} {y} Tm <{codes}> Tj ET\n"));
    }
    let content = document.add_object(Stream::new(dictionary! {}, content.into_bytes()));
    set(&mut document, "Contents", content.into());
    let resources = document.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    set(&mut document, "Resources", resources.into());
    save(document)
}

fn rows(extraction: &Extraction) -> Vec<&str> {
    extraction
        .blocks
        .iter()
        .filter(|block| block.kind == BlockKind::TableRow)
        .map(|block| block.range.of(&extraction.text))
        .collect()
}

/// Cells at the given places, one row every `pitch` points.
fn grid(xs: &[f32], top: f32, pitch: f32, rows: &[&[&str]]) -> Vec<Draw> {
    let mut y = top;
    let mut out = Vec::new();
    for row in rows {
        out.extend(
            xs.iter()
                .zip(*row)
                .filter(|(_, cell)| !cell.is_empty())
                .map(|(x, cell)| draw(*x, y, 10.0, cell)),
        );
        y -= pitch;
    }
    out
}

#[test]
fn a_line_across_two_columns_parts_them() {
    let page = [
        vec![bold(
            50.0,
            780.0,
            18.0,
            "Repairs and guarantees, all in one place",
        )],
        lines(50.0, 750.0, 10.0, &PROSE),
        lines(310.0, 750.0, 10.0, &MORE),
        vec![bold(
            50.0,
            630.0,
            14.0,
            "What else the workshop does for its customers in the region",
        )],
        lines(50.0, 610.0, 10.0, &MORE[..5]),
        lines(310.0, 610.0, 10.0, &PROSE[..5]),
    ]
    .concat();
    let text = read(&pdf(&[page], 0), "a.pdf").unwrap().text;
    let order = [
        "The guarantee begins",
        "law of the country",
        "Repairs outside",
        "cover the costs",
        "What else the workshop",
    ];
    let places: Vec<usize> = order.iter().map(|phrase| text.find(phrase).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    assert!(
        text.contains("gets the appliance back as it was. Appliances are\n\nThe guarantee begins"),
        "{text}"
    );
}

#[test]
fn three_columns_with_a_table_in_one_of_them() {
    // Broken like a typesetter does: as many words as fit.
    let narrow = |texts: &[&str]| -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in texts.iter().flat_map(|text| text.split(' ')) {
            match lines.last_mut() {
                Some(line) if line.len() + word.len() < 34 => line.push_str(&format!(" {word}")),
                _ => lines.push(word.to_owned()),
            }
        }
        lines.iter().map(|line| line.trim().to_owned()).collect()
    };
    let (first, third) = (narrow(&PROSE), narrow(&MORE));
    let column = |x: f32, texts: &[String]| -> Vec<Draw> {
        lines(
            x,
            750.0,
            8.0,
            &texts.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    let mut page = [column(40.0, &first), column(220.0, &third), column(400.0, &first)].concat();
    page.extend(grid(
        &[40.0, 120.0],
        560.0,
        12.0,
        &[
            &["Part", "Price"],
            &["Pump", "12.50"],
            &["Hose", "3.00"],
            &["Filter", "8.25"],
        ],
    ));
    let extraction = read(&pdf(&[page], 0), "a.pdf").unwrap();
    assert!(
        extraction
            .text
            .contains("the day of the delivery and covers every part"),
        "{}",
        extraction.text
    );
    assert!(
        extraction
            .text
            .contains("charged by hour and by the price of the parts"),
        "{}",
        extraction.text
    );
    assert_eq!(
        rows(&extraction),
        ["Part | Price", "Pump | 12.50", "Hose | 3.00", "Filter | 8.25"]
    );
}

#[test]
fn a_table_of_questions_and_answers_is_not_two_columns() {
    let mut page = vec![bold(60.0, 780.0, 16.0, "Questions")];
    let mut y = 740.0;
    for number in 0..4 {
        page.extend(lines(
            60.0,
            y,
            10.0,
            &[&format!("How long does repair {number}"), "take at the shop?"],
        ));
        page.extend(lines(
            220.0,
            y,
            10.0,
            &[
                "The workshop needs five working days from the day on which",
                "the spare parts have arrived, and tells the owner by message",
                &format!("when repair {number} is done."),
            ],
        ));
        y -= 55.0;
    }
    let extraction = read(&pdf(&[page], 0), "a.pdf").unwrap();
    assert_eq!(rows(&extraction).len(), 4, "{}", extraction.text);
    assert_eq!(
        rows(&extraction)[2],
        "How long does repair 2 take at the shop? | The workshop needs five working days from the day on which the spare parts have arrived, and tells the owner by message when repair 2 is done."
    );
}

#[test]
fn drawn_cells_decide_where_a_row_ends() {
    // The cells of each row are set to the middle, so no two of them share a baseline.
    let mut page = Vec::new();
    let mut rules = Vec::new();
    for (row, (code, fee)) in [("A1", "12.00"), ("B2", "7.50"), ("C3", "30.00")]
        .iter()
        .enumerate()
    {
        let top = [740.0, 690.0, 640.0][row];
        page.push(draw(55.0, top - 23.0, 10.0, code));
        page.extend(lines(
            125.0,
            top - 11.0,
            10.0,
            &[
                "Inspection of the panel, the",
                "battery and all the cables in",
                &format!("house number {row}"),
            ],
        ));
        page.push(draw(305.0, top - 23.0, 10.0, fee));
        rules.push([50.0, top, 360.0, top]);
    }
    rules.push([50.0, 590.0, 360.0, 590.0]);
    rules.extend([50.0, 120.0, 300.0, 360.0].map(|x| [x, 590.0, x, 740.0]));
    let extraction = read(&with_rules(document(&[page], 0), &rules), "a.pdf").unwrap();
    assert_eq!(
        rows(&extraction),
        [
            "A1 | Inspection of the panel, the battery and all the cables in house number 0 | 12.00",
            "B2 | Inspection of the panel, the battery and all the cables in house number 1 | 7.50",
            "C3 | Inspection of the panel, the battery and all the cables in house number 2 | 30.00",
        ]
    );
}

#[test]
fn a_cell_over_several_columns_names_each_of_them() {
    let mut page = grid(
        &[60.0, 160.0, 240.0],
        700.0,
        20.0,
        &[
            &["", "", ""],
            &["", "", ""],
            &["K1", "20", "4"],
            &["K2", "40", "9"],
        ],
    );
    page.extend([
        bold(60.0, 700.0, 10.0, "Model"),
        bold(160.0, 700.0, 10.0, "Indoors"),
    ]);
    page.extend([
        bold(160.0, 680.0, 10.0, "Watts"),
        bold(240.0, 680.0, 10.0, "Hours"),
    ]);
    let mut rules: Vec<[f32; 4]> = [715.0, 675.0, 655.0, 635.0].map(|y| [50.0, y, 300.0, y]).to_vec();
    rules.push([150.0, 695.0, 300.0, 695.0]);
    rules.extend([50.0, 150.0, 300.0].map(|x| [x, 635.0, x, 715.0]));
    rules.push([230.0, 635.0, 230.0, 695.0]);
    let extraction = read(&with_rules(document(&[page], 0), &rules), "a.pdf").unwrap();
    assert_eq!(rows(&extraction).last(), Some(&"K2 | 40 | 9"));
    let path = &extraction.blocks.last().unwrap().heading_path;
    assert_eq!(
        path.last().unwrap(),
        "Model | Indoors Watts | Indoors Hours",
        "{}",
        extraction.text
    );
}

#[test]
fn an_empty_cell_does_not_move_the_others_under_a_wrong_name() {
    let page = grid(
        &[60.0, 160.0, 260.0],
        700.0,
        16.0,
        &[
            &["Stop", "Bus 1", "Bus 2"],
            &["Harbour", "05:40", "06:10"],
            &["Market", "", "06:25"],
            &["Station", "06:05", "06:40"],
        ],
    );
    let page: Vec<Draw> = page
        .into_iter()
        .enumerate()
        .map(|(index, item)| Draw {
            bold: index < 3,
            ..item
        })
        .collect();
    let extraction = read(&pdf(&[page], 0), "a.pdf").unwrap();
    assert_eq!(rows(&extraction)[2], "Stop: Market | Bus 2: 06:25");
}

#[test]
fn a_table_goes_on_under_its_names_on_the_next_page() {
    let xs = [60.0, 160.0, 300.0];
    let first = [
        vec![
            bold(60.0, 760.0, 10.0, "Code"),
            bold(160.0, 760.0, 10.0, "Part"),
            bold(300.0, 760.0, 10.0, "Price"),
        ],
        grid(
            &xs,
            744.0,
            16.0,
            &[
                &["P1", "Pump", "12.00"],
                &["P2", "Hose", "3.00"],
                &["P3", "Lid", "1.50"],
            ],
        ),
    ]
    .concat();
    let second = grid(
        &xs,
        760.0,
        16.0,
        &[
            &["P4", "Belt", "4.00"],
            &["P5", "Lamp", "9.00"],
            &["P6", "Plug", "2.00"],
        ],
    );
    let extraction = read(&pdf(&[first, second], 0), "a.pdf").unwrap();
    let last = extraction.blocks.last().unwrap();
    assert_eq!(
        (last.page, last.heading_path.last().unwrap().as_str()),
        (Some(2), "Code | Part | Price")
    );
}

#[test]
fn the_names_of_a_table_on_every_page_are_no_page_header() {
    let pages: Vec<Vec<Draw>> = (0..4)
        .map(|page| {
            let title = ["Pumps", "Hoses", "Belts", "Lamps"][page];
            let mut draws = vec![bold(60.0, 790.0, 16.0, title)];
            draws.extend(grid(
                &[60.0, 160.0, 300.0],
                760.0,
                16.0,
                &[
                    &["Code", "Part", "Price"],
                    &[&format!("{title} 1"), "small", "12.00"],
                    &[&format!("{title} 2"), "large", "14.00"],
                ],
            ));
            draws.push(draw(500.0, 30.0, 8.0, &format!("{}", page + 1)));
            draws
        })
        .collect();
    let extraction = read(&pdf(&pages, 0), "a.pdf").unwrap();
    assert_eq!(
        extraction.text.matches("Code | Part | Price").count(),
        4,
        "{}",
        extraction.text
    );
    assert!(
        !extraction.text.contains("\n\n2\n\n") && !extraction.text.ends_with('4'),
        "{}",
        extraction.text
    );
}

#[test]
fn alternating_headers_with_page_numbers_and_dates_disappear() {
    let pages: Vec<Vec<Draw>> = (1..=6)
        .map(|page| {
            let (x, name) = if page % 2 == 0 {
                (50.0, "Staff handbook")
            } else {
                (430.0, "Terms of work")
            };
            let mut draws = vec![draw(x, 812.0, 8.0, &format!("{name} {page}"))];
            draws.push(draw(
                50.0,
                24.0,
                8.0,
                &format!("printed 1{page}.03.2026 - page {page} of 6"),
            ));
            draws.extend(lines(
                50.0,
                760.0 - 13.0 * f32::from(u8::try_from(page).unwrap()),
                10.0,
                &PROSE[..4],
            ));
            draws
        })
        .collect();
    let text = read(&pdf(&pages, 0), "a.pdf").unwrap().text;
    for gone in ["Staff handbook", "Terms of work", "printed"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
}

#[test]
fn letters_drawn_in_any_order_are_the_words_of_the_page() {
    let mut letters: Vec<Draw> = Vec::new();
    for (line, y) in [("Replace the filter", 700.0), ("every six months", 686.0)] {
        for (index, letter) in line.chars().enumerate().filter(|(_, letter)| *letter != ' ') {
            let x = 60.0 + 6.0 * f32::from(u8::try_from(index).unwrap());
            letters.push(Draw {
                text: letter.to_string(),
                ..draw(x, y, 10.0, "")
            });
        }
    }
    // Courier's letters would be 6 points wide; Helvetica's are up to that.
    letters.sort_by(|a, b| a.text.cmp(&b.text).then(b.x.total_cmp(&a.x)));
    let text = read(&pdf(&[letters], 0), "a.pdf").unwrap().text.replace(' ', "");
    assert_eq!(text, "Replacethefiltereverysixmonths");
}

#[test]
fn words_placed_without_spaces_and_text_drawn_twice() {
    let mut page = vec![
        draw(60.0, 700.0, 10.0, "Opening"),
        draw(102.0, 700.0, 10.0, "hours"),
        draw(131.0, 700.0, 10.0, "of"),
        draw(143.0, 700.0, 10.0, "shops"),
    ];
    page.extend(page.clone().into_iter().map(|item| Draw {
        x: item.x + 0.3,
        ..item
    }));
    assert_eq!(
        read(&pdf(&[page], 0), "a.pdf").unwrap().text,
        "Opening hours of shops"
    );
}

#[test]
fn a_drop_capital_belongs_to_its_word() {
    let mut page = vec![draw(60.0, 676.0, 36.0, "W")];
    page.extend(lines(
        96.0,
        700.0,
        10.0,
        &[
            "hoever buys a lamp in one of our",
            "shops may bring it back within a",
        ],
    ));
    page.extend(lines(
        60.0,
        675.0,
        10.0,
        &["month, as long as it was not used out of doors."],
    ));
    let text = read(&pdf(&[page], 0), "a.pdf").unwrap().text;
    assert!(
        text.starts_with("Whoever buys a lamp in one of our shops may"),
        "{text}"
    );
}

#[test]
fn hebrew_reads_from_right_to_left_whichever_way_it_was_drawn() {
    // Two words and a number, drawn as they look: letters and words from left to right.
    let drawn = [
        (200.0, 700.0, "םולש"),
        (170.0, 700.0, "תיב"),
        (140.0, 700.0, "123"),
    ];
    let text = read(&unicode_pdf(&drawn), "a.pdf").unwrap().text;
    assert_eq!(text, "שלום בית 123");
    let cells = [
        (300.0, 700.0, "םש"),
        (100.0, 700.0, "ריחמ"),
        (300.0, 680.0, "הרונמ"),
        (100.0, 680.0, "50"),
        (300.0, 660.0, "ןחלוש"),
        (100.0, 660.0, "70"),
    ];
    let extraction = read(&unicode_pdf(&cells), "a.pdf").unwrap();
    assert_eq!(rows(&extraction)[1..], ["מנורה | 50", "שולחן | 70"]);
}

#[test]
fn chinese_lines_join_without_a_space_and_emoji_survive() {
    let drawn = [
        (60.0, 700.0, "保修期从交货之日起计算并且包"),
        (60.0, 685.0, "括所有零件😀"),
    ];
    let text = read(&unicode_pdf(&drawn), "a.pdf").unwrap().text;
    assert_eq!(text, "保修期从交货之日起计算并且包括所有零件😀");
}

#[test]
fn an_arabic_lam_alef_is_two_letters() {
    let text = read(&unicode_pdf(&[(100.0, 700.0, "\u{FEFB}")]), "a.pdf")
        .unwrap()
        .text;
    assert!(
        text.contains('\u{FEFB}') || text.contains("لا") || text.contains("ال"),
        "{text}"
    );
}

#[test]
fn ligatures_are_letters_and_unknown_signs_are_reported() {
    let text = read(
        &unicode_pdf(&[(60.0, 700.0, "e\u{FB03}cient \u{FB02}ow")]),
        "a.pdf",
    )
    .unwrap()
    .text;
    assert_eq!(text, "efficient flow");
    let garbled = read(
        &unicode_pdf(&[(60.0, 700.0, "\u{E001}\u{E002}\u{E003}abcdef")]),
        "a.pdf",
    )
    .unwrap();
    assert!(garbled.pages[0].private_use_share > 0.3);
    assert_eq!(garbled.warnings[0].code, plumbline_ingest::Code::GarbledText);
}

#[test]
fn page_boxes_may_begin_anywhere_and_pages_may_stand_on_their_head() {
    let page = lines(60.0, 740.0, 10.0, &PROSE);
    let upright = read(&pdf(std::slice::from_ref(&page), 0), "a.pdf").unwrap().text;
    let mut moved = document(
        &[page
            .iter()
            .map(|item| Draw {
                x: item.x - 700.0,
                y: item.y + 2000.0,
                ..item.clone()
            })
            .collect()],
        0,
    );
    set(
        &mut moved,
        "MediaBox",
        vec![(-700).into(), 2000.into(), (-105).into(), 2842.into()].into(),
    );
    assert_eq!(read(&save(moved), "a.pdf").unwrap().text, upright);
    for turn in [180, 270] {
        let mut turned = document(std::slice::from_ref(&page), 0);
        let page_id = turned.get_pages()[&1];
        let mut content = turned.get_and_decode_page_content(page_id).unwrap();
        let matrix: [i64; 6] = if turn == 180 {
            [-1, 0, 0, -1, 595, 842]
        } else {
            [0, -1, 1, 0, 0, 595]
        };
        content.operations.insert(
            0,
            Operation::new("cm", matrix.iter().map(|value| (*value).into()).collect()),
        );
        let stream = turned.add_object(Stream::new(dictionary! {}, content.encode().unwrap()));
        set(&mut turned, "Contents", stream.into());
        set(&mut turned, "Rotate", turn.into());
        if turn == 270 {
            let wide: Vec<Object> = vec![0.into(), 0.into(), 842.into(), 595.into()];
            set(&mut turned, "MediaBox", wide.into());
        }
        assert_eq!(
            read(&save(turned), "a.pdf").unwrap().text,
            upright,
            "turned by {turn}"
        );
    }
}
