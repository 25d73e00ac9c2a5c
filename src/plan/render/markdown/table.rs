//! Objects counted by kind and by what becomes of them.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{NAME, limited};
use crate::kinds::Risk;
use crate::plan::{Plan, Verdict};

/// Kinds that have a row of their own.
const ROWS: usize = 60;

/// The column of what is held back.
const HELD: usize = 4;

/// The table; nothing when there is nothing to count.
pub fn render(plan: &Plan) -> String {
    let mut rows: BTreeMap<String, [usize; 6]> = BTreeMap::new();
    for object in plan.objects.each() {
        let column = match &object.verdict {
            Verdict::Drifted => match object.risk() {
                Some(Risk::Safe) => 0,
                Some(Risk::Disruptive) => 1,
                Some(Risk::Destructive) => 2,
                None if object.held().is_some() => 4,
                None => 3,
            },
            Verdict::Unknown(_) => 5,
            Verdict::InSync | Verdict::Skipped { .. } | Verdict::Excepted { .. } => continue,
        };
        match rows.get_mut(&object.item.kind) {
            Some(row) => row[column] += 1,
            None => {
                let mut row = [0; 6];
                row[column] = 1;
                rows.insert(object.item.kind.clone(), row);
            }
        }
    }
    let mut out = String::new();
    if rows.is_empty() {
        return out;
    }
    // Guards seldom hold something back: without it, there is no column.
    let is_held = rows.values().any(|row| row[HELD] > 0);
    let held = |text: &'static str| if is_held { text } else { "" };
    let _ = writeln!(
        out,
        "| kind | safe | disruptive | destructive | only reported |{} unknown |",
        held(" held back |")
    );
    let _ = writeln!(out, "| --- | ---: | ---: | ---: | ---: |{} ---: |", held(" ---: |"));
    for (kind, row) in rows.iter().take(ROWS) {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .filter(|(column, _)| is_held || *column != HELD)
            .map(|(_, count)| if *count == 0 { String::new() } else { count.to_string() })
            .collect();
        let _ = writeln!(out, "| <code>{}</code> | {} |", limited(kind, NAME), cells.join(" | "));
    }
    if rows.len() > ROWS {
        let _ = writeln!(out, "| and {} more kinds | | | | |{} |", rows.len() - ROWS, held(" |"));
    }
    out.push('\n');
    out
}
