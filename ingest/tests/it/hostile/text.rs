//! Plain text and Markdown.

use plumbline_ingest::Code::{
    BinaryFile, DecodingErrors, EmptyFile, GuessedEncoding, NameMismatch, TruncatedText, Unsupported,
};

use super::files::{cut, noise, utf_16};
use super::{Case, fails, reads};

pub(super) fn cases() -> Vec<Case> {
    let mut all = nothing();
    all.extend(encodings());
    all.extend(invisible());
    all.extend(shapes());
    all.extend(markdown());
    all
}

fn nothing() -> Vec<Case> {
    vec![
        fails("an empty file", "empty.txt", &[EmptyFile], Vec::new),
        fails("white space only", "blank.txt", &[EmptyFile], || {
            b" \r\n\t\x0c\n ".repeat(500)
        }),
        fails("no-break and wide spaces only", "blank.txt", &[EmptyFile], || {
            "\u{a0}\u{3000}\u{2003}\n".repeat(50).into()
        }),
        fails("a UTF-8 byte order mark only", "bom.txt", &[EmptyFile], || {
            b"\xEF\xBB\xBF".to_vec()
        }),
        fails("a UTF-16 byte order mark only", "bom.txt", &[EmptyFile], || {
            b"\xFF\xFE".to_vec()
        }),
        fails("NUL bytes only", "zeros.txt", &[EmptyFile], || vec![0; 100_000]),
        fails(
            "zero-width characters only",
            "invisible.txt",
            &[EmptyFile],
            || "\u{200b}\u{feff}\u{2060}".repeat(20_000).into(),
        ),
        fails("direction marks only", "invisible.txt", &[EmptyFile], || {
            "\u{202e}\u{2066}\u{200f}".repeat(500).into()
        }),
        fails(
            "invisible tag characters only",
            "invisible.md",
            &[EmptyFile],
            || "\u{e0041}\u{e0042}".repeat(500).into(),
        ),
    ]
}

fn encodings() -> Vec<Case> {
    vec![
        reads(
            "NUL bytes inside a text",
            "nul.txt",
            "The shop opens at nine",
            &[],
            || b"The shop\0 opens at nine and closes at five on all days of the week. ".repeat(3),
        ),
        reads(
            "UTF-8 and Windows-1252 in one file",
            "mixed.txt",
            "schöne Grüße, “oui” and more",
            &[DecodingErrors],
            || {
                let mut bytes = "Viele schöne Grüße, für Käthe: schöne Grüße, "
                    .as_bytes()
                    .to_vec();
                bytes.extend(b"\x93oui\x94 and more");
                bytes
            },
        ),
        reads(
            "UTF-8 with broken bytes in the middle",
            "broken.txt",
            "Grüße aus",
            &[DecodingErrors],
            || {
                let mut bytes = "Grüße aus Köln, schöne Grüße. ".repeat(40).into_bytes();
                bytes.splice(600..603, [0xC3, 0x28, 0xFF]);
                bytes
            },
        ),
        reads(
            "UTF-8 cut inside a character",
            "cut.txt",
            "schöne",
            &[DecodingErrors],
            || {
                let mut bytes = "Viele schöne Grüße aus Köl".repeat(10).into_bytes();
                bytes.extend(b"\xE2\x82");
                bytes
            },
        ),
        reads(
            "Latin-1 without saying so",
            "latin.txt",
            "envíos a España",
            &[GuessedEncoding],
            || b"Los env\xEDos a Espa\xF1a tardan tres d\xEDas seg\xFAn la regi\xF3n del pa\xEDs.".to_vec(),
        ),
        reads(
            "UTF-16 with half a character at the end",
            "odd.txt",
            "Öffnungszeiten",
            &[DecodingErrors],
            || [&utf_16("\u{feff}Öffnungszeiten: 9 Uhr")[..], b"x"].concat(),
        ),
        reads(
            "UTF-16 with halves of surrogate pairs",
            "half.txt",
            "before",
            &[DecodingErrors],
            || [&utf_16("\u{feff}before ")[..], b"\x3D\xD8", &utf_16(" after")].concat(),
        ),
        reads(
            "UTF-32 with numbers that are no characters",
            "wide.txt",
            "a\u{fffd}b",
            &[DecodingErrors],
            || b"\xFF\xFE\0\0a\0\0\0\xFF\xFF\xFF\x7Fb\0\0\0".to_vec(),
        ),
        fails("random bytes named .txt", "noise.txt", &[BinaryFile], || {
            noise(50_000)
        }),
        fails("a program named .txt", "program.txt", &[BinaryFile], || {
            [
                &b"\x7FELF\x02\x01\x01"[..],
                &[0; 9],
                b"\x03\0>\0\x01\0\0\0",
                &noise(4_000),
            ]
            .concat()
        }),
        fails("random bytes named .md", "noise.md", &[BinaryFile], || {
            noise(3_000)
        }),
        reads(
            "a text cut at 10 %",
            "notice.txt",
            "Shops open at nine",
            &[],
            || cut(&notice(), 10),
        ),
        reads(
            "a text cut at 60 %",
            "notice.txt",
            "Shops open at nine",
            &[],
            || cut(&notice(), 60),
        ),
        reads(
            "a text cut at 95 %",
            "notice.txt",
            "Shops open at nine",
            &[],
            || cut(&notice(), 95),
        ),
    ]
}

fn notice() -> Vec<u8> {
    b"Shops open at nine.\n\nWe close at five on all days but Sunday, when it is noon, and on holidays.\n\n"
        .repeat(20)
}

fn invisible() -> Vec<Case> {
    vec![
        reads("combining marks only", "marks.txt", "\u{301}\u{301}", &[], || {
            "\u{301}".repeat(20_000).into()
        }),
        reads(
            "a letter under ten thousand accents",
            "zalgo.txt",
            "zalgo",
            &[],
            || format!("zalgo a{} text", "\u{335}\u{301}\u{489}".repeat(10_000)).into(),
        ),
        reads(
            "direction marks that hide an extension",
            "bidi.txt",
            "invoice fdp.exe stays",
            &[],
            || "The file \u{202e}invoice \u{2066}fdp.exe\u{2069}\u{202c} stays readable.".into(),
        ),
        reads(
            "a flood of zero-width characters",
            "flood.txt",
            "open at nine",
            &[],
            || {
                "o\u{200b}p\u{2060}e\u{feff}n at n\u{ad}ine\u{200b} "
                    .repeat(10_000)
                    .into()
            },
        ),
        reads("terminal escape sequences", "log.txt", "Ready", &[], || {
            b"\x1b[2J\x1b[1;31mReady\x1b[0m to serve customers of the shop\x1b]0;title\x07 now.\n".repeat(20)
        }),
        reads(
            "non-characters and private use",
            "strange.txt",
            "open",
            &[],
            || {
                "open \u{fdd0}\u{ffff}\u{1fffe}\u{e000}\u{f8ff} shop "
                    .repeat(50)
                    .into()
            },
        ),
    ]
}

fn shapes() -> Vec<Case> {
    vec![
        reads("ten megabytes on one line", "line.txt", "word word", &[], || {
            b"word ".repeat(2_000_000)
        }),
        reads("a megabyte without a space", "solid.txt", "xxxx", &[], || {
            vec![b'x'; 1 << 20]
        }),
        reads("a megabyte of one ideograph", "solid.txt", "字字", &[], || {
            "字".repeat(350_000).into()
        }),
        reads("a million empty lines", "lines.txt", "the end of it", &[], || {
            [&b"\n".repeat(1_000_000)[..], b"the end of it"].concat()
        }),
        reads(
            "two megabytes of wrapped lines without a blank one",
            "wrapped.txt",
            "holiday. Shops",
            &[],
            || {
                b"Shops open at nine and close at five but on Sundays they close at noon as on every other holiday.\n".repeat(21_000)
            },
        ),
        reads("a hundred thousand list items", "list.txt", "- item", &[], || {
            b"- item\n".repeat(100_000)
        }),
        reads("lone carriage returns", "mac.txt", "one\ntwo", &[], || {
            b"one\rtwo\rthree\r".repeat(1_000)
        }),
        reads(
            "more text than the limit",
            "huge.txt",
            "word",
            &[TruncatedText],
            || {
                // two paragraphs, because a paragraph is kept whole or left out
                [
                    &b"word ".repeat(1_000_000)[..],
                    b"\n\n",
                    &b"many ".repeat(13_000_000),
                ]
                .concat()
            },
        ),
        reads(
            "a text that mentions the mark of a PDF",
            "about.txt",
            "%PDF-1.7",
            &[],
            || b"Files that begin with %PDF-1.7 are documents.".to_vec(),
        ),
        reads(
            "prose named .csv",
            "prose.csv",
            "Dear customer",
            &[NameMismatch],
            || {
                b"Dear customer,\n\nwe open at nine. Thank you for your patience, during these days, and always.\n\nThe team\n".to_vec()
            },
        ),
        fails("a web page", "page.html", &[Unsupported], || {
            b"<!DOCTYPE html><html><body>Hi</body></html>".to_vec()
        }),
        fails("a web page named .txt", "page.txt", &[Unsupported], || {
            b"\n\n  <HTML lang=en><p>Hi</p></HTML>".to_vec()
        }),
        fails("XML named .txt", "data.txt", &[Unsupported], || {
            b"<?xml version=\"1.0\"?><a>text</a>".to_vec()
        }),
        fails("RTF named .txt", "letter.txt", &[Unsupported], || {
            b"{\\rtf1\\ansi hello}".to_vec()
        }),
    ]
}

fn shop() -> Vec<u8> {
    b"# Shop\n\n## Hours\n\n| Day | Open |\n|---|---|\n| Monday | **9** to 5 |\n\n```\nraw\n```\n\n- [map](http://a.b)\n\n".repeat(20)
}

fn markdown() -> Vec<Case> {
    vec![
        reads("Markdown cut at 10 %", "shop.md", "Hours", &[], || {
            cut(&shop(), 10)
        }),
        reads("Markdown cut at 60 %", "shop.md", "Hours", &[], || {
            cut(&shop(), 60)
        }),
        reads("Markdown cut at 95 %", "shop.md", "Hours", &[], || {
            cut(&shop(), 95)
        }),
        reads(
            "a heading of one megabyte above ten thousand paragraphs",
            "heading.md",
            "text",
            &[],
            || format!("# {}\n\n{}", "long ".repeat(200_000), "text\n\n".repeat(10_000)).into(),
        ),
        reads("a fence that is never closed", "fence.md", "ls -l", &[], || {
            b"# Shop\n\n```sh\nls -l\n".to_vec()
        }),
        reads(
            "two hundred thousand opening brackets",
            "brackets.md",
            "[[[",
            &[],
            || [&b"# Shop\n\n"[..], &b"[".repeat(200_000), &b"](".repeat(1_000)].concat(),
        ),
        reads(
            "a hundred thousand stars and ticks",
            "stars.md",
            "Shop",
            &[],
            || [&b"# Shop\n\nopen "[..], &b"**a _b `c ~~".repeat(25_000)].concat(),
        ),
        reads(
            "quotes in quotes, ten thousand deep",
            "quotes.md",
            "inside",
            &[],
            || format!("# Shop\n\n{}inside", "> ".repeat(10_000)).into(),
        ),
        reads("a table of ten thousand columns", "table.md", "a: b", &[], || {
            format!(
                "# Shop\n\n{}\n{}\n{}\n",
                "a|".repeat(10_000),
                "-|".repeat(10_000),
                "b|".repeat(10_000)
            )
            .into()
        }),
        reads("front matter that never ends", "front.md", "Shop", &[], || {
            format!("---\n{}\n# Shop\n", "key: value\n".repeat(20_000)).into()
        }),
    ]
}
