//! The shape of sweeps: one item, and all objects of a sort in its place.
//!
//! A kind says how its objects are listed, by what an item may leave them out, and how one is read;
//! here is what all sweeps do with that. Each object stands for itself: one that cannot be read is
//! unknown and stops no other, and when the time is over, what was read is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::time::{Instant, sleep_until};

use crate::kinds::{Cx, Kind, Object, ObserveError, Status};
use crate::names::AccountId;
use crate::policy_document::matches;

/// Objects looked at at the same time; calls in flight have limits of their own.
const TOGETHER: usize = 32;
/// What is left of the time when the looking ends, so that what was found is still taken.
const TO_HAND_OVER: Duration = Duration::from_millis(250);

/// How the objects of a sweep are found and read. The kind's `observe` and `observe_one` are
/// [`observe`] and [`observe_one`] of this module.
pub trait Sweep: Kind {
    /// An object as the list shows it.
    type Listed: Send + Sync;
    /// An entry of the field `exclude`.
    type Exclude: Sync;

    /// The objects of a place, in few calls however many there are: what must be asked for each is
    /// left to `read`.
    ///
    /// # Errors
    /// When nobody can say which objects there are.
    fn list(cx: &Cx) -> impl Future<Output = Result<Vec<Self::Listed>, ObserveError>> + Send;

    /// One object as the list would show it; `None` when it is gone.
    ///
    /// # Errors
    /// As `list`.
    fn find(
        cx: &Cx,
        id: &str,
    ) -> impl Future<Output = Result<Option<Self::Listed>, ObserveError>> + Send {
        async move { Ok(Self::list(cx).await?.into_iter().find(|listed| Self::id(listed) == id)) }
    }

    /// What tells an object apart.
    fn id(listed: &Self::Listed) -> &str;

    /// More for the reader.
    fn label(_listed: &Self::Listed) -> Option<String> {
        None
    }

    /// Whether an item means an object at all: another is not shown.
    fn is_meant(_spec: &Self::Spec, _listed: &Self::Listed) -> bool {
        true
    }

    /// Whether an item may reach an object, whatever it declares. Only where the list does not say
    /// it is a call needed.
    ///
    /// # Errors
    /// Nobody can say: an object is never left out because AWS did not say what it is.
    fn reach(
        _cx: &Cx,
        _listed: &Self::Listed,
    ) -> impl Future<Output = Result<Reach, ObserveError>> + Send {
        std::future::ready(Ok(Reach::Open))
    }

    /// The entries of `exclude`.
    fn exclude(spec: &Self::Spec) -> &[Self::Exclude];

    /// The ways in which an entry of `exclude` can leave objects out. Those that it gives must all hold,
    /// as with a selector of Kubernetes; of several entries, one is enough.
    fn ways<'a>(entry: &'a Self::Exclude, listed: &'a Self::Listed) -> Vec<Way<'a>>;

    /// The tags of an object. Asked for only when an entry of `exclude` names tags.
    ///
    /// # Errors
    /// What AWS answered.
    fn tags(
        cx: &Cx,
        listed: &Self::Listed,
    ) -> impl Future<Output = Result<BTreeMap<String, String>, ObserveError>> + Send;

    /// Reads an object that is not left out.
    ///
    /// # Errors
    /// Nobody can say; the object is unknown, and no other.
    fn read(
        cx: &Cx,
        spec: &Self::Spec,
        listed: &Self::Listed,
    ) -> impl Future<Output = Result<Status<Self::State>, ObserveError>> + Send;
}

/// Whether an item may reach an object.
#[derive(Debug, PartialEq, Eq)]
pub enum Reach {
    /// Yes, unless it leaves it out.
    Open,
    /// No, for a reason that the reader sees: it cannot have the setting, or is somebody else's.
    Closed(String),
    /// No, and it is not even shown: AWS's own, of which there are more with every service.
    Hidden,
    /// It went away since it was listed.
    Gone,
}

/// A way of leaving objects out. Each has the name of the field that it stands in.
#[derive(Debug)]
pub enum Way<'a> {
    /// By an id or ARN, and those of the object.
    Ids(&'static str, &'a BTreeSet<String>, Vec<&'a str>),
    /// By a name, in which `*` stands for any text and `?` for any letter, and those of the object.
    Names(&'static str, &'a BTreeSet<String>, Vec<&'a str>),
    /// By tags, all of which the object must have.
    Tags(&'static str, &'a BTreeMap<String, String>),
    /// By the accounts whose objects are left alone.
    Accounts(&'static str, &'a BTreeSet<AccountId>),
}

/// All objects of an item; the kind's `observe`.
///
/// # Errors
/// When nobody can say which objects there are.
pub async fn observe<K: Sweep>(
    cx: &Cx,
    spec: &K::Spec,
) -> Result<Vec<Object<K::State>>, ObserveError> {
    let listed = K::list(cx).await?;
    let meant = listed.iter().filter(|one| K::is_meant(spec, one));
    let looks = meant.map(|one| (K::id(one).to_owned(), look::<K>(cx, spec, one)));
    let looks: Vec<_> = looks.collect();
    Ok(in_time(cx, looks).await)
}

/// One object of an item; the kind's `observe_one`.
///
/// # Errors
/// As [`observe`].
pub async fn observe_one<K: Sweep>(
    cx: &Cx,
    spec: &K::Spec,
    id: &str,
) -> Result<Option<Object<K::State>>, ObserveError> {
    match K::find(cx, id).await?.filter(|listed| K::is_meant(spec, listed)) {
        Some(listed) => Ok(look::<K>(cx, spec, &listed).await),
        None => Ok(None),
    }
}

/// One object with its label; an error is that object's alone. `None` when it is not shown.
async fn look<K: Sweep>(cx: &Cx, spec: &K::Spec, listed: &K::Listed) -> Option<Object<K::State>> {
    let id = K::id(listed);
    let object = match status::<K>(cx, spec, listed).await {
        Ok(Some(status)) => Object { id: id.to_owned(), label: None, managed_by: None, status },
        Ok(None) => return None,
        Err(error) => Object::unknown(id, error),
    };
    Some(match K::label(listed) {
        Some(label) => object.labelled(label),
        None => object,
    })
}

async fn status<K: Sweep>(
    cx: &Cx,
    spec: &K::Spec,
    listed: &K::Listed,
) -> Result<Option<Status<K::State>>, ObserveError> {
    match K::reach(cx, listed).await? {
        Reach::Open => {}
        Reach::Closed(reason) => return Ok(Some(Status::Skipped { reason })),
        Reach::Hidden => return Ok(None),
        Reach::Gone => return Ok(Some(Status::Absent)),
    }
    let mut excluded = None;
    for (place, entry) in K::exclude(spec).iter().enumerate() {
        let words = match left_out::<K>(cx, entry, listed).await {
            Ok(words) => words,
            // It is left out already, whatever this entry says.
            Err(_) if excluded.is_some() => None,
            Err(error) => return Err(error),
        };
        if let Some(words) = words {
            cx.note_left_out(place);
            excluded.get_or_insert(words);
        }
    }
    match excluded {
        Some(words) => Ok(Some(Status::Skipped { reason: format!("excluded: {words}") })),
        None => K::read(cx, spec, listed).await.map(Some),
    }
}

/// Whether an entry of `exclude` leaves an object out, by all that it says, where its tags are at hand.
pub fn is_left_out(
    ways: Vec<Way<'_>>,
    account: &AccountId,
    tags: &BTreeMap<String, String>,
) -> bool {
    let given: Vec<_> = ways.into_iter().filter(Way::is_given).collect();
    !given.is_empty() && given.iter().all(|way| way.leaves_out(account, tags).is_some())
}

/// How an entry of `exclude` leaves an object out, in words: by all that it says.
async fn left_out<K: Sweep>(
    cx: &Cx,
    entry: &K::Exclude,
    listed: &K::Listed,
) -> Result<Option<String>, ObserveError> {
    let given = K::ways(entry, listed).into_iter().filter(Way::is_given);
    // Tags may need a call: they are asked for last, and only where they decide.
    let (of_tags, others): (Vec<_>, Vec<_>) = given.partition(Way::needs_tags);
    let mut words = Vec::new();
    for way in others {
        match way.leaves_out(&cx.account, &BTreeMap::new()) {
            Some(word) => words.push(word),
            None => return Ok(None),
        }
    }
    for way in of_tags {
        match way.leaves_out(&cx.account, &K::tags(cx, listed).await?) {
            Some(word) => words.push(word),
            None => return Ok(None),
        }
    }
    Ok((!words.is_empty()).then(|| words.join(" and ")))
}

impl Way<'_> {
    /// Whether the entry says anything of this sort.
    fn is_given(&self) -> bool {
        match self {
            Self::Ids(_, declared, _) | Self::Names(_, declared, _) => !declared.is_empty(),
            Self::Tags(_, declared) => !declared.is_empty(),
            Self::Accounts(_, declared) => !declared.is_empty(),
        }
    }

    fn needs_tags(&self) -> bool {
        matches!(self, Self::Tags(..))
    }

    /// How it leaves the object out, in words.
    fn leaves_out(&self, account: &AccountId, tags: &BTreeMap<String, String>) -> Option<String> {
        match self {
            Self::Ids(field, declared, own) => {
                let id = own.iter().find(|id| declared.contains(**id))?;
                Some(format!("{id} is in {field}"))
            }
            Self::Names(field, declared, own) => {
                let fits = |name: &str| declared.iter().any(|pattern| matches(pattern, name));
                let name = own.iter().find(|name| fits(name))?;
                Some(format!("{name} is in {field}"))
            }
            Self::Tags(_, declared) => {
                let has = !declared.is_empty()
                    && declared.iter().all(|(key, value)| tags.get(key) == Some(value));
                let words = declared.iter().map(|(key, value)| format!("{key} = {value}"));
                has.then(|| format!("it has the tag {}", words.collect::<Vec<_>>().join(" and ")))
            }
            Self::Accounts(field, declared) => {
                declared.contains(account).then(|| format!("{account} is in {field}"))
            }
        }
    }
}

/// Looks at objects by their ids. What was not read when the time of the account is over is unknown
/// one by one: what was read is kept.
async fn in_time<S, F>(cx: &Cx, looks: Vec<(String, F)>) -> Vec<Object<S>>
where
    F: Future<Output = Option<Object<S>>>,
{
    let (ids, looks): (Vec<String>, Vec<F>) = looks.into_iter().unzip();
    let looks = ids.iter().cloned().zip(looks);
    let looks = looks.map(|(id, look)| async move { (id, look.await) });
    let mut left: BTreeSet<String> = ids.iter().cloned().collect();
    let mut objects = Vec::with_capacity(left.len());
    {
        let deadline = cx.deadline();
        let end = deadline.and_then(|end| end.checked_sub(TO_HAND_OVER)).or(deadline);
        let mut late = pin!(sleep_until(end.unwrap_or_else(Instant::now)));
        let mut looks = pin!(stream::iter(looks).buffer_unordered(TOGETHER));
        loop {
            let next = tokio::select! {
                biased;
                next = looks.next() => next,
                () = &mut late, if end.is_some() => break,
            };
            let Some((id, object)) = next else { break };
            left.remove(&id);
            objects.extend(object);
        }
    }
    objects.extend(left.into_iter().map(|id| Object::unknown(id, ObserveError::too_late())));
    objects.sort_by(|one, other| one.id.cmp(&other.id));
    objects
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn every_way_of_leaving_out_says_which() {
        let account: AccountId = "111122223333".parse().unwrap();
        let tags = BTreeMap::from([("legacy".to_owned(), "yes".to_owned())]);
        let out = |way: Way<'_>| way.leaves_out(&account, &tags);
        let ids = set(&["vpc-1"]);
        let named = Some("vpc-1 is in vpc_ids".to_owned());
        assert_eq!(out(Way::Ids("vpc_ids", &ids, vec!["arn", "vpc-1"])), named);
        assert_eq!(out(Way::Ids("vpc_ids", &ids, vec!["vpc-10"])), None);
        assert_eq!(out(Way::Ids("vpc_ids", &set(&["vpc-*"]), vec!["vpc-1"])), None);
        let names = set(&["alias/old-*", "alias/x?"]);
        let by_name = |name| out(Way::Names("aliases", &names, vec![name]));
        assert_eq!(by_name("alias/old-1"), Some("alias/old-1 is in aliases".to_owned()));
        assert!(by_name("alias/x1").is_some());
        assert_eq!(by_name("alias/xy1"), None);
        let accounts = BTreeSet::from([account.clone()]);
        assert!(out(Way::Accounts("accounts", &accounts)).is_some());
        assert_eq!(out(Way::Accounts("accounts", &BTreeSet::new())), None);
    }

    #[test]
    fn of_tags_an_object_must_have_all_and_no_tags_leave_nothing_out() {
        let account: AccountId = "111122223333".parse().unwrap();
        let own =
            BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        let with = |pairs: &[(&str, &str)]| {
            let declared =
                pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            Way::Tags("tags", &declared.collect()).leaves_out(&account, &own)
        };
        assert_eq!(with(&[("a", "1"), ("b", "2")]).unwrap(), "it has the tag a = 1 and b = 2");
        assert_eq!(with(&[("a", "1"), ("b", "3")]), None);
        assert_eq!(with(&[("a", "1"), ("c", "")]), None);
        assert_eq!(with(&[]), None);
    }
}
