//! Hears a run, and gathers what matters of it.

mod drifted;
mod matters;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use self::drifted::{Became, Drifted};
use self::matters::{expiring, of_audit_log, of_store, unknown_object, unseen_account, unseen_key};
use super::matter::{About, Fine, Matter, Seen, Subject, key_of};
use super::targets::Targets;
use crate::fleet::notify::{On, Severity};
use crate::names::AccountId;
use crate::plan::{ObjectPlan, Plan, Verdict};
use crate::reconcile::{self, ApplyReport, ListenError, Listener, Note, RunEvent, Step, Told};
use crate::store::history::ByWhom;
use crate::visible::visible;

/// An exception is told of so long before its end.
const SOON: TimeDelta = TimeDelta::days(7);
/// Characters of a line.
const LONGEST: usize = 300;

/// What is known of a run beside what happens in it.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Whether what it sees is drift of what the fleet declares, and not of what somebody tries.
    pub keeps_drift: bool,
    /// Whether all that is declared for its accounts is looked at.
    pub is_whole: bool,
    /// Whether nothing is written whatever is seen.
    pub only_looks: bool,
    /// The commit of the files, where it is known.
    pub commit: Option<String>,
    /// Who may have touched what, as far as events told.
    pub heard: reconcile::Hearsay,
    /// The kinds that all else depends on: events, and what is known of who did what.
    pub path: &'static [&'static str],
    /// All targets that there are.
    pub targets: BTreeSet<String>,
}

/// Hears one run.
#[derive(Default)]
pub struct Hearing {
    run: Run,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    about: About,
    fine: Fine,
    accounts: Vec<AccountId>,
    drifted: BTreeMap<String, Drifted>,
    /// Who may have touched what is not as declared.
    by: BTreeMap<String, Vec<ByWhom>>,
    /// What was touched by somebody.
    touched: Vec<Subject>,
    standing: Vec<Matter>,
    /// What is told beside the plan, and stays when there is a later one.
    besides: Vec<Matter>,
    /// Which of the run's targets things are of.
    targets: Targets,
    /// The targets that declare something for an account as well, and that the run was not asked for.
    beside: BTreeMap<AccountId, BTreeSet<String>>,
    /// All accounts that the run's targets select.
    selected: Option<BTreeSet<AccountId>>,
    done: Vec<Matter>,
    refused: Option<(String, String)>,
    log_failure: Option<Matter>,
    is_over: bool,
}

impl Hearing {
    /// Of such a run.
    pub fn of(run: Run) -> Self {
        Self { run, heard: Mutex::default() }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What matters of it; none where the run did not come to an end that counts, such as one that
    /// nobody agreed to. `now` is the time, `head` the audit log's head.
    pub fn seen(&self, now: DateTime<Utc>, head: Option<String>) -> Option<Seen> {
        let mut heard = std::mem::take(&mut *self.heard());
        if !heard.is_over {
            return None;
        }
        let mut seen = Seen::at(now);
        seen.about = About { audit_log: head, commit: self.run.commit.clone(), ..heard.about };
        seen.heard = std::mem::take(&mut heard.by);
        seen.touched = std::mem::take(&mut heard.touched);
        seen.standing = std::mem::take(&mut heard.standing);
        seen.standing.append(&mut heard.besides);
        seen.done = std::mem::take(&mut heard.done);
        seen.fine = std::mem::take(&mut heard.fine);
        seen.accounts = heard.accounts.iter().cloned().collect();
        for (key, drifted) in &heard.drifted {
            seen.rows.insert(key.clone(), drifted.marks());
        }
        for drifted in heard.drifted.into_values() {
            let refused = heard.refused.as_ref();
            match drifted.became(refused) {
                Became::Right(matter) => {
                    seen.fine.add(&matter.subject.key);
                    seen.done.push(matter);
                }
                Became::Already(key) => seen.fine.add(&key),
                Became::Standing(matter) => seen.standing.push(matter),
            }
        }
        seen.standing.extend(heard.log_failure);
        if !self.run.keeps_drift {
            // Somebody tried something: what was written counts, and what differs from it does not.
            seen.standing.retain(|matter| matter.on == On::Failed);
            seen.fine = Fine::default();
            seen.touched.clear();
        }
        Some(seen)
    }

    fn planned(&self, told: &Told<'_>, plan: &Plan) {
        let mut heard = Heard {
            about: About {
                run: Some(told.run.to_owned()),
                baseline: Some(format!("{}@{}", plan.baseline.name, plan.baseline.digest)),
                ..About::default()
            },
            is_over: self.run.only_looks || plan.order.is_empty(),
            ..Heard::default()
        };
        let names: BTreeMap<&AccountId, Option<&str>> =
            plan.targets.iter().map(|target| (&target.account, target.name.as_deref())).collect();
        heard.accounts = names.keys().map(|account| (*account).clone()).collect();
        let mut there = self.heard();
        heard.besides = std::mem::take(&mut there.besides);
        heard.done = std::mem::take(&mut there.done);
        heard.targets = std::mem::take(&mut there.targets);
        heard.beside = std::mem::take(&mut there.beside);
        if let Some(accounts) = there.selected.take() {
            let by = plan.baseline.targets.iter().cloned().collect();
            heard.fine.selects(by, accounts, self.run.targets.clone());
        }
        for failed in &plan.failed {
            let targets = heard.targets.of_account(&failed.account, &plan.baseline.targets);
            heard.standing.push(unseen_account(failed, &targets));
            heard.accounts.push(failed.account.clone());
        }
        for account in names.keys() {
            heard.fine.add(&unseen_key(account));
            if self.run.is_whole {
                let beside = heard.beside.get(*account).cloned().unwrap_or_default();
                heard.fine.whole(account, beside);
            }
        }
        for object in plan.objects.each() {
            let name = names.get(&object.account).copied().flatten();
            let ObjectPlan { account, item, .. } = &*object;
            let targets = heard.targets.of_item(account, item, &plan.baseline.targets);
            self.object(&mut heard, &object, name, &targets, told.time.date_naive());
        }
        *there = heard;
    }

    fn object(
        &self,
        heard: &mut Heard,
        object: &ObjectPlan,
        name: Option<&str>,
        targets: &[String],
        today: NaiveDate,
    ) {
        let subject = || Subject::of(object, name, targets);
        if !self.run.heard.touching(object).is_empty() {
            heard.touched.push(subject());
        }
        if !matches!(object.verdict, Verdict::InSync | Verdict::Skipped { .. }) {
            let by: Vec<ByWhom> = self.run.heard.of_object(object);
            if !by.is_empty() {
                heard.by.insert(key_of(object), by);
            }
        }
        match &object.verdict {
            Verdict::InSync | Verdict::Skipped { .. } => {
                heard.fine.add(&key_of(object));
            }
            Verdict::Drifted => {
                let is_path = self.run.path.contains(&object.item.kind.as_str());
                let drifted = Drifted::of(object, subject(), is_path);
                heard.drifted.insert(drifted.subject.key.clone(), drifted);
            }
            Verdict::Unknown(unknown) => {
                heard.fine.unsure(&object.account, &object.item);
                heard.standing.push(unknown_object(subject(), unknown));
            }
            Verdict::Excepted { until, owner, reason } => {
                let ends = until.parse::<NaiveDate>().ok();
                if ends.is_some_and(|ends| ends - today <= SOON) {
                    heard.standing.push(expiring(subject(), until, owner, reason));
                } else {
                    heard.fine.add(&key_of(object));
                }
            }
        }
    }

    fn wrote(&self, object: &ObjectPlan, name: String, step: &Step) {
        let mut heard = self.heard();
        if let Some(drifted) = heard.drifted.get_mut(&key_of(object)) {
            drifted.steps.push((name, step.clone()));
        }
    }

    fn ended(&self, report: Option<&ApplyReport>) {
        let mut heard = self.heard();
        heard.is_over = true;
        if let Some(report) = report {
            heard.log_failure = report.log_failure.as_ref().map(|why| match report.store_remedy {
                Some(_) => of_store(why),
                None => of_audit_log(&format!("it could not be written: {why}")),
            });
        }
    }
}

impl Listener for Hearing {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        match told.event {
            RunEvent::Planned { plan } if plan.snapshot.is_none() => self.planned(told, plan),
            RunEvent::Wrote { object, change, step } => self.wrote(object, change.name(), step),
            RunEvent::Verified { object, in_sync, .. } => {
                let (mut heard, key) = (self.heard(), key_of(object));
                if let Some(drifted) = heard.drifted.get_mut(&key) {
                    drifted.verified = Some(in_sync);
                }
                // What was unknown is known by now.
                heard.standing.retain(|matter| !in_sync || matter.subject.key != key);
            }
            RunEvent::Refused { refusal } => {
                let mut heard = self.heard();
                heard.refused = Some((refusal.to_string(), refusal.remedy().into_owned()));
                heard.is_over = true;
            }
            RunEvent::Recovered { intent, found, .. } => {
                let title = crate::reconcile::recover::title(intent);
                let (on, did) = match found {
                    Ok(found) if found.in_sync => {
                        (On::Applied, "it was observed again, and is as declared")
                    }
                    Ok(_) => (
                        On::Failed,
                        "it was observed again, and is not as declared; this run goes on from there",
                    ),
                    Err(_) => (On::Failed, "nobody knows what came of it; it is looked at again"),
                };
                let subject = Subject {
                    account: Some(intent.account.clone()),
                    item: Some(intent.item.clone()),
                    ..Subject::named(format!("unfinished/{}/{}", intent.run, intent.change), title)
                };
                let matter = Matter {
                    on,
                    severity: Severity::High,
                    state: on.as_str().to_owned(),
                    what: vec![format!(
                        "run {} was killed while it wrote it",
                        visible(&intent.run)
                    )],
                    did: did.to_owned(),
                    look: "evenkeel audit verify".to_owned(),
                    subject,
                };
                match found {
                    Ok(_) => self.heard().done.push(matter),
                    Err(_) => self.heard().besides.push(matter),
                }
            }
            RunEvent::Noted(Note::Damaged { fault, .. }) => {
                let matter = of_audit_log(&format!("it is not as its runs wrote it: {fault}"));
                self.heard().besides.push(matter);
            }
            RunEvent::Selected { accounts } => self.heard().selected = Some(accounts.clone()),
            RunEvent::GovernedBeside { account, targets } => {
                self.heard().beside.insert(account.clone(), targets.clone());
            }
            RunEvent::Ended { report, .. } => self.ended(report),
            event @ (RunEvent::SelectedBy { .. } | RunEvent::DeclaredBy { .. }) => {
                self.heard().targets.hear(event);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "listen_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
