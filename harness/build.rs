//! Lists the scenario documents of the repository, so that the binary carries its suite with it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let scenarios = root.join("../scenarios").canonicalize()?;
    println!("cargo::rerun-if-changed={}", scenarios.display());
    let mut documents = Vec::new();
    for area in entries(&scenarios)?
        .into_iter()
        .filter(|path| path.is_dir())
    {
        // Watched one by one: a new file in a folder does not touch the folder above it.
        println!("cargo::rerun-if-changed={}", area.display());
        let markdown = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
        documents.extend(entries(&area)?.into_iter().filter(markdown));
    }
    let mut list = String::from("&[\n");
    for document in documents {
        let name = document.strip_prefix(&scenarios).unwrap_or(&document);
        let name = Path::new("scenarios").join(name);
        let _ = writeln!(list, "    ({name:?}, include_str!({document:?})),");
    }
    list.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("documents.rs"), list)
}

/// What a folder holds, in the order of the names.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths)
}
