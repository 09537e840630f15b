//! Bytes that several tables need.

/// The first `percent` of a file.
pub(super) fn cut(bytes: &[u8], percent: usize) -> Vec<u8> {
    bytes[..bytes.len() * percent / 100].to_vec()
}

/// Bytes without any order, the same in every run.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..length).map(next).collect()
}

pub(super) fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// An old Office container with one named stream: enough for what looks at names only.
pub(super) fn ole(stream: &str) -> Vec<u8> {
    let mut bytes = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    bytes.resize(1024, 0);
    bytes.extend(utf_16(stream));
    bytes.resize(4096, 0);
    bytes
}

/// A deflate stream without its zlib frame that inflates to this many blanks (about 160 bytes
/// for each one written): one literal, then matches of the longest kind.
pub(super) fn blanks(length: usize) -> Vec<u8> {
    const LONGEST: usize = 258;
    let mut bits = Bits::default();
    bits.push("110"); // last block, fixed codes
    bits.push("01010000"); // a blank
    for _ in 0..length / LONGEST {
        bits.push("1100010100000"); // 258 bytes from one byte back
    }
    bits.push("0000000"); // end of block
    bits.bytes
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn push(&mut self, code: &str) {
        for bit in code.bytes() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut().filter(|_| bit == b'1') {
                *last |= 1 << (self.used % 8);
            }
            self.used += 1;
        }
    }
}
