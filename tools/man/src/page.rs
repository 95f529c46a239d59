//! One page: its sections from the functions' doc comments, the headers, the version maps, and the page's own text.

use liburing_headers::Result;

use crate::contents::Page;
use crate::functions;
use crate::markdown::Block;
use crate::mdoc;
use crate::render::{self, Marks};
use crate::sources::Sources;

/// The date of all pages: that of the release.
const DATE: &str = "November 29, 2026";

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
        sections.add("RETURN VALUES", functions::return_values(&marks)?);
        sections.add("ERRORS", functions::errors(&marks)?);
        sections.add("HISTORY", functions::history(&marks)?);
        sections.add("CAVEATS", functions::caveats(&marks)?);
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
    sections.add("SEE ALSO", functions::see_also(&marks, &own_see));

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
            // Parameters of macros end in _, so that they are no names of the program's.
            lines.push(format!(".Fa \"{}\"", parameter.trim_end_matches('_')));
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
