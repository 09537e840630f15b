//! Tables of separated values.

use plumbline_ingest::Code::{
    BinaryFile, CellTruncated, EmptyFile, HeaderGuessed, NameMismatch, RaggedRow, TooManyColumns,
    UnclosedQuote,
};

use super::files::{cut, noise, utf_16};
use super::{Case, fails, reads};

pub(super) fn cases() -> Vec<Case> {
    let mut all = nothing();
    all.extend(quotes());
    all.extend(sizes());
    all.extend(shapes());
    all
}

/// A price list of this many rows.
fn prices(rows: usize) -> String {
    let row = |number: usize| format!("item {number},{number} cm,{number}.50\n");
    std::iter::once("name,size,price\n".to_owned())
        .chain((1..=rows).map(row))
        .collect()
}

fn nothing() -> Vec<Case> {
    vec![
        fails("an empty table", "empty.csv", &[EmptyFile], Vec::new),
        fails("delimiters only", "commas.csv", &[EmptyFile], || {
            b",,,,,\n".repeat(1_000)
        }),
        fails("quotes and delimiters only", "quotes.csv", &[EmptyFile], || {
            b"\"\",\"\",\"\"\n".repeat(1_000)
        }),
        fails("a header and no row", "header.csv", &[EmptyFile], || {
            b"name,size,price\n".to_vec()
        }),
        fails(
            "a separator line and nothing else",
            "sep.csv",
            &[EmptyFile],
            || b"sep=;\r\n".to_vec(),
        ),
        fails("random bytes named .csv", "noise.csv", &[BinaryFile], || {
            noise(20_000)
        }),
    ]
}

fn quotes() -> Vec<Case> {
    vec![
        reads(
            "a quote never closed, in the first row",
            "start.csv",
            "item 100",
            &[UnclosedQuote],
            || prices(100).replacen("item 1,", "\"item 1,", 1).into(),
        ),
        reads(
            "a quote never closed, in the middle",
            "middle.csv",
            "item 100",
            &[UnclosedQuote],
            || prices(100).replace("item 50,", "\"item 50,").into(),
        ),
        reads(
            "a quote never closed, in the last row",
            "end.csv",
            "item 100",
            &[UnclosedQuote],
            || prices(100).replace("item 100,", "\"item 100,").into(),
        ),
        reads(
            "a quote never closed, in the header",
            "header.csv",
            "item 100",
            &[UnclosedQuote],
            || prices(100).replacen("name,", "\"name,", 1).into(),
        ),
        reads(
            "quotes inside unquoted cells",
            "inches.csv",
            "19\" rack",
            &[],
            || b"name,price\n19\" rack,20\n24\" rack,30\n27\" screen,40\n".to_vec(),
        ),
        reads("quotes in every place", "wild.csv", "b", &[], || {
            b"name,note\n\"\"\"a\"\"\",\"b \"\"quoted\"\"\"\n\"c\",\"d\"\n\"\"\"\",e\n".to_vec()
        }),
        reads(
            "five megabytes of quotes",
            "flood.csv",
            "\"\"\"",
            &[NameMismatch],
            || b"\"".repeat(5 << 20),
        ),
        reads("ten thousand rows of quotes", "rows.csv", "name", &[], || {
            let row = "\"\"\"\"\"\",\"\"\"\"\n".repeat(10_000);
            format!("name,note\n{row}").into()
        }),
    ]
}

fn sizes() -> Vec<Case> {
    vec![
        reads(
            "a hundred thousand columns",
            "wide.csv",
            "Column 1000: 1",
            &[TooManyColumns, HeaderGuessed],
            || {
                let row = vec!["1"; 100_000].join(",");
                format!("{row}\n{row}\n{row}\n").into()
            },
        ),
        reads(
            "one row of a hundred thousand cells",
            "ragged.csv",
            "item 9",
            &[TooManyColumns, RaggedRow],
            || format!("{}{}\n", prices(20), vec!["x"; 100_000].join(",")).into(),
        ),
        reads(
            "a cell of ten megabytes",
            "cell.csv",
            "item 20",
            &[CellTruncated],
            || format!("{}long,{},1\n", prices(20), "word ".repeat(2_000_000)).into(),
        ),
        reads(
            "a column name of a megabyte",
            "name.csv",
            "item 20",
            &[HeaderGuessed, CellTruncated],
            || prices(20).replacen("size", &"size ".repeat(200_000), 1).into(),
        ),
        reads("a hundred thousand rows", "long.csv", "item 100000", &[], || {
            prices(100_000).into()
        }),
        reads(
            "a million blank lines between rows",
            "blank.csv",
            "item 20",
            &[],
            || prices(20).replacen('\n', &"\n".repeat(1_000_000), 1).into(),
        ),
        reads(
            "a quoted cell of fifty thousand lines",
            "tall.csv",
            "item 20",
            &[],
            || format!("{}\"tall{}\",1 cm,2\n", prices(20), "\nx".repeat(20_000)).into(),
        ),
    ]
}

fn shapes() -> Vec<Case> {
    vec![
        reads(
            "ragged rows",
            "ragged.csv",
            "Column 4: more",
            &[RaggedRow],
            || format!("{}x\nx,y,z,more\n", prices(10)).into(),
        ),
        reads(
            "every row of another length",
            "stairs.csv",
            "cell,cell,cell",
            &[NameMismatch],
            || {
                let row = |cells: usize| vec!["cell"; cells].join(",") + "\n";
                format!("a,b,c\n{}", (1..=30).map(row).collect::<String>()).into()
            },
        ),
        reads(
            "another delimiter on every line",
            "soup.csv",
            "chair",
            &[RaggedRow],
            || b"name,price\nchair;49\ntable\t99\nlamp|19\nsofa:499\n".to_vec(),
        ),
        reads("NUL bytes in cells", "nul.csv", "note: ab", &[], || {
            b"name,note\nfirst item,a\0b\nsecond item,more words in here\nthird item,even more words\n"
                .to_vec()
        }),
        reads(
            "formulas stay text",
            "formula.csv",
            "note: =cmd|'/c calc'!A1",
            &[],
            || b"name,note\nfirst,=cmd|'/c calc'!A1\nsecond,+1+1\nthird,@SUM(A1)\n".to_vec(),
        ),
        reads(
            "lone carriage returns",
            "mac.csv",
            "name: item 3 | size: 3 cm",
            &[],
            || prices(5).replace('\n', "\r").into(),
        ),
        reads(
            "a UTF-16 export",
            "utf16.csv",
            "name: item 3 | size: 3 cm",
            &[],
            || utf_16(&format!("\u{feff}{}", prices(5))),
        ),
        reads(
            "the same column name a hundred times",
            "twins.csv",
            "Column 100: x",
            &[HeaderGuessed],
            || format!("{}\n{}\n", vec!["name"; 100].join(","), vec!["x"; 100].join(",")).into(),
        ),
        reads(
            "a separator line that names a letter",
            "sep.csv",
            "item 3",
            &[],
            || format!("sep=\u{e9}\n{}", prices(5)).into(),
        ),
        reads(
            "a table cut at 10 %",
            "prices.csv",
            "item 1",
            &[RaggedRow],
            || cut(prices(500).as_bytes(), 10),
        ),
        reads(
            "a table cut at 60 %",
            "prices.csv",
            "item 100",
            &[RaggedRow],
            || cut(prices(500).as_bytes(), 60),
        ),
        reads(
            "a table cut at 95 %",
            "prices.csv",
            "item 400",
            &[RaggedRow],
            || cut(prices(500).as_bytes(), 95),
        ),
    ]
}
