//! The rules of the fleet file that its schema cannot say.

mod waves;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use chrono::Utc;

use super::file::{FleetFile, schedule};
use super::notify;
use super::urls;
use crate::baseline::problem::{Problem, SourcePlace};

/// Adds what is wrong by the rules that the schema cannot say.
pub fn check(file: &FleetFile, at: &dyn Fn(String) -> SourcePlace, problems: &mut Vec<Problem>) {
    let mut cron = |field: String, text: &str| {
        let help = "six fields, seconds first: \"0 */15 * * * *\" is every quarter of an hour";
        match schedule(text) {
            Err(error) => {
                let what = format!("{text:?} is not a cron expression: {error}");
                problems.push(Problem::error("wrong-value", what, at(field)).help(help));
            }
            // Not an error: a file that was right must not become wrong by the clock alone.
            Ok(cron) if cron.find_next_occurrence(&Utc::now(), false).is_err() => {
                let what = format!("{text:?} never comes any more");
                problems.push(
                    Problem::error("never-comes", what, at(field))
                        .warning()
                        .help("leave the seventh field out, which is the year"),
                );
            }
            Ok(_) => {}
        }
    };
    for (index, target) in file.targets.iter().enumerate() {
        if let Some(text) = &target.schedule {
            cron(format!("target[{index}].schedule"), text);
        }
    }
    for (index, window) in file.safety.change_windows.iter().enumerate() {
        cron(format!("safety.change_windows[{index}].cron"), &window.cron);
    }
    for (index, window) in file.safety.change_windows.iter().enumerate() {
        if let Some(zone) =
            window.timezone.as_deref().filter(|zone| chrono_tz::Tz::from_str(zone).is_err())
        {
            problems.push(
                Problem::error(
                    "wrong-value",
                    format!("{zone:?} is not a time zone"),
                    at(format!("safety.change_windows[{index}].timezone")),
                )
                .help("use a name of the IANA database, such as \"Europe/Berlin\" or \"UTC\""),
            );
        }
    }
    environment(file, at, problems);
    names(file, at, problems);
    secrets(file, problems);
    waves::rules(file, at, problems);
    super::listen::rules(file, at, problems);
    let targets: BTreeSet<&str> = file.targets.iter().map(|target| target.name.as_str()).collect();
    for (field, what, help) in notify::wrong(&file.notify, &targets) {
        // Without its line and those around it, which may hold a secret that stands there by mistake.
        problems.push(Problem::general("wrong-value", format!("{field}: {what}")).help(help));
    }
    let is_elsewhere = file.controller.as_ref().is_some_and(|controller| controller.git.is_some());
    if file.targets.is_empty() && !is_elsewhere {
        problems.push(
            Problem::general("no-target", "the fleet file has no target")
                .help("add [[target]] with a name and its baselines"),
        );
    }
}

/// The URLs that may hold a secret, without their lines.
fn secrets(file: &FleetFile, problems: &mut Vec<Problem>) {
    let git = file.controller.as_ref().and_then(|controller| controller.git.as_ref());
    let wrong = [
        ("store.url", file.store.url.as_deref().map(urls::store)),
        ("controller.git.url", git.map(|git| urls::git(&git.url))),
    ];
    for (field, wrong) in wrong {
        if let Some(Err(why)) = wrong {
            problems.push(Problem::general("wrong-value", format!("the URL of {field}: {why}")));
        }
    }
}

/// The variables of the environment that placeholders may show.
fn environment(file: &FleetFile, at: &dyn Fn(String) -> SourcePlace, problems: &mut Vec<Problem>) {
    for (index, name) in file.env.iter().enumerate() {
        let wrong = if !is_variable(name) {
            Some("is not the name of an environment variable")
        } else if looks_secret(name) {
            Some("looks like the name of a secret, which plans and comments would show")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            problems.push(
                Problem::error(
                    "wrong-value",
                    format!("{name:?} {wrong}"),
                    at(format!("env[{index}]")),
                )
                .help("allow only names of plain settings, such as \"TEAM\" or \"STAGE\""),
            );
        }
    }
}

/// A target has its name for itself.
fn names(file: &FleetFile, at: &dyn Fn(String) -> SourcePlace, problems: &mut Vec<Problem>) {
    let mut names = BTreeMap::new();
    for (index, target) in file.targets.iter().enumerate() {
        if let Some(first) = names.insert(&target.name, index) {
            problems.push(
                Problem::error(
                    "duplicate",
                    format!("two targets are called {:?}", target.name),
                    at(format!("target[{index}].name")),
                )
                .related(at(format!("target[{first}].name")), "the first one"),
            );
        }
    }
}

/// Letters, digits and underscores, and no digit at the beginning (POSIX, "Environment Variables").
fn is_variable(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(fits) && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// Whether a variable of that name usually holds what nobody may see.
fn looks_secret(name: &str) -> bool {
    const WORDS: [&str; 36] = [
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "PRIVATE",
        "APIKEY",
        "COOKIE",
        "KEY",
        "PAT",
        "AUTH",
        "PASS",
        "PWD",
        "PGPASS",
        "CRED",
        "JWT",
        "WEBHOOK",
        "DSN",
        "SESSION",
        "SIGNATURE",
        "CERTIFICATE",
        "TOK",
        "TKN",
        "PW",
        "PWORD",
        "BEARER",
        "OTP",
        "PIN",
        "PEM",
        "SAS",
        "SALT",
        "HMAC",
        "NETRC",
        "DATABASE_URL",
        "CONNECTION_STRING",
    ];
    let name = name.to_ascii_uppercase();
    if WORDS.iter().any(|word| word.contains('_') && name.contains(word)) {
        return true;
    }
    name.split('_').any(|part| {
        WORDS.iter().any(|word| {
            part == *word
                || part.strip_suffix('S') == Some(word)
                || (word.len() > 4 && part.contains(word))
        })
    })
}
