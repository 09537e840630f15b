//! Files that are not what their names say, locked files, and names that are an attack.

use std::collections::BTreeMap;
use std::sync::Arc;

use lopdf::encryption::crypt_filters::{Aes128CryptFilter, Aes256CryptFilter, CryptFilter};
use lopdf::{Document, EncryptionState, EncryptionVersion, Object, Permissions, StringFormat};
use plumbline_ingest::Code::{EmptyFile, Encrypted, LegacyDoc, NameMismatch, Unsupported};

use super::files::ole;
use super::pdf::raw::Raw;
use super::{Bytes, Case, fails, reads};
use crate::fixtures::{document, docx, draw, locked_pdf};

const OPEN: &str = "Shops open at nine";

pub(super) fn cases() -> Vec<Case> {
    let mut all = wrong_names();
    all.extend(locked());
    all.extend(foreign());
    all.extend(two_at_once());
    all.extend(file_names());
    all
}

fn pdf() -> Vec<u8> {
    Raw::default().build()
}

fn word() -> Vec<u8> {
    docx("<w:p><w:r><w:t>Shops open at nine.</w:t></w:r></w:p>", &[])
}

fn table() -> Vec<u8> {
    b"day;note\nMonday;Shops open at nine.\nTuesday;closed\nFriday;late\n".to_vec()
}

fn prose() -> Vec<u8> {
    b"Shops open at nine. They close at five.\n\nOn Sundays nobody is here.\n".to_vec()
}

/// Every format under the name of every other.
fn wrong_names() -> Vec<Case> {
    let contents: [(&str, Bytes); 4] = [("pdf", pdf), ("docx", word), ("csv", table), ("txt", prose)];
    let mut all = Vec::new();
    for (format, bytes) in contents {
        for extension in ["pdf", "docx", "csv", "txt", "xlsx", "jpg"] {
            let warnings: &[_] = if format == extension { &[] } else { &[NameMismatch] };
            all.push(reads(
                "content under another name",
                &format!("{format}.{extension}"),
                OPEN,
                warnings,
                bytes,
            ));
        }
    }
    all
}

/// A document that opens with a password only, unless the password is empty.
fn encrypted(version: impl FnOnce(&Document) -> EncryptionState) -> Vec<u8> {
    let mut document = document(&[vec![draw(72.0, 700.0, 12.0, OPEN)]], 0);
    let id = Object::String(vec![7; 16], StringFormat::Hexadecimal);
    document.trailer.set("ID", vec![id.clone(), id]);
    let state = version(&document);
    document.encrypt(&state).unwrap();
    crate::fixtures::save(document)
}

fn rc4(user_password: &str, key_length: usize) -> Vec<u8> {
    encrypted(|document| {
        let version = EncryptionVersion::V2 {
            document,
            owner_password: "owner",
            user_password,
            key_length,
            permissions: Permissions::all(),
        };
        EncryptionState::try_from(version).unwrap()
    })
}

fn aes_128(user_password: &str) -> Vec<u8> {
    encrypted(|document| {
        let filter: Arc<dyn CryptFilter> = Arc::new(Aes128CryptFilter);
        let version = EncryptionVersion::V4 {
            document,
            encrypt_metadata: true,
            crypt_filters: BTreeMap::from([(b"StdCF".to_vec(), filter)]),
            stream_filter: b"StdCF".to_vec(),
            string_filter: b"StdCF".to_vec(),
            owner_password: "owner",
            user_password,
            permissions: Permissions::all(),
        };
        EncryptionState::try_from(version).unwrap()
    })
}

fn aes_256(user_password: &str) -> Vec<u8> {
    encrypted(|_| {
        let filter: Arc<dyn CryptFilter> = Arc::new(Aes256CryptFilter);
        let version = EncryptionVersion::V5 {
            encrypt_metadata: true,
            crypt_filters: BTreeMap::from([(b"StdCF".to_vec(), filter)]),
            file_encryption_key: &[9; 32],
            stream_filter: b"StdCF".to_vec(),
            string_filter: b"StdCF".to_vec(),
            owner_password: "owner",
            user_password,
            permissions: Permissions::all(),
        };
        EncryptionState::try_from(version).unwrap()
    })
}

fn locked() -> Vec<Case> {
    vec![
        fails("a PDF locked with RC4, 40 bits", "rc4.pdf", &[Encrypted], || {
            rc4("secret", 40)
        }),
        fails("a PDF locked with RC4, 128 bits", "rc4.pdf", &[Encrypted], || {
            rc4("secret", 128)
        }),
        fails("a PDF locked with AES, 128 bits", "aes.pdf", &[Encrypted], || {
            aes_128("secret")
        }),
        fails("a PDF locked with AES, 256 bits", "aes.pdf", &[Encrypted], || {
            aes_256("secret")
        }),
        reads(
            "a PDF with an owner's password only, RC4",
            "owner.pdf",
            OPEN,
            &[],
            || rc4("", 128),
        ),
        reads(
            "a PDF with an owner's password only, AES",
            "owner.pdf",
            OPEN,
            &[],
            || aes_256(""),
        ),
        fails(
            "a PDF whose password no one knows",
            "damaged.pdf",
            &[Encrypted],
            locked_pdf,
        ),
        fails(
            "a PDF locked by a handler nobody has",
            "handler.pdf",
            &[Encrypted],
            || {
                let encrypt = b"<< /Filter /Vendor.Lock /V 99 /R 99 >>".to_vec();
                Raw {
                    trailer: "/Encrypt 6 0 R /ID [<00> <00>]".to_owned(),
                    more: vec![encrypt],
                    ..Raw::default()
                }
                .build()
            },
        ),
        fails("a locked Word document", "locked.docx", &[Encrypted], || {
            ole("EncryptedPackage")
        }),
        fails(
            "a locked Word document named .pdf",
            "locked.pdf",
            &[Encrypted],
            || ole("EncryptedPackage"),
        ),
    ]
}

fn foreign() -> Vec<Case> {
    vec![
        fails("an old Word document", "old.doc", &[LegacyDoc], || {
            ole("WordDocument")
        }),
        fails(
            "an old Word document named .docx",
            "old.docx",
            &[LegacyDoc],
            || ole("WordDocument"),
        ),
        fails("an old spreadsheet", "old.xls", &[Unsupported], || {
            ole("Workbook")
        }),
        fails("a picture named .pdf", "photo.pdf", &[Unsupported], || {
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()
        }),
        fails("a photo named .docx", "photo.docx", &[Unsupported], || {
            b"\xFF\xD8\xFF\xE0\0\x10JFIF\0".to_vec()
        }),
        fails("a gzip archive named .csv", "data.csv", &[Unsupported], || {
            b"\x1F\x8B\x08\0abcdef".to_vec()
        }),
        fails("a 7z archive named .docx", "data.docx", &[Unsupported], || {
            b"7z\xBC\xAF\x27\x1C\0\x04".to_vec()
        }),
        fails("PostScript named .pdf", "page.pdf", &[Unsupported], || {
            b"%!PS-Adobe-3.0\n/x 1 def\n".to_vec()
        }),
        fails("an empty PDF", "empty.pdf", &[EmptyFile], Vec::new),
        fails("an empty Word document", "empty.docx", &[EmptyFile], Vec::new),
        fails(
            "a PDF of zeros, as a broken download leaves it",
            "zeros.pdf",
            &[EmptyFile],
            || vec![0; 200_000],
        ),
    ]
}

fn two_at_once() -> Vec<Case> {
    vec![
        reads("a PDF with an archive behind it", "both.pdf", OPEN, &[], || {
            [pdf(), word()].concat()
        }),
        reads(
            "an archive with a PDF inside, uncompressed at its start",
            "both.docx",
            OPEN,
            &[NameMismatch],
            || {
                // the mark of a PDF within the first kilobyte decides, as every viewer does it
                [&b"PK\x03\x04 junk "[..], &pdf()].concat()
            },
        ),
        reads(
            "a table that begins with a web page",
            "page.csv",
            "note: <html>",
            &[],
            || b"name,note\nfirst,<html><script>alert(1)</script>\nsecond,none\nthird,none\n".to_vec(),
        ),
    ]
}

fn file_names() -> Vec<Case> {
    vec![
        fails(
            "a name with a path",
            "../../etc/passwd.txt",
            &[EmptyFile],
            Vec::new,
        ),
        fails(
            "a name with line breaks",
            "good.txt\nERROR root: all lost\r\n.pdf",
            &[EmptyFile],
            Vec::new,
        ),
        fails(
            "a name with terminal escapes",
            "name \u{1b}[31m.txt",
            &[EmptyFile],
            Vec::new,
        ),
        fails(
            "a name of three hundred letters",
            &format!("{}.txt", "long-name-".repeat(30)),
            &[EmptyFile],
            Vec::new,
        ),
        fails(
            "a name of ten thousand letters",
            &"n".repeat(10_000),
            &[EmptyFile],
            Vec::new,
        ),
        fails(
            "a name that was no UTF-8",
            "caf\u{fffd}\u{fffd}.csv",
            &[EmptyFile],
            Vec::new,
        ),
        reads("a name without extension", "README", OPEN, &[], prose),
        reads("a name that is an extension", ".pdf", OPEN, &[], pdf),
        reads("no name", "", OPEN, &[], word),
        reads(
            "a long name on a mismatch",
            &format!("{}.docx", "n".repeat(2_000)),
            OPEN,
            &[NameMismatch],
            pdf,
        ),
        reads(
            "an extension in capitals with a blank",
            "HOURS.PDF ",
            OPEN,
            &[],
            pdf,
        ),
    ]
}
