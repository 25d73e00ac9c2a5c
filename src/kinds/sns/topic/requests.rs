//! What the requests of AWS's services to a topic say of themselves.
//!
//! Sources: SNS Developer Guide, "Example cases for Amazon SNS access control", "Key management".

use serde_json::{Value, json};

use super::{Service, Spec};

/// The same as conditions of a statement that lets them through.
pub fn says(partition: &str, account: &str, spec: &Spec, service: Service) -> Value {
    let accounts: Vec<String> = match &spec.source_accounts {
        Some(accounts) => accounts.iter().map(ToString::to_string).collect(),
        None => vec![account.to_owned()],
    };
    let sources = |resource: &dyn Fn(&str) -> String| {
        let arns = accounts.iter().map(|account| resource(account));
        arns.map(|rest| format!("arn:{partition}:{rest}")).collect::<Vec<_>>()
    };
    match service {
        Service::Cloudtrail => json!({ "ArnLike": { "aws:SourceArn":
            sources(&|account| format!("cloudtrail:*:{account}:trail/*")) } }),
        Service::Cloudwatch => json!({
            "StringEquals": { "aws:SourceAccount": accounts },
            "ArnLike": { "aws:SourceArn":
                sources(&|account| format!("cloudwatch:*:{account}:alarm:*")) },
        }),
        Service::Config => json!({ "StringEquals": { "aws:SourceAccount": accounts } }),
        // It sends no condition key.
        Service::Events => Value::Null,
        Service::Budgets => json!({
            "StringEquals": { "aws:SourceAccount": accounts },
            "ArnLike": { "aws:SourceArn": sources(&|account| format!("budgets::{account}:*")) },
        }),
    }
}
