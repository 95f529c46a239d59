//! Requests that can be cancelled: by number, by what the program calls them, and those that fit.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::cases;
use crate::request::{Info, Pending, Place};

#[derive(Clone, Debug)]
enum Step {
    Insert(u64, u64),
    /// The request goes on to wait elsewhere.
    Move(u64, u64),
    /// It is cancelled while it runs.
    Cancel(u64),
    Remove(u64),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let (id, data) = (0..12u64, 0..4u64);
    prop_oneof![
        6 => (id.clone(), data).prop_map(|(id, data)| Step::Insert(id, data)),
        2 => (id.clone(), 1..100u64).prop_map(|(id, until)| Step::Move(id, until)),
        1 => id.clone().prop_map(Step::Cancel),
        4 => id.prop_map(Step::Remove),
        1 => Just(Step::Clear),
    ]
}

fn info(user_data: u64, place: Place, timeout: Option<u64>) -> Info {
    Info {
        user_data,
        opcode: user_data as u8,
        file: -1,
        fd: user_data as i32 * 2,
        place,
        timeout,
        cancelled: false,
        held: false,
    }
}

proptest! {
    #![proptest_config(cases(300))]

    /// Beside a map of all: the user data, the place and the timeout of each.
    #[test]
    fn beside_a_map(steps in proptest::collection::vec(step(), 1..60)) {
        let mut pending = Pending::default();
        let mut model = BTreeMap::<u64, (u64, Place, Option<u64>)>::new();
        // Numbers go up, as a ring gives them.
        let mut names = BTreeMap::new();
        let mut cancelled = BTreeSet::new();
        let mut next = 0;
        for step in steps {
            match step {
                Step::Insert(name, data) => {
                    if names.contains_key(&name) {
                        continue;
                    }
                    next += 1;
                    names.insert(name, next);
                    prop_assert!(pending.insert(next, info(data, Place::Timer(0), None)));
                    model.insert(next, (data, Place::Timer(0), None));
                    if let Some(info) = pending.get_mut(next) {
                        info.timeout = Some(next + 1000);
                    }
                    model.entry(next).and_modify(|known| known.2 = Some(next + 1000));
                }
                Step::Move(name, until) => {
                    let Some(id) = names.get(&name) else { continue };
                    let data = model[id].0;
                    let goes_on = !cancelled.contains(id);
                    prop_assert_eq!(pending.insert(*id, info(data, Place::Timer(until), None)), goes_on);
                    if goes_on {
                        // Its timeout runs on.
                        model.entry(*id).and_modify(|known| known.1 = Place::Timer(until));
                    }
                }
                Step::Cancel(name) => {
                    let Some(id) = names.get(&name) else { continue };
                    if let Some(info) = pending.get_mut(*id) {
                        info.cancelled = true;
                        cancelled.insert(*id);
                    }
                }
                Step::Remove(name) => {
                    let id = names.remove(&name).unwrap_or(u64::MAX);
                    let removed = pending.remove(id);
                    let removed = removed.map(|info| (info.user_data, info.place, info.timeout));
                    prop_assert_eq!(removed, model.remove(&id));
                }
                Step::Clear => {
                    pending.clear();
                    model.clear();
                    names.clear();
                }
            }
            for data in 0..4 {
                let named: Vec<_> = model.iter().filter(|(_, known)| known.0 == data).map(|(id, _)| *id).collect();
                prop_assert_eq!(pending.named(data), named, "named {}", data);
            }
            let fits = pending.matching(|info| info.fd >= 4);
            let expected: Vec<_> = model.iter().filter(|(_, known)| known.0 >= 2).map(|(id, _)| *id).collect();
            prop_assert_eq!(fits, expected);
            let mut all: Vec<_> = pending.all().into_iter().map(|(id, info)| (id, info.place)).collect();
            all.sort_unstable_by_key(|(id, _)| *id);
            let expected: Vec<_> = model.iter().map(|(id, known)| (*id, known.1)).collect();
            prop_assert_eq!(all, expected);
        }
    }
}
