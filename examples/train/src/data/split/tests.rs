// SPDX-License-Identifier: MIT OR Apache-2.0
//! Splits of made-up members, and what holds for all of them.

use super::*;
use proptest::prelude::*;

fn member(class: Class, attack: Option<Attack>, group: u32) -> Member {
    Member {
        class,
        attack,
        group,
        subset: None,
    }
}

fn sides(members: &[Member], split: &Split) -> BTreeMap<u32, BTreeSet<usize>> {
    let mut sides: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
    for (side, part) in [&split.train, &split.val, &split.test]
        .into_iter()
        .enumerate()
    {
        for &i in part {
            sides.entry(members[i].group).or_default().insert(side);
        }
    }
    sides
}

fn whole(split: &Split) -> Vec<usize> {
    let mut all = [&split.train[..], &split.val, &split.test].concat();
    all.sort_unstable();
    all
}

fn both_classes(members: &[Member], part: &[usize]) -> bool {
    let has = |class| part.iter().any(|&i| members[i].class == class);
    has(Class::Live) && has(Class::Spoof)
}

fn any_member(groups: u32) -> impl Strategy<Value = Member> {
    let attack = prop_oneof![
        Just(None),
        Just(Some(Attack::Print)),
        Just(Some(Attack::Replay))
    ];
    let subset = prop_oneof![
        Just(None),
        Just(Some(Subset::Train)),
        Just(Some(Subset::Devel)),
        Just(Some(Subset::Test)),
    ];
    (any::<bool>(), attack, 0..groups, subset).prop_map(|(live, attack, group, subset)| Member {
        class: if live { Class::Live } else { Class::Spoof },
        attack: attack.filter(|_| !live),
        group,
        subset,
    })
}

proptest! {
    #[test]
    fn a_group_is_never_on_both_sides(
        members in (1u32..40).prop_flat_map(|g| proptest::collection::vec(any_member(g), 2..200)),
        val in 0.05f64..0.5, test in prop_oneof![Just(0.0), 0.05f64..0.4], seed: u64, keep_subsets: bool,
    ) {
        let options = Options { val, test, seed, keep_subsets, force_random: false };
        if let Ok(splits) = split(&members, &options) {
            prop_assert!(sides(&members, &splits.split).values().all(|s| s.len() == 1));
            prop_assert_eq!(Ok(splits.clone()), split(&members, &options).map_err(|_| ()));
            let all = whole(&splits.split);
            prop_assert!(all.windows(2).all(|w| w[0] < w[1]), "one stands twice");
            if !keep_subsets {
                prop_assert_eq!(all.len(), members.len());
                prop_assert!(both_classes(&members, &splits.split.train));
                prop_assert!(both_classes(&members, &splits.split.val));
            }
        }
    }

    #[test]
    fn two_groups_of_each_class_can_always_be_split(
        mut members in proptest::collection::vec(any_member(12), 0..60), a in 0u32..12, seed: u64,
    ) {
        for (class, groups) in [(Class::Live, [a, (a + 1) % 12]), (Class::Spoof, [a, (a + 5) % 12])] {
            members.extend(groups.map(|g| member(class, None, g)));
        }
        let splits = split(&members, &Options { seed, ..Options::default() }).unwrap();
        prop_assert!(both_classes(&members, &splits.split.val));
        prop_assert!(both_classes(&members, &splits.split.train));
    }
}

/// People with a live recording and two attacks each, of different length.
fn people(n: u32) -> Vec<Member> {
    let kinds = [
        (Class::Live, None),
        (Class::Spoof, Some(Attack::Print)),
        (Class::Spoof, Some(Attack::Replay)),
    ];
    let person = |g: u32| {
        kinds
            .into_iter()
            .flat_map(move |(class, attack)| (0..5 + g % 7).map(move |_| member(class, attack, g)))
    };
    (0..n).flat_map(person).collect()
}

#[test]
fn classes_and_kinds_of_attack_are_spread_evenly() {
    let members = people(60);
    let options = Options {
        test: 0.1,
        ..Options::default()
    };
    let split = split(&members, &options).unwrap().split;
    for (part, share) in [(&split.train, 0.7), (&split.val, 0.2), (&split.test, 0.1)] {
        for kind in [None, Some(Attack::Print), Some(Attack::Replay)] {
            let all = members.iter().filter(|m| m.attack == kind).count() as f64;
            let here = part.iter().filter(|&&i| members[i].attack == kind).count() as f64;
            assert!(
                (here / all - share).abs() < 0.03,
                "{kind:?}: {here} of {all}"
            );
        }
    }
    assert_eq!(whole(&split).len(), members.len());
}

#[test]
fn another_seed_gives_another_split() {
    let members = people(60);
    let of = |seed| {
        split(
            &members,
            &Options {
                seed,
                ..Options::default()
            },
        )
        .unwrap()
    };
    assert_ne!(of(1), of(2));
}

#[test]
fn too_few_groups_are_refused_with_what_is_needed() {
    let one = people(1);
    let text = split(&one, &Options::default()).unwrap_err().to_string();
    assert!(
        text.contains("one group of live") && text.contains("folder of its own"),
        "{text}"
    );
    assert!(split(&people(2), &Options::default()).is_ok());
    let bad = Options {
        val: 1.5,
        ..Options::default()
    };
    assert!(split(&people(9), &bad).is_err());
}

#[test]
fn a_random_split_says_so_and_brings_the_honest_one_along() {
    let members = people(20);
    let options = Options {
        force_random: true,
        ..Options::default()
    };
    let splits = split(&members, &options).unwrap();
    assert!(splits.random && splits.notes.iter().any(|n| n.contains("random")));
    assert!(
        sides(&members, &splits.split)
            .values()
            .any(|s| s.len() == 2)
    );
    let honest = splits.grouped.unwrap();
    assert!(sides(&members, &honest).values().all(|s| s.len() == 1));
    let near = (splits.split.val.len() as f64 / honest.val.len() as f64 - 1.0).abs();
    assert!(near < 0.1, "{near}");
    // With one group there is no honest one.
    let splits = split(&people(1), &options).unwrap();
    assert!(splits.random && splits.grouped.is_none());
}

#[test]
fn the_authors_parts_are_kept_where_they_tear_nobody_apart() {
    let mut members = people(12);
    for m in &mut members {
        m.subset = Some(match m.group {
            0..6 => Subset::Train,
            6..9 => Subset::Devel,
            _ => Subset::Test,
        });
    }
    // One picture of a person to test on is in the part to train on.
    let last = members.len() - 1;
    members[last].subset = Some(Subset::Train);
    let options = Options {
        keep_subsets: true,
        ..Options::default()
    };
    let splits = split(&members, &options).unwrap();
    let groups = |part: &[usize]| {
        part.iter()
            .map(|&i| members[i].group)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(groups(&splits.split.train), (0..6).collect());
    assert_eq!(groups(&splits.split.val), (6..9).collect());
    assert_eq!(groups(&splits.split.test), (9..12).collect());
    assert!(splits.notes[0].contains("1 pictures"), "{:?}", splits.notes);
    assert_eq!(whole(&splits.split).len(), members.len() - 1);
    // Without a part to validate on, one is made of the part to train on.
    for m in &mut members {
        m.subset = m
            .subset
            .map(|s| if s == Subset::Devel { Subset::Train } else { s });
    }
    let splits = split(&members, &options).unwrap();
    assert!(!splits.split.val.is_empty());
    assert!(
        sides(&members, &splits.split)
            .values()
            .all(|s| s.len() == 1)
    );
}
