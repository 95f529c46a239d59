//! One page: its sections from the functions' doc comments, the headers, the version maps, and the page's own text.

use liburing_headers::Result;

use crate::contents::Page;
use crate::markdown::{Block, Item};
use crate::mdoc;
use crate::render::{self, Marks};
use crate::sources::Sources;

/// The date of all pages: that of the release.
const DATE: &str = "November 29, 2026";

/// How the sections of the interface of 2019 end.
const YEAR: &str = "19";

/// The order that manuals have. A page's own sections follow the description.
const ORDER: &[&str] = &[
    "NAME",
    "LIBRARY",
    "SYNOPSIS",
    "DESCRIPTION",
    "",
    "RETURN VALUES",
    "EXAMPLES",
    "ERRORS",
    "SEE ALSO",
    "HISTORY",
    "CAVEATS",
];

/// What any request can complete with, in the words of the doc comments and in full.
const CANCELED: &str = "the request was cancelled, or one that it was linked to failed.";
const CANCELED_IN_FULL: &str = "the request was cancelled, a request that it was linked to failed, or it needed a \
    worker thread and the kernel could not make one: see io_uring_errors(7).";

/// Titles, each with its lines.
struct Sections(Vec<(String, Vec<String>)>);

impl Sections {
    fn add(&mut self, title: &str, lines: Vec<String>) {
        if lines.is_empty() {
            return;
        }
        match self.0.iter_mut().find(|(own, _)| own == title) {
            Some((_, own)) => {
                let heads = [".Pp", ".Ss", ".Bl", ".Sh"];
                if !heads.iter().any(|head| lines[0].starts_with(head)) {
                    own.push(".Pp".into());
                }
                own.extend(lines);
            }
            None => self.0.push((title.to_string(), lines)),
        }
    }

    fn has(&self, title: &str) -> bool {
        self.0.iter().any(|(own, _)| own == title)
    }
}

pub fn render(sources: &Sources, page: &Page) -> Result<String> {
    let marks = Marks { sources, page };
    let mut sections = Sections(Vec::new());

    let mut names = vec![page.name.clone()];
    for name in page
        .functions
        .iter()
        .chain(&page.names)
        .chain(&page.structs)
    {
        let here = sources
            .names
            .get(name)
            .map(|index| sources.pages[*index].file());
        if !names.contains(name) && here == Some(page.file()) {
            names.push(name.clone());
        }
    }
    let last = names.len() - 1;
    let mut lines: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(index, name)| format!(".Nm {name}{}", if index < last { " ," } else { "" }))
        .collect();
    lines.push(format!(".Nd {}", page.about));
    sections.add("NAME", lines);
    if page.section != "7" {
        sections.add("LIBRARY", vec![sources.book.name.into()]);
        sections.add("SYNOPSIS", synopsis(sources, page)?);
    }

    let own = sources.text(page)?;
    let own = split(&own);
    let own_text = |title: &str| -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for (_, blocks) in own.iter().filter(|(own, _)| own == title) {
            lines.extend(render::blocks(blocks, &marks)?);
        }
        Ok(lines)
    };
    sections.add("DESCRIPTION", own_text("DESCRIPTION")?);
    if !page.functions.is_empty() {
        describe(&mut sections, &marks)?;
    }
    let placed = |word: &str| {
        own.iter().any(|(_, blocks)| {
            blocks
                .iter()
                .any(|block| matches!(block, Block::Directive(own, _) if own == word))
        })
    };
    if !placed("struct") {
        for name in &page.structs {
            sections.add("DESCRIPTION", vec![format!(".Ss struct {name}")]);
            let lines = render::structure(name, &marks)?;
            append(&mut sections, "DESCRIPTION", lines);
        }
    }
    if !placed("constants") && !page.constants.is_empty() {
        let patterns: Vec<&str> = page.constants.iter().map(String::as_str).collect();
        sections.add("DESCRIPTION", vec![".Ss Constants".into()]);
        append(
            &mut sections,
            "DESCRIPTION",
            render::constants(&patterns, &marks),
        );
    }
    for (title, _) in &own {
        if !ORDER.contains(&title.as_str()) && !sections.has(title) {
            sections.add(title, own_text(title)?);
        }
    }

    if !page.functions.is_empty() {
        sections.add("RETURN VALUES", return_values(&marks)?);
        sections.add("ERRORS", errors(&marks)?);
        sections.add("HISTORY", history(&marks)?);
        sections.add("CAVEATS", caveats(&marks)?);
    }
    for title in ["RETURN VALUES", "EXAMPLES", "ERRORS", "HISTORY", "CAVEATS"] {
        sections.add(title, own_text(title)?);
    }
    if sources.example(&page.name)?.is_some() && !placed("example") {
        let fresh = !sections.has("EXAMPLES");
        let lines = render::example(&page.name, &marks, true)?;
        if fresh {
            sections.add("EXAMPLES", lines);
        } else {
            append(
                &mut sections,
                "EXAMPLES",
                [vec![".Pp".into()], lines].concat(),
            );
        }
    }
    if !page.functions.is_empty() && !sections.has("ERRORS") {
        let subject = if page.functions.len() == 1 {
            format!("{}() does not fail.", page.functions[0])
        } else {
            "None of these fails.".into()
        };
        sections.add("ERRORS", mdoc::text(&subject, &marks));
    }
    let own_see: Vec<Block> = own
        .into_iter()
        .filter(|(title, _)| title == "SEE ALSO")
        .flat_map(|(_, blocks)| blocks)
        .collect();
    sections.add("SEE ALSO", see_also(&marks, &own_see));

    Ok(assemble(page, sections))
}

/// Adds lines without a paragraph before them.
fn append(sections: &mut Sections, title: &str, lines: Vec<String>) {
    if let Some((_, own)) = sections.0.iter_mut().find(|(own, _)| own == title) {
        own.extend(lines);
    }
}

fn assemble(page: &Page, mut sections: Sections) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(".\\\" Generated by `make man`: change the sources that tools/man names, not this file.");
    line(".\\\" SPDX-License-Identifier: MIT OR Apache-2.0");
    line(&format!(".Dd {DATE}"));
    line(&format!(
        ".Dt {} {}",
        page.name.to_uppercase(),
        &page.section[..1]
    ));
    line(".Os");
    for title in ORDER {
        let (now, later): (Vec<_>, Vec<_>) = sections.0.into_iter().partition(|(own, _)| {
            own == title || (title.is_empty() && !ORDER.contains(&own.as_str()))
        });
        sections.0 = later;
        for (title, lines) in now {
            line(&format!(".Sh {title}"));
            for text in tidy(lines) {
                line(&text);
            }
        }
    }
    out
}

/// Leaves out paragraphs that would be empty.
fn tidy(lines: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let after = lines.get(index + 1).map_or("", String::as_str);
        let before = out.last().map_or(".Sh", String::as_str);
        let useless = line == ".Pp"
            && (after.is_empty()
                || [".Pp", ".Bl", ".Bd", ".Ss", ".El"]
                    .iter()
                    .any(|head| after.starts_with(head))
                || [".Sh", ".Ss", ".Pp"]
                    .iter()
                    .any(|head| before.starts_with(head)));
        if !useless {
            out.push(line.clone());
        }
    }
    out
}

/// The page's own text by sections: level 1 is the title, level 2 a section.
fn split(blocks: &[Block]) -> Vec<(String, Vec<Block>)> {
    let mut parts: Vec<(String, Vec<Block>)> = vec![("DESCRIPTION".into(), Vec::new())];
    for block in blocks {
        match block {
            Block::Heading(1, _) => {}
            Block::Heading(2, title) => {
                parts.push((title.replace('`', "").to_uppercase(), Vec::new()))
            }
            block => {
                if let Some((_, own)) = parts.last_mut() {
                    own.push(block.clone());
                }
            }
        }
    }
    parts.retain(|(_, blocks)| !blocks.is_empty());
    parts
}

fn synopsis(sources: &Sources, page: &Page) -> Result<Vec<String>> {
    let mut lines = vec![".In liburing.h".to_string()];
    for (index, name) in page.functions.iter().enumerate() {
        let declaration = sources
            .headers
            .functions
            .get(name)
            .ok_or_else(|| format!("the headers do not declare {name}"))?;
        let result = declaration.result.trim();
        if !result.is_empty() {
            lines.push(format!(".Ft {}", mdoc::argument(result)));
        } else if index > 0 {
            lines.push(".Pp".into());
        }
        lines.push(format!(".Fo {name}"));
        for parameter in declaration.parameters.iter().filter(|p| !p.is_empty()) {
            lines.push(format!(".Fa \"{parameter}\""));
        }
        lines.push(".Fc".into());
    }
    for name in page.structs.iter().filter(|_| page.functions.is_empty()) {
        lines.push(format!(".Vt struct {name} ;"));
    }
    Ok(lines)
}

fn describe(sections: &mut Sections, marks: &Marks) -> Result<()> {
    let documented: Vec<&String> = marks
        .page
        .functions
        .iter()
        .filter(|name| marks.sources.doc(name).is_some())
        .collect();
    for name in &documented {
        let blocks = marks.sources.doc(name).and_then(|doc| doc.get(""));
        let lines = render::blocks(blocks.map_or(&[], Vec::as_slice), marks)?;
        if documented.len() > 1 {
            sections.add("DESCRIPTION", vec![format!(".Ss {name}")]);
            append(sections, "DESCRIPTION", lines);
        } else {
            sections.add("DESCRIPTION", lines);
        }
    }
    Ok(())
}

/// The functions of the page that have such a section, those with the same text together.
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

/// A list of `groups`, or only the text where all of the page's functions share it.
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

fn return_values(marks: &Marks) -> Result<Vec<String>> {
    grouped(marks, "Return value")
}

/// One list for all functions of the page. An error that only some give says which.
fn errors(marks: &Marks) -> Result<Vec<String>> {
    let groups = groups(marks, "Errors");
    let all: usize = groups.iter().map(|(names, _)| names.len()).sum();
    let mut entries: Vec<(Item, Vec<&str>)> = Vec::new();
    let mut paragraphs: Vec<(&str, Vec<&str>)> = Vec::new();
    for (names, blocks) in &groups {
        for block in *blocks {
            match block {
                Block::Paragraph(text) => collect(&mut paragraphs, text.as_str(), names),
                Block::List(items) => {
                    for item in items {
                        let mut item = item.clone();
                        if item.text == CANCELED {
                            item.text = CANCELED_IN_FULL.into();
                        }
                        collect(&mut entries, item, names);
                    }
                }
                _ => return Err(format!("{}: an unusual section Errors", marks.page.name).into()),
            }
        }
    }

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
            "What to do about an error, and what else it may mean, stands in io_uring_errors(7).",
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

/// A text that holds for some functions only begins with their names.
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
fn history(marks: &Marks) -> Result<Vec<String>> {
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
        let or_before = |release: &str, first: &str| match release == first {
            true => format!("{release} or earlier"),
            false => release.to_string(),
        };
        if let Some(release) = sources.library.get(name) {
            text += &format!(
                "In the library since liburing {}.",
                or_before(release, "2.0")
            );
        } else if let Some(release) = sources.ffi.get(name) {
            let release = or_before(release, "2.4");
            text +=
                &format!("Inline in liburing {release}, and a symbol of liburing-ffi since then.");
            text = text.replace(
                "2.4 or earlier, and a symbol of liburing-ffi since then",
                "2.4 or earlier, a symbol of liburing-ffi since 2.4",
            );
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

/// What a doc comment states as conditions of safety, said to callers from C.
fn caveats(marks: &Marks) -> Result<Vec<String>> {
    let mut lines = grouped(marks, "Caveats")?;
    let conditions = grouped(marks, "Safety")?;
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

fn see_also(marks: &Marks, own: &[Block]) -> Vec<String> {
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
