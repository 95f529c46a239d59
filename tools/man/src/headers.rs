//! What the installed headers declare: functions, macros that take arguments, and structures.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use liburing_headers::c::{self, Kind};
use liburing_headers::{Result, source};

/// A function's result and parameters; a macro has no result, and names for parameters.
pub struct Declaration {
    pub result: String,
    pub parameters: Vec<String>,
}

#[derive(Default)]
pub struct Headers {
    pub functions: HashMap<String, Declaration>,
    /// A structure as it is declared, without comments.
    pub structs: HashMap<String, String>,
}

impl Headers {
    pub fn read(&mut self, path: &Path) -> Result<()> {
        let text = without_comments(&fs::read_to_string(path)?);
        self.read_structs(&text);
        let mut code = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(directive) = line.trim_start().strip_prefix('#') {
                self.read_macro(directive);
                let mut line = line;
                while line.ends_with('\\') {
                    line = lines.next().unwrap_or_default();
                }
            } else {
                code.push_str(line);
                code.push('\n');
            }
        }
        self.read_functions(&code.replace("extern \"C\" {", ""))
    }

    fn read_macro(&mut self, directive: &str) {
        let Some((name, rest)) = directive
            .strip_prefix("define ")
            .and_then(|text| text.split_once('('))
        else {
            return;
        };
        if name.contains(' ') {
            return;
        }
        let parameters = rest.split(')').next().unwrap_or_default();
        let declaration = Declaration {
            result: String::new(),
            parameters: parameters.split(',').map(|p| p.trim().into()).collect(),
        };
        self.functions.insert(name.into(), declaration);
    }

    fn read_structs(&mut self, text: &str) {
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(head) = line.strip_suffix(" {") else {
                continue;
            };
            let Some(name) = ["struct ", "union "]
                .iter()
                .find_map(|k| head.strip_prefix(k))
            else {
                continue;
            };
            let mut declaration = vec![line.to_string()];
            for line in lines.by_ref() {
                if !line.trim().is_empty() {
                    declaration.push(line.to_string());
                }
                if line.starts_with('}') {
                    break;
                }
            }
            self.structs.insert(name.into(), declaration.join("\n"));
        }
    }

    /// Declarations, and definitions without their bodies.
    fn read_functions(&mut self, code: &str) -> Result<()> {
        let mut depth = 0usize;
        let mut head = String::new();
        for c in code.chars() {
            match c {
                '{' => {
                    if depth == 0 {
                        self.read_function(&head)?;
                    }
                    depth += 1;
                }
                '}' => {
                    depth = depth.saturating_sub(1);
                    head.clear();
                }
                ';' if depth == 0 => {
                    self.read_function(&head)?;
                    head.clear();
                }
                _ if depth == 0 => head.push(c),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_function(&mut self, head: &str) -> Result<()> {
        let words: Vec<&str> = head
            .split_whitespace()
            .filter(|word| {
                ![
                    "IOURINGINLINE",
                    "_LIBURING_PRIVATE",
                    "LIBURING_NOEXCEPT",
                    "static",
                    "inline",
                ]
                .contains(word)
            })
            .collect();
        let head = words.join(" ");
        let is_function = head.ends_with(')') && !head.starts_with("struct {");
        if !is_function || head.contains("_LIBURING_COLD") || head.contains("__attribute__") {
            return Ok(());
        }
        let (name, kind) = c::function(&format!("{head};"))?;
        if let Kind::Function(result, parameters) = kind {
            self.functions
                .insert(name, Declaration { result, parameters });
        }
        Ok(())
    }
}

fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// The release of the library that first exported each name, by a version map.
pub fn releases(map: &Path) -> Result<HashMap<String, String>> {
    let mut releases = HashMap::new();
    for (node, names) in source::versions(&fs::read_to_string(map)?) {
        for name in names {
            releases.insert(name, node.trim_start_matches("LIBURING_").to_string());
        }
    }
    Ok(releases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_declarations() {
        let mut headers = Headers::default();
        let text = "int a(struct s *x,\n    unsigned y) ;\n\
            IOURINGINLINE void b(int fd) LIBURING_NOEXCEPT\n{\n    if (fd) { fd = 1; }\n}\n";
        headers.read_functions(text).unwrap();
        assert_eq!(headers.functions["a"].result, "int ");
        assert_eq!(
            headers.functions["a"].parameters,
            ["struct s *x", "unsigned y"]
        );
        assert_eq!(headers.functions["b"].parameters, ["int fd"]);
        headers.read_macro("define M(p, q) \\");
        assert_eq!(headers.functions["M"].parameters, ["p", "q"]);
        headers.read_structs("struct s {\n    int a;\n\n    union {\n        int b;\n    };\n};\n");
        assert_eq!(headers.structs["s"].lines().count(), 6);
    }
}
