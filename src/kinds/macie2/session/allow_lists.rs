//! Allow lists: what Macie does not report.

use std::collections::BTreeMap;

use aws_sdk_macie2::Client;
use aws_sdk_macie2::operation::get_allow_list::GetAllowListOutput;
use aws_sdk_macie2::types::{AllowListCriteria, S3WordsList};
use serde::{Deserialize, Serialize};

use super::spec::{AllowList, WordsList};
use super::{Place, Session, Spec};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Allowed, Arns, Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared,
    known, together, told,
};

const LIST: Call = Call::new("macie2", "ListAllowLists");
const GET: Call = Call::new("macie2", "GetAllowList");
const CREATE: Call = Call::new("macie2", "CreateAllowList");
const UPDATE: Call = Call::new("macie2", "UpdateAllowList");
const DELETE: Call = Call::new("macie2", "DeleteAllowList");
const NAME: &str = "allow_lists";

pub struct AllowLists;

aws_enum! {
    /// Whether Macie can use a list.
    Code {
        Ok = "OK",
        ObjectNotFound = "S3_OBJECT_NOT_FOUND",
        UserAccessDenied = "S3_USER_ACCESS_DENIED",
        ObjectAccessDenied = "S3_OBJECT_ACCESS_DENIED",
        Throttled = "S3_THROTTLED",
        ObjectOversize = "S3_OBJECT_OVERSIZE",
        ObjectEmpty = "S3_OBJECT_EMPTY",
        UnknownError = "UNKNOWN_ERROR",
    }
}

/// A list that is there, of which Macie may have several with one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct There {
    pub allow_list_id: String,
    pub list: AllowList,
    /// Whether Macie can use it.
    pub status: Code,
}

/// A list, by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct One {
    pub name: String,
    pub list: AllowList,
}

/// Deleting is only the way back from making.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    Create(One),
    Update(One),
    Delete(One),
}

impl Part for AllowLists {
    type Of = Session;
    type Now = BTreeMap<String, Vec<There>>;
    type Write = Write;

    const NAME: &'static str = NAME;
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST, Self::is_declared),
        Use::read_if(GET, Self::is_declared),
        // Of a list that is made, IAM knows no resource.
        Use::write_if(CREATE, has_lists, everywhere),
        Use::write_if(UPDATE, has_lists, lists),
        Use::undo(DELETE, lists),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.allow_lists.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Self::Now, ObserveError> {
        there(cx).await
    }

    fn diff(look: &Look<'_, Session>, now: &Self::Now) -> Vec<Change<Write>> {
        compared::mark(NAME);
        let Some(declared) = &look.spec.allow_lists else { return Vec::new() };
        let there = |name: &str| now.get(name).map_or(&[][..], Vec::as_slice);
        let mut changes: Vec<Change<Write>> = declared
            .iter()
            .flat_map(|(name, wanted)| changed(look, name, wanted, there(name)))
            .collect();
        for (name, there) in now.iter().filter(|(name, _)| !declared.contains_key(*name)) {
            let lists: Vec<&AllowList> = there.iter().map(|one| &one.list).collect();
            changes.push(found(name, Some(lists), None::<&str>, format!(
                "jobs and automated discovery that name this list report nothing of what it says: look who made it \
                 (CloudTrail, CreateAllowList), and delete it (aws macie2 delete-allow-list --id {}), or declare it",
                there.first().map(|one| one.allow_list_id.as_str()).unwrap_or_default(),
            )));
        }
        changes
    }

    fn calls(write: &Write) -> Vec<Call> {
        let call = match write {
            Write::Create(_) => CREATE,
            Write::Update(_) => UPDATE,
            Write::Delete(_) => DELETE,
        };
        vec![call, LIST, GET]
    }

    async fn write(cx: &WriteCx, _place: &Place, write: &Write) -> Result<(), WriteError> {
        match write {
            Write::Create(one) => create(cx, one).await,
            Write::Update(one) => {
                let request = cx
                    .client(Client::new)
                    .update_allow_list()
                    .id(only(cx, &one.name).await?)
                    .name(&one.name)
                    .set_description(one.list.description.clone())
                    .criteria(criteria(&one.list)?);
                cx.send(UPDATE, request.send()).await
            }
            Write::Delete(one) => {
                // Macie deletes none that a job uses, unless it is told to.
                let request = cx.client(Client::new).delete_allow_list();
                let request = request.id(only(cx, &one.name).await?);
                cx.remove(DELETE, request.send(), &["ResourceNotFoundException"]).await
            }
        }
    }

    fn undo(write: &Write, before: &Self::Now) -> Undo<Write> {
        match write {
            Write::Create(one) => Undo::By(vec![Write::Delete(one.clone())]),
            Write::Delete(one) => Undo::By(vec![Write::Create(one.clone())]),
            Write::Update(One { name, .. }) => match before.get(name).map(Vec::as_slice) {
                Some([there]) => {
                    let former = One { name: name.clone(), list: there.list.clone() };
                    Undo::By(vec![Write::Update(former)])
                }
                _ => Undo::Impossible("what the list was before was not observed".to_owned()),
            },
        }
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        let single = now.iter().map(|(name, there)| match there.as_slice() {
            [one] => Some((name.clone(), one.list.clone())),
            _ => None,
        });
        // All of them, or nothing is said.
        spec.allow_lists = single.collect();
    }
}

/// The changes of a declared list.
fn changed(
    look: &Look<'_, Session>,
    name: &str,
    wanted: &AllowList,
    there: &[There],
) -> Option<Change<Write>> {
    const IGNORES: &str =
        "Macie reports nothing of what the list says, in jobs and automated discovery that name it";
    let one = One { name: name.to_owned(), list: wanted.clone() };
    let field = format!("{NAME}.{name}");
    match there {
        [] => {
            let mut drift = Drift::new();
            drift.add(&field, None::<&str>, Some(wanted));
            let change = Change::new(Write::Create(one), drift).warn(IGNORES);
            Some(if look.is_new() { change } else { change.independent() })
        }
        [now] if now.list != *wanted => {
            if now.list.regex.is_some() != wanted.regex.is_some() {
                let help = "Macie does not change the type of a list: delete it, and evenkeel makes it anew";
                return Some(found(name, Some(&now.list), Some(wanted), help.to_owned()));
            }
            let mut drift = Drift::new();
            let mut compare = |what: &str, now: Option<&str>, wanted: Option<&str>| {
                if now != wanted {
                    drift.add(&format!("{field}.{what}"), now, wanted);
                }
            };
            compare("description", now.list.description.as_deref(), wanted.description.as_deref());
            compare("regex", now.list.regex.as_deref(), wanted.regex.as_deref());
            if now.list.s3_words_list != wanted.s3_words_list {
                let words = (now.list.s3_words_list.as_ref(), wanted.s3_words_list.as_ref());
                drift.add(&format!("{field}.s3_words_list"), words.0, words.1);
            }
            let change = Change::new(Write::Update(one), drift).independent();
            let is_other =
                now.list.regex != wanted.regex || now.list.s3_words_list != wanted.s3_words_list;
            Some(if is_other { change.warn(IGNORES) } else { change })
        }
        [now] if now.status != Code::Ok => {
            let status = now.status.as_str();
            Some(found(
                name,
                Some(status),
                Some(Code::Ok.as_str()),
                format!(
                    "Macie cannot use the list ({status}) and reports what it says: the object must be there, be no larger \
                 than Macie takes, and be one that Macie's service-linked role may read"
                ),
            ))
        }
        [_] => None,
        more => Some(found(
            name,
            Some(more.len()),
            Some(1),
            format!(
                "{} lists have this name, of which jobs may use any: delete all but one",
                more.len()
            ),
        )),
    }
}

/// What only people can mend.
fn found<A: Serialize, D: Serialize>(
    name: &str,
    actual: Option<A>,
    desired: Option<D>,
    words: String,
) -> Change<Write> {
    let mut drift = Drift::new();
    drift.add(&format!("{NAME}.{name}"), actual, desired);
    Change::finding(drift).withhold(words)
}

/// All lists, by name.
async fn there(cx: &Cx) -> Result<BTreeMap<String, Vec<There>>, ObserveError> {
    let pages = cx.client(Client::new).list_allow_lists().into_paginator().send();
    let listed = cx.list(LIST, "", pages, "allowLists", |page| page.allow_lists).await?;
    let mut ids = BTreeMap::new();
    for one in listed.iter() {
        ids.insert(told("allowLists.id", one.id())?, told("allowLists.name", one.name())?);
    }
    let reads = ids.iter().map(|(id, name)| get(cx, id, name));
    let mut found: BTreeMap<String, Vec<There>> = BTreeMap::new();
    for (name, one) in together::all(reads).await? {
        found.entry(name).or_default().push(one);
    }
    Ok(found)
}

async fn get(cx: &Cx, id: &str, name: &str) -> Result<(String, There), ObserveError> {
    let request = cx.client(Client::new).get_allow_list().id(id);
    let answer = cx.read(GET, id, request.send()).await?;
    let code = told("status.code", answer.status().and_then(|status| status.code()))?;
    let status = known("status.code", code.as_str())?;
    Ok((name.to_owned(), There { allow_list_id: id.to_owned(), list: read(&answer)?, status }))
}

fn read(said: &GetAllowListOutput) -> Result<AllowList, ObserveError> {
    let criteria = told("criteria", said.criteria())?;
    let words = match criteria.s3_words_list() {
        Some(words) => Some(WordsList {
            bucket_name: told("bucketName", words.bucket_name())?.to_owned(),
            object_key: told("objectKey", words.object_key())?.to_owned(),
        }),
        None => None,
    };
    let regex = criteria.regex().map(str::to_owned);
    if regex.is_some() == words.is_some() {
        return Err(ObserveError::Malformed {
            field: "criteria".to_owned(),
            problem: "it is either a regex or an s3WordsList".to_owned(),
        });
    }
    let description = said.description().filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(AllowList { description, regex, s3_words_list: words })
}

async fn create(cx: &WriteCx, one: &One) -> Result<(), WriteError> {
    // Macie makes as many of one name as it is asked for.
    if there(&cx.afresh()).await?.contains_key(&one.name) {
        return Err(WriteError::there_by_now(&one.name));
    }
    let request = cx
        .client(Client::new)
        .create_allow_list()
        .name(&one.name)
        .set_description(one.list.description.clone())
        .criteria(criteria(&one.list)?);
    let answer = cx.write(CREATE, request.send()).await?;
    cx.note_made(answer.id());
    Ok(())
}

/// The id of the only list of a name.
async fn only(cx: &WriteCx, name: &str) -> Result<String, WriteError> {
    let there = there(&cx.afresh()).await?;
    match there.get(name).map(Vec::as_slice) {
        Some([one]) => Ok(one.allow_list_id.clone()),
        Some(_) => Err(WriteError::Changed(format!("there are several allow lists {name} by now"))),
        None => Err(WriteError::Changed(format!("there is no allow list {name} any more"))),
    }
}

fn criteria(list: &AllowList) -> Result<AllowListCriteria, WriteError> {
    let words = list.s3_words_list.as_ref().map(|words| {
        S3WordsList::builder().bucket_name(&words.bucket_name).object_key(&words.object_key).build()
    });
    if list.regex.is_some() == words.is_some() {
        return Err(WriteError::Unsendable("a list has either a pattern or words".to_owned()));
    }
    Ok(AllowListCriteria::builder().set_regex(list.regex.clone()).set_s3_words_list(words).build())
}

fn has_lists(spec: &Spec) -> bool {
    spec.allow_lists.as_ref().is_some_and(|lists| !lists.is_empty())
}

/// Macie chooses their ids.
fn lists(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("macie2", "allow-list/*")]).into()
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    for (name, list) in spec.allow_lists.iter().flatten() {
        let field = format!("{NAME}.{name}");
        if name.is_empty() || name.chars().count() > 128 {
            problems.push(SpecProblem::new(&field, "a name has 1 to 128 characters", "shorten it"));
        }
        if list.regex.is_some() == list.s3_words_list.is_some() {
            problems.push(SpecProblem::new(
                &field,
                "a list has either regex or s3_words_list",
                "declare one of the two",
            ));
        }
    }
    problems
}
