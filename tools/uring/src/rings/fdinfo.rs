//! What `/proc/PID/fdinfo/FD` says of a ring. Kernels add lines now and then, and a ring that is busy at that moment
//! leaves some out.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::tables::op_name;

/// A ring as its descriptor shows it. `None` is what the kernel did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RingInfo {
    pub inode: u64,
    pub sq_entries: u32,
    pub cq_entries: u32,
    pub sq_head: u32,
    pub sq_tail: u32,
    pub cq_head: u32,
    pub cq_tail: u32,
    /// Completions that wait for room in the ring.
    pub overflow: u64,
    /// Requests that wait for readiness, by opcode.
    pub polls: BTreeMap<String, u64>,
    pub files: u64,
    pub buffers: u64,
    /// Bytes of registered buffers.
    pub buffer_bytes: u64,
    pub sq_thread: Option<i32>,
    pub sq_cpu: Option<i32>,
    /// Microseconds that the submission thread has run, and worked.
    pub sq_total_time: Option<u64>,
    pub sq_work_time: Option<u64>,
    pub napi: bool,
    /// The ring was in use at every look, and the kernel said nothing of it.
    pub in_use: bool,
}

/// Which list the indented lines belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Other,
    Buffers,
    Polls,
    Overflow,
}

impl RingInfo {
    /// SQEs that the program has published and the kernel has not taken.
    pub fn pending(&self) -> u32 {
        self.sq_tail.wrapping_sub(self.sq_head)
    }

    /// CQEs that the kernel has published and the program has not seen.
    pub fn unseen(&self) -> u32 {
        self.cq_tail.wrapping_sub(self.cq_head)
    }

    pub fn full(&self) -> bool {
        self.cq_entries > 0 && self.unseen() >= self.cq_entries
    }

    pub fn polled(&self) -> u64 {
        self.polls.values().sum()
    }

    /// The share of its time that the submission thread worked, since it began.
    pub fn busy(&self) -> Option<f64> {
        match (self.sq_work_time, self.sq_total_time) {
            (Some(work), Some(total)) if total > 0 => Some(work as f64 / total as f64),
            _ => None,
        }
    }

    /// A ring that the kernel says nothing of.
    pub fn in_use(text: &str) -> Self {
        let mut info = Self {
            in_use: true,
            ..Self::default()
        };
        let inode = text.lines().find_map(|line| line.strip_prefix("ino:"));
        info.field("ino", inode.unwrap_or_default().trim());
        info
    }

    /// `None` where the kernel says nothing of a ring: it does not wait for one that is in use.
    pub fn parse(text: &str) -> Option<Self> {
        let mut info = Self::default();
        let (mut part, mut ring) = (Part::Other, false);
        for line in text.lines() {
            if line.starts_with(' ') {
                info.listed(part, line.trim());
                continue;
            }
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            part = match key {
                "UserBufs" => Part::Buffers,
                "PollList" => Part::Polls,
                "CqOverflowList" => Part::Overflow,
                _ => Part::Other,
            };
            ring |= key == "SqMask";
            info.field(key, value);
        }
        ring.then_some(info)
    }

    fn field(&mut self, key: &str, value: &str) {
        let number = || value.parse::<u64>().ok();
        let word = || value.parse::<u32>().unwrap_or(0);
        let mask = || u32::from_str_radix(value.trim_start_matches("0x"), 16).unwrap_or(0);
        let id = || value.parse::<i32>().ok().filter(|&id| id >= 0);
        match key {
            "ino" => self.inode = number().unwrap_or(0),
            "SqMask" => self.sq_entries = mask().wrapping_add(1),
            "CqMask" => self.cq_entries = mask().wrapping_add(1),
            "SqHead" => self.sq_head = word(),
            "SqTail" => self.sq_tail = word(),
            "CqHead" => self.cq_head = word(),
            "CqTail" => self.cq_tail = word(),
            "SqThread" => self.sq_thread = id(),
            "SqThreadCpu" => self.sq_cpu = id(),
            "SqTotalTime" => self.sq_total_time = number(),
            "SqWorkTime" => self.sq_work_time = number(),
            "UserFiles" => self.files = number().unwrap_or(0),
            "UserBufs" => self.buffers = number().unwrap_or(0),
            "NAPI" => self.napi = value == "enabled",
            _ => {}
        }
    }

    fn listed(&mut self, part: Part, line: &str) {
        match part {
            Part::Overflow => self.overflow += u64::from(line.starts_with("user_data=")),
            Part::Polls => {
                let opcode = line
                    .strip_prefix("op=")
                    .and_then(|rest| rest.split(',').next());
                if let Some(opcode) = opcode.and_then(|text| text.parse().ok()) {
                    *self.polls.entry(op_name(opcode)).or_default() += 1;
                }
            }
            Part::Buffers => {
                let size = line
                    .rsplit('/')
                    .next()
                    .and_then(|size| size.parse::<u64>().ok());
                self.buffer_bytes += size.unwrap_or(0);
            }
            Part::Other => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> RingInfo {
        RingInfo::parse(text).expect("a ring")
    }

    #[test]
    fn a_ring_that_overflows() {
        let info = read(include_str!("../../tests/data/fdinfo-overflow"));
        assert_eq!((info.sq_entries, info.cq_entries), (4, 8));
        assert_eq!((info.pending(), info.unseen(), info.overflow), (0, 8, 12));
        assert!(info.full());
        assert_eq!(info.sq_thread, None);
    }

    #[test]
    fn a_ring_with_a_submission_thread() {
        let info = read(include_str!("../../tests/data/fdinfo-sqpoll"));
        assert_eq!((info.sq_thread, info.sq_cpu), (Some(26196), Some(1)));
        assert_eq!((info.files, info.buffers, info.buffer_bytes), (3, 1, 8192));
        assert_eq!(info.busy(), None);
    }

    #[test]
    fn a_ring_that_waits() {
        let info = read(include_str!("../../tests/data/fdinfo-polls"));
        assert_eq!(info.pending(), 2);
        assert_eq!(
            info.polls,
            BTreeMap::from([("POLL_ADD".into(), 3), ("RECV".into(), 1)])
        );
    }

    #[test]
    fn counters_wrap() {
        let info = RingInfo {
            sq_head: u32::MAX,
            sq_tail: 1,
            ..RingInfo::default()
        };
        assert_eq!(info.pending(), 2);
    }

    #[test]
    fn other_descriptors_are_none() {
        assert_eq!(RingInfo::parse("pos:\t0\nflags:\t02\n"), None);
        assert_eq!(RingInfo::parse(""), None);
        let info = RingInfo::in_use("pos:\t0\nino:\t77\n");
        assert_eq!((info.inode, info.in_use), (77, true));
    }
}
