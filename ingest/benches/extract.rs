//! What extraction costs, the child process included: pages per CPU-second, and peak memory of
//! parent and child together.
//!
//! `cargo bench -p plumbline-ingest --bench extract`. Measured is CPU time of this process and of
//! its children, not the clock on the wall, so a busy machine hardly changes the figure.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use lopdf::content::{Content, Operation};
use lopdf::{Document, Object, Stream, dictionary};
use plumbline_ingest::{Extraction, Isolation, Wanted};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    // `cargo test --benches` only asks whether this builds and starts.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    runtime.block_on(async {
        speed(folder.path()).await?;
        memory(folder.path()).await
    })
}

async fn speed(folder: &Path) -> Result<(), Failure> {
    for (what, pages, files) in [("manuals of 100 pages", 100, 6), ("leaflets of 4 pages", 4, 60)] {
        for file in 0..files {
            std::fs::write(folder.join(format!("{file}.pdf")), manual(pages, file)?)?;
        }
        let before = cpu_seconds()?;
        for file in 0..files {
            let read = extract(&folder.join(format!("{file}.pdf"))).await?;
            assert_eq!(read.pages.len(), pages);
        }
        let seconds = cpu_seconds()? - before;
        let all = f64::from(u32::try_from(pages * files)?);
        println!(
            "{what}: {:.0} pages per CPU-second ({all} pages, {seconds:.2} s)",
            all / seconds
        );
    }
    Ok(())
}

async fn memory(folder: &Path) -> Result<(), Failure> {
    let (table, book) = (folder.join("table.csv"), folder.join("book.pdf"));
    std::fs::write(&table, rows(200_000))?;
    std::fs::write(&book, manual(500, 1)?)?;
    for (what, path) in [
        ("a PDF of 500 pages", &book),
        ("a CSV file of 200,000 rows", &table),
    ] {
        let idle = peak_kib("self", "VmRSS").unwrap_or(0);
        // Since Linux 4.0 this sets the peak back to what is used now.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let watch = Watch::start();
        let read = extract(path).await?;
        let child = watch.stop();
        let parent = peak_kib("self", "VmHWM").unwrap_or(0).saturating_sub(idle);
        println!(
            "{what}: peak {} MiB over idle (child {} MiB, parent {} MiB; {} MiB of text, {} blocks)",
            (child + parent) / 1024,
            child / 1024,
            parent / 1024,
            read.text.len() / (1024 * 1024),
            read.blocks.len()
        );
    }
    Ok(())
}

async fn extract(path: &Path) -> Result<Extraction, Failure> {
    let worker = env!("CARGO_BIN_EXE_plumbline-extract-worker");
    let mut isolation = Isolation::new(worker, Vec::<String>::new());
    // A loaded machine may be slow; only the CPU time counts here.
    isolation.wall_clock = Duration::from_mins(5);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(isolation
        .extract(path, &name, &Wanted::default(), &|_, _| {})
        .await?)
}

/// CPU time of this process and of the children it has waited for.
fn cpu_seconds() -> Result<f64, Failure> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("no name in /proc/self/stat")?;
    let ticks = fields.split(' ').skip(11).take(4).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS_PER_SECOND)
}

fn peak_kib(process: &str, key: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Looks at the children's peak memory again and again until told to stop.
struct Watch {
    running: std::sync::Arc<(AtomicBool, AtomicU64)>,
    thread: std::thread::JoinHandle<()>,
}

impl Watch {
    fn start() -> Self {
        let running = std::sync::Arc::new((AtomicBool::new(true), AtomicU64::new(0)));
        let state = std::sync::Arc::clone(&running);
        let thread = std::thread::spawn(move || {
            while state.0.load(Ordering::Relaxed) {
                for child in children() {
                    let peak = peak_kib(&child, "VmHWM").unwrap_or(0);
                    state.1.fetch_max(peak, Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Self { running, thread }
    }

    fn stop(self) -> u64 {
        self.running.0.store(false, Ordering::Relaxed);
        let _ = self.thread.join();
        self.running.1.load(Ordering::Relaxed)
    }
}

fn children() -> Vec<String> {
    let own = format!("PPid:\t{}", std::process::id());
    let is_child = |id: &String| {
        std::fs::read_to_string(format!("/proc/{id}/status"))
            .is_ok_and(|status| status.lines().any(|line| line == own))
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(is_child)
        .collect()
}

const WORDS: [&str; 48] = [
    "battery",
    "panel",
    "customer",
    "warranty",
    "installer",
    "charge",
    "the",
    "a",
    "of",
    "and",
    "with",
    "before",
    "after",
    "every",
    "week",
    "deposit",
    "receipt",
    "shop",
    "technician",
    "cable",
    "switch",
    "lamp",
    "is",
    "are",
    "must",
    "not",
    "return",
    "replace",
    "within",
    "days",
    "months",
    "price",
    "delivery",
    "address",
    "phone",
    "number",
    "account",
    "payment",
    "light",
    "radio",
    "freezer",
    "temperature",
    "clean",
    "dry",
    "cloth",
    "roof",
    "shade",
    "manual",
];

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).unwrap_or(0) % sides
    }

    fn sentence(&mut self, words: usize) -> String {
        let picked: Vec<&str> = (0..words).map(|_| WORDS[self.roll(WORDS.len())]).collect();
        format!("{}.", picked.join(" "))
    }
}

fn rows(count: u32) -> String {
    let mut dice = Dice(7);
    let mut out = String::from("Code,Product,Category,Price GHS,Stock,Note\n");
    for row in 0..count {
        let (price, stock, note) = (dice.roll(9_000), dice.roll(400), dice.sentence(6));
        let _ = writeln!(
            out,
            "SN-{row:06},\"{}, 24 V\",{},{price}.50,{stock},{note}",
            WORDS[dice.roll(48)],
            WORDS[dice.roll(48)]
        );
    }
    out
}

/// Pages as manuals have them: a running header, headings, one or two columns, now and then a table.
fn manual(pages: usize, seed: usize) -> Result<Vec<u8>, Failure> {
    let mut dice = Dice(u64::try_from(seed)? + 1);
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let font = |name: &str| dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => name, "Encoding" => "WinAnsiEncoding" };
    let (regular, bold) = (
        document.add_object(font("Helvetica")),
        document.add_object(font("Helvetica-Bold")),
    );
    let resources =
        document.add_object(dictionary! { "Font" => dictionary! { "F1" => regular, "F2" => bold } });
    let mut kids: Vec<Object> = Vec::new();
    for page in 1..=pages {
        let mut content = Content::<Vec<Operation>> {
            operations: draw(page, &mut dice),
        }
        .encode()?;
        if page % 4 == 0 {
            content.extend_from_slice(b"\n0.5 w 60 200 m 535 200 l S 60 120 m 535 120 l S");
        }
        let mut stream = Stream::new(dictionary! {}, content);
        stream.compress()?;
        let stream = document.add_object(stream);
        let page = document.add_object(dictionary! {
            "Type" => "Page", "Parent" => tree, "Contents" => stream, "Resources" => resources,
            "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
        });
        kids.push(page.into());
    }
    let count = i64::try_from(kids.len())?;
    let root = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count };
    document.objects.insert(tree, Object::Dictionary(root));
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes)?;
    Ok(bytes)
}

/// About 2,500 characters.
fn draw(page: usize, dice: &mut Dice) -> Vec<Operation> {
    let mut out = Vec::new();
    write(
        &mut out,
        "F1",
        8.0,
        60.0,
        810.0,
        "Sunnest user manual, edition 2026",
    );
    write(&mut out, "F1", 8.0, 520.0, 30.0, &page.to_string());
    write(&mut out, "F2", 14.0, 60.0, 770.0, &dice.sentence(5));
    let has_table = page.is_multiple_of(4);
    let bottom = if has_table { 220.0 } else { 70.0 };
    let columns: &[(f32, usize)] = if page.is_multiple_of(3) {
        &[(60.0, 7), (310.0, 7)]
    } else {
        &[(60.0, 14)]
    };
    for (x, words) in columns {
        let mut y = 745.0;
        while y > bottom {
            if dice.roll(9) == 0 {
                y -= 8.0;
            }
            write(&mut out, "F1", 9.5, *x, y, &dice.sentence(*words));
            y -= 13.0;
        }
    }
    for row in 0..if has_table { 6 } else { 0_u8 } {
        let y = 185.0 - f32::from(row) * 12.0;
        for (column, x) in [60.0, 200.0, 300.0, 420.0].into_iter().enumerate() {
            let cell = match (row, column) {
                (0, _) => WORDS[dice.roll(48)].to_owned(),
                (_, 0) => dice.sentence(3),
                _ => dice.roll(5_000).to_string(),
            };
            write(&mut out, if row == 0 { "F2" } else { "F1" }, 9.0, x, y, &cell);
        }
    }
    out
}

fn write(out: &mut Vec<Operation>, font: &str, size: f32, x: f32, y: f32, text: &str) {
    out.push(Operation::new("BT", vec![]));
    out.push(Operation::new("Tf", vec![font.into(), size.into()]));
    out.push(Operation::new("Td", vec![x.into(), y.into()]));
    out.push(Operation::new("Tj", vec![Object::string_literal(text)]));
    out.push(Operation::new("ET", vec![]));
}
