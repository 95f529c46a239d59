//! The kernel that the tests of the logic run on: what `sys.rs` asks for, in this process.
//!
//! Time moves only when somebody waits. There are no threads, so that the thread that enters does everything. A call that
//! is not simulated, and a wait that nothing would end, fail the test.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{c_int, c_long};
use std::ptr;
use std::rc::Rc;

/// The tests have no threads but their own.
pub const HAS_THREADS: bool = false;

/// The first number of a descriptor.
const FIRST: c_int = 3;
/// Where the clocks other than the monotonic one stand when that starts.
pub const BOOTTIME_AHEAD: u64 = 1_000_000_000_000;
pub const REALTIME_AHEAD: u64 = 1_700_000_000_000_000_000;
const START: u64 = 5_000_000_000;

/// An open file.
enum File {
    Eventfd(u64),
    Epoll(BTreeMap<c_int, Watch>),
    /// One end of a connection: what came, and where what is sent goes.
    Stream {
        came: Bytes,
        goes: Bytes,
        hung_up: Rc<RefCell<bool>>,
    },
    Disk(Vec<u8>),
}

type Bytes = Rc<RefCell<VecDeque<u8>>>;

/// What an epoll set knows of a descriptor.
struct Watch {
    events: u32,
    data: u64,
    /// An event that was reported already, and is reported once.
    told: u32,
}

struct Entry {
    file: Rc<RefCell<File>>,
    inode: u64,
}

struct Map {
    layout: Layout,
    count: usize,
}

struct Kernel {
    now: u64,
    thread: c_int,
    files: BTreeMap<c_int, Entry>,
    inodes: u64,
    maps: BTreeMap<usize, Map>,
    unmapped: Vec<usize>,
    /// The words that were woken.
    woken: Vec<usize>,
    /// The most that one stream takes before a sender waits.
    room: usize,
    limit: u64,
}

thread_local! {
    static KERNEL: RefCell<Kernel> = const { RefCell::new(Kernel::new()) };
}

fn with<T>(then: impl FnOnce(&mut Kernel) -> T) -> T {
    KERNEL.with(|kernel| then(&mut kernel.borrow_mut()))
}

/// A kernel that has not done anything yet.
pub fn reset() {
    with(|kernel| *kernel = Kernel::new());
}

/// What is open and mapped: nothing, once all was given back.
pub fn held() -> (usize, usize) {
    with(|kernel| (kernel.files.len(), kernel.maps.len()))
}

/// The monotonic clock.
pub fn now() -> u64 {
    with(|kernel| kernel.now)
}

/// Lets time pass.
pub fn pass(nanoseconds: u64) {
    with(|kernel| kernel.now += nanoseconds);
}

/// The thread that runs from now on.
pub fn become_thread(number: c_int) {
    with(|kernel| kernel.thread = number);
    // What a thread remembers of itself is no longer true, as after a fork.
    crate::sys::forked();
}

/// The words that were woken since the last look.
pub fn woken() -> Vec<usize> {
    with(|kernel| std::mem::take(&mut kernel.woken))
}

/// From now on there is no memory at this address.
pub fn unmap(address: usize) {
    with(|kernel| kernel.unmapped.push(address));
}

/// The program gives a mapping back.
pub fn unmap_pages(start: usize, size: usize) {
    // SAFETY: a mapping of the program's, which it does not use any more.
    let ret = unsafe { call(libc::SYS_munmap as usize, [start, size, 0, 0, 0, 0]) };
    assert_eq!(ret, 0);
}

/// How many bytes a stream holds before a sender has to wait.
pub fn set_room(bytes: usize) {
    with(|kernel| kernel.room = bytes);
}

/// The limit on descriptors.
pub fn set_limit(limit: u64) {
    with(|kernel| kernel.limit = limit);
}

/// Two descriptors that are connected.
pub fn stream() -> (c_int, c_int) {
    let (one, other, hung_up) = (Bytes::default(), Bytes::default(), Rc::default());
    let end = |came: &Bytes, goes: &Bytes| File::Stream {
        came: came.clone(),
        goes: goes.clone(),
        hung_up: Rc::clone(&hung_up),
    };
    with(|kernel| {
        let first = kernel.open(end(&one, &other));
        (first, kernel.open(end(&other, &one)))
    })
}

/// A descriptor of a regular file with these bytes.
pub fn disk(bytes: &[u8]) -> c_int {
    with(|kernel| kernel.open(File::Disk(bytes.to_vec())))
}

/// A descriptor of a file that nothing is done with.
pub fn any_file() -> c_int {
    disk(&[])
}

/// The program closes a descriptor, past the library.
pub fn close(fd: c_int) {
    with(|kernel| kernel.files.remove(&fd)).expect("an open descriptor");
}

/// Whether a descriptor is open.
pub fn is_open(fd: c_int) -> bool {
    with(|kernel| kernel.files.contains_key(&fd))
}

/// How many descriptors lead to the same open file as this one.
pub fn names_of(fd: c_int) -> usize {
    with(|kernel| Rc::strong_count(&kernel.files[&fd].file))
}

/// The other end of a stream sends.
pub fn deliver(fd: c_int, bytes: &[u8]) {
    with(|kernel| match &*kernel.files[&fd].file.borrow() {
        File::Stream { came, .. } => came.borrow_mut().extend(bytes),
        _ => panic!("{fd} is no stream"),
    });
}

/// The other end of a stream receives all that was sent.
pub fn collect(fd: c_int) -> Vec<u8> {
    with(|kernel| match &*kernel.files[&fd].file.borrow() {
        File::Stream { goes, .. } => goes.borrow_mut().drain(..).collect(),
        _ => panic!("{fd} is no stream"),
    })
}

/// The other end of a stream is closed.
pub fn hang_up(fd: c_int) {
    with(|kernel| match &*kernel.files[&fd].file.borrow() {
        File::Stream { hung_up, .. } => *hung_up.borrow_mut() = true,
        _ => panic!("{fd} is no stream"),
    });
}

/// An eventfd's count.
pub fn count_of(fd: c_int) -> u64 {
    with(|kernel| match &*kernel.files[&fd].file.borrow() {
        File::Eventfd(count) => *count,
        _ => panic!("{fd} is no eventfd"),
    })
}

/// As `clock_gettime(2)`.
///
/// # Safety
///
/// `time` must be valid.
pub unsafe fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    let ahead = match clock {
        libc::CLOCK_MONOTONIC => 0,
        libc::CLOCK_BOOTTIME => BOOTTIME_AHEAD,
        libc::CLOCK_REALTIME => REALTIME_AHEAD,
        other => panic!("clock {other} is not simulated"),
    };
    // SAFETY: says the caller.
    unsafe { time.write(crate::sys::timespec(now() + ahead)) };
    0
}

/// There is no fork here.
///
/// # Safety
///
/// As for libc's.
pub unsafe fn pthread_atfork(
    _: Option<extern "C" fn()>,
    _: Option<extern "C" fn()>,
    _: Option<extern "C" fn()>,
) -> c_int {
    0
}

fn at<T>(address: usize) -> *mut T {
    ptr::with_exposed_provenance_mut(address)
}

/// As the system call of this number.
///
/// # Safety
///
/// As for `sys::call`.
pub unsafe fn call(number: usize, args: [usize; 6]) -> isize {
    let [first, second, third, fourth, ..] = args;
    let fd = first as c_int;
    // SAFETY: addresses are the caller's, as the calls ask for them.
    unsafe {
        match number as c_long {
            libc::SYS_gettid => with(|kernel| kernel.thread) as isize,
            libc::SYS_sched_yield | libc::SYS_madvise => 0,
            libc::SYS_rt_sigprocmask => 0,
            libc::SYS_setfsuid | libc::SYS_setfsgid | libc::SYS_getgroups => 0,
            libc::SYS_capget => 0,
            libc::SYS_sched_getaffinity => {
                at::<u64>(third).write(1);
                8
            }
            libc::SYS_prlimit64 => {
                at::<[u64; 2]>(fourth).write([with(|kernel| kernel.limit); 2]);
                0
            }
            libc::SYS_io_setup | libc::SYS_memfd_create | libc::SYS_futex_waitv => {
                -libc::ENOSYS as isize
            }
            libc::SYS_futex => futex(first, second as c_int, third as u32, at(fourth)),
            libc::SYS_msync => with(|kernel| {
                let there = |address: &usize| !(first..first + second).contains(address);
                if kernel.unmapped.iter().all(there) {
                    0
                } else {
                    -libc::ENOMEM as isize
                }
            }),
            libc::SYS_mmap => with(|kernel| kernel.map(second)),
            libc::SYS_mremap => with(|kernel| match kernel.maps.get_mut(&first) {
                // One more mapping of the same pages: the same addresses, which have to be given back once more.
                Some(map) if second == 0 => {
                    map.count += 1;
                    first as isize
                }
                _ => -libc::EFAULT as isize,
            }),
            libc::SYS_munmap => with(|kernel| kernel.unmap(first)),
            libc::SYS_eventfd2 => with(|kernel| kernel.open(File::Eventfd(0)) as isize),
            libc::SYS_epoll_create1 => {
                with(|kernel| kernel.open(File::Epoll(BTreeMap::new())) as isize)
            }
            libc::SYS_close => with(|kernel| kernel.close(fd)),
            libc::SYS_fcntl => with(|kernel| kernel.fcntl(fd, second as c_int, third as c_int)),
            libc::SYS_fstat => with(|kernel| kernel.fstat(fd, at(second))),
            libc::SYS_fstatfs => {
                at::<libc::statfs>(second).write(std::mem::zeroed());
                0
            }
            libc::SYS_ioctl => {
                assert_eq!(second as u64, libc::FIONREAD as u64);
                let count = with(|kernel| match &*kernel.files[&fd].file.borrow() {
                    File::Stream { came, .. } => came.borrow().len(),
                    _ => 0,
                });
                at::<c_int>(third).write(count as c_int);
                0
            }
            libc::SYS_getsockopt => {
                at::<c_int>(fourth).write(libc::SOCK_STREAM);
                0
            }
            libc::SYS_epoll_ctl => with(|kernel| {
                let event = if fourth == 0 {
                    None
                } else {
                    Some(at::<libc::epoll_event>(fourth).read())
                };
                kernel.control(fd, second as c_int, third as c_int, event)
            }),
            libc::SYS_epoll_pwait2 => {
                let span = crate::sys::nanoseconds(&at::<libc::timespec>(fourth).read());
                with(|kernel| kernel.wait(fd, at(second), third, span))
            }
            libc::SYS_epoll_pwait => with(|kernel| kernel.wait(fd, at(second), third, 0)),
            libc::SYS_ppoll => with(|kernel| kernel.poll(at(first), second, at(third))),
            libc::SYS_read => with(|kernel| kernel.transfer(fd, &[(second, third)], None, false)),
            libc::SYS_write => with(|kernel| kernel.transfer(fd, &[(second, third)], None, true)),
            libc::SYS_recvfrom => {
                with(|kernel| kernel.transfer(fd, &[(second, third)], None, false))
            }
            libc::SYS_sendto => with(|kernel| kernel.transfer(fd, &[(second, third)], None, true)),
            libc::SYS_preadv2 | libc::SYS_pwritev2 => {
                let offset = (fourth as u64 != u64::MAX).then_some(fourth);
                let write = number as c_long == libc::SYS_pwritev2;
                with(|kernel| kernel.transfer(fd, &pieces(at(second), third), offset, write))
            }
            libc::SYS_recvmsg | libc::SYS_sendmsg => {
                let message = at::<libc::msghdr>(second).read();
                let all = pieces(message.msg_iov, message.msg_iovlen as usize);
                let write = number as c_long == libc::SYS_sendmsg;
                with(|kernel| kernel.transfer(fd, &all, None, write))
            }
            other => panic!("call {other} is not simulated"),
        }
    }
}

/// # Safety
///
/// There must be a vector of so many elements.
unsafe fn pieces(vector: *const libc::iovec, count: usize) -> Vec<(usize, usize)> {
    (0..count)
        // SAFETY: says the caller.
        .map(|index| unsafe { vector.add(index).read() })
        .map(|piece| (piece.iov_base.expose_provenance(), piece.iov_len))
        .collect()
}

/// # Safety
///
/// The word must be valid, and so must the time of a wait.
unsafe fn futex(word: usize, op: c_int, value: u32, time: *const libc::timespec) -> isize {
    match op & 0x7f {
        libc::FUTEX_WAKE | libc::FUTEX_WAKE_BITSET => {
            with(|kernel| kernel.woken.push(word));
            0
        }
        libc::FUTEX_WAIT_BITSET => {
            // SAFETY: says the caller. Nobody else is there who would change it.
            if unsafe { at::<u32>(word).read() } != value {
                return -libc::EAGAIN as isize;
            }
            // SAFETY: says the caller.
            let until = crate::sys::nanoseconds(&unsafe { time.read() });
            with(|kernel| {
                let far = kernel.now + 1_000_000_000_000;
                assert!(until < far, "a wait that nothing ends");
                kernel.now = kernel.now.max(until);
            });
            -libc::ETIMEDOUT as isize
        }
        other => panic!("futex operation {other} is not simulated"),
    }
}

impl File {
    /// The events that are there.
    fn events(&self, kernel: &Kernel) -> u32 {
        let (mut events, input, output) = (0, libc::EPOLLIN as u32, libc::EPOLLOUT as u32);
        match self {
            File::Eventfd(count) => {
                events |= if *count > 0 { input } else { 0 } | output;
            }
            File::Epoll(watched) => {
                if watched
                    .iter()
                    .any(|(fd, watch)| kernel.news(*fd, watch) != 0)
                {
                    events |= input;
                }
            }
            File::Stream {
                came,
                goes,
                hung_up,
            } => {
                if !came.borrow().is_empty() {
                    events |= input;
                }
                if goes.borrow().len() < kernel.room {
                    events |= output;
                }
                if *hung_up.borrow() {
                    events |= input | (libc::EPOLLRDHUP | libc::EPOLLHUP) as u32;
                }
            }
            File::Disk(_) => events |= input | output,
        }
        events
    }
}

impl Kernel {
    const fn new() -> Kernel {
        Kernel {
            now: START,
            thread: 100,
            files: BTreeMap::new(),
            inodes: 0,
            maps: BTreeMap::new(),
            unmapped: Vec::new(),
            woken: Vec::new(),
            room: 1 << 16,
            limit: 1 << 20,
        }
    }

    fn open(&mut self, file: File) -> c_int {
        self.inodes += 1;
        let inode = self.inodes;
        self.enter(Rc::new(RefCell::new(file)), inode, FIRST)
    }

    fn enter(&mut self, file: Rc<RefCell<File>>, inode: u64, least: c_int) -> c_int {
        let fd = (least..)
            .find(|fd| !self.files.contains_key(fd))
            .expect("a free number");
        self.files.insert(fd, Entry { file, inode });
        fd
    }

    fn close(&mut self, fd: c_int) -> isize {
        match self.files.remove(&fd) {
            Some(_) => 0,
            None => -libc::EBADF as isize,
        }
    }

    fn fcntl(&mut self, fd: c_int, command: c_int, argument: c_int) -> isize {
        let Some(entry) = self.files.get(&fd) else {
            return -libc::EBADF as isize;
        };
        match command {
            libc::F_GETFL => libc::O_RDWR as isize,
            libc::F_SETFD => 0,
            libc::F_DUPFD | libc::F_DUPFD_CLOEXEC if argument as u64 >= self.limit => {
                -libc::EINVAL as isize
            }
            libc::F_DUPFD | libc::F_DUPFD_CLOEXEC => {
                let (file, inode) = (entry.file.clone(), entry.inode);
                self.enter(file, inode, argument.max(FIRST)) as isize
            }
            other => panic!("fcntl {other} is not simulated"),
        }
    }

    /// # Safety
    ///
    /// `to` must be valid.
    unsafe fn fstat(&self, fd: c_int, to: *mut libc::stat) -> isize {
        let Some(entry) = self.files.get(&fd) else {
            return -libc::EBADF as isize;
        };
        // SAFETY: a structure of plain numbers, for which zero bytes are a value.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        stat.st_ino = entry.inode;
        stat.st_mode = match &*entry.file.borrow() {
            File::Stream { .. } => libc::S_IFSOCK,
            File::Disk(_) => libc::S_IFREG,
            File::Eventfd(_) | File::Epoll(_) => 0,
        };
        // SAFETY: says the caller.
        unsafe { to.write(stat) };
        0
    }

    fn map(&mut self, size: usize) -> isize {
        let layout = Layout::from_size_align(size, 4096).expect("a size");
        // SAFETY: the size is not zero.
        let start = unsafe { alloc_zeroed(layout) }.expose_provenance();
        self.maps.insert(start, Map { layout, count: 1 });
        start as isize
    }

    fn unmap(&mut self, start: usize) -> isize {
        let Some(map) = self.maps.get_mut(&start) else {
            return -libc::EINVAL as isize;
        };
        map.count -= 1;
        if map.count == 0 {
            let layout = map.layout;
            self.maps.remove(&start);
            // SAFETY: made by `map`, and nobody has the pages any more.
            unsafe { dealloc(at(start), layout) };
        }
        0
    }

    /// The events of a descriptor that an epoll set would report.
    fn news(&self, fd: c_int, watch: &Watch) -> u32 {
        let always = (libc::EPOLLERR | libc::EPOLLHUP) as u32;
        let Some(entry) = self.files.get(&fd) else {
            return 0;
        };
        let wanted = watch.events & 0xffff;
        let there = entry.file.borrow().events(self) & (wanted | always);
        if wanted == 0 { 0 } else { there & !watch.told }
    }

    fn control(
        &mut self,
        set: c_int,
        op: c_int,
        fd: c_int,
        event: Option<libc::epoll_event>,
    ) -> isize {
        let (Some(set), Some(target)) = (self.files.get(&set), self.files.get(&fd)) else {
            return -libc::EBADF as isize;
        };
        if matches!(&*target.file.borrow(), File::Disk(_)) {
            return -libc::EPERM as isize;
        }
        let mut file = set.file.borrow_mut();
        let File::Epoll(watched) = &mut *file else {
            return -libc::EINVAL as isize;
        };
        let known = watched.contains_key(&fd);
        match op {
            libc::EPOLL_CTL_ADD if known => return -libc::EEXIST as isize,
            libc::EPOLL_CTL_MOD | libc::EPOLL_CTL_DEL if !known => return -libc::ENOENT as isize,
            libc::EPOLL_CTL_DEL => {
                watched.remove(&fd);
                return 0;
            }
            _ => {}
        }
        let event = event.expect("an event");
        let (events, data) = (event.events, event.u64);
        watched.insert(
            fd,
            Watch {
                events,
                data,
                told: 0,
            },
        );
        0
    }

    /// # Safety
    ///
    /// There must be room for so many events.
    unsafe fn wait(
        &mut self,
        set: c_int,
        to: *mut libc::epoll_event,
        most: usize,
        span: u64,
    ) -> isize {
        let found = {
            let Some(set) = self.files.get(&set) else {
                return -libc::EBADF as isize;
            };
            let File::Epoll(watched) = &*set.file.borrow() else {
                return -libc::EINVAL as isize;
            };
            let news = |(fd, watch): (&c_int, &Watch)| (*fd, self.news(*fd, watch), watch.data);
            let all = watched
                .iter()
                .map(news)
                .filter(|(_, events, _)| *events != 0);
            all.take(most).collect::<Vec<_>>()
        };
        if found.is_empty() {
            self.now += span;
        }
        if let File::Epoll(watched) = &mut *self.files[&set].file.borrow_mut() {
            for (fd, events, _) in &found {
                let watch = watched.get_mut(fd).expect("a member");
                if watch.events & libc::EPOLLONESHOT as u32 != 0 {
                    watch.events &= !0xffff;
                } else if watch.events & libc::EPOLLET as u32 != 0 {
                    watch.told |= events;
                }
            }
        }
        for (at, (_, events, u64)) in found.iter().enumerate() {
            let (events, u64) = (*events, *u64);
            // SAFETY: no more than there is room for.
            unsafe { to.add(at).write(libc::epoll_event { events, u64 }) };
        }
        found.len() as isize
    }

    /// # Safety
    ///
    /// There must be so many slots, and a time unless it is null.
    unsafe fn poll(
        &mut self,
        slots: *mut libc::pollfd,
        count: usize,
        time: *const libc::timespec,
    ) -> isize {
        let mut found = 0;
        for index in 0..count {
            // SAFETY: says the caller.
            let slot = unsafe { &mut *slots.add(index) };
            let events = self
                .files
                .get(&slot.fd)
                .map(|entry| entry.file.borrow().events(self));
            let always = libc::POLLERR | libc::POLLHUP;
            slot.revents = match events {
                None => libc::POLLNVAL,
                Some(events) => events as i16 & (slot.events | always),
            };
            found += isize::from(slot.revents != 0);
        }
        if found == 0 {
            assert!(!time.is_null(), "a wait that nothing ends");
            // SAFETY: says the caller.
            self.now += crate::sys::nanoseconds(&unsafe { time.read() });
        }
        found
    }

    /// # Safety
    ///
    /// The pieces must be memory.
    unsafe fn transfer(
        &mut self,
        fd: c_int,
        pieces: &[(usize, usize)],
        offset: Option<usize>,
        write: bool,
    ) -> isize {
        let room = self.room;
        let Some(entry) = self.files.get(&fd) else {
            return -libc::EBADF as isize;
        };
        let length = pieces.iter().map(|(_, length)| length).sum::<usize>();
        let bytes = pieces
            .iter()
            .flat_map(|(start, length)| *start..*start + *length);
        // SAFETY: within the pieces.
        let read = |address: usize| unsafe { at::<u8>(address).read() };
        // SAFETY: within the pieces.
        let put = |(address, byte): (usize, u8)| unsafe { at::<u8>(address).write(byte) };
        match (&mut *entry.file.borrow_mut(), write) {
            (File::Eventfd(count), true) => {
                *count += 1;
                8
            }
            (File::Eventfd(0), false) => -libc::EAGAIN as isize,
            (File::Eventfd(count), false) => {
                *count = 0;
                8
            }
            (File::Stream { .. }, _) if offset.is_some() => -libc::ESPIPE as isize,
            (File::Stream { goes, .. }, true) => {
                let mut goes = goes.borrow_mut();
                let left = room.saturating_sub(goes.len()).min(length);
                if left == 0 && length != 0 {
                    return -libc::EAGAIN as isize;
                }
                goes.extend(bytes.take(left).map(read));
                left as isize
            }
            (File::Stream { came, hung_up, .. }, false) => {
                let mut came = came.borrow_mut();
                let count = came.len().min(length);
                if count == 0 && length != 0 && !*hung_up.borrow() {
                    return -libc::EAGAIN as isize;
                }
                bytes.zip(came.drain(..count)).for_each(put);
                count as isize
            }
            (File::Disk(contents), true) => {
                let offset = offset.unwrap_or(0);
                contents.resize(contents.len().max(offset + length), 0);
                for (to, byte) in contents.iter_mut().skip(offset).zip(bytes.map(read)) {
                    *to = byte;
                }
                length as isize
            }
            (File::Disk(contents), false) => {
                let offset = offset.unwrap_or(0).min(contents.len());
                let count = (contents.len() - offset).min(length);
                bytes
                    .zip(contents[offset..].iter().copied().take(count))
                    .for_each(put);
                count as isize
            }
            (File::Epoll(_), _) => -libc::EINVAL as isize,
        }
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        for start in self.maps.keys().copied().collect::<Vec<_>>() {
            while self.unmap(start) == 0 {}
        }
    }
}
