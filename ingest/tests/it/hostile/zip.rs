//! Archives that lie about what is in them.

use plumbline_ingest::Code::{
    DamagedDocx, DecodingErrors, Encrypted, NoText, PartSkipped, Unsupported, ZipBomb,
};

use super::archive::{Entry, archive, binary, bomb, entry, patched};
use super::files::{noise, utf_16};
use super::{Case, fails, reads};

const OPEN: &str = "Shops open at nine.";
const DOCUMENT: &str =
    "<w:document><w:body><w:p><w:r><w:t>Shops open at nine.</w:t></w:r></w:p></w:body></w:document>";

fn main_part() -> Entry {
    entry("word/document.xml", DOCUMENT)
}

pub(super) fn cases() -> Vec<Case> {
    let mut all = bombs();
    all.extend(lies());
    all.extend(encodings());
    all.extend(names());
    all.extend(packages());
    all
}

fn bombs() -> Vec<Case> {
    const MIB: usize = 1 << 20;
    vec![
        fails(
            "a main part that inflates a hundred and sixty times",
            "bomb.docx",
            &[ZipBomb],
            || archive(&[bomb("word/document.xml", 80 * MIB, 80 << 20)]),
        ),
        fails(
            "a main part that says it is small",
            "liar.docx",
            &[DamagedDocx],
            || archive(&[bomb("word/document.xml", 80 * MIB, 10)]),
        ),
        fails(
            "a gigabyte where the relationships should be",
            "rels.docx",
            &[DamagedDocx],
            || archive(&[bomb("_rels/.rels", 1024 * MIB, 0), main_part()]),
        ),
        fails(
            "a bomb where the content types should be",
            "types.docx",
            &[DamagedDocx],
            || archive(&[bomb("[Content_Types].xml", 80 * MIB, 0), main_part()]),
        ),
        reads(
            "a bomb among the pictures is never opened",
            "picture.docx",
            OPEN,
            &[],
            || archive(&[bomb("word/media/image1.png", 1024 * MIB, 0), main_part()]),
        ),
        reads(
            "a bomb in the styles",
            "styles.docx",
            OPEN,
            &[PartSkipped],
            || {
                let relations = "<Relationships><Relationship Id=\"a\" Type=\"http://t/styles\" Target=\"styles.xml\"/></Relationships>";
                archive(&[
                    bomb("word/styles.xml", 80 * MIB, 80 << 20),
                    main_part(),
                    entry("word/_rels/document.xml.rels", relations),
                ])
            },
        ),
        fails("more entries than any document", "many.docx", &[ZipBomb], || {
            let small = |number: usize| entry(&format!("word/media/{number}"), "");
            archive(&(0..20_000).map(small).chain([main_part()]).collect::<Vec<_>>())
        }),
        fails(
            "thirty thousand entries that are one",
            "overlap.docx",
            &[ZipBomb, DamagedDocx],
            || {
                let again = |number: usize| Entry {
                    offset: Some(0),
                    ..bomb(&format!("word/{number:05}"), 1_000, 1_000)
                };
                archive(
                    &std::iter::once(main_part())
                        .chain((0..30_000).map(again))
                        .collect::<Vec<_>>(),
                )
            },
        ),
        fails(
            "an archive in an archive in an archive",
            "nested.zip",
            &[Unsupported],
            || {
                let pack = |inner: Vec<u8>| archive(&[binary("inner.zip", &inner)]);
                pack(pack(pack(archive(&[main_part()]))))
            },
        ),
    ]
}

fn lies() -> Vec<Case> {
    vec![
        reads("an honest archive made by hand", "plain.docx", OPEN, &[], || {
            archive(&[main_part()])
        }),
        fails("a wrong checksum", "crc.docx", &[DamagedDocx], || {
            archive(&[Entry {
                crc: 1,
                ..main_part()
            }])
        }),
        reads(
            "a wrong checksum in the styles",
            "crc.docx",
            OPEN,
            &[PartSkipped],
            || {
                let relations = "<Relationships><Relationship Id=\"a\" Type=\"http://t/styles\" Target=\"styles.xml\"/></Relationships>";
                archive(&[
                    Entry {
                        crc: 1,
                        ..entry("word/styles.xml", "<w:styles/>")
                    },
                    main_part(),
                    entry("word/_rels/document.xml.rels", relations),
                ])
            },
        ),
        fails(
            "an entry longer than the file",
            "long.docx",
            &[DamagedDocx],
            || {
                archive(&[Entry {
                    packed: 0x7FFF_FFFF,
                    size: 0x7FFF_FFFF,
                    ..main_part()
                }])
            },
        ),
        fails(
            "an entry that asks for a 64-bit size and has none",
            "zip64.docx",
            &[DamagedDocx],
            || {
                archive(&[Entry {
                    packed: u32::MAX,
                    size: u32::MAX,
                    ..main_part()
                }])
            },
        ),
        fails(
            "an entry that begins behind the file",
            "offset.docx",
            &[DamagedDocx],
            || {
                archive(&[
                    entry("a", "b"),
                    Entry {
                        offset: Some(0x7FFF_FFFF),
                        ..main_part()
                    },
                ])
            },
        ),
        fails(
            "an entry that begins inside the directory",
            "offset.docx",
            &[DamagedDocx],
            || {
                archive(&[
                    entry("a", "b"),
                    Entry {
                        offset: Some(40),
                        ..main_part()
                    },
                ])
            },
        ),
        fails(
            "a directory behind the file",
            "directory.docx",
            &[DamagedDocx],
            || patched(archive(&[main_part()]), 6, &[0xFF, 0xFF, 0xFF, 0x7F]),
        ),
        fails(
            "a directory that says it has more entries",
            "directory.docx",
            &[DamagedDocx],
            || patched(archive(&[main_part()]), 14, &[9, 0, 9, 0]),
        ),
        fails(
            "a stream that is no deflate stream",
            "deflate.docx",
            &[DamagedDocx],
            || {
                archive(&[Entry {
                    method: 8,
                    ..main_part()
                }])
            },
        ),
        fails("a method nobody knows", "method.docx", &[DamagedDocx], || {
            archive(&[Entry {
                method: 99,
                ..main_part()
            }])
        }),
        fails(
            "an archive locked with a password",
            "locked.docx",
            &[Encrypted],
            || {
                archive(&[Entry {
                    flags: 1,
                    ..main_part()
                }])
            },
        ),
        fails(
            "an archive without entries",
            "none.docx",
            &[DamagedDocx, Unsupported],
            || archive(&[]),
        ),
        fails(
            "the first four bytes of an archive",
            "head.docx",
            &[DamagedDocx],
            || b"PK\x03\x04".to_vec(),
        ),
        reads("junk after the archive", "junk.docx", OPEN, &[], || {
            [archive(&[main_part()]), b"junk ".repeat(2_000)].concat()
        }),
    ]
}

/// Main parts in encodings that are broken.
fn encodings() -> Vec<Case> {
    fn with_text(bytes: &[u8]) -> Vec<u8> {
        archive(&[binary("word/document.xml", bytes)])
    }
    vec![
        reads(
            "UTF-8 that is none inside the XML",
            "utf8.docx",
            OPEN,
            &[DecodingErrors],
            || {
                let broken = [
                    &DOCUMENT.as_bytes()[..DOCUMENT.len() - 40],
                    b" \xC3\x28\xFF",
                    &DOCUMENT.as_bytes()[DOCUMENT.len() - 40..],
                ];
                with_text(&broken.concat())
            },
        ),
        reads("UTF-16 XML", "utf16.docx", OPEN, &[], || {
            with_text(&utf_16(&format!("\u{feff}{DOCUMENT}")))
        }),
        reads(
            "UTF-16 XML with half a character at its end",
            "odd.docx",
            OPEN,
            &[DecodingErrors],
            || with_text(&[&utf_16(&format!("\u{feff}{DOCUMENT}"))[..], b"x"].concat()),
        ),
        fails(
            "XML of random bytes",
            "noise.docx",
            &[DamagedDocx, NoText],
            || with_text(&noise(5_000)),
        ),
    ]
}

fn names() -> Vec<Case> {
    vec![
        reads(
            "names that climb out of the folder",
            "climb.docx",
            OPEN,
            &[],
            || {
                archive(&[
                    entry("../../../../tmp/hostile-climb", "x"),
                    entry("/etc/passwd", "x"),
                    entry("C:\\windows\\system.ini", "x"),
                    main_part(),
                ])
            },
        ),
        reads(
            "relationships that climb out of the package",
            "climb.docx",
            OPEN,
            &[],
            || {
                let relations = "<Relationships><Relationship Id=\"a\" Type=\"http://t/styles\" Target=\"../../../../etc/passwd\"/><Relationship Id=\"b\" Type=\"http://t/footnotes\" Target=\"file:///etc/passwd\"/><Relationship Id=\"c\" Type=\"http://t/header\" Target=\"http://127.0.0.1:1/\" TargetMode=\"External\"/></Relationships>";
                archive(&[main_part(), entry("word/_rels/document.xml.rels", relations)])
            },
        ),
        reads("the main part twice", "twice.docx", OPEN, &[], || {
            archive(&[main_part(), main_part()])
        }),
        reads(
            "backslashes and capitals in names",
            "names.docx",
            OPEN,
            &[],
            || archive(&[entry("Word\\Document.XML", DOCUMENT)]),
        ),
        reads(
            "a name of sixty thousand bytes and one that is no text",
            "names.docx",
            OPEN,
            &[],
            || {
                let strange = Entry {
                    name: b"\xFF\xFE\0\n".to_vec(),
                    ..entry("", "x")
                };
                archive(&[entry(&"n".repeat(60_000), "x"), strange, main_part()])
            },
        ),
    ]
}

fn packages() -> Vec<Case> {
    const TYPES: &str = "<Types><Override ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
    vec![
        reads("no content types", "types.docx", OPEN, &[], || {
            archive(&[main_part()])
        }),
        fails("no main part", "main.docx", &[DamagedDocx], || {
            archive(&[entry("[Content_Types].xml", TYPES)])
        }),
        fails(
            "a main part that is not there",
            "main.docx",
            &[DamagedDocx],
            || {
                let relations = "<Relationships><Relationship Id=\"a\" Type=\"http://t/officeDocument\" Target=\"word/gone.xml\"/></Relationships>";
                archive(&[
                    entry("[Content_Types].xml", TYPES),
                    entry("_rels/.rels", relations),
                ])
            },
        ),
        fails(
            "relationships that name each other as the document",
            "cycle.docx",
            &[DamagedDocx, NoText],
            || {
                let relations = "<Relationships><Relationship Id=\"a\" Type=\"http://t/officeDocument\" Target=\"_rels/.rels\"/></Relationships>";
                archive(&[
                    entry("[Content_Types].xml", TYPES),
                    entry("_rels/.rels", relations),
                ])
            },
        ),
        fails("a spreadsheet named .docx", "sheet.docx", &[Unsupported], || {
            archive(&[
                entry("[Content_Types].xml", "<Types>spreadsheetml</Types>"),
                entry("xl/workbook.xml", "<a/>"),
            ])
        }),
        fails("slides named .docx", "slides.docx", &[Unsupported], || {
            archive(&[entry("[Content_Types].xml", "<Types>presentationml</Types>")])
        }),
        fails(
            "an OpenDocument text named .docx",
            "open.docx",
            &[Unsupported],
            || {
                archive(&[
                    entry("mimetype", "application/vnd.oasis.opendocument.text"),
                    entry("content.xml", "<a/>"),
                ])
            },
        ),
        fails("an archive of photos", "photos.zip", &[Unsupported], || {
            archive(&[entry("1.jpg", "x"), entry("2.jpg", "y")])
        }),
    ]
}
