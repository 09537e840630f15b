//! Signing in to the pages.

use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};

use crate::support::Server;

const EMAIL: &str = "ama@shop.example";

async fn give_password(server: &Server, password: &str) {
    let hash = plumbline_server::password::hash(password).unwrap();
    let mut tx = server.app.store.system().await.unwrap();
    tx.put_admin(server.tenant, EMAIL, &hash).await.unwrap();
    tx.commit().await.unwrap();
}

async fn sign_in(server: &Server, http: &Client, email: &str, password: &str) -> Response {
    let form = [("email", email), ("password", password)];
    let form = Url::parse_with_params("http://form", form).unwrap();
    http.post(format!("{}/sign-in", server.address))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.query().unwrap_or_default().to_owned())
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_signs_out_whoever_has_the_old_one() {
    let server = Server::start().await;
    let http = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build()
        .unwrap();
    give_password(&server, "the first password").await;
    let response = sign_in(&server, &http, EMAIL, "the first password").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let documents = async || {
        let page = http.get(format!("{}/documents", server.address));
        page.header("cookie", &cookie).send().await.unwrap().status()
    };
    assert_eq!(documents().await, StatusCode::OK);
    give_password(&server, "the second password").await;
    assert_eq!(documents().await, StatusCode::SEE_OTHER, "signed out");

    let long = format!("{}@shop.example", "a".repeat(300));
    let refused = sign_in(&server, &http, &long, "a password").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(refused.text().await.unwrap().contains("at most 254 characters"));
    server.end().await;
}
