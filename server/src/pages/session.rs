//! Who looks at a page.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use plumbline_store::{Admin, Secret, Store, StoreError, Tenant};
use uuid::Uuid;

use super::layout::{Shell, Tab};
use super::trouble::Trouble;
use super::{wants_part, words};
use crate::app::App;

/// Name of the cookie that carries the session.
pub const SESSION_COOKIE: &str = "plumbline_session";

/// An admin with a session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The admin.
    pub admin: Admin,
    /// The tenant the admin works for.
    pub tenant: Tenant,
}

impl SignedIn {
    /// The frame of a page for this admin.
    pub fn shell(&self, tab: Tab) -> Shell {
        Shell {
            tenant: self.tenant.name.clone(),
            email: Some(self.admin.email.clone()),
            tab,
        }
    }
}

/// Somebody who may look at a tenant's simulator and passages: an admin, or in a demo anybody.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// The tenant.
    pub tenant: Tenant,
    /// Address of the admin, none for a visitor of a demo.
    pub email: Option<String>,
}

impl Viewer {
    /// The frame of a page for this viewer.
    pub fn shell(&self, tab: Tab) -> Shell {
        Shell {
            tenant: self.tenant.name.clone(),
            email: self.email.clone(),
            tab,
        }
    }
}

/// The session that a request carries, if any.
pub fn session_of(headers: &HeaderMap) -> Option<Secret> {
    CookieJar::from_headers(headers)
        .get(SESSION_COOKIE)
        .map(|cookie| Secret::presented(cookie.value()))
}

/// The `Set-Cookie` value of a cookie that only this server reads; no seconds to live forget it.
pub fn cookie(name: &str, value: &str, seconds: u64, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

async fn signed_in(store: &Store, headers: &HeaderMap) -> Result<Option<SignedIn>, StoreError> {
    let Some(token) = session_of(headers) else {
        return Ok(None);
    };
    let mut tx = store.system().await?;
    let Some(admin) = tx.admin_of_session(&token).await? else {
        return Ok(None);
    };
    drop(tx);
    let tenant = tenant(store, admin.tenant_id).await?;
    Ok(tenant.map(|tenant| SignedIn { admin, tenant }))
}

/// The tenant under the name that its customers know, if the settings say one.
async fn tenant(store: &Store, id: Uuid) -> Result<Option<Tenant>, StoreError> {
    let tenants = store.system().await?.tenants().await?;
    let Some(mut tenant) = tenants.into_iter().find(|tenant| tenant.id == id) else {
        return Ok(None);
    };
    let business = store
        .tenant(id)
        .await?
        .settings()
        .await?
        .settings
        .answer
        .business_name;
    if !business.is_empty() {
        tenant.name = business;
    }
    Ok(Some(tenant))
}

async fn viewer(app: &App, headers: &HeaderMap) -> Result<Option<Viewer>, StoreError> {
    if let Some(who) = signed_in(&app.store, headers).await? {
        return Ok(Some(Viewer {
            tenant: who.tenant,
            email: Some(who.admin.email),
        }));
    }
    let Some(demo) = app.demo else {
        return Ok(None);
    };
    Ok(tenant(&app.store, demo)
        .await?
        .map(|tenant| Viewer { tenant, email: None }))
}

/// To the sign-in, and back here afterwards. A script is told to go there with the whole page.
fn to_sign_in(parts: &Parts) -> Response {
    if wants_part(&parts.headers) {
        let go = [(HeaderName::from_static("hx-redirect"), "/sign-in")];
        return (StatusCode::UNAUTHORIZED, go).into_response();
    }
    let here = parts.uri.path_and_query().map_or("/", |here| here.as_str());
    if parts.method == axum::http::Method::GET && here != "/" {
        Redirect::to(&format!("/sign-in?next={}", words::query_escape(here))).into_response()
    } else {
        Redirect::to("/sign-in").into_response()
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        match signed_in(&app.store, &parts.headers).await {
            Ok(Some(who)) => Ok(who),
            Ok(None) => Err(to_sign_in(parts)),
            Err(error) => Err(Trouble::from(error).into_response()),
        }
    }
}

impl FromRequestParts<App> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        match viewer(app, &parts.headers).await {
            Ok(Some(viewer)) => Ok(viewer),
            Ok(None) => Err(to_sign_in(parts)),
            Err(error) => Err(Trouble::from(error).into_response()),
        }
    }
}

/// The value of a header that sets a cookie.
pub fn set_cookie(value: String) -> [(HeaderName, String); 1] {
    [(header::SET_COOKIE, value)]
}

#[cfg(test)]
mod tests {
    use super::cookie;

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
        let plain = cookie("a", "b", 60, false);
        assert_eq!(plain, "a=b; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
        assert!(cookie("a", "b", 60, true).ends_with("; Secure"));
    }
}
