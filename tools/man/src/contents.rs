//! The list of the pages: tools/man/contents.txt.

use liburing_headers::Result;

/// A page of the manual.
#[derive(Default)]
pub struct Page {
    pub topic: String,
    pub name: String,
    pub section: String,
    pub about: String,
    /// Further names of the page, such as macros without arguments.
    pub names: Vec<String>,
    pub functions: Vec<String>,
    pub structs: Vec<String>,
    /// Names, beginnings of names with a `*` behind, and enums.
    pub constants: Vec<String>,
    /// `name(section)`
    pub see: Vec<String>,
}

impl Page {
    /// The name of its file without a directory.
    pub fn file(&self) -> String {
        format!("{}.{}", self.name, self.section)
    }
}

pub fn parse(text: &str) -> Result<Vec<Page>> {
    let mut pages: Vec<Page> = Vec::new();
    let mut topic = String::new();
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with('#') {
        } else if let Some(name) = line.strip_prefix("= ") {
            topic = name.to_string();
        } else if line.starts_with(' ') {
            let page = pages.last_mut().ok_or("no page yet")?;
            let mut words = line.split_whitespace().map(str::to_string);
            match words.next().as_deref() {
                Some("names") => page.names.extend(words),
                Some("functions") => page.functions.extend(words),
                Some("structs") => page.structs.extend(words),
                Some("constants") => page.constants.extend(words),
                Some("see") => page.see.extend(words),
                _ => return Err(format!("not understood: {line}").into()),
            }
        } else {
            let (file, about) = line.split_once(": ").ok_or("a page without a colon")?;
            let (name, section) = file.split_once('.').ok_or("a page without a section")?;
            pages.push(Page {
                topic: topic.clone(),
                name: name.into(),
                section: section.into(),
                about: about.into(),
                ..Page::default()
            });
        }
    }
    Ok(pages)
}
