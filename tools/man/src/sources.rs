//! Everything that pages are made from, read once.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use liburing_headers::source::{self, Documented};
use liburing_headers::{Result, files, rust_files};

use crate::contents::{self, Page};
use crate::cures::Cures;
use crate::headers::{self, Headers};
use crate::markdown::{self, Block};

/// A function's doc comment: the text before the first heading has the title "".
pub type Doc = HashMap<String, Vec<Block>>;

/// Where the pages of one interface come from.
#[derive(Clone, Copy)]
pub struct Book {
    pub contents: &'static str,
    /// Directories of examples and headers.
    examples: &'static str,
    include: &'static str,
    /// Rust sources of constants and types, and of functions: files, and directories with all below them.
    types: &'static [&'static str],
    functions: &'static [&'static str],
    /// The directory of what to do about errors.
    cures: &'static str,
    /// Version maps of the library and of liburing-ffi.
    library: &'static str,
    ffi: Option<&'static str>,
    /// The library's name, and the flags that link a program with it.
    pub name: &'static str,
    pub section: &'static str,
}

pub const TODAY: Book = Book {
    contents: "tools/man/contents.txt",
    examples: "man/examples",
    include: "include/liburing",
    types: &["core/src/abi"],
    functions: &["src", "core/src/inline"],
    cures: "tools/man/cures",
    library: "src/liburing.map",
    ffi: Some("src/liburing-ffi.map"),
    name: "liburing (liburing, \\-luring)",
    section: "3",
};

/// The interface of January 2019: the same names mean other things, so its pages are in sections of their own.
pub const OF_2019: Book = Book {
    contents: "tools/man/contents-2019.txt",
    examples: "man/examples/2019",
    include: "io_uring-2019/include",
    types: &["io_uring-2019/src/abi.rs", "io_uring-2019/src/c_types.rs"],
    functions: &["io_uring-2019/src/library"],
    cures: "tools/man/cures-2019",
    library: "io_uring-2019/liburing-0.1.map",
    ffi: None,
    name: "liburing of January 2019 (pkg-config liburing\\-0.1)",
    section: "3uring19",
};

pub struct Sources {
    pub book: Book,
    pub root: PathBuf,
    pub pages: Vec<Page>,
    pub headers: Headers,
    /// Constants, types and their parts, in the sources' order.
    pub items: Vec<Documented>,
    /// The release that first had a function, in the library and as a symbol of liburing-ffi.
    pub library: HashMap<String, String>,
    pub ffi: HashMap<String, String>,
    docs: HashMap<String, Doc>,
    pub cures: Cures,
    /// The functions that prepare a request, by its opcode.
    pub prepared_by: HashMap<String, Vec<String>>,
    /// Every name that has a page, with the index of that page.
    pub names: HashMap<String, usize>,
    fields: HashSet<String>,
}

impl Sources {
    pub fn read(root: &Path, book: Book) -> Result<Sources> {
        let pages = contents::parse(&fs::read_to_string(root.join(book.contents))?)?;
        let mut headers = Headers::default();
        for path in files(&root.join(book.include), "h")? {
            // The first shape of 2019 has functions of the same names with other parameters.
            if !path.parent().is_some_and(|dir| dir.ends_with("split")) {
                headers.read(&path)?;
            }
        }

        let release = Sources::release(root)?;
        let mut later = Vec::new();
        let mut items = Vec::new();
        for path in book.types.iter().map(|path| root.join(path)) {
            let paths = if path.is_dir() {
                rust_files(&path)?
            } else {
                vec![path]
            };
            for path in paths {
                if !path.ends_with("layout.rs") && !path.ends_with("mod.rs") {
                    items.extend(source::documented(&path)?);
                    later.extend(source::later(&path, release)?);
                }
            }
        }
        let mut docs = HashMap::new();
        let mut prepared_by: HashMap<String, Vec<String>> = HashMap::new();
        for dir in book.functions {
            for path in rust_files(&root.join(dir))? {
                later.extend(source::later(&path, release)?);
                for (name, lines) in source::docs(&path)? {
                    docs.insert(name, sections(&lines));
                }
                for (function, opcode) in opcodes(&fs::read_to_string(&path)?) {
                    prepared_by.entry(opcode).or_default().push(function);
                }
            }
        }

        for name in &later {
            headers.functions.remove(name);
            items.retain(|item| item.name != *name);
        }

        let mut names = HashMap::new();
        for (index, page) in pages.iter().enumerate() {
            names.insert(page.name.clone(), index);
        }
        for (index, page) in pages.iter().enumerate() {
            for name in page.functions.iter().chain(&page.names) {
                names.entry(name.clone()).or_insert(index);
            }
        }
        // A structure's name leads to section 3, if a page there describes it.
        for in_section_3 in [true, false] {
            for (index, page) in pages.iter().enumerate() {
                if (page.section == book.section) == in_section_3 {
                    for name in &page.structs {
                        names.entry(name.clone()).or_insert(index);
                    }
                }
            }
        }
        let fields = items
            .iter()
            .filter(|item| item.owner.is_some() && !item.ty.is_empty())
            .map(|item| item.name.clone())
            .collect();
        Ok(Sources {
            book,
            root: root.to_path_buf(),
            pages,
            headers,
            items,
            library: headers::releases(&root.join(book.library))?,
            ffi: match book.ffi {
                Some(map) => headers::releases(&root.join(map))?,
                None => HashMap::new(),
            },
            docs,
            cures: Cures::read(&root.join(book.cures))?,
            prepared_by,
            names,
            fields,
        })
    }

    pub fn doc(&self, function: &str) -> Option<&Doc> {
        self.docs.get(function)
    }

    pub fn is_field(&self, name: &str) -> bool {
        self.fields.contains(name)
    }

    /// The Markdown that belongs to a page as a whole.
    pub fn text(&self, page: &Page) -> Result<Vec<Block>> {
        let path = match page.section.as_str() {
            "7" => self.root.join(format!("docs/guides/{}.md", page.name)),
            _ => self
                .root
                .join(format!("tools/man/pages/{}.md", page.file())),
        };
        if !path.exists() {
            return Ok(Vec::new());
        }
        Ok(markdown::parse(fs::read_to_string(path)?.lines()))
    }

    /// The example that stands under a name: what it shows, and the program.
    pub fn example(&self, name: &str) -> Result<Option<(String, String)>> {
        let path = self.root.join(format!("{}/{name}.c", self.book.examples));
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path)?;
        let wrong = || format!("{} does not begin with a comment", path.display());
        let (about, code) = text
            .strip_prefix("/*")
            .and_then(|text| text.split_once("*/"))
            .ok_or_else(wrong)?;
        let about: Vec<&str> = about
            .lines()
            .map(|line| line.trim().trim_start_matches('*').trim())
            .collect();
        Ok(Some((
            about.join(" ").trim().to_string(),
            code.trim().to_string(),
        )))
    }

    /// What the headers have and no page describes.
    pub fn missing(&self) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        for name in self.headers.functions.keys() {
            let private = name.starts_with("_LIBURING")
                || name.starts_with("_liburing")
                || name.starts_with("uring_")
                || (name.starts_with("_io_uring") && name != "_io_uring_get_sqe")
                || name == "__io_uring_prep_poll_mask";
            if !private && !self.pages.iter().any(|page| page.functions.contains(name)) {
                missing.push(name.clone());
            }
        }
        // The system's own structures, which old systems lack, have pages of the system: openat2(2), futex(2).
        let system = ["open_how", "futex_waitv"];
        for item in &self.items {
            if system.contains(&item.name.as_str()) {
                continue;
            }
            let listed = if self.headers.structs.contains_key(&item.name) && item.owner.is_none() {
                self.pages
                    .iter()
                    .any(|page| page.structs.contains(&item.name))
            } else if self.is_constant(item) {
                self.pages.iter().any(|page| {
                    let patterns = &page.constants;
                    patterns.iter().any(|pattern| matches(pattern, item))
                })
            } else {
                true
            };
            if !listed {
                missing.push(item.name.clone());
            }
        }
        missing.sort();
        missing
    }

    fn is_constant(&self, item: &Documented) -> bool {
        let bit_number = item.owner.as_deref() == Some("io_uring_sqe_flags_bit");
        item.ty.is_empty()
            && item.name.chars().all(|c| !c.is_ascii_lowercase())
            && !bit_number
            && item.name != "KERNEL_SIGSET_SIZE"
    }

    /// The release that the tree is, by its Cargo.toml.
    fn release(root: &Path) -> Result<(u32, u32)> {
        let text = fs::read_to_string(root.join("Cargo.toml"))?;
        let version = text
            .lines()
            .find_map(|line| line.strip_prefix("version = \""))
            .ok_or("Cargo.toml has no version")?;
        let mut numbers = version.split('.').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
            _ => Err(format!("{version} is no version").into()),
        }
    }

    /// The constants that match a pattern.
    pub fn constants<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = &'a Documented> {
        self.items
            .iter()
            .filter(move |item| self.is_constant(item) && matches(pattern, item))
    }
}

fn matches(pattern: &str, item: &Documented) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => item.name.starts_with(start),
        None => item.name == pattern || item.owner.as_deref() == Some(pattern),
    }
}

fn sections(lines: &[String]) -> Doc {
    let mut doc = Doc::new();
    let mut title = String::new();
    for block in markdown::parse(lines.iter().map(String::as_str)) {
        match block {
            Block::Heading(1, name) => title = name,
            // The pages spell out what the Safety sections abbreviate.
            Block::Paragraph(text) if title == "Safety" => {
                let text = text.replace("SQ side", "submission side");
                let text = text.replace("CQ side", "completion side");
                doc.entry(title.clone())
                    .or_default()
                    .push(Block::Paragraph(text));
            }
            block => doc.entry(title.clone()).or_default().push(block),
        }
    }
    doc
}

/// Which opcodes the functions of a file name in their bodies.
fn opcodes(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut function = String::new();
    for line in text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        if line.starts_with("pub ")
            && let Some((_, rest)) = line.split_once("fn ")
        {
            function = identifier(rest);
        }
        if let Some((_, rest)) = line.split_once("IORING_OP_") {
            let pair = (function.clone(), format!("IORING_OP_{}", identifier(rest)));
            if !function.is_empty() && !found.contains(&pair) {
                found.push(pair);
            }
        }
    }
    found
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect()
}
