//! Plain text and Markdown.

pub(super) mod decode;
mod markdown;
mod plain;

pub(super) use markdown::{extract as extract_markdown, looks_like_markdown};
pub(super) use plain::extract as extract_plain;

/// The marker of a list item at the start of a line: a bullet, or a number or letter with a dot
/// or bracket. Returns the byte length of indentation and of the marker with its space.
fn list_marker(line: &str) -> Option<(usize, usize)> {
    let body = line.trim_start();
    let indent = line.len() - body.len();
    let first = body.chars().next()?;
    if "-*+•‣◦▪–·●○■".contains(first) {
        let after = &body[first.len_utf8()..];
        let blank = after.len() - after.trim_start().len();
        let has_text = !after.trim_start().is_empty();
        return (blank > 0 && has_text).then_some((indent, first.len_utf8() + blank));
    }
    let digits = body.bytes().take_while(u8::is_ascii_digit).count();
    let label = if (1..=3).contains(&digits) {
        digits
    } else if first.is_ascii_alphabetic() {
        1
    } else {
        return None;
    };
    let after = &body[label..];
    let closed = after.starts_with(')') || (digits > 0 && after.starts_with('.'));
    let after = closed.then(|| &after[1..])?;
    let blank = after.len() - after.trim_start().len();
    (blank > 0 && !after.trim_start().is_empty()).then_some((indent, label + 1 + blank))
}

#[cfg(test)]
mod tests {
    use super::list_marker;

    #[test]
    fn list_markers() {
        assert_eq!(list_marker("- a"), Some((0, 2)));
        assert_eq!(list_marker("  12. b"), Some((2, 4)));
        assert_eq!(list_marker("a) c"), Some((0, 3)));
        assert_eq!(list_marker("• c"), Some((0, 4)));
        for no in [
            "-5 degrees",
            "2026. ",
            "1.5 litres",
            "A. Smith",
            "---",
            "-",
            "e.g. this",
        ] {
            assert_eq!(list_marker(no), None, "{no}");
        }
    }
}
