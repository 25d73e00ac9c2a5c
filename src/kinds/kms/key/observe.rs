//! Reading a key: by its alias, or by the mark that evenkeel leaves on the keys that it makes.

use aws_sdk_kms::types::KeyMetadata;

use super::marks::{self, Bearer};
use super::spec::{Found, Spec, State};
use super::{grants, policy};
use crate::kinds::kms::reads;
use crate::kinds::tags;
use crate::kinds::together::together;
use crate::kinds::{Cx, Object, ObserveError, told};

/// The aliases that are not AWS's own.
pub async fn names(cx: &Cx) -> Result<Vec<String>, ObserveError> {
    Ok(reads::aliases(cx)
        .await?
        .iter()
        .filter(|alias| alias.target_key_id().is_some())
        .filter_map(|alias| alias.alias_name())
        .filter(|name| !name.starts_with("alias/aws/"))
        .map(str::to_owned)
        .collect())
}

/// The key behind the alias, and the keys that bear its mark.
struct Search {
    behind: Option<KeyMetadata>,
    /// Whether the one behind the alias bears the mark too.
    is_marked: bool,
    /// The others that bear it.
    bearers: Vec<Bearer>,
    /// The others that bear it and that somebody has scheduled for deletion. They count where no
    /// other key does: the alias is still theirs.
    dying: Vec<Bearer>,
}

async fn search(cx: &Cx, alias: &str) -> Result<Search, ObserveError> {
    let behind = reads::describe(cx, alias).await?;
    let key = behind.as_ref().map(KeyMetadata::key_id);
    let is_marked = match key {
        Some(key) => marks::is_marked(cx, alias, key).await?,
        None => false,
    };
    let all = marks::bearers(cx, alias, key).await?;
    let (dying, bearers) = all.into_iter().partition(Bearer::is_dying);
    Ok(Search { behind, is_marked, bearers, dying })
}

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    let alias = spec.alias.as_str();
    let Search { behind, is_marked, bearers, dying } = search(cx, alias).await?;
    if behind.is_none() && bearers.is_empty() && spec.prevent_destroy == Some(false) {
        // Whoever declares that may let the key go, and wants another.
        let absent = Object::absent(alias);
        return Ok(vec![match said_to_die(&dying) {
            Some(keys) => absent.labelled(keys),
            None => absent,
        }]);
    }
    let bearers = if bearers.is_empty() && !is_marked { dying } else { bearers };
    let mut others: Vec<String> =
        bearers.iter().map(|bearer| bearer.metadata.key_id().to_owned()).collect();
    let (metadata, found) = match (behind, bearers.as_slice()) {
        (Some(behind), []) => (behind, Found::Alias),
        (Some(behind), _) if is_marked => (behind, Found::Alias),
        (Some(behind), [bearer]) => {
            others.clear();
            (behind, Found::Moved(Box::new(bearer.known(cx).await?)))
        }
        (Some(behind), _) => return Err(ambiguous(alias, Some(behind.key_id()), &others)),
        (None, []) => return Ok(vec![Object::absent(alias)]),
        (None, [bearer]) => {
            others.clear();
            (bearer.metadata.clone(), Found::Mark(Box::new(bearer.known(cx).await?)))
        }
        (None, _) => return Err(ambiguous(alias, None, &others)),
    };
    let key = metadata.key_id();
    if !reads::is_customers(&metadata)? {
        return Err(of_aws(alias, key));
    }
    let (access, rotation, tags) = together!(
        async {
            match spec.has_policy() {
                true => together!(policy::read(cx, key), grants::foreign(cx, key)).map(Some),
                false => Ok(None),
            }
        },
        async { if spec.has_rotation() { reads::rotation(cx, key).await } else { Ok(None) } },
        async {
            match spec.tags {
                Some(_) => reads::tags(cx, key).await.map(Some),
                None => Ok(None),
            }
        },
    )?;
    let (policy, foreign_grants) = access.unzip();
    if spec.description.is_some() {
        told("Description", metadata.description())?;
    }
    if spec.multi_region.is_some() {
        told("MultiRegion", metadata.multi_region())?;
    }
    let state = State {
        key_id: key.to_owned(),
        found,
        others: others.into_iter().collect(),
        key_state: reads::state(&metadata)?,
        deletion_date: metadata.deletion_date().map(ToString::to_string),
        description: metadata.description().map(str::to_owned),
        nature: reads::nature(&metadata)?,
        policy,
        foreign_grants: foreign_grants.unwrap_or_default(),
        rotation,
        tags: tags
            .map(|tags| tags::collect(tags.iter().map(|tag| (tag.tag_key(), tag.tag_value())))),
    };
    Ok(vec![Object::present(alias, state).labelled(key)])
}

/// `its former key 1234abcd-… is deleted at …`.
fn said_to_die(dying: &[Bearer]) -> Option<String> {
    let said: Vec<String> = dying
        .iter()
        .map(|bearer| {
            let when = bearer.deletion().map(|date| format!(" at {date}")).unwrap_or_default();
            format!("its former key {} is deleted{when}", bearer.metadata.key_id())
        })
        .collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// A key that AWS manages takes no change, whatever alias leads to it.
fn of_aws(alias: &str, key: &str) -> ObserveError {
    ObserveError::Unclear {
        reason: format!("{alias} points to the key {key}, which AWS manages"),
        remedy: "point the alias to a key of this account, or leave the item out".to_owned(),
    }
}

/// Of several keys that bear the mark none is chosen.
fn ambiguous(alias: &str, behind: Option<&str>, keys: &[String]) -> ObserveError {
    let points = match behind {
        Some(key) => format!("{alias} points to the key {key}"),
        None => format!("there is no {alias}"),
    };
    ObserveError::Unclear {
        reason: format!(
            "{points}, and the keys {} all bear its mark, the tag {}",
            keys.join(" and "),
            marks::ALIAS
        ),
        remedy: format!(
            "find out in CloudTrail who made them; give the right one the alias, or take the tag {} from all",
            marks::ALIAS
        ),
    }
}
