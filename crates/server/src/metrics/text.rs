//! The counts as Prometheus' text.

use std::{fmt::Write as _, sync::atomic::Ordering};

use super::{Histogram, LaneMeter, ModelMeter, Requests, resident_bytes};

/// A text under construction. Writing to a string cannot fail, so results are dropped.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            _ => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }

    fn histogram(&mut self, name: &str, labels: &str, histogram: &Histogram) {
        let buckets = histogram.cumulated();
        for (bound, count) in &buckets {
            let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".into() };
            self.value(&format!("{name}_bucket"), &format!("{labels},le=\"{bound}\""), count);
        }
        self.value(&format!("{name}_sum"), labels, histogram.sum());
        self.value(&format!("{name}_count"), labels, buckets.last().map_or(0, |b| b.1));
    }
}

/// All counts; `models` by name, with whether each is loaded; `lanes` by name.
pub fn render(requests: &Requests, models: &[(&str, bool, &ModelMeter)], lanes: &[(&str, &LaneMeter)]) -> String {
    let mut page = Page::default();
    page.head("strait_build_info", "gauge", "The program's version.");
    page.value("strait_build_info", &format!("version=\"{}\"", env!("CARGO_PKG_VERSION")), 1);
    if let Some(bytes) = resident_bytes() {
        page.head("process_resident_memory_bytes", "gauge", "Memory of the process.");
        page.value("process_resident_memory_bytes", "", bytes);
    }
    of_requests(&mut page, requests);
    of_models(&mut page, models);
    of_lanes(&mut page, lanes);
    page.0
}

fn of_lanes(page: &mut Page, lanes: &[(&str, &LaneMeter)]) {
    page.head("strait_lane_length", "gauge", "Pieces of work on a lane, at work or waiting.");
    for (name, meter) in lanes {
        page.value("strait_lane_length", &format!("lane=\"{name}\""), meter.waiting.load(Ordering::Relaxed));
    }
    page.head("strait_lane_seconds", "histogram", "Time of a piece of work on a lane.");
    for (name, meter) in lanes {
        page.histogram("strait_lane_seconds", &format!("lane=\"{name}\""), &meter.seconds);
    }
}

fn of_requests(page: &mut Page, requests: &Requests) {
    let routes = requests.lock();
    page.head("strait_requests_total", "counter", "Requests answered.");
    for (route, counts) in routes.iter() {
        for (status, count) in &counts.by_status {
            page.value("strait_requests_total", &format!("route=\"{route}\",status=\"{status}\""), count);
        }
    }
    page.head("strait_request_seconds", "histogram", "Time to the answer, or to the beginning of a stream.");
    for (route, counts) in routes.iter() {
        page.histogram("strait_request_seconds", &format!("route=\"{route}\""), &counts.seconds);
    }
}

fn of_models(page: &mut Page, models: &[(&str, bool, &ModelMeter)]) {
    type Get = fn(&ModelMeter) -> u64;
    let gauges: [(&str, &str, &str, Get); 7] = [
        ("strait_queue_length", "gauge", "Requests at work or waiting.", |m| m.waiting.load(Ordering::Relaxed) as u64),
        ("strait_abandoned_total", "counter", "Requests whose clients left early.", |m| m.abandoned.get()),
        ("strait_panics_total", "counter", "Requests at which the model failed.", |m| m.panics.get()),
        ("strait_reloads_total", "counter", "Replaced model folders taken over.", |m| m.reloads.get()),
        ("strait_failed_reloads_total", "counter", "Replaced model folders that were refused.", |m| {
            m.failed_reloads.get()
        }),
        ("strait_tokens_read_total", "counter", "Tokens encoded.", |m| m.read.get()),
        ("strait_tokens_written_total", "counter", "Tokens decoded.", |m| m.written.get()),
    ];
    page.head("strait_model_loaded", "gauge", "Whether the model is ready.");
    for (name, loaded, _) in models {
        page.value("strait_model_loaded", &label(name), u8::from(*loaded));
    }
    for (metric, kind, help, get) in gauges {
        page.head(metric, kind, help);
        models.iter().for_each(|(name, _, meter)| page.value(metric, &label(name), get(meter)));
    }
    type Pair = fn(&ModelMeter) -> &[Histogram; 2];
    let histograms: [(&str, &str, Pair); 3] = [
        ("strait_batch_requests", "Requests worked on in one batch.", |m| &m.jobs),
        ("strait_batch_rows", "Texts worked on in one batch.", |m| &m.rows),
        ("strait_batch_seconds", "Time of a batch.", |m| &m.seconds),
    ];
    for (metric, help, get) in histograms {
        page.head(metric, "histogram", help);
        for (name, _, meter) in models {
            for (kind, histogram) in ["encode", "decode"].iter().zip(get(meter)) {
                page.histogram(metric, &format!("{},kind=\"{kind}\"", label(name)), histogram);
            }
        }
    }
}

/// `model="name"`, escaped as the format wants it.
fn label(name: &str) -> String {
    let name = name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("model=\"{name}\"")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_line_is_a_comment_or_a_number() {
        let requests = Requests::default();
        requests.answered("/v1/encode", 200, Duration::from_millis(3));
        requests.answered("/v1/encode", 422, Duration::from_millis(1));
        let meter = ModelMeter::default();
        meter.batch(true, 2, 5, Duration::from_millis(2));
        let lane = LaneMeter::default();
        lane.seconds.observe(0.2);
        let text = render(&requests, &[("a\"b", true, &meter)], &[("quick", &lane)]);
        for line in text.lines().filter(|l| !l.starts_with("# ")) {
            assert!(line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok()), "{line}");
        }
        assert!(text.contains("strait_requests_total{route=\"/v1/encode\",status=\"422\"} 1\n"), "{text}");
        assert!(text.contains("strait_request_seconds_bucket{route=\"/v1/encode\",le=\"+Inf\"} 2\n"), "{text}");
        assert!(text.contains("strait_lane_seconds_count{lane=\"quick\"} 1\n"), "{text}");
        assert!(text.contains("strait_batch_rows_sum{model=\"a\\\"b\",kind=\"encode\"} 5\n"), "{text}");
    }
}
