// SPDX-License-Identifier: MIT OR Apache-2.0
//! ONNX files made by hand, field by field, so that they can be wrong in any way. Numbers of fields are those of `onnx.proto`.
#![allow(dead_code)] // Each test uses a part.

/// A message under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

fn varint(mut v: u64, out: &mut Vec<u8>) {
    while v > 0x7f {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

impl Message {
    pub(crate) fn number(mut self, field: u64, value: i64) -> Self {
        varint(field << 3, &mut self.0);
        varint(value.cast_unsigned(), &mut self.0);
        self
    }

    pub(crate) fn bytes(mut self, field: u64, value: impl AsRef<[u8]>) -> Self {
        varint(field << 3 | 2, &mut self.0);
        varint(value.as_ref().len() as u64, &mut self.0);
        self.0.extend(value.as_ref());
        self
    }

    pub(crate) fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    fn all<'a>(self, field: u64, values: impl IntoIterator<Item = &'a Self>) -> Self {
        values.into_iter().fold(self, |m, v| m.message(field, v))
    }
}

/// `TensorProto.DataType`.
pub(crate) const FLOAT: i64 = 1;
pub(crate) const INT64: i64 = 7;
pub(crate) const DOUBLE: i64 = 11;

/// A constant with raw data, whatever its dimensions say.
pub(crate) fn raw(name: &str, data_type: i64, dims: &[i64], data: &[u8]) -> Message {
    let tensor = Message::default().number(2, data_type).bytes(8, name);
    let tensor = dims.iter().fold(tensor, |t, d| t.number(1, *d));
    tensor.bytes(9, data)
}

pub(crate) fn floats(name: &str, dims: &[i64], values: &[f32]) -> Message {
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    raw(name, FLOAT, dims, &data)
}

pub(crate) fn integers(name: &str, values: &[i64]) -> Message {
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    raw(name, INT64, &[values.len() as i64], &data)
}

/// An input or output with its type; dimensions below 0 are free.
pub(crate) fn value(name: &str, data_type: i64, dims: &[i64]) -> Message {
    let dim = |d: &i64| match d {
        0.. => Message::default().number(1, *d),
        _ => Message::default().bytes(2, format!("free{d}")),
    };
    let shape = Message::default().all(1, &dims.iter().map(dim).collect::<Vec<_>>());
    let tensor = Message::default().number(1, data_type).message(2, &shape);
    Message::default()
        .bytes(1, name)
        .message(2, &Message::default().message(1, &tensor))
}

/// A node: operator, inputs, outputs.
pub(crate) fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> Message {
    let node = inputs.iter().fold(Message::default(), |n, i| n.bytes(1, i));
    let node = outputs.iter().fold(node, |n, o| n.bytes(2, o));
    node.bytes(4, op)
}

/// An attribute of whole numbers.
pub(crate) fn ints(name: &str, values: &[i64]) -> Message {
    let attribute = Message::default().bytes(1, name).number(20, 7);
    values.iter().fold(attribute, |a, v| a.number(8, *v))
}

/// A graph of `nodes` with `constants`.
pub(crate) fn graph(
    nodes: &[Message],
    constants: &[Message],
    inputs: &[Message],
    outputs: &[Message],
) -> Message {
    Message::default()
        .all(1, nodes)
        .bytes(2, "made")
        .all(5, constants)
        .all(11, inputs)
        .all(12, outputs)
}

/// A file with this graph and these facts.
pub(crate) fn file(graph: &Message, facts: &[(&str, &str)]) -> Vec<u8> {
    let opset = Message::default().bytes(1, "").number(2, 13);
    let model = Message::default().number(1, 8).message(7, graph);
    let facts = facts.iter().map(|(key, value)| {
        let key = format!("liveness.{key}");
        Message::default().bytes(1, key).bytes(2, value)
    });
    model
        .message(8, &opset)
        .all(14, &facts.collect::<Vec<_>>())
        .0
}

/// A card with all that a liveness model of 16x16 pixels has to say.
pub(crate) const CARD: [(&str, &str); 10] = [
    ("task", "liveness"),
    ("name", "made"),
    ("color", "rgb"),
    ("mean", "0"),
    ("scale", "0.00392"),
    ("crop", "box"),
    ("crop-scale", "1"),
    ("outside", "replicate"),
    ("classes", "spoof,live"),
    ("output", "logits"),
];

/// A liveness model whose two numbers are the mean of its input times `gains`, where `nodes` make `output` of `mean` and `constants`.
pub(crate) fn liveness(
    nodes: &[Message],
    constants: &[Message],
    facts: &[(&str, &str)],
) -> Vec<u8> {
    let axes = node("ReduceMean", &["input"], &["mean"]).message(5, &ints("axes", &[1, 2, 3]));
    let mut all = vec![axes.message(5, &keep(false))];
    all.extend_from_slice(nodes);
    let graph = graph(
        &all,
        constants,
        &[value("input", FLOAT, &[1, 3, 16, 16])],
        &[value("output", FLOAT, &[1, 2])],
    );
    file(&graph, facts)
}

fn keep(keep: bool) -> Message {
    Message::default()
        .bytes(1, "keepdims")
        .number(3, keep.into())
        .number(20, 2)
}

/// The sound model that the bad ones are made of.
pub(crate) fn sound() -> Vec<u8> {
    weighted(&[-1.0, 1.0])
}

/// The same with these weights.
pub(crate) fn weighted(gains: &[f32; 2]) -> Vec<u8> {
    liveness(
        &[node("Mul", &["mean", "gains"], &["output"])],
        &[floats("gains", &[1, 2], gains)],
        &CARD,
    )
}
