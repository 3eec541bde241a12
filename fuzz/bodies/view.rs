// SPDX-License-Identifier: MIT OR Apache-2.0
//! A frame of any layout: refused, or else read and scaled without a byte beside it.

use liveness::image::{
    ChromaSite, ColorModel, Component, Layout, Pixels, Plane, Range, Sample, View,
};
use liveness::resize::{Border, Channels, Resizer, TensorFormat, Window};
use liveness::signature::Signature;

use super::bytes::Bytes;

/// Mostly a sane number up to `most`, now and then any.
fn number(bytes: &mut Bytes, most: usize) -> usize {
    match bytes.u8() {
        0 => usize::MAX,
        1 => bytes.u32() as usize,
        2 => 0,
        _ => bytes.up_to(most),
    }
}

fn component(bytes: &mut Bytes) -> Component {
    Component {
        plane: number(bytes, 3),
        offset: number(bytes, 7),
        step: number(bytes, 8),
        sub_x: number(bytes, 3) as u32,
        sub_y: number(bytes, 3) as u32,
        depth: number(bytes, 16) as u32,
        shift: number(bytes, 8) as u32,
    }
}

pub(crate) fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let color = match bytes.u8() % 3 {
        0 => ColorModel::Gray,
        1 => ColorModel::Rgb,
        _ => ColorModel::Yuv {
            kr: 0.299,
            kb: 0.114,
        },
    };
    let sample = [Sample::U8, Sample::U16Le, Sample::U16Be][bytes.u8() as usize % 3];
    let count = match (color, bytes.u8()) {
        (_, 0) => bytes.up_to(5),
        (ColorModel::Gray, _) => 1,
        _ => 3,
    };
    let layout = Layout {
        width: number(&mut bytes, 100),
        height: number(&mut bytes, 100),
        sample,
        components: (0..count).map(|_| component(&mut bytes)).collect(),
        color,
        range: if bytes.u8() & 1 == 0 {
            Range::Full
        } else {
            Range::Limited
        },
        chroma_site: ChromaSite {
            cosited_x: bytes.u8() & 1 == 0,
            cosited_y: bytes.u8() & 1 == 0,
        },
    };
    // Memory that ends where the input says.
    let planes: Vec<_> = (0..bytes.up_to(5))
        .map(|_| (vec![0x5a; bytes.up_to(1 << 16)], number(&mut bytes, 600)))
        .collect();
    let planes: Vec<_> = planes
        .iter()
        .map(|(data, stride)| Plane {
            data,
            stride: *stride,
        })
        .collect();
    let Ok(view) = View::new(&layout, &planes) else {
        return;
    };
    let mut scratch = Vec::new();
    for c in &layout.components {
        for y in 0..layout.component_size(c).1 {
            let row = view.row(c.plane, y, &mut scratch);
            assert!(row.len() >= layout.row_samples(c.plane) * layout.sample.bytes());
        }
    }
    if layout.width > 4096 || layout.height > 4096 {
        return;
    }
    let _ = Signature::of(&view, &mut scratch);
    let reach = |bytes: &mut Bytes, side: usize| bytes.up_to(4 * side) as i64 - 2 * side as i64;
    let window = Window {
        x: reach(&mut bytes, layout.width),
        y: reach(&mut bytes, layout.height),
        w: 1 + bytes.up_to(2 * layout.width) as i64,
        h: 1 + bytes.up_to(2 * layout.height) as i64,
    };
    let border = [Border::Black, Border::Reflect, Border::Replicate][bytes.u8() as usize % 3];
    let channels = [Channels::Rgb, Channels::Bgr, Channels::Gray][bytes.u8() as usize % 3];
    let format = TensorFormat {
        planar: bytes.u8() & 1 == 0,
        ..TensorFormat::levels(1 + bytes.up_to(40), 1 + bytes.up_to(40), channels)
    };
    let target = (
        1 + bytes.up_to(format.width - 1),
        1 + bytes.up_to(format.height - 1),
    );
    let mut tensor = vec![0.0; format.len()];
    Resizer::new().run(&view, window, border, &format, target, &mut tensor);
    assert!(tensor.iter().all(|v| v.is_finite()));
}
