//! What the Rust sources and the version map define, and in which order.

use std::fs;
use std::path::Path;

use crate::Result;

/// Public constants and types of a file.
pub fn items(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path)?;
    Ok(text
        .lines()
        .filter_map(|line| line.strip_prefix("pub "))
        .filter_map(|line| {
            ["const ", "struct ", "union ", "enum ", "type "]
                .iter()
                .find_map(|kind| line.strip_prefix(kind))
        })
        .map(name)
        .collect())
}

/// Functions that a file gives to C.
pub fn functions(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path)?;
    Ok(text
        .lines()
        .filter(|line| line.starts_with("pub "))
        .filter_map(|line| line.split_once("extern \"C\" fn "))
        .map(|(_, rest)| name(rest))
        .collect())
}

/// The global names of a linker's version script.
pub fn exported(map: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut global = false;
    for line in map.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        match line {
            "global:" => global = true,
            "local:" => global = false,
            _ if global && !line.starts_with('}') => {
                names.extend(line.strip_suffix(';').map(str::to_string))
            }
            _ => {}
        }
    }
    names
}

fn name(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}
