//! Asks the person at the terminal, and notices when they press Ctrl-C.

use std::io::{IsTerminal, Write};

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
/// Somebody pressed Ctrl-C instead.
pub async fn agrees(question: &str) -> Result<bool, Failure> {
    // Before the question is shown: whoever answers it with Ctrl-C at once must be heard.
    let signalled = signalled();
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
        () = signalled => {
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

/// Waits for Ctrl-C or SIGTERM. They are listened for from the call on, not from the first wait.
pub fn signalled() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let (interrupt, terminate) = {
        use tokio::signal::unix::{SignalKind, signal};
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    };
    async move {
        #[cfg(unix)]
        if let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}
