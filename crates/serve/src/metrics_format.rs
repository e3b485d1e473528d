//! The two formats in which Prometheus reads metrics, and which of them a client asks for.

use std::fmt::Write;

use axum::http::{HeaderMap, header};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// A format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetricsFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' older text format, 0.0.4, which every client reads.
    Text,
}

const OPEN_METRICS: &str = "application/openmetrics-text";

impl MetricsFormat {
    /// OpenMetrics if the client names it in `Accept` and does not prefer text; else text.
    pub(crate) fn asked_for(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges: Vec<_> = values.flat_map(|value| value.split(',')).filter_map(MediaRange::parse).collect();
        let best = |is_meant: fn(&MediaRange<'_>) -> bool| {
            ranges.iter().filter(|range| is_meant(range)).map(|range| range.quality).reduce(f32::max)
        };
        let open = best(|range| range.kind.eq_ignore_ascii_case(OPEN_METRICS) && range.is_known_version());
        let text = best(|range| range.kind.eq_ignore_ascii_case("text/plain"));
        match (open.unwrap_or(0.0), text.unwrap_or(0.0)) {
            (open, text) if open > 0.0 && open >= text => Self::OpenMetrics,
            _ => Self::Text,
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// The metrics of a registry in this format.
    pub(crate) fn text(self, registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).expect("writing to a string never fails");
        match self {
            Self::OpenMetrics => text,
            Self::Text => without_open_metrics(&text),
        }
    }
}

/// A media range of `Accept`, such as `text/plain; version=0.0.4; q=0.5`.
struct MediaRange<'a> {
    kind: &'a str,
    version: Option<&'a str>,
    /// From 0, not accepted, to 1.
    quality: f32,
}

impl<'a> MediaRange<'a> {
    /// `None` for a range whose quality is not a number from 0 to 1.
    fn parse(range: &'a str) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let mut parsed = Self { kind: parts.next()?, version: None, quality: 1.0 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => parsed.quality = value.trim().parse().ok().filter(|quality| (0.0..=1.0).contains(quality))?,
                "version" => parsed.version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        Some(parsed)
    }

    /// Whether version 1.0.0 of OpenMetrics is meant, or the one before, which differs in nothing that is written here.
    fn is_known_version(&self) -> bool {
        matches!(self.version, None | Some("1.0.0" | "0.0.1"))
    }
}

/// OpenMetrics as the older text format writes it: a counter has the same name in its description as in its samples, and
/// there are neither units nor an end.
fn without_open_metrics(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    let mut help = None;
    for line in open.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            // The next line says whether it is a counter.
            help = described.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|typed| typed.split_once(' ')) {
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, help)) = help.take() {
                let _ = writeln!(text, "# HELP {name}{suffix} {help}");
            }
            let _ = writeln!(text, "# TYPE {name}{suffix} {kind}");
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::registry::Unit;

    use super::*;

    fn asked(accept: &[&'static str]) -> MetricsFormat {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, HeaderValue::from_static(value));
        }
        MetricsFormat::asked_for(&headers)
    }

    #[test]
    fn open_metrics_is_for_clients_that_name_it() {
        for accept in [
            &["application/openmetrics-text"][..],
            &["Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8"],
            &["application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"],
            // Prometheus 2 and 3.
            &[
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            ],
            &[
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            ],
            &["application/openmetrics-text, text/plain"],
            &["text/html", "text/plain;q=0.5, application/openmetrics-text;q=0.5"],
        ] {
            assert_eq!(asked(accept), MetricsFormat::OpenMetrics, "{accept:?}");
        }
        for accept in [
            &[][..],
            &["*/*"],
            &["text/plain"],
            &["text/plain;version=0.0.4;q=1,*/*;q=0.1"],
            &["application/json"],
            &["application/*"],
            &["application/openmetrics-text;q=0"],
            &["application/openmetrics-text;q=0.3, text/plain;q=0.5"],
            &["application/openmetrics-text;version=2.0.0"],
            &["application/openmetrics-text;q=high"],
            &["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
        ] {
            assert_eq!(asked(accept), MetricsFormat::Text, "{accept:?}");
        }
    }

    #[test]
    fn each_format_is_written_as_its_readers_want_it() {
        let mut registry = Registry::with_prefix("own");
        let counter = Counter::<u64>::default();
        registry.register("requests", "Requests", counter.clone());
        let gauge = Gauge::<i64>::default();
        registry.register_with_unit("memory", "Memory in use", Unit::Bytes, gauge.clone());
        counter.inc();
        assert_eq!(
            MetricsFormat::OpenMetrics.text(&registry),
            "# HELP own_requests Requests.\n# TYPE own_requests counter\nown_requests_total 1\n\
             # HELP own_memory_bytes Memory in use.\n# TYPE own_memory_bytes gauge\n# UNIT own_memory_bytes bytes\n\
             own_memory_bytes 0\n# EOF\n"
        );
        assert_eq!(
            MetricsFormat::Text.text(&registry),
            "# HELP own_requests_total Requests.\n# TYPE own_requests_total counter\nown_requests_total 1\n\
             # HELP own_memory_bytes Memory in use.\n# TYPE own_memory_bytes gauge\nown_memory_bytes 0\n"
        );
    }
}
