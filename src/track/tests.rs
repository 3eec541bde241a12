// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who keeps a number, who gets a new one, and how faces move between two looks.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::geometry::Point;

/// Score that a new face needs.
const SURE: f32 = 0.5;

fn face(x: f32, y: f32, size: f32) -> Face {
    Face {
        rect: Rect::new(x - size / 2.0, y - size / 2.0, size, size),
        score: 0.9,
        landmarks: Some([Point { x, y }; 5]),
        ..Face::default()
    }
}

/// Time of frame `i` at `rate` frames a second.
fn at(i: usize, rate: f64) -> Option<Duration> {
    Some(Duration::from_secs_f64(10.0 + i as f64 / rate))
}

/// The numbers of these faces in frame `i` of 25 a second.
fn look(tracker: &mut Tracker, i: usize, faces: &[Face]) -> Vec<u64> {
    let mut faces = faces.to_vec();
    tracker.update(&mut faces, SURE, at(i, 25.0));
    faces.iter().map(|f| f.track.unwrap()).collect()
}

#[test]
fn numbers_start_at_one_and_stay() {
    let mut t = Tracker::new();
    let faces = [face(100.0, 100.0, 50.0), face(300.0, 100.0, 50.0)];
    for i in 0..100 {
        assert_eq!(look(&mut t, i, &faces), [1, 2]);
    }
}

#[test]
fn a_face_behind_a_pillar_is_the_same_face_and_one_that_went_is_not() {
    for (gone, wanted) in [(20, 1), (27, 2)] {
        let mut t = Tracker::new();
        // 40 pixels a second.
        let walker = |i: usize| face(100.0 + 1.6 * i as f32, 100.0, 50.0);
        for i in 0..20 {
            look(&mut t, i, &[walker(i)]);
        }
        for i in 20..20 + gone {
            look(&mut t, i, &[]);
        }
        assert_eq!(look(&mut t, 20 + gone, &[walker(20 + gone)]), [wanted]);
    }
}

#[test]
fn numbers_are_not_used_again_after_a_reset() {
    let mut t = Tracker::new();
    let faces = [face(100.0, 100.0, 50.0)];
    assert_eq!(look(&mut t, 0, &faces), [1]);
    t.reset();
    assert_eq!(look(&mut t, 1, &faces), [2]);
}

#[test]
fn small_fast_faces_are_followed_where_nothing_overlaps() {
    // A walk across the picture: 8 sizes a second, 10 frames a second.
    let mut t = Tracker::new();
    for i in 0..20 {
        let mut faces = vec![face(20.0 + 16.0 * i as f32, 50.0, 20.0)];
        t.update(&mut faces, SURE, at(i, 10.0));
        assert_eq!(faces[0].track, Some(1), "frame {i}");
    }
    // And looked at every fifth frame of 25 a second: 1.6 sizes from look to look.
    let mut t = Tracker::new();
    for i in 0..20 {
        let mut faces = vec![face(20.0 + 32.0 * i as f32, 50.0, 20.0)];
        t.update(&mut faces, SURE, at(i, 5.0));
        assert_eq!(faces[0].track, Some(1), "look {i}");
    }
}

/// Two people walk through each other's way; where their boxes overlap by `hides` or more, one sees only the nearer.
fn crossing(rate: f64, apart: f32, nearer: f32, hides: f32) -> (Vec<u64>, Vec<u64>) {
    let mut t = Tracker::new();
    let frames = (4.0 * rate) as usize;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for i in 0..=frames {
        let way = 600.0 * i as f32 / frames as f32;
        let (a, b) = (
            face(100.0 + way, 200.0, 60.0),
            face(700.0 - way, 200.0 + apart, 60.0 * nearer),
        );
        let mut faces = vec![b.clone()];
        if a.rect.iou(&b.rect) < hides {
            faces.push(a);
        }
        t.update(&mut faces, SURE, at(i, rate));
        let numbers: Vec<_> = faces.iter().map(|f| f.track.unwrap()).collect();
        if i == 0 {
            first = numbers;
        } else if i == frames {
            last = numbers;
        }
    }
    (first, last)
}

#[test]
fn people_who_cross_keep_their_numbers() {
    for rate in [8.0, 15.0, 30.0] {
        for apart in [0.0, 8.0, 30.0] {
            for nearer in [0.8, 1.0, 1.3] {
                // With and without the one behind being hidden.
                for hides in [0.05, 0.4, 2.0] {
                    let (first, last) = crossing(rate, apart, nearer, hides);
                    assert_eq!(
                        first, last,
                        "{rate} frames a second, {apart} apart, {nearer} times as large, hidden from {hides}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_head_that_turns_back_between_looks_is_the_same_head() {
    let mut t = Tracker::new();
    for (i, x) in [0.0, 60.0, 120.0, 180.0, 100.0, 20.0, 120.0]
        .iter()
        .enumerate()
    {
        let mut faces = vec![face(300.0 + x, 300.0, 120.0)];
        t.update(&mut faces, SURE, at(i, 5.0));
        assert_eq!(faces[0].track, Some(1), "look {i}");
    }
}

#[test]
fn a_doubtful_box_does_not_take_the_number_of_a_confident_one() {
    let mut t = Tracker::new();
    let person = face(100.0, 100.0, 60.0);
    let mut ghost = face(104.0, 100.0, 60.0);
    ghost.score = 0.55;
    assert_eq!(look(&mut t, 0, std::slice::from_ref(&person)), [1]);
    // The person has moved, the ghost is nearer to where the person was.
    let moved = face(112.0, 100.0, 60.0);
    assert_eq!(look(&mut t, 1, &[ghost.clone(), moved]), [2, 1]);
    // Alone, a doubtful box goes on with the track.
    let mut t = Tracker::new();
    assert_eq!(look(&mut t, 0, &[person]), [1]);
    assert_eq!(look(&mut t, 1, &[ghost]), [1]);
}

#[test]
fn a_face_of_another_size_at_the_same_place_is_another_face() {
    let mut t = Tracker::new();
    assert_eq!(look(&mut t, 0, &[face(100.0, 100.0, 40.0)]), [1]);
    assert_eq!(look(&mut t, 1, &[face(100.0, 100.0, 100.0)]), [2]);
}

#[test]
fn of_two_near_faces_the_one_of_its_own_size_is_it() {
    let mut t = Tracker::new();
    let mut update = |i, mut faces: Vec<Face>| {
        t.update(&mut faces, SURE, at(i, 10.0));
        faces.iter().map(|f| f.track.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(update(0, vec![face(100.0, 100.0, 40.0)]), [1]);
    // The larger one is a little nearer, and overlaps more.
    let two = vec![face(66.0, 100.0, 64.0), face(136.0, 100.0, 40.0)];
    assert_eq!(update(1, two), [2, 1]);
}

#[test]
fn a_break_in_the_stream_ends_all_tracks_unless_it_always_has_them() {
    let faces = [face(100.0, 100.0, 50.0)];
    let mut t = Tracker::new();
    assert_eq!(look(&mut t, 0, &faces), [1]);
    assert_eq!(look(&mut t, 1, &faces), [1]);
    assert_eq!(look(&mut t, 30, &faces), [2]);
    assert_eq!(look(&mut t, 31, &faces), [2]);
    // One frame every four seconds.
    let mut t = Tracker::new();
    for i in 0..5 {
        assert_eq!(look(&mut t, 100 * i, &faces), [1]);
    }
}

#[test]
fn without_times_frames_are_counted() {
    for time in [None, Some(Duration::from_secs(7))] {
        let mut t = Tracker::new();
        let mut faces = vec![face(100.0, 100.0, 50.0)];
        let mut update = |faces: &mut Vec<Face>| {
            t.update(faces, SURE, time);
            faces.first().and_then(|f| f.track)
        };
        assert_eq!(update(&mut faces), Some(1));
        for _ in 0..25 {
            update(&mut vec![]);
        }
        assert_eq!(update(&mut faces), Some(1));
        for _ in 0..35 {
            update(&mut vec![]);
        }
        assert_eq!(update(&mut faces), Some(2));
    }
}

#[test]
fn times_that_hardly_move_pile_nothing_up() {
    let mut t = Tracker::new();
    for i in 0..2000u64 {
        let mut faces = vec![face(1000.0 * i as f32, 0.0, 10.0)];
        t.update(&mut faces, SURE, Some(Duration::from_nanos(i)));
    }
    assert!(t.tracks.len() <= KEPT_LOOKS as usize + 1);
}

#[test]
fn frames_played_backwards_are_followed_too() {
    let mut t = Tracker::new();
    for i in (0..100).rev() {
        let walker = face(100.0 + 4.0 * i as f32, 100.0, 50.0);
        assert_eq!(look(&mut t, i, &[walker]), [1]);
    }
}

/// Boxes of a face at `place` of each frame, looked at every fifth; in between as predicted.
fn between(frames: usize, place: impl Fn(usize) -> f32) -> Vec<(f32, Face)> {
    let mut t = Tracker::new();
    let mut faces = Vec::new();
    let frame = |i: usize| {
        if i.is_multiple_of(5) {
            faces = vec![face(place(i), 100.0, 80.0)];
            t.update(&mut faces, SURE, at(i, 25.0));
        } else {
            t.predict(&mut faces, at(i, 25.0));
        }
        (place(i), faces[0].clone())
    };
    (0..frames).map(frame).collect()
}

#[test]
fn between_looks_a_face_that_walks_walks_on() {
    for (i, (truth, face)) in between(60, |i| 100.0 + 5.0 * i as f32).iter().enumerate() {
        let [x, _] = center(&face.rect);
        let off = (x as f32 - truth).abs();
        // Four frames behind while it is not known to move.
        let allowed = if i < 15 { 20.5 } else { 2.0 };
        assert!(off < allowed, "frame {i}: {off}");
        // Its points go with it.
        assert!((face.landmarks.unwrap()[0].x - x as f32).abs() < 1e-3);
        assert_eq!(face.track, Some(1));
    }
}

#[test]
fn a_face_that_stops_is_overrun_once_and_by_one_interval_at_most() {
    let stops = |i: usize| 100.0 + 5.0 * i.min(40) as f32;
    for (i, (truth, face)) in between(80, stops).iter().enumerate().skip(15) {
        let [x, _] = center(&face.rect);
        let off = (x as f32 - truth).abs();
        let allowed = if (40..45).contains(&i) { 20.5 } else { 5.0 };
        assert!(off < allowed, "frame {i}: {off}");
    }
}

#[test]
fn a_prediction_ends_where_the_next_look_was_due() {
    let mut t = Tracker::new();
    let mut faces = Vec::new();
    for i in 0..10 {
        faces = vec![face(100.0 + 25.0 * i as f32, 100.0, 80.0)];
        t.update(&mut faces, SURE, at(i, 5.0));
    }
    let seen = faces[0].rect.x;
    let mut last = seen;
    for i in 50..90 {
        t.predict(&mut faces, at(i, 25.0));
        last = faces[0].rect.x;
    }
    assert!((20.0..30.0).contains(&(last - seen)), "{}", last - seen);
}

#[test]
fn what_nobody_follows_is_not_moved() {
    let mut t = Tracker::new();
    let mut faces = vec![face(100.0, 100.0, 50.0)];
    faces[0].track = Some(5);
    let before = faces.clone();
    t.predict(&mut faces, at(0, 25.0));
    assert_eq!(faces, before);
}

#[test]
fn nothing_is_allocated_for_frames_like_those_before() {
    let mut t = Tracker::new();
    let mut faces: Vec<_> = (0..30).map(|i| face(90.0 * i as f32, 50.0, 60.0)).collect();
    t.update(&mut faces, SURE, at(0, 25.0));
    t.update(&mut faces, SURE, at(1, 25.0));
    let kept = |t: &Tracker| {
        let s = &t.scratch;
        [
            t.tracks.as_ptr() as usize,
            s.order.as_ptr() as usize,
            s.costs.as_ptr() as usize,
        ]
    };
    let before = kept(&t);
    for i in 2..20 {
        t.update(&mut faces, SURE, at(i, 25.0));
    }
    assert_eq!(kept(&t), before);
}

/// Any numbers at all, with a weakness for the odd ones.
fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        6 => -100f32..2000.0,
        1 => any::<f32>(),
        1 => prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::MAX, f32::MIN_POSITIVE, 0.0, -0.0]),
    ]
}

fn any_face() -> impl Strategy<Value = Face> {
    (number(), number(), number(), number(), number()).prop_map(|(x, y, w, h, score)| Face {
        rect: Rect::new(x, y, w, h),
        score,
        ..Face::default()
    })
}

fn sane_face() -> impl Strategy<Value = Face> {
    (0f32..600.0, 0f32..400.0, 20f32..90.0, SURE..1.0).prop_map(|(x, y, size, score)| Face {
        score,
        ..face(x, y, size)
    })
}

fn any_time() -> impl Strategy<Value = Option<Duration>> {
    prop_oneof![
        4 => (0u64..5000).prop_map(|ms| Some(Duration::from_millis(ms))),
        1 => any::<Duration>().prop_map(Some),
        1 => Just(None),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_numbers_are_unique_and_never_used_again(
        frames in prop::collection::vec(
            (prop::collection::vec(any_face(), 0..8), any_time(), 0..10),
            1..30,
        ),
    ) {
        let mut t = Tracker::new();
        let mut all = HashSet::<u64>::new();
        let mut before = HashSet::<u64>::new();
        for (mut faces, time, what) in frames {
            if what == 0 {
                t.reset();
                before.clear();
            }
            // What is not in sight and not remembered any more is gone for good.
            before.retain(|id| t.tracks.iter().any(|t| t.id == *id));
            t.update(&mut faces, SURE, time);
            let mut now = HashSet::new();
            for face in &faces {
                prop_assert_eq!(face.track.is_some(), face.rect.is_valid());
                if let Some(id) = face.track {
                    prop_assert!(id > 0 && now.insert(id), "{} twice", id);
                    prop_assert!(before.contains(&id) || !all.contains(&id), "{} used again", id);
                }
            }
            all.extend(&now);
            before.extend(&now);
            t.predict(&mut faces, time);
            for track in &t.tracks {
                let at = track.motion.at();
                prop_assert!(at.iter().all(|v| v.is_finite()) && track.motion.doubt().is_finite());
            }
            for face in faces.iter().filter(|f| f.track.is_some()) {
                prop_assert!(face.rect.is_valid());
            }
        }
    }

    #[test]
    fn after_any_nonsense_a_face_is_followed_again(
        frames in prop::collection::vec((prop::collection::vec(any_face(), 0..8), any_time()), 1..20),
    ) {
        let mut t = Tracker::new();
        for (mut faces, time) in frames {
            t.update(&mut faces, SURE, time);
        }
        t.reset();
        let first = look(&mut t, 0, &[face(100.0, 100.0, 50.0)]);
        for i in 1..20 {
            prop_assert_eq!(&look(&mut t, i, &[face(100.0 + i as f32, 100.0, 50.0)]), &first);
        }
    }

    #[test]
    fn a_face_that_moves_smoothly_keeps_its_number(
        speed in (-3f64..3.0, -3f64..3.0), turn in -1f64..1.0, growth in 0.7f64..1.4,
        noise in prop::collection::vec((-0.02f64..0.02, -0.02f64..0.02), 60),
        missing in prop::collection::vec(any::<bool>(), 60), size in 12f64..200.0, rate in 8f64..60.0,
    ) {
        let mut t = Tracker::new();
        let (mut x, mut y, mut size) = (1000.0, 1000.0, size);
        for (i, ((nx, ny), missing)) in noise.into_iter().zip(missing).enumerate() {
            // In sizes a second, on a curve.
            let angle = turn * i as f64 / rate;
            x += size * (speed.0 * angle.cos() - speed.1 * angle.sin()) / rate;
            y += size * (speed.0 * angle.sin() + speed.1 * angle.cos()) / rate;
            size *= growth.powf(1.0 / rate);
            let mut faces = vec![face((x + nx * size) as f32, (y + ny * size) as f32, size as f32)];
            // Every now and then the detector misses it.
            if missing && i % 5 == 4 {
                t.update(&mut vec![], SURE, at(i, rate));
            } else {
                t.update(&mut faces, SURE, at(i, rate));
                prop_assert_eq!(faces[0].track, Some(1), "frame {}", i);
            }
        }
    }

    #[test]
    fn the_order_of_faces_changes_nothing(
        frames in prop::collection::vec(
            prop::collection::vec(sane_face(), 0..8).prop_flat_map(|f| (Just(f.clone()), Just(f).prop_shuffle())),
            1..15,
        ),
    ) {
        let (mut a, mut b) = (Tracker::new(), Tracker::new());
        for (i, (mut ordered, mut shuffled)) in frames.into_iter().enumerate() {
            a.update(&mut ordered, SURE, at(i, 25.0));
            b.update(&mut shuffled, SURE, at(i, 25.0));
            for faces in [&mut ordered, &mut shuffled] {
                faces.sort_by(compare);
            }
            prop_assert_eq!(ordered, shuffled);
        }
    }

    #[test]
    fn between_looks_nothing_runs_away(
        places in prop::collection::vec((sane_face(), 1usize..8), 1..20),
    ) {
        let mut t = Tracker::new();
        let mut i = 0;
        for (face, frames) in places {
            let mut faces = vec![face];
            t.update(&mut faces, SURE, at(i, 25.0));
            let seen = faces[0].clone();
            for _ in 0..frames {
                i += 1;
                t.predict(&mut faces, at(i, 25.0));
                let (a, b) = (center(&seen.rect), center(&faces[0].rect));
                let far = (a[0] - b[0]).hypot(a[1] - b[1]);
                prop_assert!(far <= 1.001 * size(&seen.rect), "{}", far);
                prop_assert!((seen.rect.w, seen.rect.h) == (faces[0].rect.w, faces[0].rect.h));
            }
            i += 1;
        }
    }
}

/// The numbers of the faces that are left of those at these places, with these scores.
fn left(t: &mut Tracker, i: usize, faces: &[(f32, f32)]) -> Vec<u64> {
    let faint = |&(x, score): &(f32, f32)| Face {
        score,
        ..face(x, 100.0, 50.0)
    };
    let mut faces: Vec<_> = faces.iter().map(faint).collect();
    t.update(&mut faces, SURE, at(i, 25.0));
    faces.iter().map(|f| f.track.unwrap()).collect()
}

#[test]
fn a_faint_face_is_one_that_is_followed_or_none() {
    let mut t = Tracker::new();
    assert_eq!(left(&mut t, 0, &[(100.0, 0.4)]), [0; 0], "nobody was there");
    assert_eq!(left(&mut t, 1, &[(100.0, 0.9)]), [1]);
    assert_eq!(left(&mut t, 2, &[(102.0, 0.4)]), [1]);
    assert_eq!(left(&mut t, 3, &[(180.0, 0.4)]), [0; 0], "elsewhere");
    let both = [(106.0, 0.4), (108.0, 0.6)];
    assert_eq!(left(&mut t, 4, &both), [1], "a sure one comes first");
}

#[test]
fn what_is_only_faint_is_followed_for_a_second() {
    let mut t = Tracker::new();
    left(&mut t, 0, &[(100.0, 0.9)]);
    let kept = (1..100).take_while(|&i| !left(&mut t, i, &[(100.0, 0.4)]).is_empty());
    // As often as 40 ms go into a second, give or take what adding them up rounds.
    assert!((24..=25).contains(&kept.count()));
    assert_eq!(left(&mut t, 100, &[(100.0, 0.4)]), [0; 0]);
}

#[test]
fn who_asks_for_surer_faces_gets_them_at_once() {
    let mut t = Tracker::new();
    let mut seen = |i: usize, sure: f32| {
        let mut faces = vec![face(100.0, 100.0, 50.0)];
        t.update(&mut faces, sure, at(i, 25.0));
        faces.len()
    };
    assert_eq!([seen(0, 0.5), seen(1, 0.95), seen(2, 0.95)], [1, 0, 0]);
    assert_eq!(seen(3, 0.9), 1);
}

#[test]
fn who_is_being_hidden_is_not_followed_by_a_faint_box() {
    let mut t = Tracker::new();
    assert_eq!(left(&mut t, 0, &[(100.0, 0.9), (160.0, 0.9)]), [1, 2]);
    assert_eq!(left(&mut t, 1, &[(100.0, 0.4), (155.0, 0.9)]), [1, 2]);
    assert_eq!(left(&mut t, 2, &[(100.0, 0.4), (148.0, 0.9)]), [2]);
}
