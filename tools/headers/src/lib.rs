//! What the generators of the headers and of the manual share: reading the Rust sources, version maps and C.

pub mod c;
pub mod source;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// All files below a directory whose names end in `ending`, sorted by name.
pub fn files(dir: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == ending)
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// All Rust files below a directory, sorted by name.
pub fn rust_files(dir: &Path) -> Result<Vec<PathBuf>> {
    files(dir, "rs")
}
