//! Forms are taken from our own pages only.
//!
//! The session cookie is `SameSite=Lax`, which already keeps it out of forms on other sites. This is the second lock: a
//! browser says where a request comes from, and one that comes from elsewhere is refused before any handler runs.
//! Programs that are no browsers say nothing and carry no cookie either.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::trouble::Trouble;

/// Refuses requests that change something and come from another site.
pub async fn same_site_only(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || from_here(request.headers()) {
        next.run(request).await
    } else {
        Trouble::ForeignForm.into_response()
    }
}

fn from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text(header::ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(header::HOST.as_str())
        }
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::from_here;
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    fn judged(headers: &[(&'static str, &'static str)]) -> bool {
        let pairs = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        from_here(&pairs.collect::<HeaderMap>())
    }

    #[test]
    fn other_sites_are_refused() {
        assert!(!judged(&[("sec-fetch-site", "cross-site")]));
        assert!(!judged(&[("sec-fetch-site", "same-site")]));
        assert!(!judged(&[
            ("origin", "https://evil.example"),
            ("host", "shop.example")
        ]));
        assert!(!judged(&[("origin", "null"), ("host", "shop.example")]));
        assert!(!judged(&[("origin", "null")]));
    }

    #[test]
    fn our_own_pages_and_programs_pass() {
        assert!(judged(&[("sec-fetch-site", "same-origin")]));
        assert!(judged(&[
            ("origin", "http://shop.example:8080"),
            ("host", "shop.example:8080")
        ]));
        assert!(judged(&[]));
    }
}
