//! A picture of latencies: an SVG with a strip for each opcode, on a scale of powers of ten.

use super::summary::Summary;
use crate::output::duration;
use crate::tables::op_name;

const LEFT: f64 = 150.0;
const WIDTH: f64 = 760.0;
const STRIP: f64 = 84.0;
const TOP: f64 = 48.0;
const BINS_A_DECADE: usize = 12;

pub fn svg(summary: &Summary, title: &str) -> String {
    let shown: Vec<_> = summary
        .ops
        .iter()
        .filter(|(_, op)| !op.latency.is_empty())
        .collect();
    let low = shown
        .iter()
        .map(|(_, op)| op.latency.min_nz())
        .min()
        .unwrap_or(1)
        .max(1)
        .ilog10();
    let high = shown
        .iter()
        .map(|(_, op)| op.latency.max())
        .max()
        .unwrap_or(10)
        .max(1)
        .ilog10()
        + 1;
    let decades = (high - low).max(1);
    let x = |ns: f64| LEFT + WIDTH * (ns.max(1.0).log10() - f64::from(low)) / f64::from(decades);
    let height = TOP + STRIP * shown.len() as f64 + 40.0;
    let width = LEFT + WIDTH + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"26\" font-size=\"15\" font-weight=\"bold\">{}</text>\n",
        escaped(title)
    );
    let bottom = height - 32.0;
    for decade in low..=high {
        let at = x(10f64.powi(decade as i32));
        svg.push_str(&format!(
            "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">{}</text>\n",
            bottom + 18.0,
            power(decade)
        ));
    }
    for (index, (opcode, op)) in shown.iter().enumerate() {
        let base = TOP + STRIP * (index + 1) as f64 - 12.0;
        let bins = bins(op, low, decades);
        let most = bins.iter().copied().max().unwrap_or(1).max(1) as f64;
        let bin_width = WIDTH / bins.len() as f64;
        svg.push_str(&format!(
            "<text x=\"16\" y=\"{:.1}\" font-weight=\"bold\">{}</text>\
             <text x=\"16\" y=\"{:.1}\" fill=\"#555\">{} completions</text>\n",
            base - 34.0,
            op_name(**opcode),
            base - 18.0,
            op.completions
        ));
        for (bin, &count) in bins.iter().enumerate().filter(|(_, count)| **count > 0) {
            let tall = (count as f64 / most * (STRIP - 26.0)).max(1.0);
            svg.push_str(&format!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" fill=\"#4878a8\"><title>{count}</title></rect>\n",
                LEFT + bin_width * bin as f64,
                base - tall,
                bin_width - 1.0
            ));
        }
        for (quantile, name) in [(0.5, "p50"), (0.99, "p99")] {
            let ns = op.latency.value_at_quantile(quantile);
            let at = x(ns as f64);
            svg.push_str(&format!(
                "<line x1=\"{at:.1}\" y1=\"{:.1}\" x2=\"{at:.1}\" y2=\"{base:.1}\" stroke=\"#c44\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#c44\" font-size=\"10\">{name} {}</text>\n",
                base - STRIP + 20.0,
                at + 3.0,
                base - STRIP + 28.0,
                duration(ns)
            ));
        }
        svg.push_str(&format!("<line x1=\"{LEFT}\" y1=\"{base:.1}\" x2=\"{:.1}\" y2=\"{base:.1}\" stroke=\"#888\"/>\n", LEFT + WIDTH));
    }
    svg.push_str("</svg>\n");
    svg
}

/// How many latencies lie in each part of the scale.
fn bins(op: &super::summary::OfOp, low: u32, decades: u32) -> Vec<u64> {
    let mut bins = vec![0u64; decades as usize * BINS_A_DECADE];
    let last = bins.len() - 1;
    for value in op.latency.iter_recorded() {
        let at = (value.value_iterated_to().max(1) as f64).log10() - f64::from(low);
        let bin = (at * BINS_A_DECADE as f64).max(0.0) as usize;
        bins[bin.min(last)] += value.count_at_value();
    }
    bins
}

fn power(decade: u32) -> String {
    const UNITS: [&str; 4] = ["ns", "µs", "ms", "s"];
    let unit = (decade / 3).min(3);
    format!("{} {}", 10u64.pow(decade - 3 * unit), UNITS[unit as usize])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::summary::OfOp;

    #[test]
    fn every_latency_is_in_a_bar() {
        let mut op = OfOp::default();
        for ns in [1, 999, 1000, 123_456_789] {
            op.latency.saturating_record(ns);
        }
        assert_eq!(bins(&op, 0, 9).iter().sum::<u64>(), 4);
        op.completions = 4;
        let mut summary = Summary::default();
        summary.ops.insert(0, op);
        let picture = svg(&summary, "a < b");
        assert!(
            picture.contains("a &lt; b") && picture.contains("NOP") && picture.contains("1 µs")
        );
        assert_eq!(svg(&Summary::default(), "").lines().last(), Some("</svg>"));
    }

    #[test]
    fn powers_have_their_units() {
        assert_eq!(
            [power(0), power(4), power(8), power(11)],
            ["1 ns", "10 µs", "100 ms", "100 s"]
        );
    }
}
