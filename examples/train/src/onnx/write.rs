// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing a net as an ONNX file: batch norms folded away, any batch size, its card inside. Equal nets and cards give equal bytes.

use std::path::Path;

use anyhow::{Context, Result};
use data_encoding::BASE64;
use liveness::model::PREFIX;
use liveness_app::files::replace;
use prost::Message;

use super::proto::{
    AttributeProto, DimensionProto, FLOAT, GraphProto, INT, INTS, ModelProto, NodeProto,
    OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto,
    TypeProto, ValueInfoProto,
};
use super::{Card, INPUT, NET, OUTPUT, PRODUCER, STATISTICS};
use crate::net::{After, EPSILON, Layer, Net, Unit};

/// ONNX operator set 17 came with ONNX 1.12 (2022); every runtime in use reads it.
const OPSET: i64 = 17;

/// The file format of ONNX 1.12.
const IR_VERSION: i64 = 8;

/// Writes `net` to `path`: aside first, then renamed, so that no half file is ever seen there.
///
/// # Errors
/// Those of [`encode`], and what the system says.
pub fn save(net: &Net, card: &Card, path: &Path) -> Result<()> {
    let bytes = encode(net, card)?;
    replace(path, &bytes).with_context(|| format!("cannot write the model {}", path.display()))
}

/// `net` as the bytes of an ONNX file.
///
/// # Errors
/// Where the library would refuse the card.
pub fn encode(net: &Net, card: &Card) -> Result<Vec<u8>> {
    let mut graph = Graph {
        net,
        nodes: Vec::new(),
        initializers: Vec::new(),
        last: INPUT.to_owned(),
    };
    graph.layers(&net.layers);
    if let Some(node) = graph.nodes.last_mut() {
        node.output = vec![OUTPUT.to_owned()];
    }
    let side = net.spec.size as i64;
    let facts = card.facts(net)?;
    let mut props: Vec<_> = facts
        .into_iter()
        .map(|(key, value)| StringStringEntryProto {
            key: format!("{PREFIX}{key}"),
            value,
        })
        .collect();
    for (key, value) in [(NET, net.spec.to_string()), (STATISTICS, statistics(net))] {
        let key = key.to_owned();
        props.push(StringStringEntryProto { key, value });
    }
    let model = ModelProto {
        ir_version: IR_VERSION,
        producer_name: PRODUCER.to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(GraphProto {
            node: graph.nodes,
            name: net.spec.kind.to_string(),
            initializer: graph.initializers,
            input: vec![outlet(INPUT, &[3, side, side])],
            output: vec![outlet(OUTPUT, &[2])],
        }),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET,
        }],
        metadata_props: props,
    };
    Ok(model.encode_to_vec())
}

/// An input or output of `[batch, shape…]`.
fn outlet(name: &str, shape: &[i64]) -> ValueInfoProto {
    let batch = DimensionProto {
        dim_param: Some("batch".to_owned()),
        dim_value: None,
    };
    let fixed = shape.iter().map(|n| DimensionProto {
        dim_value: Some(*n),
        dim_param: None,
    });
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: FLOAT,
                shape: Some(TensorShapeProto {
                    dim: std::iter::once(batch).chain(fixed).collect(),
                }),
            }),
        }),
    }
}

/// What the folded norms would see: for each unit with a norm, the mean and the variance of its folded multiplication before the bias, one
/// number per output each, as base64 of little-endian floats.
///
/// Inference needs none of it. Training goes on from it: a norm normalises by the batch, so one that starts without knowing the
/// usual variance would make another function of the same weights.
fn statistics(net: &Net) -> String {
    let mut bytes = Vec::new();
    for unit in net.units() {
        let After::Norm {
            gain,
            shift,
            variance,
            ..
        } = unit.after
        else {
            continue;
        };
        let of = |index: usize| net.arrays[index].data.iter().map(|v| f64::from(*v));
        let biases = net.fold(unit).bias;
        let means = of(shift).zip(&biases).map(|(s, b)| s - f64::from(*b));
        let variances = of(gain)
            .zip(of(variance))
            .map(|(g, v)| g * g * v / (v + EPSILON));
        for value in means.chain(variances) {
            bytes.extend((value as f32).to_le_bytes());
        }
    }
    BASE64.encode(&bytes)
}

/// A graph in the making.
struct Graph<'a> {
    net: &'a Net,
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
    /// What the next layer takes.
    last: String,
}

impl Graph<'_> {
    fn layers(&mut self, layers: &[Layer]) {
        for layer in layers {
            match layer {
                Layer::Conv {
                    unit,
                    stride,
                    padding,
                    groups,
                } => {
                    let kernel = self.net.arrays[unit.weight].shape[2] as i64;
                    let attributes = vec![
                        integers("dilations", &[1; 2]),
                        integer("group", *groups as i64),
                        integers("kernel_shape", &[kernel; 2]),
                        integers("pads", &[*padding as i64; 4]),
                        integers("strides", &[*stride as i64; 2]),
                    ];
                    self.unit("Conv", unit, attributes);
                }
                Layer::Residual { body, relu } => {
                    let start = self.last.clone();
                    self.layers(body);
                    let end = self.last.clone();
                    self.node("Add", vec![start, end], Vec::new());
                    if *relu {
                        self.relu();
                    }
                }
                Layer::MaxPool => {
                    let attributes = vec![
                        integers("kernel_shape", &[2; 2]),
                        integers("strides", &[2; 2]),
                    ];
                    self.node("MaxPool", vec![self.last.clone()], attributes);
                }
                Layer::Flatten => {
                    self.node("Flatten", vec![self.last.clone()], vec![integer("axis", 1)]);
                }
                Layer::Dropout(_) => {}
                Layer::Linear(unit) => self.unit("Gemm", unit, vec![integer("transB", 1)]),
            }
        }
    }

    fn unit(&mut self, op: &str, unit: &Unit, attributes: Vec<AttributeProto>) {
        let folded = self.net.fold(unit);
        let shape = &self.net.arrays[unit.weight].shape;
        let names = ["weight", "bias"].map(|part| format!("{}.{part}", unit.name));
        let shapes = [&shape[..], &shape[..1]];
        let values = [&folded.weight, &folded.bias];
        for ((name, shape), values) in names.iter().zip(shapes).zip(values) {
            self.initializers.push(TensorProto {
                dims: shape.iter().map(|n| *n as i64).collect(),
                data_type: FLOAT,
                name: name.clone(),
                raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            });
        }
        let [weight, bias] = names;
        self.node(op, vec![self.last.clone(), weight, bias], attributes);
        if unit.relu {
            self.relu();
        }
    }

    fn relu(&mut self) {
        self.node("Relu", vec![self.last.clone()], Vec::new());
    }

    fn node(&mut self, op: &str, input: Vec<String>, attribute: Vec<AttributeProto>) {
        let name = format!("{}_{}", op.to_lowercase(), self.nodes.len());
        self.last = name.clone();
        self.nodes.push(NodeProto {
            input,
            output: vec![name.clone()],
            name,
            op_type: op.to_owned(),
            attribute,
        });
    }
}

fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: Some(value),
        ints: Vec::new(),
        r#type: INT,
    }
}

fn integers(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: None,
        ints: values.to_vec(),
        r#type: INTS,
    }
}
