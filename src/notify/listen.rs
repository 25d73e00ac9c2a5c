//! Hears a run, and gathers what matters of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;

use super::holds::{self, Hold};
use super::matter::{About, Fine, Matter, Seen, Subject, key_of};
use super::targets::Targets;
use super::worth::look_at;
use crate::digest;
use crate::fleet::account::FailedAccount;
use crate::fleet::notify::{On, Severity};
use crate::kinds::{FieldDrift, Risk, Unknown};
use crate::names::AccountId;
use crate::plan::render::value;
use crate::plan::words::{counted, without_request};
use crate::plan::{Disposition, ObjectPlan, Plan, Verdict};
use crate::reconcile::{self, ApplyReport, ListenError, Listener, Note, RunEvent, Step, Told};
use crate::store::history::{ByWhom, DriftRow};
use crate::visible::{shortened, visible};

/// An exception is told of so long before its end.
const SOON: TimeDelta = TimeDelta::days(7);
/// Lines of what differs that a notice has.
const LINES: usize = 30;
/// Characters of a line.
const LONGEST: usize = 300;
/// Characters of what evenkeel did or why it did not: whom a fight names, when, and what releases it, is
/// not cut off.
const LONGEST_DID: usize = 1_000;

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
    done: Vec<Matter>,
    refused: Option<(String, String)>,
    log_failure: Option<Matter>,
    is_over: bool,
}

/// An object that is not as declared, and what became of it.
struct Drifted {
    subject: Subject,
    is_path: bool,
    risk: Option<Risk>,
    drift: Vec<(FieldDrift, bool)>,
    held: Option<Hold>,
    why_not: Option<String>,
    steps: Vec<(String, Step)>,
    verified: Option<bool>,
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

/// What became of an object.
enum Became {
    /// It is as declared.
    Right(Matter),
    /// It was as declared when it was to be written: another run did it, or somebody else.
    Already(String),
    /// It is not.
    Standing(Matter),
}

impl Drifted {
    fn of(object: &ObjectPlan, subject: Subject, is_path: bool) -> Self {
        let drift = object.changes.iter().flat_map(|change| {
            let is_finding = change.action.is_none();
            change.drift.iter().map(move |drift| (drift.clone(), is_finding))
        });
        let why_not = object.changes.iter().find_map(|change| match &change.disposition {
            Disposition::Report { reason } => Some(reason.clone()),
            _ => None,
        });
        Self {
            subject,
            is_path,
            risk: object.risk(),
            drift: drift.collect(),
            held: holds::of_plan(object),
            why_not,
            steps: Vec::new(),
            verified: None,
        }
    }

    /// What differs, as the history tells it apart.
    fn marks(&self) -> Vec<u64> {
        let null = Value::Null;
        let mark = |(drift, is_finding): &(FieldDrift, bool)| {
            let values =
                (drift.actual.as_ref().unwrap_or(&null), drift.desired.as_ref().unwrap_or(&null));
            DriftRow::mark_of(&drift.field, (!is_finding).then_some(values))
        };
        self.drift.iter().map(mark).collect()
    }

    /// What differs: of what only people can mend, the fields alone, since its words may say how long
    /// it has been so.
    fn state(&self, more: &str) -> String {
        let fields: Vec<_> = self
            .drift
            .iter()
            .map(|(drift, is_finding)| match is_finding {
                true => (&drift.field, None),
                false => (&drift.field, Some((&drift.actual, &drift.desired))),
            })
            .collect();
        let mut state = digest::of(&(fields, more));
        state.truncate(16);
        state
    }

    fn matter(&self, on: On, severity: Severity, more: &str, did: String) -> Matter {
        Matter {
            subject: self.subject.clone(),
            on,
            severity: if self.is_path { severity.max(Severity::High) } else { severity },
            state: self.state(more),
            what: lines(&self.drift),
            did: shortened(&visible(&did), LONGEST_DID).into_owned(),
            look: look_at(&self.subject),
        }
    }

    fn became(&self, refused: Option<&(String, String)>) -> Became {
        let is_done = |(_, step): &(String, Step)| step.is_done();
        if self.verified == Some(true) && self.steps.iter().all(is_done) {
            let severity = match self.risk {
                Some(Risk::Safe) | None => Severity::Low,
                Some(Risk::Disruptive | Risk::Destructive) => Severity::Medium,
            };
            let names: Vec<&str> = self.steps.iter().map(|(name, _)| name.as_str()).collect();
            let did = match names.as_slice() {
                [] => "put it right by what it wrote elsewhere".to_owned(),
                names => format!("put it right: {}", names.join(", ")),
            };
            return Became::Right(self.matter(On::Applied, severity, "", did));
        }
        let is_needless = |(_, step): &(String, Step)| *step == Step::Needless;
        let is_seen = !self.steps.is_empty() && self.steps.iter().all(is_needless);
        if is_seen && self.verified.is_none() {
            return Became::Already(self.subject.key.clone());
        }
        Became::Standing(self.stands(refused))
    }

    fn stands(&self, refused: Option<&(String, String)>) -> Matter {
        let held = self.steps.iter().find_map(|(_, step)| holds::of_step(step));
        let failed = self.steps.iter().find(|(_, step)| step.is_failure());
        if let Some((name, step)) = failed {
            let step = step.to_string();
            let step = without_request(step.lines().next().unwrap_or_default()).into_owned();
            let did = format!("could not put it right: {name}: {step}");
            return self.matter(On::Failed, Severity::High, name, did);
        }
        let was_written = self.steps.iter().any(|(_, step)| step.is_done());
        if was_written && self.verified != Some(true) {
            let did = match self.verified {
                Some(_) => "AWS accepted its changes, and it is still not as declared",
                None => "AWS accepted its changes, and nobody could observe it afterwards",
            };
            return self.matter(On::Failed, Severity::High, "written", did.to_owned());
        }
        if let Some(held) = held.or_else(|| self.held.clone()) {
            let severity = if held.is_alarming { Severity::High } else { Severity::Medium };
            let did = format!("holds its changes back {}", held.why);
            return self.matter(On::HeldBack, severity, held.guard, did);
        }
        if let Some((why, remedy)) = refused.filter(|_| self.risk.is_some()) {
            let did = format!("wrote nothing: {why}; {remedy}");
            return self.matter(On::HeldBack, Severity::Medium, "refused", did);
        }
        let severity = if self.is_path { Severity::Critical } else { Severity::Medium };
        let did = match (&self.why_not, self.risk) {
            (Some(why), _) => format!("only reports it: {why}"),
            (None, Some(_)) => "did not get to it: the run was stopped, or only looked".to_owned(),
            (None, None) => "only reports it".to_owned(),
        };
        self.matter(On::Drift, severity, "drift", did)
    }
}

fn lines(drift: &[(FieldDrift, bool)]) -> Vec<String> {
    let mut all: Vec<String> = drift.iter().take(LINES).map(|(drift, _)| line(drift)).collect();
    if drift.len() > LINES {
        all.push(format!("and {}", counted(drift.len() - LINES, "more field")));
    }
    all
}

/// `minimum_password_length 9 → 14`.
fn line(drift: &FieldDrift) -> String {
    let value::Line { field, text, detail, .. } = value::line(drift);
    let text = match (text.is_empty(), detail.is_empty()) {
        (true, false) => "differs".to_owned(),
        _ => text,
    };
    let line = format!("{field} {text}");
    shortened(&visible(line.trim()), LONGEST).into_owned()
}

fn unseen_key(account: &AccountId) -> String {
    format!("unseen/{account}")
}

fn unseen_account(failed: &FailedAccount, targets: &[String]) -> Matter {
    let title = crate::plan::words::named(&failed.account, failed.name.as_deref());
    let subject = Subject {
        account: Some(failed.account.clone()),
        account_name: failed.name.clone(),
        targets: targets.to_vec(),
        ..Subject::named(unseen_key(&failed.account), format!("account {title}"))
    };
    let why = without_request(&failed.reason);
    Matter {
        on: On::Blind,
        severity: Severity::High,
        state: "unseen".to_owned(),
        what: vec![shortened(&visible(&why), LONGEST).into_owned()],
        did: failed.remedy.clone().unwrap_or_default(),
        look: look_at(&subject),
        subject,
    }
}

fn unknown_object(subject: Subject, unknown: &Unknown) -> Matter {
    let why = without_request(&unknown.reason);
    Matter {
        on: On::Blind,
        severity: Severity::Medium,
        state: "unknown".to_owned(),
        what: vec![shortened(&visible(&why), LONGEST).into_owned()],
        did: unknown.remedy.clone().unwrap_or_default(),
        look: look_at(&subject),
        subject,
    }
}

fn expiring(subject: Subject, until: &str, owner: &str, reason: &str) -> Matter {
    Matter {
        on: On::ExceptionExpiring,
        severity: Severity::Low,
        state: until.to_owned(),
        what: vec![format!("{owner} has an exception until {until}: {}", visible(reason))],
        did: "will put it right, or report it, from the day after".to_owned(),
        look: look_at(&subject),
        subject,
    }
}

fn of_store(what: &str) -> Matter {
    Matter {
        subject: Subject::named("store", "the store"),
        did: "writes nothing that it cannot remember".to_owned(),
        look: "evenkeel history".to_owned(),
        ..of_audit_log(what)
    }
}

fn of_audit_log(what: &str) -> Matter {
    let mut state = digest::of_bytes(what.as_bytes());
    state.truncate(16);
    Matter {
        subject: Subject::named("audit-log", "the audit log"),
        on: On::Failed,
        severity: Severity::Critical,
        state,
        what: vec![shortened(&visible(what), LONGEST).into_owned()],
        did: "writes nothing that it cannot log".to_owned(),
        look: "evenkeel audit verify".to_owned(),
    }
}

#[cfg(test)]
#[path = "listen_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
