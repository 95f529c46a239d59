//! What a diagnosis says, and the wording that several findings share.

use serde::Serialize;

use super::evidence::Evidence;
use super::trial::COMMON_ENTRIES;
use crate::sys::proc::{CAP_IPC_LOCK, Limit};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It works, with limits.
    Warn,
    /// It does not work.
    Fail,
}

/// Something that is wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub level: Level,
    /// A word for programs.
    pub culprit: &'static str,
    pub summary: String,
    pub evidence: Vec<String>,
    pub cure: Vec<String>,
    /// A misleading message that programs print in this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

pub fn limit_text(limit: Limit) -> String {
    let text = |value: Option<u64>| {
        value.map_or_else(|| "unlimited".to_owned(), |value| value.to_string())
    };
    format!(
        "{} (may be raised to {})",
        text(limit.soft),
        text(limit.hard)
    )
}

/// The rule by which the kernel counts ring memory to the user's locked memory.
pub fn memlock_rule(evidence: &Evidence) -> String {
    let counted = match evidence.kernel() {
        (0..5, _) | (5, 0..12) => "before 5.12 a ring's memory counts",
        (5, _) | (6, 0..14) => {
            "from 5.12 to 6.13 registered buffers count, a ring's memory does not"
        }
        _ => "since 6.14 a ring's memory counts, and so do registered buffers",
    };
    let exempt = if evidence.status.capable(CAP_IPC_LOCK) {
        "; CAP_IPC_LOCK exempts this process"
    } else {
        ""
    };
    format!(
        "{counted}, for all processes of a user together{exempt}; a ring of {COMMON_ENTRIES} entries: {}",
        evidence.trial.common_ring
    )
}
