#!/usr/bin/env python3
"""Print the table of all functions that the fuzzer calls: C source, made of the header that bindings read.

usage: table.py FFI_HEADER OWN_HEADER MAP...

A function that a map exports and the header lacks, or an argument whose type says nothing here, is an error: no
function is left out by oversight.
"""
import re
import sys

# What an argument is drawn from, by its type; None: by its name.
TYPES = {
    "struct io_uring *": "RING",
    "const struct io_uring *": "RING",
    "struct io_uring_sqe *": "SQE",
    "struct io_uring_cqe *": "CQE",
    "const struct io_uring_cqe *": "CQE",
    "struct io_uring_cqe **": "CQE_OUT",
    "struct io_uring_cqe_iter *": "ITER",
    "struct io_uring_params *": "PARAMS",
    "struct io_uring_probe *": "PROBE",
    "const struct io_uring_probe *": "PROBE",
    "struct io_uring_buf_ring *": "BUF_RING",
    "struct __kernel_timespec *": "TIME",
    "const struct __kernel_timespec *": "TIME",
    "sigset_t *": "SIGSET",
    "const struct iovec *": "IOVECS",
    "const int *": "FILES",
    "int *": "INTS",
    "unsigned int *": "COUNTS",
    "const __u64 *": "TAGS",
    "struct msghdr *": "MSG",
    "const struct msghdr *": "MSG",
    "const char *": "PATH",
    "struct io_uring_buf_reg *": "BUF_REG",
    "struct io_uring_restriction *": "RESTRICTIONS",
    "struct io_uring_sync_cancel_reg *": "SYNC_CANCEL",
    "struct io_uring_recvmsg_out *": "MESSAGE",
    "struct cmsghdr *": "CMSG",
    # Structures that only the kernel looks into, and plain memory.
    "struct io_uring_reg_wait *": "DATA",
    "struct io_uring_mem_region_reg *": "REGION",
    "struct io_uring_napi *": "DATA",
    "struct io_uring_clock_register *": "DATA",
    "struct io_uring_zcrx_ifq_reg *": "DATA",
    "struct zcrx_ctrl *": "DATA",
    "struct io_uring_bpf *": "DATA",
    "struct io_uring_query_hdr *": "DATA",
    "const cpu_set_t *": "DATA",
    "void *": "DATA",
    "const void *": "DATA",
    "char *": "DATA",
    "const uint32_t *": "DATA",
    "socklen_t *": "DATA",
    "siginfo_t *": "DATA",
    "uint16_t *": "DATA",
    "struct sockaddr *": "DATA",
    "const struct sockaddr *": "DATA",
    "struct statx *": "DATA",
    "struct epoll_event *": "DATA",
    "const struct epoll_event *": "DATA",
    "const struct open_how *": "DATA",
    "const struct futex_waitv *": "DATA",
    "bool": "BOOL",
}
NUMBERS = {
    "int", "unsigned int", "__u16", "__u32", "__u64", "uint16_t", "uint32_t", "uint64_t", "int64_t", "size_t", "off_t",
    "loff_t", "mode_t", "id_t", "idtype_t", "socklen_t",
}
# Numbers whose name says what they are; all others are drawn from everywhere.
NAMES = {
    "fd": "FD", "sockfd": "FD", "dfd": "FD", "epfd": "FD", "fd_in": "FD", "fd_out": "FD", "olddfd": "FD",
    "newdfd": "FD", "newdirfd": "FD", "source_fd": "FD", "target_fd": "FD",
    "entries": "ENTRIES", "sq_entries": "ENTRIES", "cq_entries": "ENTRIES", "nentries": "ENTRIES",
    "ring_entries": "ENTRIES",
    "setup_flags": "SETUP_FLAGS", "sqe_flags": "SQE_FLAGS",
    "wait_nr": "WAIT_NR", "min_complete": "WAIT_NR", "to_submit": "WAIT_NR", "submit": "WAIT_NR",
    "len": "LENGTH", "nbytes": "LENGTH", "length": "LENGTH", "buf_len": "LENGTH", "buf_size": "MEM_SIZE",
    "user_data": "USER_DATA", "old_user_data": "USER_DATA", "new_user_data": "USER_DATA", "data": "USER_DATA",
    "op": "SQE_OP", "opcode": "REGISTER_OP", "bgid": "SMALL", "buf_group": "SMALL", "bid": "SMALL", "nr": "SMALL",
    "nr_args": "SMALL", "nr_files": "SMALL", "nr_iovecs": "SMALL", "nr_vecs": "SMALL", "nr_res": "SMALL",
    "nr_fds": "SMALL", "off": "SMALL", "dst_off": "SMALL", "src_off": "SMALL", "reg_index": "SMALL",
    "file_index": "SMALL", "buf_index": "SMALL", "offset": "OFFSET", "poll_mask": "POLL_MASK", "id": "SMALL",
    "count": "SMALL", "cq_count": "SMALL", "buf_count": "SMALL", "mask": "MASK",
}
# Arguments that are something else than their type and name say, by function.
SPECIAL = {
    ("io_uring_queue_init", "flags"): "SETUP_FLAGS",
    ("io_uring_memory_size", "flags"): "SETUP_FLAGS",
    ("io_uring_mlock_size", "flags"): "SETUP_FLAGS",
    ("io_uring_memory_size", "ring_flags"): "SETUP_FLAGS",
    ("io_uring_queue_init_mem", "buf"): "MEM",
    ("io_uring_sqe_set_flags", "flags"): "SQE_FLAGS",
    ("io_uring_sqe_set_data", "data"): "USER_DATA",
    ("io_uring_prep_cancel", "user_data"): "USER_DATA",
    ("io_uring_enter", "fd"): "RING_FD",
    ("io_uring_enter2", "fd"): "RING_FD",
    ("io_uring_register", "fd"): "RING_FD",
    ("io_uring_enter", "flags"): "ENTER_FLAGS",
    ("io_uring_enter2", "flags"): "ENTER_FLAGS",
    ("io_uring_enter2", "arg"): "ENTER_ARG",
    ("io_uring_enter2", "sz"): "ENTER_SIZE",
    ("io_uring_setup_buf_ring", "flags"): "BUF_RING_FLAGS",
    ("io_uring_register_buf_ring", "flags"): "BUF_RING_FLAGS",
    ("io_uring_setup_buf_ring", "err"): "ERR",
    ("io_uring_buf_ring_head", "head"): "HEAD",
    ("__io_uring_peek_cqe", "nr_available"): "COUNTS",
    ("io_uring_submit_and_wait_min_timeout", "min_wait"): "MIN_WAIT",
    ("io_uring_wait_cqes_min_timeout", "min_wait_usec"): "MIN_WAIT",
}
BLOCKS = re.compile(r"wait|submit|enter|get_cqe|get_events|sync_cancel|resize|^io_uring_register$|unregister|_exit")


def prototypes(path):
    """Return (result type, name, [(type, name) of each parameter]) of each function that a header declares."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    for m in re.finditer(r"^([a-zA-Z_][\w \*]*?)\b(_*(?:io_uring|own)_\w+)\(([^;{]*?)\)(?: \w+)?;", text, re.M | re.S):
        params = re.sub(r"\s+", " ", m.group(3))
        params = [] if params == "void" else params.split(", ")
        yield m.group(1).strip(), m.group(2), [re.match(r"(.*?)(\w+)$", p).groups() for p in params]


def exported(path):
    with open(path, encoding="utf-8") as file:
        return re.findall(r"^\s*(\w+);", re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S), re.M)


def kind(function, ctype, name):
    ctype = ctype.strip()
    if (function, name) in SPECIAL:
        return SPECIAL[function, name]
    if ctype in NUMBERS:
        return NAMES.get(name, "NUMBER")
    if ctype in TYPES:
        return TYPES[ctype]
    sys.exit(f"{function}(): the fuzzer has nothing for {name} of type {ctype}")


def result_kind(name, ctype):
    if ctype == "void":
        return "NOTHING"
    if ctype == "struct io_uring_cqe_iter":
        return "ITER"
    if ctype.endswith("*"):
        special = {"io_uring_get_sqe": "SQE", "io_uring_get_sqe128": "SQE", "io_uring_setup_buf_ring": "BUF_RING",
                   "io_uring_get_probe": "PROBE", "io_uring_get_probe_ring": "PROBE"}
        return special.get(name, "ADDRESS")
    return "NUMBER"


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    functions, own = list(prototypes(sys.argv[1])), list(prototypes(sys.argv[2]))
    functions += [f for f in own if not f[1].startswith("own_")]
    own = [f for f in own if f[1].startswith("own_")]
    names = {name for _, name, _ in functions}
    wanted = {name for path in sys.argv[3:] for name in exported(path)}
    if not wanted or wanted - names:
        sys.exit(f"the maps export what {sys.argv[1]} does not declare: {', '.join(sorted(wanted - names))}")
    functions = [f for f in functions if f[1] in wanted]
    for result, name, params in functions + own:
        args = ", ".join(f"({t.strip()}) {'(uintptr_t) ' if t.strip().endswith('*') else ''}a[{i}]"
                         for i, (t, _) in enumerate(params))
        call = f"((__typeof__(&{name})) fn)({args})"
        kept = result_kind(name, result)
        body = {"NOTHING": f"{call};\n    return 0;", "ITER": f"w->iter = {call};\n    return 0;",
                "NUMBER": f"return (uint64_t) {call};"}.get(kept, f"return (uint64_t) (uintptr_t) {call};")
        print(f"static uint64_t call_{name}(any_fn fn, const uint64_t *a)\n{{\n    (void) a;\n    {body}\n}}\n")
    print("const struct function functions[] = {")
    for result, name, params in functions + own:
        flags = []
        if BLOCKS.search(name):
            flags.append("BLOCKS")
        if re.match(r"io_uring_(prep|sqe_set|init)", name):
            flags.append("FILLS")
        kinds = ", ".join("K_" + kind(name, *p) for p in params) or "0"
        pointers = sum(1 << i for i, (t, _) in enumerate(params) if t.strip().endswith("*"))
        sizes = ", ".join(f"sizeof({t.strip()})" for t, _ in params) or "0"
        print(f'    {{"{name}", K_{result_kind(name, result)}, {len(params)}, {{{kinds}}}, {pointers}, {{{sizes}}}, '
              f'{" | ".join(flags) or 0}, '
              f'{"(any_fn) " + name if name.startswith("own_") else "NULL"}, call_{name}}},')
    print("};\nconst unsigned nr_functions = sizeof(functions) / sizeof(functions[0]);")


if __name__ == "__main__":
    main()
