//! The command line. Manual pages and completions are made from these definitions.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Says why io_uring is refused, what a kernel offers, how much a ring takes and what requests do.
#[derive(Parser)]
#[command(name = "uring", version, max_term_width = 100, after_help = EXIT)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

pub const EXIT: &str = "Exit status: 0 nothing is wrong, 1 something is, 2 usage, 3 rights are missing, \
    77 there is no io_uring here.";

const DOCTOR: &str = "Examples:
  uring doctor                    what is wrong here
  uring doctor --pid 1234         with this process
  uring doctor -- postgres -D DIR with this program";
const PROBE: &str = "Examples:
  uring probe --since                               all names, and the kernel that brought each
  uring probe -q --need OP_SEND_ZC,SETUP_DEFER_TASKRUN   for scripts: 0 if both are there";
const TRACE: &str = "Examples:
  uring trace -- qemu-img convert -n -m 16 a.img b.img   each request of a program
  uring trace --summary -p 1234                          counts and latencies, until interrupted
  uring trace --failed                                   what fails on the whole machine
  uring trace --summary --svg latency.svg -- CMD         a picture";
const RUN: &str = "Examples:
  uring run --disable mariadbd    the off switch for one program
  uring run --check ./server      misuse is reported";

/// After what a command has of its own, in its help.
const LAST: usize = 100;

#[derive(Args)]
pub struct Common {
    /// Print one JSON object instead of text
    #[arg(long, global = true, display_order = LAST)]
    pub json: bool,
    /// Print nothing: the exit status is the answer
    #[arg(short, long, global = true, display_order = LAST)]
    pub quiet: bool,
    /// Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", display_order = LAST)]
    pub color: Color,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
pub enum Command {
    Doctor(Doctor),
    Probe(Probe),
    Limits(Limits),
    Stat(Stat),
    Top(Top),
    Trace(Trace),
    Decode(Decode),
    Errno(Errno),
    Bench(Bench),
    Run(Run),
}

/// Find out why io_uring is refused or limited here, and what to do about it
///
/// Makes the three system calls in a child process, for a filter may kill whoever makes them, and reads what the
/// system says of filters, sysctls, security modules, limits and containers. Each finding names its evidence and the
/// cure for the container runtime or service manager at hand.
#[derive(Args)]
#[command(after_help = DOCTOR)]
pub struct Doctor {
    /// Look at this process instead: its filter, limits, rings and threads
    #[arg(long, value_name = "PID", conflicts_with = "command")]
    pub pid: Option<i32>,
    /// Also print what was looked at and found in order
    #[arg(short, long)]
    pub verbose: bool,
    /// Run this program and watch which of its io_uring calls are refused
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// List what the kernel offers: flags, features, opcodes, register operations
///
/// Asks the kernel twice: by IORING_REGISTER_QUERY, where it has that (Linux 6.18), and by trying each name out in a
/// combination that is allowed. The two columns must agree.
#[derive(Args)]
#[command(after_help = PROBE)]
pub struct Probe {
    /// Print nothing but those of these names that are missing: OP_SEND_ZC,SETUP_DEFER_TASKRUN
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with_all = ["since", "header"])]
    pub need: Vec<String>,
    /// Also print the kernel that brought each name, and what it does
    #[arg(long)]
    pub since: bool,
    /// Print a C header with HAVE_IORING_* for this kernel
    #[arg(long, conflicts_with = "json")]
    pub header: bool,
}

/// Tell what a ring takes and whether it would be had
#[derive(Args)]
pub struct Limits {
    /// SQEs of the ring
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub entries: u32,
    /// CQEs of the ring [default: twice as many as SQEs]
    #[arg(long, value_name = "N")]
    pub cq: Option<u32>,
    /// Bytes of buffers to register
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub buffers: u64,
}

/// Show every ring of the machine: what is pending, unseen, overflowing, and who holds it
///
/// Reads /proc. Rings without a descriptor (IORING_SETUP_REGISTERED_FD_ONLY) are not seen. The exit status is 1 when a
/// ring overflows or nobody reaps it.
#[derive(Args)]
pub struct Stat {
    /// Only those of these processes
    #[arg(value_name = "PID")]
    pub pids: Vec<i32>,
}

/// Show the rings by what they do, again and again
#[derive(Args)]
pub struct Top {
    /// Only those of these processes
    #[arg(value_name = "PID")]
    pub pids: Vec<i32>,
    /// Seconds between two looks
    #[arg(short, long, value_name = "SECONDS", default_value_t = 1.0)]
    pub interval: f64,
}

/// Show what requests do, as strace shows system calls
///
/// Listens to the kernel's trace events of io_uring in a tracefs instance of its own, which is removed again. A request
/// is a line when it completes: opcode, flags, result, the time since its submission, and whether a worker took it.
/// Without CMD and PID, all rings of the machine. Lines go to the standard error when a program is run. The exit
/// status is the program's. Takes root.
#[derive(Args)]
#[command(after_help = TRACE)]
pub struct Trace {
    /// Follow these processes
    #[arg(short, long, value_name = "PID", conflicts_with = "command")]
    pub pid: Vec<i32>,
    /// Print counts and percentiles by opcode instead of lines
    #[arg(short, long)]
    pub summary: bool,
    /// The same, and how the latencies are spread
    #[arg(short, long)]
    pub latency: bool,
    /// Print failures only
    #[arg(short, long)]
    pub failed: bool,
    /// Print every event: submissions, waits, wake-ups, deferred work
    #[arg(short, long, conflicts_with_all = ["summary", "latency"])]
    pub all: bool,
    /// Only requests with these opcodes: read,write
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub op: Vec<String>,
    /// Write lines, summary or JSON to this file, apart from what the program prints
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write a time line that ui.perfetto.dev and chrome://tracing read
    #[arg(long, value_name = "FILE")]
    pub perfetto: Option<PathBuf>,
    /// Write a picture of the latencies by opcode
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// KiB of trace buffer for each CPU [default: 32768, and 256 MiB for all together]
    #[arg(long, value_name = "KIB")]
    pub buffer: Option<usize>,
    /// Where events come from
    #[arg(long, value_name = "SOURCE", default_value = "auto", hide = true)]
    pub source: Source,
    /// Run this program
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    Auto,
    Tracefs,
    Perf,
}

/// Put names to numbers: bytes of an SQE, words of flags, lines of strace
///
/// Without arguments, lines from the standard input pass through, with names for the numbers that strace had none for:
/// strace -f CMD 2>&1 | uring decode
#[derive(Args)]
pub struct Decode {
    /// 64 or 128 bytes in hexadecimal digits; or a group (setup, features, enter, sqe, cqe, sq, op, register) and a
    /// number; or a line of strace
    #[arg(value_name = "WHAT", allow_hyphen_values = true)]
    pub what: Vec<String>,
}

/// Explain an error number: its causes, from the manual
#[derive(Args)]
pub struct Errno {
    /// A number or a name: -125, 125, ECANCELED
    #[arg(value_name = "N", allow_hyphen_values = true)]
    pub number: String,
    /// From this opcode or function: accept, io_uring_queue_init
    #[arg(value_name = "OP")]
    pub op: Option<String>,
}

/// Measure requests here, with their spread
#[derive(Args)]
pub struct Bench {
    /// What to measure [default: all]
    #[arg(value_name = "WHAT")]
    pub what: Vec<BenchKind>,
    /// Measure plain system calls beside
    #[arg(long)]
    pub compare: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum BenchKind {
    Nop,
    Read,
    Net,
    Setup,
}

/// Run a program with another flavour of the library, or without io_uring
#[derive(Args)]
#[command(after_help = RUN)]
#[command(group = clap::ArgGroup::new("how").required(true).args(["check", "fallback", "disable"]))]
pub struct Run {
    /// Preload the flavour that finds misuse
    #[arg(long)]
    pub check: bool,
    /// Preload the flavour that does without io_uring where it is refused
    #[arg(long)]
    pub fallback: bool,
    /// Make set-up give ENOSYS, as on a kernel without io_uring; reaches static programs too
    #[arg(long)]
    pub disable: bool,
    /// The flavour's file, where it is not installed
    #[arg(long, value_name = "FILE", conflicts_with = "disable")]
    pub library: Option<PathBuf>,
    /// The program
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    pub command: Vec<OsString>,
}
