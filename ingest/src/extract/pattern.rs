//! The shape of a table's cell: what tells values that follow one pattern from the name above them.

/// The kinds of characters of a text in order: "E12" and "F3" have the same shape.
pub(super) fn shape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let kind = match c {
            _ if c.is_numeric() => '0',
            _ if c.is_alphabetic() => 'a',
            other => other,
        };
        if !out.ends_with(kind) {
            out.push(kind);
        }
    }
    out
}
