//! Which delimiter and quote a file uses, and whether it is a table at all.
//!
//! csv-nose is the best sniffer measured, but it may answer with a space or a hash. Only comma,
//! semicolon, tab and pipe are accepted from it; otherwise the delimiter whose count per record
//! is the most constant wins.

use csv_nose::{SampleSize, Sniffer};

use crate::extract::csv::{reader, shape::most_common};

/// How a file separates and quotes its cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::extract) struct Dialect {
    pub(super) delimiter: u8,
    /// `None`: quotes are ordinary characters.
    pub(super) quote: Option<u8>,
}

/// The delimiters that are believed, the commonest character first.
const DELIMITERS: [u8; 4] = *b",;|\t";
const SAMPLE_BYTES: usize = 64 * 1024;

/// The dialect, and the text without a `sep=` line.
pub(super) fn dialect(text: &str) -> (Dialect, &str) {
    let text = text
        .trim_start_matches('\u{FEFF}')
        .trim_start_matches(['\r', '\n']);
    if let Some((delimiter, body)) = sep_line(text) {
        return (
            Dialect {
                delimiter,
                quote: Some(b'"'),
            },
            body,
        );
    }
    let sample = sample(text);
    let consistent = most_consistent(sample);
    let sniffed = sniffed(sample);
    let dialect = match (consistent, sniffed) {
        (Some((dialect, score)), _) if score > 0.98 => Dialect {
            quote: Some(quote(sample, dialect.delimiter)),
            ..dialect
        },
        (_, Some(dialect)) | (Some((dialect, _)), None) => dialect,
        (None, None) => Dialect {
            delimiter: b',',
            quote: Some(b'"'),
        },
    };
    (dialect, text)
}

fn sep_line(text: &str) -> Option<(u8, &str)> {
    let text = text.strip_prefix('"').unwrap_or(text);
    let rest = text
        .get(..4)
        .filter(|word| word.eq_ignore_ascii_case("sep="))
        .map(|_| &text[4..])?;
    let delimiter = *rest.as_bytes().first()?;
    let body = rest.get(1..)?.trim_start_matches('"');
    (body.starts_with(['\r', '\n']) && delimiter.is_ascii()).then(|| (delimiter, body.trim_start()))
}

/// The first lines of the text, cut at a line end.
pub(super) fn sample(text: &str) -> &str {
    if text.len() <= SAMPLE_BYTES {
        return text;
    }
    let mut end = SAMPLE_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let cut = text[..end].rfind(['\n', '\r']).unwrap_or(end);
    &text[..cut]
}

fn sniffed(sample: &str) -> Option<Dialect> {
    let mut sniffer = Sniffer::new();
    sniffer.sample_size(SampleSize::All);
    let found = sniffer.sniff_bytes(sample.as_bytes()).ok()?.dialect;
    DELIMITERS.contains(&found.delimiter).then(|| Dialect {
        delimiter: found.delimiter,
        quote: Some(quote(sample, found.delimiter)),
    })
}

/// Single quotes count as quotes only where they wrap whole cells and double quotes do not.
fn quote(sample: &str, delimiter: u8) -> u8 {
    let delimiter = char::from(delimiter);
    let wrapped = |mark: char| {
        let cells = sample
            .lines()
            .take(200)
            .flat_map(|line| line.split(delimiter))
            .map(str::trim);
        cells
            .filter(|cell| cell.len() >= 2 && cell.starts_with(mark) && cell.ends_with(mark))
            .count()
    };
    let single = wrapped('\'');
    if single >= 2 && wrapped('"') == 0 {
        b'\''
    } else {
        b'"'
    }
}

/// The delimiter that splits most records into the same number (two or more) of cells, and the
/// share of records that have it.
fn most_consistent(sample: &str) -> Option<(Dialect, f64)> {
    let score = |delimiter: u8| {
        let dialect = Dialect {
            delimiter,
            quote: Some(b'"'),
        };
        let counts: Vec<usize> = reader(sample, dialect)
            .records()
            .filter_map(Result::ok)
            .filter(|record| record.iter().any(|cell| !cell.trim().is_empty()))
            .map(|record| record.len())
            .collect();
        let usual = most_common(counts.iter().copied());
        let same = counts.iter().filter(|count| **count == usual).count();
        (usual >= 2).then(|| (dialect, usual, share(same, counts.len())))
    };
    let scores = DELIMITERS.into_iter().filter_map(score);
    // Of equally good ones the rarer: commas stand in cells ("1,5"), the others hardly ever do.
    let rarity = |dialect: &Dialect| DELIMITERS.iter().position(|known| *known == dialect.delimiter);
    let best = scores.max_by(|(a_dialect, _, a), (b_dialect, _, b)| {
        a.total_cmp(b).then(rarity(a_dialect).cmp(&rarity(b_dialect)))
    });
    best.map(|(dialect, _, score)| (dialect, score))
}

#[expect(clippy::cast_precision_loss, reason = "a share of sample lines")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// True when a text is a table of values. A `.csv` name lowers the bar: there, one short column
/// is enough.
pub(in crate::extract) fn looks_like_csv(text: &str, extension: &str) -> bool {
    let named = matches!(extension, "csv" | "tsv" | "tab");
    if sep_line(text.trim_start_matches('\u{FEFF}')).is_some() {
        return true;
    }
    let sample = sample(text);
    let lines: Vec<&str> = sample
        .split(['\n', '\r'])
        .filter(|line| !line.trim().is_empty())
        .collect();
    let Some((dialect, score)) = most_consistent(sample) else {
        let short = lines.iter().filter(|line| line.len() <= 80).count() * 10 >= lines.len() * 9;
        return named && short && !sample.contains("\n\n");
    };
    let first_cells: Vec<&str> = lines
        .first()
        .map(|line| line.split(char::from(dialect.delimiter)).collect())
        .unwrap_or_default();
    if named {
        let plausible = lines.len() >= 3 && first_cells.len() >= 2 && score >= 0.4;
        return score >= 0.6 || (plausible && sniffed(sample).is_some());
    }
    let worded = first_cells.iter().all(|cell| cell.trim().len() <= 40) && first_cells.len() >= 2;
    let is_pipe_table = dialect.delimiter == b'|' && lines.iter().any(|line| line.contains("---"));
    let enough_rows = if dialect.delimiter == b',' {
        lines.len() >= 4
    } else {
        lines.len() >= 3
    };
    worded && enough_rows && !is_pipe_table && score >= 0.999
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_not_a_table() {
        let prose =
            "Dear customer, we open at nine.\nThank you, the team.\nBring cash, please.\nSee you, soon.\n";
        assert!(!looks_like_csv(
            "First, some text.\n\nThen, a second one, which is longer.\n",
            "txt"
        ));
        assert!(looks_like_csv("a;b\n1;2\n3;4\n", "txt"));
        assert!(looks_like_csv("city\nRome\nParis\n", "csv"));
        assert!(!looks_like_csv(prose.lines().next().unwrap(), "txt"));
        assert_eq!(dialect("a,b\n'x, y',1\n'z',2\n'w',3\n").0.quote, Some(b'\''));
    }
}
