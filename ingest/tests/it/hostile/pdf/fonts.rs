//! Fonts that do not say what they write, and passengers that must not get off.

use plumbline_ingest::Code::{GarbledFile, NoText};

use super::OPEN;
use super::raw::{NINE, Raw, stream};
use crate::hostile::{Case, fails, reads};

pub(super) fn cases() -> Vec<Case> {
    let mut all = fonts();
    all.extend(passengers());
    all
}

fn composite(to_unicode: &str, more: Vec<Vec<u8>>) -> Raw {
    let font = format!(
        "<< /Type /Font /Subtype /Type0 /BaseFont /Nameless /Encoding /Identity-H /DescendantFonts [6 0 R] {to_unicode} >>"
    );
    let mut all = vec![b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Nameless /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 600 >>".to_vec()];
    all.extend(more);
    let text: String = (0x21..0x60).map(|code| format!("{code:04X}")).collect();
    Raw {
        font,
        more: all,
        ..Raw::with_content(format!("BT /F1 12 Tf 40 700 Td <{text}> Tj ET"))
    }
}

fn mapping(rules: &str) -> Vec<u8> {
    let map = format!(
        "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange {rules} endcmap end"
    );
    stream("", map.as_bytes())
}

fn fonts() -> Vec<Case> {
    vec![
        reads(
            "a font of letters by number only",
            "font.pdf",
            "ABCDEF",
            &[],
            || composite("", vec![]).build(),
        ),
        fails("a font of nameless letters", "nameless.pdf", &[NoText], || {
            let names: String = (65..91).map(|number| format!("/g{number} ")).collect();
            let font = format!(
                "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /FirstChar 65 /LastChar 90 /Encoding << /Differences [65 {names}] >> /CharProcs << >> >>"
            );
            Raw {
                font,
                ..Raw::with_content("BT /F1 12 Tf 72 700 Td (SHOPSOPENATNINE) Tj ET")
            }
            .build()
        }),
        fails("a font of private letters", "private.pdf", &[GarbledFile], || {
            composite(
                "/ToUnicode 7 0 R",
                vec![mapping("1 beginbfrange <0000> <FFFF> <E000> endbfrange")],
            )
            .build()
        }),
        reads(
            "a letter that means a thousand letters",
            "expand.pdf",
            "AAAA",
            &[],
            || {
                let long = "0041".repeat(1_000);
                composite(
                    "/ToUnicode 7 0 R",
                    vec![mapping(&format!(
                        "1 beginbfrange <0000> <FFFF> <{long}> endbfrange"
                    ))],
                )
                .build()
            },
        ),
        reads(
            "a font whose letters are half surrogates",
            "half.pdf",
            OPEN,
            &[],
            || {
                let composite = composite(
                    "/ToUnicode 7 0 R",
                    vec![mapping("1 beginbfrange <0000> <FFFF> <D800> endbfrange")],
                );
                let mut more = composite.more;
                more.push(composite.font.into_bytes());
                Raw {
                    fonts: "/F2 8 0 R".to_owned(),
                    more,
                    ..Raw::with_content(format!("{NINE} BT /F2 12 Tf 72 600 Td <00210022> Tj ET"))
                }
                .build()
            },
        ),
        reads(
            "a font that is its own descendant",
            "descendant.pdf",
            OPEN,
            &[],
            || {
                Raw {
                fonts: "/F2 6 0 R".to_owned(),
                more: vec![b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding 6 0 R /DescendantFonts [6 0 R] /ToUnicode 6 0 R >>".to_vec()],
                ..Raw::with_content(format!("{NINE} BT /F2 12 Tf 72 600 Td (loop) Tj ET"))
            }
            .build()
            },
        ),
    ]
}

fn passengers() -> Vec<Case> {
    vec![
        reads("scripts and programs to start", "actions.pdf", OPEN, &[], || {
            let catalog = "/OpenAction << /S /JavaScript /JS (while\\(true\\){}) >> /AA << /WC << /S /Launch /F (/bin/sh) >> >> /URI << /Base (http://127.0.0.1/) >>";
            Raw::with_catalog(catalog, &[]).build()
        }),
        reads(
            "an embedded file is not read",
            "attachment.pdf",
            OPEN,
            &[],
            || {
                let files = "/Names << /EmbeddedFiles << /Names [(a.txt) 6 0 R] >> >>";
                let mut raw =
                    Raw::with_catalog(files, &["<< /Type /Filespec /F (a.txt) /EF << /F 7 0 R >> >>"]);
                raw.more.push(stream("/Type /EmbeddedFile", b"secret passenger"));
                raw.build()
            },
        ),
        reads("a PDF inside a PDF", "nested.pdf", OPEN, &[], || {
            let inner = Raw::with_content(NINE.replace("nine", "midnight")).build();
            let mut raw = Raw::with_catalog(
                "/Names << /EmbeddedFiles << /Names [(in.pdf) 6 0 R] >> >>",
                &["<< /Type /Filespec /F (in.pdf) /EF << /F 7 0 R >> >>"],
            );
            raw.more.push(stream("/Type /EmbeddedFile", &inner));
            raw.build()
        }),
        reads("a picture of the network", "remote.pdf", OPEN, &[], || {
            Raw {
                resources: "/XObject << /X 6 0 R >>".to_owned(),
                more: vec![stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /FFilter /FlateDecode /F << /FS /URL /F (http://127.0.0.1:1/x) >>", b"")],
                ..Raw::with_content(format!("{NINE} /X Do"))
            }
            .build()
        }),
    ]
}
