//! One component's progress, and one run's, as a line of text.

use dataflare_core::component::Role;
use dataflare_core::event::ComponentProgress;

use super::human;
use super::view::{SourceView, View};

/// `12s  orders 1.2M rows (98k/s, 45 MB/s, 37%, 20s left) -> lake 1.1M rows`
pub(super) fn run(view: &View) -> String {
    let sources = view.sources().iter().map(|it| format!("{} {}", it.name, source(it))).collect::<Vec<_>>();
    let destinations = view.components().iter().filter(|it| it.role == Role::Destination);
    let destinations = destinations.map(|it| format!("{} {}", it.name, rows(it.rows_in))).collect::<Vec<_>>();
    let elapsed = human::duration(view.elapsed(), false);
    let mut line = format!("{elapsed}  {} -> {}", sources.join(", "), destinations.join(", "));
    let sum = |part: fn(&ComponentProgress) -> u64| view.components().iter().map(part).sum::<u64>();
    for (records, what) in [(sum(|it| it.rejected), "rejected"), (sum(|it| it.skipped), "skipped")] {
        if records > 0 {
            line.push_str(&format!("; {} {what}", human::count(records as f64)));
        }
    }
    line
}

/// `1.2M rows (98k/s, 45 MB/s, 37%, 20s left)`
pub(super) fn source(source: &SourceView<'_>) -> String {
    let mut known = Vec::new();
    if let Some(speed) = source.speed {
        known.push(format!("{}/s", human::count(speed.rows)));
        if speed.bytes > 0.0 {
            known.push(format!("{}/s", human::bytes(speed.bytes)));
        }
    }
    if let Some(done) = source.done {
        known.push(format!("{:.0}%", (done * 100.0).floor()));
    }
    if let Some(left) = source.left {
        known.push(format!("{} left", human::duration(left, false)));
    }
    match known[..] {
        [] => rows(source.rows),
        _ => format!("{} ({})", rows(source.rows), known.join(", ")),
    }
}

/// `1.1M rows, 1.0M committed, 12 MB`
pub(super) fn destination(destination: &ComponentProgress) -> String {
    let mut text = rows(destination.rows_in);
    if destination.rows_out > 0 {
        text.push_str(&format!(", {} committed", human::count(destination.rows_out as f64)));
    }
    if destination.bytes > 0 {
        text.push_str(&format!(", {}", human::bytes(destination.bytes as f64)));
    }
    text
}

fn rows(rows: u64) -> String {
    format!("{} {}", human::count(rows as f64), if rows == 1 { "row" } else { "rows" })
}

#[cfg(test)]
mod tests {
    use super::super::view::samples::{component, orders_to_lake, tick};
    use super::*;

    fn after(ticks: impl IntoIterator<Item = dataflare_core::event::Progress>) -> String {
        let mut view = View::default();
        ticks.into_iter().for_each(|tick| view.update(&tick));
        run(&view)
    }

    #[test]
    fn a_source_of_known_size_shows_how_far_it_is() {
        insta::assert_snapshot!(
            after((0..=12).map(orders_to_lake)),
            @"12s  orders 1.2M rows (98k/s, 45 MB/s, 37%, 20s left) -> lake 1.1M rows"
        );
    }

    #[test]
    fn the_first_tick_shows_what_is_known() {
        insta::assert_snapshot!(after([orders_to_lake(1)]), @"1s  orders 98k rows (3%) -> lake 90k rows");
        insta::assert_snapshot!(
            after([tick(0, vec![component("a", Role::Source, 1), component("b", Role::Destination, 0)])]),
            @"0s  a 1 row -> b 0 rows"
        );
    }

    #[test]
    fn many_components_stand_side_by_side_and_lost_records_at_the_end() {
        let components = |rows| {
            let mut paid = component("paid", Role::Processor, rows);
            (paid.rejected, paid.skipped) = (12, 1_200);
            vec![
                component("orders", Role::Source, rows),
                component("returns", Role::Source, rows / 2),
                paid,
                component("lake", Role::Destination, rows),
                component("rejects", Role::Destination, 12),
            ]
        };
        insta::assert_snapshot!(
            after([tick(0, components(0)), tick(90_000, components(900)), tick(95_000, components(1_900))]),
            @"1m 35s  orders 1.9k rows (200/s), returns 950 rows (100/s) -> lake 1.9k rows, rejects 12 rows; 12 rejected; 1.2k skipped"
        );
    }

    #[test]
    fn a_destination_shows_what_is_committed_of_what_it_got() {
        let mut lake = component("lake", Role::Destination, 1_100_000);
        (lake.rows_out, lake.bytes) = (1_000_000, 12_300_000);
        insta::assert_snapshot!(destination(&lake), @"1.1M rows, 1.0M committed, 12 MB");
        (lake.rows_out, lake.bytes) = (0, 0);
        insta::assert_snapshot!(destination(&lake), @"1.1M rows");
    }
}
