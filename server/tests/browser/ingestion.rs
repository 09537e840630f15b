//! What an admin does until the documents can be trusted: watches files being read, reads why one was not, compares
//! versions, goes back, and changes chunks by hand.

use std::fmt::Write as _;
use std::time::Duration;

use crate::program::Program;
use crate::webdriver::{Browser, DESK, NO_SCRIPTS, PHONE, Screen};
use crate::{TURN, driver, sign_in};

/// A text that takes the model a few seconds, so that its progress can be watched.
fn long_text() -> String {
    let mut text = String::from("# Everything about our lamps\n\n");
    for number in 1..=600 {
        let _ = write!(
            text,
            "## Lamp model {number}\n\nThe lamp with the number {number} gives {} lumen for {} hours on one charge. It \
             comes with a stand, a cable and a paper that explains how to hang it on a wall of the house.\n\n",
            number * 7 % 900 + 100,
            number % 14 + 3
        );
    }
    text
}

/// A section that is long enough to be a chunk of its own.
fn section(heading: &str, first: &str) -> String {
    let mut text = format!("## {heading}\n\n{first}\n\n");
    for number in 1..=2 {
        let _ = writeln!(
            text,
            "Point {number} about {heading}: ask in the shop for the paper that says all of it in {heading} number \
             {number}, and keep it together with the receipt for as long as you own the thing."
        );
    }
    text.push('\n');
    text
}

/// Prices, and a second version of them in which one line changed, one section went and one came.
fn prices() -> [String; 2] {
    let repairs = section(
        "Repairs",
        "A repair costs GHS 20 for every hour of work in our shop in Accra.",
    );
    let lamps = |price: u32| {
        section(
            "Lamps",
            &format!("The Aurora lamp costs GHS {price} and comes with a cable."),
        )
    };
    let sundays = section(
        "Sundays",
        "On Sundays the shop is closed and nobody answers the telephone.",
    );
    let forest = "From Friday evening on all orders wait. The rivers of the north carry more water than in other years, \
                  and whoever travels there takes boots, a tent and bread for two weeks."
        .repeat(2);
    [
        format!("# Prices\n\n{}{repairs}{sundays}", lamps(120)),
        format!("# Prices\n\n{}{repairs}## Weekends\n\n{forest}\n", lamps(135)),
    ]
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn nothing_sticks_out(browser: &Browser, page: &str) {
    let width = browser
        .ask("return [document.documentElement.scrollWidth, window.innerWidth]")
        .await;
    assert_eq!(width[0], width[1], "{page} sticks out sideways");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_dropped_are_followed_until_they_are_ready() {
    in_browser!(DESK, follow);
}

async fn follow(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    // no page is loaded again from here on: a mark on the window would not survive it
    browser.ask("window.stillHere = true").await;
    let drop = "const carried = new DataTransfer();
        carried.items.add(new File([arguments[0]], 'lamps.md', { type: 'text/markdown' }));
        carried.items.add(new File(['Opening hours\\n\\nWe open at eight.'], 'hours.txt', { type: 'text/plain' }));
        carried.items.add(new File(['%PDF-1.7 cut off'], 'scan.pdf', { type: 'application/pdf' }));
        for (const kind of ['dragenter', 'dragover', 'drop'])
          document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: carried }));";
    browser.ask_with(drop, &long_text()).await;
    browser.wait_for_text("#notices", "3 files received").await;
    // live: the stage, how far it is, and how long it has taken
    browser.wait_for_text(".stage .step", "").await;
    browser.wait_for_text(".stage .count", " of ").await;
    browser.wait_for_text(".stage .time", "so far").await;
    browser.wait_for_text("tr.why", "scan.pdf").await;
    browser.picture("live").await;
    let why = browser.text("tr.why").await;
    assert!(why.contains("damaged_pdf") && why.contains("Try again"), "{why}");
    browser.wait_for_text("#documents", "hours.txt").await;

    // the long one is cancelled while it is being read, and read after all
    browser.click("form[action$='/cancel'] button").await;
    browser.wait_for_text("#notices", "Cancelled").await;
    browser.wait_for_text("#documents", "Read it after all").await;
    browser.ask("window.stillHere = true").await;
    browser.picture("cancelled").await;
    browser.click("tr.doc form[action$='/retry'] button").await;
    browser.wait_for_text("#notices", "being read again").await;
    browser.ask("window.stillHere = true").await;
    browser.find(".stage").await;
    browser.gone(".stage").await;
    browser.wait_for_text("#documents", "lamps.md").await;
    browser.wait_for_hidden_text("#said", "is ready").await;
    assert_eq!(
        browser.ask("return window.stillHere").await,
        true,
        "the page followed by itself"
    );

    // a file that failed is tried again and fails with the same reason
    browser.click("tr.why form[action$='/retry'] button").await;
    browser.wait_for_text("#notices", "being read again").await;
    browser.wait_for_text("tr.why", "damaged_pdf").await;
    browser.click(".tabs a.bad").await;
    browser.wait_for_text("#documents", "scan.pdf").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

async fn upload(program: &Program, browser: &Browser, name: &str, content: &str) {
    browser.go(&program.page("/documents")).await;
    let file = program.file(name, content);
    browser.type_into("#files", &file.display().to_string()).await;
    browser.wait_for_text("#notices", "1 file received").await;
    browser.wait_for_text("#documents", name).await;
    browser.gone(".stage").await;
}

async fn open(program: &Program, browser: &Browser, name: &str) {
    browser.go(&program.page(&format!("/documents?q={name}"))).await;
    browser.click("tr.doc .name a").await;
    browser.find(".title-block").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_compared_and_rolled_back() {
    in_browser!(DESK, compare);
}

async fn compare(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    for text in &prices() {
        upload(program, browser, "prices.md", text).await;
    }
    open(program, browser, "prices.md").await;
    browser.wait_for_text(".title-block", "Version 2 answers").await;
    browser.picture("document-two-versions").await;
    browser.click(".version .do a").await;
    browser.wait_for_text("h1", "What changed").await;
    browser.wait_for_text(".words del", "120").await;
    browser.wait_for_text(".words ins", "135").await;
    let page = browser.text("main").await;
    assert!(
        page.contains("From Friday evening") && page.contains("On Sundays"),
        "{page}"
    );
    assert!(
        !page.contains("A repair costs"),
        "what is the same is not shown: {page}"
    );
    browser.picture("diff").await;
    // the other way round, chosen by the form
    browser.find("#to").await;
    browser.ask("const [a, b] = ['#from', '#to'].map((name) => document.querySelector(name)); [a.value, b.value] = [b.value, a.value];").await;
    browser.click(".compare button").await;
    browser.wait_for_text(".words ins", "120").await;

    open(program, browser, "prices.md").await;
    browser.click("form[action$='/publish'] button").await;
    browser.wait_for_text(".title-block", "Version 1 answers").await;
    browser.wait_for_text("#notices", "answers from now on").await;

    // unchanged text in other bytes: the version that has it goes on answering
    upload(program, browser, "prices.md", &format!("{}\n\n", prices()[0])).await;
    open(program, browser, "prices.md").await;
    browser.wait_for_text(".history", "Same text as version 1").await;
    browser.wait_for_text(".title-block", "Version 1 answers").await;
    browser.picture("document-same-text").await;

    browser.click("form[action$='/rebuild'] button").await;
    browser
        .wait_for_text("#notices", "new version is being built")
        .await;
    browser.wait_for_text(".history", "Version 4").await;
    browser.gone(".stage").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_are_changed_by_hand_and_stay_changed() {
    in_browser!(DESK, tune);
}

async fn tune(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    upload(program, browser, "prices.md", &prices()[0]).await;
    open(program, browser, "prices.md").await;
    browser.click("#c-2 .change").await;
    browser.wait_for_text("h1", "Chunk 2").await;
    browser
        .click("form[action$='/overlays'] input[value=disable] + button")
        .await;
    browser
        .wait_for_text("#notices", "No answer uses this chunk")
        .await;
    browser
        .type_into("#question", "What do you take for mending?")
        .await;
    browser.click("form.add button").await;
    browser.wait_for_text(".questions", "for mending?").await;
    browser.type_into("#factor", "x").await;
    browser.click("form.weigh button").await;
    browser.wait_for_text("#notices", "above 0 and at most 10").await;
    browser.picture("chunk").await;
    browser.click("a.back").await;
    let marks = browser.text("#c-2 .marks").await;
    assert!(
        marks.contains("Hidden from answers") && marks.contains("1 question added"),
        "{marks}"
    );
    browser.picture("document-overlays").await;

    // the next version loses one passage: what was made for it is a conflict, what was found again stays
    browser.click("#c-3 .change").await;
    browser
        .click("form[action$='/overlays'] input[value=pin] + button")
        .await;
    browser.wait_for_text("#notices", "comes before others").await;
    upload(program, browser, "prices.md", &prices()[1]).await;
    open(program, browser, "prices.md").await;
    browser
        .wait_for_text("#attention", "1 change made by hand found no place in version 2")
        .await;
    browser.wait_for_text(".overlay.lost", "Preferred").await;
    browser.wait_for_text("#c-2 .marks", "Hidden from answers").await;
    browser.picture("document-conflict").await;
    browser.click(".overlay.lost form button").await;
    browser.wait_for_text("#notices", "Removed").await;
    assert!(!browser.has(".overlay.lost").await);

    // a corrected text is a version of its own
    browser.click("#c-1 .change").await;
    browser.find("#body").await;
    browser
        .ask("const body = document.querySelector('#body'); body.value = body.value.replace('135', '149');")
        .await;
    browser.click("form.edit button").await;
    browser.wait_for_text(".title-block", "Version 3 answers").await;
    browser.wait_for_text("#c-1 .text", "GHS 149").await;
    browser.wait_for_text("#c-1 .marks", "Text corrected").await;
    browser.wait_for_text("#c-2 .marks", "Hidden from answers").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_is_read_in_the_context_of_its_text() {
    in_browser!(DESK, context);
}

async fn context(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    let mut table = String::from("Product,Price GHS,Stock\n");
    for number in 1..=40 {
        let _ = writeln!(table, "Lamp {number},{},{}", number * 10, number % 7);
    }
    upload(program, browser, "stock.csv", &table).await;
    open(program, browser, "stock.csv").await;
    browser.click("#c-1 .open a").await;
    browser.wait_for_text("mark#passage", "Lamp 1").await;
    browser.wait_for_text(".row-no", "1").await;
    browser.picture("passage-rows").await;

    let golden = Program::golden("policies/customer-warranty-terms-2026.pdf");
    browser.go(&program.page("/documents")).await;
    browser.type_into("#files", &golden.display().to_string()).await;
    browser.wait_for_text("#notices", "1 file received").await;
    browser.find(".format.pdf").await;
    browser.gone(".stage").await;
    browser.click("tr.doc:has(.format.pdf) .name a").await;
    browser.find(".sheet").await;
    browser.picture("document-pdf").await;
    browser.click(".sheet li:last-child a").await;
    browser.find(".sheet-paper").await;
    browser.picture("passage-page").await;
    browser.click("a.back").await;
    browser.click("#c-2 .open a").await;
    browser.find("mark#passage").await;
    let before = browser.text("mark#passage").await;
    browser.picture("passage-pdf").await;
    browser.click(".between div a:last-child").await;
    let began = std::time::Instant::now();
    while browser.text("mark#passage").await == before {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the next chunk did not open"
        );
        pause().await;
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_nothing_sticks_out() {
    in_browser!(PHONE, narrow);
}

async fn narrow(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    let long_name = "a-very-long-file-name-without-any-space-in-it-that-goes-on-and-on-2026-11-20.pdf";
    for text in &prices() {
        upload(program, browser, "prices.md", text).await;
    }
    browser
        .type_into(
            "#files",
            &program.file(long_name, "%PDF-1.7 cut off").display().to_string(),
        )
        .await;
    browser.wait_for_text("tr.why", "damaged_pdf").await;
    nothing_sticks_out(browser, "the list").await;
    browser.picture("phone-list").await;
    open(program, browser, "prices.md").await;
    nothing_sticks_out(browser, "the document").await;
    browser.picture("phone-document").await;
    browser.click("#c-1 .change").await;
    browser.find("#body").await;
    nothing_sticks_out(browser, "the chunk").await;
    browser.picture("phone-chunk").await;
    browser.click(".pager a").await;
    browser.find("mark#passage").await;
    nothing_sticks_out(browser, "the passage").await;
    browser.picture("phone-passage").await;
    open(program, browser, "prices.md").await;
    browser.click(".version .do a").await;
    browser.find(".words ins").await;
    nothing_sticks_out(browser, "the difference").await;
    browser.picture("phone-diff").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_versions_and_chunks_can_be_changed() {
    in_browser!(NO_SCRIPTS, bare);
}

async fn ready(program: &Program, browser: &Browser, name: &str, version: &str) {
    loop {
        browser.go(&program.page(&format!("/documents?q={name}"))).await;
        let row = browser.text("tr.doc").await;
        if row.contains("Ready") && row.contains(version) {
            return;
        }
        pause().await;
    }
}

async fn bare(program: &Program, browser: &Browser) {
    sign_in(program, browser).await;
    for (text, version) in prices().into_iter().zip(["v1", "v2"]) {
        browser.go(&program.page("/documents")).await;
        let file = program.file("prices.md", text);
        browser.type_into("#files", &file.display().to_string()).await;
        browser.click("#drop button.send").await;
        browser.wait_for_text("#notices", "1 file received").await;
        ready(program, browser, "prices.md", version).await;
    }
    browser.click("tr.doc .name a").await;
    browser.click(".version .do a").await;
    browser.wait_for_text(".words ins", "135").await;
    browser.click("a.back").await;
    browser.click("#c-2 .change").await;
    browser
        .type_into("#question", "What do you take for mending?")
        .await;
    browser.click("form.add button").await;
    browser.wait_for_text(".questions", "for mending?").await;
    browser
        .click("form[action$='/overlays'] input[value=disable] + button")
        .await;
    browser.wait_for_text("h3", "Hidden from answers").await;
    browser.click("a.back").await;
    browser.wait_for_text("#c-2 .marks", "Hidden from answers").await;
    browser.click("form[action$='/publish'] button").await;
    browser.wait_for_text(".title-block", "Version 1 answers").await;
    let bad = program.file("scan.pdf", "%PDF-1.7 cut off");
    browser.go(&program.page("/documents")).await;
    browser.type_into("#files", &bad.display().to_string()).await;
    browser.click("#drop button.send").await;
    loop {
        browser.go(&program.page("/documents?state=failed")).await;
        if browser.has("tr.why").await {
            break;
        }
        pause().await;
    }
    browser.wait_for_text("tr.why", "damaged_pdf").await;
}
