//! The only writer of canonical text: separators, heading path and ranges are decided here.

use crate::block::{Block, BlockKind, ByteRange, Extraction, Format, PageReport, Warning};
use crate::catalogue::Code;
use crate::clean;

/// Grows the canonical text block by block.
pub(super) struct Builder {
    text: String,
    blocks: Vec<Block>,
    headings: Vec<(u8, String)>,
    max_text_bytes: usize,
    full: bool,
    /// Identifies the table or list the last block belonged to; its rows stay on adjacent lines.
    group: Option<u32>,
    pub(super) warnings: Vec<Warning>,
    pub(super) pages: Vec<PageReport>,
    pub(super) title: Option<String>,
    pub(super) rows: Option<u64>,
}

/// Where a block comes from and what it belongs to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Origin {
    pub(super) page: Option<u32>,
    pub(super) row: Option<u64>,
    /// Blocks of the same group (one table, one list) are separated by a single line break.
    pub(super) group: Option<u32>,
}

impl Builder {
    pub(super) fn new(max_text_bytes: usize) -> Self {
        Self {
            text: String::new(),
            blocks: Vec::new(),
            headings: Vec::new(),
            max_text_bytes,
            full: false,
            group: None,
            warnings: Vec::new(),
            pages: Vec::new(),
            title: None,
            rows: None,
        }
    }

    /// True once the text limit is reached; further blocks are dropped.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// What the blocks from number `first` on cover; empty at the end when there are none.
    pub(super) fn range_since(&self, first: usize) -> ByteRange {
        match self.blocks.get(first..) {
            Some([block, ..]) => ByteRange::new(block.range.start, self.text.len()),
            _ => ByteRange::new(self.text.len(), self.text.len()),
        }
    }

    /// Appends a block. `clean` must have passed [`crate::clean`]; its lines lose trailing spaces.
    pub(super) fn push(&mut self, kind: BlockKind, clean: &str, origin: Origin) {
        self.push_under(kind, clean, origin, None);
    }

    /// Appends a block under an additional, innermost heading, such as a table's header row.
    pub(super) fn push_under(&mut self, kind: BlockKind, clean: &str, origin: Origin, inner: Option<&str>) {
        if self.full || clean.trim().is_empty() {
            return;
        }
        if self.text.len() + clean.len() > self.max_text_bytes {
            self.full = true;
            let message = format!("the text was cut at {} bytes", self.max_text_bytes);
            let mut warning = Warning::new(Code::TruncatedText, message);
            (warning.page, warning.row) = (origin.page, origin.row);
            self.warnings.push(warning);
            return;
        }
        if let BlockKind::Heading { level } = kind {
            self.headings.retain(|(above, _)| *above < level);
        }
        let range = self.append(clean, origin.group);
        let mut heading_path: Vec<String> = self.headings.iter().map(|(_, text)| text.clone()).collect();
        heading_path.extend(inner.map(clean::shortened));
        if let BlockKind::Heading { level } = kind {
            self.headings
                .push((level, clean::shortened(range.of(&self.text))));
        }
        self.blocks.push(Block {
            kind,
            range,
            page: origin.page,
            row: origin.row,
            heading_path,
        });
    }

    /// What follows belongs to no section.
    pub(super) fn leave_headings(&mut self) {
        self.headings.clear();
    }

    /// The lines written so far.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }

    fn append(&mut self, clean: &str, group: Option<u32>) -> ByteRange {
        if !self.text.is_empty() {
            let adjacent = group.is_some() && group == self.group;
            self.text.push_str(if adjacent { "\n" } else { "\n\n" });
        }
        self.group = group;
        let start = self.text.len();
        let mut first = true;
        for line in clean.trim_matches('\n').split('\n') {
            if !first {
                self.text.push('\n');
            }
            self.text.push_str(line.trim_end());
            first = false;
        }
        // A first line of blanks only would leave the block starting with a line break.
        while self.text.len() > start && self.text.ends_with('\n') {
            self.text.pop();
        }
        ByteRange::new(start, self.text.len())
    }

    pub(super) fn finish(self, format: Format) -> Extraction {
        Extraction {
            format,
            title: self
                .title
                .map(|title| clean::shortened(&clean::one_line(&title)))
                .filter(|title| !title.is_empty()),
            language: None,
            text: self.text,
            blocks: self.blocks,
            pages: self.pages,
            warnings: self.warnings,
            rows: self.rows,
        }
    }
}
