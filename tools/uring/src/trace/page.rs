//! A page of the kernel's trace buffer: a header, then records with the time since the one before.

use std::ops::Range;

/// Where a page has its parts, from `events/header_page`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    timestamp: usize,
    commit: usize,
    commit_size: usize,
    data: usize,
    /// Bytes of a page.
    pub size: usize,
}

/// In the header's count of bytes: records before this page were lost.
const COUNT: u64 = (1 << 27) - 1;

const ALIGNMENT: usize = 4;
const PADDING: u32 = 29;
const TIME_EXTEND: u32 = 30;
const TIME_STAMP: u32 = 31;
const DELTA_BITS: u32 = 27;
/// A time stamp has 59 bits; the rest is that of the time before.
const STAMP_BITS: u32 = 59;

impl Layout {
    pub fn parse(text: &str) -> Option<Self> {
        let number = |name: &str, key: &str| -> Option<usize> {
            let line = text
                .lines()
                .find(|line| line.contains(&format!(" {name};")))?;
            let part = line
                .split(';')
                .find_map(|part| part.trim().strip_prefix(key))?;
            part.parse().ok()
        };
        let data = number("data", "offset:")?;
        Some(Self {
            timestamp: number("timestamp", "offset:")?,
            commit: number("commit", "offset:")?,
            commit_size: number("commit", "size:")?,
            data,
            size: data + number("data", "size:")?,
        })
    }

    /// Calls a function with each record of a page: its time and its bytes.
    pub fn records(&self, page: &[u8], mut each: impl FnMut(u64, &[u8])) {
        let Some(mut time) = word(page, self.timestamp, 8) else {
            return;
        };
        let Some(committed) = word(page, self.commit, self.commit_size) else {
            return;
        };
        let end = self
            .data
            .saturating_add((committed & COUNT) as usize)
            .min(page.len());
        let mut at = self.data;
        while at + ALIGNMENT <= end {
            let Some(head) = word(page, at, 4) else {
                return;
            };
            let (kind, delta) = split(head as u32);
            let first = word(page, at + 4, 4);
            let body: Range<usize> = match kind {
                PADDING if delta == 0 => return,
                PADDING => {
                    at += 4 + first.unwrap_or(u64::MAX >> 8) as usize;
                    time = time.wrapping_add(delta);
                    continue;
                }
                TIME_EXTEND => {
                    time = time.wrapping_add(delta + (first.unwrap_or(0) << DELTA_BITS));
                    at += 8;
                    continue;
                }
                TIME_STAMP => {
                    let stamp = delta + (first.unwrap_or(0) << DELTA_BITS);
                    time = (time >> STAMP_BITS << STAMP_BITS) | stamp;
                    at += 8;
                    continue;
                }
                // The length is in front of the record, and counts itself.
                0 => at + 8..at + 4 + first.unwrap_or(0) as usize,
                words => at + 4..at + 4 + words as usize * ALIGNMENT,
            };
            time = time.wrapping_add(delta);
            let Some(record) = page.get(body.clone()) else {
                return;
            };
            each(time, record);
            at = body.end.next_multiple_of(ALIGNMENT);
        }
    }
}

/// Five bits of kind or length, twenty-seven of time.
fn split(head: u32) -> (u32, u64) {
    if cfg!(target_endian = "little") {
        (head & 0x1f, u64::from(head >> 5))
    } else {
        (head >> 27, u64::from(head & 0x07ff_ffff))
    }
}

fn word(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(size)?)?;
    match size {
        4 => part
            .first_chunk()
            .map(|bytes| u64::from(u32::from_ne_bytes(*bytes))),
        8 => part.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes)),
        _ => None,
    }
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout::parse(include_str!("../../tests/data/header_page")).expect("a layout")
    }

    fn page(words: &[u32]) -> Vec<u8> {
        let mut page = Vec::new();
        page.extend(1000u64.to_ne_bytes());
        page.extend(((words.len() as u64 * 4) | (1 << 31)).to_ne_bytes());
        page.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
        page.resize(4096, 0);
        page
    }

    fn read(words: &[u32]) -> Vec<(u64, Vec<u8>)> {
        let mut found = Vec::new();
        layout().records(&page(words), |time, raw| found.push((time, raw.to_vec())));
        found
    }

    #[test]
    fn the_layout_of_linux_6_18() {
        let expected = Layout {
            timestamp: 0,
            commit: 8,
            commit_size: 8,
            data: 16,
            size: 4096,
        };
        assert_eq!(layout(), expected);
    }

    #[test]
    fn records_of_all_kinds() {
        let words = [
            (5 << 5) | 1,
            0xaaaa_aaaa,
            // an extension of time
            (3 << 5) | TIME_EXTEND,
            2,
            // a record that was taken back, of 4 bytes
            (1 << 5) | PADDING,
            8,
            0,
            // a record with its length in front
            7 << 5,
            12,
            0xbbbb_bbbb,
            0xcccc_cccc,
        ];
        let found = read(&words);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], (1005, vec![0xaa; 4]));
        assert_eq!(found[1].0, 1005 + 3 + (2 << 27) + 1 + 7);
        assert_eq!(found[1].1.len(), 8);
    }

    #[test]
    fn an_absolute_time() {
        let found = read(&[(9 << 5) | TIME_STAMP, 1, 1, 0]);
        assert_eq!(found[0].0, (1 << 27) + 9);
    }

    #[test]
    fn the_rest_of_a_page_is_empty() {
        assert!(read(&[PADDING, 0, 0, 0]).is_empty());
        assert!(read(&[]).is_empty());
    }

    #[test]
    fn cut_pages_end() {
        layout().records(&[0; 10], |_, _| panic!("there is nothing"));
        layout().records(&page(&[28])[..24], |_, _| panic!("it is cut"));
        assert!(read(&[(1 << 5) | PADDING, u32::MAX]).is_empty());
    }
}
