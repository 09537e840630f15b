//! The files the pages need, inside the program: no directory to install, nothing fetched from elsewhere.
//!
//! A page links a file with a piece of its hash, so a browser may keep it for ever and still gets a new one on the
//! first page after an upgrade. What comes from others is listed with its hash in `assets/vendored.sha256`.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use sha2::{Digest, Sha256};

struct Asset {
    name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
    hash: String,
}

macro_rules! assets {
    ($($name:literal: $media_type:literal,)*) => {
        vec![$(asset($name, $media_type, include_bytes!(concat!("../../assets/", $name)))),*]
    };
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    assets! {
        "plumbline.css": "text/css; charset=utf-8",
        "plumbline.svg": "image/svg+xml",
        "chat-pattern.svg": "image/svg+xml",
        "inter.woff2": "font/woff2",
        "htmx.min.js": "text/javascript; charset=utf-8",
        "early.js": "text/javascript; charset=utf-8",
        "pages.js": "text/javascript; charset=utf-8",
        "simulator.js": "text/javascript; charset=utf-8",
    }
});

fn asset(name: &'static str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    let mut hash = String::with_capacity(16);
    for byte in &Sha256::digest(bytes)[..8] {
        let _ = write!(hash, "{byte:02x}");
    }
    Asset {
        name,
        media_type,
        bytes,
        hash,
    }
}

fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The address of an asset, with the piece of its hash that lets it be cached for ever.
pub fn url(name: &str) -> String {
    match find(name) {
        Some(asset) => format!("/assets/{name}?v={}", asset.hash),
        None => format!("/assets/{name}"),
    }
}

/// The piece of hash in an asset's address.
#[derive(Debug, Deserialize)]
pub struct Pin {
    v: Option<String>,
}

/// `GET /assets/{name}`
pub async fn get(Path(name): Path<String>, Query(pin): Query<Pin>, headers: HeaderMap) -> Response {
    let Some(asset) = find(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}\"", asset.hash);
    // Links from within a style sheet carry no hash; those are asked for again, and answered without a body.
    let pinned = pin.v.as_deref() == Some(asset.hash.as_str());
    let caching = if pinned {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=3600"
    };
    let kept = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let common = [(header::CACHE_CONTROL, caching), (header::ETAG, tag.as_str())];
    if kept == Some(tag.as_str()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, asset.media_type)], asset.bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::{ASSETS, url};
    use sha2::{Digest, Sha256};

    #[test]
    fn vendored_files_are_the_recorded_ones() {
        for line in include_str!("../../assets/vendored.sha256").lines() {
            let (recorded, name) = line.split_once("  ").unwrap();
            let asset = ASSETS.iter().find(|asset| asset.name == name).unwrap();
            assert_eq!(hex::encode(Sha256::digest(asset.bytes)), recorded, "{name}");
        }
    }

    #[test]
    fn an_address_carries_the_hash() {
        assert!(url("plumbline.css").starts_with("/assets/plumbline.css?v="));
        assert_ne!(url("plumbline.css").len(), "/assets/plumbline.css?v=".len());
    }
}
