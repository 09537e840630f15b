//! Just enough of the W3C `WebDriver` protocol to be a person with a browser.

use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

/// How long to wait for something to appear.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a text and the Enter key.
pub(crate) const ENTER: &str = "\u{e007}";

/// How the browser is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Width in CSS pixels.
    pub(crate) width: u32,
    /// Height in CSS pixels.
    pub(crate) height: u32,
    /// Whether it is a phone.
    pub(crate) phone: bool,
    /// Whether pages may run scripts.
    pub(crate) scripts: bool,
}

/// A desk.
pub(crate) const DESK: Screen = Screen {
    width: 1280,
    height: 900,
    phone: false,
    scripts: true,
};
/// A phone in a hand.
pub(crate) const PHONE: Screen = Screen {
    width: 390,
    height: 844,
    phone: true,
    scripts: true,
};
/// A desk where pages run no scripts.
pub(crate) const NO_SCRIPTS: Screen = Screen {
    scripts: false,
    ..DESK
};

/// A browser with one window; it ends with the value.
pub(crate) struct Browser {
    http: reqwest::Client,
    session: String,
    driver: Child,
    _profile: tempfile::TempDir,
}

/// The driver on this machine, if there is one.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line; this is their only setting"
)]
pub(crate) fn chromedriver() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMEDRIVER").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("chromedriver"));
    named.into_iter().chain(found).find(|file| file.is_file())
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn capabilities(screen: Screen, profile: &Path) -> Value {
    let mut options = json!({ "args": [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        format!("--window-size={},{}", screen.width, screen.height),
        format!("--user-data-dir={}", profile.display()),
    ] });
    if screen.phone {
        let metrics = json!({ "width": screen.width, "height": screen.height, "pixelRatio": 2 });
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
    }
    if !screen.scripts {
        options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    let logs = json!({ "browser": "ALL" });
    json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options, "goog:loggingPrefs": logs } } })
}

impl Browser {
    /// Opens a browser.
    pub(crate) async fn open(driver: &Path, screen: Screen) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let port = free_port().unwrap();
        // a group of its own, so that the browser ends with its driver
        let driver = Command::new(driver)
            .arg(format!("--port={port}"))
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        let root = format!("http://127.0.0.1:{port}");
        let began = Instant::now();
        while http.get(format!("{root}/status")).send().await.is_err() {
            assert!(began.elapsed() < PATIENCE, "chromedriver does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let asked = capabilities(screen, profile.path());
        let answer: Value = http
            .post(format!("{root}/session"))
            .json(&asked)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let id = answer["value"]["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("no session: {answer}"));
        Self {
            http,
            session: format!("{root}/session/{id}"),
            driver,
            _profile: profile,
        }
    }

    async fn get(&self, path: &str) -> Result<Value, Value> {
        let answer = self
            .http
            .get(format!("{}{path}", self.session))
            .send()
            .await
            .unwrap();
        value(answer).await
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, Value> {
        let answer = self
            .http
            .post(format!("{}{path}", self.session))
            .json(&body)
            .send()
            .await
            .unwrap();
        value(answer).await
    }

    /// Opens an address.
    pub(crate) async fn go(&self, address: &str) {
        self.post("/url", json!({ "url": address })).await.unwrap();
    }

    /// The present address.
    pub(crate) async fn address(&self) -> String {
        self.get("/url").await.unwrap().as_str().unwrap().to_owned()
    }

    async fn look(&self, selector: &str) -> Option<String> {
        let asked = json!({ "using": "css selector", "value": selector });
        let found = self.post("/element", asked).await.ok()?;
        found.as_object()?.values().next()?.as_str().map(str::to_owned)
    }

    /// Waits until something is on the page.
    pub(crate) async fn find(&self, selector: &str) -> String {
        let began = Instant::now();
        loop {
            if let Some(element) = self.look(selector).await {
                return element;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "no {selector} on {}",
                self.address().await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether something is on the page now.
    pub(crate) async fn has(&self, selector: &str) -> bool {
        self.look(selector).await.is_some()
    }

    /// Waits until nothing of the kind is on the page any more.
    pub(crate) async fn gone(&self, selector: &str) {
        let began = Instant::now();
        while self.has(selector).await {
            assert!(began.elapsed() < PATIENCE * 4, "{selector} stays on the page");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What a person reads there.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let began = Instant::now();
        loop {
            let element = Box::pin(self.find(selector)).await;
            // the page may replace the element between finding and reading it
            match self.get(&format!("/element/{element}/text")).await {
                Ok(text) => return text.as_str().unwrap().to_owned(),
                Err(error) => assert!(began.elapsed() < PATIENCE, "{selector}: {error}"),
            }
        }
    }

    /// Waits until a person reads `part` there.
    pub(crate) async fn wait_for_text(&self, selector: &str, part: &str) {
        let began = Instant::now();
        loop {
            let text = self.text(selector).await;
            if text.contains(part) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{selector} never said {part:?}, but {text:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Clicks. What lies under the bar at the top, or out of sight, is scrolled to the middle first.
    pub(crate) async fn click(&self, selector: &str) {
        let began = Instant::now();
        loop {
            let element = self.find(selector).await;
            // at once and before the click: one that is aimed while the page still scrolls hits what is there afterwards
            let script = "document.querySelector(arguments[0])?.scrollIntoView({ block: 'center', behavior: 'instant' })";
            let asked = json!({ "script": script, "args": [selector] });
            let _ = self.post("/execute/sync", asked).await;
            match self.post(&format!("/element/{element}/click"), json!({})).await {
                Ok(_) => return,
                Err(error) => assert!(began.elapsed() < PATIENCE, "{selector}: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Types, or chooses files when the field is for files.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        self.post(&format!("/element/{element}/value"), json!({ "text": text }))
            .await
            .unwrap();
    }

    /// The result of a script that only looks.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] }))
            .await
            .unwrap()
    }

    /// Runs a script with one text as its argument.
    pub(crate) async fn ask_with(&self, script: &str, argument: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [argument] }))
            .await
            .unwrap()
    }

    /// Waits until `part` is what a screen reader would read there, whether or not it is to be seen.
    pub(crate) async fn wait_for_hidden_text(&self, selector: &str, part: &str) {
        let began = Instant::now();
        loop {
            let script = "return document.querySelector(arguments[0])?.textContent ?? ''";
            let text = self.ask_with(script, selector).await;
            if text.as_str().unwrap_or_default().contains(part) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{selector} never said {part:?}, but {text}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What the browser complained about since it was asked last.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = self.post("/se/log", json!({ "type": "browser" })).await.unwrap();
        let entries = entries.as_array().unwrap().iter();
        entries
            .filter_map(|entry| entry["message"].as_str().map(str::to_owned))
            .collect()
    }

    /// Takes a picture when `PLUMBLINE_SCREENSHOTS` names a folder.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests have no command line; this is their only setting"
    )]
    pub(crate) async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("PLUMBLINE_SCREENSHOTS").map(PathBuf::from) else {
            return;
        };
        let picture = self.get("/screenshot").await.unwrap();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(picture.as_str().unwrap())
            .unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
    }
}

async fn value(answer: reqwest::Response) -> Result<Value, Value> {
    let fine = answer.status().is_success();
    let mut body: Value = answer.json().await.unwrap();
    let value = body["value"].take();
    if fine { Ok(value) } else { Err(value) }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
        let _ = self.driver.wait();
    }
}
