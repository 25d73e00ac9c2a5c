//! What a running controller is told by signals: SIGHUP, that the files are to be looked at now, and
//! SIGUSR1, which pulls the kill switch or releases it.

use std::sync::Arc;

use evenkeel::controller::files::Files;
use evenkeel::guards::KillSwitch;
use tokio::task::JoinHandle;

/// Listens until it is dropped.
pub struct Listening(Vec<JoinHandle<()>>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Listens to signals.
#[cfg(unix)]
pub fn listen(files: &Arc<Files>, kill_switch: &KillSwitch) -> Listening {
    use std::io::IsTerminal;

    use tokio::signal::unix::{SignalKind, signal};

    let mut tasks = Vec::new();
    // With a terminal, SIGHUP says that it is gone.
    let hangup = (!std::io::stdin().is_terminal()).then(|| signal(SignalKind::hangup()));
    if let Some(Ok(mut hangup)) = hangup {
        let files = Arc::clone(files);
        tasks.push(tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                files.look_now();
            }
        }));
    }
    if let Ok(mut pulled) = signal(SignalKind::user_defined1()) {
        let kill_switch = kill_switch.clone();
        tasks.push(tokio::spawn(async move {
            while pulled.recv().await.is_some() {
                kill_switch.toggle();
            }
        }));
    }
    Listening(tasks)
}

/// Listens to nothing where there are no such signals.
#[cfg(not(unix))]
pub fn listen(_: &Arc<Files>, _: &KillSwitch) -> Listening {
    Listening(Vec::new())
}
