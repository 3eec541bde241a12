// SPDX-License-Identifier: MIT OR Apache-2.0
//! Figures as people read them: a share with its interval, a count with what it is of.

use liveness::metrics::{Estimate, Interval};

/// What stands where nothing is known.
pub(crate) const NOTHING: &str = "–";

/// `4.3 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// `4.3 % [2.1, 7.9]`, without brackets where there is no interval.
pub(crate) fn percent_with_interval(estimate: Option<&Estimate>) -> String {
    let bounds = |i: Interval| format!(" [{:.1}, {:.1}]", 100.0 * i.low, 100.0 * i.high);
    estimate.map_or_else(
        || NOTHING.to_owned(),
        |e| percent(e.value) + &e.interval.map(bounds).unwrap_or_default(),
    )
}

/// `0.987 [0.971, 0.996]`: for what is no share of a count.
pub(crate) fn number_with_interval(estimate: Option<&Estimate>) -> String {
    let bounds = |i: Interval| format!(" [{:.3}, {:.3}]", i.low, i.high);
    estimate.map_or_else(
        || NOTHING.to_owned(),
        |e| format!("{:.3}", e.value) + &e.interval.map(bounds).unwrap_or_default(),
    )
}

/// `n = 480 of 30 clients`.
pub(crate) fn count(n: usize, groups: usize, groups_are: &str) -> String {
    format!(
        "n = {} of {}",
        whole(n as u64),
        how_many(groups, groups_are)
    )
}

/// `1 client`, `30 clients`: `plural` loses its s for one.
pub(crate) fn how_many(n: usize, plural: &str) -> String {
    let word = match n {
        1 => plural.strip_suffix('s').unwrap_or(plural),
        _ => plural,
    };
    format!("{} {word}", whole(n as u64))
}

/// `1 234 567`, with thin spaces that do not break.
pub(crate) fn whole(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        let left = digits.len() - i;
        // Four digits are read as easily without.
        if i > 0 && left.is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `147.7 k`, `41.2 M`: a large number in three or four digits.
pub(crate) fn large(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..1_000_000 => format!("{:.1} k", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} M", n as f64 / 1e6),
        _ => format!("{:.1} G", n as f64 / 1e9),
    }
}

/// `0.0001`, `0.033`, `1.25`: three digits that count.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = 2 - value.abs().log10().floor() as i32;
    let text = format!("{value:.*}", digits.clamp(0, 12) as usize);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A threshold, in four digits, or as many as tell it from 0 and 1.
pub(crate) fn threshold(value: f64) -> String {
    let whole = |text: &str| {
        text.parse::<f64>()
            .is_ok_and(|v| v == v.round() && v != value)
    };
    let texts = (4..12).map(|digits| format!("{value:.digits$}"));
    let mut told = texts.skip_while(|t| whole(t));
    told.next().unwrap_or_else(|| value.to_string())
}

/// The name of a kind of attack.
pub(crate) fn species(name: &str) -> &str {
    if name.is_empty() { "not named" } else { name }
}

/// `a, b and c`.
pub(crate) fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use liveness::metrics::Method;

    #[test]
    fn figures_read_as_promised() {
        let mut estimate = Estimate {
            value: 0.0433,
            interval: Some(Interval {
                low: 0.021,
                high: 0.0791,
                method: Method::Bootstrap,
            }),
            n: 480,
            groups: 30,
        };
        assert_eq!(percent_with_interval(Some(&estimate)), "4.3 % [2.1, 7.9]");
        assert_eq!(
            number_with_interval(Some(&estimate)),
            "0.043 [0.021, 0.079]"
        );
        estimate.interval = None;
        assert_eq!(percent_with_interval(Some(&estimate)), "4.3 %");
        assert_eq!(percent_with_interval(None), "–");
        assert_eq!(count(480, 30, "clients"), "n = 480 of 30 clients");
        assert_eq!(how_many(1, "sessions"), "1 session");
    }

    #[test]
    fn numbers_are_short_and_whole() {
        assert_eq!(whole(1234), "1234");
        assert_eq!(whole(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(large(147_712), "147.7 k");
        assert_eq!(large(41_200_000), "41.2 M");
        assert_eq!(short(0.0001), "0.0001");
        assert_eq!(short(0.033_333), "0.0333");
        assert_eq!(short(1.25), "1.25");
        assert_eq!(short(100.0), "100");
        assert_eq!(short(12345.6), "12346");
        assert_eq!(short(0.0), "0");
        assert_eq!(threshold(0.5), "0.5000");
        assert_eq!(threshold(1.0), "1.0000");
        assert_eq!(threshold(0.999_991), "0.99999");
        assert_eq!(threshold(1.000_001), "1.000001");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
