//! What the simulated kernel keeps: descriptors and their files, mappings, and the time.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::c_int;
use std::ptr;
use std::rc::Rc;

/// The first number of a descriptor.
const FIRST: c_int = 3;
/// When the monotonic clock starts.
const START: u64 = 5_000_000_000;

/// An open file.
pub enum File {
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

pub type Bytes = Rc<RefCell<VecDeque<u8>>>;

/// What an epoll set knows of a descriptor.
pub struct Watch {
    pub events: u32,
    pub data: u64,
    /// An event that was reported already, and is reported once.
    pub told: u32,
}

pub struct Entry {
    pub file: Rc<RefCell<File>>,
    pub inode: u64,
}

pub struct Map {
    layout: Layout,
    count: usize,
}

pub struct Kernel {
    pub now: u64,
    pub thread: c_int,
    pub files: BTreeMap<c_int, Entry>,
    pub inodes: u64,
    pub maps: BTreeMap<usize, Map>,
    pub unmapped: Vec<usize>,
    /// The words that were woken.
    pub woken: Vec<usize>,
    /// The most that one stream takes before a sender waits.
    pub room: usize,
    pub limit: u64,
    /// Whether it says if two descriptors are of one open file.
    pub compares: bool,
}

thread_local! {
    static KERNEL: RefCell<Kernel> = const { RefCell::new(Kernel::new()) };
}

pub fn with<T>(then: impl FnOnce(&mut Kernel) -> T) -> T {
    KERNEL.with(|kernel| then(&mut kernel.borrow_mut()))
}

/// An address as a pointer.
pub fn at<T>(address: usize) -> *mut T {
    ptr::with_exposed_provenance_mut(address)
}

impl Kernel {
    pub const fn new() -> Kernel {
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
            compares: true,
        }
    }

    pub fn open(&mut self, file: File) -> c_int {
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

    pub fn close(&mut self, fd: c_int) -> isize {
        match self.files.remove(&fd) {
            Some(_) => 0,
            None => -libc::EBADF as isize,
        }
    }

    pub fn fcntl(&mut self, fd: c_int, command: c_int, argument: c_int) -> isize {
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

    /// What `kcmp` says of two descriptors.
    pub fn compare(&self, one: c_int, other: c_int) -> isize {
        if !self.compares {
            return -libc::EPERM as isize;
        }
        match (self.files.get(&one), self.files.get(&other)) {
            (Some(one), Some(other)) => isize::from(!Rc::ptr_eq(&one.file, &other.file)),
            _ => -libc::EBADF as isize,
        }
    }

    /// # Safety
    ///
    /// `to` must be valid.
    pub unsafe fn fstat(&self, fd: c_int, to: *mut libc::stat) -> isize {
        let Some(entry) = self.files.get(&fd) else {
            return -libc::EBADF as isize;
        };
        // SAFETY: a structure of plain numbers, for which zero bytes are a value.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        // Files without a name have one inode.
        (stat.st_mode, stat.st_ino) = match &*entry.file.borrow() {
            File::Stream { .. } => (libc::S_IFSOCK, entry.inode),
            File::Disk(_) => (libc::S_IFREG, entry.inode),
            File::Eventfd(_) | File::Epoll(_) => (0, 0),
        };
        // SAFETY: says the caller.
        unsafe { to.write(stat) };
        0
    }

    pub fn map(&mut self, size: usize) -> isize {
        let layout = Layout::from_size_align(size, 4096).expect("a size");
        // SAFETY: the size is not zero.
        let start = unsafe { alloc_zeroed(layout) }.expose_provenance();
        self.maps.insert(start, Map { layout, count: 1 });
        start as isize
    }

    /// One more mapping of the same pages: the same addresses, which have to be given back once more.
    pub fn map_again(&mut self, start: usize, size: usize) -> isize {
        match self.maps.get_mut(&start) {
            Some(map) if size == 0 => {
                map.count += 1;
                start as isize
            }
            _ => -libc::EFAULT as isize,
        }
    }

    pub fn unmap(&mut self, start: usize) -> isize {
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
}

impl Drop for Kernel {
    fn drop(&mut self) {
        for start in self.maps.keys().copied().collect::<Vec<_>>() {
            while self.unmap(start) == 0 {}
        }
    }
}
