//! Quotes that are not closed, not doubled, or escaped with a backslash.
//!
//! The parser answers an unclosed quote with one huge cell and no error. So quotes are checked
//! first: a quoted cell may run over line breaks only as far as a cell plausibly does. Where it
//! does not, the quote that opened it is taken for an ordinary character, that line is a record,
//! and reading goes on at the next line: one stray quote costs one warning, not the file.

use std::borrow::Cow;

use crate::extract::csv::sniff::Dialect;

/// Longest cell with line breaks that is believed.
const MAX_QUOTED: usize = 64 * 1024;
/// More lines than this inside one cell must not look like rows.
const MANY_LINES: usize = 50;
/// Bytes that may be looked at in vain before every open quote counts as stray, so that a file of
/// nothing but stray quotes is read in linear time.
const MAX_WASTE: usize = 32 * 1024 * 1024;

/// A text whose quotes the parser reads as a person would.
pub(super) struct Repaired<'a> {
    pub(super) text: Cow<'a, str>,
    /// Where in it the lines begin that had a quote which was never closed.
    pub(super) stray: Vec<usize>,
}

/// What was found from the start of a record to its end.
struct Record {
    end: usize,
    cells: usize,
    /// Line breaks inside cells.
    breaks: Vec<usize>,
    /// Quotes inside quoted cells that are not doubled, and backslashes that escape one.
    to_double: Vec<usize>,
    /// The opening quote of the cell the first line break is in.
    opened: usize,
    closed: bool,
}

/// Repairs the quotes of a text with this many columns.
pub(super) fn repair(body: &str, dialect: Dialect, columns: usize) -> Repaired<'_> {
    let Some(quote) = dialect.quote.filter(|quote| body.as_bytes().contains(quote)) else {
        return Repaired {
            text: Cow::Borrowed(body),
            stray: Vec::new(),
        };
    };
    let bytes = body.as_bytes();
    let scanner = Scanner {
        bytes,
        quote,
        delimiter: dialect.delimiter,
        escapes: body.contains("\\\"") && quote == b'"' && !body.contains("\\\",") && !body.contains("\\\";"),
        columns,
    };
    let mut out = Patches::default();
    let mut stray = Vec::new();
    let mut waste = 0;
    let mut at = 0;
    while at < bytes.len() {
        let line_end = scanner.line_end(at);
        if !bytes[at..line_end].contains(&quote) {
            at = line_end;
            continue;
        }
        let reach = if waste > MAX_WASTE { line_end } else { bytes.len() };
        let record = scanner.record(at, true, reach);
        if record.closed && scanner.is_plausible(at, &record) {
            out.double(bytes, &record.to_double);
            at = record.end;
        } else {
            waste += record.end - at;
            stray.push(out.place(at));
            scanner.flatten(at, line_end, &mut out);
            at = line_end;
        }
    }
    Repaired {
        text: out.apply(body, quote),
        stray,
    }
}

/// The number of cells most lines have by themselves.
pub(super) fn usual_columns(sample: &str, dialect: Dialect) -> usize {
    let scanner = Scanner {
        bytes: sample.as_bytes(),
        quote: dialect.quote.unwrap_or(0),
        delimiter: dialect.delimiter,
        escapes: false,
        columns: 0,
    };
    let mut counts = Vec::new();
    let mut at = 0;
    while at < sample.len() {
        let end = scanner.line_end(at);
        let record = scanner.record(at, true, end);
        if record.closed && !sample[at..end].trim().is_empty() {
            counts.push(record.cells);
        }
        at = end;
    }
    super::shape::most_common(counts.into_iter())
}

struct Scanner<'a> {
    bytes: &'a [u8],
    quote: u8,
    delimiter: u8,
    /// `\"` stands for a quote.
    escapes: bool,
    columns: usize,
}

impl Scanner<'_> {
    /// One past the line break of the line at `at`.
    fn line_end(&self, at: usize) -> usize {
        let rest = &self.bytes[at..];
        match rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            None => self.bytes.len(),
            Some(found) if rest[found..].starts_with(b"\r\n") => at + found + 2,
            Some(found) => at + found + 1,
        }
    }

    fn at(&self, place: usize) -> Option<u8> {
        self.bytes.get(place).copied()
    }

    fn is_break(&self, at: usize) -> bool {
        match self.at(at) {
            Some(b'\r') => self.at(at + 1) != Some(b'\n'),
            byte => byte == Some(b'\n'),
        }
    }

    fn ends_cell(&self, at: usize) -> bool {
        matches!(self.at(at), None | Some(b'\n' | b'\r')) || self.at(at) == Some(self.delimiter)
    }

    /// Follows a record from `start`, at most to `reach`.
    fn record(&self, start: usize, mut cell_start: bool, reach: usize) -> Record {
        let limit = reach.min(start.saturating_add(MAX_QUOTED));
        let mut found = Record::new(limit);
        let mut open: Option<usize> = None;
        let mut at = start;
        while at < limit {
            let byte = self.bytes[at];
            if let Some(opening) = open {
                if byte == self.quote && self.ends_cell(at + 1) {
                    open = None;
                } else if byte == self.quote && self.at(at + 1) == Some(self.quote) {
                    at += 1;
                } else if byte == self.quote {
                    found.to_double.push(at);
                } else if byte == b'\\' && self.escapes && self.at(at + 1) == Some(self.quote) {
                    found.to_double.push(at);
                    at += 1;
                } else if self.is_break(at) {
                    found.break_at(at, opening);
                }
            } else if byte == self.quote && cell_start {
                open = Some(at);
                cell_start = false;
            } else if matches!(byte, b'\n' | b'\r') {
                found.end = self.line_end(at);
                found.closed = true;
                return found;
            } else {
                cell_start = byte == self.delimiter;
                found.cells += usize::from(cell_start);
            }
            at += 1;
        }
        match open {
            Some(opening) if found.breaks.is_empty() => found.opened = opening,
            Some(_) => {}
            None => (found.closed, found.end) = (true, at),
        }
        found
    }

    /// Whether a record is one: on one line always; over several lines unless those lines look
    /// like rows of their own.
    fn is_plausible(&self, start: usize, record: &Record) -> bool {
        if record.breaks.is_empty() {
            return true;
        }
        let mut full = Vec::new();
        let mut from = start;
        for end in record.breaks.iter().chain([&record.end]) {
            let line = &self.bytes[from..*end];
            let cells = line.split(|byte| *byte == self.delimiter).count();
            full.push(self.columns >= 2 && cells >= self.columns);
            from = *end;
        }
        let rows = full.iter().filter(|is_full| **is_full).count();
        if !record.to_double.is_empty() && !self.escapes {
            return self.columns >= 3 && rows == 0 && record.cells == self.columns;
        }
        let all_rows = self.columns >= 3 && rows == full.len();
        let many_rows = full.len() > MANY_LINES && rows * 10 >= full.len() * 8;
        !all_rows && !many_rows
    }

    /// Makes one record of the line from `start` to `end`: quotes that stay open are dropped.
    fn flatten(&self, start: usize, end: usize, out: &mut Patches) {
        let line = &self.bytes[start..end];
        let breaks = line.iter().rev().take_while(|byte| matches!(byte, b'\n' | b'\r'));
        let end = end - breaks.count();
        let line = Scanner {
            bytes: &self.bytes[..end],
            ..*self
        };
        let (mut from, mut cell_start) = (start, true);
        loop {
            // Longer than any cell: what is open that far along is stray as well.
            let record = line.record(from, cell_start, end);
            let known = if record.closed { end } else { record.opened };
            let inner = record.to_double.iter().copied().filter(|at| *at < known);
            out.double(self.bytes, &inner.collect::<Vec<_>>());
            if record.closed {
                return;
            }
            out.drop(record.opened);
            (from, cell_start) = (record.opened + 1, false);
        }
    }
}

impl Record {
    fn new(end: usize) -> Self {
        Self {
            end,
            cells: 1,
            breaks: Vec::new(),
            to_double: Vec::new(),
            opened: end,
            closed: false,
        }
    }

    fn break_at(&mut self, at: usize, opening: usize) {
        if self.breaks.is_empty() {
            self.opened = opening;
        }
        self.breaks.push(at);
    }
}

enum Edit {
    Insert,
    Replace,
    Drop,
}

/// Changes to the text, in its order.
#[derive(Default)]
struct Patches {
    edits: Vec<(usize, Edit)>,
    inserted: usize,
    dropped: usize,
}

impl Patches {
    fn double(&mut self, bytes: &[u8], places: &[usize]) {
        for place in places {
            if bytes[*place] == b'\\' {
                self.edits.push((*place, Edit::Replace));
            } else {
                self.edits.push((*place, Edit::Insert));
                self.inserted += 1;
            }
        }
    }

    fn drop(&mut self, place: usize) {
        self.edits.push((place, Edit::Drop));
        self.dropped += 1;
    }

    /// Where a place of the original comes to be, all edits before it known.
    fn place(&self, original: usize) -> usize {
        original + self.inserted - self.dropped
    }

    fn apply(self, body: &str, quote: u8) -> Cow<'_, str> {
        if self.edits.is_empty() {
            return Cow::Borrowed(body);
        }
        let mut out = String::with_capacity(body.len() + self.inserted);
        let mut done = 0;
        for (place, edit) in self.edits {
            out.push_str(&body[done..place]);
            done = place;
            match edit {
                Edit::Insert => out.push(char::from(quote)),
                Edit::Replace => {
                    out.push(char::from(quote));
                    done += 1;
                }
                Edit::Drop => done += 1,
            }
        }
        out.push_str(&body[done..]);
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(body: &str, columns: usize) -> (String, usize) {
        let dialect = Dialect {
            delimiter: b',',
            quote: Some(b'"'),
        };
        let found = repair(body, dialect, columns);
        (found.text.into_owned(), found.stray.len())
    }

    #[test]
    fn quotes_that_are_right_stay() {
        for body in [
            "a,\"b, c\",d\n",
            "a,\"two\nlines, one cell\",d\n",
            "\"\",\"\",\"\"\n",
            "a,\"say \"\"hi\"\"\",c\r\n",
            "5\" pipe,b,c\n",
        ] {
            assert_eq!(repaired(body, 3), (body.to_owned(), 0), "{body:?}");
        }
    }

    #[test]
    fn quotes_inside_quotes_are_doubled() {
        assert_eq!(
            repaired("1,\"he said \"hi, you\" twice\",c\n", 3),
            ("1,\"he said \"\"hi, you\"\" twice\",c\n".to_owned(), 0)
        );
        assert_eq!(
            repaired("1,\"he said \\\"hi\\\" twice\",c\n", 3),
            ("1,\"he said \"\"hi\"\" twice\",c\n".to_owned(), 0)
        );
    }

    #[test]
    fn a_stray_quote_costs_its_line_only() {
        let body = "a,\"b,c\nd,\"e, f\",g\nh,\"i\nj\",k\n";
        assert_eq!(
            repaired(body, 3),
            ("a,b,c\nd,\"e, f\",g\nh,\"i\nj\",k\n".to_owned(), 1)
        );
        assert_eq!(repaired("\"a, b\",\"c,d\ne,f,g\n", 3).0, "\"a, b\",c,d\ne,f,g\n");
        assert_eq!(repaired("a,b,\"c", 3), ("a,b,c".to_owned(), 1));
    }

    #[test]
    fn nothing_but_stray_quotes_is_read_in_linear_time() {
        let body = "\"a,b\n".repeat(200_000);
        assert_eq!(repaired(&body, 2).1, 200_000);
    }
}
