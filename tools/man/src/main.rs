//! Writes the manual: mdoc(7) pages from the doc comments of the Rust sources, the installed headers, the version maps,
//! the examples in man/examples and the guides.

mod contents;
mod headers;
mod markdown;
mod mdoc;
mod page;
mod render;
mod site;
mod sources;

use std::path::{Path, PathBuf};
use std::{env, fs};

use liburing_headers::Result;

use sources::Sources;

fn main() -> Result<()> {
    let args: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    match args.as_slice() {
        [root, out] => write_pages(&Sources::read(root)?, out),
        [flag, root, out] if flag.as_os_str() == "--site" => {
            site::write(&Sources::read(root)?, out)
        }
        _ => Err("usage: liburing-man [--site] ROOT DIRECTORY".into()),
    }
}

fn write_pages(sources: &Sources, out: &Path) -> Result<()> {
    let missing = sources.missing();
    if !missing.is_empty() {
        return Err(format!("no page describes {}", missing.join(" ")).into());
    }
    let mut aliases = Vec::new();
    for page in &sources.pages {
        let text = page::render(sources, page).map_err(|e| format!("{}: {e}", page.file()))?;
        put(
            &out.join(format!("man{}", page.section)).join(page.file()),
            &text,
        )?;
        for name in &page.functions {
            aliases.push((name, page.section.as_str(), page));
        }
    }
    // A structure's name leads to section 3, first of all to the page there that describes it.
    for in_section_3 in [true, false] {
        for page in sources
            .pages
            .iter()
            .filter(|page| (page.section == "3") == in_section_3)
        {
            aliases.extend(page.structs.iter().map(|name| (name, "3", page)));
        }
    }
    for (name, section, page) in aliases {
        let path = out
            .join(format!("man{section}"))
            .join(format!("{name}.{section}"));
        if !path.exists() {
            put(&path, &format!(".so man{}/{}\n", page.section, page.file()))?;
        }
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(path.parent().ok_or("no directory")?)?;
    fs::write(path, text)?;
    Ok(())
}
