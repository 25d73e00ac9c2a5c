//! Progress while a fleet is looked at: a bar on a terminal, and elsewhere, with -v, a line now and then.

use std::fmt::Write;
use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use evenkeel::aws::meter::Meter;
use evenkeel::reconcile::{ListenError, Listener, RunEvent, Told};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::args::Global;

/// The time left is a guess, and none at all before so many accounts are done.
const ENOUGH: u64 = 8;

/// How long nothing is said where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// A progress bar, from the moment on that the accounts are known.
pub struct Bar {
    is_quiet: bool,
    meter: Arc<Meter>,
    begun: OnceLock<Begun>,
}

struct Begun {
    bar: ProgressBar,
    by_account: bool,
    /// When a line was last said; only where no bar is seen.
    line: Option<Mutex<Instant>>,
}

impl Bar {
    /// A bar that tells the calls of a meter.
    pub fn new(global: &Global, meter: Arc<Meter>) -> Self {
        Self { is_quiet: global.quiet, meter, begun: OnceLock::new() }
    }

    /// For some accounts; one account alone is counted by its items.
    fn begin(&self, accounts: usize) -> Begun {
        let target = match self.is_quiet {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let meter = Arc::clone(&self.meter);
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
        let line = (!stderr().is_terminal()).then(|| Mutex::new(Instant::now()));
        Begun { bar, by_account, line }
    }

    /// Says how far the looking is, unless that was said a moment ago.
    fn say(&self, begun: &Begun) {
        let Some(line) = &begun.line else { return };
        let mut last = line.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < BETWEEN_LINES {
            return;
        }
        *last = Instant::now();
        let what = if begun.by_account { "accounts" } else { "items" };
        tracing::info!(
            "observed {} of {} {what} · {}",
            begun.bar.position(),
            begun.bar.length().unwrap_or_default(),
            pace(&self.meter, begun.bar.elapsed()),
        );
    }

    /// Takes the bar away.
    fn clear(&self) {
        if let Some(begun) = self.begun.get() {
            begun.bar.finish_and_clear();
        }
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

impl Listener for Bar {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        if let RunEvent::Chosen { accounts } = told.event {
            self.begun.get_or_init(|| self.begin(accounts));
        }
        let Some(begun @ Begun { bar, by_account, .. }) = self.begun.get() else { return Ok(()) };
        match told.event {
            RunEvent::Found { items, .. } if !by_account => {
                bar.inc_length(u64::try_from(items).unwrap_or_default());
            }
            RunEvent::Observed { .. } if !by_account => bar.inc(1),
            RunEvent::Seen { .. } if *by_account => bar.inc(1),
            RunEvent::Looked => {
                self.clear();
                return Ok(());
            }
            _ => return Ok(()),
        }
        self.say(begun);
        Ok(())
    }
}
