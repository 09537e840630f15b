//! What S3 answers when it refuses, in words that say what to do. Secrets never get here.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::{S3Blobs, S3Options};
use crate::StoreError;

/// Refuses what no store could be reached with.
pub(super) fn check_options(options: &S3Options) -> Result<(), StoreError> {
    let refuse = |reason: &str| {
        Err(StoreError::Blob {
            action: "use",
            store: format!("bucket {}", options.bucket),
            reason: reason.to_owned(),
        })
    };
    if let Some(endpoint) = &options.endpoint {
        let host = endpoint
            .strip_prefix("https://")
            .or_else(|| endpoint.strip_prefix("http://"));
        if host.is_none_or(|host| host.is_empty() || host.contains(char::is_whitespace)) {
            return refuse("the endpoint must begin with https:// or http://");
        }
        if endpoint.contains('@') {
            return refuse("the endpoint must not hold a user name; give the access key by itself");
        }
    }
    if options.region.is_empty() {
        return refuse("the region is empty; name the region of the bucket");
    }
    Ok(())
}

impl S3Blobs {
    /// The error for a request that failed.
    pub(super) fn trouble<E>(&self, action: &'static str, error: &SdkError<E, HttpResponse>) -> StoreError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let reason = match error {
            SdkError::TimeoutError(_) => {
                "it does not answer in time; check the endpoint and the network".to_owned()
            }
            SdkError::DispatchFailure(failure) => {
                let cause = failure.as_connector_error().map(|error| innermost(error));
                format!(
                    "it cannot be reached ({}); check the endpoint and the network",
                    cause.unwrap_or_else(|| "no connection".to_owned())
                )
            }
            SdkError::ServiceError(refused) => {
                let code = error.code();
                refusal(code, error.message(), refused.raw().status().as_u16())
            }
            SdkError::ResponseError(response) => format!(
                "it does not speak S3 (HTTP status {}); check the endpoint",
                response.raw().status()
            ),
            other => innermost(other),
        };
        StoreError::Blob {
            action,
            store: self.to_string(),
            reason,
        }
    }
}

/// What a refusal means for the person who runs the program.
fn refusal(code: Option<&str>, message: Option<&str>, status: u16) -> String {
    let advice = match (code.unwrap_or_default(), status) {
        ("NoSuchBucket", _) => "the bucket does not exist; create it or name another",
        ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "NotSignedUp", _) => {
            "the access key is refused; check the key id and the secret"
        }
        ("ExpiredToken" | "InvalidToken" | "TokenRefreshRequired", _) => {
            "the session token is not valid any more; give a new one, or a key that does not expire"
        }
        ("RequestTimeTooSkewed" | "RequestExpired", _) => "the clock of this machine is wrong; set it",
        ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException", _)
        | (_, 301 | 307) => "the bucket is in another region; name that one",
        ("AccessDenied" | "AllAccessDisabled", _) | (_, 401 | 403) => {
            "access is denied; the key needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on \
             the files and s3:ListBucket on the bucket"
        }
        ("SlowDown", _) | (_, 429 | 500..) => "it is overloaded or out of order; try again later",
        _ => "it refuses the request",
    };
    let details = [code, message].into_iter().flatten().collect::<Vec<_>>();
    if details.is_empty() {
        format!("{advice} (HTTP status {status})")
    } else {
        format!("{advice} ({})", details.join(": "))
    }
}

/// The cause at the bottom: the layers above it only say that something failed.
fn innermost(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_to_do() {
        for (code, status, advice) in [
            ("NoSuchBucket", 404, "create it"),
            ("SignatureDoesNotMatch", 403, "check the key id"),
            ("ExpiredToken", 400, "give a new one"),
            ("AccessDenied", 403, "s3:PutObject"),
            ("PermanentRedirect", 301, "another region"),
            ("SlowDown", 503, "try again later"),
        ] {
            let words = refusal(Some(code), Some("said the store"), status);
            assert!(
                words.contains(advice) && words.contains("said the store"),
                "{words}"
            );
        }
        assert!(refusal(None, None, 403).ends_with("(HTTP status 403)"));
    }
}
