// SPDX-License-Identifier: MIT OR Apache-2.0
//! The property `device`.

use gst::glib;

/// Where inference runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLivenessDevice")]
#[repr(i32)]
pub enum Device {
    /// The processor.
    #[default]
    #[enum_value(name = "The processor", nick = "cpu")]
    Cpu,
}

impl From<Device> for liveness::runtime::Device {
    fn from(device: Device) -> Self {
        match device {
            Device::Cpu => Self::Cpu,
        }
    }
}
