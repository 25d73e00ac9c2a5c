//! evenkeel's list of AWS's managed policies is what its own judgement makes of their documents, as
//! moto has them. `EVENKEEL_UPDATE=1 cargo test --test it managed_policies::` writes it anew.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use evenkeel::policy_document::PolicyDocument;
use evenkeel::policy_document::grants::of_identity_policy;

const DOCUMENTS: &str = "import json
from moto.iam.aws_managed_policies import aws_managed_policies_data as data
print(json.dumps({name: policy['Document'] for name, policy in json.loads(data).items()}))";

#[test]
fn the_list_says_which_of_aws_s_policies_make_an_administrator_or_deny() {
    let python = std::env::var("EVENKEEL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).args(["-c", DOCUMENTS]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let documents: BTreeMap<String, PolicyDocument> =
        serde_json::from_slice(&output.stdout).unwrap();
    let list: String = documents
        .iter()
        .map(|(name, document)| {
            let administrator = !of_identity_policy(None, document).is_empty();
            let denies = document.statements().iter().any(|one| one["Effect"] == "Deny");
            let mark = |is_so, mark| if is_so { mark } else { "" };
            format!("{name}{}{}\n", mark(administrator, "!"), mark(denies, "~"))
        })
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/policy_document/grants/aws_managed_policies.txt");
    if std::env::var_os("EVENKEEL_UPDATE").is_some() {
        std::fs::write(&path, &list).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap();
    assert!(there == list, "the list is old: EVENKEEL_UPDATE=1 writes it anew");
}
