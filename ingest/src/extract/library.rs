//! Where libpdfium is. The one place of this crate that reads the environment.

use std::path::{Path, PathBuf};

/// The library's file name on the platforms we support.
const FILE_NAME: &str = if cfg!(target_os = "macos") {
    "libpdfium.dylib"
} else {
    "libpdfium.so"
};

/// Looks for libpdfium: `PDFIUM_LIB`, `$PLUMBLINE_RUNTIME/lib`, `runtime/.local/lib` here or in a
/// parent folder, next to the executable, `/usr/local/lib`. `None` when it is nowhere.
pub fn find_libpdfium() -> Option<PathBuf> {
    candidates().into_iter().find(|path| path.is_file())
}

fn candidates() -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Some(path) = variable("PDFIUM_LIB") {
        found.push(if path.is_dir() { path.join(FILE_NAME) } else { path });
    }
    if let Some(runtime) = variable("PLUMBLINE_RUNTIME") {
        found.push(runtime.join("lib").join(FILE_NAME));
    }
    if let Ok(here) = std::env::current_dir() {
        let in_folder = |folder: &Path| folder.join("runtime/.local/lib").join(FILE_NAME);
        found.extend(here.ancestors().map(in_folder));
    }
    if let Ok(program) = std::env::current_exe()
        && let Some(folder) = program.parent()
    {
        found.push(folder.join(FILE_NAME));
        found.push(folder.join("lib").join(FILE_NAME));
    }
    found.push(Path::new("/usr/local/lib").join(FILE_NAME));
    found
}

#[expect(
    clippy::disallowed_methods,
    reason = "the loader's path is environment by nature, and this is its one home"
)]
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
