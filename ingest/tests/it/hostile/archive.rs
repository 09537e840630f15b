//! Zip archives written by hand, each number as it is wished.

use super::files::blanks;

/// One entry, each number as it is to be written, true or not.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) data: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u32,
    pub(super) size: u32,
    /// Where the directory says the entry is; the truth when not given.
    pub(super) offset: Option<u32>,
}

/// An entry that tells the truth.
pub(super) fn entry(name: &str, data: &str) -> Entry {
    binary(name, data.as_bytes())
}

pub(super) fn binary(name: &str, data: &[u8]) -> Entry {
    let length = u32::try_from(data.len()).unwrap();
    Entry {
        name: name.as_bytes().to_vec(),
        data: data.to_vec(),
        flags: 0,
        method: 0,
        crc: crc_32(data),
        packed: length,
        size: length,
        offset: None,
    }
}

/// An entry that inflates to this many blanks.
pub(super) fn bomb(name: &str, length: usize, claimed: u32) -> Entry {
    let data = blanks(length);
    let packed = u32::try_from(data.len()).unwrap();
    Entry {
        data,
        method: 8,
        crc: 0,
        packed,
        size: claimed,
        ..entry(name, "")
    }
}

fn crc_32(bytes: &[u8]) -> u32 {
    let shift = |crc: u32| {
        if crc & 1 == 1 {
            (crc >> 1) ^ 0xEDB8_8320
        } else {
            crc >> 1
        }
    };
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| shift(crc))
    })
}

pub(super) fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = entry.offset.unwrap_or(u32::try_from(out.len()).unwrap());
        let mut common = Vec::new();
        for value in [20, entry.flags, entry.method, 0, 0] {
            common.extend(u16::to_le_bytes(value));
        }
        for value in [entry.crc, entry.packed, entry.size] {
            common.extend(u32::to_le_bytes(value));
        }
        common.extend(u16::try_from(entry.name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        if entry.offset.is_none() {
            out.extend(b"PK\x03\x04");
            out.extend(&common);
            out.extend(&entry.name);
            out.extend(&entry.data);
        }
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
    }
    let start = u32::try_from(out.len()).unwrap();
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// The archive with some bytes counted from its end replaced.
pub(super) fn patched(mut bytes: Vec<u8>, from_end: usize, with: &[u8]) -> Vec<u8> {
    let at = bytes.len() - from_end;
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}
