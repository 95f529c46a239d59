//! A thread's credentials: what decides which files it may open. A worker borrows them for a request.

use std::ffi::c_int;

use crate::sys::{self, sys};

const VERSION_3: u32 = 0x2008_0522;
const HEADER: [u32; 2] = [VERSION_3, 0];

/// Effective, permitted and inheritable capabilities: the lower halves, then the upper ones.
type Capabilities = [u32; 6];

/// The credentials that count for files.
pub struct Credentials {
    user: c_int,
    group: c_int,
    groups: Vec<u32>,
    capabilities: Capabilities,
}

impl PartialEq for Credentials {
    /// A capability that is permitted and not effective grants nothing.
    fn eq(&self, other: &Credentials) -> bool {
        (self.user, self.group) == (other.user, other.group)
            && self.groups == other.groups
            && self.effective() == other.effective()
    }
}

/// Sets the ids that count for files, and returns the previous ones. The calls themselves report no failure.
fn set_ids(user: c_int, group: c_int) -> (c_int, c_int) {
    // SAFETY: no memory is named. Bare, so that this thread alone is concerned.
    unsafe {
        let group = sys!(SYS_setfsgid, group) as c_int;
        (sys!(SYS_setfsuid, user) as c_int, group)
    }
}

fn capabilities() -> Capabilities {
    // A copy: the call may write to it, and QEMU's user emulation insists on that.
    let (mut header, mut all) = (HEADER, [0; 6]);
    // SAFETY: the kernel writes to the header and six words.
    unsafe { sys!(SYS_capget, header.as_mut_ptr(), all.as_mut_ptr()) };
    all
}

fn set_capabilities(all: &Capabilities) -> bool {
    let mut header = HEADER;
    // SAFETY: the kernel writes to the header and reads six words.
    unsafe { sys!(SYS_capset, header.as_mut_ptr(), all.as_ptr()) == 0 }
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
    /// The calling thread's credentials. libc is not asked: it would change those of all threads.
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
    /// they can be restored. `false`: the kernel refuses.
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
        // A signal handler must not run with these credentials.
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
                // Otherwise the thread would keep credentials that are not its own.
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
