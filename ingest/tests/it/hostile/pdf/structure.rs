//! Files that are cut off, tables that point nowhere, page trees that loop, numbers that lie.

use plumbline_ingest::Code::{DamagedPdf, NoText, PageWithoutText, Repaired, TruncatedPages};

use super::OPEN;
use super::raw::{NINE, Raw, lying_stream, stream, table};
use crate::hostile::files::{cut, noise};
use crate::hostile::{Case, fails, reads};

/// What is left of a manual that was cut off.
const FIRST_PAGE: &str = "Page 1 of the manual says when shops open.";

pub(super) fn cases() -> Vec<Case> {
    let mut all = cut_off();
    all.extend(cross_references());
    all.extend(page_trees());
    all.extend(lengths_and_numbers());
    all.extend(boxes());
    all
}

fn plain() -> Vec<u8> {
    Raw::default().build()
}

fn manual() -> Vec<u8> {
    let page = |number: usize| {
        crate::fixtures::lines(
            60.0,
            700.0,
            11.0,
            &[&format!("Page {number} of the manual says when shops open.")],
        )
    };
    crate::fixtures::pdf(&(1..=30).map(page).collect::<Vec<_>>(), 0)
}

fn cut_off() -> Vec<Case> {
    vec![
        reads("a plain file made by hand", "plain.pdf", OPEN, &[], plain),
        fails("the first line only", "head.pdf", &[DamagedPdf], || {
            b"%PDF-1.7\n".to_vec()
        }),
        fails(
            "the first line and random bytes",
            "noise.pdf",
            &[DamagedPdf],
            || [&b"%PDF-1.7\n"[..], &noise(50_000)].concat(),
        ),
        reads(
            "a file cut at 10 %",
            "manual.pdf",
            FIRST_PAGE,
            &[Repaired],
            || cut(&manual(), 10),
        ),
        reads(
            "a file cut at 60 %",
            "manual.pdf",
            FIRST_PAGE,
            &[PageWithoutText, Repaired],
            || cut(&manual(), 60),
        ),
        reads(
            "a file cut at 95 %",
            "manual.pdf",
            FIRST_PAGE,
            &[Repaired],
            || cut(&manual(), 95),
        ),
        reads(
            "a file whose second half is zeros",
            "zeros.pdf",
            FIRST_PAGE,
            &[Repaired],
            || {
                let whole = manual();
                let half = whole.len() / 2;
                [&whole[..half], &vec![0; half]].concat()
            },
        ),
        reads(
            "junk before the first line and after the last",
            "junk.pdf",
            OPEN,
            &[],
            || [&b"junk ".repeat(200)[..], &plain(), &noise(20_000)].concat(),
        ),
    ]
}

fn cross_references() -> Vec<Case> {
    vec![
        reads(
            "a cross-reference table that points nowhere",
            "xref.pdf",
            OPEN,
            &[],
            || {
                let (mut out, offsets) = Raw::default().body();
                let start = out.len();
                out.extend(table(
                    &offsets.iter().map(|offset| offset + 7).collect::<Vec<_>>(),
                    "",
                ));
                out.extend(format!("startxref\n{start}\n%%EOF\n").bytes());
                out
            },
        ),
        reads("no cross-reference table", "none.pdf", OPEN, &[], || {
            [
                &Raw::default().body().0[..],
                b"trailer\n<< /Size 6 /Root 1 0 R >>\n%%EOF\n",
            ]
            .concat()
        }),
        reads(
            "a start of the table beyond the file",
            "start.pdf",
            OPEN,
            &[],
            || {
                let file = String::from_utf8(plain()).unwrap();
                let (head, _) = file.split_once("startxref").unwrap();
                format!("{head}startxref\n99999999999\n%%EOF\n").into()
            },
        ),
        reads(
            "a table whose previous table is itself",
            "loop.pdf",
            OPEN,
            &[],
            || {
                let start = Raw::default().body().0.len();
                Raw {
                    trailer: format!("/Prev {start}"),
                    ..Raw::default()
                }
                .build()
            },
        ),
        reads(
            "two tables that are each other's previous",
            "pair.pdf",
            OPEN,
            &[],
            || {
                let (mut out, offsets) = Raw::default().body();
                let first = out.len();
                let length = table(&offsets, &format!("/Prev {first:010}")).len();
                let second = first + length;
                out.extend(table(&offsets, &format!("/Prev {second:010}")));
                out.extend(table(&offsets, &format!("/Prev {first:010}")));
                out.extend(format!("startxref\n{second}\n%%EOF\n").bytes());
                out
            },
        ),
        reads(
            "a table of two thousand million entries",
            "size.pdf",
            OPEN,
            &[],
            || {
                let file = String::from_utf8(plain()).unwrap();
                file.replace("xref\n0 6", "xref\n0 2147483647")
                    .replace("/Size 6", "/Size 2147483647")
                    .into()
            },
        ),
        fails(
            "a cross-reference stream that lies about everything",
            "stream.pdf",
            &[DamagedPdf],
            || {
                let entries =
                    "/Type /XRef /Size 2147483647 /W [8 8 8] /Index [0 2147483647] /Root 1 0 R /Prev 9";
                let mut out = b"%PDF-1.7\n1 0 obj\n".to_vec();
                out.extend(stream(entries, &noise(100)));
                out.extend(b"\nendobj\nstartxref\n9\n%%EOF\n");
                out
            },
        ),
        fails(
            "object streams that extend themselves",
            "objects.pdf",
            &[DamagedPdf],
            || {
                let mut out = b"%PDF-1.7\n1 0 obj\n".to_vec();
                out.extend(stream(
                    "/Type /ObjStm /N 2147483647 /First 99999999 /Extends 1 0 R",
                    b"2 0 3 0",
                ));
                out.extend(b"\nendobj\ntrailer\n<< /Size 9 /Root 2 0 R >>\n%%EOF\n");
                out
            },
        ),
    ]
}

fn page_trees() -> Vec<Case> {
    vec![
        reads("a page tree that contains itself", "tree.pdf", OPEN, &[], || {
            Raw::with_tree("/Kids [3 0 R 2 0 R] /Count 1", &[]).build()
        }),
        fails(
            "a page tree of loops only",
            "loops.pdf",
            &[DamagedPdf, NoText],
            || {
                Raw::with_tree(
                    "/Kids [6 0 R] /Count 3",
                    &["<< /Type /Pages /Kids [2 0 R 6 0 R] /Parent 6 0 R /Count 3 >>"],
                )
                .build()
            },
        ),
        reads(
            "a count of two thousand million pages",
            "count.pdf",
            OPEN,
            &[],
            || Raw::with_tree("/Kids [3 0 R] /Count 2147483647", &[]).build(),
        ),
        reads("a negative count of pages", "count.pdf", OPEN, &[], || {
            Raw::with_tree("/Kids [3 0 R] /Count -5", &[]).build()
        }),
        reads("a count of no pages", "count.pdf", OPEN, &[], || {
            Raw::with_tree("/Kids [3 0 R] /Count 0", &[]).build()
        }),
        fails("no pages at all", "pages.pdf", &[DamagedPdf], || {
            Raw::with_tree("/Kids [] /Count 0", &[]).build()
        }),
        fails(
            "a page that is the catalog",
            "kids.pdf",
            &[DamagedPdf, NoText],
            || Raw::with_tree("/Kids [1 0 R] /Count 1", &[]).build(),
        ),
        reads("the same page a thousand times", "same.pdf", OPEN, &[], || {
            Raw::with_tree(&format!("/Kids [{}] /Count 1000", "3 0 R ".repeat(1_000)), &[]).build()
        }),
        reads("a tree three hundred nodes deep", "deep.pdf", OPEN, &[], || {
            let node = |number: usize| format!("<< /Type /Pages /Count 1 /Kids [{number} 0 R] >>");
            let mut more: Vec<String> = (7..306).map(node).collect();
            more.push("<< /Type /Pages /Count 1 /Kids [3 0 R] >>".to_owned());
            let more: Vec<&str> = more.iter().map(String::as_str).collect();
            Raw::with_tree("/Kids [6 0 R] /Count 1", &more).build()
        }),
        reads(
            "a page that inherits from itself",
            "parent.pdf",
            OPEN,
            &[],
            || Raw::with_page("/Parent 3 0 R").build(),
        ),
        fails(
            "five thousand and one empty pages",
            "empty.pdf",
            &[NoText],
            || pages(5_001, "0 0 m"),
        ),
        reads(
            "five thousand and one pages",
            "pages.pdf",
            OPEN,
            &[TruncatedPages],
            || pages(5_001, NINE),
        ),
    ]
}

fn pages(count: usize, content: &str) -> Vec<u8> {
    let kids: String = (6..6 + count).map(|number| format!("{number} 0 R ")).collect();
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>";
    let more = vec![page.as_bytes().to_vec(); count];
    let tree = format!("/Kids [{kids}] /Count {count}");
    Raw {
        tree,
        more,
        ..Raw::with_content(content)
    }
    .build()
}

fn lengths_and_numbers() -> Vec<Case> {
    fn length(value: &str) -> Vec<u8> {
        Raw {
            content: lying_stream("", value, NINE.as_bytes()),
            ..Raw::default()
        }
        .build()
    }
    vec![
        reads("a stream of negative length", "length.pdf", OPEN, &[], || {
            length("-1")
        }),
        reads(
            "a stream that says it is longer than the file",
            "length.pdf",
            OPEN,
            &[],
            || length("2147483647"),
        ),
        reads(
            "a stream whose length is a huge number",
            "length.pdf",
            OPEN,
            &[],
            || length("99999999999999999999"),
        ),
        reads("a stream that says it is empty", "length.pdf", OPEN, &[], || {
            length("0")
        }),
        reads("a stream whose length is itself", "length.pdf", OPEN, &[], || {
            length("4 0 R")
        }),
        reads("absurd object numbers", "numbers.pdf", OPEN, &[], || {
            let catalog = "/Names 4294967295 0 R /Outlines 999999999999 99999 R /AcroForm -3 0 R";
            Raw::with_catalog(catalog, &[]).build()
        }),
        reads(
            "an unknown filter before the text",
            "filter.pdf",
            OPEN,
            &[],
            || {
                let broken = stream("/Filter /NoSuchDecode", NINE.as_bytes());
                let page =
                    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R >>".to_vec();
                Raw {
                    tree: "/Kids [3 0 R 7 0 R] /Count 2".to_owned(),
                    more: vec![broken, page],
                    ..Raw::default()
                }
                .build()
            },
        ),
        fails(
            "text squeezed by a hundred filters",
            "filters.pdf",
            &[NoText, DamagedPdf],
            || {
                let filters = format!("/Filter [{}]", "/FlateDecode ".repeat(100));
                Raw {
                    content: stream(&filters, &noise(2_000)),
                    ..Raw::default()
                }
                .build()
            },
        ),
        reads("numbers no machine can hold", "floats.pdf", OPEN, &[], || {
            Raw::with_content(
                format!("{} 0 0 1e999 0 0 cm\n1 0 0 1 0 0 cm {NINE}", "9".repeat(400))
                    .replacen("cm", "xx", 1),
            )
            .build()
        }),
    ]
}

fn boxes() -> Vec<Case> {
    vec![
        reads("a page larger than the universe", "box.pdf", OPEN, &[], || {
            Raw::with_page("/MediaBox [0 0 1e38 1e38]").build()
        }),
        reads("a page of huge digits", "box.pdf", OPEN, &[], || {
            Raw::with_page(&format!("/MediaBox [0 0 {0} {0}]", "9".repeat(60))).build()
        }),
        reads("a page of two hundred inches", "box.pdf", OPEN, &[], || {
            Raw::with_page("/MediaBox [0 0 14400 14400]").build()
        }),
        reads("a page without size", "box.pdf", OPEN, &[], || {
            Raw::with_page("/MediaBox [0 0 0 0]").build()
        }),
        reads("a page turned inside out", "box.pdf", OPEN, &[], || {
            Raw::with_page("/MediaBox [595 842 0 0]").build()
        }),
        reads("no page box", "box.pdf", OPEN, &[], || Raw::with_page("").build()),
        reads("an absurd unit and rotation", "box.pdf", OPEN, &[], || {
            Raw::with_page("/MediaBox [0 0 595 842] /UserUnit 1000000000 /Rotate 2147483647").build()
        }),
        reads("letters of absurd size and place", "size.pdf", OPEN, &[], || {
            let content = format!(
                "{NINE} BT /F1 100000000 Tf 1 0 0 1 3e37 -3e37 Tm (far) Tj /F1 0 Tf (none) Tj /F1 -12 Tf (minus) Tj ET"
            );
            Raw::with_content(content).build()
        }),
        reads("a text matrix of zeros", "matrix.pdf", OPEN, &[], || {
            Raw::with_content(format!("{NINE} BT /F1 12 Tf 0 0 0 0 72 600 Tm (flat) Tj ET")).build()
        }),
    ]
}
