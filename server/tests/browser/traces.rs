//! What an admin does with traces: finds the one of an answer, reads it, asks it again, and compares two settings in the
//! playground.

use serde_json::json;

use crate::program::Program;
use crate::webdriver::{Browser, DESK, ENTER, NO_SCRIPTS, PHONE, Screen};
use crate::{TURN, driver, sign_in};

const KUMASI: &str = "What does delivery to Kumasi cost?";

async fn nothing_sticks_out(browser: &Browser, page: &str) {
    let wide = browser
        .ask(
            "return [document.documentElement, ...document.querySelectorAll('main .card, main td, main .button, main textarea')] \
                 .filter((part) => part.getBoundingClientRect().right > window.innerWidth + 1) \
                 .map((part) => part.outerHTML.slice(0, 80))",
        )
        .await;
    assert_eq!(wide, json!([]), "{page} sticks out sideways");
    // nothing is wider inside than the box that shows it, where that box cuts it off
    let cut = browser
        .ask(
            "return [...document.querySelectorAll('main .card, main .pair > *, main fieldset')] \
                 .filter((part) => part.scrollWidth > part.clientWidth + 1) \
                 .map((part) => part.outerHTML.slice(0, 80))",
        )
        .await;
    assert_eq!(cut, json!([]), "{page} cuts something off");
}

/// Asks in the simulator, and waits for the evidence of this question: one typed while the answer before is still being
/// written would belong to the same turn.
async fn chat(program: &Program, browser: &Browser, question: &str) {
    browser.go(&program.page("/simulator")).await;
    browser.type_into("#text", &format!("{question}{ENTER}")).await;
    browser.wait_for_text("#evidence .asked", question).await;
    browser
        .wait_for_text("#evidence", "Evidence for every sentence")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_of_an_answer_is_read_and_asked_again() {
    in_browser!(DESK, traces);
}

async fn traces(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    browser.go(&program.page("/traces")).await;
    browser.wait_for_text("#traces", "No traces yet").await;
    browser.picture("traces-empty").await;
    program.trace_everything().await;
    chat(program, browser, KUMASI).await;
    chat(program, browser, "What does a flight to Lisbon cost?").await;
    chat(
        program,
        browser,
        "How long does the warranty of the Aurora lamp last?",
    )
    .await;
    // the trace is stored right after the answer
    browser.go(&program.page("/traces?words=warranty")).await;
    while !browser.text("#traces").await.contains("warranty") {
        browser.go(&program.page("/traces?words=warranty")).await;
    }
    browser.go(&program.page("/simulator")).await;
    browser.wait_for_text("#evidence", "How it was found").await;
    browser.picture("evidence-trace").await;
    browser.click("#evidence a[href^='/traces/']").await;
    browser.wait_for_text("h1", "How long does the warranty").await;
    browser.wait_for_text(".analysed", "warranty").await;
    browser.wait_for_text(".cands .kept", "hit 1").await;
    browser.wait_for_text(".cands .kept", "cited").await;
    browser
        .wait_for_text("[aria-labelledby=packed]", "24 months")
        .await;
    browser
        .wait_for_text("[aria-labelledby=reply]", "24 months")
        .await;
    nothing_sticks_out(browser, "the trace").await;
    browser.picture("trace").await;
    for (name, place) in [("trace-legs", "#analysis"), ("trace-packed", "#packed")] {
        browser
            .ask(&format!("document.querySelector('{place}').scrollIntoView()"))
            .await;
        browser.picture(name).await;
    }

    replayed(program, browser).await;
    listed(program, browser).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// From a trace: another version is published, and it is asked again as it was then and as it is now.
async fn replayed(program: &Program, browser: &Browser) {
    let newer = "# Questions about Lumen Lamps\n\n## Warranty\n\nThe warranty of the Aurora lamp lasts 36 months from the \
                 date on the receipt.\n\n## Delivery\n\nDelivery to Kumasi costs GHS 35 and takes 3 working days.\n\n## Opening hours\n\nThe shop in Accra is open from 8:00 to 17:30, \
                 Monday to Saturday.\n";
    let trace = browser.address().await;
    browser.go(&program.page("/documents")).await;
    let file = program.file("faq.md", newer);
    browser.type_into("#files", &file.display().to_string()).await;
    browser.wait_for_text("tr.doc", "v2").await;
    browser.gone(".stage").await;
    browser.go(&trace).await;
    browser
        .click("form[action$='/replay']:has([value=then]) button")
        .await;
    browser.wait_for_text("#notices", "Asked again").await;
    browser
        .wait_for_text(".difference .verdict", "The same reply")
        .await;
    browser.click(".sub a").await;
    browser
        .click("form[action$='/replay']:has([value=now]) button")
        .await;
    browser
        .wait_for_text(".difference .verdict", "Another reply")
        .await;
    browser.wait_for_text(".difference", "36 months").await;
    browser.wait_for_text(".difference", "version 1 → 2").await;
    browser.picture("trace-replayed").await;
}

/// The list is searched while one types, and says what it cannot understand.
async fn listed(program: &Program, browser: &Browser) {
    browser.go(&program.page("/traces")).await;
    browser.find("tr.doc").await;
    nothing_sticks_out(browser, "the traces").await;
    browser.picture("traces").await;
    browser.type_into("#words", "lisbon").await;
    loop {
        let list = browser.text("#traces").await;
        if !list.contains("Kumasi") {
            assert!(list.contains("Lisbon") && list.contains("Not answered"), "{list}");
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    browser.go(&program.page("/traces?since=yesterday")).await;
    browser
        .wait_for_text("#traces", "Since: \"yesterday\" is no date")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_settings_are_compared_in_the_playground_and_one_answer_becomes_a_golden_case() {
    in_browser!(DESK, playground);
}

async fn playground(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    browser.click(".top nav a[href='/playground']").await;
    browser.wait_for_text("h1", "Playground").await;
    browser.picture("playground-empty").await;
    browser.type_into("#question", KUMASI).await;
    browser
        .type_into("#b_changes", "retrieval.lexical_weight=2\nanswer.max_chars=many")
        .await;
    browser.click(".more-fields summary").await;
    browser.type_into("#history", "Do you deliver?").await;
    browser.click(".play .do .button").await;
    browser
        .wait_for_text("#b_changes-problem", "cannot be used")
        .await;
    browser
        .wait_for_text("#history-problem", "Line 1 begins with neither")
        .await;
    assert_eq!(
        browser
            .ask("return document.querySelector('#question').value")
            .await,
        KUMASI
    );
    let _ = browser.complaints().await; // the refusal itself is one
    browser.picture("playground-wrong").await;
    browser
        .ask("for (const name of ['#b_changes', '#history']) document.querySelector(name).value = ''")
        .await;
    browser
        .type_into("#history", "Customer: Do you deliver?\nBot: Yes.")
        .await;
    browser
        .type_into(
            "#b_changes",
            "retrieval.lexical_weight=1\nanswer.min_confidence=1",
        )
        .await;
    browser.click(".play .do .button").await;
    browser.wait_for_text("#both", "GHS 35").await;
    let both = browser.text("#both").await;
    assert!(
        both.contains("Answered")
            && both.contains("Said it does not know")
            && both.contains("Another outcome"),
        "{both}"
    );
    let settings = browser.text("[aria-labelledby=changed-settings]").await;
    assert!(
        settings.contains("retrieval.lexical_weight") && settings.contains("0.25"),
        "{settings}"
    );
    nothing_sticks_out(browser, "the playground").await;
    browser.picture("playground").await;
    browser
        .ask("document.querySelector('#both').scrollIntoView()")
        .await;
    browser.picture("playground-both").await;
    compared(browser).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// From two replies side by side: what was typed is still there, and only the column that customers would get can become
/// a case.
async fn compared(browser: &Browser) {
    assert_eq!(
        browser
            .ask("return document.querySelector('#b_changes').value")
            .await,
        "retrieval.lexical_weight=1\nanswer.min_confidence=1"
    );
    let here = browser.address().await;
    assert!(here.contains("/playground?a=") && here.contains("&b="), "{here}");
    assert!(!browser.has("article:nth-child(2) form").await);
    browser.click("article:nth-child(1) form button").await;
    browser.wait_for_text("#notices", "Saved as a draft").await;
    let draft = browser.text(".case").await;
    assert!(
        draft.contains(KUMASI) && draft.contains("Do you deliver?"),
        "{draft}"
    );
    browser.go(&here).await;
    browser
        .wait_for_text("article:nth-child(1)", "Golden draft")
        .await;
    browser.click("article:nth-child(2) .do a").await;
    browser
        .wait_for_text("[aria-labelledby=settings]", "answer.min_confidence=1")
        .await;
    browser.click(".tools a[href^='/playground']").await;
    assert_eq!(
        browser
            .ask("return document.querySelector('#a_changes').value")
            .await,
        "retrieval.lexical_weight=1\nanswer.min_confidence=1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_traces_and_the_playground_fit() {
    in_browser!(PHONE, narrow);
}

async fn narrow(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    browser.go(&program.page("/playground")).await;
    nothing_sticks_out(browser, "the empty playground").await;
    browser.picture("phone-playground-empty").await;
    browser.type_into("#question", KUMASI).await;
    browser
        .type_into("#b_changes", "retrieval.lexical_weight=0\nretrieval.rerank=false")
        .await;
    browser.click(".play .do .button").await;
    browser.wait_for_text("#both", "GHS 35").await;
    nothing_sticks_out(browser, "the playground").await;
    browser
        .ask("document.querySelector('#both').scrollIntoView()")
        .await;
    browser.picture("phone-playground").await;
    browser.click("article:nth-child(2) .do a").await;
    browser.find(".cands").await;
    nothing_sticks_out(browser, "the trace").await;
    browser.picture("phone-trace").await;
    browser
        .ask("document.querySelector('#candidates').scrollIntoView()")
        .await;
    browser.picture("phone-trace-candidates").await;
    browser
        .click("form[action$='/replay']:has([value=then]) button")
        .await;
    browser.find(".difference").await;
    nothing_sticks_out(browser, "the replay").await;
    browser.picture("phone-replay").await;
    browser.go(&program.page("/traces")).await;
    browser.find("tr.doc").await;
    nothing_sticks_out(browser, "the traces").await;
    browser.picture("phone-traces").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_traces_are_found_and_settings_compared() {
    in_browser!(NO_SCRIPTS, bare);
}

async fn bare(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    browser.go(&program.page("/playground")).await;
    browser.type_into("#question", KUMASI).await;
    browser.click(".play .do .button").await;
    browser.wait_for_text("#both .verdict", "The same reply").await;
    browser.go(&program.page("/traces")).await;
    browser.type_into("#words", "kumasi").await;
    browser.click(".sift .button").await;
    browser.click("tr.doc td.title a").await;
    browser
        .click("form[action$='/replay']:has([value=now]) button")
        .await;
    browser
        .wait_for_text(".difference .verdict", "The same reply")
        .await;
}
