//! When the objects of an account were as declared last, over restarts and among several controllers: who called
//! something before that has not made them what they are now.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::records::{DriftKey, Extent, SeenAccount};
use super::{microseconds, time};
use crate::names::AccountId;
use crate::store::Store;
use crate::store::db::{Arg, Tx};
use crate::store::error::StoreError;

/// When the objects of an account were as declared last. What looks have in common is said once: an account may have
/// a hundred thousand objects, nearly all of which the last look found as declared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rights {
    /// When the last look at all of it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole: Option<i64>,
    /// What is otherwise with an item in a Region.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    groups: BTreeMap<String, Option<i64>>,
    /// What is otherwise with an object.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    objects: BTreeMap<String, Option<i64>>,
}

fn group(key: &DriftKey) -> String {
    format!("{} {}", key.item, key.region)
}

fn one(key: &DriftKey) -> String {
    format!("{} {}", group(key), key.object)
}

impl Rights {
    /// When an object was as declared last, as far as looks say.
    pub fn last(&self, key: &DriftKey) -> Option<DateTime<Utc>> {
        self.at(key).map(time)
    }

    fn at(&self, key: &DriftKey) -> Option<i64> {
        let of_group = || self.of_group(&group(key));
        self.objects.get(&one(key)).copied().unwrap_or_else(of_group)
    }

    fn of_group(&self, group: &str) -> Option<i64> {
        self.groups.get(group).copied().unwrap_or(self.whole)
    }

    /// The same after a look. Of a part, it has looked at all objects of the items that it saw in a Region.
    fn after(&self, seen: &SeenAccount) -> Self {
        let began = Some(microseconds(seen.began));
        let mut now = self.clone();
        if seen.extent == Extent::Account {
            now.whole = self.whole.max(began);
            // A look at a part may have begun later.
            now.groups.retain(|_, at| *at > now.whole);
            now.objects.retain(|_, at| *at > now.whole);
        }
        let unsure: BTreeSet<String> = seen.unknown.iter().map(group).collect();
        let not_right = seen.drifted.iter().map(|drift| &drift.key).chain(&seen.unknown);
        let of_look: Vec<(&DriftKey, bool)> = (seen.in_sync.iter().map(|key| (key, true)))
            .chain(not_right.map(|key| (key, false)))
            .collect();
        let groups: BTreeSet<String> = of_look.iter().map(|(key, _)| group(key)).collect();
        for group in groups {
            let before = self.of_group(&group);
            // Where something cannot be read, others may be missing of which nobody knows.
            let is_unsure = unsure.contains(&group);
            let at = if is_unsure { before } else { before.max(began) };
            if !is_unsure {
                let objects = format!("{group} ");
                now.objects.retain(|one, _| !one.starts_with(&objects));
            }
            match at == now.whole {
                true => drop(now.groups.remove(&group)),
                false => drop(now.groups.insert(group, at)),
            }
        }
        for (key, is_right) in of_look {
            let at = self.at(key).max(began.filter(|_| is_right));
            match at == now.of_group(&group(key)) {
                true => drop(now.objects.remove(&one(key))),
                false => drop(now.objects.insert(one(key), at)),
            }
        }
        now
    }
}

/// What is known of an account.
pub(super) async fn of(tx: &mut Tx, account: &AccountId) -> Result<Rights, StoreError> {
    let sql = "SELECT rights FROM looks WHERE account = $1 AND rights IS NOT NULL";
    let rows = tx.rows(sql, &[Arg::Text(account.as_str())]).await?;
    match rows.first() {
        Some(row) => Ok(serde_json::from_value(row.json(0)?)?),
        None => Ok(Rights::default()),
    }
}

/// Notes what a look saw in an account, whose row is there.
pub(super) async fn note(
    tx: &mut Tx,
    before: &Rights,
    seen: &SeenAccount,
) -> Result<(), StoreError> {
    let after = serde_json::to_string(&before.after(seen))?;
    let args = [Arg::Text(seen.account.as_str()), Arg::Text(&after)];
    tx.run("UPDATE looks SET rights = $2 WHERE account = $1", &args).await?;
    Ok(())
}

impl Store {
    /// When the objects of some accounts were as declared last.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn rights(
        &self,
        accounts: BTreeSet<AccountId>,
    ) -> Result<BTreeMap<AccountId, Rights>, StoreError> {
        let look = move |mut tx: Tx| {
            let accounts = accounts.clone();
            async move {
                let mut all = BTreeMap::new();
                for account in accounts {
                    let rights = of(&mut tx, &account).await?;
                    all.insert(account, rights);
                }
                Ok((tx, all))
            }
        };
        self.db.read(look).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::names::Region;
    use crate::store::history::DriftSeen;

    fn key(item: &str, object: &str) -> DriftKey {
        DriftKey {
            account: "000000000001".parse().unwrap(),
            region: Region::new("eu-west-1"),
            item: item.parse().unwrap(),
            object: object.to_owned(),
        }
    }

    fn look(second: i64, extent: Extent) -> SeenAccount {
        SeenAccount {
            run: "r".to_owned(),
            time: time(second * 1_000_000 + 500_000),
            began: time(second * 1_000_000),
            account: "000000000001".parse().unwrap(),
            name: None,
            targets: Vec::new(),
            extent,
            drifted: Vec::new(),
            in_sync: Vec::new(),
            unknown: Vec::new(),
            excepted: 0,
            touched: Vec::new(),
        }
    }

    fn drifted(key: &DriftKey) -> DriftSeen {
        DriftSeen { key: key.clone(), about: json!({}), rows: Vec::new() }
    }

    fn second(rights: &Rights, key: &DriftKey) -> Option<i64> {
        rights.last(key).map(|time| time.timestamp())
    }

    #[test]
    fn what_was_as_declared_is_so_since_the_last_look_at_it_began() {
        let (policy, a, b) =
            (key("iam.password_policy", ""), key("s3.bucket.all", "a"), key("s3.bucket.all", "b"));
        let none = Rights::default();
        assert_eq!(second(&none, &a), None);
        let mut first = look(10, Extent::Account);
        first.in_sync = vec![policy.clone(), a.clone(), b.clone()];
        let all = none.after(&first);
        assert_eq!([&policy, &a, &b].map(|key| second(&all, key)), [Some(10); 3]);
        assert_eq!(serde_json::to_string(&all).unwrap(), r#"{"whole":10000000}"#, "said once");
        // What differs stays as it was; so does what is not looked at.
        let mut part = look(20, Extent::Part);
        (part.in_sync, part.drifted) = (vec![b.clone()], vec![drifted(&a)]);
        let some = all.after(&part);
        let seconds = |rights: &Rights| [&policy, &a, &b].map(|key| second(rights, key));
        assert_eq!(seconds(&some), [Some(10), Some(10), Some(20)]);
        // A look that began before is over later.
        let mut slow = look(15, Extent::Account);
        slow.in_sync = vec![policy.clone(), a.clone(), b.clone()];
        assert_eq!(seconds(&some.after(&slow)), [Some(15), Some(15), Some(20)]);
        let mut last = look(30, Extent::Target("t".to_owned()));
        last.in_sync = vec![a.clone(), b.clone()];
        assert_eq!(seconds(&some.after(&last)), [Some(10), Some(30), Some(30)]);
    }

    #[test]
    fn of_what_cannot_be_read_nothing_new_is_known() {
        let (a, b) = (key("s3.bucket.all", "a"), key("s3.bucket.all", "b"));
        let mut first = look(10, Extent::Account);
        first.in_sync = vec![a.clone(), b.clone()];
        let all = Rights::default().after(&first);
        let mut unread = look(20, Extent::Account);
        unread.unknown = vec![key("s3.bucket.all", "")];
        unread.in_sync = vec![b.clone()];
        let some = all.after(&unread);
        assert_eq!((second(&some, &a), second(&some, &b)), (Some(10), Some(20)));
        assert_eq!(second(&some, &key("iam.password_policy", "")), Some(20));
        let mut again = look(30, Extent::Account);
        again.in_sync = vec![a.clone(), b.clone()];
        assert_eq!(second(&some.after(&again), &a), Some(30));
    }
}
