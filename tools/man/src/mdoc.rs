//! The language of manual pages: text becomes lines of mdoc(7).

/// Longest line of running text that linters accept.
const WIDTH: usize = 78;

/// The markup of a name in a text.
pub trait Names {
    /// The section of the page for `name()`, unless it is the page being written.
    fn section(&self, name: &str) -> Option<&str>;
    /// Whether the page being written describes it.
    fn is_own(&self, name: &str) -> bool;
    /// Whether it is a parameter or a field.
    fn is_argument(&self, name: &str) -> bool;
}

/// A piece of text, or a macro and its argument.
#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Macro(&'static str, String),
}

/// Running text as lines. Each sentence starts a line, as formatters want it.
pub fn text(source: &str, names: &dyn Names) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut sentence_ended = false;
    for word in words(pieces(source, names)) {
        if sentence_ended && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        sentence_ended = false;
        if let [Piece::Text(word)] = word.as_slice() {
            sentence_ended = ends_sentence(word);
            let word = escape(word);
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if line.is_empty() {
                line = guard(word);
            } else {
                line = format!("{line} {word}");
            }
        } else {
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            lines.push(format!(".{}", macro_line(&word)));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The same as arguments of a macro such as `.It`.
pub fn arguments(source: &str, names: &dyn Names) -> String {
    let mut tokens = Vec::new();
    let mut plain = false;
    for mut word in words(pieces(source, names)) {
        // A quotation mark would be closed only at the end of the line.
        for piece in &mut word {
            if let Piece::Macro(name @ "Ql", _) = piece {
                *name = "Li";
            }
        }
        if let [Piece::Text(text)] = word.as_slice() {
            if !plain {
                tokens.push("No".to_string());
            }
            tokens.push(argument(text));
            plain = true;
        } else {
            tokens.push(macro_line(&word));
            plain = false;
        }
    }
    tokens.join(" ")
}

/// Source code and other text that keeps its lines.
pub fn literal(code: &str) -> Vec<String> {
    code.lines()
        .map(|line| {
            let line: String = line
                .trim_end()
                .chars()
                .map(|c| match c {
                    '\\' => "\\e".to_string(),
                    '-' => "\\-".to_string(),
                    '\'' => "\\(aq".to_string(),
                    '`' => "\\(ga".to_string(),
                    '^' => "\\(ha".to_string(),
                    '~' => "\\(ti".to_string(),
                    '\t' => "    ".to_string(),
                    c => c.to_string(),
                })
                .collect();
            guard(line)
        })
        .collect()
}

/// A heading's words.
pub fn plain(title: &str) -> String {
    let words: Vec<String> = title.replace('`', "").split(' ').map(argument).collect();
    words.join(" ")
}

/// One argument of a macro.
pub fn argument(text: &str) -> String {
    let text = escape(text).replace('"', "\\(dq");
    let macro_name = (2..=3).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_uppercase() || c == '%')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '%');
    let delimiter = text.len() == 1 && "().,:;[]?!|".contains(&text);
    if macro_name || delimiter {
        format!("\\&{text}")
    } else if text.contains(' ') || text.is_empty() {
        format!("\"{text}\"")
    } else {
        text
    }
}

/// Protects a line that formatters would take for a request.
fn guard(line: String) -> String {
    if line.starts_with(['.', '\'']) {
        format!("\\&{line}")
    } else {
        line
    }
}

fn escape(word: &str) -> String {
    let word = word.replace('\\', "\\e");
    match word.strip_prefix('-') {
        Some(rest) => format!("\\-{rest}"),
        None => word,
    }
}

fn ends_sentence(word: &str) -> bool {
    let bare = word.trim_end_matches([')', '"', '\u{201d}']);
    bare.ends_with(['.', '?', '!']) && !["e.g.", "i.e.", "etc."].contains(&bare)
}

fn macro_line(word: &[Piece]) -> String {
    let mut tokens: Vec<String> = Vec::new();
    let mut glued = false;
    let mut in_macro = false;
    for (index, piece) in word.iter().enumerate() {
        match piece {
            Piece::Macro(name, value) => {
                if glued {
                    tokens.push("Ns".into());
                }
                tokens.push(name.to_string());
                if *name == "Xr" || *name == "Vt" {
                    tokens.extend(value.split(' ').map(argument));
                } else {
                    tokens.push(argument(value));
                }
                glued = true;
                in_macro = true;
            }
            Piece::Text(text) => {
                let mut rest = text.as_str();
                // A parenthesis that opens stands before the first name.
                if !in_macro && rest.chars().all(|c| "([".contains(c)) {
                    tokens.extend(["No".into(), format!("\\&{rest}"), "Ns".into()]);
                    continue;
                }
                let last = index + 1 == word.len();
                let end = if in_macro {
                    rest.find(|c| !").,:;]?!".contains(c)).unwrap_or(rest.len())
                } else {
                    0
                };
                if end == rest.len() && last {
                    tokens.extend(rest.chars().map(String::from));
                    continue;
                }
                let mut tail = "";
                if last {
                    let start = rest.trim_end_matches(['.', ',', ':', ';']).len();
                    (rest, tail) = rest.split_at(start);
                }
                if glued {
                    tokens.push("Ns".into());
                }
                tokens.push("No".into());
                tokens.push(argument(rest));
                tokens.extend(tail.chars().map(String::from));
                glued = true;
            }
        }
    }
    tokens.join(" ")
}

/// Splits at the spaces of the plain text.
fn words(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut words = vec![Vec::new()];
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                for (index, part) in text.split(' ').enumerate() {
                    if index > 0 {
                        words.push(Vec::new());
                    }
                    if !part.is_empty()
                        && let Some(word) = words.last_mut()
                    {
                        word.push(Piece::Text(part.to_string()));
                    }
                }
            }
            piece => {
                if let Some(word) = words.last_mut() {
                    word.push(piece);
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn pieces(source: &str, names: &dyn Names) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, part) in source.split('`').enumerate() {
        if index % 2 == 1 {
            pieces.push(code(part, names));
            continue;
        }
        for (index, part) in part.split("**").enumerate() {
            if index % 2 == 1 {
                pieces.push(Piece::Macro("Sy", part.into()));
            } else {
                references(part, names, &mut pieces);
            }
        }
    }
    pieces
}

/// Finds `name(3)`, `name()` and `[words](address)` in plain text.
fn references(text: &str, names: &dyn Names, pieces: &mut Vec<Piece>) {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((label, address, tail)) = link(rest) {
            plain.push_str(label);
            if address.contains("://") {
                plain.push_str(" (");
                plain.push_str(address);
                plain.push(')');
            }
            rest = tail;
            continue;
        }
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        if let Some(piece) = reference(name, tail, names) {
            let close = tail.find(')').map_or(0, |at| at + 1);
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(piece);
            rest = &tail[close..];
        } else {
            let step = if end > 0 { end } else { c.len_utf8() };
            plain.push_str(&rest[..step]);
            rest = &rest[step..];
        }
    }
    pieces.push(Piece::Text(plain));
}

fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (label, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (address, tail) = rest.split_once(')')?;
    (!label.contains('[')).then_some((label, address, tail))
}

/// A name that `()` or a section in parentheses follows.
fn reference(name: &str, tail: &str, names: &dyn Names) -> Option<Piece> {
    let section = tail.strip_prefix('(')?.split_once(')')?.0;
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts {
        return None;
    }
    if section.is_empty() || names.is_own(name) {
        return Some(match names.section(name) {
            Some(section) => Piece::Macro("Xr", format!("{name} {section}")),
            None => Piece::Macro("Fn", name.into()),
        });
    }
    let is_section = section.len() <= 2 && section.starts_with(|c: char| ('1'..='8').contains(&c));
    is_section.then(|| Piece::Macro("Xr", format!("{name} {section}")))
}

/// A code span, marked by what it is.
fn code(span: &str, names: &dyn Names) -> Piece {
    let end = span
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(span.len());
    if let Some(piece) = reference(&span[..end], &span[end..], names)
        && span.ends_with(')')
        && span.matches('(').count() == 1
    {
        return piece;
    }
    let is_word = |text: &str, extra: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || extra.contains(c))
    };
    let errno = span.strip_prefix('-').unwrap_or(span);
    if errno.starts_with('E')
        && errno.len() > 3
        && is_word(errno, "")
        && !errno.starts_with("EPOLL")
    {
        return Piece::Macro("Er", span.into());
    }
    if span.len() > 2
        && span.contains(|c: char| c.is_ascii_uppercase())
        && is_word(span, "_*")
        && !span.starts_with(|c: char| c.is_ascii_digit())
    {
        return Piece::Macro("Dv", span.into());
    }
    if ["struct ", "enum ", "union "]
        .iter()
        .any(|kind| span.starts_with(kind))
    {
        return Piece::Macro("Vt", span.into());
    }
    if span.starts_with('/') || span.starts_with('<') {
        return Piece::Macro("Pa", span.into());
    }
    if span == "errno" {
        return Piece::Macro("Va", span.into());
    }
    if names.is_argument(span.trim_start_matches(['*', '&'])) {
        return Piece::Macro("Fa", span.into());
    }
    Piece::Macro("Ql", span.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known;

    impl Names for Known {
        fn section(&self, name: &str) -> Option<&str> {
            (name == "io_uring_submit").then_some("3")
        }
        fn is_own(&self, name: &str) -> bool {
            name == "own"
        }
        fn is_argument(&self, name: &str) -> bool {
            name == "res"
        }
    }

    #[test]
    fn marks_names() {
        let lines = text(
            "In `res`: -1. See io_uring_submit() (`-EBADF`), pread(2), own()'s and `IORING_X`.",
            &Known,
        );
        assert_eq!(
            lines,
            [
                "In",
                ".Fa res :",
                "\\-1.",
                "See",
                ".Xr io_uring_submit 3",
                ".No \\&( Ns Er \\-EBADF ) ,",
                ".Xr pread 2 ,",
                ".Fn own Ns No 's",
                "and",
                ".Dv IORING_X ."
            ]
        );
    }

    #[test]
    fn breaks_at_sentences_and_width() {
        assert_eq!(text("One. Two.", &Known), ["One.", "Two."]);
        let long = "word ".repeat(40);
        assert!(text(&long, &Known).iter().all(|line| line.len() <= WIDTH));
    }

    #[test]
    fn keeps_code_as_it_is() {
        assert_eq!(
            literal(".x\n'a\\n' - \"b\"\n"),
            ["\\&.x", "\\(aqa\\en\\(aq \\- \"b\""]
        );
    }
}
