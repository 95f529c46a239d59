//! Pages in mdoc(7): the blocks of a text, and lists of constants and fields.

use liburing_headers::Result;

use crate::contents::Page;
use crate::markdown::{Block, Item};
use crate::mdoc::{self, Names};
use crate::sources::Sources;

/// The markup of names on one page.
pub struct Marks<'a> {
    pub sources: &'a Sources,
    pub page: &'a Page,
}

impl Names for Marks<'_> {
    fn section(&self, name: &str) -> Option<&str> {
        if self.is_own(name) {
            return None;
        }
        let index = self.sources.names.get(name)?;
        Some(&self.sources.pages[*index].section)
    }

    fn is_own(&self, name: &str) -> bool {
        self.page.functions.iter().any(|own| own == name)
    }

    fn is_argument(&self, name: &str) -> bool {
        let parameter = |text: &String| text.rsplit([' ', '*']).next() == Some(name);
        let own = self.page.functions.iter().any(|function| {
            let declaration = self.sources.headers.functions.get(function);
            declaration.is_some_and(|d| d.parameters.iter().any(parameter))
        });
        own || self.sources.is_field(name)
    }
}

/// Lines of mdoc for blocks. The first paragraph needs no `.Pp`.
pub fn blocks(blocks: &[Block], marks: &Marks) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    // Whether a paragraph starts anyway: after a heading, and at the beginning.
    let mut fresh = true;
    for block in blocks {
        match block {
            Block::Heading(level, title) => {
                let request = if *level <= 2 { "Sh" } else { "Ss" };
                lines.push(format!(".{request} {}", mdoc::plain(title)));
                fresh = true;
                continue;
            }
            Block::Paragraph(text) => {
                paragraph(&mut lines, fresh);
                lines.extend(mdoc::text(text, marks));
            }
            Block::List(items) => list(&mut lines, items, marks),
            Block::Numbered(items) => {
                lines.push(".Bl -enum".into());
                for item in items {
                    lines.push(".It".into());
                    lines.extend(mdoc::text(item, marks));
                }
                lines.push(".El".into());
            }
            Block::Table(rows) => table(&mut lines, rows, marks),
            Block::Code(code) => literal(&mut lines, code),
            Block::Directive(word, argument) => match word.as_str() {
                "constants" => {
                    let patterns: Vec<&str> = argument.split(' ').collect();
                    lines.extend(constants(&patterns, marks));
                }
                "struct" => lines.extend(structure(argument, marks)?),
                "example" => lines.extend(example(argument, marks, fresh)?),
                _ => return Err(format!("unknown directive {word}").into()),
            },
        }
        fresh = false;
    }
    Ok(lines)
}

fn paragraph(lines: &mut Vec<String>, fresh: bool) {
    if !fresh {
        lines.push(".Pp".into());
    }
}

fn literal(lines: &mut Vec<String>, code: &str) {
    lines.push(".Bd -literal".into());
    lines.extend(mdoc::literal(code));
    lines.push(".Ed".into());
}

fn list(lines: &mut Vec<String>, items: &[Item], marks: &Marks) {
    let tagged = items.iter().all(|item| item.term.is_some());
    if tagged {
        lines.push(".Bl -tag -width Ds".into());
    } else {
        lines.push(".Bl -bullet".into());
    }
    for item in items {
        match &item.term {
            Some(term) if tagged => {
                lines.push(format!(".It {}", mdoc::arguments(term, marks)));
                lines.extend(mdoc::text(&item.text, marks));
            }
            Some(term) => {
                lines.push(".It".into());
                lines.extend(mdoc::text(&format!("{term}: {}", item.text), marks));
            }
            None => {
                lines.push(".It".into());
                lines.extend(mdoc::text(&item.text, marks));
            }
        }
    }
    lines.push(".El".into());
}

/// A table of two columns becomes a list of terms. One of more columns names each cell by its head.
fn table(lines: &mut Vec<String>, rows: &[Vec<String>], marks: &Marks) {
    let Some((head, rows)) = rows.split_first() else {
        return;
    };
    lines.push(".Bl -tag -width Ds".into());
    for row in rows {
        let Some((term, cells)) = row.split_first() else {
            continue;
        };
        lines.push(format!(".It {}", mdoc::arguments(term, marks)));
        let mut parts = Vec::new();
        for (cell, title) in cells.iter().zip(head.iter().skip(1)) {
            match cell.as_str() {
                "" => {}
                cell if cells.len() == 1 => parts.push(cell.to_string()),
                cell => parts.push(format!("**{title}**: {cell}")),
            }
        }
        lines.extend(mdoc::text(&parts.join("; "), marks));
    }
    lines.push(".El".into());
}

pub fn example(name: &str, marks: &Marks, fresh: bool) -> Result<Vec<String>> {
    let (about, code) = marks
        .sources
        .example(name)?
        .ok_or_else(|| format!("there is no example {name}"))?;
    let mut lines = Vec::new();
    paragraph(&mut lines, fresh);
    lines.extend(mdoc::text(&about, marks));
    literal(&mut lines, &code);
    Ok(lines)
}

/// A list of constants. Opcodes name the functions that prepare them.
pub fn constants(patterns: &[&str], marks: &Marks) -> Vec<String> {
    let sources = marks.sources;
    let mut lines = vec![".Bl -tag -width Ds".to_string()];
    for pattern in patterns {
        for item in sources.constants(pattern) {
            lines.push(format!(".It Dv {}", item.name));
            let mut text = since(&item.doc.join(" "));
            let functions: Vec<String> = match sources.prepared_by.get(&item.name) {
                Some(functions) if item.owner.as_deref() == Some("io_uring_op") => functions
                    .iter()
                    .filter(|name| sources.names.contains_key(*name))
                    .map(|name| format!("{name}()"))
                    .collect(),
                _ => Vec::new(),
            };
            if !functions.is_empty() {
                text = format!("{text} Prepared by {}.", functions.join(", "));
            } else if let Some(function) = register_function(&item.name, sources) {
                text = format!("{text} Called by {function}().");
            }
            lines.extend(mdoc::text(&text, marks));
        }
    }
    lines.push(".El".into());
    lines
}

/// The function that makes a call of io_uring_register(), by the operation's name or an exception.
fn register_function(operation: &str, sources: &Sources) -> Option<String> {
    let exceptions = [
        ("IORING_REGISTER_FILES2", "io_uring_register_files_tags"),
        (
            "IORING_REGISTER_FILES_UPDATE2",
            "io_uring_register_files_update_tag",
        ),
        ("IORING_REGISTER_BUFFERS2", "io_uring_register_buffers_tags"),
        (
            "IORING_REGISTER_BUFFERS_UPDATE",
            "io_uring_register_buffers_update_tag",
        ),
        ("IORING_REGISTER_ENABLE_RINGS", "io_uring_enable_rings"),
        ("IORING_REGISTER_RING_FDS", "io_uring_register_ring_fd"),
        ("IORING_UNREGISTER_RING_FDS", "io_uring_unregister_ring_fd"),
        ("IORING_REGISTER_PBUF_RING", "io_uring_register_buf_ring"),
        (
            "IORING_UNREGISTER_PBUF_RING",
            "io_uring_unregister_buf_ring",
        ),
        ("IORING_REGISTER_PBUF_STATUS", "io_uring_buf_ring_head"),
        ("IORING_REGISTER_CLONE_BUFFERS", "io_uring_clone_buffers"),
        (
            "IORING_REGISTER_SEND_MSG_RING",
            "io_uring_register_sync_msg",
        ),
        ("IORING_REGISTER_ZCRX_IFQ", "io_uring_register_ifq"),
        ("IORING_REGISTER_RESIZE_RINGS", "io_uring_resize_rings"),
        ("IORING_REGISTER_MEM_REGION", "io_uring_register_region"),
    ];
    let rest = operation.strip_prefix("IORING_")?;
    if !(rest.starts_with("REGISTER_") || rest.starts_with("UNREGISTER_")) {
        return None;
    }
    let found = exceptions.iter().find(|(name, _)| *name == operation);
    let function = match found {
        Some((_, function)) => function.to_string(),
        None => format!("io_uring_{}", rest.to_lowercase()),
    };
    sources
        .headers
        .functions
        .contains_key(&function)
        .then_some(function)
}

/// Spells out "Since 5.6.", which means the kernel.
fn since(text: &str) -> String {
    let mut parts = text.split("Since ");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let version = part.starts_with(|c: char| c.is_ascii_digit());
        out.push_str(if version { "Since Linux " } else { "Since " });
        out.push_str(part);
    }
    out
}

/// A structure as the headers declare it, and its fields.
pub fn structure(name: &str, marks: &Marks) -> Result<Vec<String>> {
    let sources = marks.sources;
    let declaration = sources
        .headers
        .structs
        .get(name)
        .ok_or_else(|| format!("the headers have no struct {name}"))?;
    let item = sources
        .items
        .iter()
        .find(|item| item.name == name && item.owner.is_none())
        .ok_or_else(|| format!("the sources have no struct {name}"))?;
    let mut lines = mdoc::text(&since(&item.doc.join(" ")), marks);
    literal(&mut lines, declaration);
    lines.push(".Pp".into());
    lines.push("Its fields:".into());
    lines.push(".Bl -tag -width Ds".into());
    fields(name, marks, &mut lines);
    lines.push(".El".into());
    Ok(lines)
}

fn fields(owner: &str, marks: &Marks, lines: &mut Vec<String>) {
    let parts = marks.sources.items.iter();
    for field in parts.filter(|item| item.owner.as_deref() == Some(owner)) {
        if field.ty.starts_with("__anon_") {
            if !field.name.starts_with("__anon") {
                lines.push(format!(".It Fa {}", field.name));
                lines.extend(mdoc::text(&since(&field.doc.join(" ")), marks));
            }
            fields(&field.ty, marks, lines);
        } else {
            lines.push(format!(".It Fa {}", field.name));
            lines.extend(mdoc::text(&since(&field.doc.join(" ")), marks));
        }
    }
}
