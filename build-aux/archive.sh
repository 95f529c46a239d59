#!/usr/bin/env bash
# Make a static library of several members from the one object that holds a library. A program then contains only what
# it uses, with or without --gc-sections.
#
# usage: archive.sh ARCHIVE OBJECT
# environment: CC AR NM OBJCOPY; ONE_MEMBER=1 takes the object as it is
#
# A member holds the functions of one group and a copy of all the code that they need, under local names. Internal code
# that two groups use is there twice. So no member needs another one, and only the interface's names are visible.
set -euo pipefail
export LC_ALL=C

archive=$1 object=$2
: "${CC:=gcc}" "${AR:=ar}" "${NM:=nm}" "${OBJCOPY:=objcopy}"
if [ "${ONE_MEMBER:-}" = 1 ]; then
    rm -f "$archive"
    exec "$AR" rcsD "$archive" "$object"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The first pattern that matches a function sets its group.
group() { # function
    case $1 in
    *version*) echo version ;;
    io_uring_enter | io_uring_enter2 | io_uring_setup | io_uring_register) echo call ;;
    *_prep_* | *_sqe_set_* | *recvmsg* | *_buf_ring_add | *_buf_ring_advance | *_buf_ring_mask | *_buf_ring_init | \
        *_buf_ring_cq_advance | *_buf_ring_available | *_initialize_sqe | *_futex_*) echo request ;;
    *register* | *buf_ring* | *resize_rings | *clone_buffers* | *_iowait | *_ring_fd | *_enable_rings) echo register ;;
    *queue* | *mmap* | *unmap* | *ring_pointers | *probe* | *opcode_supported | *_size | *_size_params | *dontfork) echo setup ;;
    *) echo queue ;;
    esac
}

"$NM" -g --defined-only "$object" | awk '{ print $3 }' | sort >"$work/all"
while read -r name; do
    echo "$name" >>"$work/$(group "$name").names"
done <"$work/all"

members=()
for names in "$work"/*.names; do
    member=${names%.names}.o
    mapfile -t roots < <(sed 's/^/-Wl,-u,/' "$names")
    # shellcheck disable=SC2086 # CC may hold options
    $CC -r -nostdlib -fuse-ld=bfd -Wl,--gc-sections "${roots[@]}" -o "$work/linked.o" "$object"
    "$OBJCOPY" --keep-global-symbols="$names" --strip-unneeded-symbol=malloc --strip-unneeded-symbol=free \
        --strip-unneeded-symbol=__libc_malloc_impl \
        "$work/linked.o" "$member"
    members+=("$member")
done

rm -f "$archive"
"$AR" rcsD "$archive" "${members[@]}"
