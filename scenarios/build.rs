//! Lists the scenario documents next to this package, so that the library carries their text.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The areas, in the order in which reports show them.
const AREAS: [&str; 5] = ["cache", "patterns", "sessions", "locks", "queue"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut table = String::from("&[\n");
    for area in AREAS {
        // A folder as a whole: a document added to it is noticed too.
        println!("cargo::rerun-if-changed={area}");
        for file in documents(&root.join(area))? {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let (path, file) = (
                format!("scenarios/{area}/{name}"),
                file.display().to_string(),
            );
            let _ = writeln!(table, "    ({path:?}, include_str!({file:?})),");
        }
    }
    table.push(']');
    fs::write(out.join("suite.rs"), table)
}

/// The Markdown files of a folder, sorted; none when there is no such folder.
fn documents(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
