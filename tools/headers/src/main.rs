//! Writes the generated headers below include/ from the Rust sources, and the comments above inline functions in the
//! others.
//!
//! cbindgen writes each Rust item in C. This program does what cbindgen cannot: unnamed unions, flexible arrays, the
//! order of the sources, and coexistence with the kernel's own header.

mod ffi;
mod header;
mod interface_2019;
mod kernel_first;
mod summary;
mod value;

use std::path::{Path, PathBuf};
use std::{env, fs};

use header::Header;
use kernel_first::Kernel;
use liburing_headers::{Result, c, rust_files, source};

/// The headers, and which files under core/src/abi each one is made from. C wants a type before its first use, so the
/// order counts.
const HEADERS: &[Header] = &[
    Header {
        path: "io_uring.h",
        about: "The kernel's interface: requests, completions, set-up, registration.",
        includes: &["linux_types.h"],
        sources: &[
            "sqe",
            "op",
            "request",
            "cqe",
            "params",
            "enter",
            "register",
            "region",
            "resources",
            "probe",
            "restriction",
            "provided",
            "net",
            "zcrx",
        ],
        kernel: Some(Kernel {
            guard: "LINUX_IO_URING_H",
            name: "<linux/io_uring.h>",
            same_since: &[
                ("io_uring_sqe", "IORING_SETUP_CQE_MIXED"),
                ("io_uring_cqe", "IORING_SETUP_CQE32"),
                ("io_sqring_offsets", "IORING_SETUP_NO_MMAP"),
                ("io_cqring_offsets", "IORING_SETUP_NO_MMAP"),
                ("io_uring_params", "IORING_SETUP_NO_MMAP"),
                ("io_uring_clone_buffers", "IORING_SETUP_HYBRID_IOPOLL"),
            ],
        }),
        functions: false,
    },
    Header {
        path: "io_uring/query.h",
        about: "The kernel's interface: queries.",
        includes: &["../linux_types.h"],
        sources: &["query"],
        kernel: Some(Kernel {
            guard: "LINUX_IO_URING_QUERY_H",
            name: "<linux/io_uring/query.h>",
            same_since: &[],
        }),
        functions: false,
    },
    Header {
        path: "io_uring/bpf_filter.h",
        about: "The kernel's interface: filters of requests.",
        includes: &["../linux_types.h"],
        sources: &["bpf_filter"],
        kernel: Some(Kernel {
            guard: "LINUX_IO_URING_BPF_FILTER_H",
            name: "<linux/io_uring/bpf_filter.h>",
            same_since: &[],
        }),
        functions: false,
    },
    Header {
        path: "io_uring_version.h",
        about: "The version of these headers.",
        includes: &[],
        sources: &["version"],
        kernel: None,
        functions: false,
    },
    Header {
        path: "types.h",
        about: "The library's own structures.",
        includes: &["io_uring.h"],
        sources: &["ring"],
        kernel: None,
        functions: false,
    },
    Header {
        path: "functions.h",
        about: "The functions of the library.",
        includes: &[
            "compat.h",
            "defs.h",
            "io_uring/query.h",
            "io_uring/bpf_filter.h",
            "types.h",
        ],
        sources: &[],
        kernel: None,
        functions: true,
    },
];

/// Types that a hand-written header has beside the functions that use them.
const ELSEWHERE: &[&str] = &["io_uring_cqe_iter"];

/// A symbol for old binaries. New programs get it as an inline function.
const INLINE: &[&str] = &["io_uring_get_sqe"];

fn main() -> Result<()> {
    let args: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let (root, out) = match args.as_slice() {
        [root, out] => (root, out),
        [flag, root, out] if flag.as_os_str() == "--2019" => {
            return interface_2019::write(root, out);
        }
        _ => return Err("usage: liburing-headers [--2019] ROOT INCLUDE_DIR".into()),
    };

    let abi: Vec<PathBuf> = rust_files(&root.join("core/src/abi"))?;
    let exported = rust_files(&root.join("src"))?;
    let inline = rust_files(&root.join("core/src/inline"))?;
    let all = [exported.clone(), inline].concat();

    let items = c::parse(&cbindgen(&abi, &all)?)?;

    let mut types = Vec::new();
    for header in HEADERS {
        let mut order = Vec::new();
        for name in header.sources {
            order.extend(source::items(
                &root.join(format!("core/src/abi/{name}.rs")),
            )?);
        }
        types.extend(order.iter().cloned());
        if header.functions {
            order = functions(&root.join("src/liburing.map"), &exported)?;
            order.retain(|name| !INLINE.contains(&name.as_str()));
        }
        order.retain(|name| !ELSEWHERE.contains(&name.as_str()));
        write(
            &out.join("liburing").join(header.path),
            &header.render(&order, &items)?,
        )?;
    }

    let order = functions(&root.join("src/liburing-ffi.map"), &all)?;
    let mut declared = functions(&root.join("src/liburing.map"), &exported)?;
    declared.retain(|name| !INLINE.contains(&name.as_str()));
    declared.extend(write_summaries(root, out, &items)?);
    if let Some(name) = order.iter().find(|name| !declared.contains(name)) {
        return Err(format!("{name}() is no inline function in include/liburing").into());
    }
    write(
        &out.join("liburing-ffi.h"),
        &ffi::render(&types, &order, &items)?,
    )
}

/// Writes the hand-written headers that have inline functions, and returns those functions.
fn write_summaries(root: &Path, out: &Path, items: &c::Items) -> Result<Vec<String>> {
    let mut inline = Vec::new();
    for entry in fs::read_dir(root.join("include/liburing"))? {
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        let (text, names) = summary::write(&fs::read_to_string(&path)?, &items.functions)?;
        if !names.is_empty() {
            let name = path.file_name().ok_or("no name")?;
            write(&out.join("liburing").join(name), &text)?;
            inline.extend(names);
        }
    }
    Ok(inline)
}

/// The functions of the sources that a version map exports, in the sources' order.
fn functions(map: &Path, sources: &[PathBuf]) -> Result<Vec<String>> {
    let exported = source::exported(&fs::read_to_string(map)?);
    let mut order = Vec::new();
    for path in sources {
        order.extend(source::functions(path)?);
    }
    order.retain(|name| exported.contains(name));
    let missing: Vec<&str> = exported
        .iter()
        .filter(|name| !order.contains(name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        return Err(format!("exported, but without a function: {}", missing.join(" ")).into());
    }
    Ok(order)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(path.parent().ok_or("no directory")?)?;
    fs::write(path, text)?;
    Ok(())
}

/// The attribute that makes a function a symbol in liburing-ffi only, and the one that cbindgen looks for.
const SYMBOL_IN_FFI: &str = "#[cfg_attr(feature = \"ffi\", unsafe(no_mangle))]";
const SYMBOL: &str = "#[unsafe(no_mangle)]";

/// What cbindgen makes of the sources: every item, in its own order and style.
fn cbindgen(abi: &[PathBuf], functions: &[PathBuf]) -> Result<String> {
    let copies = env::temp_dir().join(format!("liburing-headers-{}", std::process::id()));
    fs::create_dir(&copies)?;
    let text = read(abi, functions, &copies);
    fs::remove_dir_all(&copies)?;
    text
}

/// The functions are read from copies below `copies`, since cbindgen looks at no attribute within another.
fn read(abi: &[PathBuf], functions: &[PathBuf], copies: &Path) -> Result<String> {
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        style: cbindgen::Style::Tag,
        no_includes: true,
        usize_is_size_t: true,
        documentation_style: cbindgen::DocumentationStyle::C,
        line_length: usize::MAX,
        ..Default::default()
    };
    let mut builder = cbindgen::Builder::new();
    for path in abi {
        // Only the layout is tested there.
        if path.ends_with("layout.rs")
            || path.ends_with("layout_library.rs")
            || path.ends_with("mod.rs")
        {
            continue;
        }
        config.export.include.extend(source::items(path)?);
        builder = builder.with_src(path);
    }
    for (number, path) in functions.iter().enumerate() {
        // It has modules by their paths, which a copy does not find.
        if path.ends_with("lib.rs") {
            continue;
        }
        let copy = copies.join(format!("{number}.rs"));
        let text = fs::read_to_string(path)?;
        fs::write(&copy, text.replace(SYMBOL_IN_FFI, SYMBOL))?;
        builder = builder.with_src(copy);
    }
    let mut text = Vec::new();
    builder.with_config(config).generate()?.write(&mut text);
    Ok(String::from_utf8(text)?)
}
