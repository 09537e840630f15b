//! Two plots as inline SVG, drawn with the page's own colours so that they follow its light and dark scheme.

use std::fmt::Write as _;

use crate::report::Report;
use crate::report::risk::RiskPoint;
use crate::stats::percentile::percentile;
use crate::stats::real;

/// Drawing area in SVG units: the frame leaves room for the labels.
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 42.0;

/// Points of the latency curve; more cannot be seen.
const STEPS: usize = 100;

/// Where a value of 0..=1 lies on the axes.
fn x(share: f64) -> f64 {
    LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
}

fn y(share: f64) -> f64 {
    HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
}

/// Risk over coverage; empty when nothing was answered.
pub(super) fn risk_coverage(points: &[RiskPoint]) -> String {
    let Some(last) = points.last() else {
        return String::new();
    };
    let most = points.iter().map(|point| point.risk).fold(0.0, f64::max);
    // a step that people read easily, and never a flat line on the bottom
    let top = (most * 10.0).ceil().max(1.0) / 10.0;
    let ticks = [0.0, 0.25, 0.5, 0.75, 1.0];
    let mut svg = frame(
        "Share of wrong answers over the share of questions answered",
        "share answered (coverage)",
        &ticks.map(|tick| (tick, format!("{:.0} %", tick * 100.0))),
        &ticks.map(|tick| (tick, format!("{:.0} %", tick * top * 100.0))),
    );
    let line: Vec<(f64, f64)> = points
        .iter()
        .map(|point| (point.coverage, point.risk / top))
        .collect();
    curve(&mut svg, &line);
    let (at_x, at_y) = (x(last.coverage), y(last.risk / top));
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        r#"<circle class="mark" cx="{at_x:.1}" cy="{at_y:.1}" r="4"/>"#
    );
    label(
        &mut svg,
        at_x,
        at_y,
        &format!(
            "now: {:.0} % wrong of {:.0} %",
            last.risk * 100.0,
            last.coverage * 100.0
        ),
    );
    svg + "</svg>"
}

/// Latency over the percentiles of the timed calls; empty when there is none.
pub(super) fn latency(report: &Report) -> String {
    let timed: Vec<f64> = report
        .cases
        .iter()
        .filter(|case| case.timed && !case.observed.is_error())
        .map(|case| case.wall_ms)
        .collect();
    let Some(slowest) = percentile(&timed, 1.0) else {
        return String::new();
    };
    let top = round_up(slowest.max(1.0));
    let ticks = [0.0, 0.25, 0.5, 0.75, 1.0];
    let mut svg = frame(
        "Time of a call over the share of calls that were faster",
        "share of calls",
        &ticks.map(|tick| (tick, format!("p{:.0}", tick * 100.0))),
        &ticks.map(|tick| (tick, format!("{:.0} ms", tick * top))),
    );
    let at = |share: f64| percentile(&timed, share).unwrap_or_default();
    let line: Vec<(f64, f64)> = (1..=STEPS)
        .map(|step| real(step) / real(STEPS))
        .map(|share| (share, at(share) / top))
        .collect();
    curve(&mut svg, &line);
    for share in [0.5, 0.95] {
        let (at_x, at_y) = (x(share), y(at(share) / top));
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            r#"<circle class="mark" cx="{at_x:.1}" cy="{at_y:.1}" r="4"/>"#
        );
        label(
            &mut svg,
            at_x,
            at_y,
            &format!("p{:.0} {:.0} ms", share * 100.0, at(share)),
        );
    }
    svg + "</svg>"
}

/// 1, 2 or 5 times a power of ten, the next one up.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|&bound| bound >= value)
        .unwrap_or(value)
}

/// Grid, axis labels and title; `across` and `up` are places in 0..=1 with their texts.
fn frame(title: &str, below: &str, across: &[(f64, String)], up: &[(f64, String)]) -> String {
    let mut svg = format!(
        r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}"><title>{title}</title>"#
    );
    // Writing to a string cannot fail, so the results below are dropped.
    for (at, text) in up {
        let (left, right, at) = (x(0.0), x(1.0), y(*at));
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{left:.1}" y1="{at:.1}" x2="{right:.1}" y2="{at:.1}"/>"#
        );
        let _ = write!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{text}</text>"#,
            left - 6.0,
            at + 4.0
        );
    }
    for (at, text) in across {
        let (at, under) = (x(*at), HEIGHT - BOTTOM + 16.0);
        let _ = write!(
            svg,
            r#"<text x="{at:.1}" y="{under:.1}" text-anchor="middle">{text}</text>"#
        );
    }
    let (middle, bottom) = (x(0.5), HEIGHT - 8.0);
    let _ = write!(
        svg,
        r#"<text x="{middle:.1}" y="{bottom:.1}" text-anchor="middle">{below}</text>"#
    );
    svg
}

fn curve(svg: &mut String, line: &[(f64, f64)]) {
    let points: Vec<String> = line
        .iter()
        .map(|&(a, b)| format!("{:.1},{:.1}", x(a), y(b)))
        .collect();
    // Writing to a string cannot fail.
    let _ = write!(svg, r#"<polyline class="curve" points="{}"/>"#, points.join(" "));
}

/// A text beside a mark, on the side where there is room.
fn label(svg: &mut String, at_x: f64, at_y: f64, text: &str) {
    let (at_x, anchor) = if at_x > x(0.45) {
        (at_x - 9.0, "end")
    } else {
        (at_x + 9.0, "start")
    };
    let at_y = (at_y - 8.0).max(TOP + 10.0);
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        r#"<text class="told" x="{at_x:.1}" y="{at_y:.1}" text-anchor="{anchor}">{text}</text>"#
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_draw_is_no_empty_frame() {
        assert_eq!(risk_coverage(&[]), "");
    }

    #[test]
    fn axes_end_on_round_numbers() {
        for (value, bound) in [
            (143.0, 200.0),
            (20.0, 20.0),
            (21.0, 50.0),
            (999.0, 1_000.0),
            (1.0, 1.0),
        ] {
            assert!((round_up(value) - bound).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn every_point_lies_inside_the_frame() {
        let points: Vec<RiskPoint> = (1..=20)
            .map(|i| RiskPoint {
                confidence: 0.5,
                coverage: f64::from(i) / 20.0,
                risk: 1.0 / f64::from(i),
            })
            .collect();
        let svg = risk_coverage(&points);
        let line = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        for point in line.split(' ') {
            let (a, b) = point.split_once(',').unwrap();
            let (a, b): (f64, f64) = (a.parse().unwrap(), b.parse().unwrap());
            assert!(
                (LEFT..=WIDTH - RIGHT).contains(&a) && (TOP..=HEIGHT - BOTTOM).contains(&b),
                "{point}"
            );
        }
        assert!(svg.contains("now: 5 % wrong of 100 %"), "{svg}");
    }
}
