//! `uring probe`: what the kernel at hand offers, by its own account and by trial.

mod behaviour;
mod query;

use serde::Serialize;

use crate::cli;
use crate::outcome::{Exit, Failure, Outcome};
use crate::output::{Output, Style};
use crate::sys::available;
use crate::tables::{self, Group, Name};
use behaviour::Behaviour;

/// One name with both answers.
#[derive(Serialize)]
struct Row {
    #[serde(serialize_with = "full_name", rename = "name")]
    name: &'static Name,
    group: Group,
    since: String,
    /// What the kernel says of itself: by IORING_REGISTER_QUERY, of opcodes also by IORING_REGISTER_PROBE.
    query: Option<bool>,
    behaviour: Option<bool>,
    /// An opcode that this kernel knows and was built without.
    left_out: bool,
}

fn full_name<S: serde::Serializer>(name: &&Name, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name.full)
}

impl Row {
    fn there(&self) -> bool {
        self.behaviour.or(self.query).unwrap_or(false)
    }

    fn agrees(&self) -> bool {
        self.query.is_none() || self.behaviour.is_none() || self.query == self.behaviour
    }
}

#[derive(Serialize)]
struct Report<'a> {
    kernel: &'a str,
    /// Whether the kernel answers IORING_REGISTER_QUERY.
    query: bool,
    agree: bool,
    names: &'a [Row],
    /// Flags that the kernel has and this program has no name for.
    unknown: &'a [(Group, u64)],
}

pub fn run(options: &cli::Probe, output: &mut Output) -> Outcome {
    let wanted = needed(&options.need)?;
    available()?;
    let kernel = nix::sys::utsname::uname().map_err(|e| Failure::wrong(format!("uname: {e}")))?;
    let kernel = kernel.release().to_string_lossy().into_owned();
    let (rows, unknown) = rows()?;
    if !wanted.is_empty() {
        return need(&wanted, &rows, output);
    }
    let agree = rows.iter().all(Row::agrees);
    let query = rows
        .iter()
        .any(|row| row.group == Group::Setup && row.query.is_some());
    output.json(
        "probe",
        &Report {
            kernel: &kernel,
            query,
            agree,
            names: &rows,
            unknown: &unknown,
        },
    )?;
    if options.header {
        header(&rows, &kernel, output)?;
    } else if output.text() {
        text(&rows, options.since, output)?;
        for (group, bits) in &unknown {
            output.line(format!(
                "{}: {bits:#x} has no name here: this program is older than the kernel",
                group.title()
            ))?;
        }
        let told = rows.iter().any(|row| row.query.is_some());
        let verdict = match (query, agree) {
            (false, true) if !told => {
                "it tells nothing of itself: by behaviour alone".to_owned()
            }
            (false, true) => "it has no IORING_REGISTER_QUERY (6.18) and tells its opcodes alone: query and behaviour \
                              agree"
                .to_owned(),
            (true, true) => "query and behaviour agree".to_owned(),
            (_, false) => output.paint(
                Style::Bad,
                "query and behaviour differ in the rows marked !",
            ),
        };
        output.line(format!("Linux {kernel}: {verdict}"))?;
    }
    Ok(if agree { Exit::Fine } else { Exit::Wrong })
}

/// Bits without a name here.
type Unknown = Vec<(Group, u64)>;

/// All names with both answers, and flags without a name.
fn rows() -> Result<(Vec<Row>, Unknown), Failure> {
    let answer = query::ask();
    let mut behaviour = Behaviour::new().map_err(|number| {
        Failure::wrong(format!(
            "no ring can be made: {}: see uring doctor",
            crate::sys::errno::name(number)
        ))
    })?;
    let built_in = behaviour.built_in();
    let mut rows = Vec::new();
    let mut unknown = Vec::new();
    for group in Group::PROBED {
        for name in group.names() {
            let mut query = answer
                .as_ref()
                .and_then(|answer| query::has(answer, group, name));
            let mut left_out = false;
            if let Some(ops) = built_in.as_ref().filter(|_| group == Group::Op) {
                let built_in = ops.get(name.value as usize).copied().unwrap_or(false);
                left_out = query == Some(true) && !built_in;
                query = Some(built_in);
            }
            rows.push(Row {
                name,
                group,
                since: name.since(),
                query,
                behaviour: behaviour.has(group, name),
                left_out,
            });
        }
        let known = group.names().fold(0, |bits, name| bits | name.value);
        let bits = answer
            .as_ref()
            .and_then(|answer| query::bits(answer, group));
        if let Some(rest) = bits.map(|bits| bits & !known).filter(|&rest| rest != 0) {
            unknown.push((group, rest));
        }
    }
    Ok((rows, unknown))
}

/// The names that are asked for.
fn needed(list: &[String]) -> Result<Vec<&'static Name>, Failure> {
    let find = |text: &String| {
        let name = tables::find(text).filter(|name| {
            Group::PROBED
                .iter()
                .any(|group| group.names().any(|n| n.full == name.full))
        });
        name.ok_or_else(|| {
            Failure::usage(format!(
                "{text} is no name of io_uring: names look like OP_SEND_ZC, SETUP_DEFER_TASKRUN, FEAT_NODROP, \
                 IOSQE_ASYNC, REGISTER_PBUF_RING (`uring probe` lists them)"
            ))
        })
    };
    list.iter().map(find).collect()
}

fn need(wanted: &[&'static Name], rows: &[Row], output: &mut Output) -> Outcome {
    #[derive(Serialize)]
    struct Need {
        missing: Vec<&'static str>,
    }
    let there = |name: &&&Name| {
        rows.iter()
            .any(|row| row.name.full == name.full && row.there())
    };
    let missing: Vec<_> = wanted.iter().filter(|name| !there(name)).collect();
    output.json(
        "probe",
        &Need {
            missing: missing.iter().map(|name| name.full).collect(),
        },
    )?;
    for name in &missing {
        output.line(format!(
            "{} is missing: it came with Linux {}",
            name.short(),
            name.since()
        ))?;
    }
    Ok(if missing.is_empty() {
        Exit::Fine
    } else {
        Exit::Wrong
    })
}

fn text(rows: &[Row], since: bool, output: &mut Output) -> Result<(), Failure> {
    let word = |answer: Option<bool>| match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    };
    for group in Group::PROBED {
        let mut header = vec![group.title(), "query", "behaviour"];
        if since {
            header.extend(["since", ""]);
        }
        let lines = rows.iter().filter(|row| row.group == group).map(|row| {
            let mut line = vec![
                row.name.short().to_owned(),
                word(row.query).to_owned(),
                word(row.behaviour).to_owned(),
            ];
            if row.left_out && row.agrees() {
                line[2] = "not built in".to_owned();
            } else if !row.agrees() {
                line[2].push_str(" !");
            }
            if since {
                line.extend([row.since.clone(), row.name.text.replace('`', "")]);
            }
            line
        });
        output.table(&header, &lines.collect::<Vec<_>>())?;
        output.line("")?;
    }
    Ok(())
}

/// What this kernel has, for C programs that are built for it alone.
fn header(rows: &[Row], kernel: &str, output: &mut Output) -> Result<(), Failure> {
    output.line(format!(
        "/* What Linux {kernel} offers, found out by `uring probe --header`. */"
    ))?;
    for group in Group::PROBED {
        output.line(format!("\n/* {} */", group.title()))?;
        for row in rows.iter().filter(|row| row.group == group) {
            output.line(format!(
                "#define HAVE_{} {}",
                row.name.full,
                u8::from(row.there())
            ))?;
        }
    }
    Ok(())
}
