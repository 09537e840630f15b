//! Signing in and out.
//!
//! An unknown address and a wrong password are told apart by nobody: the words are the same and so is the time, because
//! a password is checked in both cases. Guessing is slowed per address, in the memory of each process. A check takes
//! 19 MiB and much of a core by design, so only a few run at once, whoever asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::layout::Shell;
use super::session::{SESSION_COOKIE, cookie, session_of, set_cookie};
use super::trouble::Trouble;
use crate::app::App;
use crate::password;

/// How long a session lasts.
const SESSION: Duration = Duration::from_hours(14 * 24);
/// Longest address that e-mail knows, in bytes.
const LONGEST_EMAIL: usize = 254;
/// Passwords checked at once.
static CHECKS: Semaphore = Semaphore::const_new(2);
/// How long a check may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The page.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// Frame.
    pub shell: Shell,
    /// Why the last attempt failed.
    pub problem: Option<String>,
    /// Address as typed.
    pub email: String,
    /// Where to go afterwards.
    pub next: String,
    /// Whether the server runs the demo.
    pub demo: bool,
}

/// Where to go after signing in.
#[derive(Debug, Deserialize)]
pub struct Next {
    next: Option<String>,
}

/// The form as sent.
#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `GET /sign-in`
pub async fn form(State(app): State<App>, Query(asked): Query<Next>) -> Result<Html<String>, Trouble> {
    let page = SignInPage {
        shell: Shell::visitor(),
        problem: None,
        email: String::new(),
        next: own_path(asked.next.as_deref().unwrap_or_default()).to_owned(),
        demo: app.demo.is_some(),
    };
    Ok(Html(page.render()?))
}

/// `POST /sign-in`
pub async fn submit(
    State(app): State<App>,
    Extension(attempts): Extension<Arc<Attempts>>,
    Form(given): Form<Credentials>,
) -> Result<Response, Trouble> {
    let email = given.email.trim().to_lowercase();
    let next = own_path(&given.next).to_owned();
    let demo = app.demo.is_some();
    let refuse = move |status: StatusCode, problem: String, email: String, next: String| {
        let page = SignInPage {
            shell: Shell::visitor(),
            problem: Some(problem),
            email,
            next,
            demo,
        };
        Ok::<_, Trouble>((status, Html(page.render()?)).into_response())
    };
    if email.len() > LONGEST_EMAIL {
        let problem = format!("An e-mail address has at most {LONGEST_EMAIL} characters.");
        return refuse(StatusCode::BAD_REQUEST, problem, String::new(), next);
    }
    if let Err(wait) = attempts.begin(&email, Instant::now()) {
        let minutes = wait.as_secs().div_ceil(60);
        let problem = format!("Too many attempts for this address. Try again in {minutes} min.");
        return refuse(StatusCode::TOO_MANY_REQUESTS, problem, email, next);
    }
    let admin = app.store.system().await?.admin_by_email(&email).await?;
    let hash = admin.as_ref().map(|admin| admin.password_hash.clone());
    let Some(matches) = check(given.password, hash).await else {
        let problem = "Too many people are signing in. Try again in a minute.".to_owned();
        return refuse(StatusCode::SERVICE_UNAVAILABLE, problem, email, next);
    };
    let Some(admin) = admin.filter(|_| matches) else {
        tracing::info!("pages.sign_in.refused");
        return refuse(
            StatusCode::UNAUTHORIZED,
            "This address and password do not match.".to_owned(),
            email,
            next,
        );
    };
    attempts.forget(&email);
    let mut tx = app.store.system().await?;
    let token = tx.open_session(&admin, SESSION).await?;
    tx.commit().await?;
    let cookie = cookie(SESSION_COOKIE, token.expose(), SESSION.as_secs(), app.web.https);
    Ok((set_cookie(cookie), Redirect::to(&next)).into_response())
}

/// Whether the password fits the hash; nothing when too many others are being checked.
async fn check(password: String, hash: Option<String>) -> Option<bool> {
    let turn = tokio::time::timeout(PATIENCE, CHECKS.acquire())
        .await
        .ok()?
        .ok()?;
    let checked = tokio::task::spawn_blocking(move || {
        // held until the work is done, even when the browser does not wait for it
        let _turn = turn;
        password::verify(&password, hash.as_deref())
    });
    Some(checked.await.unwrap_or(false))
}

/// `POST /sign-out`
pub async fn leave(State(app): State<App>, headers: HeaderMap) -> Result<Response, Trouble> {
    if let Some(token) = session_of(&headers) {
        let mut tx = app.store.system().await?;
        tx.close_session(&token).await?;
        tx.commit().await?;
    }
    let cookie = cookie(SESSION_COOKIE, "", 0, app.web.https);
    Ok((set_cookie(cookie), Redirect::to("/sign-in")).into_response())
}

/// The path if it is one of this server; anything else would let a link lead people away after signing in.
fn own_path(next: &str) -> &str {
    let mut letters = next.chars();
    let own = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    if own && !next.contains(|c: char| c.is_control()) {
        next
    } else {
        "/documents"
    }
}

/// Attempts to sign in, per address.
#[derive(Debug, Default)]
pub struct Attempts {
    seen: Mutex<HashMap<String, (u32, Instant)>>,
}

impl Attempts {
    /// Attempts of one address within [`Self::SPAN`].
    const MOST: u32 = 10;
    /// How long an attempt counts.
    const SPAN: Duration = Duration::from_mins(10);
    /// Addresses remembered at once.
    const ADDRESSES: usize = 10_000;

    /// Counts an attempt, or says how long to wait before the next. While as many addresses are remembered as may be,
    /// no further one is let in.
    ///
    /// # Errors
    /// The time until the address may be tried again.
    pub fn begin(&self, email: &str, now: Instant) -> Result<(), Duration> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= Self::ADDRESSES {
            seen.retain(|_, (_, first)| now.duration_since(*first) < Self::SPAN);
            if seen.len() >= Self::ADDRESSES && !seen.contains_key(email) {
                return Err(Self::SPAN);
            }
        }
        let (count, first) = seen.entry(email.to_owned()).or_insert((0, now));
        if now.duration_since(*first) >= Self::SPAN {
            (*count, *first) = (0, now);
        }
        if *count >= Self::MOST {
            return Err(Self::SPAN.saturating_sub(now.duration_since(*first)));
        }
        *count += 1;
        Ok(())
    }

    /// Forgets the attempts of an address that signed in.
    pub fn forget(&self, email: &str) {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(email);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_followed() {
        for elsewhere in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nb",
            "documents",
        ] {
            assert_eq!(own_path(elsewhere), "/documents", "{elsewhere:?}");
        }
        assert_eq!(own_path("/passages/1?start=2&end=3"), "/passages/1?start=2&end=3");
    }

    #[test]
    fn guessing_is_stopped_and_allowed_again() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for _ in 0..Attempts::MOST {
            assert_eq!(attempts.begin("a@b", start), Ok(()));
        }
        assert_eq!(attempts.begin("a@b", start), Err(Attempts::SPAN));
        assert_eq!(attempts.begin("c@d", start), Ok(()));
        assert_eq!(attempts.begin("a@b", start + Attempts::SPAN), Ok(()));
        attempts.forget("a@b");
        assert_eq!(attempts.begin("a@b", start), Ok(()));
    }

    #[test]
    fn only_so_many_addresses_are_remembered() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for number in 0..Attempts::ADDRESSES {
            assert_eq!(attempts.begin(&format!("{number}@b"), start), Ok(()));
        }
        assert_eq!(attempts.begin("one-more@b", start), Err(Attempts::SPAN));
        assert_eq!(attempts.begin("7@b", start), Ok(()), "known addresses go on");
        assert_eq!(attempts.begin("one-more@b", start + Attempts::SPAN), Ok(()));
        assert_eq!(attempts.seen.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn passwords_are_checked_a_few_at_a_time() {
        let others = CHECKS.acquire_many(2).await.unwrap();
        let waiting = tokio::spawn(check("a password".to_owned(), None));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        drop(others);
        assert_eq!(waiting.await.unwrap(), Some(false));
    }
}
