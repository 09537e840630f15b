//! What people do with the pages, done in a real browser against the real program.
//!
//! They need chromedriver and Chromium. A machine without them skips these tests and says so, unless
//! `PLUMBLINE_REQUIRE_BROWSER` is set, as it is in CI. `PLUMBLINE_SCREENSHOTS=DIR` keeps pictures of the pages.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod program;
mod webdriver;

use std::path::PathBuf;

use program::{ADMIN, Program};
use webdriver::{Browser, DESK, ENTER, NO_SCRIPTS, PHONE, Screen, chromedriver};

/// One browser at a time: each takes a core for itself.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no command line; this is their only setting"
)]
fn driver() -> Option<PathBuf> {
    let driver = chromedriver();
    assert!(
        driver.is_some() || std::env::var_os("PLUMBLINE_REQUIRE_BROWSER").is_none(),
        "chromedriver is required and not in PATH"
    );
    if driver.is_none() {
        eprintln!("skipped: no chromedriver in PATH (Debian: apt install chromium-driver)");
    }
    driver
}

async fn sign_in(program: &Program, browser: &Browser) {
    browser.go(&program.page("/documents")).await;
    browser.type_into("#email", ADMIN.0).await;
    browser.type_into("#password", ADMIN.1).await;
    browser.click("form button.primary").await;
    browser.find("#documents").await;
}

macro_rules! in_browser {
    ($screen:expr, $scenario:ident) => {{
        let Some(driver) = driver() else {
            return;
        };
        let _turn = TURN.lock().await;
        let program = Program::start().await;
        let screen: Screen = $screen;
        let browser = Browser::open(&driver, screen).await;
        $scenario(&program, &browser).await;
    }};
}

mod evals;
mod ingestion;
mod traces;

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_uploads_and_reads_what_became_of_it() {
    in_browser!(DESK, upload);
}

async fn upload(program: &Program, browser: &Browser) {
    browser.go(&program.page("/documents")).await;
    assert!(browser.address().await.contains("/sign-in?next=%2Fdocuments"));
    browser.type_into("#email", ADMIN.0).await;
    browser.type_into("#password", "not the password").await;
    browser.click("form button.primary").await;
    browser.wait_for_text(".notice.bad", "do not match").await;
    browser.picture("sign-in").await;
    let _ = browser.complaints().await; // the refusal itself is one
    sign_in(program, browser).await;
    assert!(browser.address().await.ends_with("/documents"));

    let good = program.file("prices.csv", "Product,Price GHS\nAurora lamp,120\nDawn lamp,80\n");
    let bad = program.file("scan.pdf", "%PDF-1.7\ncut off");
    let evil = program.file(
        "evil.md",
        "# <script>document.title='owned'</script>\n\nHarmless words about lamps.\n",
    );
    let files = [good, bad, evil].map(|path| path.display().to_string());
    browser.type_into("#files", &files.join("\n")).await;
    browser.wait_for_text("#notices", "3 files received").await;
    // the list follows by itself until nothing is in progress
    browser.wait_for_text("tr.why", "scan.pdf").await;
    browser.wait_for_text("#documents", "evil.md").await;
    browser.gone(".stage").await;
    browser.picture("documents").await;
    let reason = browser.text("tr.why").await;
    assert!(reason.contains("Try again"), "{reason}");
    let rows = browser.text("#documents").await;
    assert!(
        rows.contains("prices.csv") && rows.contains("Failed") && rows.contains("Ready"),
        "{rows}"
    );
    assert_ne!(browser.ask("return document.title").await, "owned");

    // the same bytes again are no work
    browser.type_into("#files", &files[0]).await;
    browser.wait_for_text("#notices", "prices.csv: unchanged").await;

    // a file whose name one document's path ends in is that document's next version
    let newer = program.file("faq.md", "# Questions about Lumen Lamps\n\nWe moved to Tema.\n");
    browser.type_into("#files", &newer.display().to_string()).await;
    browser.wait_for_text("tr.doc", "help/faq.md").await;
    browser.wait_for_text("tr.doc", "v2").await;

    browser.type_into("#q", "scan").await;
    while browser.text("#documents").await.contains("prices.csv") {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(
        browser.ask("return document.querySelector('#q').value").await,
        "scan"
    );
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.go(&program.page("/documents/no-identifier")).await;
    browser.wait_for_text(".trouble", "cannot be read").await;
    browser.go(&program.page("/no/such/page")).await;
    browser.wait_for_text(".trouble", "There is no such page").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_replaces_a_file_and_rolls_back() {
    in_browser!(DESK, replace);
}

async fn replace(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    for price in ["120", "135"] {
        let file = program.file(
            "lamps.txt",
            format!("Prices of lamps\n\nThe Aurora lamp costs GHS {price}.\n"),
        );
        browser.type_into("#files", &file.display().to_string()).await;
        browser.wait_for_text("#notices", "1 file received").await;
        let version = if price == "120" { "v1" } else { "v2" };
        loop {
            let first = browser.text("tr.doc").await;
            if first.contains(version) && first.contains("Ready") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    browser.click("tr.doc .name a").await;
    browser.wait_for_text(".title-block", "Version 2 answers").await;
    browser.wait_for_text(".chunk .text", "GHS 135").await;
    browser.picture("document").await;
    browser.click(".chunk .open").await;
    browser.wait_for_text("mark#passage", "GHS 135").await;
    browser.wait_for_text(".standing", "This version answers").await;
    browser.picture("passage").await;
    let passage = browser.address().await;
    browser.click("a.back").await;

    browser.click("form[action$='/publish'] button").await;
    browser.wait_for_text(".title-block", "Version 1 answers").await;
    browser.go(&passage).await;
    browser
        .wait_for_text(".standing", "Another version answers")
        .await;

    browser.click(".standing a").await;
    browser.click("details.ask summary").await;
    browser.click(".sure button").await;
    browser.wait_for_text("#notices", "deleted").await;
    browser.go(&passage).await;
    browser.wait_for_text(".standing", "Deleted").await;
    browser.wait_for_text("mark#passage", "GHS 135").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_chats_and_every_sentence_has_evidence() {
    in_browser!(DESK, chat);
}

async fn chat(program: &Program, browser: &Browser) {
    browser.go(&program.page("/simulator")).await;
    browser.wait_for_text(".chat-head", "Lumen Lamps").await;
    browser.picture("simulator-empty").await;
    browser
        .type_into(
            "#text",
            &format!("How long does the warranty of the Aurora lamp last?{ENTER}"),
        )
        .await;
    browser
        .wait_for_text(".bubble.mine .said", "How long does the warranty")
        .await;
    browser
        .wait_for_text(".bubble:not(.mine)[data-wamid] .said", "24 months")
        .await;
    browser.find(".bubble.mine .stamp.tick-read").await;
    browser
        .wait_for_text("#evidence", "How long does the warranty")
        .await;
    browser.wait_for_text("a.proof", "24 months").await;
    browser.wait_for_text("#evidence", "Answered").await;
    browser.picture("simulator").await;

    browser.click("a.proof").await;
    browser.wait_for_text("mark#passage", "24 months").await;
    browser.wait_for_text(".standing", "This version answers").await;

    // the chat and its latest evidence are there again after coming back
    browser.go(&program.page("/simulator")).await;
    browser.wait_for_text("#thread", "24 months").await;
    browser.wait_for_text("a.proof", "24 months").await;
    browser.click(".chat-tools button").await;
    browser
        .wait_for_text("#evidence", "The evidence appears here")
        .await;
    assert!(
        !browser.has(".bubble.mine").await,
        "another customer begins with an empty chat"
    );
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_handed_to_a_person_starts_over_as_somebody_new() {
    in_browser!(DESK, start_over);
}

async fn start_over(program: &Program, browser: &Browser) {
    browser.go(&program.page("/simulator")).await;
    browser
        .type_into("#text", &format!("I want to talk to a person{ENTER}"))
        .await;
    browser.find(".bubble:not(.mine)[data-wamid]").await;
    browser.click(".chat-tools button").await;
    browser
        .wait_for_text("#evidence", "The evidence appears here")
        .await;
    assert!(!browser.has(".bubble[data-wamid]").await);
    // the same person would get no answer: the bot is silent after a handoff
    browser
        .type_into("#text", &format!("What does delivery to Kumasi cost?{ENTER}"))
        .await;
    browser
        .wait_for_text(".bubble:not(.mine)[data-wamid] .said", "GHS 35")
        .await;
    // and stays who it is
    browser.go(&program.page("/simulator")).await;
    browser.wait_for_text("#thread", "GHS 35").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_the_chat_fills_the_screen_and_the_evidence_slides_up() {
    in_browser!(PHONE, phone);
}

async fn phone(program: &Program, browser: &Browser) {
    browser.go(&program.page("/simulator")).await;
    browser
        .type_into("#text", &format!("What does delivery to Kumasi cost?{ENTER}"))
        .await;
    browser
        .wait_for_text(".bubble:not(.mine)[data-wamid] .said", "GHS 35")
        .await;
    let wide = browser
        .ask("return document.querySelector('.chat').getBoundingClientRect().width")
        .await;
    assert_eq!(wide, 390, "the chat is as wide as the phone");
    browser.picture("phone-chat").await;
    browser.click(".why-link").await;
    browser.find(".evidence.open").await;
    browser.wait_for_text(".evidence.open a.proof", "GHS 35").await;
    browser.picture("phone-evidence").await;
    sign_in(program, browser).await;
    browser.picture("phone-documents").await;
    let scrolls = browser
        .ask("return document.documentElement.scrollWidth <= window.innerWidth")
        .await;
    assert_eq!(scrolls, true, "nothing sticks out sideways");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_everything_still_works() {
    in_browser!(NO_SCRIPTS, plain);
}

async fn plain(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    let file = program.file(
        "returns.txt",
        "Returns\n\nA lamp can be returned within 14 days.\n",
    );
    browser.type_into("#files", &file.display().to_string()).await;
    browser.click("#drop button.send").await;
    browser.wait_for_text("#notices", "1 file received").await;
    loop {
        browser.go(&program.page("/documents?q=returns")).await;
        if browser.text("tr.doc").await.contains("Ready") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    browser.go(&program.page("/simulator")).await;
    browser
        .type_into("#text", "Within how many days can a lamp be returned?")
        .await;
    browser.click("#compose button[aria-label='Send']").await;
    loop {
        browser.go(&program.page("/simulator")).await;
        if browser.has(".why-link").await {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    browser.click(".why-link").await;
    browser.click("a.proof").await;
    browser.wait_for_text("mark#passage", "14 days").await;
}
