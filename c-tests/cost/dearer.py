"""Functions that may take more instructions than upstream's, how many more, and why."""

# Lengths of 2 GiB and more are capped to what a request can transfer: a constant, a comparison, a conditional move.
# Upstream's keep the lower 32 bits of them. Constant lengths take none.
MORE = {f"io_uring_prep_{name}": 3 for name in
        ("send", "send_bundle", "sendto", "send_zc", "send_zc_fixed", "recv", "recv_multishot")}

# A registered index means another ring in another thread: the call asks the kernel which thread this is, and refuses in
# the wrong one. Upstream's takes the index from the innocent ring.
MORE["io_uring_unregister_ring_fd"] = 6


def most(name, upstream):
    """The limit for a function whose counterpart takes `upstream` instructions."""
    return upstream + MORE.get(name, 0)
