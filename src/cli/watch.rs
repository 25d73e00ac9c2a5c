//! Progress on a terminal while a fleet is looked at; nothing elsewhere.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use evenkeel::aws::meter::Meter;
use evenkeel::reconcile::fleet::Watch;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::args::Global;

/// The time left is a guess, and none at all before so many accounts are done.
const ENOUGH: u64 = 8;

/// A progress bar.
pub struct Bar {
    bar: ProgressBar,
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
            "observing {bar:30} {pos}/{len} accounts · {calls}{left}"
        } else {
            "observing {bar:30} {pos}/{len} · {calls}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            // Asked for at each tick, so that the figures move while all accounts are slow.
            let calls = move |state: &ProgressState, out: &mut dyn Write| {
                let _ = out.write_str(&pace(&meter, state.elapsed()));
            };
            let left = |state: &ProgressState, out: &mut dyn Write| {
                if state.pos() >= ENOUGH {
                    let _ = write!(out, " · about {} left", HumanDuration(state.eta()));
                }
            };
            bar.set_style(style.with_key("calls", calls).with_key("left", left));
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, by_account }
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// `1,240 calls, 540 each second, 3 throttled`.
fn pace(meter: &Meter, elapsed: Duration) -> String {
    let calls = meter.requests();
    let mut text = format!("{calls} calls");
    if elapsed >= Duration::from_secs(1) {
        let _ = write!(text, ", {:.0} each second", calls as f64 / elapsed.as_secs_f64());
    }
    match meter.throttled() {
        0 => {}
        throttled => {
            let _ = write!(text, ", {throttled} throttled");
        }
    }
    text
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
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
        }
    }
}
