//! Who listens to a run on the command line: the person at the terminal, and the log of `run`.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use chrono::{DateTime, Utc};
use evenkeel::plan::{Guard, Held, ObjectPlan, Plan, PlannedChange};
use evenkeel::reconcile::event::Recovered;
use evenkeel::reconcile::recover::title;
use evenkeel::reconcile::{
    ApplyReport, ListenError, Listener, Note, RunEvent, RunOutcome, Step, Told,
};
use evenkeel::store::audit::Record;
use evenkeel::visible::visible;
use serde_json::{Value, json};

use super::out;

/// Says what the person at the terminal should know besides.
pub struct Talk;

impl Listener for Talk {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        match told.event {
            RunEvent::Noted(note @ (Note::Damaged { .. } | Note::GuardsForget(_))) => {
                out::say(&format!("warning: {}", visible(&note.to_string())));
            }
            RunEvent::Noted(note) => out::say(&format!("note: {}", visible(&note.to_string()))),
            RunEvent::Recovered { intent, found, .. } => out::say(&recovered(intent, found)),
            RunEvent::SeenSince { intent, now, .. } => out::say(&format!(
                "note: run {} got no answer when it wrote {}; it has been observed again ({})",
                visible(&intent.run),
                title(intent),
                as_declared(now.in_sync)
            )),
            _ => {}
        }
        Ok(())
    }
}

fn as_declared(in_sync: bool) -> &'static str {
    if in_sync { "as declared" } else { "not as declared" }
}

fn recovered(intent: &Record, found: Result<Recovered<'_>, &str>) -> String {
    let (run, title) = (visible(&intent.run), title(intent));
    match found {
        Ok(Recovered { in_sync, .. }) => format!(
            "note: run {run} was killed while it wrote {title}; it has been observed again ({}), and this run goes on from there",
            as_declared(in_sync)
        ),
        Err(why) => format!(
            "warning: run {run} was killed while it wrote {title}, and nobody knows what came of it, because {}; this will be said until a run could look at it",
            visible(why)
        ),
    }
}

/// Prints a line a step.
#[derive(Default)]
pub struct Steps {
    /// The objects that were said to be verified.
    verified: Mutex<BTreeSet<String>>,
}

impl Listener for Steps {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        // Lines of several accounts do not mix.
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        match told.event {
            RunEvent::Wrote { object, change, step } => wrote(object, change, step),
            RunEvent::MakesRoom { object, refused, room } => out::line(&format!(
                "  no room   {}: a quota is full; {} goes first, then {} once more",
                object.title(),
                room.name(),
                refused.name()
            )),
            RunEvent::Verified { object, in_sync: true, .. } => {
                let title = object.title();
                if verified.insert(title.clone()) {
                    out::line(&format!("  verified  {title}"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn wrote(object: &ObjectPlan, change: &PlannedChange, step: &Step) {
    let what =
        change.permissions.first().map_or_else(String::new, |permission| format!("  {permission}"));
    match step {
        Step::Applied => out::line(&format!("  done      {}{what}", object.title())),
        Step::Needless => {
            out::line(&format!(
                "  is so     {}{what}: nothing of it is left to write",
                object.title()
            ));
        }
        Step::Found => out::line(&format!(
            "  is there  {}{what}: it is as declared by now, so that an answer of AWS was lost or \
             somebody else did it; nothing is left to do of what failed above",
            object.title()
        )),
        Step::WasThere { why } => out::line(&format!(
            "  is there  {}{what}: it was not made, because it was there: an earlier try whose answer \
             was lost has made it, or somebody else since the look; no rollback takes it away: {}",
            object.title(),
            visible(why)
        )),
        Step::Moved { why } => out::line(&format!(
            "  MOVED     {}{what}: {}; it was left alone",
            object.title(),
            visible(why)
        )),
        Step::Failed { error } => {
            out::line(&format!("  FAILED    {}{what}", object.title()));
            for line in error.lines() {
                out::line(&format!("            {}", visible(line)));
            }
        }
        Step::Blocked { what: needed, .. } => out::line(&format!(
            "  not tried {}{what}: it needs {needed}, which was not done",
            object.title()
        )),
        // There may be hundreds: they are told together at the end.
        Step::NotTried | Step::LeaseLost { .. } | Step::HeldBack { .. } => {}
    }
}

/// The line of one run in the log of `run`.
pub struct JsonLine {
    started: DateTime<Utc>,
    line: Mutex<Value>,
    /// The kinds of what is not as declared.
    drifted: OnceLock<BTreeSet<String>>,
    by_hand: Option<ByHand>,
}

/// The command with which a person writes what a guard holds back of these kinds, if there is one.
pub type ByHand = Box<dyn Fn(Guard, &BTreeSet<String>) -> Option<String> + Send + Sync>;

impl JsonLine {
    /// For a run, with what it looks at.
    pub fn new(line: Value, started: DateTime<Utc>) -> Self {
        Self { started, line: Mutex::new(line), drifted: OnceLock::new(), by_hand: None }
    }

    /// The same with what a person can do about guards: nobody is there to overrule one in the run itself.
    #[must_use]
    pub fn by_hand(mut self, by_hand: ByHand) -> Self {
        self.by_hand = Some(by_hand);
        self
    }

    fn held_back(&self, object: &str, held: &Held) -> Value {
        let mut line = json!({
            "object": object,
            "guard": held.guard,
            "reason": held.reason,
            "released_by": held.released_by,
        });
        let kinds = self.drifted.get_or_init(BTreeSet::new);
        let by_hand = self.by_hand.as_ref();
        if let Some(command) = by_hand.and_then(|by_hand| by_hand(held.guard, kinds)) {
            line["by_hand"] = json!(command);
        }
        line
    }

    fn planned(&self, line: &mut Value, plan: &Plan) {
        line["run"] = json!(plan.run);
        line["baseline"] = json!(plan.baseline.digest);
        line["calls"] = json!(plan.cost.requests);
        line["summary"] = json!(plan.summary());
        line["applied"] = json!(0);
        let (mut kinds, mut titles) = (BTreeSet::new(), Vec::new());
        for object in plan.objects.each().filter(|object| !object.changes.is_empty()) {
            kinds.insert(object.item.kind.clone());
            titles.push(object.title());
        }
        line["drift"] = json!(titles);
        self.drifted.get_or_init(|| kinds);
        let held: Vec<Value> =
            plan.held().map(|(object, held)| self.held_back(&object, &held)).collect();
        if !held.is_empty() {
            line["held_back"] = json!(held);
        }
    }

    fn ended(&self, line: &mut Value, outcome: RunOutcome, report: Option<&ApplyReport>) {
        if let Some(report) = report {
            line["applied"] = json!(report.applied());
            let is_failed = |step: &Step| !step.is_done() && !matches!(step, Step::HeldBack { .. });
            let failed = report.outcomes.iter().filter(|outcome| is_failed(&outcome.step));
            let failed = failed.map(|outcome| format!("{}: {}", outcome.title, outcome.step));
            line["failed"] = json!(failed.collect::<Vec<_>>());
            for (object, held) in report.held() {
                if !line["held_back"].is_array() {
                    line["held_back"] = json!([]);
                }
                if let Some(all) = line["held_back"].as_array_mut() {
                    all.push(self.held_back(object, held));
                }
            }
            let right: Vec<&str> = report.put_right().collect();
            if !right.is_empty() {
                line["put_right"] = json!(right);
            }
            if let Some(why) = &report.log_failure {
                line["error"] = json!(format!("{why}: nothing more was written to AWS"));
            }
        }
        line["outcome"] = json!(outcome.as_str());
    }
}

impl Listener for JsonLine {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        match told.event {
            RunEvent::Planned { plan } => self.planned(&mut line, plan),
            RunEvent::Ended { outcome, report } => {
                self.ended(&mut line, outcome, report);
                line["event"] = json!("run");
                line["started"] = json!(self.started);
                line["seconds"] = json!((told.time - self.started).as_seconds_f64());
                out::line(&line.to_string());
            }
            _ => {}
        }
        Ok(())
    }
}
