//! Passwords are stored as Argon2id hashes in PHC form.

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Argon2, password_hash};

/// The hash of a password with a fresh salt. Takes some 20 ms of CPU: call it from a blocking thread in the server.
pub fn hash(password: &str) -> Result<String, password_hash::Error> {
    let salt = SaltString::generate(&mut OsRng);
    Ok(Argon2::default()
        .hash_password(password.as_bytes(), &salt)?
        .to_string())
}

/// Whether `password` belongs to `hash`. A `hash` that cannot be read belongs to no password; the work is done all the
/// same, so that the time taken does not tell whether an address is known.
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    let decoy = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let parsed = PasswordHash::new(hash.unwrap_or(decoy));
    parsed.is_ok_and(|parsed| {
        Argon2::default()
            .verify_password(password.as_bytes(), &parsed)
            .is_ok()
    }) && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_opens() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(verify("correct horse", Some(&stored)));
        assert!(!verify("wrong horse", Some(&stored)));
        assert!(!verify("", None) && !verify("x", Some("not a hash")));
        assert_ne!(
            stored,
            hash("correct horse").unwrap(),
            "every hash has its own salt"
        );
    }
}
