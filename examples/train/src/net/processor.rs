// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where tensors are computed.

use anyhow::Result;
use burn::tensor::Device;

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Processor {
    /// All cores. The same numbers on every machine with the same vector units.
    #[default]
    Cpu,
    /// The graphics card, through Vulkan, Metal or DirectX. Its sums come in any order: the last digits differ from run to run.
    Gpu,
}

impl Processor {
    /// Whether it is there.
    ///
    /// # Errors
    /// [`Processor::Gpu`] in a program that was built without the feature `wgpu`, or on a machine without a graphics card.
    #[cfg(feature = "wgpu")]
    pub fn check(self) -> Result<()> {
        use burn::tensor::Tensor;
        if self == Self::Cpu {
            return Ok(());
        }
        // The backend panics where there is no graphics card, and tells on standard error what it looked for.
        let add = || {
            Tensor::<1>::ones([2], &self.device())
                .sum()
                .into_scalar::<f32>()
        };
        match std::panic::catch_unwind(add) {
            Ok(sum) if sum == 2.0 => Ok(()),
            _ => anyhow::bail!("no graphics card can be used here: leave out --device gpu"),
        }
    }

    /// Whether it is there.
    ///
    /// # Errors
    /// [`Processor::Gpu`] in a program that was built without the feature `wgpu`, or on a machine without a graphics card.
    #[cfg(not(feature = "wgpu"))]
    pub fn check(self) -> Result<()> {
        anyhow::ensure!(
            self == Self::Cpu,
            "this program was built without support for graphics cards: build it with --features wgpu, or leave out --device gpu"
        );
        Ok(())
    }

    /// Where nets are evaluated. To be asked after [`Processor::check`].
    pub fn device(self) -> Device {
        match self {
            #[cfg(feature = "wgpu")]
            Self::Gpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(not(feature = "wgpu"))]
            Self::Gpu => Device::flex(),
            Self::Cpu => Device::flex(),
        }
    }

    /// Where nets are trained: as [`Processor::device`], and it remembers how results came about.
    pub fn training(self) -> Device {
        self.device().autodiff()
    }
}
