//! Progress on a terminal while a fleet is looked at; nothing elsewhere.

use std::sync::Arc;
use std::time::Duration;

use evenkeel::aws::meter::Meter;
use evenkeel::reconcile::fleet::Watch;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::Global;

/// A progress bar.
pub struct Bar {
    bar: ProgressBar,
    meter: Arc<Meter>,
    by_account: bool,
}

impl Bar {
    /// For some accounts; one account alone is counted by its items.
    pub fn new(global: &Global, accounts: usize, meter: Arc<Meter>) -> Self {
        let target =
            if global.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let by_account = accounts > 1;
        let length = if by_account { u64::try_from(accounts).unwrap_or_default() } else { 0 };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let template = if by_account {
            "observing {bar:30} {pos}/{len} accounts · {msg} · {elapsed} · {eta} left"
        } else {
            "observing {bar:30} {pos}/{len}  {elapsed}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if by_account {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        Self { bar, meter, by_account }
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn message(&self) {
        let calls = self.meter.requests();
        let seconds = self.bar.elapsed().as_secs().max(1);
        let throttled = match self.meter.throttled() {
            0 => String::new(),
            count => format!(", {count} throttled"),
        };
        self.bar.set_message(format!("{} calls/s{throttled}", calls / seconds));
    }
}

impl Watch for Bar {
    fn found(&self, items: usize) {
        if !self.by_account {
            self.bar.inc_length(u64::try_from(items).unwrap_or_default());
        }
    }

    fn seen(&self) {
        if !self.by_account {
            self.bar.inc(1);
        }
    }

    fn done(&self) {
        if self.by_account {
            self.bar.inc(1);
            self.message();
        }
    }
}
