// SPDX-License-Identifier: MIT OR Apache-2.0
//! Figures worked out by hand, and what must hold for any answers.

use proptest::prelude::*;

use super::*;

/// Live 0.9, 0.8, 0.4, none; print 0.7, 0.2; replay 0.8, none. Four clients.
fn some() -> Vec<Answer> {
    vec![
        Answer::bona_fide("a", Some(0.9)),
        Answer::bona_fide("b", Some(0.8)),
        Answer::bona_fide("c", Some(0.4)),
        Answer::bona_fide("d", None),
        Answer::attack("print", "a", Some(0.7)),
        Answer::attack("print", "b", Some(0.2)),
        Answer::attack("replay", "c", Some(0.8)),
        Answer::attack("replay", "d", None),
    ]
}

fn close(a: impl Into<Option<f64>>, b: f64) {
    let a = a.into();
    assert!(
        a.is_some_and(|a| (a - b).abs() < 1e-9),
        "{a:?} should be {b}"
    );
}

#[test]
fn rates_by_hand() {
    let all = some();
    assert_eq!(apcer(&all, 0.5), Rate { hits: 2, n: 4 });
    assert_eq!(bpcer(&all, 0.5), Rate { hits: 2, n: 4 });
    let by_species = apcer_by_species(&all, 0.75);
    assert_eq!(by_species["print"], Rate { hits: 0, n: 2 });
    assert_eq!(by_species["replay"], Rate { hits: 1, n: 2 });
    assert_eq!(
        apcer_worst(&all, 0.75),
        Some(("replay", Rate { hits: 1, n: 2 }))
    );
    close(acer(&all, 0.75), 0.5);
    close(hter(&all, 0.75), (0.25 + 0.5) / 2.0);
    assert_eq!(accuracy(&all, 0.75), Rate { hits: 5, n: 8 });
    // 0.8 as f32 lies above 0.8 as f64: what is at the threshold is accepted.
    assert_eq!(bpcer(&all, f64::from(0.8f32)), Rate { hits: 2, n: 4 });
    let confusion = confusion(&all, 0.5);
    assert_eq!(
        confusion,
        Confusion {
            bona_fide_accepted: 2,
            bona_fide_refused: 2,
            attacks_accepted: 2,
            attacks_refused: 2
        }
    );
}

#[test]
fn ranking_by_hand() {
    let all = some();
    // Pairs won by the live face: 0.9: 4; 0.8: 3.5; 0.4: 2; none: 0.5 against none.
    close(auc(&all), 10.0 / 16.0);
    let points = curve(&all);
    assert_eq!(points.len(), 6);
    let at = |i: usize| (points[i].apcer, points[i].bpcer);
    assert_eq!(at(0), (0.75, 0.25));
    assert_eq!(at(5), (0.0, 1.0));
    // Below 0.7 both errors are 0.5.
    let eer = eer(&all).unwrap();
    close(eer.rate, 0.5);
    close(eer.threshold, (f64::from(0.4f32) + f64::from(0.7f32)) / 2.0);
}

#[test]
fn thresholds_by_hand() {
    let all = some();
    let lowest = f64::from(0.2f32);
    let over = (f64::from(0.8f32) + f64::from(0.9f32)) / 2.0;
    close(threshold_for_apcer(&all, 1.0, Scope::Worst), lowest);
    // One of two prints, one of two replays: nothing need be refused but what is already.
    let half = threshold_for_apcer(&all, 0.5, Scope::Worst).unwrap();
    assert_eq!(half, (lowest + f64::from(0.4f32)) / 2.0);
    close(threshold_for_apcer(&all, 0.0, Scope::Worst), over);
    // Pooled, one of four may pass: the one with 0.7 must not.
    let quarter = (f64::from(0.7f32) + f64::from(0.8f32)) / 2.0;
    close(threshold_for_apcer(&all, 0.25, Scope::Pooled), quarter);
    let high = [Answer::attack("print", "a", Some(1.0))];
    assert!(threshold_for_apcer(&high, 0.1, Scope::Worst).unwrap() > 1.0);
    assert_eq!(threshold_for_apcer(&all[..4], 0.1, Scope::Worst), None);
}

#[test]
fn a_large_set_does_not_outweigh_a_small_one() {
    let set = |shift: f32, times: usize| -> Vec<Answer> {
        let some = [
            Answer::bona_fide("a", Some(0.5 + shift)),
            Answer::attack("x", "a", Some(0.3 + shift)),
        ];
        some.into_iter().cycle().take(2 * times).collect()
    };
    let (small, large) = (set(0.0, 1), set(0.3, 1000));
    let one = equal_weight_threshold(&[&small, &large]);
    let other = equal_weight_threshold(&[&small, &set(0.3, 1)]);
    assert!(one.is_some());
    assert_eq!(one, other);
    assert_eq!(equal_weight_threshold(&[]), None);
    assert_eq!(equal_weight_threshold(&[&small[..1], &large[..1]]), None);
    // One set may lack a class that the other has.
    assert!(equal_weight_threshold(&[&small[..1], &large[1..2]]).is_some());
}

#[test]
fn calibration_by_hand() {
    let all = [
        Answer::bona_fide("a", Some(0.9)),
        Answer::bona_fide("b", Some(0.6)),
        Answer::attack("x", "a", Some(0.65)),
        Answer::attack("x", "b", None),
    ];
    let p = |v: f32| f64::from(v);
    let squares = (1.0 - p(0.9)).powi(2) + (1.0 - p(0.6)).powi(2) + p(0.65).powi(2);
    close(brier(&all), squares / 3.0);
    let bins = reliability(&all, 10);
    assert_eq!(bins.len(), 10);
    assert_eq!(bins.iter().map(|b| b.n).sum::<usize>(), 3);
    close(bins[6].probability, (p(0.6) + p(0.65)) / 2.0);
    close(bins[6].live, 0.5);
    let gap = 2.0 * ((p(0.6) + p(0.65)) / 2.0 - 0.5) + (1.0 - p(0.9));
    close(expected_calibration_error(&all, 10), gap / 3.0);
    assert_eq!(expected_calibration_error(&all, 0), None);
    // 1 belongs to the last bin.
    assert_eq!(
        reliability(&[Answer::bona_fide("a", Some(1.0))], 10)[9].n,
        1
    );
}

#[test]
fn the_temperature_undoes_a_factor() {
    // Logits that are right: of those with z, the share sigmoid(z) is live. Three times as large, they are too sure.
    let mut logits = Vec::new();
    for z in [-2.0f32, -1.0, 0.5, 1.5] {
        let live = (1000.0 / (1.0 + (-z).exp())).round() as usize;
        logits.extend((0..1000).map(|i| (3.0 * z, i < live)));
    }
    logits.push((f32::NAN, true));
    let t = temperature(&logits).unwrap();
    assert!((t - 3.0).abs() < 0.02, "{t}");
    let apart = [(1.0, true), (-1.0, false)];
    assert_eq!(temperature(&apart), None);
    assert_eq!(temperature(&[(1.0, false), (-1.0, true)]), None);
    assert_eq!(temperature(&[(1.0, true), (-1.0, true)]), None);
    assert_eq!(temperature(&[]), None);
}

#[test]
fn wilson_as_in_the_books() {
    // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for (hits, n, low, high) in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ] {
        let interval = wilson(hits, n).unwrap();
        assert!((interval.low - low).abs() < 5e-5, "{interval:?}");
        assert!((interval.high - high).abs() < 5e-5, "{interval:?}");
    }
    assert_eq!(wilson(0, 0), None);
}

#[test]
fn normal_deviates_as_in_the_books() {
    for (p, z) in [
        (0.5, 0.0),
        (0.975, 1.959_963_985),
        (0.01, -2.326_347_874),
        (0.001, -3.090_232_306),
    ] {
        assert!((normal_deviate(p) - z).abs() < 1e-7, "{p}");
        assert!((normal_cumulative(z) - p).abs() < 2e-7, "{p}");
    }
    assert!(normal_deviate(0.0).is_infinite() && normal_deviate(1.0).is_infinite());
    assert!(normal_deviate(-0.1).is_nan() && normal_deviate(f64::NAN).is_nan());
}

#[test]
fn an_empty_class_is_no_figure_and_no_panic() {
    let bootstrap = Bootstrap {
        resamples: 20,
        seed: 1,
    };
    for answers in [&[][..], &some()[..4], &some()[4..]] {
        assert_eq!(auc(answers), None);
        assert_eq!(eer(answers), None);
        assert!(curve(answers).is_empty());
        assert_eq!(acer(answers, 0.5), None);
        let summary = Summary::of(answers, 0.5, &bootstrap);
        assert_eq!(summary.hter, None);
        assert_eq!(summary.auc, None);
        assert_eq!(summary.bpcer.is_some(), answers.iter().any(|a| a.bona_fide));
    }
}

#[test]
fn who_never_answers_is_refused() {
    let mut all = some();
    for (answer, live) in all.iter_mut().zip(
        [None, Some(f32::NAN), Some(f32::INFINITY)]
            .into_iter()
            .cycle(),
    ) {
        answer.live = live;
    }
    assert_eq!(bpcer(&all, 0.0).value(), Some(1.0));
    assert_eq!(apcer(&all, 0.0).value(), Some(0.0));
    close(auc(&all), 0.5);
    close(eer(&all).map(|e| e.rate), 0.5);
    assert_eq!(brier(&all), None);
    let summary = Summary::of(&all, 0.5, &Bootstrap::default());
    assert_eq!(summary.counts.bona_fide_silent, 4);
    assert_eq!(summary.brier, None);
}

#[test]
fn no_mistake_is_not_taken_for_certainty() {
    // 10 clients with 20 pictures each and not one mistake: no more is known than of ten trials.
    let of = |bona_fide: bool, client: usize| Answer {
        bona_fide,
        species: if bona_fide { "" } else { "print" }.into(),
        group: format!("client {client}"),
        live: Some(if bona_fide { 0.9 } else { 0.1 }),
    };
    let all: Vec<Answer> = (0..200).map(|i| of(i % 2 == 0, i / 20)).collect();
    let summary = Summary::of(&all, 0.5, &Bootstrap::default());
    let ten = wilson(0, 10).unwrap().high;
    for estimate in [summary.bpcer, summary.apcer, summary.apcer_worst] {
        let interval = estimate.unwrap().interval.unwrap();
        assert_eq!(interval.method, Method::WilsonOverGroups);
        assert_eq!((interval.low, interval.high), (0.0, ten));
    }
    let auc = summary.auc.unwrap().interval.unwrap();
    assert!((auc.low - (1.0 - ten)).abs() < 1e-9 && auc.high == 1.0);
    let hter = summary.hter.unwrap().interval.unwrap();
    assert_eq!(hter.method, Method::Parts);
    assert!(hter.high > 0.1 && hter.high < ten, "{hter:?}");
}

#[test]
fn one_group_has_no_interval() {
    let mut all = some();
    for answer in &mut all {
        answer.group = "the only one".into();
    }
    let summary = Summary::of(&all, 0.5, &Bootstrap::default());
    assert_eq!(summary.bpcer.unwrap().interval, None);
    assert_eq!(summary.hter.unwrap().interval, None);
    assert_eq!(summary.auc.unwrap().interval, None);
    assert_eq!(summary.counts.groups, 1);
}

#[test]
fn pictures_of_one_client_count_as_few() {
    // The same 40 answers, as 40 clients and as 4 with ten alike each.
    let answers = |clients: usize| -> Vec<Answer> {
        let of = |i: usize| {
            let wrong = i / 10 == 3;
            Answer::bona_fide(
                format!("{}", i % 40 * clients / 40),
                Some(f32::from(!wrong)),
            )
        };
        (0..40).map(of).collect()
    };
    let width = |clients: usize| {
        let summary = Summary::of(&answers(clients), 0.5, &Bootstrap::default());
        let bpcer = summary.bpcer.unwrap();
        assert_eq!((bpcer.value, bpcer.n, bpcer.groups), (0.25, 40, clients));
        bpcer.interval.unwrap().width()
    };
    assert!(width(4) > 2.0 * width(40), "{} {}", width(4), width(40));
}

#[test]
fn the_same_seed_gives_the_same_intervals() {
    let of = |seed| {
        let bootstrap = Bootstrap {
            resamples: 300,
            seed,
        };
        serde_json::to_string(&Summary::of(&some(), 0.5, &bootstrap).auc).unwrap()
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn the_summary_agrees_with_the_plain_functions() {
    let all = some();
    for t in [0.1, 0.5, 0.75, 0.95] {
        let s = Summary::of(&all, t, &Bootstrap::default());
        let value = |e: Option<Estimate>| e.map(|e| e.value);
        assert_eq!(value(s.apcer), apcer(&all, t).value());
        assert_eq!(value(s.bpcer), bpcer(&all, t).value());
        assert_eq!(value(s.acer), acer(&all, t));
        assert_eq!(value(s.hter), hter(&all, t));
        assert_eq!(value(s.auc), auc(&all));
        close(value(s.accuracy), accuracy(&all, t).value().unwrap());
        close(value(s.brier), brier(&all).unwrap());
        let worst = apcer_worst(&all, t).unwrap();
        assert_eq!(s.worst_species.as_deref(), Some(worst.0));
        assert_eq!(s.species.len(), 2);
        for species in &s.species {
            let rate = apcer_by_species(&all, t)[species.name.as_str()];
            assert_eq!(Some(species.apcer.value), rate.value());
            assert_eq!((species.apcer.n, species.apcer.groups), (2, 2));
        }
    }
}

/// The bootstrap's promise, kept about as often as it says: 40 clients with their own rates, 300 times.
#[test]
fn intervals_hold_the_truth_about_as_often_as_they_say() {
    let mut state = 12345u64;
    let mut random = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut held = 0;
    for _ in 0..300 {
        let mut answers = Vec::new();
        for client in 0..40 {
            // Rates of clients are even from 0 to 0.4: 0.2 on average.
            let rate = 0.4 * random();
            for _ in 0..8 {
                let live = if random() < rate { 0.0 } else { 1.0 };
                answers.push(Answer::bona_fide(client.to_string(), Some(live)));
            }
        }
        let bootstrap = Bootstrap {
            resamples: 200,
            seed: 0,
        };
        let summary = Summary::of(&answers, 0.5, &bootstrap);
        let interval = summary.bpcer.and_then(|b| b.interval).unwrap();
        held += usize::from(interval.contains(0.2));
    }
    assert!((265..=297).contains(&held), "{held} of 300");
}

fn answer() -> impl Strategy<Value = Answer> {
    let live = prop_oneof![
        8 => (0u8..=20).prop_map(|v| Some(f32::from(v) / 20.0)),
        4 => (0f32..=1.0).prop_map(Some),
        1 => Just(None),
    ];
    (any::<bool>(), 0u8..3, 0u8..6, live).prop_map(|(bona_fide, species, group, live)| Answer {
        bona_fide,
        species: if bona_fide {
            String::new()
        } else {
            species.to_string()
        },
        group: group.to_string(),
        live,
    })
}

fn answers() -> impl Strategy<Value = Vec<Answer>> {
    prop::collection::vec(answer(), 0..60)
}

proptest! {
    #[test]
    fn auc_is_what_counting_pairs_gives(all in answers()) {
        let score = |a: &&Answer| a.probability().unwrap_or(-1.0);
        let mut won = 0.0;
        let mut pairs = 0.0;
        for live in all.iter().filter(|a| a.bona_fide).map(|a| score(&a)) {
            for attack in all.iter().filter(|a| !a.bona_fide).map(|a| score(&a)) {
                pairs += 1.0;
                won += if live > attack { 1.0 } else if live == attack { 0.5 } else { 0.0 };
            }
        }
        match auc(&all) {
            Some(auc) => {
                prop_assert!((0.0..=1.0).contains(&auc));
                prop_assert!((auc - won / pairs).abs() < 1e-9);
            }
            None => prop_assert!(pairs == 0.0),
        }
    }

    #[test]
    fn auc_is_mirrored_when_the_classes_change_places(all in answers()) {
        let swapped: Vec<Answer> = all.iter().map(|a| Answer { bona_fide: !a.bona_fide, ..a.clone() }).collect();
        match (auc(&all), auc(&swapped)) {
            (Some(a), Some(b)) => prop_assert!((a + b - 1.0).abs() < 1e-9),
            (a, b) => prop_assert_eq!(a, b),
        }
    }

    #[test]
    fn rank_figures_do_not_change_under_rising_maps(all in answers()) {
        // Powers of two keep apart what was apart.
        let mapped: Vec<Answer> = all.iter().map(|a| Answer { live: a.live.map(|p| p * 0.25 + 0.5), ..a.clone() }).collect();
        let distinct = |of: &[Answer]| {
            let mut scores: Vec<u32> = of.iter().filter_map(|a| a.live).map(f32::to_bits).collect();
            scores.sort_unstable();
            scores.dedup();
            scores.len()
        };
        prop_assume!(distinct(&all) == distinct(&mapped));
        prop_assert_eq!(auc(&all), auc(&mapped));
        prop_assert_eq!(eer(&all).map(|e| e.rate), eer(&mapped).map(|e| e.rate));
    }

    #[test]
    fn a_higher_threshold_accepts_no_more(all in answers(), a in 0f64..1.0, b in 0f64..1.0) {
        let (low, high) = (a.min(b), a.max(b));
        prop_assert!(apcer(&all, high).hits <= apcer(&all, low).hits);
        prop_assert!(bpcer(&all, high).hits >= bpcer(&all, low).hits);
        for (species, rate) in apcer_by_species(&all, low) {
            prop_assert!(apcer_by_species(&all, high)[species].hits <= rate.hits);
        }
        let worst = apcer_worst(&all, low).and_then(|w| w.1.value());
        prop_assert!(apcer(&all, low).value() <= worst);
    }

    #[test]
    fn the_curve_says_what_the_rates_say(all in answers()) {
        let mut before: Option<Point> = None;
        for point in curve(&all) {
            prop_assert!((point.apcer - apcer(&all, point.threshold).value().unwrap()).abs() < 1e-9);
            prop_assert!((point.bpcer - bpcer(&all, point.threshold).value().unwrap()).abs() < 1e-9);
            if let Some(before) = before {
                prop_assert!(before.threshold < point.threshold);
                prop_assert!(before.apcer >= point.apcer && before.bpcer <= point.bpcer);
            }
            before = Some(point);
        }
    }

    #[test]
    fn the_equal_error_rate_is_the_hter_at_its_threshold(all in answers()) {
        if let Some(eer) = eer(&all) {
            prop_assert!((hter(&all, eer.threshold).unwrap() - eer.rate).abs() < 1e-9);
        }
    }

    #[test]
    fn a_bounded_apcer_is_kept_and_no_lower_threshold_keeps_it(all in answers(), bound in 0f64..0.6) {
        for scope in [Scope::Worst, Scope::Pooled] {
            let error = |t: f64| match scope {
                Scope::Worst => apcer_worst(&all, t).and_then(|w| w.1.value()),
                Scope::Pooled => apcer(&all, t).value(),
            };
            let Some(t) = threshold_for_apcer(&all, bound, scope) else {
                prop_assert!(all.iter().all(|a| a.bona_fide));
                continue;
            };
            prop_assert!(error(t).unwrap() <= bound + 1e-9);
            let scores = all.iter().filter_map(Answer::probability).filter(|s| *s < t);
            if let Some(below) = scores.reduce(f64::max) {
                let would_keep_it = error(below).unwrap() <= bound + 1e-9;
                prop_assert!(!would_keep_it || bpcer(&all, below).hits == bpcer(&all, t).hits);
            }
        }
    }

    #[test]
    fn intervals_are_in_order_within_0_and_1(all in answers(), t in 0f64..1.0) {
        let s = Summary::of(&all, t, &Bootstrap { resamples: 60, seed: 3 });
        let all_of_them = [s.auc, s.eer, s.apcer, s.apcer_worst, s.bpcer, s.acer, s.hter, s.accuracy, s.brier];
        for estimate in all_of_them.into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&estimate.value));
            if let Some(i) = estimate.interval {
                prop_assert!(0.0 <= i.low && i.low <= i.high && i.high <= 1.0, "{:?}", estimate);
            }
        }
        // A share lies in its own interval, unless few groups draw it aside.
        for estimate in [s.bpcer, s.apcer].into_iter().flatten() {
            if let Some(i) = estimate.interval.filter(|_| estimate.groups > 3) {
                prop_assert!(i.low - 0.1 <= estimate.value && estimate.value <= i.high + 0.1, "{:?}", estimate);
            }
        }
    }

    #[test]
    fn the_temperature_is_where_no_other_is_likelier(raw in prop::collection::vec((-6f32..6.0, any::<bool>()), 2..40)) {
        if let Some(t) = temperature(&raw) {
            let loss = |t: f64| -> f64 {
                raw.iter().map(|(z, live)| {
                    let z = f64::from(*z) / t * if *live { 1.0 } else { -1.0 };
                    (-z).exp().ln_1p()
                }).sum()
            };
            for factor in [0.8, 0.97, 1.03, 1.25] {
                prop_assert!(loss(t) <= loss(t * factor) + 1e-9);
            }
        }
    }
}
