//! `GET /metrics`: the figures in Prometheus's text format, version 0.0.4.
//!
//! The `prometheus` crate writes the format; of its registry nothing is used, for the figures are counted elsewhere, whether
//! anybody asks for them or not.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus::TextEncoder;
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

use super::App;
use super::problem::{Kind, Problem};
use crate::administration::{Statistic, StatisticKind, StatisticValue};

/// What the text is announced as.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Before each name.
const PREFIX: &str = "refcached";

pub(super) async fn metrics(State(app): State<App>) -> Response {
    let families = families(app.administration.statistics());
    match TextEncoder::new().encode_to_string(&families) {
        Ok(text) => ([(CONTENT_TYPE, FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the figures cannot be written");
            Problem::new(Kind::Internal, "the figures cannot be written; see the server's log").into_response()
        }
    }
}

/// Figures of one name make one family.
fn families(statistics: Vec<Statistic>) -> Vec<MetricFamily> {
    let mut families: Vec<MetricFamily> = Vec::new();
    for statistic in statistics {
        let name = full_name(&statistic);
        if families.last().is_none_or(|family| family.name() != name) {
            let mut family = MetricFamily::default();
            family.set_name(name);
            family.set_help(statistic.help.to_owned());
            family.set_field_type(match statistic.kind {
                StatisticKind::Counter => MetricType::COUNTER,
                StatisticKind::Gauge => MetricType::GAUGE,
            });
            families.push(family);
        }
        if let Some(family) = families.last_mut() {
            family.mut_metric().push(metric(statistic));
        }
    }
    families
}

fn full_name(statistic: &Statistic) -> String {
    let suffix = match statistic.kind {
        StatisticKind::Counter => "_total",
        StatisticKind::Gauge => "",
    };
    format!("{PREFIX}_{}{suffix}", statistic.name)
}

fn metric(statistic: Statistic) -> Metric {
    let value = match statistic.value {
        // Prometheus stores floats: counts are exact up to 2^53.
        StatisticValue::Count(count) => count as f64,
        StatisticValue::Measure(measure) => measure,
    };
    let labels = statistic.labels.into_iter().map(|(name, value)| {
        let mut label = LabelPair::default();
        label.set_name(name.to_owned());
        label.set_value(value);
        label
    });
    let mut metric = Metric::from_label(labels.collect());
    match statistic.kind {
        StatisticKind::Counter => {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        }
        StatisticKind::Gauge => {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
    }
    metric
}
