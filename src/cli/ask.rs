//! Asks the person at the terminal, and notices when they press Ctrl-C.

use std::io::{IsTerminal, Write};
#[cfg(unix)]
use std::sync::OnceLock;

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

/// Raises `stop` when the process is asked to end; the write in hand is finished first.
pub fn stop_on_signals(stop: &Stop) {
    let stop = stop.clone();
    let signalled = signalled();
    tokio::spawn(async move {
        signalled.await;
        stop.raise();
    });
}

/// Waits for Ctrl-C, SIGTERM, or SIGHUP, which says that the terminal is gone. They are listened
/// for from the call on, not from the first wait.
pub fn signalled() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let signals = {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = (!ignores_hangup()).then(|| signal(SignalKind::hangup()));
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), hangup.transpose())
    };
    async move {
        #[cfg(unix)]
        if let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = signals {
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hung_up => {}
            }
            return;
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
