//! Makes the tables of names from the library's doc comments, so that there is no second list: opcodes, flags and
//! register operations with the first kernel that had each, and the manual's errors.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use quote::ToTokens;
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, Type};

/// Where the interface is defined, from this folder.
const ABI: &str = "../../core/src/abi";
/// Where functions are documented, from this folder.
const MANUAL: [&str; 2] = ["../../core/src/inline", "../../src"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let mut names = String::from("pub static NAMES: &[Name] = &[\n");
    for file in sources(Path::new(ABI)) {
        let topic = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for item in parse(&file).items {
            abi_item(&item, &topic, &mut names);
        }
    }
    names.push_str("];\n");
    let files = MANUAL.iter().flat_map(|folder| sources(Path::new(folder)));
    let mut functions: Vec<Function> = files
        .flat_map(|file| parse(&file).items)
        .filter_map(function)
        .collect();
    resolve(&mut functions);
    let mut errors = String::from("pub static ERRORS: &[Documented] = &[\n");
    for Function {
        name,
        ops,
        errors: list,
        ..
    } in &functions
    {
        for (numbers, text) in list {
            let row = format!(
                "function: {name:?}, ops: &{:?}, errors: &{numbers:?}, text: {text:?}",
                Vec::from_iter(ops)
            );
            writeln!(errors, "Documented {{ {row} }},").expect("a string can be written to");
        }
    }
    errors.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("tables.rs"), names + &errors).expect("OUT_DIR can be written");
}

/// The Rust files of a folder and those below it, in order.
fn sources(folder: &Path) -> Vec<PathBuf> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for path in entries.map(|entry| entry.expect("a folder can be read").path()) {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn parse(path: &Path) -> syn::File {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The lines of a doc comment.
fn doc(attributes: &[Attribute]) -> Vec<String> {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
    lines
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned())
        .collect()
}

/// One row for each constant and enumerator of the kernel's interface that has a name of its own.
fn abi_item(item: &Item, topic: &str, out: &mut String) {
    match item {
        Item::Enum(item) => {
            for variant in &item.variants {
                let name = variant.ident.to_string();
                row(
                    &name,
                    &item.ident.to_string(),
                    topic,
                    &doc(&variant.attrs),
                    out,
                );
            }
        }
        Item::Const(item) if matches!(&*item.ty, Type::Path(path) if path.path.is_ident("u32")) => {
            row(&item.ident.to_string(), "", topic, &doc(&item.attrs), out);
        }
        _ => {}
    }
}

fn row(name: &str, of: &str, topic: &str, doc: &[String], out: &mut String) {
    let first = doc.first().map_or("", String::as_str);
    let (text, since) = match first.rsplit_once(" Since ") {
        Some((text, version)) => (text, version.trim_end_matches('.')),
        None => (first, ""),
    };
    let (major, minor) = since.split_once('.').unwrap_or(("0", "0"));
    let (major, minor): (u16, u16) = (
        major
            .parse()
            .unwrap_or_else(|_| panic!("{name}: kernel {since}")),
        minor
            .parse()
            .unwrap_or_else(|_| panic!("{name}: kernel {since}")),
    );
    writeln!(
        out,
        "Name {{ full: {name:?}, of: {of:?}, topic: {topic:?}, value: uring_core::abi::{name} as u64, since: ({major}, {minor}), text: {text:?} }},"
    )
    .expect("a string can be written to");
}

/// A public function and what its manual text says of errors.
struct Function {
    name: String,
    /// The opcodes it prepares.
    ops: BTreeSet<String>,
    /// The functions that it calls. One of them may prepare the request.
    calls: BTreeSet<String>,
    errors: Vec<(Vec<String>, String)>,
}

fn function(item: Item) -> Option<Function> {
    let Item::Fn(item) = item else { return None };
    // A condition holds back what is prepared for a later release.
    let later = item
        .attrs
        .iter()
        .any(|attribute| attribute.path().is_ident("cfg"));
    if later || !matches!(item.vis, syn::Visibility::Public(_)) {
        return None;
    }
    let ident = item.sig.ident.to_string();
    let body = item.block.to_token_stream().to_string();
    let (mut ops, mut calls) = (BTreeSet::new(), BTreeSet::new());
    words(&body, "IORING_OP_", &mut ops);
    words(&body, "io_uring_prep_", &mut calls);
    words(&body, "prep_", &mut calls);
    let name = public(&ident);
    Some(Function {
        name,
        ops,
        calls,
        errors: errors(&doc(&item.attrs)),
    })
}

/// A function's name as C has it.
fn public(name: &str) -> String {
    if name.trim_start_matches('_').starts_with("io_uring") {
        name.to_owned()
    } else {
        format!("io_uring_{name}")
    }
}

/// Gives each function the opcodes of those it calls, until nothing is added.
fn resolve(functions: &mut [Function]) {
    loop {
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for function in functions.iter() {
            let ops = known.entry(function.name.clone()).or_default();
            ops.extend(function.ops.iter().cloned());
        }
        let mut grown = false;
        for function in functions.iter_mut() {
            let before = function.ops.len();
            for call in &function.calls {
                function
                    .ops
                    .extend(known.get(&public(call)).into_iter().flatten().cloned());
            }
            grown |= function.ops.len() > before;
        }
        if !grown {
            return;
        }
    }
}

fn words(text: &str, prefix: &str, found: &mut BTreeSet<String>) {
    let all = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    found.extend(
        all.filter(|word| word.starts_with(prefix))
            .map(str::to_owned),
    );
}

/// The entries of the section "Errors": each is a list item "`-ENAME`, `-EOTHER`: cause", perhaps over several lines.
fn errors(doc: &[String]) -> Vec<(Vec<String>, String)> {
    let section = doc
        .iter()
        .skip_while(|line| *line != "# Errors")
        .skip(1)
        .take_while(|line| !line.starts_with("# "));
    let mut items: Vec<String> = Vec::new();
    for line in section {
        if let Some(start) = line.strip_prefix("* ") {
            items.push(start.to_owned());
        } else if let (Some(rest), Some(last)) = (line.strip_prefix("  "), items.last_mut()) {
            last.push(' ');
            last.push_str(rest.trim_start());
        }
    }
    let parsed = items.iter().filter_map(|item| {
        let (head, text) = item.split_once(": ")?;
        let mut names = BTreeSet::new();
        words(head, "E", &mut names);
        (head.starts_with("`-E") && !names.is_empty())
            .then(|| (names.into_iter().collect(), text.to_owned()))
    });
    parsed.collect()
}
