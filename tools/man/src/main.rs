//! Writes the manual: mdoc(7) pages from the doc comments of the Rust sources, the installed headers, the version maps,
//! the examples in man/examples and the guides.

mod contents;
mod cures;
mod functions;
mod headers;
mod markdown;
mod mdoc;
mod page;
mod render;
mod search;
mod site;
mod sources;

use std::path::{Path, PathBuf};
use std::{env, fs};

use liburing_headers::Result;

use sources::{OF_2019, Sources, TODAY};

fn main() -> Result<()> {
    let args: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    match args.as_slice() {
        [root, out] => {
            for book in [TODAY, OF_2019] {
                let sources = Sources::read(root, book)?;
                write_pages(&sources, out)?;
                let count = sources.cures.sum()?;
                println!(
                    "{count} errors of functions of {}, each with a cure",
                    book.contents
                );
            }
            Ok(())
        }
        [flag, root, out] if flag.as_os_str() == "--site" => {
            let books = [Sources::read(root, TODAY)?, Sources::read(root, OF_2019)?];
            site::write(&books, out)
        }
        _ => Err("usage: liburing-man [--site] ROOT DIRECTORY".into()),
    }
}

fn write_pages(sources: &Sources, out: &Path) -> Result<()> {
    let missing = sources.missing();
    if !missing.is_empty() {
        return Err(format!("no page describes {}", missing.join(" ")).into());
    }
    for page in &sources.pages {
        let text = page::render(sources, page).map_err(|e| format!("{}: {e}", page.file()))?;
        put(&path(out, &page.section, &page.name), &text)?;
    }
    for page in &sources.pages {
        let own = page
            .functions
            .iter()
            .chain(&page.names)
            .map(|name| (name, page.section.as_str()));
        for (name, section) in
            own.chain(page.structs.iter().map(|name| (name, sources.book.section)))
        {
            let path = path(out, section, name);
            // io_uring(7) is what `man io_uring` shall show, not the structure of that name.
            let own_page = sources.pages.iter().any(|other| other.name == *name);
            let guide = name == "io_uring";
            if !own_page && !guide && !path.exists() {
                let target = &sources.pages[sources.names[name]];
                put(
                    &path,
                    &format!(".so man{}/{}\n", &target.section[..1], target.file()),
                )?;
            }
        }
    }
    Ok(())
}

fn path(out: &Path, section: &str, name: &str) -> PathBuf {
    out.join(format!("man{}/{name}.{section}", &section[..1]))
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(path.parent().ok_or("no directory")?)?;
    fs::write(path, text)?;
    Ok(())
}
