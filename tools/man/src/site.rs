//! The manual as a web site: the pages by mandoc, an index by topic and one by name, and a search that needs no server.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use liburing_headers::Result;

use crate::contents::Page;
use crate::put;
use crate::search::{self, Row};
use crate::sources::Sources;

const STYLE: &str = include_str!("../site/style.css");
const SEARCH: &str = include_str!("../site/search.js");

/// What an index has of a name.
struct Entry<'a> {
    name: String,
    section: &'a str,
    link: String,
    about: &'a str,
}

/// Writes the site from the committed pages below man/.
pub fn write(books: &[Sources], out: &Path) -> Result<()> {
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    let mut entries: Vec<Entry> = Vec::new();
    for sources in books {
        for page in &sources.pages {
            let text = html(sources, page)?;
            add_entries(&mut entries, sources, page, &text);
            pages.insert(page.file(), text);
        }
    }
    for page in books.iter().flat_map(|book| &book.pages) {
        let title = format!("{}({})", page.name, page.section);
        let body = relink(&pages[&page.file()], &entries);
        put(
            &out.join(format!("{}.html", page.file())),
            &frame(&title, &body),
        )?;
    }
    let index = frame("The manual of liburing", &by_topic(books));
    put(&out.join("index.html"), &index)?;
    put(
        &out.join("names.html"),
        &frame("All names", &by_name(&mut entries)),
    )?;
    let mut rows: Vec<Row> = entries.iter().map(row).collect();
    for page in books.iter().flat_map(|book| &book.pages) {
        let title = format!("{}({})", page.name, page.section);
        rows.extend(search::places(&title, &page.file(), &pages[&page.file()]));
    }
    put(&out.join("names.js"), &search::script(&rows))?;
    put(&out.join("search.js"), SEARCH)?;
    put(&out.join("style.css"), STYLE)
}

/// Every name of a page, with the place on it that it leads to.
fn add_entries<'a>(entries: &mut Vec<Entry<'a>>, sources: &'a Sources, page: &'a Page, text: &str) {
    let own = [&page.name]
        .into_iter()
        .chain(&page.functions)
        .chain(&page.names);
    let own = own.map(|name| (name, page.section.as_str()));
    let structs = page.structs.iter().map(|name| (name, sources.book.section));
    for (name, section) in own.chain(structs) {
        let target = &sources.pages[sources.names[name]];
        if target.file() != page.file()
            || entries
                .iter()
                .any(|e| e.name == *name && e.section == section)
        {
            continue;
        }
        let place = match text.contains(&format!("id=\"{name}\"")) {
            true => format!("#{name}"),
            false => String::new(),
        };
        entries.push(Entry {
            name: name.clone(),
            section,
            link: format!("{}.html{place}", page.file()),
            about: &page.about,
        });
    }
}

fn html(sources: &Sources, page: &Page) -> Result<String> {
    let path = sources
        .root
        .join(format!("man/man{}/{}", &page.section[..1], page.file()));
    let run = Command::new("mandoc")
        .args(["-Thtml", "-Ofragment,man=%N.%S.html", "-Ios=liburing 2.15"])
        .arg(&path)
        .output()?;
    if !run.status.success() {
        return Err(format!("mandoc fails on {}", path.display()).into());
    }
    Ok(String::from_utf8(run.stdout)?)
}

/// Links cross references to the page that has the name. References to pages of the system become plain text.
fn relink(text: &str, entries: &[Entry]) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut foreign = false;
    while let Some((before, after)) = rest.split_once("<a class=\"Xr\" href=\"") {
        out.push_str(before);
        let (target, after) = after.split_once('"').unwrap_or((after, ""));
        let (label, after) = after.split_once("</a>").unwrap_or((after, ""));
        let label = label.trim_start_matches('>');
        let name = target.trim_end_matches(".html");
        let entry = entries.iter().find(|entry| {
            name.strip_prefix(entry.name.as_str())
                .is_some_and(|tail| tail.strip_prefix('.') == Some(entry.section))
        });
        match entry {
            Some(entry) => {
                let _ = write!(out, "<a class=\"Xr\" href=\"{}\">{label}</a>", entry.link);
            }
            None => {
                foreign = true;
                let _ = write!(
                    out,
                    "<span class=\"Xr foreign\" title=\"not part of this site\">{label}</span>"
                );
            }
        }
        rest = after;
    }
    out.push_str(rest);
    if foreign {
        out.push_str(
            "<p><small>Names with a <span class=\"foreign\">dotted line</span> are pages of the system's manual, not \
             part of this site: <code>man 2 read</code> shows read(2).</small></p>\n",
        );
    }
    out
}

fn frame(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<link rel=\"stylesheet\" href=\"style.css\">\n\
         <script src=\"names.js\" defer></script>\n<script src=\"search.js\" defer></script>\n</head>\n<body>\n\
         <nav>\n<a href=\"index.html\">liburing manual</a>\n<a href=\"names.html\">all names</a>\n\
         <input id=\"search\" type=\"search\" placeholder=\"name, error or words\" aria-label=\"Search\">\n\
         <ul id=\"found\"></ul>\n</nav>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

fn by_topic(books: &[Sources]) -> String {
    let mut out = String::from(
        "<h1>The manual of liburing</h1>\n<p>liburing is the C library for io_uring, which lets a program hand \
         requests to the Linux kernel and take their results later. \
         Begin with <a href=\"io_uring.7.html\">io_uring(7)</a>; \
         it has a copy program and an echo server.</p>\n",
    );
    let mut topic = "";
    for page in books.iter().flat_map(|book| &book.pages) {
        if page.topic != topic {
            if !topic.is_empty() {
                out.push_str("</dl>\n");
            }
            topic = &page.topic;
            let _ = write!(out, "<h2>{topic}</h2>\n<dl>\n");
        }
        let _ = write!(
            out,
            "<dt><a href=\"{file}.html\">{}({})</a></dt>\n<dd>{}",
            page.name,
            page.section,
            escape(&page.about),
            file = page.file()
        );
        let others: Vec<&String> = page
            .functions
            .iter()
            .filter(|name| **name != page.name)
            .collect();
        if !others.is_empty() {
            let names: Vec<&str> = others.iter().map(|name| name.as_str()).collect();
            let _ = write!(out, "<br><small>also {}</small>", names.join(", "));
        }
        out.push_str("</dd>\n");
    }
    out.push_str("</dl>\n");
    out
}

fn by_name(entries: &mut [Entry]) -> String {
    entries.sort_by(|a, b| {
        let key = |entry: &Entry| {
            (
                entry.name.trim_start_matches('_').to_lowercase(),
                entry.section.to_string(),
            )
        };
        key(a).cmp(&key(b))
    });
    let mut out = String::from("<h1>All names</h1>\n<dl>\n");
    for entry in entries.iter() {
        let _ = writeln!(
            out,
            "<dt><a href=\"{}\">{}({})</a></dt>\n<dd>{}</dd>",
            entry.link,
            entry.name,
            entry.section,
            escape(entry.about)
        );
    }
    out.push_str("</dl>\n");
    out
}

fn row(entry: &Entry) -> Row {
    Row {
        title: format!("{}({})", entry.name, entry.section),
        link: entry.link.clone(),
        about: entry.about.to_string(),
        words: String::new(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
