//! Times an operation through the `io-uring` crate, with the loops of `../speed.c`.
//!
//! usage: bench-crate nop|read SECONDS [NAME=VALUE...]

use std::time::{Duration, Instant};

use io_uring::{IoUring, opcode, squeue, types};

const BLOCK: usize = 4096;

struct Options(Vec<String>);

impl Options {
    fn text(&self, name: &str) -> Option<&str> {
        let given = self
            .0
            .iter()
            .find_map(|each| each.split_once('=').filter(|(key, _)| *key == name));
        given.map(|(_, value)| value)
    }

    fn number(&self, name: &str, otherwise: u32) -> u32 {
        self.text(name)
            .map_or(otherwise, |value| value.parse().expect("a number"))
    }
}

/// The cost of an operation, slice by slice; the median is the result, as in `../workload.h`.
struct Slices {
    costs: Vec<f64>,
    start: Instant,
    end: Instant,
}

impl Slices {
    fn new(time: Duration) -> Self {
        let start = Instant::now();
        Slices {
            costs: Vec::with_capacity(1 << 18),
            start,
            end: start + time,
        }
    }

    /// Ends a slice of that many operations. Returns false when the time is up.
    fn next(&mut self, operations: u64) -> bool {
        let now = Instant::now();
        let slice = now - self.start;
        self.costs.push(slice.as_nanos() as f64 / operations as f64);
        self.start = now;
        now < self.end
    }

    /// The median, in nanoseconds.
    fn median(mut self) -> f64 {
        self.costs.sort_by(f64::total_cmp);
        self.costs[self.costs.len() / 2]
    }
}

fn nop(options: &Options, time: Duration) -> std::io::Result<f64> {
    let batch = options.number("batch", 1);
    let mut ring = IoUring::new(options.number("entries", batch))?;
    // As many batches as in `slice_turns` of `../workload.h`.
    let turns = (64 / batch).max(1);
    let mut slices = Slices::new(time);
    loop {
        for _ in 0..turns {
            let mut queue = ring.submission();
            for _ in 0..batch {
                // SAFETY: a nop names no memory.
                unsafe { queue.push(&opcode::Nop::new().build()) }.expect("room for a batch");
            }
            drop(queue);
            ring.submit()?;
            let mut seen = 0;
            for cqe in ring.completion() {
                assert!(cqe.result() >= 0);
                seen += 1;
            }
            assert_eq!(seen, batch);
        }
        if !slices.next(u64::from(turns * batch)) {
            return Ok(slices.median());
        }
    }
}

fn open(path: &str, direct: bool) -> std::io::Result<(i32, u32)> {
    use std::os::fd::IntoRawFd;
    use std::os::unix::fs::OpenOptionsExt;

    let flags = if direct { libc::O_DIRECT } else { 0 };
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let blocks = file.metadata()?.len() / BLOCK as u64;
    Ok((file.into_raw_fd(), blocks as u32))
}

/// `depth` blocks on a page boundary, for the life of the process.
fn buffers(depth: usize) -> *mut u8 {
    let mut start = std::ptr::null_mut();
    // SAFETY: the pointer is a local variable; the memory is written within its size.
    unsafe {
        assert_eq!(libc::posix_memalign(&mut start, BLOCK, depth * BLOCK), 0);
        start.cast::<u8>().write_bytes(0, depth * BLOCK);
    }
    start.cast()
}

fn read(options: &Options, time: Duration) -> std::io::Result<f64> {
    let (depth, fixed) = (options.number("depth", 1), options.number("fixed", 0) != 0);
    let path = options.text("file").expect("file=PATH");
    let (fd, blocks) = open(path, options.number("direct", 0) != 0)?;
    let memory = buffers(depth as usize);
    let mut ring = IoUring::new(depth)?;
    if fixed {
        let whole = libc::iovec {
            iov_base: memory.cast(),
            iov_len: depth as usize * BLOCK,
        };
        // SAFETY: the memory stays for the life of the process.
        unsafe { ring.submitter().register_buffers(&[whole]) }?;
        ring.submitter().register_files(&[fd])?;
    }
    let mut spare: Vec<u32> = (0..depth).collect();
    let (mut state, mut done, mut in_flight, mut more) = (2463534242u32, 0u64, 0u32, true);
    let mut slices = Slices::new(time);
    while more || in_flight > 0 {
        let mut queue = ring.submission();
        while let Some(slot) = if more { spare.pop() } else { None } {
            // xorshift: the same blocks in each run.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let offset = u64::from(state % blocks) * BLOCK as u64;
            // SAFETY: `slot` is below `depth`.
            let buffer = unsafe { memory.add(slot as usize * BLOCK) };
            let entry: squeue::Entry = if fixed {
                opcode::ReadFixed::new(types::Fixed(0), buffer, BLOCK as u32, 0)
                    .offset(offset)
                    .build()
            } else {
                opcode::Read::new(types::Fd(fd), buffer, BLOCK as u32)
                    .offset(offset)
                    .build()
            };
            // SAFETY: the buffer is this read's alone until it completes.
            unsafe { queue.push(&entry.user_data(u64::from(slot))) }
                .expect("room for all in flight");
            in_flight += 1;
        }
        drop(queue);
        ring.submit_and_wait(1)?;
        let mut seen = 0;
        for cqe in ring.completion() {
            assert_eq!(cqe.result(), BLOCK as i32);
            spare.push(cqe.user_data() as u32);
            seen += 1;
        }
        in_flight -= seen;
        done += u64::from(seen);
        if more && done >= 8 {
            more = slices.next(done);
            done = 0;
        }
    }
    Ok(slices.median())
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [workload, seconds, rest @ ..] = &arguments[..] else {
        eprintln!("usage: bench-crate nop|read SECONDS [NAME=VALUE...]");
        std::process::exit(2);
    };
    let time = Duration::from_secs_f64(seconds.parse().expect("seconds"));
    let options = Options(rest.to_vec());
    let result = match workload.as_str() {
        "nop" => nop(&options, time)?,
        "read" => read(&options, time)?,
        other => panic!("no workload {other}"),
    };
    println!("{result:.2}");
    Ok(())
}
