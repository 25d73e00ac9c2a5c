//! The policy in the forms of other tools.

use serde_json::{Value, json};

/// The policy as a Terraform resource.
pub fn terraform(document: &Value) -> String {
    format!(
        "resource \"aws_iam_policy\" \"evenkeel\" {{\n  name   = \"evenkeel\"\n  policy = <<-JSON\n{}\n  JSON\n}}\n",
        indented(document, 4)
    )
}

/// The policy as a CloudFormation template.
pub fn cloudformation(document: &Value) -> Value {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The permissions that evenkeel needs for its baseline.",
        "Resources": {
            "EvenkeelPolicy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"ManagedPolicyName": "evenkeel", "PolicyDocument": document},
            }
        },
        "Outputs": {"PolicyArn": {"Value": {"Ref": "EvenkeelPolicy"}}},
    })
}

fn indented(document: &Value, spaces: usize) -> String {
    let pad = " ".repeat(spaces);
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    // IAM's own policy variables look like Terraform's interpolation.
    let text = text.replace("${", "$${");
    text.lines().map(|line| format!("{pad}{line}")).collect::<Vec<_>>().join("\n")
}
