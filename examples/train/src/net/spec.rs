// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which net is wanted, as the user writes it: `liveness,size=80,width=1`.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};

/// The two architectures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PyImageSearch's LivenessNet (Rosebrock 2019): four 3x3 convolutions and two dense layers on 32 x 32 pixels.
    LivenessNet,
    /// A residual net of the size and cost of MiniFASNet (minivision 2020).
    Liveness,
}

/// What the residual blocks of [`Kind::Liveness`] are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocks {
    /// Two 3x3 convolutions over all channels. Trains faster on a processor and loses less as 8-bit integers.
    Dense,
    /// 1x1, 3x3 per channel, 1x1: the blocks of MiniFASNetV2, and its shape. Half of the parameters and of the multiplications.
    Depthwise,
}

/// A net's measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// The architecture.
    pub kind: Kind,
    /// Width and height of its input in pixels.
    pub size: usize,
    /// Factor on the number of channels, 1 as designed.
    pub width: f32,
    /// What its blocks are made of; of no meaning for [`Kind::LivenessNet`].
    pub blocks: Blocks,
    /// Share of the numbers that training drops before the last layer, 0..0.9. [`Kind::LivenessNet`] also drops half as many of them
    /// after its pools, as its author does (0.5 and 0.25).
    pub dropout: f32,
}

impl Spec {
    /// A net as it was designed: LivenessNet at 32 pixels; the other at 80, which is MiniFASNet's size.
    pub fn new(kind: Kind) -> Self {
        let (size, dropout) = match kind {
            Kind::LivenessNet => (32, 0.5),
            // MiniFASNetV2 drops 0.2 before its last layer.
            Kind::Liveness => (80, 0.2),
        };
        Self {
            kind,
            size,
            width: 1.0,
            blocks: Blocks::Dense,
            dropout,
        }
    }

    /// Whether a net of these measures can be built.
    ///
    /// # Errors
    /// What is out of range, with the range.
    pub fn check(&self) -> Result<()> {
        match self.kind {
            Kind::LivenessNet => ensure!(
                (16..=128).contains(&self.size) && self.size.is_multiple_of(4),
                "size={} is not possible for livenessnet: a multiple of 4 from 16 to 128 is",
                self.size
            ),
            Kind::Liveness => ensure!(
                (64..=128).contains(&self.size) && self.size.is_multiple_of(16),
                "size={} is not possible for liveness: 64, 80, 96, 112 and 128 are",
                self.size
            ),
        }
        ensure!(
            (0.25..=2.0).contains(&self.width),
            "width={} is not possible: a factor from 0.25 to 2 is",
            self.width
        );
        ensure!(
            (0.0..=0.9).contains(&self.dropout),
            "dropout={} is not possible: a share from 0 to 0.9 is",
            self.dropout
        );
        Ok(())
    }

    /// Channels of a layer that was designed with `designed` of them. Multiples of 8, which vector units like.
    pub(super) fn channels(&self, designed: usize) -> usize {
        ((designed as f32 * self.width / 8.0).round() as usize).max(1) * 8
    }

    /// The same to the channel, where the number was found by pruning.
    pub(super) fn scaled(&self, designed: usize) -> usize {
        ((designed as f32 * self.width).round() as usize).max(1)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LivenessNet => "livenessnet",
            Self::Liveness => "liveness",
        })
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},size={},width={}", self.kind, self.size, self.width)?;
        if self.kind == Kind::Liveness {
            let blocks = match self.blocks {
                Blocks::Dense => "dense",
                Blocks::Depthwise => "depthwise",
            };
            write!(f, ",blocks={blocks}")?;
        }
        write!(f, ",dropout={}", self.dropout)
    }
}

impl FromStr for Spec {
    type Err = anyhow::Error;

    fn from_str(s: &str) -> Result<Self> {
        let mut parts = s.split(',').map(str::trim);
        let kind = match parts.next().unwrap_or_default() {
            "livenessnet" => Kind::LivenessNet,
            "liveness" => Kind::Liveness,
            other => bail!("there is no net `{other}`: livenessnet and liveness are there"),
        };
        let mut spec = Self::new(kind);
        for part in parts {
            let (key, value) = part
                .split_once('=')
                .with_context(|| format!("`{part}` is not of the form NAME=VALUE"))?;
            let unfit = || format!("`{part}` has no number");
            match key {
                "size" => spec.size = value.parse().with_context(unfit)?,
                "width" => spec.width = value.parse().with_context(unfit)?,
                "dropout" => spec.dropout = value.parse().with_context(unfit)?,
                "blocks" if kind == Kind::Liveness => {
                    spec.blocks = match value {
                        "dense" => Blocks::Dense,
                        "depthwise" => Blocks::Depthwise,
                        _ => bail!("blocks={value} is not possible: dense and depthwise are"),
                    };
                }
                _ => bail!("{kind} has no `{key}`: size, width, blocks (liveness), dropout"),
            }
        }
        spec.check()?;
        Ok(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_again() {
        for text in [
            "livenessnet",
            "liveness",
            "liveness,size=128,width=0.5,blocks=depthwise,dropout=0",
            "livenessnet,size=48,width=1.25",
        ] {
            let spec: Spec = text.parse().unwrap();
            assert_eq!(spec.to_string().parse::<Spec>().unwrap(), spec, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_built_is_refused_with_what_can() {
        for (text, word) in [
            ("resnet", "livenessnet"),
            ("liveness,size=81", "80"),
            ("liveness,width=9", "0.25"),
            ("liveness,dropout=1", "0.9"),
            ("livenessnet,blocks=dense", "blocks"),
            ("liveness,size", "NAME=VALUE"),
            ("liveness,size=x", "number"),
            ("liveness,width=nan", "0.25"),
        ] {
            let error = format!("{:#}", text.parse::<Spec>().unwrap_err());
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
