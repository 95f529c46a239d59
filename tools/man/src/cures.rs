//! What to do about each error. The doc comments name the cause. Many functions share a cause, so its cure is written
//! once, in tools/man/cures.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use liburing_headers::{Result, files};

use crate::markdown::Item;

/// The errors that every request can complete with. The functions' own lists do not repeat them.
pub const CANCELED: (&str, &str) = (
    "`-ECANCELED`",
    include_str!("../canceled.txt").trim_ascii_end(),
);

#[derive(Default)]
pub struct Cures {
    /// The cures, by the entry of the doc comment.
    cures: HashMap<String, String>,
    used: RefCell<HashSet<String>>,
    /// How many entries of functions have a cure.
    count: RefCell<usize>,
}

impl Cures {
    pub fn read(dir: &Path) -> Result<Cures> {
        let mut cures = HashMap::new();
        for path in files(dir, "txt")? {
            for (entry, cure) in parse(&fs::read_to_string(&path)?)? {
                if cures.insert(entry.clone(), cure).is_some() {
                    return Err(format!("two cures for {entry}").into());
                }
            }
        }
        Ok(Cures {
            cures,
            ..Cures::default()
        })
    }

    /// The entry with its cure, which comes from the list or from the entry itself.
    pub fn complete(&self, item: &Item) -> Result<Item> {
        let entry = match &item.term {
            Some(term) => format!("{term}: {}", item.text),
            None => item.text.clone(),
        };
        *self.count.borrow_mut() += 1;
        if let Some(cure) = self.cures.get(&entry) {
            let text = format!("{} {cure}", item.text);
            self.used.borrow_mut().insert(entry);
            let term = item.term.clone();
            return Ok(Item { term, text });
        }
        if item.text.contains(". ") {
            return Ok(item.clone());
        }
        Err(format!("no cure in tools/man/cures for: {entry}").into())
    }

    /// Says how many entries there are, or which cures stand for no entry.
    pub fn sum(&self) -> Result<usize> {
        let used = self.used.borrow();
        let mut unused: Vec<&String> = self.cures.keys().filter(|e| !used.contains(*e)).collect();
        unused.sort();
        match unused.first() {
            Some(entry) => Err(format!("a cure for what no function says: {entry}").into()),
            None => Ok(*self.count.borrow()),
        }
    }
}

/// Reads `* entry`, on one or more lines, and below it `  => cure`, on one or more lines.
fn parse(text: &str) -> Result<Vec<(String, String)>> {
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    for line in text.lines() {
        if let Some(entry) = line.strip_prefix("* ") {
            found.push((entry.to_string(), None));
        } else if line.starts_with("  ") {
            let (entry, cure) = found.last_mut().ok_or("a cure without an entry")?;
            match (line.trim().strip_prefix("=> "), cure) {
                (Some(start), cure @ None) => *cure = Some(start.to_string()),
                (None, Some(cure)) => *cure = format!("{cure} {}", line.trim()),
                (None, None) => *entry = format!("{entry} {}", line.trim()),
                (Some(_), Some(_)) => return Err(format!("two cures for {entry}").into()),
            }
        }
    }
    found
        .into_iter()
        .map(|(entry, cure)| match cure {
            Some(cure) => Ok((entry, cure)),
            None => Err(format!("no cure below {entry}").into()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entries_and_refuses_those_without_cure() {
        let text =
            "# Head\n* `-EBADF`: not\n  open.\n  => Open\n     it.\n* `-EIO`: bad.\n  => Stop.\n";
        let list = parse(text).unwrap();
        assert_eq!(list[0], ("`-EBADF`: not open.".into(), "Open it.".into()));
        assert_eq!(list.len(), 2);
        assert!(parse("* `-EBADF`: not open.\n").is_err());

        let cures = Cures {
            cures: list.into_iter().collect(),
            ..Cures::default()
        };
        let item = |text: &str| Item {
            term: Some("`-EBADF`".into()),
            text: text.into(),
        };
        assert_eq!(
            cures.complete(&item("not open.")).unwrap().text,
            "not open. Open it."
        );
        assert!(cures.complete(&item("gone.")).is_err());
        assert!(cures.sum().is_err(), "one cure is not used");
    }
}
