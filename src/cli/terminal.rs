//! The terminal: colours, and the log on standard error.

use tracing_subscriber::EnvFilter;

use super::args::{Color, Global, LogFormat};

/// Sets up colours and the log as the global options say.
pub fn prepare(global: &Global) {
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
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match global.log_format {
        LogFormat::Text => log.with_ansi(colours_on_stderr(global)).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
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
