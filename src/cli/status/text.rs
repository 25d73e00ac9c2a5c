//! The status in one screen, whatever the fleet's size: what is wrong comes with names, what is right is
//! counted.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use evenkeel::plan::Guard;
use evenkeel::plan::words::counted;
use evenkeel::reconcile::LeaseCounts;
use evenkeel::telemetry::known::{Guards, HeldObject, Outbox};
use evenkeel::telemetry::status::{
    Accounts, Controller, Drift, Events, Group, HeldBack, Named, RunLine, Status, UnseenTarget,
};
use evenkeel::visible::{shortened, visible};

/// Things of one sort that are named.
const FEW: usize = 3;
/// The longest reason.
const LONGEST: usize = 100;

/// The lines, each with what it is about.
struct Page(String);

impl Page {
    /// A line about something; the second about the same begins with nothing.
    fn say(&mut self, about: &str, text: &str) {
        self.0 += &format!("{about:<10}  {}\n", visible(text));
    }

    /// Something that is not known, and why.
    fn unknown(&mut self, about: &str, status: &Status) {
        self.say(about, &format!("unknown: {}", short(why_unknown(about, status))));
    }
}

fn why_unknown<'s>(about: &str, status: &'s Status) -> &'s str {
    status.unknown.get(about).map_or("nobody said it", String::as_str)
}

/// The screen.
pub fn render(status: &Status) -> String {
    let mut page = Page(String::new());
    let time = status.time.to_rfc3339_opts(SecondsFormat::Secs, true);
    match &status.controller {
        Some(controller) => of_controller(&mut page, controller, status.time),
        // Whole: what to do about it stands at the end.
        None => page.say("controller", &format!("unknown: {}", why_unknown("controller", status))),
    }
    if let Some(why) = status.unknown.get("store") {
        page.say("store", &format!("DOES NOT ANSWER: {}", short(why)));
    }
    match &status.accounts {
        Some(accounts) => of_accounts(&mut page, accounts, status.empty_shard()),
        None => page.unknown("accounts", status),
    }
    match &status.drift {
        Some(drift) => {
            let none = none_drifted(status);
            of_drift(&mut page, drift, none, status.time);
        }
        None => page.unknown("drift", status),
    }
    if let Some(why) = &status.kill_switch {
        page.say("guards", &format!("KILL SWITCH ON, nothing is written: {why}"));
    }
    let held_back = status.drift.as_ref().map_or(&[][..], |drift| &drift.held_back);
    match &status.guards {
        Some(guards) => of_guards(&mut page, guards, held_back, status.kill_switch.is_some()),
        None => {
            page.unknown("guards", status);
            of_held_back(held_back).iter().for_each(|line| page.say("", line));
        }
    }
    match &status.notices {
        Some(notices) => of_notices(&mut page, notices, status.time),
        None => page.unknown("notices", status),
    }
    match &status.runs {
        Some(runs) => of_runs(&mut page, runs),
        None => page.unknown("runs", status),
    }
    page.say("as of", &time);
    page.0
}

fn of_controller(page: &mut Page, controller: &Controller, now: DateTime<Utc>) {
    let Controller { version, started, alive, ready, files, queue, events, leases, listen_tls } =
        controller;
    let missing = ready.parts().into_iter().filter(|(_, is_so)| !is_so);
    let missing: Vec<&str> = missing.map(|(name, _)| name).collect();
    let state = match (alive, missing.as_slice()) {
        (false, _) => "ITS LOOP DOES NOT COME ROUND".to_owned(),
        (true, []) => "ready".to_owned(),
        (true, missing) => format!("NOT READY ({})", missing.join(", ")),
    };
    page.say("controller", &format!("{state} · version {version} · for {}", since(*started, now)));
    let commit =
        files.commit.as_ref().map_or_else(String::new, |commit| format!(" · commit {commit}"));
    page.say(
        "files",
        &format!("{}{commit} · in force for {}", files.digest, since(files.since, now)),
    );
    if let Some(refused) = &files.refused {
        let why = short(refused.why.lines().next().unwrap_or_default());
        let age = since(refused.since, now);
        let which = match &refused.commit {
            None => refused.digest.clone(),
            // Nothing of it was read: it is known by its commit.
            Some(commit) if commit.starts_with(&refused.digest) => format!("commit {commit}"),
            Some(commit) => format!("{} of commit {commit}", refused.digest),
        };
        page.say("", &format!("REFUSED {which} {age} ago: {why}"));
    }
    if let Some(why) = &files.unreachable {
        page.say("", &format!("CANNOT BE REACHED: {}", short(why)));
    }
    if let Some(why) = listen_tls {
        page.say("listen_tls", &format!("WRONG: {}", short(why)));
    }
    let late = span(queue.late_seconds);
    let in_hand = listed(queue.in_hand.iter().cloned());
    let in_hand = if in_hand.is_empty() { "nothing".to_owned() } else { in_hand };
    page.say("queue", &format!("{} waiting · late by {late} · in hand: {in_hand}", queue.waiting));
    match events {
        None => page.say("events", "no queue of events: the schedule alone finds drift"),
        Some(events) => of_events(page, events),
    }
    if let Some(LeaseCounts { held, lost }) = leases {
        let lost = if *lost > 0 { format!("{lost} LOST") } else { "none lost".to_owned() };
        page.say("leases", &format!("{} held · {lost}", counted(*held, "account")));
    }
}

fn of_events(page: &mut Page, events: &Events) {
    let Events { answer_age_seconds, deaf, deaf_seconds, events, own, unreadable, policy_unknown } =
        events;
    let counts = format!("{events} heard, {own} of our own, {unreadable} unreadable");
    let text = match (deaf, answer_age_seconds) {
        (Some(why), _) => {
            format!(
                "DEAF for {}: {} · {counts}",
                span(deaf_seconds.unwrap_or_default()),
                short(why)
            )
        }
        (None, Some(age)) => format!("the queue answered {} ago · {counts}", span(*age)),
        (None, None) => format!("the queue has not answered yet · {counts}"),
    };
    page.say("events", &text);
    if let Some(why) = policy_unknown {
        page.say(
            "",
            &format!("whether the queue's policy lets events in is unknown: {}", short(why)),
        );
    }
}

fn of_accounts(page: &mut Page, accounts: &Accounts, empty_shard: Option<&str>) {
    let objective = |name| accounts.objectives_seconds.get(name).copied().map(span);
    let mut text = format!("{} seen", counted(accounts.seen, "account"));
    if let Some(shard) = empty_shard {
        text += &format!(" · the shard {shard} has none");
    }
    if let Some(age) = accounts.oldest_full_look_seconds {
        text += &format!(" · oldest full look {} ago", span(age));
        text += &objective("full").map_or_else(String::new, |most| format!(" (objective {most})"));
    }
    if accounts.never_in_full > 0 {
        text += &format!(" · {} never looked at in full", accounts.never_in_full);
    }
    match (&accounts.blind, &accounts.unseen) {
        _ if accounts.watched == Some(false) => {
            text += " · not watched: nobody would notice a blind one ([controller] heartbeat)";
        }
        (None, _) | (_, None) => text += " · unknown which are blind",
        (Some(blind), Some(unseen)) if blind.count + unseen.count == 0 => text += " · none blind",
        _ => {}
    }
    page.say("accounts", &text);
    let mut lines = Vec::new();
    let named = |lines: &mut Vec<String>, what: &str, named: &Option<Named>| {
        if let Some(named) = named.as_ref().filter(|named| named.count > 0) {
            let worst = named.worst.iter().map(|one| {
                let why =
                    one.why.as_ref().map_or_else(String::new, |why| format!(": {}", short(why)));
                format!("{} for {}{why}", one.account, span(one.seconds))
            });
            lines.push(format!("{what} {}: {}", named.count, more(worst, named.count)));
        }
    };
    named(&mut lines, "BLIND", &accounts.blind);
    named(&mut lines, "NOT TO BE LOOKED AT", &accounts.unseen);
    let targets = accounts.unseen_targets.iter();
    for UnseenTarget { target, seconds, why, was_seen } in targets.clone().take(FEW) {
        let what = if *was_seen { "RUNS FAIL of" } else { "NOT TO BE LOOKED AT" };
        lines.push(format!("{what} target {target} for {}: {}", span(*seconds), short(why)));
    }
    if targets.len() > FEW {
        lines.push(format!("and {} more targets", targets.len() - FEW));
    }
    for (objective, missed) in accounts.missed.iter().flat_map(BTreeMap::iter) {
        named(&mut lines, &format!("OBJECTIVE {objective} MISSED"), &Some(missed.clone()));
    }
    lines.iter().for_each(|line| page.say("", line));
}

/// What is said where nothing is known to have drifted: none only where everything can be looked at.
fn none_drifted(status: &Status) -> String {
    let accounts = status.accounts.as_ref();
    let unseen = accounts.and_then(|accounts| accounts.unseen.as_ref());
    let unseen = unseen.map_or(0, |unseen| unseen.count);
    let targets = accounts.iter().flat_map(|accounts| &accounts.unseen_targets);
    let targets = targets.filter(|target| !target.was_seen).count();
    let lost = [(unseen, "account"), (targets, "target")];
    let lost = lost.iter().filter(|(count, _)| *count > 0);
    let lost: Vec<String> = lost.map(|(count, word)| counted(*count, word)).collect();
    match lost.is_empty() {
        true if status.is_blank() => "unknown: nothing was looked at yet".to_owned(),
        true => "none".to_owned(),
        false => format!("none seen, and {} not to be looked at", lost.join(" and ")),
    }
}

fn of_drift(page: &mut Page, drift: &Drift, none: String, now: DateTime<Utc>) {
    let mut text = match drift.objects {
        0 => none,
        count => counted(count, "object"),
    };
    let besides =
        [(drift.in_sync, "in sync"), (drift.unknown, "unknown"), (drift.excepted, "excepted")];
    for (count, word) in besides {
        text += &count.map_or_else(String::new, |count| format!(" · {count} {word}"));
    }
    page.say("drift", &text);
    for Group { severity, objects, ages: [hour, day, week, older], oldest } in &drift.by_severity {
        let oldest = since(*oldest, now);
        page.say("", &format!(
            "{:<8} {objects:>5}   <1h {hour} · <1d {day} · <1w {week} · older {older}   oldest {oldest}",
            severity.as_str()
        ));
    }
    for one in drift.worst.iter().take(FEW) {
        let guard = one.guard.as_ref().map_or_else(String::new, |guard| format!(" by {guard}"));
        let state = one.state.as_str().replace('_', " ");
        let age = since(one.since, now);
        page.say("", &format!("{} · {state}{guard} for {age}", shortened(&one.title, LONGEST)));
    }
    if drift.objects > FEW {
        page.say("", &format!("and {}: evenkeel history --outcome drift", drift.objects - FEW));
    }
}

/// What guards hold back beside what has lines of its own, and what releases it.
fn of_held_back(held_back: &[HeldBack]) -> Vec<String> {
    let shown = [Guard::KillSwitch, Guard::Breaker, Guard::Fight, Guard::Hold, Guard::Wave];
    let is_shown = |held: &HeldBack| shown.iter().any(|guard| guard.as_str() == held.guard);
    let others = held_back.iter().filter(|held| !is_shown(held));
    let line = |HeldBack { guard, objects, released_by }: &HeldBack| {
        let objects = counted(*objects, "object");
        format!("{objects} held back by {guard}; released by: {}", short(released_by))
    };
    others.map(line).collect()
}

fn of_guards(page: &mut Page, guards: &Guards, held_back: &[HeldBack], is_pulled: bool) {
    let Guards { breakers, fights, holds, rollouts } = guards;
    let mut about = if is_pulled { "" } else { "guards" };
    let mut say = |text: String| {
        page.say(about, &text);
        about = "";
    };
    for one in breakers.iter().take(FEW) {
        let of = one
            .name
            .as_ref()
            .map_or_else(|| "all accounts".to_owned(), |name| format!("{} {name}", one.scope));
        say(format!("BREAKER OPEN of {of}: {}", short(&one.why)));
    }
    if breakers.len() > FEW {
        say(format!("and {} more breakers", breakers.len() - FEW));
    }
    let objects = |held: &[HeldObject]| listed(held.iter().map(|one| one.object.clone()));
    if !fights.is_empty() {
        say(format!(
            "FIGHT over {}: {} (evenkeel release)",
            counted(fights.len(), "object"),
            objects(fights)
        ));
    }
    if !holds.is_empty() {
        say(format!(
            "{} held: {} (evenkeel release)",
            counted(holds.len(), "object"),
            objects(holds)
        ));
    }
    for one in rollouts.iter().take(FEW) {
        let wave = one.wave.as_deref().unwrap_or("its last wave");
        let state = one.halted.as_ref().map_or_else(
            || {
                format!(
                    "is in the wave {wave}, {} not there yet",
                    counted(one.missing.len(), "account")
                )
            },
            |why| {
                let word = if one.given_up { "GIVEN UP" } else { "HALTED" };
                format!("{word} in the wave {wave}: {}", short(why))
            },
        );
        say(format!("rollout of {} {state}", one.target));
    }
    of_held_back(held_back).into_iter().for_each(&mut say);
    let is_empty =
        breakers.is_empty() && fights.is_empty() && holds.is_empty() && rollouts.is_empty();
    if is_empty && held_back.is_empty() {
        say("nothing is held back beyond a run".to_owned());
    }
}

fn of_notices(page: &mut Page, notices: &[Outbox], now: DateTime<Utc>) {
    let waiting: Vec<&Outbox> = notices.iter().filter(|one| one.waiting > 0).collect();
    if waiting.is_empty() {
        let text = match notices.len() {
            0 => "no channel".to_owned(),
            count => format!("none waits · {}", counted(count, "channel")),
        };
        page.say("notices", &text);
    }
    for (index, Outbox { channel, waiting, failing, oldest }) in waiting.into_iter().enumerate() {
        let oldest = oldest
            .map_or_else(String::new, |oldest| format!(", the oldest for {}", since(oldest, now)));
        let vain = if *failing > 0 { format!(", {failing} TRIED IN VAIN") } else { String::new() };
        let about = if index == 0 { "notices" } else { "" };
        page.say(about, &format!("{channel}: {waiting} waiting{vain}{oldest}"));
    }
}

fn of_runs(page: &mut Page, runs: &[RunLine]) {
    if runs.is_empty() {
        page.say("runs", "none yet");
    }
    for (index, run) in runs.iter().enumerate() {
        let outcome = run.outcome.as_deref().unwrap_or("not ended").replace('_', " ");
        let took = run.ended.map_or_else(String::new, |ended| {
            format!(" · {}", span((ended - run.began).as_seconds_f64()))
        });
        let about = if index == 0 { "runs" } else { "" };
        page.say(
            about,
            &format!(
                "{}  {outcome:<11}  {} · {} · {} applied{took}",
                run.began.to_rfc3339_opts(SecondsFormat::Secs, true),
                run.of,
                counted(run.accounts, "account"),
                run.applied,
            ),
        );
    }
}

fn short(text: &str) -> String {
    shortened(text.trim(), LONGEST).into_owned()
}

/// The first of them, and how many more there are.
fn listed(all: impl ExactSizeIterator<Item = String>) -> String {
    let count = all.len();
    more(all, count)
}

fn more(all: impl Iterator<Item = String>, count: usize) -> String {
    let few: Vec<String> = all.take(FEW).collect();
    match count.saturating_sub(FEW) {
        0 => few.join(", "),
        more => format!("{}, and {more} more", few.join(", ")),
    }
}

fn since(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    span((now - then).as_seconds_f64())
}

/// `42 s`, `12 min`, `5 h`, `3 d`: what somebody wants to know at a glance.
fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    match () {
        () if seconds < 120.0 => format!("{seconds:.0} s"),
        () if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        () if seconds < 172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        () => format!("{:.0} d", seconds / 86_400.0),
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
