//! The part of Markdown that doc comments and guides are written in.

/// What a text consists of.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// `#` is level 1.
    Heading(usize, String),
    Paragraph(String),
    /// Each item: the term before a colon, if it is one, and the text.
    List(Vec<Item>),
    Numbered(Vec<String>),
    /// Rows of cells; the first is the head.
    Table(Vec<Vec<String>>),
    Code(String),
    /// `{{word argument}}`
    Directive(String, String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub term: Option<String>,
    pub text: String,
}

pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = lines.into_iter().peekable();
    while let Some(line) = lines.next() {
        let text = line.trim();
        if text.is_empty() || text.starts_with("<!--") {
            continue;
        }
        if text.starts_with("```") {
            let code: Vec<&str> = lines
                .by_ref()
                .take_while(|line| !line.trim().starts_with("```"))
                .collect();
            blocks.push(Block::Code(code.join("\n")));
        } else if let Some(directive) = text.strip_prefix("{{").and_then(|t| t.strip_suffix("}}")) {
            let (word, argument) = directive.split_once(' ').unwrap_or((directive, ""));
            blocks.push(Block::Directive(word.into(), argument.into()));
        } else if text.starts_with('#') {
            let title = text.trim_start_matches('#');
            blocks.push(Block::Heading(
                text.len() - title.len(),
                title.trim().into(),
            ));
        } else if text.starts_with('|') {
            let mut rows = vec![cells(text)];
            while let Some(row) = lines.next_if(|line| line.trim().starts_with('|')) {
                if !row.chars().all(|c| "|-: ".contains(c)) {
                    rows.push(cells(row.trim()));
                }
            }
            blocks.push(Block::Table(rows));
        } else if bullet(text).is_some() {
            let mut items = Vec::new();
            let mut next = Some(text);
            while let Some(first) = next {
                let mut item = bullet(first).unwrap_or(first).to_string();
                continue_text(&mut lines, &mut item);
                items.push(term(item));
                next = lines
                    .next_if(|line| bullet(line.trim()).is_some())
                    .map(str::trim);
            }
            blocks.push(Block::List(items));
        } else if number(text).is_some() {
            let mut items = Vec::new();
            let mut next = Some(text);
            while let Some(first) = next {
                let mut item = number(first).unwrap_or(first).to_string();
                continue_text(&mut lines, &mut item);
                items.push(item);
                next = lines
                    .next_if(|line| number(line.trim()).is_some())
                    .map(str::trim);
            }
            blocks.push(Block::Numbered(items));
        } else {
            let mut paragraph = text.to_string();
            continue_text(&mut lines, &mut paragraph);
            blocks.push(match example(&paragraph) {
                Some(name) => Block::Directive("example".into(), name.into()),
                None => Block::Paragraph(paragraph),
            });
        }
    }
    blocks
}

/// The name of an example, if a paragraph is only a link to it. A page shows the example in its place.
fn example(paragraph: &str) -> Option<&str> {
    let (_, address) = paragraph.strip_prefix('[')?.split_once("](")?;
    let (_, file) = address.split_once("man/examples/")?;
    file.strip_suffix(".c)")
}

/// Takes the lines that continue a paragraph or an item.
fn continue_text<'a>(
    lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    text: &mut String,
) {
    while let Some(line) = lines.next_if(|line| {
        let line = line.trim();
        !(line.is_empty()
            || line.starts_with(['#', '|'])
            || line.starts_with("```")
            || line.starts_with("{{")
            || bullet(line).is_some()
            || number(line).is_some())
    }) {
        text.push(' ');
        text.push_str(line.trim());
    }
}

fn bullet(line: &str) -> Option<&str> {
    line.strip_prefix("* ").or_else(|| line.strip_prefix("- "))
}

fn number(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.strip_prefix(". ").filter(|_| rest.len() < line.len())
}

fn cells(row: &str) -> Vec<String> {
    let inner = row.trim_start_matches('|').trim_end_matches('|');
    inner
        .split('|')
        .map(|cell| cell.trim().to_string())
        .collect()
}

/// Splits `` `-EBADF`, `-EINVAL`: text`` at the colon that ends a list of code spans.
fn term(item: String) -> Item {
    let mut inside = false;
    for (at, c) in item.char_indices() {
        match c {
            '`' => inside = !inside,
            ':' if !inside && item.starts_with('`') && item[at..].starts_with(": ") => {
                return Item {
                    term: Some(item[..at].to_string()),
                    text: item[at + 2..].to_string(),
                };
            }
            ',' | ' ' | '(' | ')' => {}
            _ if !inside => break,
            _ => {}
        }
    }
    Item {
        term: None,
        text: item,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_kind_of_block() {
        let text = "# Title\n\nOne\ntwo.\n\n* `-EBADF`, `-EINVAL`: bad\n  thing.\n* no term: here\n\n\
            1. first\n2. second\n\n| a | b |\n| - | - |\n| `1` | 2 |\n\n\
            ```c\nint x;\n\ny\n```\n{{struct s}}\n[An example](../man/examples/io_uring.c)\n";
        let item = |term: Option<&str>, text: &str| Item {
            term: term.map(str::to_string),
            text: text.into(),
        };
        assert_eq!(
            parse(text.lines()),
            [
                Block::Heading(1, "Title".into()),
                Block::Paragraph("One two.".into()),
                Block::List(vec![
                    item(Some("`-EBADF`, `-EINVAL`"), "bad thing."),
                    item(None, "no term: here")
                ]),
                Block::Numbered(vec!["first".into(), "second".into()]),
                Block::Table(vec![
                    vec!["a".into(), "b".into()],
                    vec!["`1`".into(), "2".into()]
                ]),
                Block::Code("int x;\n\ny".into()),
                Block::Directive("struct".into(), "s".into()),
                Block::Directive("example".into(), "io_uring".into()),
            ]
        );
    }
}
