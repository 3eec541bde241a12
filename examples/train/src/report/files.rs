// SPDX-License-Identifier: MIT OR Apache-2.0
//! What other programs read: `history.csv`, `labels.json`, `metrics.json`.

use std::fmt::Write;

use anyhow::Result;
use serde_json::json;

use super::input::{Epoch, Report};
use super::measured::Measured;

/// A line for each epoch; a cell is empty where nothing is known.
pub(super) fn history(epochs: &[Epoch]) -> String {
    let mut text = "epoch,learning_rate,train_loss,train_accuracy,val_loss,val_accuracy,val_acer,val_auc,seconds\n".to_owned();
    let cell = |v: Option<f64>| v.map_or_else(String::new, |v| v.to_string());
    for e in epochs {
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{:.3}",
            e.epoch,
            e.learning_rate,
            e.train_loss,
            e.train_accuracy,
            cell(e.val_loss),
            cell(e.val_accuracy),
            cell(e.val_acer),
            cell(e.val_auc),
            e.seconds
        );
    }
    text
}

/// The class names in the order of the outputs, and the threshold on the probability of live.
pub(super) fn labels(report: &Report) -> Result<String> {
    let threshold = report.models.first().map(|m| m.threshold.value);
    let live = report.labels.iter().position(|l| l == "live");
    pretty(&json!({ "labels": report.labels, "live": live, "threshold": threshold }))
}

/// Everything that was measured, with intervals and counts. Shares are 0..1.
pub(super) fn metrics(report: &Report, measured: &[Measured]) -> Result<String> {
    let models: Vec<_> = measured
        .iter()
        .map(|m| {
            let sets: Vec<_> = m.sets.iter().map(|s| s.line()).collect();
            json!({
                "name": m.model.name,
                "spec": m.model.spec,
                "parameters": m.model.parameters,
                "macs": m.model.macs,
                "input": m.model.input,
                "crop": m.model.crop,
                "ms_per_face": m.model.ms_per_face,
                "threshold": m.model.threshold,
                "sets": sets,
            })
        })
        .collect();
    pretty(&json!({
        "title": report.title,
        "command": report.command,
        "notes": report.notes,
        "interval": 0.95,
        "bootstrap": report.bootstrap,
        "split": report.split,
        "data": report.data,
        "best_epoch": report.best_epoch,
        "models": models,
    }))
}

fn pretty(value: &serde_json::Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
