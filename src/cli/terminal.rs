//! The terminal: colours, and the log on standard error.

use evenkeel::telemetry::traces::Traces;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use super::args::{Color, Global, LogFormat};

/// Sets up colours, the log as the global options say, and traces if the environment names a collector.
pub fn prepare(global: &Global) -> Option<Traces> {
    match global.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        // The SDK tells on the way why it finds no credentials; our own error says what to do.
        (_, 0) => "warn,aws_config=error,aws_runtime=error,aws_smithy_runtime=error",
        (_, 1) => "evenkeel=info,warn",
        _ => "evenkeel=debug,info",
    };
    let filter = EnvFilter::try_from_env("EVENKEEL_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = fmt::layer().with_writer(std::io::stderr);
    let log: Box<dyn Layer<Registry> + Send + Sync> = match global.log_format {
        LogFormat::Text => log.with_ansi(colours_on_stderr(global)).with_filter(filter).boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let (traces, why) = match Traces::of_environment() {
        Ok(traces) => (traces, None),
        Err(why) => (None, Some(why)),
    };
    let layers = [log].into_iter().chain(traces.as_ref().map(|to| to.layer().boxed()));
    let layers: Vec<_> = layers.collect();
    tracing_subscriber::registry().with(layers).init();
    if let Some(why) = why {
        tracing::warn!("there are no traces: {why}");
    }
    traces
}

/// Whether standard error takes colours.
pub fn colours_on_stderr(global: &Global) -> bool {
    match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
        }
    }
}
