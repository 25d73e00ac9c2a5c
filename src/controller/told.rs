//! What people are told of what happens around the runs.

use super::audience::Audience;
use super::in_force::Offer;
use super::queue::What;
use super::said::Said;
use super::sight::Change;
use crate::notify::Telling;
use crate::notify::besides::{
    ANCHOR, FILES, KILL_SWITCH, QUEUE, blind, deaf, failed_run, kill_switch, not_anchored,
    refused_files, silence_of,
};

impl Audience for Telling {
    fn hear(&self, said: &Said<'_>) {
        let matter = match said {
            Said::Sight { change: Change::Blind { account, silent } } => blind(account, *silent),
            Said::Sight { change: Change::Sees { account, .. } } => {
                return self.over(Some(account.clone()), silence_of(account));
            }
            Said::Sight { change: Change::Left { account } } => return self.left(account),
            Said::Door { shut: Ok(Some(why)) } => deaf(why),
            Said::Door { shut: Ok(None) } => return self.over(None, QUEUE.to_owned()),
            Said::Version { offer: Offer::Refused, label, why, checkout } => {
                refused_files(why.unwrap_or_default(), label.commit.as_deref(), *checkout)
            }
            Said::Version { .. } => return self.over(None, FILES.to_owned()),
            Said::KillSwitch { pulled: Some(on) } => kill_switch(&on.to_string(), &on.release()),
            Said::KillSwitch { pulled: None } => return self.over(None, KILL_SWITCH.to_owned()),
            Said::Head { kept: Err(why) } => not_anchored(why),
            Said::Head { kept: Ok(()) } => return self.over(None, ANCHOR.to_owned()),
            // What failed of less than a target is looked at again with it.
            Said::Failed { begun, error, .. } => match run_key(&begun.job.what) {
                Some((name, key)) => {
                    failed_run(&format!("target {name}"), &key, &error.to_string())
                }
                None => return,
            },
            _ => return,
        };
        self.note(vec![matter], Vec::new());
    }
}

/// The target of a run, and what the run is called for the book of what was told.
pub fn run_key(what: &What) -> Option<(&str, String)> {
    match what {
        What::Target(name) => Some((name, format!("run/{name}"))),
        What::Path(_) | What::Account(_) | What::Parts { .. } => None,
    }
}
