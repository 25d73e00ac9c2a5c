#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use serde_json::json;

use super::*;

fn record(change: u32, phase: Phase) -> Record {
    Record {
        time: DateTime::UNIX_EPOCH,
        run: "run".to_owned(),
        change,
        account: "111122223333".parse().unwrap(),
        region: Region::new("eu-west-1"),
        item: "iam.password_policy".parse().unwrap(),
        object: String::new(),
        by: "arn:aws:iam::111122223333:user/somebody".to_owned(),
        baseline: "b@0".to_owned(),
        token: None,
        phase,
    }
}

fn intent() -> Phase {
    Phase::Intent {
        action: json!({"put": "á"}),
        before: Value::Null,
        spec: Value::Null,
        overruled: Vec::new(),
    }
}

fn recovered() -> Phase {
    Phase::Recovered { after: None, in_sync: true }
}

fn failed() -> Phase {
    let class = Some(FailureClass::Aws(ErrorClass::Quota));
    Phase::Failed(Failed { error: "full".to_owned(), class, again_after: Some(9), left: None })
}

struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/audit.jsonl");
        Self { _folder: folder, path }
    }

    fn append(&self, records: &[(u32, Phase)]) {
        let log = AuditLog::open(&self.path).unwrap();
        for (change, phase) in records {
            log.append(&record(*change, phase.clone())).unwrap();
        }
    }

    fn lines(&self) -> Vec<String> {
        std::fs::read_to_string(&self.path).unwrap().lines().map(str::to_owned).collect()
    }

    fn write(&self, lines: &[String]) {
        std::fs::write(&self.path, lines.iter().flat_map(|line| [line, "\n"]).collect::<String>())
            .unwrap();
    }

    fn faults(&self) -> Vec<String> {
        let check = Check::of(&self.path, None).unwrap();
        check.faults().iter().map(ToString::to_string).collect()
    }
}

#[test]
fn an_intent_without_outcome_is_unfinished() {
    let place = Place::new();
    let log = AuditLog::open(&place.path).unwrap();
    log.append(&record(1, intent())).unwrap();
    log.append(&record(1, Phase::Applied { made: vec![] })).unwrap();
    log.append(&record(2, intent())).unwrap();
    let open = |log: &AuditLog| -> Vec<u32> {
        log.unfinished().iter().map(|record| record.change).collect()
    };
    assert_eq!(open(&log), [2]);
    drop(log);
    let log = AuditLog::open(&place.path).unwrap();
    assert_eq!(open(&log), [2]);
    log.append(&record(2, recovered())).unwrap();
    assert!(log.unfinished().is_empty());
    drop(log);
    assert_eq!(place.faults(), Vec::<String>::new());
}

#[test]
fn what_got_no_answer_is_in_doubt_until_its_object_was_seen() {
    let none = || {
        let class = Some(FailureClass::Aws(ErrorClass::Unreachable));
        Phase::Failed(Failed { error: "dropped".to_owned(), class, again_after: None, left: None })
    };
    let observed = |after: Value| Phase::Observed { after, in_sync: false };
    let unseen = || observed(Value::Null);
    for (then, left) in [
        (vec![(1, none())], vec![1]),
        // Nobody could look.
        (vec![(1, none()), (0, unseen())], vec![1]),
        (vec![(1, none()), (0, observed(json!({"id": ""})))], vec![]),
        (vec![(1, none()), (1, Phase::Found)], vec![]),
        (vec![(1, none()), (2, intent()), (2, Phase::Applied { made: vec![] })], vec![]),
        (vec![(1, failed())], vec![]),
        (vec![(1, Phase::Applied { made: vec![] })], vec![]),
    ] {
        let place = Place::new();
        place.append(&[(1, intent())]);
        place.append(&then);
        let log = AuditLog::open(&place.path).unwrap();
        let unanswered: Vec<u32> = log.unanswered().iter().map(|record| record.change).collect();
        assert_eq!(unanswered, left, "{then:?}");
        drop(log);
        assert_eq!(place.faults(), Vec::<String>::new());
    }
}

#[test]
fn a_log_says_who_wrote_it_and_where_it_ends() {
    let place = Place::new();
    place.append(&[
        (1, intent()),
        (1, failed()),
        (1, intent()),
        (1, Phase::Applied { made: vec![] }),
    ]);
    let log = AuditLog::open(&place.path).unwrap();
    let mut other = record(1, intent());
    other.run = "other".to_owned();
    log.append(&other).unwrap();
    let head = log.head();
    drop(log);
    let check = Check::of(&place.path, None).unwrap();
    assert_eq!(check.faults(), [], "a write that failed may be begun again");
    let runs: Vec<_> =
        check.runs().iter().map(|run| (run.run.as_str(), run.first, run.last)).collect();
    assert_eq!(runs, [("run", 1, 4), ("other", 5, 5)]);
    let (number, digest) = check.head();
    assert_eq!(head, format!("record {number}, {}", &digest[..16]));
    for (sought, found) in [(&digest[..16], true), ("00ff00ff", false)] {
        assert_eq!(Check::of(&place.path, Some(sought)).unwrap().has_sought(), Some(found));
    }
}

#[test]
fn what_was_changed_taken_out_or_put_in_is_noticed() {
    let place = Place::new();
    place.append(&[
        (1, intent()),
        (1, Phase::Applied { made: vec![] }),
        (2, intent()),
        (2, Phase::Applied { made: vec![] }),
    ]);
    let lines = place.lines();
    let tampered = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        place.write(&lines);
        place.faults()
    };
    let first = |faults: &[String]| faults.first().cloned().unwrap_or_default();
    let faults = tampered(&|lines| lines[1] = lines[1].replace("somebody", "mallory"));
    assert_eq!(faults, ["line 2: the record was changed after it was written"]);
    let faults = tampered(&|lines| drop(lines.drain(2..3)));
    assert_eq!(first(&faults), "line 3: 1 record before it is missing");
    let faults = tampered(&|lines| lines.swap(0, 2));
    assert!(first(&faults).starts_with("line 1:"), "{faults:?}");
    let faults = tampered(&|lines| lines.insert(2, lines[1].clone()));
    assert_eq!(first(&faults), "line 3: it is record 2, and record 2 stands before it");
    let faults = tampered(&|lines| lines.insert(2, "{\"time\":\"20".to_owned()));
    assert_eq!(faults, ["line 3: it is no record, and no crash was noted"]);
    let whole = serde_json::to_string(&record(3, intent())).unwrap();
    for place in [0, 2] {
        let faults = tampered(&|lines| lines.insert(place, whole.clone()));
        let line = place + 1;
        let wanted = format!("line {line}: the record has no digest: nobody can tell who wrote it");
        assert_eq!(faults, [wanted]);
    }
    assert_eq!(tampered(&|_| {}), Vec::<String>::new());
}

#[test]
fn an_outcome_without_intent_or_twice_is_a_fault() {
    let cases: [(&[(u32, Phase)], &str); 4] = [
        (&[(1, Phase::Applied { made: vec![] })], "line 1: change 1 is done, and was never begun"),
        (
            &[(1, intent()), (1, Phase::Applied { made: vec![] }), (1, failed())],
            "line 3: change 1 is failed, and has an outcome already",
        ),
        (&[(1, intent()), (1, intent())], "line 2: change 1 is begun again without an outcome"),
        (
            &[(1, intent()), (1, Phase::Applied { made: vec![] }), (1, intent())],
            "line 3: change 1 is begun again after it was done",
        ),
    ];
    for (records, fault) in cases {
        let place = Place::new();
        place.append(records);
        assert_eq!(place.faults(), [fault]);
    }
}

/// A crash can end the file at any byte, also inside a character.
#[test]
fn a_log_that_was_cut_anywhere_is_mended_and_whole() {
    let place = Place::new();
    place.append(&[(1, intent()), (1, Phase::Applied { made: vec![] })]);
    let whole = std::fs::read(&place.path).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&place.path, &whole[..cut]).unwrap();
        let check = Check::of(&place.path, None).unwrap();
        assert_eq!(check.faults(), [], "cut at {cut}");
        let is_torn =
            !matches!(cut, 0) && cut != first && cut != first + 1 && cut != whole.len() - 1;
        assert_eq!(check.torn().is_some(), is_torn, "cut at {cut}");
        // Each is synced to the disk, which takes its time.
        if cut % 29 == 0 || whole[cut - 1] == 0xc3 {
            place.append(&[(2, intent()), (2, Phase::Applied { made: vec![] })]);
            assert_eq!(place.faults(), Vec::<String>::new(), "cut at {cut}");
        }
    }
    // And again, before anything else could be written.
    std::fs::write(&place.path, [&whole[..], b"{\"a\":\"\xc3\n\xc3"].concat()).unwrap();
    place.append(&[(3, intent())]);
    assert_eq!(place.faults(), Vec::<String>::new());
}

#[test]
fn a_log_without_digests_goes_on_and_nobody_vouches_for_it() {
    let place = Place::new();
    std::fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    let old = serde_json::to_string(&record(1, intent())).unwrap();
    std::fs::write(&place.path, format!("{old}\n{{\"time\":\"20\n{}", &old[..9])).unwrap();
    let log = AuditLog::open(&place.path).unwrap();
    assert_eq!(log.unfinished().len(), 1);
    log.append(&record(1, recovered())).unwrap();
    drop(log);
    let check = Check::of(&place.path, None).unwrap();
    assert_eq!(check.records(), 2);
    assert_eq!(place.faults(), ["line 1: the record has no digest: nobody can tell who wrote it",]);
    // Nor is it whole when there is nothing but such lines, or lines that are none.
    for text in [format!("{old}\n{old}\n"), format!("{old}\r\n"), "{}\n".to_owned()] {
        std::fs::write(&place.path, text).unwrap();
        assert!(!place.faults().is_empty());
    }
}

#[test]
fn only_one_at_a_time_writes() {
    let place = Place::new();
    let log = AuditLog::open(&place.path).unwrap();
    let error = AuditLog::open(&place.path).unwrap_err();
    assert!(matches!(error, AuditError::Held { .. }), "{error}");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(log);
    AuditLog::open(&place.path).unwrap();
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_it_and_it_is_a_file_of_its_own() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::new();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let open_to_all = std::fs::Permissions::from_mode(0o644);
    place.append(&[]);
    assert_eq!(mode(&place.path), 0o600);
    assert_eq!(mode(place.path.parent().unwrap()), 0o700);
    std::fs::set_permissions(&place.path, open_to_all).unwrap();
    place.append(&[]);
    assert_eq!(mode(&place.path), 0o600, "older versions made it readable");
    let lock = place.path.with_extension("jsonl.lock");
    let victim = place.path.with_file_name("victim");
    for path in [&place.path, &lock] {
        for (make, what) in [
            ((&|path: &Path| symlink("victim", path).unwrap()) as &dyn Fn(&Path), "a link"),
            (&|path| symlink("/dev/full", path).unwrap(), "a link"),
            (&|path| std::fs::create_dir(path).unwrap(), "a folder"),
            (
                &|path| {
                    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
                    assert!(made.success());
                },
                "a pipe",
            ),
            (
                &|path| {
                    std::fs::write(path, "").unwrap();
                    std::fs::hard_link(path, path.with_file_name("other name")).unwrap();
                },
                "other names (hard links)",
            ),
        ] {
            std::fs::remove_file(path).unwrap();
            make(path);
            let error = AuditLog::open(&place.path).unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
            let _ = std::fs::remove_file(path.with_file_name("other name"));
            if path.is_dir() {
                std::fs::remove_dir(path).unwrap();
                std::fs::write(path, "").unwrap();
            }
        }
        std::fs::remove_file(path).unwrap();
        std::fs::write(path, "").unwrap();
    }
    assert!(!victim.exists());
}

#[cfg(unix)]
#[test]
fn a_log_that_was_taken_away_under_a_run_stops_it() {
    for taken in ["audit.jsonl", "audit.jsonl.lock"] {
        let place = Place::new();
        let log = AuditLog::open(&place.path).unwrap();
        log.append(&record(1, intent())).unwrap();
        let path = place.path.with_file_name(taken);
        std::fs::rename(&path, path.with_extension("away")).unwrap();
        let error = log.append(&record(1, Phase::Applied { made: vec![] })).unwrap_err();
        assert!(error.to_string().contains("moved away or replaced"), "{error}");
        std::fs::write(&path, "").unwrap();
        log.append(&record(1, Phase::Applied { made: vec![] })).unwrap_err();
    }
}

#[test]
fn the_head_can_be_read_while_somebody_else_writes() {
    let place = Place::new();
    assert_eq!(head_of(&place.path), None);
    place.append(&[(1, intent()), (1, Phase::Applied { made: vec![] })]);
    let large = Phase::Observed { after: json!("x".repeat(100_000)), in_sync: true };
    place.append(&[(1, large)]);
    let log = AuditLog::open(&place.path).unwrap();
    assert_eq!(head_of(&place.path).unwrap(), log.head());
    let mut file = std::fs::File::options().append(true).open(&place.path).unwrap();
    file.write_all(b"{\"time\":").unwrap();
    assert_eq!(head_of(&place.path).unwrap(), log.head());
}
