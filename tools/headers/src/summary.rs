//! The comments above the inline functions in the hand-written headers: each is the summary of the function's manual.

use std::collections::HashMap;

use crate::Result;
use crate::c::Item;
use crate::header::comment;

/// The beginning of the declaration of each inline function that is also a symbol in liburing-ffi.
const INLINE: &str = "IOURINGINLINE ";

/// The header with the comments that the manual gives it, and the names of the functions that have one.
pub fn write(header: &str, functions: &HashMap<String, Item>) -> Result<(String, Vec<String>)> {
    let mut out = String::new();
    let mut names = Vec::new();
    for line in header.lines() {
        let item = line
            .strip_prefix(INLINE)
            .and_then(|declaration| functions.get_key_value(name(declaration)));
        if let Some((name, item)) = item {
            let start = comment_before(&out).ok_or(format!("no comment above {name}()"))?;
            out.truncate(start);
            comment(&mut out, 0, &[item.summary()])?;
            names.push(name.clone());
        }
        out.push_str(line);
        out.push('\n');
    }
    Ok((out, names))
}

/// The name of the function that a declaration declares.
fn name(declaration: &str) -> &str {
    let head = declaration.split('(').next().unwrap_or_default();
    head.rsplit([' ', '*']).next().unwrap_or_default()
}

/// The start of the comment at the end of a text.
fn comment_before(text: &str) -> Option<usize> {
    text.strip_suffix("*/\n")?.rfind("/*")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::c::Kind;

    fn functions(summary: &str) -> HashMap<String, Item> {
        let doc = [summary, "", "More."].map(String::from).into();
        let kind = Kind::Function("void *".into(), Vec::new());
        HashMap::from([("prep".to_string(), Item { doc, kind })])
    }

    #[test]
    fn a_comment_is_the_summary() {
        let functions = functions("Prepares `it`.");
        let rest = "IOURINGINLINE void *prep(int a)\n{\n}\n\n/* As it is. */\nIOURINGINLINE int other(void)\n";
        for old in ["/* Old. */\n", "/*\n * Old,\n * and long.\n */\n"] {
            let (text, names) = write(&format!("/* First. */\n\n{old}{rest}"), &functions).unwrap();
            assert_eq!(text, format!("/* First. */\n\n/* Prepares it. */\n{rest}"));
            assert_eq!(names, ["prep"]);
        }
    }

    #[test]
    fn a_function_without_a_comment_is_an_error() {
        assert!(write("\nIOURINGINLINE void *prep(int a)\n", &functions("It.")).is_err());
        let (_, names) = write("/* A. */\nint a;\n", &functions("It.")).unwrap();
        assert!(names.is_empty());
    }
}
