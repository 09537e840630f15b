//! Content that explodes, draws itself or never ends.

use plumbline_ingest::Code::{HiddenText, MemoryLimit, NoText, Timeout};

use super::OPEN;
use super::raw::{NINE, Raw, stream};
use crate::hostile::files::{blanks, noise};
use crate::hostile::{Case, fails, reads};

pub(super) fn cases() -> Vec<Case> {
    let mut all = bombs();
    all.extend(loops());
    all.extend(depth_and_mass());
    all
}

fn zlib_blanks(length: usize) -> Vec<u8> {
    [&b"\x78\x9C"[..], &blanks(length), &[0; 4]].concat()
}

fn bombs() -> Vec<Case> {
    vec![
        fails(
            "a content stream that inflates to a gigabyte",
            "bomb.pdf",
            &[MemoryLimit, NoText, Timeout],
            || {
                Raw {
                    content: stream("/Filter /FlateDecode", &zlib_blanks(1 << 30)),
                    ..Raw::default()
                }
                .build()
            },
        ),
        reads(
            "a picture that inflates to a gigabyte beside the text",
            "picture.pdf",
            OPEN,
            &[],
            || {
                let picture = "/Type /XObject /Subtype /Image /Width 32000 /Height 32000 /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode";
                Raw {
                    resources: "/XObject << /Im 6 0 R >>".to_owned(),
                    more: vec![stream(picture, &zlib_blanks(1 << 30))],
                    ..Raw::with_content(format!("{NINE} q 100 0 0 100 0 0 cm /Im Do Q"))
                }
                .build()
            },
        ),
        reads("pictures of broken data", "pictures.pdf", OPEN, &[], || {
            let broken = |filter: &str| {
                let entries = format!(
                    "/Type /XObject /Subtype /Image /Width 2147483647 /Height 2147483647 /ColorSpace /DeviceRGB /BitsPerComponent 16 /Filter /{filter}"
                );
                stream(&entries, &noise(500))
            };
            Raw {
                resources: "/XObject << /A 6 0 R /B 7 0 R /C 8 0 R >>".to_owned(),
                more: ["DCTDecode", "JPXDecode", "JBIG2Decode"].map(broken).to_vec(),
                ..Raw::with_content(format!(
                    "{NINE} /A Do /B Do /C Do BI /W 9999999 /H 9999999 /BPC 8 /CS /G ID xyz"
                ))
            }
            .build()
        }),
        reads(
            "one stream a hundred thousand times in a page",
            "contents.pdf",
            OPEN,
            &[],
            || {
                let contents = format!(
                    "/MediaBox [0 0 595 842] /Contents [4 0 R {}]",
                    "6 0 R ".repeat(100_000)
                );
                Raw {
                    more: vec![stream("", b"q Q")],
                    ..Raw::with_page(&contents)
                }
                .build()
            },
        ),
    ]
}

fn form(content: &str, resources: &str) -> Vec<u8> {
    let entries = format!(
        "/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> {resources} >>"
    );
    stream(&entries, content.as_bytes())
}

fn loops() -> Vec<Case> {
    vec![
        reads("a form that draws itself", "form.pdf", OPEN, &[], || {
            Raw {
                resources: "/XObject << /X 6 0 R >>".to_owned(),
                more: vec![form("/X Do", "/XObject << /X 6 0 R >>")],
                ..Raw::with_content(format!("{NINE} /X Do"))
            }
            .build()
        }),
        fails(
            "two forms that draw each other",
            "forms.pdf",
            &[MemoryLimit, Timeout],
            || {
                Raw {
                    resources: "/XObject << /X 6 0 R >>".to_owned(),
                    more: vec![
                        form("/X Do /X Do", "/XObject << /X 7 0 R >>"),
                        form("/X Do /X Do", "/XObject << /X 6 0 R >>"),
                    ],
                    ..Raw::with_content(format!("{NINE} /X Do"))
                }
                .build()
            },
        ),
        fails(
            "forms that double thirty times",
            "doubling.pdf",
            &[Timeout, MemoryLimit],
            || {
                let level = |number: usize| form("/X Do /X Do", &format!("/XObject << /X {number} 0 R >>"));
                let mut more: Vec<Vec<u8>> = (7..36).map(level).collect();
                more.push(form("BT /F1 12 Tf (x) Tj ET", ""));
                Raw {
                    resources: "/XObject << /X 6 0 R >>".to_owned(),
                    more,
                    ..Raw::with_content("/X Do")
                }
                .build()
            },
        ),
        reads("a pattern painted with itself", "pattern.pdf", OPEN, &[], || {
            let entries = "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.0001 /YStep 0.0001 /Resources << /Pattern << /P 6 0 R >> >>";
            Raw {
                resources: "/Pattern << /P 6 0 R >>".to_owned(),
                more: vec![stream(entries, b"/Pattern cs /P scn 0 0 1 1 re f")],
                ..Raw::with_content(format!("{NINE} /Pattern cs /P scn 0 0 595 842 re f"))
            }
            .build()
        }),
        reads(
            "a font whose letters are written in itself",
            "type3.pdf",
            OPEN,
            &[],
            || {
                let font = b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /FirstChar 65 /LastChar 65 /Widths [1] /Encoding << /Differences [65 /A] >> /CharProcs << /A 7 0 R >> /Resources << /Font << /T 6 0 R >> >> >>";
                Raw {
                    more: vec![
                        font.to_vec(),
                        stream("", b"1 0 0 0 1 1 d1 BT /T 1 Tf (AAAA) Tj ET"),
                    ],
                    fonts: "/T 6 0 R".to_owned(),
                    ..Raw::with_content(format!("{NINE} BT /T 12 Tf 72 600 Td (A) Tj ET"))
                }
                .build()
            },
        ),
        reads(
            "bookmarks and names that run in circles",
            "outline.pdf",
            OPEN,
            &[],
            || {
                let catalog =
                    "/Outlines 6 0 R /Names << /Dests 7 0 R /EmbeddedFiles 7 0 R >> /StructTreeRoot 6 0 R";
                Raw::with_catalog(
                    catalog,
                    &[
                        "<< /First 6 0 R /Last 6 0 R /Next 6 0 R /Parent 6 0 R /K 6 0 R /Title (loop) >>",
                        "<< /Kids [7 0 R 7 0 R] >>",
                    ],
                )
                .build()
            },
        ),
        reads(
            "an object that is a reference to itself",
            "self.pdf",
            OPEN,
            &[],
            || Raw::with_catalog("/Lang 6 0 R /Metadata 6 0 R", &["6 0 R"]).build(),
        ),
    ]
}

fn depth_and_mass() -> Vec<Case> {
    vec![
        reads(
            "arrays a hundred thousand deep, in the content",
            "arrays.pdf",
            OPEN,
            &[],
            || Raw::with_content(format!("{NINE} {} TJ", "[".repeat(100_000))).build(),
        ),
        reads(
            "arrays a hundred thousand deep, in an object",
            "arrays.pdf",
            OPEN,
            &[],
            || {
                Raw::with_catalog(
                    "/Deep 6 0 R",
                    &[&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))],
                )
                .build()
            },
        ),
        reads("dictionaries fifty thousand deep", "dicts.pdf", OPEN, &[], || {
            Raw::with_catalog(
                "/Deep 6 0 R",
                &[&format!("{}1{}", "<< /A ".repeat(50_000), " >>".repeat(50_000))],
            )
            .build()
        }),
        reads(
            "brackets a million deep in a string",
            "strings.pdf",
            OPEN,
            // most of the line is beyond the edge of the page
            &[HiddenText],
            || {
                Raw::with_content(format!(
                    "{NINE} BT /F1 12 Tf {}{} Tj ET",
                    "(".repeat(1_000_000),
                    ")".repeat(1_000_000)
                ))
                .build()
            },
        ),
        reads("a million operators", "operators.pdf", OPEN, &[], || {
            Raw::with_content(format!("{}{NINE}", "q Q ".repeat(500_000))).build()
        }),
        reads(
            "a million saved states, none restored",
            "states.pdf",
            OPEN,
            &[],
            || Raw::with_content(format!("{}{NINE}", "q ".repeat(1_000_000))).build(),
        ),
        reads(
            "a page of seven hundred thousand letters",
            "letters.pdf",
            "nine. Shops",
            &[],
            || {
                let line = |number: usize| {
                    let text = "Shops open at nine. ".repeat(30);
                    format!("1 0 0 1 {} {} Tm ({text}) Tj ", number % 7, 840 - number % 840)
                };
                let text: String = (0..1_200).map(line).collect();
                Raw::with_content(format!("BT /F1 1 Tf {text} ET")).build()
            },
        ),
        reads(
            "a hundred thousand times the same words on one spot",
            "spot.pdf",
            OPEN,
            &[],
            || {
                let text = "(Shops open at nine and close at five.) Tj 0 0 Td ".repeat(100_000);
                Raw::with_content(format!("BT /F1 12 Tf 72 700 Td {text} ET")).build()
            },
        ),
        reads("a title of a megabyte", "title.pdf", OPEN, &[], || {
            let info = format!("<< /Title ({}) >>", "long title ".repeat(100_000));
            Raw {
                trailer: "/Info 6 0 R".to_owned(),
                more: vec![info.into_bytes()],
                ..Raw::default()
            }
            .build()
        }),
    ]
}
