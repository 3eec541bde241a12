// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading a model that this tool wrote, so that training can go on from it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use data_encoding::BASE64;
use liveness::model::{LARGEST_FILE, PREFIX};
use prost::Message;

use super::proto::{FLOAT, ModelProto, TensorProto};
use super::{NET, PRODUCER, STATISTICS};
use crate::net::{After, EPSILON, Net, Spec};

/// A model that was read.
#[derive(Clone, Debug)]
pub struct Model {
    /// The net, in the measures that it was written with. Its norms let through what they get until they are trained: the file
    /// has them folded away.
    pub net: Net,
    /// The facts of its card by name.
    pub facts: BTreeMap<String, String>,
}

/// Reads the model at `path`.
///
/// # Errors
/// Where it cannot be read, is no ONNX file, was not written by this tool, or its numbers do not fit the net that it names.
pub fn read(path: &Path) -> Result<Model> {
    let whole = || -> Result<Model> {
        let size = std::fs::metadata(path)?.len();
        ensure!(
            size <= LARGEST_FILE,
            "its {size} bytes are more than a model has"
        );
        decode(&std::fs::read(path)?)
    };
    whole().with_context(|| format!("cannot go on from {}", path.display()))
}

impl Model {
    /// The numbers in a net of measures `spec`, which may differ from the file's where no number depends on it.
    ///
    /// # Errors
    /// Where shapes differ, with both.
    pub fn into_net(self, spec: Spec) -> Result<Net> {
        let mut net = Net::new(spec, 0)?;
        let fits = |(a, b): (&crate::net::Array, &crate::net::Array)| {
            a.name == b.name && a.shape == b.shape
        };
        let other = || format!("the model is `{}`, `{spec}` is wanted", self.net.spec);
        ensure!(net.arrays.len() == self.net.arrays.len(), "{}", other());
        if let Some((a, b)) = net.arrays.iter().zip(&self.net.arrays).find(|p| !fits(*p)) {
            bail!(
                "{}: there {} is {:?}, here {} is {:?}",
                other(),
                b.name,
                b.shape,
                a.name,
                a.shape
            );
        }
        net.arrays = self.net.arrays;
        Ok(net)
    }
}

fn decode(bytes: &[u8]) -> Result<Model> {
    let model = ModelProto::decode(bytes).context("it is no ONNX file")?;
    let mut props: BTreeMap<String, String> = model
        .metadata_props
        .into_iter()
        .map(|p| (p.key, p.value))
        .collect();
    let graph = model.graph.context("it is no ONNX file: it has no graph")?;
    let told = (props.remove(NET), props.remove(STATISTICS));
    let (Some(spec), Some(statistics)) = told else {
        bail!(
            "it does not name its net, as {PRODUCER} does (it is by `{}`): its layers are not known",
            model.producer_name
        );
    };
    let spec: Spec = spec.parse().context("it names a net that is not known")?;
    let mut net = Net::new(spec, 0)?;
    let tensors: BTreeMap<&str, &TensorProto> = graph
        .initializer
        .iter()
        .map(|t| (t.name.as_str(), t))
        .collect();
    let statistics = BASE64
        .decode(statistics.as_bytes())
        .context("its statistics are damaged")?;
    let mut statistics = floats(&statistics);
    let units: Vec<_> = net.units().into_iter().cloned().collect();
    for unit in units {
        let shape = net.arrays[unit.weight].shape.clone();
        let get = |part: &str, shape: &[usize]| {
            let name = format!("{}.{part}", unit.name);
            let tensor = tensors.get(name.as_str());
            let tensor = tensor.with_context(|| format!("it has no `{name}`"))?;
            values(tensor, shape).with_context(|| format!("`{name}` does not fit `{spec}`"))
        };
        let weight = get("weight", &shape)?;
        let bias = get("bias", &shape[..1])?;
        net.arrays[unit.weight].data = weight;
        match unit.after {
            After::Shift(shift) => net.arrays[shift].data = bias,
            After::Norm {
                gain,
                shift,
                mean,
                variance,
            } => {
                let mut take = || -> Vec<f32> { statistics.by_ref().take(shape[0]).collect() };
                let (means, variances) = (take(), take());
                ensure!(
                    variances.len() == shape[0] && variances.iter().all(|v| *v >= 0.0),
                    "its statistics do not fit `{spec}`"
                );
                // With these the norm adds the bias and does nothing else.
                let root = |v: &f32| (f64::from(*v) + EPSILON).sqrt() as f32;
                net.arrays[gain].data = variances.iter().map(root).collect();
                net.arrays[shift].data = bias.iter().zip(&means).map(|(b, m)| b + m).collect();
                net.arrays[mean].data = means;
                net.arrays[variance].data = variances;
            }
        }
    }
    ensure!(
        statistics.next().is_none(),
        "its statistics do not fit `{spec}`"
    );
    let all = net.arrays.iter().flat_map(|a| &a.data);
    ensure!(
        all.into_iter().all(|v| v.is_finite()),
        "some of its numbers are none"
    );
    let facts = props
        .into_iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(PREFIX)?.to_owned(), value)))
        .collect();
    Ok(Model { net, facts })
}

fn values(tensor: &TensorProto, shape: &[usize]) -> Result<Vec<f32>> {
    let wanted: Vec<i64> = shape.iter().map(|n| *n as i64).collect();
    ensure!(
        tensor.dims == wanted,
        "it is {:?}, {wanted:?} is needed",
        tensor.dims
    );
    let length = shape.iter().product::<usize>() * size_of::<f32>();
    ensure!(
        tensor.data_type == FLOAT && tensor.raw_data.len() == length,
        "it does not hold 32-bit floats as raw data"
    );
    Ok(floats(&tensor.raw_data).collect())
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
}
