//! Asks the person at the terminal, and notices when they press Ctrl-C.

use std::io::{IsTerminal, Write};
#[cfg(unix)]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(unix)]
use std::time::Duration;

use evenkeel::reconcile::{Refusal, Stop};

use super::failure::Failure;

/// Whether there is somebody to ask.
///
/// # Errors
/// Nobody is there.
pub fn somebody() -> Result<(), Refusal> {
    if std::io::stdin().is_terminal() { Ok(()) } else { Err(Refusal::NobodyToAsk) }
}

/// Asks a question; only the whole word "yes" agrees.
///
/// # Errors
/// Somebody wished to stop instead.
pub async fn agrees(question: &str, stop: &Stop) -> Result<bool, Failure> {
    let _ = write!(anstream::stderr().lock(), "{question}\n  Only \"yes\" is accepted: ");
    let _ = std::io::stderr().flush();
    let (tell, told) = tokio::sync::oneshot::channel();
    // Not one of the runtime's threads, which would wait for the line before the process can end.
    std::thread::spawn(move || {
        let mut line = String::new();
        let line = std::io::stdin().read_line(&mut line).map(|_| line);
        let _ = tell.send(line);
    });
    tokio::select! {
        answer = told => Ok(matches!(answer, Ok(Ok(line)) if line.trim() == "yes")),
        () = stop.raised() => {
            let _ = writeln!(anstream::stderr().lock());
            Err(Failure::Interrupted)
        }
    }
}

/// Raises `stop` when the process is asked to end, as long as what is returned is kept; the write in
/// hand is finished first. Whoever asks twice does not get a write cut in two.
#[must_use = "when it is dropped, a signal ends the process at once"]
pub fn stop_on_signals(stop: &Stop) -> Listening {
    listening_to(stop, true)
}

/// The same for a service: without a terminal, SIGHUP says something else than that one is gone.
#[must_use = "when it is dropped, a signal ends the process at once"]
pub fn stop_a_service_on_signals(stop: &Stop) -> Listening {
    listening_to(stop, std::io::stdin().is_terminal())
}

fn listening_to(stop: &Stop, with_hangup: bool) -> Listening {
    let listening = Listening::begin(stop.clone());
    let stop = stop.clone();
    let signalled = signalled(with_hangup);
    tokio::spawn(async move {
        signalled.await;
        stop.raise();
    });
    listening
}

/// How many wait for a signal.
static LISTENING: AtomicUsize = AtomicUsize::new(0);

/// Somebody who waits for a signal, or who has heard one and is finishing.
pub struct Listening {
    stop: Stop,
}

impl Listening {
    fn begin(stop: Stop) -> Self {
        LISTENING.fetch_add(1, Ordering::SeqCst);
        Self { stop }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Who has heard is about to end, and says why.
        if !self.stop.is_raised() {
            LISTENING.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Ends the process at a signal that nobody waits for. Once they are listened for, signals do not do
/// that by themselves, and a process that waits for a file could not be ended any more.
#[cfg(unix)]
fn end_when_nobody_listens() {
    static BEGUN: OnceLock<()> = OnceLock::new();
    /// Time for whoever listens to say so.
    const TURN: Duration = Duration::from_millis(200);
    if BEGUN.set(()).is_err() {
        return;
    }
    let Some(mut signals) = Signals::listen(true) else { return };
    tokio::spawn(async move {
        loop {
            signals.next().await;
            tokio::time::sleep(TURN).await;
            if LISTENING.load(Ordering::SeqCst) == 0 {
                std::process::exit(INTERRUPTED);
            }
        }
    });
}

/// The exit code of [`super::exit::Exit::Interrupted`].
#[cfg(unix)]
const INTERRUPTED: i32 = 130;

/// The signals that ask a process to end.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn listen(with_hangup: bool) -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = (with_hangup && !ignores_hangup()).then(|| signal(SignalKind::hangup()));
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
            hangup: hangup.transpose().ok()?,
        })
    }

    async fn next(&mut self) {
        let hung_up = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hung_up => {}
        }
    }
}

/// Waits for Ctrl-C, SIGTERM, or SIGHUP, which says that the terminal is gone. They are listened
/// for from the call on, not from the first wait.
fn signalled(with_hangup: bool) -> impl Future<Output = ()> {
    #[cfg(unix)]
    let signals = {
        end_when_nobody_listens();
        Signals::listen(with_hangup)
    };
    #[cfg(not(unix))]
    let _ = with_hangup;
    async move {
        #[cfg(unix)]
        if let Some(mut signals) = signals {
            return signals.next().await;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// Whether who started us wants a lost terminal not to matter, as `nohup` does. Asked once, before
/// we listen ourselves.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    static IGNORES: OnceLock<bool> = OnceLock::new();
    *IGNORES.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        // The lowest bit is signal 1, SIGHUP.
        ignored.is_some_and(|mask| {
            u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1)
        })
    })
}
