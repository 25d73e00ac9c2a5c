//! Notices, and letters of some notices: what is sent at a time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::matter::{About, Subject};
use crate::digest;
use crate::fleet::notify::{On, Severity};
use crate::store::history::ByWhom;

/// Objects that are named in a notice of things that are alike; the others are counted.
const PLACES: usize = 50;
/// Notices of a letter for people; the others are counted.
const NOTICES: usize = 20;
/// Notices of a letter for programs.
const EACH: usize = 100;

/// What a notice says of its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is so from now on.
    New,
    /// It was told, and is so in another way now.
    Changed,
    /// It was told, and is over.
    Resolved,
    /// It happened.
    Done,
    /// Somebody tries the channel.
    Test,
}

impl Status {
    /// The word in notices.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Resolved => "resolved",
            Self::Done => "done",
            Self::Test => "test",
        }
    }
}

/// Where something is so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AffectedObject {
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who did it, as far as AWS told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<ByWhom>,
    /// How many more may have.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_by: usize,
    /// How many calls there were besides, at least, whose callers were not kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_kept: usize,
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The same whenever it is sent.
    pub id: String,
    /// What it says of its subject.
    pub status: Status,
    /// Of which sort it is.
    pub on: On,
    /// How much it matters.
    pub severity: Severity,
    /// What is so, in lines.
    pub what: Vec<String>,
    /// What evenkeel did, or why it did not.
    pub did: String,
    /// The command to look closer.
    pub look: String,
    /// Where it is so, the first ones.
    pub places: Vec<AffectedObject>,
    /// In how many places it is so.
    pub count: usize,
}

impl Notice {
    /// What two notices must have in common to be told as one.
    fn likeness(&self) -> String {
        let kind = self.places.first().and_then(|place| place.subject.item.clone());
        digest::of(&(self.status, self.on, self.severity, &self.what, &self.did, kind))
    }
}

/// What is sent at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// The same whenever it is sent.
    pub id: String,
    /// When it was written.
    pub time: DateTime<Utc>,
    /// In which run.
    #[serde(flatten)]
    pub about: About,
    /// What it says; what matters most comes first.
    pub notices: Vec<Notice>,
    /// How many notices more there were than it has room for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Letter {
    /// A letter of some notices.
    pub fn of(time: DateTime<Utc>, about: About, notices: Vec<Notice>) -> Self {
        let mut letter = Self { id: String::new(), time, about, notices, more: 0 };
        letter.order();
        letter.id = id(&letter.notices);
        letter
    }

    /// What matters most comes first; whatever the order was.
    fn order(&mut self) {
        self.notices.sort_by(|one, other| {
            let key = |notice: &Notice| (std::cmp::Reverse(notice.severity), notice.status);
            key(one).cmp(&key(other)).then_with(|| one.id.cmp(&other.id))
        });
    }

    /// Takes in what a later letter says; what it has no room for is counted.
    pub fn take_in(&mut self, later: Self) {
        self.more += later.more;
        self.time = later.time;
        self.about = later.about;
        for notice in later.notices {
            if !self.notices.iter().any(|one| one.id == notice.id) {
                self.notices.push(notice);
            }
        }
        self.shorten();
    }

    fn shorten(&mut self) {
        self.order();
        self.more += self.notices.len().saturating_sub(NOTICES);
        self.notices.truncate(NOTICES);
    }

    /// How much its most important notice matters.
    pub fn severity(&self) -> Severity {
        self.notices.iter().map(|notice| notice.severity).max().unwrap_or_default()
    }
}

fn id(notices: &[Notice]) -> String {
    let ids: Vec<&str> = notices.iter().map(|notice| notice.id.as_str()).collect();
    let mut id = digest::of(&ids);
    id.truncate(32);
    id
}

/// Who reads a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// People: what is alike is told as one, and one letter tells of one run.
    People,
    /// Programs: each object by itself, and none is left out.
    Program,
}

/// Notices as letters for a reader.
pub fn letters(
    reader: Reader,
    time: DateTime<Utc>,
    about: &About,
    notices: Vec<Notice>,
) -> Vec<Letter> {
    if notices.is_empty() {
        return Vec::new();
    }
    match reader {
        Reader::People => {
            let mut letter = Letter::of(time, about.clone(), grouped(notices));
            letter.shorten();
            vec![letter]
        }
        Reader::Program => {
            let chunks = notices.chunks(EACH);
            chunks.map(|some| Letter::of(time, about.clone(), some.to_vec())).collect()
        }
    }
}

/// Notices of things that are alike as one.
pub fn grouped(notices: Vec<Notice>) -> Vec<Notice> {
    let mut groups: BTreeMap<String, Vec<Notice>> = BTreeMap::new();
    for notice in notices {
        groups.entry(notice.likeness()).or_default().push(notice);
    }
    let mut all: Vec<Notice> = groups.into_values().filter_map(one_of).collect();
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all
}

fn one_of(mut alike: Vec<Notice>) -> Option<Notice> {
    alike.sort_by(|one, other| one.id.cmp(&other.id));
    let count = alike.iter().map(|notice| notice.count).sum();
    let id = match alike.as_slice() {
        [alone] => alone.id.clone(),
        many => id(many),
    };
    let places = alike.iter().flat_map(|notice| notice.places.clone()).take(PLACES).collect();
    let first = alike.into_iter().next()?;
    Some(Notice { id, places, count, ..first })
}
