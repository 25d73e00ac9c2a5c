//! The key that results are encrypted with.

use serde_json::json;

use super::{KEY, Now, Write, is_to_come};
use crate::kinds::kms::let_in::{self, Asking};
use crate::kinds::kms::named;
use crate::kinds::macie2::session::spec::ClassificationExport;
use crate::kinds::{Change, Drift, Facts};
use crate::policy_document::Keys;

/// What Macie asks of a key (Macie User Guide, "Storing and retaining sensitive data discovery results").
const ACTIONS: [&str; 2] = ["kms:GenerateDataKey", "kms:Encrypt"];
/// It asks for each configuration and each job.
const ANY: Keys<'static> = Keys { not_sent: &[], varying: &["aws:SourceArn"] };

/// In what words the declared key shuts Macie out, if it does.
pub fn shut_out(facts: &Facts, spec: &ClassificationExport, now: &Now) -> Option<String> {
    let Facts { partition, region, account, .. } = facts;
    let declared = now.declared_key.as_ref()?;
    let says = json!({
        "StringEquals": { "aws:SourceAccount": account },
        "ArnLike": { "aws:SourceArn": format!("arn:{partition}:macie2:{region}:{account}:*") },
    });
    let key = declared.key.arn()?;
    let asking = Asking::of("macie.amazonaws.com", partition, key, &ACTIONS, &says).with(ANY);
    let_in::said(&spec.kms_key_arn, declared.policy.as_deref(), &[asking], partition)
}

/// What is to be said of a key that results are not encrypted with yet.
pub fn new(
    facts: &Facts,
    spec: &ClassificationExport,
    now: &Now,
    change: Change<Write>,
    shut_out: Option<String>,
) -> Change<Write> {
    let name = &spec.kms_key_arn;
    // Of a new session nothing was read.
    let Some(declared) = &now.declared_key else {
        return change.sends(&facts.account, named::LEFT, name.as_str());
    };
    let arn = declared.key.arn().unwrap_or(name);
    let change = change.sends(&facts.account, named::LEFT, arn);
    match declared.key.problem() {
        Some(_) if is_to_come(name, &declared.key) => {
            change.warn("the key is not there yet: it must be by the time of this change")
        }
        Some(problem) => Change { action: None, ..change }.withhold(format!(
            "Macie could not encrypt with the key {name}: {problem}; put the key right, or declare another"
        )),
        None => match shut_out {
            Some(said) => change.warn(format!(
                "{said}: by the time of this change it must be let in, or Macie refuses the key"
            )),
            None => change,
        },
    }
}

/// Results are to be encrypted with the declared key, which is of no use.
pub fn useless(
    spec: &ClassificationExport,
    now: &Now,
    shut_out: Option<String>,
) -> Option<Change<Write>> {
    let name = &spec.kms_key_arn;
    let problem = now.declared_key.as_ref().and_then(|declared| declared.key.problem());
    let words = match (problem, shut_out) {
        (Some(problem), _) => format!(
            "Macie cannot encrypt with the key {name}: {problem}; no result is kept until the key works again, or \
             another is declared"
        ),
        (None, Some(said)) => {
            let help = let_in::remedy("kms:GenerateDataKey and kms:Encrypt");
            format!("{said}, so that no result is kept: {help}")
        }
        (None, None) => return None,
    };
    let mut drift = Drift::new();
    let there = now.there.as_ref().map(|there| there.kms_key_arn.as_str());
    let (there, wanted) = named::out_of_order(there, name);
    drift.add(KEY, Some(there), Some(wanted));
    Some(Change::finding(drift).withhold(words))
}
