// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which video the elements take: every raw format that GStreamer's own converter reads, in system memory.

/// Shortest side of a frame that is analysed, in pixels.
pub const LEAST_SIDE: u32 = 16;

/// Raw video of any format and size.
///
/// Smaller sizes than [`LEAST_SIDE`] are let in, so that the element itself can say what is wrong with them: a refused link
/// is an error of somebody else's that names no size.
pub fn raw_video() -> gst::Caps {
    gst_video::VideoCapsBuilder::new()
        .format_list(formats())
        .build()
}

/// The formats of [`raw_video`].
pub fn formats() -> impl Iterator<Item = gst_video::VideoFormat> {
    gst_video::VideoFormat::iter_raw()
}

/// An always-there pad with these caps.
pub fn pad_template(
    name: &str,
    direction: gst::PadDirection,
    caps: &gst::Caps,
) -> Vec<gst::PadTemplate> {
    // The constructor only fails on names with unknown conversions.
    gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps)
        .into_iter()
        .collect()
}

/// Sink and source pad templates of an element that lets video through.
pub fn video_in_video_out() -> Vec<gst::PadTemplate> {
    let caps = raw_video();
    let mut templates = pad_template("sink", gst::PadDirection::Sink, &caps);
    templates.extend(pad_template("src", gst::PadDirection::Src, &caps));
    templates
}

/// Size and format out of negotiated caps.
///
/// # Errors
/// A sentence for the user where a side is shorter than [`LEAST_SIDE`] or the caps are no raw video.
pub fn video_info(caps: &gst::Caps) -> Result<gst_video::VideoInfo, String> {
    let info = gst_video::VideoInfo::from_caps(caps)
        .map_err(|_| format!("{caps} is not raw video that can be analysed"))?;
    if info.width() < LEAST_SIDE || info.height() < LEAST_SIDE {
        return Err(format!(
            "frames of {}x{} are too small to hold a face: at least {LEAST_SIDE}x{LEAST_SIDE} are needed",
            info.width(),
            info.height()
        ));
    }
    Ok(info)
}

/// The shape of a pixel: width over height, 1 where the caps say nonsense.
pub fn pixel_aspect(info: &gst_video::VideoInfo) -> f64 {
    let par = info.par();
    if par.numer() > 0 && par.denom() > 0 {
        f64::from(par.numer()) / f64::from(par.denom())
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_frames_are_named() {
        gst::init().unwrap();
        let caps = |w: i32, h: i32| {
            gst::Caps::builder("video/x-raw")
                .field("format", "I420")
                .field("width", w)
                .field("height", h)
                .build()
        };
        assert!(video_info(&caps(16, 16)).is_ok());
        let text = video_info(&caps(1, 1)).unwrap_err();
        assert!(text.contains("1x1") && text.contains("16x16"), "{text}");
        let sound = gst::Caps::new_empty_simple("audio/x-raw");
        assert!(video_info(&sound).is_err());
    }

    #[test]
    fn all_formats_of_the_converter_are_taken() {
        gst::init().unwrap();
        let ours = raw_video();
        let convert = gst::ElementFactory::find("videoconvert").unwrap();
        for template in convert.static_pad_templates() {
            if template.direction() == gst::PadDirection::Sink {
                let system: gst::Caps = template
                    .caps()
                    .iter_with_features()
                    .filter(|(_, features)| {
                        features.contains(gst::CAPS_FEATURE_MEMORY_SYSTEM_MEMORY)
                    })
                    .map(|(s, _)| s.to_owned())
                    .collect();
                assert!(system.is_subset(&ours), "{system} is more than {ours}");
            }
        }
    }
}
