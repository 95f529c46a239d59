//! A kernel simulated in memory, one for each thread, for tests.
//!
//! A test makes it refuse calls, consume fewer requests, delay and reorder completions, or overflow. It counts the
//! descriptors and mappings that were not given back. Rings are ordinary memory, so Miri checks every access to them.

mod ring;

use core::ffi::{c_int, c_uint, c_void};
use core::ptr::NonNull;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Kernel, Limit, MAP_ANONYMOUS, MAP_HUGE_SHIFT, MAP_HUGETLB, huge_page_size};
use crate::abi::enter::io_uring_getevents_arg;
use crate::abi::params::*;
use crate::errno::{Errno, Result, Ret};
use ring::Ring;

/// The simulated kernel.
pub struct Sim;

/// Features and behaviour of the simulated kernel.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// `IORING_FEAT_*` of new rings.
    pub features: u32,
    /// `IORING_SETUP_*` that it knows; others are refused.
    pub setup_flags: u32,
    /// The most requests that one call consumes.
    pub submit_limit: u32,
    /// Completions are posted only during a wait, the last one first.
    pub hold_back: bool,
    /// A signal interrupts each wait that does not find enough completions at once.
    pub interrupt: bool,
    /// Timeouts fail, as the kernel does not know them.
    pub refuse_timeouts: bool,
    /// How often a polled ring is polled before held-back completions are posted.
    pub polls_in_vain: u32,
    /// How often a submission thread is woken before it reads anything.
    pub sq_thread_lags: u32,
    /// Bytes of a page.
    pub page_size: usize,
    /// Bytes available in huge pages.
    pub huge_pages: usize,
}

impl Config {
    /// As Linux 6.18.
    pub const NEW: Config = Config {
        features: 0x3ffff,
        setup_flags: 0x1fffff,
        submit_limit: u32::MAX,
        hold_back: false,
        interrupt: false,
        refuse_timeouts: false,
        polls_in_vain: 0,
        sq_thread_lags: 0,
        page_size: 4096,
        huge_pages: 0,
    };
    /// As Linux 5.4: two mappings, an SQ array, no argument to waits.
    pub const OLD: Config = Config {
        features: IORING_FEAT_NODROP,
        setup_flags: 0x1f,
        ..Config::NEW
    };
}

/// A call that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Call {
    Setup {
        entries: c_uint,
        flags: c_uint,
    },
    Enter {
        fd: c_int,
        to_submit: c_uint,
        min_complete: c_uint,
        flags: c_uint,
        size: usize,
    },
    Register {
        fd: c_int,
        opcode: c_uint,
        nr_args: c_uint,
    },
    Mmap {
        len: usize,
        flags: c_int,
        fd: c_int,
        offset: u64,
    },
    Munmap {
        len: usize,
    },
    Madvise {
        len: usize,
        advice: c_int,
    },
    Close {
        fd: c_int,
    },
    SetLimit(Limit),
}

/// What `io_uring_register` does, given descriptor, opcode, argument and count.
pub type OnRegister = Box<dyn FnMut(c_int, c_uint, *const c_void, c_uint) -> Result<c_int>>;

/// Memory that is mapped, by its address.
struct Map {
    layout: Layout,
    /// A ring's areas belong to the ring and outlive the mapping.
    owned: bool,
}

struct State {
    config: Config,
    calls: Vec<Call>,
    /// How many calls that may fail still succeed before one fails, and its error.
    fail: Option<(usize, Errno)>,
    on_register: Option<OnRegister>,
    rings: BTreeMap<c_int, Ring>,
    maps: BTreeMap<usize, Map>,
    limit: Limit,
    next_fd: c_int,
    thread: c_uint,
}

thread_local! {
    static STATE: RefCell<State> = const {
        RefCell::new(State {
            config: Config::NEW,
            calls: Vec::new(),
            fail: None,
            on_register: None,
            rings: BTreeMap::new(),
            maps: BTreeMap::new(),
            limit: Limit { current: 1024, maximum: 4096 },
            next_fd: 100,
            thread: 1,
        })
    };
}

fn with<R>(f: impl FnOnce(&mut State) -> R) -> R {
    STATE.with_borrow_mut(f)
}

/// Starts anew with `config`. Panics if the test before left something behind.
pub fn reset(config: Config) {
    assert_clean();
    with(|state| {
        state.config = config;
        state.calls.clear();
        state.fail = None;
        state.on_register = None;
        state.thread = 1;
        state.limit = Limit {
            current: 1024,
            maximum: 4096,
        };
    });
}

/// Panics if a descriptor is open or memory mapped.
#[track_caller]
pub fn assert_clean() {
    let (fds, maps) = with(|state| {
        (
            state.rings.keys().copied().collect::<Vec<_>>(),
            state.maps.len(),
        )
    });
    assert!(fds.is_empty(), "descriptors left open: {fds:?}");
    assert_eq!(maps, 0, "mappings left");
}

/// Makes one call fail with `errno`, after `after` others. Only calls that set something up or use it count.
pub fn fail_after(after: usize, errno: Errno) {
    with(|state| state.fail = Some((after, errno)));
}

/// Whether a failure set by [`fail_after`] is still to come.
pub fn failure_pending() -> bool {
    with(|state| state.fail.is_some())
}

/// Cancels a failure set by [`fail_after`].
pub fn reset_failure() {
    with(|state| state.fail = None);
}

/// Sets all counters of an unused ring to `count`, as after long use.
pub fn start_counters_at(fd: c_int, count: u32) {
    with(|state| {
        state
            .rings
            .get_mut(&fd)
            .expect("an open ring")
            .start_counters_at(count)
    });
}

/// Sets what `io_uring_register` does; it returns 0 otherwise.
pub fn on_register(f: impl FnMut(c_int, c_uint, *const c_void, c_uint) -> Result<c_int> + 'static) {
    with(|state| state.on_register = Some(Box::new(f)));
}

/// The calls made since this function was last called.
pub fn take_calls() -> Vec<Call> {
    with(|state| std::mem::take(&mut state.calls))
}

/// Changes the behaviour of the running kernel.
pub fn configure(change: impl FnOnce(&mut Config)) {
    with(|state| change(&mut state.config));
}

/// Makes all later calls those of thread `thread`. Tests begin in thread 1.
pub fn run_as(thread: c_uint) {
    with(|state| state.thread = thread);
}

/// The limit on open descriptors in force.
pub fn limit() -> Limit {
    with(|state| state.limit)
}

/// Posts a completion as the kernel would.
pub fn post(fd: c_int, user_data: u64, res: i32, flags: u32) {
    with(|state| {
        state
            .rings
            .get_mut(&fd)
            .expect("an open ring")
            .post(user_data, res, flags)
    });
}

/// Carries out `IORING_REGISTER_RESIZE_RINGS`.
pub fn resize(fd: c_int, p: &mut io_uring_params) -> Result<()> {
    with(|state| {
        let config = state.config;
        state
            .rings
            .get_mut(&fd)
            .ok_or(Errno::EBADF)?
            .resize(p, &config)
    })
}

/// Allocates memory that can be mapped from a ring's descriptor at `offset`.
pub fn add_area(fd: c_int, offset: u64, size: usize) {
    with(|state| {
        state
            .rings
            .get_mut(&fd)
            .expect("an open ring")
            .add_area(offset, size)
    });
}

/// The number of a ring's timeouts that have not expired.
pub fn timeouts(fd: c_int) -> usize {
    with(|state| state.rings.get(&fd).expect("an open ring").timeouts())
}

/// Sets bits in the SQ flags.
pub fn set_sq_flags(fd: c_int, bits: u32) {
    with(|state| {
        state
            .rings
            .get_mut(&fd)
            .expect("an open ring")
            .set_sq_flags(bits)
    });
}

/// Lets the submission thread of an `IORING_SETUP_SQPOLL` ring consume what is published; returns how much that was.
pub fn run_sq_thread(fd: c_int) -> u32 {
    with(|state| {
        let config = state.config;
        state
            .rings
            .get_mut(&fd)
            .expect("an open ring")
            .submit(u32::MAX, &config)
    })
}

fn allocate(size: usize) -> (NonNull<c_void>, Layout) {
    let layout =
        Layout::from_size_align(size.next_multiple_of(4096), 4096).expect("a size that fits");
    // SAFETY: the size is not zero: every caller asks for at least one byte, and the size is rounded up.
    let area = unsafe { alloc_zeroed(layout) };
    (NonNull::new(area.cast()).expect("memory"), layout)
}

impl State {
    /// Records a call, and fails it if [`fail_after`] chose it.
    fn note(&mut self, call: Call) -> Result<()> {
        self.calls.push(call);
        match &mut self.fail {
            Some((0, errno)) => {
                let errno = *errno;
                self.fail = None;
                Err(errno)
            }
            Some((after, _)) => {
                *after -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Sim {
    /// Drops a ring that is known by its index only, as unregistering it does.
    pub fn close_registered(index: c_int) -> Result<c_int> {
        with(|state| state.rings.remove(&index).map(|_| 1).ok_or(Errno::EINVAL))
    }
}

impl Kernel for Sim {
    unsafe fn setup(entries: c_uint, params: *mut io_uring_params) -> Ret {
        // SAFETY: the caller vouches for `params`.
        let p = unsafe { &mut *params };
        with(|state| {
            state.note(Call::Setup {
                entries,
                flags: p.flags,
            })?;
            if p.flags & !state.config.setup_flags != 0 {
                return Err(Errno::EINVAL);
            }
            let ring = Ring::new(entries, p, &state.config)?;
            let fd = state.next_fd;
            state.next_fd += 1;
            state.rings.insert(fd, ring);
            Ok(fd)
        })
        .into()
    }

    unsafe fn enter(
        fd: c_int,
        to_submit: c_uint,
        min_complete: c_uint,
        flags: c_uint,
        arg: *const c_void,
        size: usize,
    ) -> Ret {
        with(|state| {
            state.note(Call::Enter {
                fd,
                to_submit,
                min_complete,
                flags,
                size,
            })?;
            let config = state.config;
            state.config.sq_thread_lags = config.sq_thread_lags.saturating_sub(1);
            let ring = state.rings.get_mut(&fd).ok_or(Errno::EBADF)?;
            let timed = flags & crate::abi::enter::IORING_ENTER_EXT_ARG != 0 && {
                assert_eq!(size, size_of::<io_uring_getevents_arg>());
                // SAFETY: that is what the flag says `arg` is.
                unsafe { (*arg.cast::<io_uring_getevents_arg>()).ts != 0 }
            };
            ring.enter(to_submit, min_complete, flags, timed, &config)
        })
        .into()
    }

    unsafe fn register(fd: c_int, opcode: c_uint, arg: *const c_void, nr_args: c_uint) -> Ret {
        let noted: Result<_> = with(|state| {
            state.note(Call::Register {
                fd,
                opcode,
                nr_args,
            })?;
            Ok(state.on_register.take())
        });
        // Outside the borrow: a handler may call the simulated kernel.
        let mut handler = match noted {
            Ok(Some(handler)) => handler,
            Ok(None) => return Ret::DONE,
            Err(error) => return error.into(),
        };
        let result = handler(fd, opcode, arg, nr_args);
        with(|state| state.on_register = state.on_register.take().or(Some(handler)));
        result.into()
    }

    unsafe fn mmap(
        len: usize,
        _prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: u64,
    ) -> Result<NonNull<c_void>> {
        with(|state| {
            state.note(Call::Mmap {
                len,
                flags,
                fd,
                offset,
            })?;
            if flags & MAP_HUGETLB != 0 {
                let page = 1usize << (flags >> MAP_HUGE_SHIFT);
                if page != huge_page_size(state.config.page_size) || len % page != 0 {
                    return Err(Errno::EINVAL);
                }
                if len > state.config.huge_pages {
                    return Err(Errno::ENOMEM);
                }
            }
            let (area, layout, owned) = if flags & MAP_ANONYMOUS != 0 {
                let (area, layout) = allocate(len);
                (area, layout, true)
            } else {
                let (area, layout) = state.rings.get_mut(&fd).ok_or(Errno::EBADF)?.area(offset)?;
                if len > layout.size() {
                    return Err(Errno::EINVAL);
                }
                (area, layout, false)
            };
            let twice = state.maps.insert(area.addr().get(), Map { layout, owned });
            assert!(twice.is_none(), "one area mapped twice");
            Ok(area)
        })
    }

    unsafe fn munmap(addr: *mut c_void, len: usize) -> Result<()> {
        with(|state| {
            state.calls.push(Call::Munmap { len });
            let map = state.maps.remove(&addr.addr()).ok_or(Errno::EINVAL)?;
            assert!(
                len.next_multiple_of(4096) == map.layout.size(),
                "unmapped in part: {len} of {:?}",
                map.layout
            );
            if map.owned {
                // SAFETY: allocated in `mmap` with this layout, and the caller gives it up.
                unsafe { dealloc(addr.cast(), map.layout) };
            }
            Ok(())
        })
    }

    unsafe fn madvise(addr: *mut c_void, len: usize, advice: c_int) -> Result<()> {
        with(|state| {
            state.note(Call::Madvise { len, advice })?;
            let known = state.maps.range(..=addr.addr()).next_back();
            known
                .filter(|(start, map)| *start + map.layout.size() > addr.addr())
                .map(drop)
                .ok_or(Errno::ENOMEM)
        })
    }

    fn close(fd: c_int) -> Result<()> {
        with(|state| {
            state.calls.push(Call::Close { fd });
            // A real kernel keeps a ring while it is mapped. Here it goes at once: only a failing set-up closes before
            // it unmaps.
            state.rings.remove(&fd).map(drop).ok_or(Errno::EBADF)
        })
    }

    fn page_size() -> usize {
        with(|state| state.config.page_size)
    }

    fn thread_id() -> c_uint {
        with(|state| state.thread)
    }

    fn nofile_limit() -> Result<Limit> {
        with(|state| Ok(state.limit))
    }

    fn set_nofile_limit(limit: Limit) -> Result<()> {
        with(|state| {
            state.note(Call::SetLimit(limit))?;
            if limit.current > limit.maximum {
                return Err(Errno::EPERM);
            }
            state.limit = limit;
            Ok(())
        })
    }
}
