#!/usr/bin/env bash
# qemu-io writes patterns through io_uring and reads them back; qemu-img converts images through io_uring both ways.
# Data written in one AIO mode is read in another. So a fault in writing cannot hide behind the same fault in reading.
. "$(dirname "$0")/lib.sh"

need qemu-img qemu-utils
need_common
links_liburing "$(command -v qemu-io)"

mib=$((1024 * 1024))

# image FILE FORMAT O_DIRECT: the image as options, since qemu-img convert takes an AIO mode in no other way.
image() { echo "driver=$2,cache.direct=$3,file.driver=file,file.filename=$1,file.aio=io_uring,file.cache.direct=$3"; }

# qemu_io SIDE AIO CACHE FORMAT IMAGE COMMAND...: also fails on error messages that the status may not show.
qemu_io() {
    local side=$1 aio=$2 cache=$3 format=$4 image=$5 log=$work/qemu-io.log args=() command
    shift 5
    for command in "$@"; do args+=(-c "$command"); done
    "${runner[@]}" qemu-io -i "$aio" -t "$cache" -f "$format" "${args[@]}" "$image" >"$log" 2>&1 ||
        fail "$side: qemu-io ($aio, $cache): $(tail -n 3 "$log")"
    if grep -Eiq 'failed|error|pattern' "$log"; then
        fail "$side: qemu-io ($aio, $cache): $(grep -Ei 'failed|error|pattern' "$log" | head -n 3)"
    fi
}

patterns() {
    local side=$1 cache=$2 format=$3 i writes=() reads=()
    local image=$work/$side.$cache.$format
    qemu-img create -q -f "$format" "$image" 64M
    for i in $(seq 0 23); do
        writes+=("aio_write -P $((i + 1)) $((i * 2 * mib)) 1M")
        [ "$i" -eq 2 ] || reads+=("aio_read -P $((i + 1)) $((i * 2 * mib)) 1M")
    done
    # Vectored, zeroes at the start of pattern 2, not aligned to a cluster. Unwritten parts read as zero.
    writes+=("aio_flush" "writev -P 200 $((60 * mib)) 4k 64k 512k" "write -z $((4 * mib)) 64k"
        "write -P 201 $((62 * mib + 4096)) 8k" "flush")
    reads+=("aio_read -P 0 $((4 * mib)) 64k" "aio_read -P 3 $((4 * mib + 65536)) 960k" "aio_flush"
        "readv -P 200 $((60 * mib)) 512k 64k 4k" "read -P 201 $((62 * mib + 4096)) 8k"
        "read -P 0 $((62 * mib)) 4k" "read -P 0 $mib 1M")

    runner=(traced "$side")
    qemu_io "$side" io_uring "$cache" "$format" "$image" "${writes[@]}"
    qemu_io "$side" io_uring "$cache" "$format" "$image" "${reads[@]}"
    runner=(env)
    qemu_io "$side" threads writeback "$format" "$image" "${reads[@]}"
    if (qemu_io "$side" threads writeback "$format" "$image" "read -P 9 0 4k") 2>/dev/null; then
        fail "$side: a wrong pattern was not noticed, so these reads prove nothing"
    fi
}

convert() {
    local side=$1 direct=$2
    local source=$work/source.raw middle=$work/$side.$direct.qcow2 back=$work/$side.$direct.raw
    qemu-img create -q -f qcow2 "$middle" "$(stat -c %s "$source")"
    qemu-img create -q -f raw "$back" "$(stat -c %s "$source")"
    traced "$side" qemu-img convert -n -W -m 8 --image-opts "$(image "$source" raw "$direct")" \
        --target-image-opts "$(image "$middle" qcow2 "$direct")"
    qemu-img check -q -f qcow2 "$middle" || fail "$side: qemu-img check finds $middle damaged"
    traced "$side" qemu-img convert -n -m 8 --image-opts "$(image "$middle" qcow2 "$direct")" \
        --target-image-opts "$(image "$back" raw "$direct")"
    [ "$(sha256sum <"$back")" = "$source_sum" ] || fail "$side: the image came back changed (cache.direct=$direct)"
    traced "$side" qemu-img compare -q --image-opts "$(image "$source" raw "$direct")" \
        "$(image "$middle" qcow2 "$direct")" || fail "$side: qemu-img compare sees a difference"
}

job() {
    local side=$1 format direct=on
    for format in raw qcow2; do
        patterns "$side" writeback "$format"
        [ "$o_direct" = no ] || patterns "$side" none "$format"
    done
    [ "$o_direct" = yes ] || direct=off
    convert "$side" "$direct"
    convert "$side" off
    traced "$side" qemu-img bench -q -f raw -i io_uring -t writeback -c 4000 -d 64 -w --pattern=7 "$work/$side.writeback.raw" \
        >"$work/bench.log" || fail "$side: qemu-img bench: $(tail -n 2 "$work/bench.log")"
    runner=(env)
    qemu_io "$side" threads writeback raw "$work/$side.writeback.raw" "read -P 7 0 15M"
    judge_traces "$side" 4000
}

# 96 MiB of noise with a hole in it.
head -c $((40 * mib)) /dev/urandom >"$work/source.raw"
truncate -s $((56 * mib)) "$work/source.raw"
head -c $((40 * mib)) /dev/urandom >>"$work/source.raw"
source_sum=$(sha256sum <"$work/source.raw")
o_direct=yes
dd if="$work/source.raw" of=/dev/null bs=4096 count=1 iflag=direct 2>/dev/null || o_direct=no
say "O_DIRECT on $(df --output=fstype "$work" | tail -n 1): $o_direct"

each_side job
say "PASS: patterns, conversions and checksums agree"
