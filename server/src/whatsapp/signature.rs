//! The signature of a webhook body.
//!
//! It is an HMAC over the bytes as they arrived: Meta escapes characters its own way, so a body that was parsed and
//! written again no longer matches.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Name of the header that carries the signature.
pub const HEADER: &str = "X-Hub-Signature-256";

const SCHEME: &str = "sha256=";

/// A body is not signed by the holder of the app secret. The text never contains the signature that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is absent.
    #[error("the signature header is missing")]
    Missing,
    /// The header is not `sha256=` and 64 hexadecimal digits.
    #[error("the signature header is malformed")]
    Malformed,
    /// The signature belongs to other bytes or another secret.
    #[error("the signature does not match the body")]
    Mismatch,
}

/// Checks the `X-Hub-Signature-256` header of a webhook body, in time that does not depend on where they differ.
///
/// # Errors
/// [`SignatureError`] when the body must not be trusted.
pub fn verify(app_secret: &[u8], body: &[u8], header: Option<&str>) -> Result<(), SignatureError> {
    let header = header.ok_or(SignatureError::Missing)?;
    let digits = header.strip_prefix(SCHEME).ok_or(SignatureError::Malformed)?;
    let mut claimed = [0_u8; 32];
    hex::decode_to_slice(digits, &mut claimed).map_err(|_| SignatureError::Malformed)?;
    // `verify_slice` compares in constant time
    mac(app_secret, body)
        .verify_slice(&claimed)
        .map_err(|_| SignatureError::Mismatch)
}

/// The header value that the holder of `app_secret` sends with `body`.
pub fn sign(app_secret: &[u8], body: &[u8]) -> String {
    format!(
        "{SCHEME}{}",
        hex::encode(mac(app_secret, body).finalize().into_bytes())
    )
}

fn mac(secret: &[u8], body: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(secret)
        .expect("HMAC takes keys of any length")
        .chain_update(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    /// Secret, body and signature: the example of the platform's documentation, then RFC 4231 cases 2 and 6.
    const VECTORS: [(&[u8], &[u8], &str); 3] = [
        (
            b"It's a Secret to Everybody",
            b"Hello, World!",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "sha256=60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ];

    #[test]
    fn known_signatures_are_made_and_accepted() {
        for (secret, body, signature) in VECTORS {
            assert_eq!(sign(secret, body), signature);
            assert_eq!(verify(secret, body, Some(signature)), Ok(()));
            assert_eq!(
                verify(
                    secret,
                    body,
                    Some(&signature.to_uppercase().replace("SHA", "sha"))
                ),
                Ok(())
            );
        }
    }

    #[test]
    fn malformed_headers_are_refused_without_panic() {
        let good = sign(b"secret", b"body");
        let cases = [
            (None, SignatureError::Missing),
            (Some(String::new()), SignatureError::Malformed),
            (Some("sha256=".to_owned()), SignatureError::Malformed),
            (Some(good[7..].to_owned()), SignatureError::Malformed),
            (Some(good.replace("sha256", "sha1")), SignatureError::Malformed),
            (Some(good[..good.len() - 1].to_owned()), SignatureError::Malformed),
            (Some(format!("{good}00")), SignatureError::Malformed),
            (Some(format!("{good} ")), SignatureError::Malformed),
            (
                Some(format!("sha256={}", "g".repeat(64))),
                SignatureError::Malformed,
            ),
            (
                Some(format!("sha256={}", "é".repeat(32))),
                SignatureError::Malformed,
            ),
            (
                Some(format!("sha256={}", "😮".repeat(16))),
                SignatureError::Malformed,
            ),
            (
                Some(format!("sha256={}", "0".repeat(64))),
                SignatureError::Mismatch,
            ),
        ];
        for (header, error) in cases {
            assert_eq!(
                verify(b"secret", b"body", header.as_deref()),
                Err(error),
                "{header:?}"
            );
        }
    }

    #[test]
    fn an_escaped_body_and_its_plain_form_have_different_signatures() {
        let signature = sign(b"secret", br#"{"body":"\u00e9"}"#);
        let rewritten = r#"{"body":"é"}"#.as_bytes();
        assert_eq!(
            verify(b"secret", rewritten, Some(&signature)),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn what_was_signed_verifies_and_any_flipped_bit_is_noticed() {
        let mut random = StdRng::seed_from_u64(1);
        for _ in 0..500 {
            let secret: Vec<u8> = bytes(&mut random, 0..150);
            let mut body = bytes(&mut random, 1..300);
            let signature = sign(&secret, &body);
            assert_eq!(verify(&secret, &body, Some(&signature)), Ok(()));
            let at = random.random_range(0..body.len());
            body[at] ^= 1 << random.random_range(0..8);
            assert_eq!(
                verify(&secret, &body, Some(&signature)),
                Err(SignatureError::Mismatch),
                "{body:?}"
            );
        }
    }

    #[test]
    fn no_header_panics_or_passes() {
        let mut random = StdRng::seed_from_u64(2);
        for _ in 0..2_000 {
            let noise = String::from_utf8_lossy(&bytes(&mut random, 0..80)).into_owned();
            let hexadecimal = hex::encode(bytes(&mut random, 30..35));
            for header in [
                noise.clone(),
                format!("sha256={noise}"),
                format!("sha256={hexadecimal}"),
            ] {
                assert!(verify(b"secret", b"body", Some(&header)).is_err(), "{header:?}");
            }
        }
    }

    fn bytes(random: &mut StdRng, length: std::ops::Range<usize>) -> Vec<u8> {
        let length = random.random_range(length);
        (0..length).map(|_| random.random()).collect()
    }
}
