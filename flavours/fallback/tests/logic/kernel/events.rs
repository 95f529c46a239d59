//! Which events the files of the simulated kernel have, and who is told of them.

use std::ffi::c_int;

use super::state::{File, Kernel, Watch};

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

    pub fn control(
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
    pub unsafe fn wait(
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
    pub unsafe fn poll(
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
}
