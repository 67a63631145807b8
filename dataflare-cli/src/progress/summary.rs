//! What a run did, as a table.

use std::time::Duration;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, TableComponent, presets};
use dataflare_core::event::{ComponentSummary, Outcome, Summary};
use indicatif::{BinaryBytes, DecimalBytes, HumanCount};

use super::human;

/// The table of components, and the figures of the whole run below it; ends with a line break.
pub(super) fn render(summary: &Summary) -> String {
    let mut text = format!("{}\n{}", table(&summary.components), facts(summary));
    if let Some(advice) = advice(summary.outcome) {
        text.push_str(&format!("{advice}\n"));
    }
    text
}

fn table(components: &[ComponentSummary]) -> String {
    let proved = components.iter().any(|it| it.rows_proved.is_some());
    let mut header = vec!["component", "role", "rows in", "rows out", "rejected", "skipped", "bytes"];
    header.extend(proved.then_some("read back"));
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.remove_style(TableComponent::HorizontalLines);
    table.remove_style(TableComponent::MiddleIntersections);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().enumerate().map(|(index, name)| aligned(index, *name)));
    for component in components {
        let role = format!("{:?}", component.role).to_lowercase();
        let mut row = vec![component.name.clone(), role];
        row.extend([component.rows_in, component.rows_out, component.rejected, component.skipped].map(exact));
        row.push(if component.bytes > 0 { DecimalBytes(component.bytes).to_string() } else { String::new() });
        row.extend(proved.then(|| component.rows_proved.map(exact).unwrap_or_default()));
        table.add_row(row.into_iter().enumerate().map(|(index, text)| aligned(index, text)));
    }
    table.trim_fmt()
}

/// Names to the left, numbers to the right.
fn aligned(column: usize, text: impl Into<String>) -> Cell {
    let alignment = if column < 2 { CellAlignment::Left } else { CellAlignment::Right };
    Cell::new(text.into()).set_alignment(alignment)
}

fn facts(summary: &Summary) -> String {
    let elapsed = Duration::from_millis(summary.elapsed_ms);
    let mut time = human::duration(elapsed, true);
    if !elapsed.is_zero() {
        let speed = summary.rows_read() as f64 / elapsed.as_secs_f64();
        time.push_str(&format!(", {} rows/s", human::count(speed)));
    }
    let mut facts = vec![("elapsed", time)];
    if let Some(peak) = summary.memory_peak_bytes {
        facts.push(("peak memory", BinaryBytes(peak).to_string()));
    }
    facts.push(("checkpoints", exact(summary.checkpoints)));
    facts.push(("restarts", exact(summary.restarts.into())));
    for component in &summary.components {
        if let Some(location) = &component.location {
            facts.push(("look at", format!("{location} ({})", component.name)));
        }
    }
    let line = |(label, text): (&str, String)| format!(" {label:<11}  {text}\n");
    facts.into_iter().map(line).collect()
}

fn advice(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Completed => None,
        Outcome::Drained => Some("stopped before the end; run it again to go on from here"),
        Outcome::Failed => Some("failed before the end"),
    }
}

fn exact(number: u64) -> String {
    HumanCount(number).to_string()
}

#[cfg(test)]
pub(super) mod samples {
    //! Summaries for the tests of this module.

    use dataflare_core::component::Role;

    use super::*;

    pub(in crate::progress) fn component(name: &str, role: Role, rows: u64) -> ComponentSummary {
        ComponentSummary {
            name: name.into(),
            role,
            rows_in: rows,
            rows_out: rows,
            rejected: 0,
            skipped: 0,
            bytes: 0,
            rows_proved: None,
            location: None,
        }
    }

    pub(in crate::progress) fn orders_to_lake() -> Summary {
        let mut orders = component("orders", Role::Source, 5_000_000);
        orders.bytes = 1_601_234_567;
        orders.rows_out = 4_999_988;
        orders.rejected = 12;
        let mut paid = component("paid", Role::Processor, 4_999_988);
        paid.rows_out = 1_234_567;
        let mut lake = component("lake", Role::Destination, 1_234_567);
        lake.bytes = 210_000_000;
        lake.rows_proved = Some(1_234_567);
        lake.location = Some("out/orders".into());
        let rejects = component("rejects", Role::Destination, 12);
        Summary {
            outcome: Outcome::Completed,
            components: vec![orders, paid, lake, rejects],
            elapsed_ms: 12_345,
            memory_peak_bytes: Some(222_298_112),
            restarts: 1,
            checkpoints: 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::orders_to_lake;
    use super::*;

    #[test]
    fn a_whole_run_is_one_table_and_where_to_look() {
        insta::assert_snapshot!(render(&orders_to_lake()), @r"
        ──────────────────────────────────────────────────────────────────────────────────────────────
         component   role            rows in    rows out   rejected   skipped       bytes   read back
        ══════════════════════════════════════════════════════════════════════════════════════════════
         orders      source        5,000,000   4,999,988         12         0     1.60 GB
         paid        processor     4,999,988   1,234,567          0         0
         lake        destination   1,234,567   1,234,567          0         0   210.00 MB   1,234,567
         rejects     destination          12          12          0         0
        ──────────────────────────────────────────────────────────────────────────────────────────────
         elapsed      12.3s, 405k rows/s
         peak memory  212.00 MiB
         checkpoints  4
         restarts     1
         look at      out/orders (lake)
        ");
    }

    #[test]
    fn a_run_that_was_stopped_says_how_to_go_on() {
        let mut summary = orders_to_lake();
        summary.outcome = Outcome::Drained;
        summary.components.retain(|it| it.rows_proved.is_none());
        summary.memory_peak_bytes = None;
        summary.elapsed_ms = 0;
        insta::assert_snapshot!(render(&summary), @r"
        ────────────────────────────────────────────────────────────────────────────────
         component   role            rows in    rows out   rejected   skipped     bytes
        ════════════════════════════════════════════════════════════════════════════════
         orders      source        5,000,000   4,999,988         12         0   1.60 GB
         paid        processor     4,999,988   1,234,567          0         0
         rejects     destination          12          12          0         0
        ────────────────────────────────────────────────────────────────────────────────
         elapsed      0.00s
         checkpoints  4
         restarts     1
        stopped before the end; run it again to go on from here
        ");
    }
}
