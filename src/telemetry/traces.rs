//! Traces: a span for each run, account, item and call to AWS, sent to a collector by OTLP. They are off
//! unless the environment names a collector, as OpenTelemetry's own variables have it; nothing waits for
//! the collector, and a run is the same without it.

use std::ffi::OsString;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use super::otlp::{Collector, Otlp};
use crate::names::{TRACE, VERSION};

/// How long the end of a command waits for the collector.
const AT_THE_END: Duration = Duration::from_secs(3);

/// Who sends spans, for as long as the process lives.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// With the collector that the environment names, if it names one.
    ///
    /// # Errors
    /// What it names is no collector; then there are no traces.
    pub fn of_environment() -> Result<Option<Self>, String> {
        let Some(collector) = Collector::of(|name| std::env::var_os(name))? else {
            return Ok(None);
        };
        let exporter = Otlp::new(collector)?;
        let mut resource =
            Resource::builder().with_attribute(KeyValue::new("service.version", VERSION));
        if std::env::var_os("OTEL_SERVICE_NAME").is_none_or(|name| name == OsString::new()) {
            resource = resource.with_service_name("evenkeel");
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        Ok(Some(Self(provider)))
    }

    /// Who hears of spans: of our own alone, and of nothing that is logged.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("evenkeel"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false)
            .with_filter(Targets::new().with_target(TRACE, tracing::Level::DEBUG))
    }

    /// Sends what is left, for as long as the end of a command may take.
    pub fn end(&self) {
        if let Err(error) = self.0.shutdown_with_timeout(AT_THE_END) {
            tracing::debug!("the last traces were not sent: {error}");
        }
    }
}
