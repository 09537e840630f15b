//! What an admin does with verdicts: looks at runs, compares them, goes over the head of the eval and back, and makes
//! golden cases of what customers asked.

use std::time::Duration;

use serde_json::{Value, json};

use crate::program::Program;
use crate::webdriver::{Browser, DESK, ENTER, NO_SCRIPTS, PHONE, Screen};
use crate::{TURN, driver, sign_in};

/// A case about delivery to a town, answered as it should be or not.
fn case(number: usize, passed: bool) -> Value {
    let town = ["Kumasi", "Tamale", "Ho", "Wa", "Cape Coast"][number % 5];
    let answer = if passed {
        format!("Delivery to {town} costs GHS {}.", 30 + number)
    } else {
        format!("Delivery to {town} costs GHS 99. It takes 3 days.")
    };
    let wrong = format!("Delivery to {town} costs GHS 99.");
    json!({
        "id": format!("delivery-{number:02}"), "kind": "answerable", "passed": passed, "withheld": number == 7,
        "slices": [if number.is_multiple_of(3) { "lang:fr" } else { "lang:en" }],
        "question": if number == 7 { String::new() } else { format!("how much to send a lamp to {town}, parcel {number}?") },
        "history": if number == 2 { json!([{ "role": "customer", "text": "hello, I live up north" }]) } else { json!([]) },
        "expected": [{ "document": "delivery/tariff.csv", "quote": format!("{town},{}", 30 + number),
                       "rank": if passed { json!(1) } else { json!(null) } }],
        "problems": if passed { json!([]) } else { json!(["claims: number 99", "recall@5 0.00"]) },
        "observed": "answered", "route": "commodity", "expected_route": "commodity", "answer": answer, "wall_ms": 41.0,
        "unsupported": if passed { json!([]) } else { json!([{ "text": wrong, "why": "number 99" }]) },
        "top": [{ "document": "delivery/tariff.csv", "holds": if passed { json!(["1"]) } else { json!([]) },
                  "text": format!("Town: {town} | Fee GHS: {}", 30 + number) },
                { "document": "help/faq.md", "holds": [], "text": "Delivery to Kumasi costs GHS 35 and takes 3 working days." }],
    })
}

/// A report of 30 cases of which `failed` failed.
fn report(failed: &[usize]) -> Value {
    let cases: Vec<Value> = (0..30)
        .map(|number| case(number, !failed.contains(&number)))
        .collect();
    let passed = 30 - failed.len();
    #[expect(clippy::cast_precision_loss, reason = "thirty cases")]
    let recall = passed as f64 / 30.0;
    let estimate = |point: f64| json!({ "value": { "k": passed, "n": 30, "point": point, "lower": point - 0.08, "upper": point + 0.05 } });
    let good = recall >= 0.8;
    let cause = if good {
        "all 2 blocking gates passed"
    } else {
        "recall_at_5 failed"
    };
    json!({
        "schema_version": 1,
        "exit": { "code": i32::from(!good), "cause": cause },
        "run": { "golden": "lumen", "selection": "all", "cases": 30, "coverage": 1.0, "mode": "live", "corpus_manifest_sha256": "a" },
        "gates": [
            { "gate": { "metric": "recall_at_5", "threshold": 0.8, "proof": "point", "severity": "block" }, "direction": "high",
              "unit": "share", "measured": estimate(recall), "verdict": if good { "pass" } else { "fail" },
              "reason": if good { json!(null) } else { json!("the value misses the threshold") } },
            { "gate": { "metric": "p95_latency_ms", "threshold": 250.0, "proof": "point", "severity": "warn" }, "direction": "low",
              "unit": "milliseconds", "verdict": "inconclusive", "reason": "30 calls are too few: 59 are needed",
              "measured": { "value": { "k": 29, "n": 30, "point": 143.0, "lower": 120.0, "upper": null } } },
        ],
        "metrics": [
            { "name": "recall_at_5", "direction": "high", "unit": "share", "measured": estimate(recall) },
            { "name": "routing_macro_precision", "direction": "high", "unit": "share", "measured": estimate(0.94) },
            { "name": "false_abstention", "direction": "low", "unit": "share", "measured": estimate(1.0 - recall) },
            { "name": "hallucination_rate", "direction": "low", "unit": "share", "measured": estimate(0.02) },
            { "name": "p95_latency_ms", "direction": "low", "unit": "milliseconds",
              "measured": { "value": { "k": 29, "n": 30, "point": 140.0 + recall * 10.0, "lower": 120.0, "upper": null } } },
        ],
        "slices": [{ "slice": "lang:en", "n": 20, "recall_at_5": 0.9, "answer_correct": 0.85, "false_abstention": 0.05 },
                   { "slice": "lang:fr", "n": 10, "recall_at_5": 0.7, "answer_correct": 0.6, "false_abstention": 0.2 }],
        "cases": cases,
    })
}

/// A few runs, the last of which is refused.
async fn some_runs(program: &Program) {
    for failed in [
        vec![1, 2, 3, 4],
        vec![1, 2, 3],
        vec![1, 2],
        vec![2, 3, 5, 6, 7, 8, 9, 10, 11],
    ] {
        program.record(failed.len() < 6, report(&failed)).await;
    }
}

async fn nothing_sticks_out(browser: &Browser, page: &str) {
    // an ancestor may cut off what is too wide, and then the page is as narrow as it should be
    let wide = browser
        .ask(
            "return [document.documentElement, ...document.querySelectorAll('main .card')] \
                 .filter((part) => part.getBoundingClientRect().right > window.innerWidth) \
                 .map((part) => part.outerHTML.slice(0, 80))",
        )
        .await;
    assert_eq!(wide, json!([]), "{page} sticks out sideways");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_looked_at_and_compared() {
    in_browser!(DESK, runs);
}

async fn runs(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    browser.go(&program.page("/evals")).await;
    browser.wait_for_text("#runs", "No runs yet").await;
    browser.picture("evals-empty").await;
    some_runs(program).await;
    browser.go(&program.page("/evals")).await;
    browser.wait_for_text(".top nav [aria-current]", "Evals").await;
    let spoken = browser
        .ask("return document.querySelector('.trend svg').getAttribute('aria-label')")
        .await;
    assert_eq!(
        spoken,
        "Recall@5 over 4 runs: from 86.7 % to 70.0 %, lowest 70.0 %, highest 93.3 %."
    );
    let newest = browser.text("tr.doc").await;
    assert!(
        newest.contains("Refused") && newest.contains("70.0 %"),
        "{newest}"
    );
    browser.picture("evals").await;

    browser.click("tr.doc td.title a").await;
    browser.wait_for_text(".verdict", "Recall@5 failed.").await;
    let gates = browser.text("[aria-labelledby=gates]").await;
    assert!(
        gates.contains("value ≥ 80.0 %") && gates.contains("Inconclusive") && gates.contains("warns only"),
        "{gates}"
    );
    let cases = browser.text("#cases").await;
    assert!(
        cases.contains("delivery-02") && cases.contains("not found") && !cases.contains("delivery-01"),
        "{cases}"
    );
    assert!(
        cases.contains("Held back") && !cases.contains("parcel 7"),
        "{cases}"
    );
    assert_eq!(
        browser.text("#case-delivery-02 mark").await,
        "Delivery to Ho costs GHS 99.\n[not supported: number 99]"
    );
    browser.picture("eval").await;
    browser.click("#case-delivery-02 summary").await;
    browser
        .wait_for_text("#case-delivery-02 .found li", "delivery/tariff.csv")
        .await;
    browser
        .ask("document.querySelector('#case-delivery-02').scrollIntoView()")
        .await;
    browser.picture("eval-case").await;
    browser.click("#cases .tabs a:nth-child(3)").await;
    browser.wait_for_text("#cases .pager", "1–20 of 30").await;
    browser.click("#cases .pager a").await;
    browser.wait_for_text("#cases .pager", "21–30 of 30").await;
    browser
        .click("[aria-labelledby=slices] tbody tr:nth-child(2) a")
        .await;
    browser.wait_for_text("#cases-title", "lang:fr").await;
    assert!(!browser.text("#cases").await.contains("delivery-02"));

    two_runs(browser).await;
}

/// The page that compares the run that is open with the one before.
async fn two_runs(browser: &Browser) {
    browser.click(".tools a[href*=compare]").await;
    browser.wait_for_text("h1", "Compare two runs").await;
    browser
        .wait_for_text("[aria-labelledby=metrics]", "−23.3 points")
        .await;
    let broken = browser.text("[aria-labelledby=broken]").await;
    assert!(
        broken.contains("delivery-03") && !broken.contains("delivery-01"),
        "{broken}"
    );
    assert!(
        browser
            .text("[aria-labelledby=fixed]")
            .await
            .contains("delivery-01")
    );
    assert!(
        browser
            .text("[aria-labelledby=still]")
            .await
            .contains("delivery-02")
    );
    browser.picture("eval-compare").await;
    // the other way round, chosen by the form
    browser.find("#b").await;
    browser.ask("const [a, b] = ['#a', '#b'].map((name) => document.querySelector(name)); [a.value, b.value] = [b.value, a.value];").await;
    browser.click(".compare button").await;
    browser
        .wait_for_text("[aria-labelledby=metrics]", "+23.3 points")
        .await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

async fn upload(program: &Program, browser: &Browser, price: u32) {
    let text = format!("# Prices\n\nThe Aurora lamp costs GHS {price} and comes with a cable.\n");
    let file = program.file("prices.md", text);
    browser.go(&program.page("/documents")).await;
    browser.type_into("#files", &file.display().to_string()).await;
    browser.wait_for_text("#notices", "1 file received").await;
    browser.wait_for_text("#documents", "prices.md").await;
    browser.gone(".stage").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staged_version_is_published_over_the_head_of_the_eval_and_taken_back() {
    in_browser!(DESK, staged);
}

async fn staged(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    upload(program, browser, 120).await;
    program.gate().await;
    upload(program, browser, 135).await;
    browser.go(&program.page("/documents?q=prices.md")).await;
    browser.click("tr.doc .name a").await;
    browser.wait_for_text(".title-block", "Version 1 answers").await;
    // there is no golden set, so there is no verdict: that never counts as passed
    let began = std::time::Instant::now();
    while !browser.text(".version .judged").await.contains("gave no verdict") {
        assert!(began.elapsed() < Duration::from_mins(1), "the run never ended");
        tokio::time::sleep(Duration::from_millis(200)).await;
        let here = browser.address().await;
        browser.go(&here).await;
    }
    let said = browser.text(".version .judged").await;
    assert!(said.contains("put the golden set of the tenant there"), "{said}");
    browser.picture("document-staged").await;
    browser.click(".version .judged a").await;
    browser.wait_for_text("h1", "version 2").await;
    browser
        .wait_for_text(".verdict", "does not answer customers")
        .await;
    browser.picture("eval-no-verdict").await;
    browser.click(".tools form[action$='/again'] button").await;
    browser.wait_for_text("#notices", "asked again").await;
    browser.wait_for_text(".sub", "No verdict").await;
    browser.click(".tools form[action$='/publish'] button").await;
    browser.wait_for_text(".title-block", "Version 2 answers").await;

    browser.go(&program.page("/evals")).await;
    browser.wait_for_text("tr.doc", "Live").await;
    browser.click("tr.doc td.title a").await;
    browser.wait_for_text(".tools", "Roll back to version 1").await;
    browser.click(".tools form[action$='/publish'] button").await;
    browser.wait_for_text(".title-block", "Version 1 answers").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

async fn ask(program: &Program, browser: &Browser, question: &str) {
    browser.go(&program.page("/simulator")).await;
    browser.type_into("#text", &format!("{question}{ENTER}")).await;
    browser.find(".bubble:not(.mine)[data-wamid]").await;
    browser
        .wait_for_text("#evidence", "Evidence for every sentence")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_becomes_a_golden_case() {
    in_browser!(DESK, golden);
}

async fn golden(program: &Program, browser: &Browser) {
    ask(program, browser, "hello").await;
    assert!(
        !browser.has(".ev-golden").await,
        "a visitor of the demo makes no cases"
    );
    sign_in(program, browser).await;
    browser.go(&program.page("/simulator")).await;
    browser.click(".chat-tools button").await;
    ask(
        program,
        browser,
        "I'm Ama Mensah, 024 555 0199. What does delivery to Kumasi cost?",
    )
    .await;
    browser.picture("evidence-golden").await;
    browser.click(".ev-golden button").await;
    browser.wait_for_text("#notices", "Saved as a draft").await;
    let draft = browser.text(".case").await;
    assert!(
        draft.contains("I'm [name], [phone]. What does delivery to Kumasi cost?") && draft.contains("Chosen"),
        "{draft}"
    );
    browser.picture("eval-drafts").await;
    browser.click(".case .do a").await;
    browser
        .wait_for_text(".ev-golden", "is a draft of a golden case")
        .await;
    browser.click(".ev-golden a").await;
    browser.click(".case form[action$='/dismiss'] button").await;
    browser.wait_for_text("#notices", "Dismissed").await;
    browser.wait_for_text("main", "No drafts wait").await;
    browser.click(".tabs a:nth-child(3)").await;
    browser.click(".case form[action$='/restore'] button").await;
    browser.wait_for_text("#notices", "It is a draft again").await;
    // the file is given out once, and what it holds is told as exported
    browser.click("form[action$='/export'] button").await;
    let began = std::time::Instant::now();
    loop {
        browser.go(&program.page("/evals/drafts?state=exported")).await;
        if browser.text("main").await.contains("delivery to Kumasi") {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "the export never came");
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_the_pages_of_the_eval_fit() {
    in_browser!(PHONE, narrow);
}

async fn narrow(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    some_runs(program).await;
    browser.go(&program.page("/evals")).await;
    browser.find("tr.doc").await;
    nothing_sticks_out(browser, "the history").await;
    browser.picture("phone-evals").await;
    browser
        .ask("document.querySelector('.runs').scrollIntoView()")
        .await;
    browser.picture("phone-evals-list").await;
    browser.click("tr.doc td.title a").await;
    browser.find("#cases").await;
    nothing_sticks_out(browser, "the run").await;
    browser.picture("phone-eval").await;
    browser
        .ask("document.querySelector('#case-delivery-02').scrollIntoView()")
        .await;
    browser.picture("phone-eval-case").await;
    browser.click(".tools a[href*=compare]").await;
    browser.find("[aria-labelledby=broken]").await;
    nothing_sticks_out(browser, "the comparison").await;
    browser.picture("phone-eval-compare").await;
    browser.go(&program.page("/evals/drafts")).await;
    nothing_sticks_out(browser, "the drafts").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_runs_can_be_read_and_cases_made() {
    in_browser!(NO_SCRIPTS, bare);
}

async fn bare(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    some_runs(program).await;
    browser.go(&program.page("/evals")).await;
    browser.click("tr.doc td.when a").await;
    browser
        .wait_for_text("[aria-labelledby=fixed]", "delivery-01")
        .await;
    browser.go(&program.page("/simulator")).await;
    browser
        .type_into("#text", "What does delivery to Kumasi cost?")
        .await;
    browser.click("#compose button[aria-label='Send']").await;
    while !browser.has(".why-link").await {
        browser.go(&program.page("/simulator")).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    browser.click(".why-link").await;
    browser.click(".ev-golden button").await;
    browser.wait_for_text("#notices", "Saved as a draft").await;
}
