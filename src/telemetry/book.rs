//! The metrics by their names. Each is described here once, so that what alerts, the dashboard and the
//! documentation name can be held against it.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// What stands before each name.
const PREFIX: &str = "evenkeel";

/// How the text of the metrics is called (OpenMetrics 1.0, "Content-Type").
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Labels of a series.
type Labels = Vec<(&'static str, String)>;

fn labels(pairs: &[(&'static str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// What sort of metric it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// It only grows.
    Counter,
    /// It is as it is.
    Gauge,
    /// How many there were of each size.
    Histogram,
}

impl Sort {
    /// The word of the format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its name, as queries have it; that of a histogram without `_bucket`, `_sum` and `_count`.
    pub name: String,
    /// What sort it is.
    pub sort: Sort,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

/// All metrics.
#[derive(Debug)]
pub struct Book {
    registry: Registry,
    described: Vec<Described>,
}

impl Default for Book {
    fn default() -> Self {
        Self { registry: Registry::with_prefix(PREFIX), described: Vec::new() }
    }
}

impl Book {
    fn describe(
        &mut self,
        name: String,
        sort: Sort,
        labels: &'static [&'static str],
        help: &'static str,
    ) {
        self.described.push(Described { name: format!("{PREFIX}_{name}"), sort, labels, help });
    }

    /// Adds a counter; `name` is without `_total`. Without labels, it is there from the start.
    pub fn counter(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Counts {
        self.describe(format!("{name}_total"), Sort::Counter, labels, help);
        let family = Family::<Labels, Counter>::default();
        if labels.is_empty() {
            drop(family.get_or_create(&Labels::new()));
        }
        self.registry.register(name, help, family.clone());
        Counts(family)
    }

    /// Adds a gauge.
    pub fn gauge(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Levels {
        self.describe(name.to_owned(), Sort::Gauge, labels, help);
        let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
        self.registry.register(name, help, family.clone());
        Levels(family)
    }

    /// Adds a histogram with the upper ends of its buckets.
    pub fn histogram(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        make: fn() -> Histogram,
        help: &'static str,
    ) -> Sizes {
        self.describe(name.to_owned(), Sort::Histogram, labels, help);
        let family: Family<Labels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(make);
        self.registry.register(name, help, family.clone());
        Sizes(family)
    }

    /// All that were added.
    pub fn described(&self) -> &[Described] {
        &self.described
    }

    /// All of them with their values, in the text format of OpenMetrics.
    ///
    /// # Errors
    /// A value cannot be written.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A counter with its series.
#[derive(Debug, Clone)]
pub struct Counts(Family<Labels, Counter>);

impl Counts {
    /// Counts one more.
    pub fn add(&self, pairs: &[(&'static str, &str)]) {
        self.0.get_or_create(&labels(pairs)).inc();
    }

    /// Takes over what somebody else counts.
    pub fn set(&self, pairs: &[(&'static str, &str)], count: u64) {
        use std::sync::atomic::Ordering;
        self.0.get_or_create(&labels(pairs)).inner().store(count, Ordering::Relaxed);
    }
}

/// A gauge with its series.
#[derive(Debug, Clone)]
pub struct Levels(Family<Labels, Gauge<f64, AtomicU64>>);

impl Levels {
    /// Says how it is now.
    pub fn set(&self, pairs: &[(&'static str, &str)], value: f64) {
        self.0.get_or_create(&labels(pairs)).set(value);
    }

    /// Says whether it is so: 1 or 0.
    pub fn is(&self, pairs: &[(&'static str, &str)], so: bool) {
        self.set(pairs, f64::from(u8::from(so)));
    }

    /// Says it where there is something to say, and nothing else.
    pub fn maybe(&self, pairs: &[(&'static str, &str)], value: Option<f64>) {
        match value {
            Some(value) => self.set(pairs, value),
            None => {
                let _ = self.0.remove(&labels(pairs));
            }
        }
    }

    /// Forgets all series.
    pub fn clear(&self) {
        self.0.clear();
    }
}

/// A histogram with its series.
#[derive(Debug, Clone)]
pub struct Sizes(Family<Labels, Histogram, fn() -> Histogram>);

impl Sizes {
    /// Notes one.
    pub fn note(&self, pairs: &[(&'static str, &str)], value: f64) {
        self.0.get_or_create(&labels(pairs)).observe(value);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_queries_have_them() {
        let mut book = Book::default();
        let writes = book.counter("writes", &[], "Writes.");
        let age = book.gauge("age_seconds", &["of"], "Age.");
        let took = book.histogram("took_seconds", &[], || Histogram::new([1.0]), "Took.");
        writes.add(&[]);
        age.set(&[("of", "a \"b\"")], 1.5);
        age.maybe(&[("of", "none")], Some(1.0));
        age.maybe(&[("of", "none")], None);
        took.note(&[], 0.5);
        let text = book.text().unwrap();
        for line in [
            "# TYPE evenkeel_writes counter",
            "evenkeel_writes_total 1",
            "evenkeel_age_seconds{of=\"a \\\"b\\\"\"} 1.5",
            "evenkeel_took_seconds_count 1",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(!text.contains("none") && text.ends_with("# EOF\n"), "{text}");
        let names: Vec<&str> = book.described().iter().map(|one| one.name.as_str()).collect();
        assert_eq!(
            names,
            ["evenkeel_writes_total", "evenkeel_age_seconds", "evenkeel_took_seconds"]
        );
    }
}
