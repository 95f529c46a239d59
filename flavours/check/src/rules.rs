//! The rules: their names, and what to do where one is broken.

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal $on:literal $page:literal $advice:literal;)*) => {
        /// A rule that a program can break.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Rule {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Rule {
            pub const ALL: &[Rule] = &[$(Rule::$variant),*];

            /// As `LIBURING_CHECK=off=` has it.
            pub fn name(self) -> &'static str {
                match self { $(Rule::$variant => $name,)* }
            }

            /// Whether it is heeded without being asked for.
            pub fn is_on(self) -> bool {
                match self { $(Rule::$variant => $on,)* }
            }

            /// The manual's page about it; empty: the page of the request.
            pub fn page(self) -> &'static str {
                match self { $(Rule::$variant => $page,)* }
            }

            /// How to mend it.
            pub fn advice(self) -> &'static str {
                match self { $(Rule::$variant => $advice,)* }
            }

            pub fn bit(self) -> u64 {
                1 << self as u8
            }
        }
    };
}

rules! {
    /// An SQE names memory in a frame that has returned.
    Frame "frame" true ""
        "keep it where it outlives the call that submits: in the function that submits, or on the heap";
    /// A request is in flight on memory in a frame that has returned.
    FrameInFlight "frame-in-flight" true "io_uring(7)"
        "keep the memory until the request's CQE is there, or cancel the request and wait for its CQE before returning";
    /// Memory is given up while a request uses it.
    Free "free" true "io_uring(7)"
        "wait for the request's CQE first, or cancel it and wait for that";
    /// The last SQE of a submission asks for a successor.
    Chain "chain" true "io_uring_linked_requests(7)"
        "submit a chain as a whole: make room with io_uring_sq_space_left() before it begins, and end it without IOSQE_IO_LINK";
    /// The CQ's head has passed its tail.
    SeenTooMany "seen-too-many" true "io_uring_cqe_seen(3)"
        "call io_uring_cqe_seen() once for each CQE that a call returned, and not where it returned none; io_uring_cq_advance() by the number that was read";
    /// A CQE is used after it was marked as seen.
    SeenEarly "seen-early" true "io_uring_cqe_seen(3)"
        "read all that is needed of a CQE, and call io_uring_cqe_seen() or io_uring_cq_advance() then";
    /// The same CQE is waited for again and again.
    NotSeen "not-seen" true "io_uring_cqe_seen(3)"
        "call io_uring_cqe_seen() or io_uring_cq_advance() when a CQE has been read";
    /// Two copies of a ring submit to it.
    Fork "fork" true "io_uring_threads(7)"
        "set a ring up in each process, after the fork; io_uring_ring_dontfork() keeps a ring's memory from children";
    /// A ring with one issuer is used by another thread.
    Issuer "issuer" true "io_uring_threads(7)"
        "submit and wait in the thread that set the ring up (or enabled it), or leave IORING_SETUP_SINGLE_ISSUER out";
    /// Two threads submit to a ring at the same time.
    Threads "threads" true "io_uring_threads(7)"
        "take a lock around io_uring_get_sqe() to io_uring_submit(), or give each thread a ring of its own";
    /// A ring is used before it is enabled.
    Disabled "disabled" true "io_uring_enable_rings(3)"
        "call io_uring_enable_rings() before submitting";
    /// A multishot receive that no kernel takes.
    Multishot "multishot" true ""
        "provide buffers (io_uring_setup_buf_ring(3)), set IOSQE_BUFFER_SELECT and the group, and leave MSG_WAITALL out";
    /// A buffer's number is provided again before it was used.
    BufferTwice "buffer-twice" true "io_uring_provided_buffers(7)"
        "give a buffer back once, after the CQE that names it";
    /// More buffers are provided than the ring has room for.
    BufferOverrun "buffer-overrun" true "io_uring_provided_buffers(7)"
        "advance the tail by the number of buffers added, and hold no more than the ring has entries";
    /// A request names a group that has no buffers registered.
    BufferGroup "buffer-group" true "io_uring_provided_buffers(7)"
        "register the group first (io_uring_setup_buf_ring(3), io_uring_prep_provide_buffers(3)), and name it in sqe->buf_group";
    /// A buffer came back unused and was never given back.
    BufferLost "buffer-lost" true "io_uring_provided_buffers(7)"
        "give a buffer back also when the result is 0 or an error: its number is in the CQE's flags";
    /// SQEs were taken and never submitted.
    Unsubmitted "unsubmitted" true "io_uring_submit(3)"
        "call io_uring_submit() after the last SQE is filled in";
    /// Completions overflowed and were lost.
    Overflow "overflow" true "io_uring_limits(7)"
        "make the CQ larger (IORING_SETUP_CQSIZE), take completions before submitting more, or fetch the rest with io_uring_get_events()";
    /// A descriptor was closed before the kernel took the request.
    Closed "closed" true "io_uring_submit(3)"
        "close a descriptor only when the requests on it have been submitted (and with IORING_SETUP_SQPOLL, taken)";
    /// The thread that submitted a request ends before it completes.
    ThreadExit "thread-exit" true "io_uring_threads(7)"
        "wait for the completions before the thread ends: the kernel cancels what it has in flight";
    /// The user changed after a submission thread was made.
    User "user" true "io_uring_sqpoll(7)"
        "change the user first and set the ring up then: the kernel's submission thread keeps the former user's rights";
    /// Completions are looked for where none can come.
    Deferred "deferred" true "io_uring_setup_flags(7)"
        "wait for completions (io_uring_wait_cqe()), call io_uring_get_events(), or set the ring up with IORING_SETUP_TASKRUN_FLAG as well";
    /// A wait that nothing can end.
    Endless "endless" true "io_uring_wait_cqe(3)"
        "submit a request first; a multishot request that has ended (no IORING_CQE_F_MORE) must be armed again";
    /// A short transfer on a socket broke a chain.
    ShortLink "short-link" true "io_uring_linked_requests(7)"
        "set MSG_WAITALL on sends and receives in a chain";
    /// A multishot request is armed although it is armed already.
    ArmedTwice "armed-twice" true "io_uring_multishot(7)"
        "arm it again only after a CQE without IORING_CQE_F_MORE";
    /// An SQE was taken and not filled in.
    Unprepared "unprepared" true "io_uring_get_sqe(3)"
        "call a helper (io_uring_prep_...) on each SQE that io_uring_get_sqe() returns";
    /// A field of an SQE that the program filled in itself is that of its last use.
    Leftover "leftover" true "io_uring_sqe(3)"
        "set every field that the opcode takes: io_uring_get_sqe() does not clear opcode, descriptor, offset, address, length and user_data";
    /// `user_data` is that of the slot's last use.
    UserData "user-data" true "io_uring_sqe_set_data(3)"
        "call io_uring_sqe_set_data() or io_uring_sqe_set_data64() on each request: no helper sets user_data";
    /// An SQE was changed after it was submitted.
    Changed "changed" true "io_uring_get_sqe(3)"
        "leave an SQE alone once it is submitted, and take another one";
    /// Memory that a request in flight reads has changed.
    Reused "reused" true ""
        "leave the buffer alone until the request's CQE is there; of a zero-copy send, until the one with IORING_CQE_F_NOTIF";
    /// An SQE was used that there was none of.
    NoSqe "no-sqe" true "io_uring_get_sqe(3)"
        "look whether io_uring_get_sqe() returned NULL, and submit then before asking again";
    /// A request names memory that AddressSanitizer has poisoned.
    Poisoned "poisoned" true ""
        "give the request memory that is allocated, in scope, and as long as the request says";
    /// The kernel reads memory that was never written, as memcheck knows.
    Undefined "undefined" true ""
        "fill the memory in before the request is submitted";
    /// Memory that the kernel writes to is touched, as AddressSanitizer finds.
    InFlight "in-flight" true "io_uring(7)"
        "leave the memory alone until the request's CQE is there";
    /// A field is set that the opcode does not take.
    Ignored "ignored" true ""
        "leave fields that the opcode does not take at 0, as io_uring_get_sqe() does: kernels ignore them or refuse the request";
    /// A request that no kernel takes as it is, or that this one has refused, and it is known why.
    Refused "refused" true ""
        "set only fields and flags that the opcode takes, on a ring and a kernel that have what it needs";
    /// A ring that no kernel sets up.
    SetUp "set-up" true "io_uring_setup_flags(7)"
        "leave out flags that exclude each other, and set those that others need";
    /// A field that `io_uring_get_sqe()` does not clear is set, and the kernel ignores it.
    Unused "unused" false ""
        "leave fields that the opcode does not take at 0: later kernels may take them";
    /// Two requests in flight have the same `user_data`, which is legal.
    Duplicate "duplicate" false "io_uring_sqe_set_data(3)"
        "give each request a user_data of its own, to tell the completions apart";
    /// Two requests in flight write to the same memory.
    Overlap "overlap" false "io_uring(7)"
        "give each request in flight a buffer of its own";
}
