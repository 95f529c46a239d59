//! Rings in ordinary memory.

use super::*;
use crate::kernel::{MAP_HUGETLB, huge_page_size};

#[test]
fn memory_of_the_programs_own_is_used_and_left() {
    const SIZE: usize = 8192;
    #[repr(align(4096))]
    struct Pages([u8; SIZE + 4096]);
    let mut pages = Box::new(Pages([0xa5; SIZE + 4096]));
    let start = (&raw mut pages.0).cast();

    sim::reset(Config::NEW);
    let mut ring = zeroed_ring();
    let mut p = params(0);
    // SAFETY: the ring and the pages are ours; the pages outlive the ring.
    let too_small = unsafe {
        let buffer = Buffer::new(start, SIZE - 1);
        setup::init_in_memory::<Sim>(8, &raw mut ring, &mut p, buffer)
    };
    assert_eq!(too_small, Err(Errno::ENOMEM));
    assert_eq!(sim::take_calls(), []);
    assert!(pages.0.iter().all(|byte| *byte == 0xa5));
    // SAFETY: as above.
    let misplaced = unsafe {
        let buffer = Buffer::new((&raw mut pages.0).wrapping_byte_add(1).cast(), SIZE);
        setup::init_in_memory::<Sim>(8, &raw mut ring, &mut p, buffer)
    };
    assert_eq!(misplaced, Err(Errno::EINVAL));
    assert!(pages.0.iter().all(|byte| *byte == 0xa5));

    let start = (&raw mut pages.0).cast();
    // SAFETY: as above.
    let used = unsafe {
        let buffer = Buffer::new(start, SIZE);
        setup::init_in_memory::<Sim>(8, &raw mut ring, &mut p, buffer)
    };
    assert_eq!(used, Ok(SIZE as i32));
    assert_eq!(
        sizes::memory_size::<Sim>(8, &params(IORING_SETUP_NO_SQARRAY)),
        Ok(SIZE)
    );
    assert_eq!(ring.int_flags, flags::APP_MEM);
    assert_eq!(ring.sq.sqes.cast(), start);
    assert_eq!(ring.sq.ring_ptr, start.wrapping_byte_add(4096));
    // SAFETY: the counters lie in the pages, and nobody changes them now.
    let counters = unsafe {
        [
            *ring.sq.khead,
            *ring.sq.ktail,
            *ring.cq.khead,
            *ring.cq.ktail,
        ]
    };
    assert_eq!(counters, [0; 4]);
    leave(ring);
    assert!(pages.0[SIZE..].iter().all(|byte| *byte == 0xa5));
}

#[test]
fn a_buffer_that_is_not_used_does_not_keep_the_mappings() {
    sim::reset(Config::NEW);
    let mut memory = [0u64; 8];
    let buffer = Buffer::new(memory.as_mut_ptr().cast(), size_of_val(&memory));
    let mut ring = zeroed_ring();
    // SAFETY: the ring and the buffer are ours.
    let result = unsafe { setup::init_as_asked::<Sim>(4, &raw mut ring, &mut params(0), buffer) };
    assert_eq!(result, Ok(0));
    leave(ring);
}

/// The sizes and flags of the mappings that were made.
fn mapped() -> Vec<(usize, i32)> {
    let of = |call| match call {
        Call::Mmap { len, flags, .. } => Some((len, flags & MAP_HUGETLB)),
        _ => None,
    };
    sim::take_calls().into_iter().filter_map(of).collect()
}

#[test]
fn what_exceeds_a_page_gets_a_huge_page_if_there_is_one() {
    for page_size in [4096, 16384] {
        let huge = huge_page_size(page_size);
        let config = Config {
            page_size,
            huge_pages: usize::MAX,
            ..Config::NEW
        };
        let of = |nr| {
            sim::reset(config);
            let (ring, result) = init(nr, &mut params(IORING_SETUP_NO_MMAP), None);
            assert!(result.is_ok(), "{nr}: {result:?}");
            let maps = mapped();
            leave(ring);
            maps
        };
        assert_eq!(of(16), [(2 * page_size, 0)]);
        let few = page_size as u32 / 32;
        assert_eq!(of(few), [(huge, MAP_HUGETLB)]);
        if page_size == 4096 {
            // SQEs fill a huge page, and rings get the next.
            assert_eq!(of(32768), [(2 * huge, MAP_HUGETLB)]);
        }
    }
}

#[test]
fn without_huge_pages_ordinary_ones_are_tried() {
    sim::reset(Config::NEW);
    let (ring, result) = init(128, &mut params(IORING_SETUP_NO_MMAP), None);
    assert!(result.is_ok());
    // 8192 bytes of SQEs, 4160 of rings.
    let ordinary = 2 * 4096 + 2 * 4096;
    assert_eq!(mapped(), [(2 << 20, MAP_HUGETLB), (ordinary, 0)]);
    // SAFETY: the array, if there is one, and the CQEs lie in what was mapped.
    let end = unsafe { ring.cq.cqes.add(256) }.addr();
    assert!(end <= ring.sq.sqes.addr() + ordinary);
    leave(ring);

    // The kernel may not have those either.
    for (after, calls) in [(1, 2), (2, 3)] {
        sim::reset(Config::NEW);
        sim::fail_after(after, Errno::ENOMEM);
        let mut p = params(IORING_SETUP_NO_MMAP);
        let before = p;
        let (ring, result) = init(128, &mut p, None);
        assert_eq!(result, Err(Errno::ENOMEM));
        assert!(is_zero(&ring));
        // The parameters name no memory that is gone.
        assert_eq!(p, before);
        let made = sim::take_calls();
        let made = made
            .iter()
            .filter(|call| !matches!(call, Call::Munmap { .. }));
        assert_eq!(made.count(), calls);
        sim::assert_clean();
    }
}

#[test]
fn what_exceeds_a_huge_page_is_refused_before_anything_is_mapped() {
    for huge_pages in [0, usize::MAX] {
        for flags in [IORING_SETUP_CQE32, IORING_SETUP_SQE128] {
            sim::reset(Config {
                huge_pages,
                ..Config::NEW
            });
            let (ring, result) = init(32768, &mut params(IORING_SETUP_NO_MMAP | flags), None);
            assert_eq!(result, Err(Errno::ENOMEM));
            assert!(is_zero(&ring));
            assert_eq!(sim::take_calls(), []);
        }
    }
}
