//! Letters in words, for people. What AWS or somebody else wrote stands on one line and moves nothing.

use super::letter::{AffectedObject, Letter, Notice, Status};
use crate::fleet::notify::On;
use crate::plan::words::{counted, named};
use crate::store::history::ByWhom;
use crate::store::history::callers::{and_not_kept, text as callers_text};
use crate::visible::{shortened, visible};

/// Places that are named in a text; a letter has more of them.
const NAMED: usize = 5;
/// Lines of what differs.
const LINES: usize = 12;
/// Characters of a line, the longest of which says why something is held back, and what releases it.
const LONGEST: usize = 1_000;

/// What a notice says, in a few words: `not as declared: iam.password_policy of 111122223333`.
pub fn headline(notice: &Notice) -> String {
    let what = match (notice.status, notice.on) {
        (Status::Test, _) => return "this is a test of evenkeel's notices".to_owned(),
        (Status::Resolved, _) => "over",
        (_, On::Drift) => "not as declared",
        (_, On::Applied) => "put right",
        (_, On::Failed) => "failed",
        (_, On::HeldBack) => "held back",
        (_, On::Blind) => "not seen",
        (_, On::Files) => "refused",
        (_, On::ExceptionExpiring) => "its exception ends soon",
    };
    let titles: Vec<String> =
        notice.places.iter().map(|place| place.subject.title.clone()).collect();
    let titles = match titles.as_slice() {
        _ if notice.count == 1 => titles.join(", "),
        [first, ..] => format!("{first} and {} more", notice.count - 1),
        [] => counted(notice.count, "place"),
    };
    visible(&format!("{what}: {titles}")).into_owned()
}

/// The subject of a letter, on one line: `[evenkeel] high: not as declared: …`.
pub fn subject(letter: &Letter) -> String {
    let first = letter.notices.first().map_or_else(String::new, headline);
    let more = match (letter.notices.len() + letter.more).saturating_sub(1) {
        0 => String::new(),
        more => format!(" (and {})", counted(more, "more notice")),
    };
    format!("[evenkeel] {}: {first}{more}", letter.severity().as_str())
}

/// The whole letter. `escape` makes a text safe for the form that the channel has.
pub fn text(letter: &Letter, escape: &dyn Fn(&str) -> String) -> String {
    let mut lines = Vec::new();
    for notice in &letter.notices {
        lines.extend(lines_of(notice));
        lines.push(String::new());
    }
    if letter.more > 0 {
        lines.push(format!(
            "{} are not shown: run evenkeel check",
            counted(letter.more, "more notice")
        ));
        lines.push(String::new());
    }
    let about = &letter.about;
    let last = [
        about.run.as_ref().map(|run| format!("run {run}")),
        about.commit.as_ref().map(|commit| format!("commit {commit}")),
        about.audit_log.as_ref().map(|head| format!("audit log: {head}")),
        Some(format!("letter {}", letter.id)),
    ];
    lines.push(last.into_iter().flatten().collect::<Vec<_>>().join(" · "));
    let lines = lines.iter().map(|line| escape(&shortened(&visible(line), LONGEST)));
    lines.collect::<Vec<_>>().join("\n")
}

fn lines_of(notice: &Notice) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", notice.severity.as_str(), headline(notice))];
    let shown = notice.what.iter().take(LINES).map(|line| format!("  {line}"));
    lines.extend(shown);
    if let Some(more) = notice.what.len().checked_sub(LINES).filter(|more| *more > 0) {
        lines.push(format!("  and {}", counted(more, "more line")));
    }
    if notice.count > 1 {
        lines.extend(places(notice));
    } else if let Some(name) = notice.places.first().and_then(account) {
        lines.push(format!("  in account {name}"));
    }
    if let Some(first) = notice.places.first().filter(|_| notice.status != Status::Test) {
        let since = first.since.format("%Y-%m-%d %H:%M:%S UTC");
        let by = if is_by_the_same(notice) { by(first) } else { String::new() };
        lines.push(format!("  since {since}{by}"));
    }
    if !notice.did.is_empty() {
        lines.push(format!("  evenkeel: {}", notice.did));
    }
    if !notice.look.is_empty() {
        lines.push(format!("  look closer: {}", notice.look));
    }
    lines
}

/// Whether the same people did it everywhere.
fn is_by_the_same(notice: &Notice) -> bool {
    let of = |place: &AffectedObject| (place.by.clone(), place.more_by, place.not_kept);
    notice.places.windows(2).all(|two| of(&two[0]) == of(&two[1]))
}

/// The places, each with who did it there, unless that is the same everywhere.
fn places(notice: &Notice) -> Vec<String> {
    let is_same = is_by_the_same(notice);
    let shown = notice.places.iter().take(NAMED);
    let mut lines: Vec<String> = shown
        .map(|one| match is_same {
            true => format!("  at {}", place(one)),
            false => format!("  at {}{}", place(one), by(one)),
        })
        .collect();
    if notice.count > NAMED {
        let mut others: Vec<ByWhom> = Vec::new();
        let mut are_more = notice.count > notice.places.len();
        for place in notice.places.iter().skip(NAMED).filter(|_| !is_same) {
            are_more |= place.more_by > 0 || place.not_kept > 0;
            let new = place.by.iter().filter(|one| !others.contains(one));
            let new: Vec<ByWhom> = new.cloned().collect();
            others.extend(new);
        }
        let text = called_by_all(&others, are_more);
        lines.push(format!("  and {} more{text}", notice.count - NAMED));
    }
    lines
}

fn account(place: &AffectedObject) -> Option<String> {
    let account = place.subject.account.as_ref()?;
    Some(named(account, Some(place.subject.account_name.as_deref()?)))
}

fn place(place: &AffectedObject) -> String {
    match &place.subject.account_name {
        Some(name) => format!("{} ({name})", place.subject.title),
        None => place.subject.title.clone(),
    }
}

/// Who did it in the places that are not shown, of whom there may be more.
fn called_by_all(all: &[ByWhom], are_more: bool) -> String {
    match all.is_empty() {
        true => String::new(),
        false => format!(", after {}", callers_text(all, are_more, called_at)),
    }
}

/// Who called what, in a few words.
pub fn called(all: &[&ByWhom]) -> String {
    callers_text(all.iter().copied(), false, |by| format!("{} by {}", by.call, by.principal))
}

/// Who did it in a place, as far as AWS told.
fn by(place: &AffectedObject) -> String {
    let names: Vec<String> = place.by.iter().map(called_at).collect();
    let mut text = match names.is_empty() {
        true if place.not_kept == 0 => return String::new(),
        true => String::new(),
        false => names.join(", "),
    };
    if place.more_by > 0 {
        text += &format!(" and {} more", place.more_by);
    }
    let with_others = and_not_kept(text, place.not_kept);
    format!(", after {with_others}")
}

fn called_at(by: &ByWhom) -> String {
    let mut text = format!("{} by {}", by.call, by.principal);
    if let Some(time) = by.time {
        text += &format!(" at {}", time.format("%H:%M:%S"));
    }
    if by.count() > 1 {
        text += &format!(" ({} times)", by.count());
    }
    if let Some(address) = &by.address {
        text += &format!(" from {address}");
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::DateTime;

    use super::super::matter::{About, Subject};
    use super::*;
    use crate::fleet::notify::Severity;
    fn letter(title: &str) -> Letter {
        let since = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let by = ByWhom {
            principal: "arn:aws:iam::111122223333:user/eve".to_owned(),
            call: "cloudtrail.amazonaws.com:DeleteTrail".to_owned(),
            address: Some("198.51.100.7".to_owned()),
            time: Some(since),
            ..ByWhom::default()
        };
        let place = AffectedObject {
            subject: Subject::named("k", title),
            since,
            by: vec![by],
            more_by: 0,
            not_kept: 0,
        };
        let notice = Notice {
            id: "n".to_owned(),
            status: Status::New,
            on: On::Drift,
            severity: Severity::Critical,
            what: vec!["is_logging true → false".to_owned()],
            did: "only reports it: mode report".to_owned(),
            look: "evenkeel plan -a 111122223333".to_owned(),
            places: vec![place],
            count: 1,
        };
        let about = About { audit_log: Some("record 7, abc".to_owned()), ..About::default() };
        Letter::of(since, about, vec![notice])
    }

    #[test]
    fn a_letter_says_what_where_who_since_when_and_what_was_done() {
        let letter = letter("cloudtrail.trail.main of 111122223333");
        assert_eq!(
            subject(&letter),
            "[evenkeel] critical: not as declared: cloudtrail.trail.main of 111122223333"
        );
        let text = text(&letter, &str::to_owned);
        assert_eq!(
            text,
            format!(
                "critical: not as declared: cloudtrail.trail.main of 111122223333\n  \
                 is_logging true → false\n  \
                 since 2023-11-14 22:13:20 UTC, after cloudtrail.amazonaws.com:DeleteTrail by \
                 arn:aws:iam::111122223333:user/eve at 22:13:20 from 198.51.100.7\n  \
                 evenkeel: only reports it: mode report\n  \
                 look closer: evenkeel plan -a 111122223333\n\n\
                 audit log: record 7, abc · letter {}",
                letter.id
            )
        );
    }

    #[test]
    fn each_place_of_a_notice_says_who_it_was_there() {
        let mut letter = letter("ec2.ebs_encryption in us-east-1");
        let notice = &mut letter.notices[0];
        let mut other = notice.places[0].clone();
        other.subject.title = "ec2.ebs_encryption in eu-west-1".to_owned();
        other.by[0].principal = "arn:aws:iam::111122223333:user/mallory".to_owned();
        let mut nobodys = other.clone();
        nobodys.subject.title = "ec2.ebs_encryption in eu-west-2".to_owned();
        nobodys.by.clear();
        notice.places.extend([other, nobodys]);
        notice.count = 3;
        let said = text(&letter, &str::to_owned);
        let line = |place: &str| said.lines().find(|line| line.starts_with(place)).unwrap();
        assert!(line("  at ec2.ebs_encryption in us-east-1").contains("user/eve at"), "{said}");
        assert!(line("  at ec2.ebs_encryption in eu-west-1").contains("user/mallory at"), "{said}");
        assert_eq!(
            line("  at ec2.ebs_encryption in eu-west-2"),
            "  at ec2.ebs_encryption in eu-west-2"
        );
        assert_eq!(line("  since"), "  since 2023-11-14 22:13:20 UTC");
        // What is the same everywhere is said once; of those that are not shown, it is said together.
        let notice = &mut letter.notices[0];
        let (eves, mallorys) = (notice.places[0].clone(), notice.places[1].clone());
        notice.places = vec![eves.clone(); 7];
        notice.count = 7;
        let said = text(&letter, &str::to_owned);
        assert_eq!(said.matches("user/eve").count(), 1, "{said}");
        letter.notices[0].places[6] = mallorys;
        let said = text(&letter, &str::to_owned);
        let more = said.lines().find(|line| line.starts_with("  and 2 more")).unwrap();
        assert!(more.contains("user/eve") && more.contains("user/mallory"), "{said}");
    }

    #[test]
    fn a_name_that_others_gave_forges_no_line() {
        let letter = letter("s3.bucket x\ncritical: all is well\u{202e}");
        assert!(!subject(&letter).contains('\n'));
        let text = text(&letter, &str::to_owned);
        assert!(!text.lines().any(|line| line.starts_with("critical: all is well")), "{text}");
        assert!(!text.contains('\u{202e}'));
    }
}
