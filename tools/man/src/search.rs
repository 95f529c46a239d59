//! What the site's search looks through: names, headings, errors, and the words of each section.

use std::collections::BTreeSet;
use std::fmt::Write;

/// A place of the manual that a search can lead to.
pub struct Row {
    pub title: String,
    pub link: String,
    pub about: String,
    /// What else is found under it, in lower case.
    pub words: String,
}

/// Words that every page has, so searching for them is useless.
const COMMON: &[&str] = &["and", "are", "for", "not", "that", "the", "this", "with"];

/// A row for each section of a page and for each error that it explains.
pub fn places(page: &str, file: &str, html: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for part in html.split("<section class=\"S").skip(1) {
        let Some((id, heading)) = heading(part) else {
            continue;
        };
        if ["NAME", "LIBRARY", "SYNOPSIS", "SEE_ALSO"].contains(&id) {
            continue;
        }
        let link = format!("{file}.html#{id}");
        for (errors, text) in errors(part) {
            rows.push(Row {
                title: format!("{page}: {errors}"),
                link: link.clone(),
                about: text,
                words: String::new(),
            });
        }
        rows.push(Row {
            title: page.to_string(),
            link,
            about: heading,
            words: words(&plain(part)),
        });
    }
    rows
}

/// The id and the words of the heading that a section begins with.
fn heading(part: &str) -> Option<(&str, String)> {
    let (head, _) = part.split_once("</h")?;
    let (_, after) = head.split_once(" id=\"")?;
    let (id, _) = after.split_once('"')?;
    let (_, label) = head.rsplit_once("<a class=\"permalink\"")?;
    let text = plain(&format!("<a{label}"));
    Some((id, text))
}

/// Lists of errors: the names of each, and the beginning of its explanation.
fn errors(part: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in part.split("<dt").skip(1) {
        let Some((term, text)) = entry.split_once("</dt>") else {
            continue;
        };
        let term = plain(&format!("<dt{term}"));
        let Some((_, text)) = text.split_once("<dd>") else {
            continue;
        };
        if term.trim_start_matches('-').starts_with('E') && term.len() < 40 && !term.contains('_') {
            let text = plain(text.split("</dd>").next().unwrap_or_default());
            let short = text.split(". ").next().unwrap_or_default();
            found.push((term, short.trim_end_matches('.').to_string()));
        }
    }
    found
}

/// The text without its tags.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#x2014;", "-")
        .replace("&#x2018;", "'")
        .replace("&#x2019;", "'")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn words(text: &str) -> String {
    let lower = text.to_lowercase();
    let words: BTreeSet<&str> = lower
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.len() > 2 && !COMMON.contains(word))
        .collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// The rows as a script, so that the search needs only the site's files.
pub fn script(rows: &[Row]) -> String {
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = String::from("const names = [\n");
    for row in rows {
        let _ = writeln!(
            out,
            "  [\"{}\", \"{}\", \"{}\", \"{}\"],",
            quote(&row.title),
            row.link,
            quote(&row.about),
            row.words
        );
    }
    out.push_str("];\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_sections_and_errors() {
        let html = "<section class=\"Sh\">\n<h1 class=\"Sh\" id=\"ERRORS\"><a class=\"permalink\" \
            href=\"#ERRORS\">ERRORS</a></h1>\n<p>A read may be short.</p><dl><dt><code class=\"Er\">-EBUSY</code></dt>\n\
            <dd>Full. Take &lt;some&gt;.</dd></dl></section>";
        let rows = places("page(3)", "page.3", html);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].title, "page(3): -EBUSY");
        assert_eq!(rows[0].about, "Full");
        assert_eq!(rows[1].about, "ERRORS");
        assert_eq!(rows[1].link, "page.3.html#ERRORS");
        assert!(rows[1].words.contains("short"));
    }
}
