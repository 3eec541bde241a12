// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether GStreamer has the elements that each pipeline and each program needs.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::needs::{NEEDS, Need, package};

/// One finding for everybody who needs something.
pub(crate) fn look() -> Vec<Finding> {
    let has = |name: &str| gst::ElementFactory::find(name).is_some();
    NEEDS.iter().map(|need| of(need, has)).collect()
}

fn of(need: &Need, has: impl Fn(&str) -> bool) -> Finding {
    let mut missing = Vec::new();
    let mut packages = BTreeSet::new();
    for element in need.all.iter().filter(|e| !has(e)) {
        missing.push((*element).to_owned());
        packages.extend(package(element));
    }
    let mut without = Vec::new();
    for (what, elements) in need.any {
        if !elements.iter().any(|e| has(e)) {
            without.push(format!("{what}: none of {}", elements.join(", ")));
            packages.extend(elements.iter().find_map(|e| package(e)));
        }
    }
    let install = || {
        let packages: Vec<_> = packages.iter().copied().collect();
        format!("apt-get install {}", packages.join(" "))
    };
    match (missing.is_empty(), without.is_empty()) {
        (true, true) => Finding::ok(need.who, "all elements are there"),
        // A window, a recorder or a decoder is not for everybody.
        (true, false) => Finding::warn(need.who, without.join("; "), install()),
        (false, _) => {
            let mut text = format!("missing {}", missing.join(", "));
            for more in without {
                text += &format!("; {more}");
            }
            Finding::fail(need.who, text, install())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::State;

    #[test]
    fn what_is_missing_is_named_with_its_packages() {
        let need = NEEDS.iter().find(|n| n.who == "pipelines/file.sh").unwrap();
        assert_eq!(of(need, |_| true).state, State::Ok);
        let finding = of(need, |e| !["qtdemux", "h264parse"].contains(&e));
        assert_eq!(finding.state, State::Fail);
        assert_eq!(finding.text, "missing qtdemux, h264parse");
        let mend = finding.mend.unwrap();
        assert_eq!(
            mend,
            "apt-get install gstreamer1.0-plugins-bad gstreamer1.0-plugins-good"
        );
        let finding = of(need, |e| !e.contains("h264dec") && e != "avdec_h264");
        assert_eq!(finding.state, State::Warn);
        assert!(
            finding
                .text
                .starts_with("to decode H.264: none of avdec_h264")
        );
        assert_eq!(finding.mend.unwrap(), "apt-get install gstreamer1.0-libav");
    }
}
