//! Trace events as the kernel describes them. Fields move and go between kernels, so that they are looked up by name in
//! the `format` file of each event.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Create,
    Register,
    FileGet,
    Submit,
    QueueAsync,
    Defer,
    Link,
    FailLink,
    Wait,
    Complete,
    PollArm,
    TaskAdd,
    Failed,
    Overflow,
    TaskWork,
    ShortWrite,
    LocalWork,
    /// A process or thread was made.
    Fork,
}

/// How an event is called, and which of its fields are of interest beside the common ones.
pub struct Known {
    pub kind: Kind,
    pub system: &'static str,
    pub name: &'static str,
    extra: [&'static str; 4],
}

const fn io_uring(kind: Kind, name: &'static str, extra: [&'static str; 4]) -> Known {
    Known {
        kind,
        system: "io_uring",
        name,
        extra,
    }
}

/// All events. Names that older kernels had for one stand beside the new one.
pub static KNOWN: [Known; 19] = [
    io_uring(
        Kind::Create,
        "io_uring_create",
        ["fd", "sq_entries", "cq_entries", ""],
    ),
    io_uring(
        Kind::Register,
        "io_uring_register",
        ["nr_files", "nr_bufs", "", ""],
    ),
    io_uring(Kind::FileGet, "io_uring_file_get", ["fd", "", "", ""]),
    io_uring(
        Kind::Submit,
        "io_uring_submit_req",
        ["sq_thread", "", "", ""],
    ),
    io_uring(
        Kind::Submit,
        "io_uring_submit_sqe",
        ["sq_thread", "", "", ""],
    ),
    io_uring(
        Kind::QueueAsync,
        "io_uring_queue_async_work",
        ["rw", "", "", ""],
    ),
    io_uring(Kind::Defer, "io_uring_defer", [""; 4]),
    io_uring(Kind::Link, "io_uring_link", ["target_req", "", "", ""]),
    io_uring(Kind::FailLink, "io_uring_fail_link", ["link", "", "", ""]),
    io_uring(
        Kind::Wait,
        "io_uring_cqring_wait",
        ["min_events", "", "", ""],
    ),
    io_uring(Kind::Complete, "io_uring_complete", [""; 4]),
    io_uring(
        Kind::PollArm,
        "io_uring_poll_arm",
        ["mask", "events", "", ""],
    ),
    io_uring(Kind::TaskAdd, "io_uring_task_add", ["mask", "", "", ""]),
    io_uring(
        Kind::Failed,
        "io_uring_req_failed",
        ["len", "addr", "off", "op_flags"],
    ),
    io_uring(Kind::Overflow, "io_uring_cqe_overflow", [""; 4]),
    io_uring(
        Kind::TaskWork,
        "io_uring_task_work_run",
        ["count", "", "", ""],
    ),
    io_uring(
        Kind::ShortWrite,
        "io_uring_short_write",
        ["fpos", "wanted", "got", ""],
    ),
    io_uring(
        Kind::LocalWork,
        "io_uring_local_work_run",
        ["count", "loops", "", ""],
    ),
    Known {
        kind: Kind::Fork,
        system: "sched",
        name: "sched_process_fork",
        extra: ["parent_pid", "child_pid", "", ""],
    },
];

/// An event, with zeros where the kernel gives no such field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Nanoseconds of the monotonic clock.
    pub time: u64,
    pub kind: Kind,
    /// The thread that was running.
    pub tid: i32,
    pub ctx: u64,
    pub req: u64,
    pub user_data: u64,
    pub opcode: u8,
    pub flags: u64,
    pub result: i64,
    pub cqe_flags: u32,
    /// What is particular to the kind: see [`KNOWN`].
    pub extra: [i64; 4],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Field {
    offset: usize,
    /// 0 for a field that is not there.
    size: usize,
    signed: bool,
}

impl Field {
    fn read(self, raw: &[u8]) -> i64 {
        let Some(bytes) = raw.get(self.offset..self.offset + self.size) else {
            return 0;
        };
        let mut word = [0u8; 8];
        let size = self.size.min(8);
        #[cfg(target_endian = "little")]
        word[..size].copy_from_slice(&bytes[..size]);
        #[cfg(target_endian = "big")]
        word[8 - size..].copy_from_slice(&bytes[..size]);
        let value = i64::from_ne_bytes(word);
        let unused = 64 - 8 * size as u32;
        if self.signed && size > 0 {
            value << unused >> unused
        } else {
            value
        }
    }
}

/// Where an event has its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    pub id: u16,
    kind: Kind,
    tid: Field,
    ctx: Field,
    req: Field,
    user_data: Field,
    opcode: Field,
    flags: Field,
    result: Field,
    cqe_flags: Field,
    extra: [Field; 4],
}

/// The type of an event comes first in each.
pub fn id_of(raw: &[u8]) -> Option<u16> {
    raw.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))
}

impl Format {
    /// Reads a `format` file. `None` where it has no number or no fields.
    pub fn parse(known: &Known, text: &str) -> Option<Self> {
        let id = text
            .lines()
            .find_map(|line| line.strip_prefix("ID:")?.trim().parse().ok())?;
        let fields: Vec<_> = text.lines().filter_map(field).collect();
        let find = |names: &[&str]| {
            let by_name = |wanted: &&str| {
                fields
                    .iter()
                    .find(|(name, _)| name == wanted && !wanted.is_empty())
            };
            names
                .iter()
                .find_map(by_name)
                .map(|(_, field)| *field)
                .unwrap_or_default()
        };
        (!fields.is_empty()).then(|| Self {
            id,
            kind: known.kind,
            tid: find(&["common_pid"]),
            ctx: find(&["ctx"]),
            req: find(&["req"]),
            user_data: find(&["user_data", "data"]),
            opcode: find(&["opcode"]),
            flags: find(&["flags"]),
            result: find(&["res", "result", "error", "ret"]),
            cqe_flags: find(&["cflags"]),
            extra: known.extra.map(|name| find(&[name])),
        })
    }

    pub fn decode(&self, time: u64, raw: &[u8]) -> Event {
        Event {
            time,
            kind: self.kind,
            tid: self.tid.read(raw) as i32,
            ctx: self.ctx.read(raw) as u64,
            req: self.req.read(raw) as u64,
            user_data: self.user_data.read(raw) as u64,
            opcode: self.opcode.read(raw) as u8,
            flags: self.flags.read(raw) as u64,
            result: self.result.read(raw),
            cqe_flags: self.cqe_flags.read(raw) as u32,
            extra: self.extra.map(|field| field.read(raw)),
        }
    }
}

/// `field:unsigned long long user_data; offset:24; size:8; signed:0;`, with tabs between.
fn field(line: &str) -> Option<(&str, Field)> {
    let mut parts = line.trim().split(';').map(str::trim);
    let name = parts.next()?.strip_prefix("field:")?.rsplit(' ').next()?;
    let mut field = Field::default();
    for part in parts {
        match part.split_once(':') {
            Some(("offset", value)) => field.offset = value.parse().ok()?,
            Some(("size", value)) => field.size = value.parse().ok()?,
            Some(("signed", value)) => field.signed = value == "1",
            _ => {}
        }
    }
    Some((name, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> &'static Known {
        KNOWN
            .iter()
            .find(|known| known.name == name)
            .expect("an event")
    }

    #[test]
    fn fields_are_found_where_linux_6_18_has_them() {
        let text = include_str!("../../tests/data/format-complete-6.18");
        let format = Format::parse(known("io_uring_complete"), text).expect("a format");
        assert_eq!(format.id, 2141);
        let mut raw = [0u8; 56];
        raw[..2].copy_from_slice(&2141u16.to_ne_bytes());
        raw[4..8].copy_from_slice(&77i32.to_ne_bytes());
        raw[24..32].copy_from_slice(&0xdead_beef_u64.to_ne_bytes());
        raw[32..36].copy_from_slice(&(-125i32).to_ne_bytes());
        raw[36..40].copy_from_slice(&2u32.to_ne_bytes());
        let event = format.decode(5, &raw);
        assert_eq!(
            (event.tid, event.user_data, event.result, event.cqe_flags),
            (77, 0xdead_beef, -125, 2)
        );
        assert_eq!(id_of(&raw), Some(2141));
    }

    #[test]
    fn other_names_of_older_kernels_serve() {
        let text = "name: io_uring_submit_sqe\nID: 9\nformat:\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n\
                    \tfield:unsigned long long data;\toffset:24;\tsize:8;\tsigned:0;\n";
        let format = Format::parse(known("io_uring_submit_sqe"), text).expect("a format");
        let mut raw = [0u8; 32];
        raw[24] = 9;
        assert_eq!(format.decode(0, &raw).user_data, 9);
    }

    #[test]
    fn a_record_that_is_cut_gives_zeros() {
        let text = include_str!("../../tests/data/format-submit_req-6.18");
        let format = Format::parse(known("io_uring_submit_req"), text).expect("a format");
        assert_eq!(format.decode(0, &[1, 2, 3]).user_data, 0);
        assert_eq!(id_of(&[1]), None);
    }

    #[test]
    fn nonsense_is_no_format() {
        assert!(Format::parse(known("io_uring_link"), "").is_none());
        assert!(Format::parse(known("io_uring_link"), "ID: x\n").is_none());
    }
}
