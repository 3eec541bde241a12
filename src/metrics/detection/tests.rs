// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cases that were counted by hand, and what must hold of any.

use proptest::prelude::*;

use super::*;
use crate::geometry::{Point, Rect};
use crate::metrics::{Bootstrap, Estimate, Method};

const FEW: Bootstrap = Bootstrap {
    resamples: 200,
    seed: 0,
};

/// A square of 100 pixels in the row `place`, so far to the side.
fn square(place: usize, aside: f32) -> Rect {
    Rect::new(aside, 200.0 * place as f32, 100.0, 100.0)
}

fn found(rect: Rect, score: f32) -> Detection {
    Detection {
        rect,
        score,
        landmarks: None,
        luma: None,
    }
}

/// A picture with a square in each of the first `n` rows.
fn truth(n: usize) -> Truth {
    Truth {
        long_side: LONG_SIDE,
        labels: (0..n).map(|i| Label::boxed(square(i, 0.0))).collect(),
        ignore: vec![],
    }
}

fn rules(iou: f64) -> Rules<'static> {
    Rules {
        iou,
        min_face: 10.0,
        group: None,
    }
}

fn verdicts(truth: &Truth, found: &[Detection], rules: &Rules) -> Vec<(Verdict, Option<usize>)> {
    let matched = match_picture(&Seen { truth, found }, rules);
    let hits = matched.hits.iter();
    hits.map(|h| (h.verdict, h.label)).collect()
}

fn figures(pictures: &[(Truth, Vec<Detection>)]) -> Figures {
    figures_by(pictures, &[By::Size])
}

fn figures_by(pictures: &[(Truth, Vec<Detection>)], by: &[By]) -> Figures {
    let seen = pictures.iter().map(|(truth, found)| Seen { truth, found });
    Figures::of(&seen.collect::<Vec<_>>(), 0.5, 10.0, by, &FEW)
}

/// Names of the groups and how many labels each has.
fn counts(figures: &Figures) -> Vec<(&str, usize)> {
    let groups = figures.groups.iter();
    groups.map(|g| (g.name.as_str(), g.labels)).collect()
}

fn value(estimate: Option<Estimate>) -> f64 {
    estimate.map_or(f64::NAN, |e| e.value)
}

fn close(got: Option<f64>, wanted: f64) {
    assert!(
        got.is_some_and(|got| (got - wanted).abs() < 1e-9),
        "{got:?} instead of {wanted}"
    );
}

#[test]
fn the_surer_one_takes_the_label_and_the_other_is_wrong() {
    let both = [found(square(0, 10.0), 0.6), found(square(0, 20.0), 0.9)];
    let matched = match_picture(
        &Seen {
            truth: &truth(1),
            found: &both,
        },
        &rules(0.5),
    );
    let [first, second] = matched.hits[..] else {
        panic!("{matched:?}");
    };
    assert_eq!((first.detection, first.verdict), (1, Verdict::Right));
    assert_eq!((second.detection, second.verdict), (0, Verdict::Wrong));
    assert_eq!(matched.labels, 1);
}

#[test]
fn each_takes_the_free_label_that_it_overlaps_most() {
    // Labels 20 pixels apart. The first detection lies nearer to the second label; the other one takes what is left.
    let labels = [0.0, 20.0].map(|x| Label::boxed(square(0, x)));
    let truth = Truth {
        long_side: LONG_SIDE,
        labels: labels.into(),
        ignore: vec![],
    };
    let all = [found(square(0, 15.0), 0.9), found(square(0, 21.0), 0.8)];
    assert_eq!(
        verdicts(&truth, &all, &rules(0.5)),
        [(Verdict::Right, Some(1)), (Verdict::Right, Some(0))]
    );
}

#[test]
fn an_overlap_below_the_asked_one_is_wrong() {
    // 100 x 100 moved by 25: 75 / 125 = 0.6.
    let all = [found(square(0, 25.0), 0.9)];
    let right = [(Verdict::Right, Some(0))];
    assert_eq!(verdicts(&truth(1), &all, &rules(0.59)), right);
    let wrong = [(Verdict::Wrong, None)];
    assert_eq!(verdicts(&truth(1), &all, &rules(0.61)), wrong);
}

#[test]
fn what_lies_where_nothing_counts_is_neither_right_nor_wrong() {
    let mut truth = truth(1);
    truth.ignore = vec![square(1, 0.0), Rect::new(0.0, 400.0, 400.0, 400.0)];
    // A label of 5 pixels, and detections: on it, on a region, inside a larger region, half outside, tiny, elsewhere.
    truth
        .labels
        .push(Label::boxed(Rect::new(500.0, 0.0, 5.0, 5.0)));
    let all = [
        found(Rect::new(500.0, 0.0, 5.0, 5.5), 0.9),
        found(square(1, 20.0), 0.8),
        found(Rect::new(100.0, 500.0, 50.0, 50.0), 0.7),
        found(Rect::new(375.0, 500.0, 50.0, 50.0), 0.6),
        found(Rect::new(600.0, 600.0, 9.0, 9.0), 0.5),
        found(Rect::new(400.0, 600.0, 20.0, 20.0), 0.4),
        found(square(0, 0.0), 0.3),
    ];
    use Verdict::{Dropped, Right, Wrong};
    let wanted = [
        (Dropped, Some(1)),
        (Dropped, None),
        (Dropped, None),
        (Dropped, None),
        (Dropped, None),
        (Wrong, None),
        (Right, Some(0)),
    ];
    assert_eq!(verdicts(&truth, &all, &rules(0.5)), wanted);
    // With the picture twice as large, faces are half as large as they look in it.
    truth.long_side *= 2.0;
    let matched = match_picture(
        &Seen {
            truth: &truth,
            found: &[],
        },
        &Rules {
            min_face: 51.0,
            ..rules(0.5)
        },
    );
    assert_eq!(matched.labels, 0);
}

#[test]
fn a_label_that_counts_comes_before_one_that_does_not() {
    // The small label fits better, but does not count.
    let mut truth = truth(1);
    truth
        .labels
        .push(Label::boxed(Rect::new(0.0, 0.0, 95.0, 95.0)));
    let rules = Rules {
        min_face: 97.0,
        ..rules(0.5)
    };
    let all = [found(Rect::new(0.0, 0.0, 95.0, 95.0), 0.9)];
    assert_eq!(
        verdicts(&truth, &all, &rules),
        [(Verdict::Right, Some(0))],
        "its size is the label's business, not its own"
    );
}

#[test]
fn what_is_no_number_is_left_out() {
    let all = [
        found(square(0, 0.0), f32::NAN),
        found(Rect::new(f32::INFINITY, 0.0, 1.0, 1.0), 0.9),
    ];
    assert_eq!(verdicts(&truth(1), &all, &rules(0.5)), []);
}

/// Right, wrong, right, wrong, right of four labels.
fn five() -> Vec<(Truth, Vec<Detection>)> {
    let away = Rect::new(0.0, 5000.0, 100.0, 100.0);
    let elsewhere = Rect::new(0.0, 7000.0, 100.0, 100.0);
    vec![
        (
            truth(3),
            vec![
                found(square(0, 0.0), 0.9),
                found(away, 0.8),
                found(square(1, 0.0), 0.7),
            ],
        ),
        (
            truth(1),
            vec![found(elsewhere, 0.6), found(square(0, 0.0), 0.4)],
        ),
    ]
}

#[test]
fn five_detections_counted_by_hand() {
    let f = figures(&five());
    assert_eq!((f.pictures, f.labels, f.dropped), (2, 4, 0));
    // Precisions 1, 1/2, 2/3, 2/4, 3/5; the envelope at the right ones 1, 2/3, 3/5; each adds a quarter of the recall.
    let ap50 = (1.0 + 2.0 / 3.0 + 3.0 / 5.0) / 4.0;
    close(f.ap50.map(|e| e.value), ap50);
    // All boxes are exact, so every overlap gives the same.
    close(f.ap.map(|e| e.value), ap50);
    // At most 0.2 wrong ones: only what comes before the first.
    close(f.recall_at.map(|e| e.value), 0.25);
    assert_eq!(f.recall_at_threshold, Some(0.9));
    close(f.precision.map(|e| e.value), 0.5);
    close(f.recall.map(|e| e.value), 0.5);
    close(f.false_positives.map(|e| e.value), 1.0);
    assert_eq!((f.nme, f.nme90, f.nme_faces), (None, None, 0));
    assert_eq!(f.threshold_for_recall, None);
    assert_eq!(counts(&f), [("small", 0), ("medium", 0), ("large", 4)]);
    close(f.groups[2].ap50.map(|e| e.value), ap50);
    close(f.groups[2].recall.map(|e| e.value), 0.5);
    assert_eq!((f.groups[0].ap50, f.groups[0].recall), (None, None));
}

#[test]
fn a_threshold_for_recall_is_the_lowest_score_needed() {
    let matched: Vec<_> = five()
        .iter()
        .map(|(truth, found)| match_picture(&Seen { truth, found }, &rules(0.5)))
        .collect();
    let ranking = Ranking::of(&matched);
    assert_eq!(ranking.threshold_for_recall(0.25), Some(0.9));
    assert_eq!(ranking.threshold_for_recall(0.5), Some(0.7));
    assert_eq!(ranking.threshold_for_recall(0.75), Some(0.4));
    assert_eq!(ranking.threshold_for_recall(1.0), None);
    assert_eq!(Ranking::default().threshold_for_recall(0.5), None);
}

#[test]
fn boxes_that_fit_loosely_cost_the_higher_overlaps() {
    // 75 / 125 = 0.6 exactly: right at 0.5, 0.55 and 0.6, three of ten.
    let f = figures(&[(truth(1), vec![found(square(0, 25.0), 0.9)])]);
    assert_eq!(value(f.ap50), 1.0);
    let of_ten = value(f.ap) * 10.0;
    assert!((of_ten - 3.0).abs() < 1e-9 || (of_ten - 2.0).abs() < 1e-9);
    // Nobody drew these boxes.
    let mut guessed = truth(1);
    guessed.labels[0].guessed = true;
    let f = figures(&[(guessed, vec![found(square(0, 25.0), 0.9)])]);
    assert_eq!((value(f.ap50), f.ap), (1.0, None));
}

#[test]
fn sizes_meet_without_a_gap() {
    let of = |side: f32| -> Vec<usize> {
        let label = Label::boxed(Rect::new(0.1, 0.3, side, side));
        let truth = Truth {
            long_side: LONG_SIDE,
            labels: vec![label],
            ignore: vec![],
        };
        let groups = figures(&[(truth, vec![])]).groups;
        groups.iter().map(|g| g.labels).collect()
    };
    assert_eq!(of(31.99), [1, 0, 0]);
    assert_eq!(of(32.0), [0, 1, 0]);
    assert_eq!(of(96.0), [0, 1, 0]);
    assert_eq!(of(96.01), [0, 0, 1]);
    assert_eq!(of(9.9), [0, 0, 0]);
}

/// What becomes of the detections in each of the groups.
fn verdicts_by(truth: &Truth, found: &[Detection], by: By) -> Vec<(String, Vec<Verdict>)> {
    let groups = Group::all(by, &[Seen { truth, found }]);
    let of_group = |group: &Group| {
        let rules = Rules {
            group: Some(group),
            ..rules(0.5)
        };
        let all = verdicts(truth, found, &rules);
        (group.name.clone(), all.iter().map(|v| v.0).collect())
    };
    groups.iter().map(of_group).collect()
}

#[test]
fn faces_of_another_name_count_neither_for_nor_against() {
    let mut truth = truth(3);
    truth.labels[0].name = Some("masked".into());
    truth.labels[1].name = Some("bare".into());
    // On the masked face, on the bare one, on the nameless one, and where no face is.
    let mut all: Vec<_> = (0..4).map(|row| found(square(row, 0.0), 0.9)).collect();
    use Verdict::{Dropped, Right, Wrong};
    let wanted = [
        ("bare".into(), vec![Dropped, Right, Dropped, Wrong]),
        ("masked".into(), vec![Right, Dropped, Dropped, Wrong]),
        ("(none)".into(), vec![Dropped, Dropped, Right, Wrong]),
    ];
    assert_eq!(verdicts_by(&truth, &all, By::Label), wanted);
    let f = figures_by(&[(truth.clone(), all.clone())], &[By::Label, By::Size]);
    let sizes = [("small", 0), ("medium", 0), ("large", 3)];
    let names = [("bare", 1), ("masked", 1), ("(none)", 1)];
    assert_eq!(counts(&f), [&names[..], &sizes].concat());
    // A second one on the same face is wrong, as anywhere.
    all.truncate(1);
    all.push(found(square(0, 10.0), 0.8));
    let masked = &verdicts_by(&truth, &all, By::Label)[1].1;
    assert_eq!(masked, &[Right, Wrong]);
    // Where nobody named any, there is nothing to group.
    truth.labels.iter_mut().for_each(|l| l.name = None);
    assert_eq!(verdicts_by(&truth, &all, By::Label), []);
}

#[test]
fn what_is_known_to_lie_in_other_light_counts_neither_for_nor_against() {
    let lumas = [69.9, 70.0, 170.0, 170.1];
    let mut truth = truth(4);
    let labels = truth.labels.iter_mut().zip(lumas);
    labels.for_each(|(label, luma)| label.luma = Some(luma));
    let f = figures_by(&[(truth.clone(), vec![])], &[By::Light]);
    assert_eq!(counts(&f), [("dark", 1), ("normal", 2), ("bright", 1)]);

    // On the dark face, though bright itself; where no face is: dark, bright, and nobody knows.
    let lit = |row, luma| Detection {
        luma,
        ..found(square(row, 0.0), 0.9)
    };
    let all = [
        lit(0, Some(200.0)),
        lit(5, Some(10.0)),
        lit(6, Some(200.0)),
        lit(7, None),
    ];
    use Verdict::{Dropped, Right, Wrong};
    let wanted = [
        ("dark".into(), vec![Right, Wrong, Dropped, Wrong]),
        ("normal".into(), vec![Dropped, Dropped, Dropped, Wrong]),
        ("bright".into(), vec![Dropped, Dropped, Wrong, Wrong]),
    ];
    assert_eq!(verdicts_by(&truth, &all, By::Light), wanted);
}

#[test]
fn a_group_is_as_sure_as_the_pictures_with_its_faces_are_many() {
    let mut all: Vec<_> = (0..40)
        .map(|_| (truth(1), vec![found(square(0, 0.0), 0.9)]))
        .collect();
    for (i, (truth, _)) in all.iter_mut().enumerate() {
        let name = ["one", "two", "two"].get(i).unwrap_or(&"more");
        truth.labels[0].name = Some((*name).to_owned());
    }
    let f = figures_by(&all, &[By::Label]);
    assert_eq!(counts(&f), [("more", 37), ("one", 1), ("two", 2)]);
    let recall = |i: usize| f.groups[i].recall.unwrap();
    assert_eq!((recall(1).value, recall(1).interval), (1.0, None));
    // Wilson's for two of two and for 37 of 37.
    let low = |i: usize| recall(i).interval.unwrap().low;
    assert!((low(2) - 0.342).abs() < 1e-3 && (low(0) - 0.906).abs() < 1e-3);
    assert_eq!((recall(2).n, f.recall.unwrap().n), (2, 40));
}

#[test]
fn a_difference_is_drawn_in_pairs() {
    // One picture in two is hard, and both miss it: what each finds varies, their difference does not.
    let pictures: Vec<Truth> = (0..40).map(|_| truth(1)).collect();
    let hit = [found(square(0, 0.0), 0.9)];
    let also = [found(square(0, 0.0), 0.9), found(square(2, 0.0), 0.95)];
    let seen =
        |of: &'static dyn Fn(usize) -> usize, lists: [&'static [Detection]; 3]| -> Vec<Seen> {
            let pairs = pictures.iter().enumerate();
            pairs
                .map(|(i, truth)| Seen {
                    truth,
                    found: lists[of(i)],
                })
                .collect()
        };
    let lists: [&'static [Detection]; 3] =
        [&[], Box::leak(Box::new(hit)), Box::leak(Box::new(also))];
    let ours = seen(&|i| i % 2, lists);
    let same = ap50_difference(&ours, &ours, 10.0, &FEW).unwrap();
    let interval = same.interval.unwrap();
    assert_eq!((same.value, interval.low, interval.high), (0.0, 0.0, 0.0));
    // A surer wrong one in each picture halves the precision everywhere.
    let theirs = seen(&|i| i % 2 * 2, lists);
    let better = ap50_difference(&ours, &theirs, 10.0, &FEW).unwrap();
    close(Some(better.value), 0.25);
    assert!(better.interval.unwrap().low > 0.0);
    let worse = ap50_difference(&theirs, &ours, 10.0, &FEW).unwrap();
    close(Some(worse.value), -0.25);
    assert_eq!(ap50_difference(&ours, &theirs[1..], 10.0, &FEW), None);
}

#[test]
fn negatives_are_counted_per_picture() {
    let empty = truth(0);
    let two = vec![found(square(0, 0.0), 0.9), found(square(2, 0.0), 0.8)];
    let mut pictures = vec![(empty.clone(), two)];
    pictures.extend((0..9).map(|_| (empty.clone(), vec![found(square(0, 0.0), 0.3)])));
    let f = figures(&pictures);
    close(f.false_positives.map(|e| e.value), 0.2);
    assert_eq!((f.ap50, f.recall, f.recall_at), (None, None, None));
    assert_eq!(value(f.precision), 0.0);
    // Not one false positive is no certainty.
    let none: Vec<_> = (0..10).map(|_| (empty.clone(), vec![])).collect();
    let nothing = figures(&none).false_positives.unwrap();
    let interval = nothing.interval.unwrap();
    assert_eq!(interval.method, Method::WilsonOverGroups);
    assert!(nothing.value == 0.0 && interval.low == 0.0 && interval.high > 0.2);
}

#[test]
fn nothing_at_all_has_no_figures() {
    let f = figures(&[]);
    assert_eq!((f.pictures, f.labels), (0, 0));
    assert_eq!((f.ap50, f.false_positives, f.nme), (None, None, None));
}

fn point(x: f32, y: f32) -> Point {
    Point { x, y }
}

/// A face seen from the front: the eyes 40 apart, the mouth 40 below.
fn points() -> Points {
    Points {
        eyes: [point(100.0, 100.0), point(140.0, 100.0)],
        mouth: point(120.0, 140.0),
    }
}

#[test]
fn a_box_is_guessed_from_points() {
    // 0.95 * 40 < 40: the distance of the eyes.
    let label = Label::pointed(points());
    let wanted = Rect::new(120.0 - 41.8, 110.4 - 55.4, 83.6, 110.8);
    for (got, wanted) in [
        (label.rect.x, wanted.x),
        (label.rect.y, wanted.y),
        (label.rect.w, wanted.w),
        (label.rect.h, wanted.h),
    ] {
        assert!((got - wanted).abs() < 1e-4, "{:?}", label.rect);
    }
    assert!(label.guessed);
    // From the side, the mouth says how large it is.
    let mut side = points();
    side.eyes[1].x = 110.0;
    assert!((Label::pointed(side).rect.w - 2.09 * 0.95 * 42.72).abs() < 0.01);
    assert!(profile(&side) && !profile(&points()));
}

#[test]
fn the_error_of_points_is_measured_by_the_eyes() {
    let exact = [
        point(100.0, 100.0),
        point(140.0, 100.0),
        point(0.0, 0.0),
        point(110.0, 140.0),
        point(130.0, 140.0),
    ];
    close(nme(&points(), &exact), 0.0);
    // 3, 0 and 3 pixels off, of 40.
    let mut off = exact;
    off[0].x -= 3.0;
    off[3].y += 6.0;
    close(nme(&points(), &off), 6.0 / 3.0 / 40.0);
    let mut blind = points();
    blind.eyes[1] = blind.eyes[0];
    assert_eq!(nme(&blind, &exact), None);

    let label = Label::pointed(points());
    let truth = Truth {
        long_side: LONG_SIDE,
        labels: vec![label.clone()],
        ignore: vec![],
    };
    let of = |landmarks, score| Detection {
        rect: label.rect,
        score,
        landmarks: Some(landmarks),
        luma: None,
    };
    let pictures = [
        (truth.clone(), vec![of(exact, 0.9)]),
        (truth.clone(), vec![of(off, 0.9)]),
        (truth.clone(), vec![of([point(0.0, 0.0); 5], 0.4)]),
        (truth.clone(), vec![found(label.rect, 0.9)]),
    ];
    let f = figures(&pictures);
    assert_eq!(
        f.nme_faces, 2,
        "one is below the threshold, one says nothing"
    );
    close(f.nme.map(|e| e.value), 0.025);
    close(f.nme90, 0.045);
    let interval = f.nme.unwrap().interval.unwrap();
    assert_eq!((interval.low, interval.high), (0.0, 0.05));
}

fn detection() -> impl Strategy<Value = Detection> {
    (0usize..6, -60f32..60.0, 0f32..1.0).prop_map(|(row, aside, score)| {
        // Some tiny ones, which are dropped.
        let mut rect = square(row, aside);
        if row == 5 {
            rect.h = 0.5;
        }
        // In any light; the surer, the brighter.
        Detection {
            luma: Some(f64::from(score) * 255.0),
            ..found(rect, score)
        }
    })
}

fn picture() -> impl Strategy<Value = (Truth, Vec<Detection>)> {
    let detections = prop::collection::vec(detection(), 0..8);
    (0usize..4, any::<bool>(), detections).prop_map(|(n, region, found)| {
        let mut truth = truth(n);
        for (i, label) in truth.labels.iter_mut().enumerate() {
            label.name = ["masked", "bare"].get(i).map(|n| (*n).to_owned());
            label.luma = Some(100.0 * i as f64);
        }
        truth.ignore.extend(region.then(|| square(4, 0.0)));
        (truth, found)
    })
}

fn pictures() -> impl Strategy<Value = Vec<(Truth, Vec<Detection>)>> {
    prop::collection::vec(picture(), 0..8)
}

proptest! {
    #[test]
    fn shares_lie_within_0_and_1(all in pictures()) {
        let f = figures_by(&all, &[By::Size, By::Label, By::Light]);
        let mut shares = vec![f.ap50, f.ap, f.recall_at, f.precision, f.recall];
        shares.extend(f.groups.iter().flat_map(|g| [g.ap50, g.recall]));
        for e in shares.into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&e.value));
            if let Some(i) = e.interval {
                prop_assert!(0.0 <= i.low && i.low <= i.high && i.high <= 1.0, "{:?}", e);
            }
        }
        prop_assert!(value(f.ap) <= value(f.ap50) + 1e-9 || f.ap.is_none());
        prop_assert_eq!(f.ap50.is_none(), f.labels == 0);
        for by in [By::Size, By::Label, By::Light] {
            let groups = f.groups.iter().filter(|g| g.by == by);
            prop_assert_eq!(groups.map(|g| g.labels).sum::<usize>(), f.labels, "{:?}", by);
        }
    }

    #[test]
    fn a_group_of_all_faces_has_the_figures_of_all(all in pictures()) {
        let mut named = all.clone();
        named.iter_mut().flat_map(|p| &mut p.0.labels).for_each(|l| l.name = Some("all".into()));
        let f = figures_by(&named, &[By::Label]);
        let values = |ap50: Option<Estimate>, recall: Option<Estimate>| [ap50, recall].map(|e| e.map(|e| e.value));
        for group in &f.groups {
            prop_assert_eq!(values(group.ap50, group.recall), values(f.ap50, f.recall));
        }
        prop_assert_eq!(f.groups.len(), usize::from(f.labels > 0));
    }

    #[test]
    fn the_order_of_pictures_and_detections_does_not_matter(all in pictures(), turn in 0usize..8) {
        let mut scores: Vec<u32> = all.iter().flat_map(|p| &p.1).map(|d| d.score.to_bits()).collect();
        let n = scores.len();
        scores.sort_unstable();
        scores.dedup();
        prop_assume!(scores.len() == n);
        let mut turned = all.clone();
        turned.rotate_left(turn.min(all.len()));
        for (truth, found) in &mut turned {
            truth.labels.reverse();
            found.reverse();
        }
        let (a, b) = (figures(&all), figures(&turned));
        for (a, b) in [(a.ap50, b.ap50), (a.ap, b.ap), (a.recall_at, b.recall_at), (a.precision, b.precision)] {
            prop_assert!((value(a) - value(b)).abs() < 1e-9 || (a.is_none() && b.is_none()));
        }
    }

    #[test]
    fn only_the_order_of_scores_counts(all in pictures()) {
        let mut mapped = all.clone();
        // Powers of two keep apart what was apart.
        mapped.iter_mut().flat_map(|p| &mut p.1).for_each(|d| d.score *= 0.25);
        prop_assert_eq!(figures(&all).ap50, figures(&mapped).ap50);
        prop_assert_eq!(figures(&all).recall_at, figures(&mapped).recall_at);
    }

    #[test]
    fn a_wrong_detection_never_helps_and_a_label_found_never_harms(all in pictures(), score in 0f32..1.0) {
        prop_assume!(!all.is_empty());
        let before = figures(&all);
        let mut worse = all.clone();
        worse[0].1.push(found(Rect::new(0.0, 9000.0, 50.0, 50.0), score));
        let after = figures(&worse);
        prop_assert!(before.ap50.is_none() || value(after.ap50) <= value(before.ap50) + 1e-9);
        prop_assert!(before.recall_at.is_none() || value(after.recall_at) <= value(before.recall_at) + 1e-9);
        prop_assert_eq!(value(after.recall).to_bits(), value(before.recall).to_bits());

        // A label far off that nobody had found, found by the surest of all detections.
        let mut missed = all.clone();
        let far = Rect::new(0.0, 9000.0, 50.0, 50.0);
        missed[0].0.labels.push(Label::boxed(far));
        let mut better = missed.clone();
        better[0].1.push(found(far, 2.0));
        let (missed, better) = (figures(&missed), figures(&better));
        prop_assert!(value(better.ap50) >= value(missed.ap50) - 1e-9);
        prop_assert!(value(better.recall) >= value(missed.recall));
    }

    #[test]
    fn a_higher_threshold_finds_no_more(all in pictures(), a in 0f32..1.0, b in 0f32..1.0) {
        let seen: Vec<Seen> = all.iter().map(|(truth, found)| Seen { truth, found }).collect();
        let at = |t| Figures::of(&seen, t, 10.0, &[By::Size], &Bootstrap { resamples: 0, seed: 0 });
        let (low, high) = (at(a.min(b)), at(a.max(b)));
        prop_assert!(high.recall.is_none() || value(high.recall) <= value(low.recall));
        prop_assert!(high.false_positives.is_none() || value(high.false_positives) <= value(low.false_positives));
        prop_assert!(high.dropped <= low.dropped);
        prop_assert!(low.ap50.is_none_or(|e| e.interval.is_none()), "no resamples, no interval");
    }

    #[test]
    fn everything_found_exactly_is_an_ap_of_1(n in prop::collection::vec(0usize..4, 1..6), score in 0f32..1.0) {
        let all: Vec<_> = n.iter().map(|n| {
            let truth = truth(*n);
            let exact = truth.labels.iter().map(|l| found(l.rect, score)).collect();
            (truth, exact)
        }).collect();
        let f = figures(&all);
        prop_assert!(f.labels == 0 || (value(f.ap50), value(f.ap), value(f.recall_at)) == (1.0, 1.0, 1.0));
    }
}
