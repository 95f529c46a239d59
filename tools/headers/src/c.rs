//! Items of C, read from what cbindgen writes.

use std::collections::HashMap;

use crate::Result;

/// Items by name. A function and a type may share one.
#[derive(Default)]
pub struct Items {
    pub types: HashMap<String, Item>,
    pub functions: HashMap<String, Item>,
}

/// A constant, a type or a function, with its comment's lines.
pub struct Item {
    pub doc: Vec<String>,
    pub kind: Kind,
}

impl Item {
    /// The first paragraph of its comment.
    pub fn summary(&self) -> String {
        let lines = self.doc.iter().map(String::as_str);
        let first: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        first.join(" ")
    }
}

pub enum Kind {
    /// Its value.
    Constant(String),
    Enum(Vec<Member>),
    /// `struct` or `union`, and its fields.
    Record(&'static str, Vec<Member>),
    /// Return type, and the parameters.
    Function(String, Vec<String>),
}

/// A field (`__u32 resv[3]`) or an enumerator (`IORING_OP_NOP = 0`).
pub struct Member {
    pub doc: Vec<String>,
    pub text: String,
}

impl Member {
    /// The field's or enumerator's name.
    pub fn name(&self) -> &str {
        let end = self
            .text
            .find([' ', '['])
            .filter(|_| self.text.contains(" = "));
        let field = self.text.split('[').next().unwrap_or_default();
        match end {
            Some(end) => &self.text[..end],
            None => field.rsplit([' ', '*']).next().unwrap_or_default(),
        }
    }

    /// The field's type, if it is a record: `union` and its name.
    pub fn record(&self) -> Option<(&str, &str)> {
        let mut words = self.text.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some(kind @ ("struct" | "union")), Some(name), Some(_)) => Some((kind, name)),
            _ => None,
        }
    }
}

/// Reads a header. cbindgen puts every field, enumerator and declaration on a line of its own.
pub fn parse(text: &str) -> Result<Items> {
    let mut items = Items::default();
    let mut lines = text.lines().peekable();
    let mut doc = Vec::new();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["/*", ..] => doc = comment(&mut lines),
            ["#define", name, value @ ..] => {
                let kind = Kind::Constant(value.join(" "));
                items.types.insert(
                    name.to_string(),
                    Item {
                        doc: std::mem::take(&mut doc),
                        kind,
                    },
                );
            }
            ["enum", name, ..] if !line.ends_with(';') => {
                let kind = Kind::Enum(members(&mut lines, ',')?);
                items.types.insert(
                    name.to_string(),
                    Item {
                        doc: std::mem::take(&mut doc),
                        kind,
                    },
                );
            }
            [record @ ("struct" | "union"), name, "{"] => {
                let record = if *record == "struct" {
                    "struct"
                } else {
                    "union"
                };
                let kind = Kind::Record(record, members(&mut lines, ';')?);
                items.types.insert(
                    name.to_string(),
                    Item {
                        doc: std::mem::take(&mut doc),
                        kind,
                    },
                );
            }
            // Fixed-size enums, by preprocessor conditions, and declarations without a body.
            [first, ..] if first.starts_with('#') || *first == "typedef" || !line.contains('(') => {
                doc.clear()
            }
            _ => {
                let mut declaration = line.trim().to_string();
                while !declaration.ends_with(';') {
                    let next = lines.next().ok_or("a declaration without an end")?;
                    declaration = format!("{declaration} {}", next.trim());
                }
                let (name, kind) = function(&declaration)?;
                items.functions.insert(
                    name,
                    Item {
                        doc: std::mem::take(&mut doc),
                        kind,
                    },
                );
            }
        }
    }
    Ok(items)
}

type Lines<'a> = std::iter::Peekable<std::str::Lines<'a>>;

/// The lines of a comment whose first line was read.
fn comment(lines: &mut Lines) -> Vec<String> {
    lines
        .by_ref()
        .map(str::trim)
        .take_while(|line| *line != "*/")
        .map(str::to_string)
        .collect()
}

/// What stands between the braces.
fn members(lines: &mut Lines, end: char) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    let mut doc = Vec::new();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.starts_with("};") {
            return Ok(members);
        }
        if line.starts_with("/*") {
            doc = comment(lines);
        } else if let Some(text) = line.strip_suffix(end) {
            members.push(Member {
                doc: std::mem::take(&mut doc),
                text: text.to_string(),
            });
        } else if !(line.is_empty() || line == "{" || line.starts_with(['#', ':'])) {
            return Err(format!("not a member: {line}").into());
        }
    }
    Err("a type without an end".into())
}

/// Splits `int name(int a, struct b *c);`.
pub fn function(declaration: &str) -> Result<(String, Kind)> {
    let unreadable = || format!("not a function: {declaration}");
    let declaration = declaration.strip_prefix("extern ").unwrap_or(declaration);
    let (head, rest) = declaration.split_once('(').ok_or_else(unreadable)?;
    let parameters = rest.strip_suffix(");").ok_or_else(unreadable)?;
    let start = head.rfind([' ', '*']).ok_or_else(unreadable)? + 1;
    let parameters = parameters.split(", ").map(without_underscore).collect();
    Ok((
        head[start..].to_string(),
        Kind::Function(head[..start].to_string(), parameters),
    ))
}

/// A parameter without the mark that Rust puts on the name of one it does not use.
fn without_underscore(parameter: &str) -> String {
    match parameter.rfind([' ', '*']) {
        Some(end) => {
            let (before, name) = parameter.split_at(end + 1);
            format!("{before}{}", name.strip_prefix('_').unwrap_or(name))
        }
        None => parameter.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
/*
 First line.

 More.
 */
#define LIMIT (1u << 31)

enum kind
#if __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // __STDC_VERSION__ >= 202311L
 {
  /*
   One.
   */
  ONE = 1,
  TWO = (1u << 1),
};
typedef uint32_t kind;

struct same_name {
  const struct other *pointer;
  union __anon_part __anon1;
  __u32 array[3];
};

/*
 Does it.
 */
int *same_name(const struct other *_a,
               unsigned int _b);
";

    #[test]
    fn reads_every_kind_of_item() {
        let items = parse(TEXT).unwrap();

        let limit = &items.types["LIMIT"];
        assert_eq!(limit.doc, ["First line.", "", "More."]);
        assert!(matches!(&limit.kind, Kind::Constant(value) if value == "(1u << 31)"));

        let Kind::Enum(variants) = &items.types["kind"].kind else {
            panic!()
        };
        let names: Vec<&str> = variants.iter().map(Member::name).collect();
        assert_eq!(names, ["ONE", "TWO"]);
        assert_eq!(variants[0].doc, ["One."]);
    }

    #[test]
    fn keeps_a_function_and_a_type_of_one_name() {
        let items = parse(TEXT).unwrap();

        let Kind::Record("struct", fields) = &items.types["same_name"].kind else {
            panic!()
        };
        let names: Vec<&str> = fields.iter().map(Member::name).collect();
        assert_eq!(names, ["pointer", "__anon1", "array"]);
        assert_eq!(fields[1].record(), Some(("union", "__anon_part")));
        assert_eq!(fields[0].record(), None);

        let Kind::Function(result, parameters) = &items.functions["same_name"].kind else {
            panic!()
        };
        assert_eq!(result, "int *");
        assert_eq!(parameters, &["const struct other *a", "unsigned int b"]);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(parse("struct s {\n  int a\n};").is_err());
        assert!(parse("enum e {\n  A = 0,\n").is_err());
    }
}
