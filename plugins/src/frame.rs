// SPDX-License-Identifier: MIT OR Apache-2.0
//! A mapped GStreamer frame as the library's pixels, in place.
//!
//! Formats whose components are whole bytes or 16-bit words are read where they lie. The others (palette, tiles, components that
//! share words) are unpacked row by row by GStreamer's own code, into one row of memory.

use gst_video::prelude::*;
use gst_video::video_frame::IsVideoFrame;
use liveness::image::{
    ChromaSite, ColorModel, Component, Layout, Pixels, Plane, Range, Sample, View,
};

mod unpack;

/// How frames with given caps are read. Made once per caps.
#[derive(Clone, Debug)]
pub struct Format {
    info: gst_video::VideoInfo,
    layout: Layout,
    unpacked: bool,
}

impl Format {
    /// For negotiated video.
    pub fn new(info: &gst_video::VideoInfo) -> Self {
        let native = in_place(&info.format_info());
        Self::build(info, native)
    }

    fn build(info: &gst_video::VideoInfo, native: Option<(Sample, Vec<Component>)>) -> Self {
        let unpacked = native.is_none();
        let (sample, components) = native.unwrap_or_else(|| unpacked_row(info));
        let format = info.format_info();
        let color = info.colorimetry();
        let is_yuv = if unpacked {
            unpack_info(info).is_yuv()
        } else {
            format.is_yuv()
        };
        let site = info.chroma_site();
        Self {
            layout: Layout {
                width: info.width() as usize,
                height: info.height() as usize,
                sample,
                color: if components.len() == 1 {
                    ColorModel::Gray
                } else if is_yuv {
                    let (kr, kb) = luma_weights(info);
                    ColorModel::Yuv { kr, kb }
                } else {
                    ColorModel::Rgb
                },
                components,
                range: if color.range() == gst_video::VideoColorRange::Range16_235 {
                    Range::Limited
                } else {
                    Range::Full
                },
                chroma_site: ChromaSite {
                    cosited_x: site.contains(gst_video::VideoChromaSite::H_COSITED),
                    cosited_y: site.contains(gst_video::VideoChromaSite::V_COSITED),
                },
            },
            info: info.clone(),
            unpacked,
        }
    }

    /// The negotiated video.
    pub fn info(&self) -> &gst_video::VideoInfo {
        &self.info
    }

    /// Maps `buffer` for reading, without a copy, and hands its pixels to `look`.
    ///
    /// # Errors
    /// A sentence where the buffer cannot be mapped or is too short for its caps.
    pub fn read<R>(
        &self,
        buffer: &gst::BufferRef,
        look: impl FnOnce(&dyn Pixels) -> R,
    ) -> Result<R, String> {
        let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, &self.info)
            .map_err(|_| {
                format!(
                    "a buffer of {} bytes cannot be read as {} {}x{}",
                    buffer.size(),
                    self.info.format(),
                    self.info.width(),
                    self.info.height()
                )
            })?;
        whole(&frame)?;
        if self.unpacked {
            return Ok(look(&unpack::Unpacked::new(&frame, &self.layout)));
        }
        let mut planes = [Plane {
            data: &[],
            stride: 0,
        }; 4];
        let n = frame.n_planes().min(4);
        for (i, plane) in planes.iter_mut().enumerate().take(n as usize) {
            let stride = frame.plane_stride()[i];
            plane.stride = usize::try_from(stride)
                .map_err(|_| format!("frames stored bottom up (stride {stride}) are unknown"))?;
            plane.data = frame
                .plane_data(i as u32)
                .map_err(|_| format!("plane {i} of the frame cannot be read"))?;
        }
        let view = View::new(&self.layout, &planes[..n as usize]).map_err(|e| e.to_string())?;
        Ok(look(&view))
    }
}

/// Whether a mapped frame has the memory that its planes need. Mapping a buffer with a video meta looks at the start of each
/// plane alone, and both reading and drawing go on from there.
///
/// # Errors
/// A sentence where it has not.
pub fn whole<F: IsVideoFrame>(frame: &F) -> Result<(), String> {
    let raw = frame.as_raw();
    if raw.meta.is_null() {
        // Without one, mapping looks at the whole size.
        return Ok(());
    }
    let info = frame.info();
    let (format, width, height) = (info.format(), info.width(), info.height());
    // How GStreamer itself would lay it out.
    let plain = gst_video::VideoInfo::builder(format, width, height).build();
    let plain = plain.map_err(|e| e.to_string())?;
    let about = info.format_info();
    for i in 0..info.n_planes() as usize {
        let map = &raw.map[i];
        let before = (raw.data[i] as usize).saturating_sub(map.data as usize);
        let end = plain.offset().get(i + 1).copied();
        let size = end.unwrap_or(plain.size()) - plain.offset()[i];
        let component = (0..about.n_components()).find(|&c| about.plane()[c as usize] == i as u32);
        let needed = match (component, info.stride()[i].unsigned_abs() as usize) {
            (Some(component), stride) if !about.is_tiled() => {
                let rows = info.comp_height(component as u8) as usize;
                // Nobody needs padding behind the last row.
                let row = stride.min(plain.stride()[i].unsigned_abs() as usize);
                rows.saturating_sub(1).saturating_mul(stride) + row
            }
            // A tile lies in one piece, a palette has no rows.
            _ => size,
        };
        let there = map.size.saturating_sub(before);
        if there < needed {
            return Err(format!(
                "plane {i} of a {format} {width}x{height} buffer has {there} bytes, {needed} are needed"
            ));
        }
    }
    Ok(())
}

/// Weights of red and blue in luma, by the caps; where they name none, by the size, as GStreamer guesses too.
fn luma_weights(info: &gst_video::VideoInfo) -> (f32, f32) {
    use gst_video::VideoColorMatrix as Matrix;
    let matrix = match info.colorimetry().matrix() {
        Matrix::Unknown | Matrix::Rgb if info.height() > 576 => Matrix::Bt709,
        Matrix::Unknown | Matrix::Rgb => Matrix::Bt601,
        told => told,
    };
    matrix
        .kr_kb()
        .map_or((0.299, 0.114), |(kr, kb)| (kr as f32, kb as f32))
}

/// The components of a format that can be read where they lie; `None` for the others.
fn in_place(format: &gst_video::VideoFormatInfo) -> Option<(Sample, Vec<Component>)> {
    use gst_video::VideoFormat as F;
    // GStreamer 1.22 describes these two otherwise than they are: V216's samples are stored least significant byte first, and
    // VYUY's chroma samples change places.
    let misdescribed = matches!(format.format(), F::V216 | F::Vyuy);
    if misdescribed
        || format.is_complex()
        || format.has_palette()
        || format.is_tiled()
        || format.has_subtiles()
    {
        return None;
    }
    let n = if format.is_gray() { 1 } else { 3 };
    if (format.n_components() as usize) < n {
        return None;
    }
    let bytes = if format.depth()[..n].iter().all(|&d| d == 8) {
        1
    } else {
        2
    };
    let sample = match (bytes, format.is_le()) {
        (1, _) => Sample::U8,
        (_, true) => Sample::U16Le,
        (_, false) => Sample::U16Be,
    };
    let components: Vec<_> = (0..n)
        .map(|i| {
            // P010's and P012's second chroma component is described as 1 byte behind the first, it is 1 sample.
            let offset = match format.poffset()[i] as usize {
                1 if bytes == 2 => 2,
                told => told,
            };
            let (offset, step) = (offset, usize::try_from(format.pixel_stride()[i]).ok()?);
            let (depth, shift) = (format.depth()[i], format.shift()[i]);
            let whole = offset % bytes == 0 && step % bytes == 0 && step > 0;
            let fits = depth >= 8 && depth + shift <= 8 * bytes as u32;
            (whole && fits).then(|| Component {
                plane: format.plane()[i] as usize,
                offset: offset / bytes,
                step: step / bytes,
                sub_x: format.w_sub()[i],
                sub_y: format.h_sub()[i],
                depth,
                shift,
            })
        })
        .collect::<Option<_>>()?;
    // Components that share a word have the same place.
    let apart = components.iter().enumerate().all(|(i, a)| {
        components[..i]
            .iter()
            .all(|b| (a.plane, a.offset) != (b.plane, b.offset))
    });
    apart.then_some((sample, components))
}

fn unpack_info(info: &gst_video::VideoInfo) -> gst_video::VideoFormatInfo {
    gst_video::VideoFormatInfo::from_format(info.format_info().unpack_format())
}

/// The components of a row that GStreamer unpacked: always four, interleaved, the first one alpha.
fn unpacked_row(info: &gst_video::VideoInfo) -> (Sample, Vec<Component>) {
    let wide = unpack_info(info).depth()[0] > 8;
    let sample = match (wide, cfg!(target_endian = "little")) {
        (false, _) => Sample::U8,
        (true, true) => Sample::U16Le,
        (true, false) => Sample::U16Be,
    };
    let components = (1..4)
        .map(|offset| Component {
            plane: 0,
            offset,
            step: 4,
            sub_x: 0,
            sub_y: 0,
            depth: if wide { 16 } else { 8 },
            shift: 0,
        })
        .collect();
    (sample, components)
}

#[cfg(test)]
mod tests;
