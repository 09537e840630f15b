//! Hyperlinks: the shown text, and the address where the text does not show it.
//!
//! "Write to us" helps nobody without the address behind it, so an address that leads out of the
//! document is kept in brackets. In headings it is left out: they are repeated as context.

/// Longest address that is worth showing; longer ones are tracking.
const MAX_ADDRESS: usize = 300;

/// A range of the paragraph's text that leads somewhere.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) address: String,
}

/// The address as a person would write it; `None` for places inside files and for scripts.
pub(super) fn address(target: &str) -> Option<String> {
    let target = target.trim();
    let lower = target.to_ascii_lowercase();
    let shown = if lower.starts_with("mailto:") || lower.starts_with("tel:") {
        let address = target.split_once(':')?.1;
        address.split('?').next()?.trim()
    } else if lower.starts_with("http://") || lower.starts_with("https://") {
        target
    } else {
        return None;
    };
    let usable = !shown.is_empty() && shown.len() <= MAX_ADDRESS && !shown.contains(char::is_whitespace);
    usable.then(|| shown.to_owned())
}

/// The target of a `HYPERLINK "…"` field instruction.
pub(super) fn field_target(instruction: &str) -> Option<String> {
    let rest = instruction.trim_start();
    let rest = rest
        .get(..9)
        .filter(|name| name.eq_ignore_ascii_case("HYPERLINK"))
        .map(|_| rest[9..].trim_start())?;
    let target = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split_whitespace().next()?,
    };
    address(target)
}

/// The text with the address behind every link that does not show it already. Links that follow
/// each other with the same address, as word processors split them, are one.
pub(super) fn with_targets(text: &str, links: &[Link]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut pending = links.iter().peekable();
    while let Some(link) = pending.next() {
        let (start, mut end) = (link.start, link.end);
        while let Some(next) = pending.next_if(|next| {
            next.address == link.address && text.get(end..next.start).is_some_and(|gap| gap.trim().is_empty())
        }) {
            end = next.end;
        }
        let Some(shown) = text.get(start..end).filter(|_| start >= done) else {
            continue;
        };
        out.push_str(&text[done..start]);
        out.push_str(shown.trim_end());
        if !shown.trim().is_empty() && !shows(shown, &link.address) {
            out.push_str(" (");
            out.push_str(&link.address);
            out.push(')');
        }
        out.push_str(&shown[shown.trim_end().len()..]);
        done = end;
    }
    out.push_str(&text[done..]);
    out
}

/// Whether the text shows the address, give or take the scheme, "www." and a closing slash.
fn shows(text: &str, address: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim().to_lowercase();
        let text = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
        text.trim_start_matches("www.").trim_end_matches('/').to_owned()
    };
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let is_number = address.starts_with(|c: char| c == '+' || c.is_ascii_digit());
    bare(text).contains(&bare(address))
        || (is_number
            && !digits(text).is_empty()
            && digits(address).ends_with(digits(text).trim_start_matches('0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, target: &str) -> String {
        let links: Vec<Link> = address(target)
            .map(|address| Link {
                start: 0,
                end: text.len(),
                address,
            })
            .into_iter()
            .collect();
        with_targets(text, &links)
    }

    #[test]
    fn an_address_is_added_only_where_it_says_something_new() {
        assert_eq!(
            shown("our shop ", "https://shop.example/a"),
            "our shop (https://shop.example/a) "
        );
        assert_eq!(
            shown("www.Shop.example", "https://shop.example/"),
            "www.Shop.example"
        );
        assert_eq!(
            shown("write to us", "mailto:help@shop.example?subject=Hi"),
            "write to us (help@shop.example)"
        );
        assert_eq!(shown("024 555 0100", "tel:+233245550100"), "024 555 0100");
        assert_eq!(shown("above", "#_Toc1"), "above");
        assert_eq!(shown("click", "javascript:alert(1)"), "click");
        assert_eq!(shown("", "https://shop.example/"), "");
    }

    #[test]
    fn field_instructions_name_their_target() {
        let target = |text: &str| field_target(text);
        assert_eq!(
            target(" HYPERLINK \"https://a.example/x\" \\o \"tip\" ").as_deref(),
            Some("https://a.example/x")
        );
        assert_eq!(target("HYPERLINK \\l \"_Toc12\""), None);
        assert_eq!(target("PAGEREF _Toc12 \\h"), None);
    }
}
