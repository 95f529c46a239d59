//! Sections that a page collects from the doc comments of all its functions: results, errors, history, conditions,
//! other pages.

use liburing_headers::Result;

use crate::cures::CANCELED;
use crate::markdown::{Block, Item};
use crate::mdoc;
use crate::render::{self, Marks};

/// How the errors of a request begin.
const OF_REQUESTS: &str = "In `res` of the CQE:";

/// How the sections of the interface of 2019 end.
const YEAR: &str = "19";

/// The functions of the page that have this section, grouped by its text.
fn groups<'a>(marks: &'a Marks, title: &str) -> Vec<(Vec<&'a str>, &'a [Block])> {
    let mut groups: Vec<(Vec<&str>, &[Block])> = Vec::new();
    for name in &marks.page.functions {
        let Some(blocks) = marks.sources.doc(name).and_then(|doc| doc.get(title)) else {
            continue;
        };
        match groups.iter_mut().find(|(_, own)| *own == blocks.as_slice()) {
            Some((names, _)) => names.push(name),
            None => groups.push((vec![name], blocks)),
        }
    }
    groups
}

/// A list of `groups`, or only the text if all of the page's functions share it.
fn grouped(marks: &Marks, title: &str) -> Result<Vec<String>> {
    let groups = groups(marks, title);
    if let [(names, blocks)] = groups.as_slice()
        && names.len() == marks.page.functions.len()
    {
        return render::blocks(blocks, marks);
    }
    let mut lines = Vec::new();
    for (names, blocks) in &groups {
        lines.push(format!(".It {}", tag(names)));
        lines.extend(render::blocks(blocks, marks)?);
    }
    Ok(in_list(lines))
}

fn in_list(lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        return lines;
    }
    let open = vec![".Bl -tag -width Ds".to_string()];
    [open, lines, vec![".El".to_string()]].concat()
}

fn tag(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("Fn {name}")).collect();
    names.join(" , ")
}

pub fn return_values(marks: &Marks) -> Result<Vec<String>> {
    grouped(marks, "Return value")
}

/// One list for all functions of the page. An error of only some functions names them.
pub fn errors(marks: &Marks) -> Result<Vec<String>> {
    let groups = groups(marks, "Errors");
    let all: usize = groups.iter().map(|(names, _)| names.len()).sum();
    let mut entries: Vec<(Item, Vec<&str>)> = Vec::new();
    let mut paragraphs: Vec<(&str, Vec<&str>)> = Vec::new();
    for (names, blocks) in &groups {
        let mut request = false;
        let mut cancelled = false;
        for block in *blocks {
            match block {
                Block::Paragraph(text) => {
                    request |= text == OF_REQUESTS;
                    collect(&mut paragraphs, text.as_str(), names);
                }
                Block::List(items) => {
                    for item in items {
                        cancelled |= item.term.as_deref() == Some(CANCELED.0);
                        for name in names {
                            let item = marks.sources.cures.complete(item);
                            let item = item.map_err(|e| format!("{name}: {e}"))?;
                            collect(&mut entries, item, &[name]);
                        }
                    }
                }
                _ => return Err(format!("{}: an unusual section Errors", marks.page.name).into()),
            }
        }
        if request && !cancelled {
            let item = Item {
                term: Some(CANCELED.0.into()),
                text: CANCELED.1.into(),
            };
            collect(&mut entries, item, names);
        }
    }

    // Sorted by name; entries without a name come last.
    entries.sort_by_key(|(item, _)| (item.term.is_none(), item.term.clone()));
    let mut lines = Vec::new();
    for (text, names) in &paragraphs {
        lines.push(".Pp".into());
        lines.extend(mdoc::text(&only(names, all, text), marks));
    }
    let mut list = Vec::new();
    for (item, names) in &entries {
        let term = item.term.as_deref().unwrap_or("others");
        list.push(format!(".It {}", mdoc::arguments(term, marks)));
        list.extend(mdoc::text(&only(names, all, &capital(&item.text)), marks));
    }
    lines.extend(in_list(list));
    if !lines.is_empty() && !marks.page.section.ends_with(YEAR) {
        lines.push(".Pp".into());
        lines.extend(mdoc::text(
            "io_uring_errors(7) explains what to do about an error, and what else it may mean.",
            marks,
        ));
    }
    Ok(lines)
}

fn collect<'a, T: PartialEq>(found: &mut Vec<(T, Vec<&'a str>)>, value: T, names: &[&'a str]) {
    match found.iter_mut().find(|(own, _)| *own == value) {
        Some((_, own)) => own.extend(
            names
                .iter()
                .filter(|name| !own.contains(name))
                .copied()
                .collect::<Vec<_>>(),
        ),
        None => found.push((value, names.to_vec())),
    }
}

/// Puts the names of the functions in front of a text that holds only for them.
fn only(names: &[&str], all: usize, text: &str) -> String {
    if names.len() == all {
        return text.to_string();
    }
    let names: Vec<String> = names.iter().map(|name| format!("{name}()")).collect();
    format!("({}) {text}", names.join(", "))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// The kernel's version from the doc comment, the library's from the version maps.
pub fn history(marks: &Marks) -> Result<Vec<String>> {
    let sources = marks.sources;
    let mut entries: Vec<(String, Vec<&str>)> = Vec::new();
    for name in &marks.page.functions {
        let mut text = String::new();
        if let Some([Block::Paragraph(kernel)]) = sources
            .doc(name)
            .and_then(|doc| doc.get("Kernel"))
            .map(Vec::as_slice)
        {
            let version = kernel.starts_with(|c: char| c.is_ascii_digit());
            text = format!("{}{kernel} ", if version { "Linux " } else { "" });
        }
        if let Some(release) = sources.library.get(name) {
            let earlier = if release == "2.0" { " or earlier" } else { "" };
            text += &format!("In the library since liburing {release}{earlier}.");
        } else if let Some(release) = sources.ffi.get(name) {
            let first = if release == "2.4" {
                ", its first release"
            } else {
                ""
            };
            text +=
                &format!("Inline in the header, a symbol of liburing-ffi since {release}{first}.");
        } else if sources.doc(name).is_some() {
            text += "Inline in the header; a symbol of the archive liburing-ffi.a, but of no shared library.";
        } else {
            text += "Only in the header: neither library has it as a symbol.";
        }
        collect(&mut entries, text, &[name.as_str()]);
    }
    if let [(text, _)] = entries.as_slice() {
        return Ok(mdoc::text(text, marks));
    }
    let mut lines = Vec::new();
    for (text, names) in &entries {
        lines.push(format!(".It {}", tag(names)));
        lines.extend(mdoc::text(text, marks));
    }
    Ok(in_list(lines))
}

/// The Safety section of a doc comment, worded for callers from C.
pub fn caveats(marks: &Marks) -> Result<Vec<String>> {
    let mut lines = grouped(marks, "Caveats")?;
    let mut conditions = grouped(marks, "Safety")?;
    if conditions.join(" ").contains("ion side") {
        conditions.push("The two sides are explained in".into());
        conditions.push(".Xr io_uring_threads 7 .".into());
    }
    if !conditions.is_empty() {
        if !lines.is_empty() {
            lines.push(".Pp".into());
        }
        lines.push("Nothing checks the following conditions.".into());
        lines.push("A program that does not keep them has undefined behaviour.".into());
        lines.push(".Pp".into());
        lines.extend(conditions);
    }
    Ok(lines)
}

pub fn see_also(marks: &Marks, own: &[Block]) -> Vec<String> {
    let (sources, page) = (marks.sources, marks.page);
    let mut found: Vec<(String, String)> = Vec::new();
    let mut texts: Vec<&str> = page.see.iter().map(String::as_str).collect();
    for name in &page.functions {
        if let Some(blocks) = sources.doc(name).and_then(|doc| doc.get("See also")) {
            for block in blocks {
                if let Block::Paragraph(text) = block {
                    texts.push(text);
                }
            }
        }
    }
    for block in own {
        if let Block::Paragraph(text) = block {
            texts.push(text);
        }
    }
    for text in texts {
        for (at, _) in text.match_indices('(') {
            let start = text[..at]
                .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .map_or(0, |before| before + 1);
            let name = &text[start..at];
            let section = text[at + 1..].split(')').next().unwrap_or_default();
            if name.is_empty() {
                continue;
            }
            let target = match sources.names.get(name) {
                Some(index) if section.is_empty() || sources.pages[*index].section == section => {
                    let page = &sources.pages[*index];
                    (page.section.clone(), page.name.clone())
                }
                _ if section.is_empty() => continue,
                _ => (section.to_string(), name.to_string()),
            };
            let itself = target.1 == page.name && target.0 == page.section;
            if !itself && !found.contains(&target) {
                found.push(target);
            }
        }
    }
    if page.name != "io_uring" && !page.section.ends_with(YEAR) {
        let overview = ("7".to_string(), "io_uring".to_string());
        if !found.contains(&overview) {
            found.push(overview);
        }
    }
    let errors = ("7".to_string(), "io_uring_errors".to_string());
    let own = page.section == "7" || page.section.ends_with(YEAR);
    if !own && !groups(marks, "Errors").is_empty() && !found.contains(&errors) {
        found.push(errors);
    }
    found.sort();
    let last = found.len().saturating_sub(1);
    found
        .iter()
        .enumerate()
        .map(|(index, (section, name))| {
            format!(
                ".Xr {name} {section}{}",
                if index < last { " ," } else { "" }
            )
        })
        .collect()
}
