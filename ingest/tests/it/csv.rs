//! CSV end to end: dialects, headers, broken quotes, remarks, and tables without words.

use plumbline_ingest::{BlockKind, Code, Extraction, Format};

use crate::fixtures::read;

fn table(source: &str) -> Extraction {
    let extraction = read(source.as_bytes(), "a.csv").unwrap();
    assert_eq!(extraction.format, Format::Csv, "{source}");
    extraction
}

fn codes(extraction: &Extraction) -> Vec<Code> {
    extraction.warnings.iter().map(|warning| warning.code).collect()
}

#[test]
fn decimal_commas_do_not_hide_the_semicolons() {
    for source in [
        "Artikel;Preis;Gewicht\nStuhl;49,90;4,5\nTisch;199,00;22,1\n",
        "\"sep=;\"\nArtikel;Preis;Gewicht\nStuhl;49,90;4,5\nTisch;199,00;22,1\n",
        "SEP=;\r\nArtikel;Preis;Gewicht\r\nStuhl;49,90;4,5\r\nTisch;199,00;22,1\r\n",
    ] {
        assert_eq!(
            table(source).text,
            "Artikel: Stuhl | Preis: 49,90 | Gewicht: 4,5\nArtikel: Tisch | Preis: 199,00 | Gewicht: 22,1"
        );
    }
    assert!(
        table("1,5;2,5\n3,5;4,5\n5,5;6,5\n7,5;8,5\n")
            .text
            .starts_with("Column 1: 1,5 | Column 2: 2,5")
    );
}

#[test]
fn tabs_in_a_file_named_csv_and_commas_in_a_file_named_tsv() {
    assert_eq!(
        table("a b\tc\nx, y\tz\nu, v\tw\n").text,
        "a b: x, y | c: z\na b: u, v | c: w"
    );
    let extraction = read(b"name,price\nchair,49\ntable,99\n", "a.tsv").unwrap();
    assert_eq!(
        extraction.text,
        "name: chair | price: 49\nname: table | price: 99"
    );
}

#[test]
fn every_column_has_one_name() {
    let extraction = table("Item,Price,Price,\nChair,49,45,red\nTable,199,180,oak\n");
    assert_eq!(
        extraction.text,
        "Item: Chair | Price: 49 | Price (2): 45 | Column 4: red\nItem: Table | Price: 199 | Price (2): 180 | Column 4: oak"
    );
    assert_eq!(codes(&extraction), []);
}

#[test]
fn units_and_two_header_rows_become_part_of_the_names() {
    assert_eq!(
        table("Panel,Power,Weight\n-,W,kg\nP400,400,21.5\nP450,450,22.9\n").text,
        "Panel: P400 | Power (W): 400 | Weight (kg): 21.5\nPanel: P450 | Power (W): 450 | Weight (kg): 22.9"
    );
    assert_eq!(
        table(",2025,,2026,\nShop,Q1,Q2,Q1,Q2\nAccra,10,11,12,13\nTema,20,21,22,23\n").text,
        "Shop: Accra | 2025 Q1: 10 | 2025 Q2: 11 | 2026 Q1: 12 | 2026 Q2: 13\nShop: Tema | 2025 Q1: 20 | 2025 Q2: 21 | 2026 Q1: 22 | 2026 Q2: 23"
    );
}

#[test]
fn what_stands_above_and_among_the_rows_is_text() {
    let source = "Price list 2026,,,,\nValid from,1 May,,,\n# internal\n\nItem,Size,Colour,Price,Stock\nChairs,,,,\nOslo,M,red,49,3\nBergen,L,blue,59,4\nTotal,,,108,7\nAll prices include tax,,,,\n";
    let extraction = table(source);
    assert_eq!(
        extraction.text,
        "Price list 2026\n\nValid from 1 May\n\ninternal\n\nChairs\nItem: Oslo | Size: M | Colour: red | Price: 49 | Stock: 3\nItem: Bergen | Size: L | Colour: blue | Price: 59 | Stock: 4\nItem: Total | Price: 108 | Stock: 7\nAll prices include tax"
    );
    assert_eq!((extraction.rows, codes(&extraction)), (Some(5), vec![]));
    assert_eq!(extraction.blocks[3].kind, BlockKind::TableRow);
}

#[test]
fn a_stray_quote_is_a_warning_about_its_row_and_the_rest_keeps_its_quotes() {
    let mut source = String::from("code,name,note\n");
    for row in 1..=300 {
        source.push_str(&match row {
            20 => "20,\"Hose 5 m,new\n".to_owned(),
            21 => "21,\"Hose, short\",\"two\nlines\"\n".to_owned(),
            150 => "150,\"the \"good\" one\",ok\n".to_owned(),
            300 => "300,last,\"open".to_owned(),
            _ => format!("{row},\"Item, number {row}\",fine\n"),
        });
    }
    let extraction = table(&source);
    assert_eq!(extraction.rows, Some(300));
    for line in [
        "code: 20 | name: Hose 5 m | note: new",
        "code: 21 | name: Hose, short | note: two lines",
        "code: 150 | name: the \"good\" one | note: ok",
        "code: 299 | name: Item, number 299 | note: fine",
        "code: 300 | name: last | note: open",
    ] {
        assert!(extraction.text.lines().any(|known| known == line), "{line}");
    }
    let stray: Vec<_> = extraction.warnings.iter().map(|w| (w.code, w.row)).collect();
    assert_eq!(
        stray,
        [(Code::UnclosedQuote, Some(20)), (Code::UnclosedQuote, Some(300))]
    );
}

#[test]
fn cells_of_several_paragraphs_are_believed() {
    let letter = (0..40)
        .map(|i| format!("Line {i} of the letter, with a comma.\n"))
        .collect::<Vec<_>>()
        .concat();
    let extraction = table(&format!(
        "id,subject,body\n1,Hello,\"{letter}\"\n2,Bye,\"short\"\n3,See you,\"x\"\n"
    ));
    assert_eq!((extraction.rows, codes(&extraction)), (Some(3), vec![]));
    assert!(extraction.text.contains("Line 39 of the letter, with a comma."));
}

#[test]
fn escaped_quotes_of_a_database_dump_are_quotes() {
    assert_eq!(
        table("id,text\n1,\"say \\\"hi\\\" now\"\n2,\"and \\\"bye\\\" then\"\n").text,
        "id: 1 | text: say \"hi\" now\nid: 2 | text: and \"bye\" then"
    );
}

#[test]
fn a_table_without_words_is_named_and_one_with_words_is_not() {
    let numbers = (0..200)
        .map(|i| format!("2026-01-{:02},{i}.5,AX-{i},EUR\n", i % 28 + 1))
        .collect::<Vec<_>>()
        .concat();
    let extraction = table(&format!("date,amount,reference,currency\n{numbers}"));
    assert_eq!(codes(&extraction), [Code::NumericTable]);
    let words = (0..200)
        .map(|i| format!("{i},Garden chair\n"))
        .collect::<Vec<_>>()
        .concat();
    assert_eq!(codes(&table(&format!("code,name\n{words}"))), []);
    let few = (0..20)
        .map(|i| format!("{i},{i}.5\n"))
        .collect::<Vec<_>>()
        .concat();
    assert_eq!(codes(&table(&format!("size,length\n{few}"))), []);
}

#[test]
fn a_thousand_columns_and_a_long_table_keep_every_value() {
    let names: Vec<String> = (0..1_000).map(|i| format!("field {i}")).collect();
    let values: Vec<String> = (0..1_000).map(|i| format!("word{i}")).collect();
    let extraction = table(&format!("{}\n{}\n", names.join(","), values.join(",")));
    assert!(
        extraction
            .text
            .ends_with("field 998: word998 | field 999: word999")
    );
    let rows = (0..20_000)
        .map(|i| format!("{i},item number {i},\"a, b\"\n"))
        .collect::<Vec<_>>()
        .concat();
    let extraction = table(&format!("code,name,note\n{rows}"));
    assert_eq!(extraction.rows, Some(20_000));
    assert!(
        extraction
            .text
            .ends_with("code: 19999 | name: item number 19999 | note: a, b")
    );
}

#[test]
fn nul_bytes_formulas_and_line_breaks_in_cells_are_harmless() {
    let extraction =
        table("name,note\nfirst thing,a\0b\nsecond thing,=SUM(A1:A9)\nthird thing,\"x\r\n\ty\"\n");
    assert_eq!(
        extraction.text,
        "name: first thing | note: ab\nname: second thing | note: =SUM(A1:A9)\nname: third thing | note: x y"
    );
}
