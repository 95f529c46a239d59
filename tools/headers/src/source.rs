//! What the Rust sources and the version map define, and in which order.

use std::collections::HashMap;
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

/// The documentation of a file's public functions, by name.
pub fn docs(path: &Path) -> Result<HashMap<String, Vec<String>>> {
    let text = fs::read_to_string(path)?;
    let mut docs = HashMap::new();
    let mut doc = Vec::new();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("///") {
            doc.push(line.trim().to_string());
        } else if !line.starts_with("#[") {
            let doc = std::mem::take(&mut doc);
            if let Some((_, rest)) = line.split_once("fn ").filter(|_| line.starts_with("pub ")) {
                docs.insert(name(rest), doc);
            }
        }
    }
    Ok(docs)
}

/// The public names of a file that a later release than `release` has: those under `#[cfg(release_2_16)]` and the like.
pub fn later(path: &Path, release: (u32, u32)) -> Result<Vec<String>> {
    let text = fs::read_to_string(path)?;
    let mut found = Vec::new();
    let mut waits = false;
    for line in text.lines() {
        if let Some(since) = line.strip_prefix("#[cfg(release_") {
            let mut numbers = since.split(['_', ')']).map(str::parse);
            if let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) {
                waits = (major, minor) > release;
            }
        } else if !line.starts_with("#[") {
            let of_function = line.split_once("fn ").map(|(_, rest)| rest);
            let item = of_function.or_else(|| line.strip_prefix("pub const "));
            if let Some(rest) = item.filter(|_| waits && line.starts_with("pub ")) {
                found.push(name(rest));
            }
            waits = false;
        }
    }
    Ok(found)
}

/// A constant, a type, or a field or enumerator of one, with its documentation.
pub struct Documented {
    pub name: String,
    /// The type that it is a part of.
    pub owner: Option<String>,
    /// A field's type.
    pub ty: String,
    pub doc: Vec<String>,
}

/// The public constants and types of a file, each type before its parts.
pub fn documented(path: &Path) -> Result<Vec<Documented>> {
    let text = fs::read_to_string(path)?;
    let mut found = Vec::new();
    let mut doc = Vec::new();
    let mut owner: Option<String> = None;
    for line in text.lines() {
        let code = line.trim_start();
        if let Some(line) = code.strip_prefix("///") {
            doc.push(line.trim().to_string());
            continue;
        }
        if code.starts_with("#[") {
            continue;
        }
        let doc = std::mem::take(&mut doc);
        let public = code.strip_prefix("pub ");
        let item = public.and_then(|rest| rest.split_once(' '));
        if let Some(inside) = &owner {
            if line == "}" {
                owner = None;
            } else if let Some((name, ty)) = public.and_then(|rest| rest.split_once(": ")) {
                found.push(Documented {
                    name: name.trim_start_matches("r#").to_string(),
                    owner: Some(inside.clone()),
                    ty: ty.trim_end_matches(',').to_string(),
                    doc,
                });
            } else if code.contains(" = ") {
                found.push(Documented {
                    name: name(code),
                    owner: Some(inside.clone()),
                    ty: String::new(),
                    doc,
                });
            }
        } else if let Some(("const" | "struct" | "union" | "enum", rest)) = item {
            let name = name(rest);
            if line.ends_with('{') {
                owner = Some(name.clone());
            }
            found.push(Documented {
                name,
                owner: None,
                ty: String::new(),
                doc,
            });
        }
    }
    Ok(found)
}

/// The nodes of a version script, each with its global names.
pub fn versions(map: &str) -> Vec<(String, Vec<String>)> {
    let mut nodes = Vec::new();
    let mut start = 0;
    while let Some(open) = map[start..].find('{').map(|at| start + at) {
        let end = map[open..].find('}').map_or(map.len(), |at| open + at);
        let head = map[start..open].trim_end();
        let node = head.rsplit([' ', '\n', ';']).next().unwrap_or_default();
        nodes.push((node.to_string(), exported(&map[open..end])));
        start = end;
    }
    nodes
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_nodes_of_a_version_script() {
        let map = "/* About. */\nV_1.0 {\nglobal:\n    a;\nlocal:\n    *;\n};\n\
             V_1.1 {\nglobal:\n    b;\n    c;\n} V_1.0;\n";
        let names = |list: &[&str]| list.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(
            versions(map),
            [
                ("V_1.0".to_string(), names(&["a"])),
                ("V_1.1".to_string(), names(&["b", "c"]))
            ]
        );
    }

    #[test]
    fn reads_documentation() {
        let path = std::env::temp_dir().join(format!("liburing-source-{}.rs", std::process::id()));
        fs::write(
            &path,
            "/// Limit.\npub const A: u32 = 1;\n\n/// A thing.\n///\n/// More.\n#[repr(C)]\npub struct S {\n    \
             /// Part.\n    pub r#type: u32,\n}\n\n/// Does.\n#[unsafe(no_mangle)]\n\
             pub unsafe extern \"C\" fn f(x: u32) {}\n",
        )
        .unwrap();
        let items = documented(&path).unwrap();
        let docs = docs(&path).unwrap();
        fs::remove_file(&path).unwrap();

        let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["A", "S", "type"]);
        assert_eq!(items[1].doc, ["A thing.", "", "More."]);
        assert_eq!(items[2].owner.as_deref(), Some("S"));
        assert_eq!(items[2].ty, "u32");
        assert_eq!(docs["f"], ["Does."]);
    }

    #[test]
    fn tells_what_waits_for_a_later_release() {
        let name = format!("liburing-later-{}.rs", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(
            &path,
            "#[cfg(release_2_16)]\npub const A: u32 = 1;\npub const B: u32 = 2;\n\
             #[cfg(release_2_16)]\n#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn f(x: u32) {}\n\
             pub unsafe extern \"C\" fn g(x: u32) {}\n",
        )
        .unwrap();
        let before = later(&path, (2, 15)).unwrap();
        let then = later(&path, (2, 16)).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(before, ["A", "f"]);
        assert!(then.is_empty());
    }
}
