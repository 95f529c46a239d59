//! What decides whether a thread may open a file, and lending it to another thread.

use std::ffi::c_int;

use crate::sys::{self, sys};

const VERSION_3: u32 = 0x2008_0522;
const HEADER: [u32; 2] = [VERSION_3, 0];

/// Effective, permitted and inheritable capabilities: the lower halves, then the upper ones.
type Capabilities = [u32; 6];

/// What a thread's rights on files come from.
pub struct Credentials {
    user: c_int,
    group: c_int,
    groups: Vec<u32>,
    capabilities: Capabilities,
}

impl PartialEq for Credentials {
    /// Capabilities that are permitted and not in effect give no right.
    fn eq(&self, other: &Credentials) -> bool {
        (self.user, self.group) == (other.user, other.group)
            && self.groups == other.groups
            && self.effective() == other.effective()
    }
}

/// Sets the ids that count for files, and returns what they were: the calls themselves tell no failure.
fn set_ids(user: c_int, group: c_int) -> (c_int, c_int) {
    // SAFETY: no memory is named. Bare, so that this thread alone is concerned.
    unsafe {
        let group = sys!(SYS_setfsgid, group) as c_int;
        (sys!(SYS_setfsuid, user) as c_int, group)
    }
}

fn capabilities() -> Capabilities {
    let mut all = [0; 6];
    // SAFETY: the kernel reads the header and writes six words.
    unsafe { sys!(SYS_capget, HEADER.as_ptr(), all.as_mut_ptr()) };
    all
}

fn set_capabilities(all: &Capabilities) -> bool {
    // SAFETY: the kernel reads the header and six words.
    unsafe { sys!(SYS_capset, HEADER.as_ptr(), all.as_ptr()) == 0 }
}

fn groups() -> Vec<u32> {
    // SAFETY: the kernel writes as many groups as there is room for.
    unsafe {
        let count = usize::try_from(sys!(SYS_getgroups, 0, 0)).unwrap_or(0);
        let mut groups = vec![0u32; count];
        sys!(SYS_getgroups, count, groups.as_mut_ptr());
        groups
    }
}

impl Credentials {
    /// The calling thread's own, past libc.
    pub fn own() -> Credentials {
        // -1 is no user and no group, so nothing is set.
        let (user, group) = set_ids(-1, -1);
        Credentials {
            user,
            group,
            groups: groups(),
            capabilities: capabilities(),
        }
    }

    fn effective(&self) -> [u32; 2] {
        [self.capabilities[0], self.capabilities[3]]
    }

    /// Gives the calling thread these rights in place of `before`, its own. Its permitted capabilities stay, so that
    /// they can be taken back. `false`: the kernel allows it no such thing.
    fn assume(&self, before: &Credentials) -> bool {
        let mut all = before.capabilities;
        all[0] = all[1];
        all[3] = all[4];
        if !set_capabilities(&all) {
            return false;
        }
        if self.groups != before.groups {
            // SAFETY: the kernel reads the groups. Bare, so that this thread alone is concerned.
            if unsafe { sys!(SYS_setgroups, self.groups.len(), self.groups.as_ptr()) } != 0 {
                return false;
            }
        }
        set_ids(self.user, self.group);
        [all[0], all[3]] = self.effective();
        set_capabilities(&all) && Credentials::own() == *self
    }

    /// Runs a call with these rights. `None`: the calling thread may not have them.
    pub fn lend<T>(&self, call: impl FnOnce() -> T) -> Option<T> {
        let own = Credentials::own();
        if own == *self {
            return Some(call());
        }
        // A signal's handler must not run with them.
        sys::with_signals_blocked(|| {
            // SAFETY: no memory is named. A change of these ids makes the kernel forget it.
            let dumpable = unsafe { sys!(SYS_prctl, libc::PR_GET_DUMPABLE, 0, 0, 0, 0) };
            let result = if self.assume(&own) {
                Some(call())
            } else {
                None
            };
            let current = Credentials::own();
            if current != own && !own.assume(&current) {
                // The thread would go on with rights that are not its own.
                std::process::abort();
            }
            if dumpable == 1 {
                // SAFETY: no memory is named.
                unsafe { sys!(SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0) };
            }
            result
        })
    }
}
