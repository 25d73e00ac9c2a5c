//! The writes on query logging.

use aws_sdk_route53resolver::Client;
use aws_sdk_route53resolver::types::{ResolverQueryLogConfig, Tag};

use super::observe::{arn, associated, associations, configs, named, problem_of_config};
use super::spec::{Action, Making, Step};
use crate::aws::Call;
use crate::aws::settle::settle;
use crate::kinds::tags::Tags;
use crate::kinds::{ObserveError, WriteCx, WriteError};

pub const CREATE: Call = Call::new("route53resolver", "CreateResolverQueryLogConfig");
pub const DELETE: Call = Call::new("route53resolver", "DeleteResolverQueryLogConfig");
pub const ASSOCIATE: Call = Call::new("route53resolver", "AssociateResolverQueryLogConfig");
pub const DISASSOCIATE: Call = Call::new("route53resolver", "DisassociateResolverQueryLogConfig");
pub const TAG: Call = Call::new("route53resolver", "TagResource");
pub const UNTAG: Call = Call::new("route53resolver", "UntagResource");

/// What is there already, by a call that makes it.
const THERE: &str = "ResourceExistsException";
const GONE: &str = "ResourceNotFoundException";

pub async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    match &action.step {
        Step::Create(making) => create(cx, &action.name, making).await,
        Step::Delete => {
            let Some(id) = id(cx, action).await? else { return Ok(()) };
            let request = client.delete_resolver_query_log_config();
            let request = request.resolver_query_log_config_id(id);
            cx.remove(DELETE, request.send(), &[GONE]).await
        }
        Step::Associate { vpc_id } => {
            let id = there(cx, action).await?;
            let request = client.associate_resolver_query_log_config();
            let request = request.resolver_query_log_config_id(&id).resource_id(vpc_id);
            match cx.send(ASSOCIATE, request.send()).await {
                Err(WriteError::Aws(error)) if error.is_code(&[THERE]) => {
                    Err(WriteError::was_there(&error))
                }
                Ok(()) => at_rest(cx, &id).await,
                Err(error) => Err(error),
            }
        }
        Step::Disassociate { vpc_id } => {
            let Some(id) = id(cx, action).await? else { return Ok(()) };
            let request = client.disassociate_resolver_query_log_config();
            let request = request.resolver_query_log_config_id(&id).resource_id(vpc_id);
            cx.remove(DISASSOCIATE, request.send(), &[GONE]).await?;
            at_rest(cx, &id).await
        }
        Step::Tag(tags) => {
            let request = client.tag_resource().resource_arn(arn(cx, &there(cx, action).await?));
            cx.send(TAG, request.set_tags(Some(send(tags)?)).send()).await
        }
        Step::Untag(tags) => {
            let request = client.untag_resource().resource_arn(arn(cx, &there(cx, action).await?));
            let keys = tags.keys().cloned().collect();
            cx.send(UNTAG, request.set_tag_keys(Some(keys)).send()).await
        }
    }
}

/// The id of the configuration; of one that the same plan makes, as AWS tells it only now.
async fn id(cx: &WriteCx, action: &Action) -> Result<Option<String>, WriteError> {
    if action.config_id.is_some() {
        return Ok(action.config_id.clone());
    }
    let all = configs(&cx.afresh()).await?;
    Ok(named(&all, cx, &action.name)?.and_then(|one| one.id()).map(str::to_owned))
}

/// The id of one that must be there.
async fn there(cx: &WriteCx, action: &Action) -> Result<String, WriteError> {
    let name = &action.name;
    let missing = || format!("there is no query logging configuration {name:?} any more");
    id(cx, action).await?.ok_or_else(|| WriteError::Changed(missing()))
}

fn send(tags: &Tags) -> Result<Vec<Tag>, WriteError> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    Ok(tags.collect::<Result<_, _>>()?)
}

/// Makes a configuration. AWS would make a second one of the same name.
async fn create(cx: &WriteCx, name: &str, making: &Making) -> Result<(), WriteError> {
    if named(&configs(&cx.afresh()).await?, cx, name)?.is_some() {
        return Err(WriteError::there_by_now(name));
    }
    // A later try, when an answer was lost, is known by it.
    let token = uuid::Uuid::new_v4().to_string();
    let tags = (!making.tags.is_empty()).then(|| send(&making.tags)).transpose()?;
    let request = cx
        .client(Client::new)
        .create_resolver_query_log_config()
        .name(name)
        .destination_arn(&making.destination_arn)
        .creator_request_id(&token)
        .set_tags(tags);
    match cx.make(CREATE, request.send()).await {
        Ok((answer, _)) => {
            let made = answer.resolver_query_log_config();
            cx.note_made(made.and_then(ResolverQueryLogConfig::id));
        }
        Err(error) if error.is_code(&[THERE]) => {
            let all = configs(&cx.afresh()).await?;
            let is_ours = all.iter().any(|one| one.creator_request_id() == Some(&token));
            return Err(match is_ours {
                true => WriteError::WasThereAlike(error.to_string()),
                false => WriteError::Another(error.to_string()),
            });
        }
        Err(error) => return Err(error.into()),
    }
    let made = || async {
        match named(&configs(&cx.afresh()).await?, cx, name)? {
            Some(one) => problem_of_config(one).map(drop),
            None => Ok(()),
        }
    };
    awaited(settle(is_pending, made).await)
}

/// Waits until AWS has done with the VPCs of a configuration, for as long as such things take. How they fare then,
/// the next look says.
async fn at_rest(cx: &WriteCx, id: &str) -> Result<(), WriteError> {
    let look = || async { associated(&associations(&cx.afresh()).await?, id).map(drop) };
    awaited(settle(is_pending, look).await)
}

fn is_pending(error: &ObserveError) -> bool {
    matches!(error, ObserveError::Pending { .. })
}

fn awaited(outcome: Result<(), ObserveError>) -> Result<(), WriteError> {
    match outcome {
        Ok(()) | Err(ObserveError::Pending { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
