//! What CloudWatch Logs takes as a data protection policy.
//!
//! Sources: CloudWatch Logs API Reference, `PutDataProtectionPolicy`, `policyDocument`; CloudWatch Logs
//! User Guide, "Understanding data protection policies" and "Custom data identifiers".

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The longest policy, in characters.
const LONGEST: usize = 30_720;
const VERSION: &str = "2021-06-01";
const CUSTOM_IDENTIFIERS: usize = 10;
const LONGEST_NAME: usize = 128;
const LONGEST_REGEX: usize = 200;

/// Why AWS would refuse a policy, and what to do; `None` if it takes it as far as that can be told.
pub fn wrong(policy: &Map<String, Value>) -> Option<(String, String)> {
    let length = Value::Object(policy.clone()).to_string().chars().count();
    if length > LONGEST {
        return said(
            &format!("the policy has {length} characters, and AWS takes {LONGEST}"),
            "name fewer data identifiers",
        );
    }
    if policy.get("Version").is_some_and(|version| version != VERSION) {
        return said("this Version of a policy is not known", &format!("write {VERSION:?}"));
    }
    let custom = match custom_identifiers(policy) {
        Ok(custom) => custom,
        Err(wrong) => return Some(wrong),
    };
    let statements = policy.get("Statement").and_then(Value::as_array);
    let Some(statements) = statements.filter(|list| !list.is_empty()) else {
        return said("it has no Statement", TWO_STATEMENTS);
    };
    let (mut audits, mut masks) = (Vec::new(), Vec::new());
    for statement in statements {
        let identifiers = match identifiers(statement, &custom) {
            Ok(identifiers) => identifiers,
            Err(wrong) => return Some(wrong),
        };
        let operation = &statement["Operation"];
        match (operation.get("Audit"), operation.get("Deidentify")) {
            (Some(audit), None) if audit["FindingsDestination"].is_object() => {
                audits.push(identifiers);
            }
            (None, Some(mask)) if mask["MaskConfig"].as_object().is_some_and(Map::is_empty) => {
                masks.push(identifiers);
            }
            _ => return said("a statement has no Operation that AWS knows", TWO_STATEMENTS),
        }
    }
    match audits.as_slice() {
        [audit] if !masks.is_empty() => masks.iter().any(|mask| mask != audit).then(|| {
            let words = "the data that is masked is not the data that is audited";
            (words.to_owned(), "name the same in DataIdentifier of both statements".to_owned())
        }),
        _ => said("one statement must audit, and another one mask", TWO_STATEMENTS),
    }
}

const TWO_STATEMENTS: &str = "write one statement with Operation = { Audit = { FindingsDestination = {} } } and one with Operation = { Deidentify = { MaskConfig = {} } }";

fn said(words: &str, help: &str) -> Option<(String, String)> {
    Some((words.to_owned(), help.to_owned()))
}

/// The names of the account's own identifiers.
fn custom_identifiers(policy: &Map<String, Value>) -> Result<BTreeSet<&str>, (String, String)> {
    let list = policy.get("Configuration").and_then(|all| all["CustomDataIdentifier"].as_array());
    let list = list.map(Vec::as_slice).unwrap_or_default();
    if list.len() > CUSTOM_IDENTIFIERS {
        let words = format!(
            "it has {} identifiers of its own, and AWS takes {CUSTOM_IDENTIFIERS}",
            list.len()
        );
        return Err((words, "keep the most important ones".to_owned()));
    }
    let mut names = BTreeSet::new();
    for identifier in list {
        let name = identifier["Name"].as_str().unwrap_or_default();
        let regex = identifier["Regex"].as_str().unwrap_or_default();
        let is_name = !name.is_empty()
            && name.len() <= LONGEST_NAME
            && name.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '-'));
        if !is_name {
            let words = format!("{name:?} is no Name of an identifier of its own");
            let help = format!("use up to {LONGEST_NAME} letters, digits, _ and -");
            return Err((words, help));
        }
        if regex.is_empty() || regex.chars().count() > LONGEST_REGEX {
            let words = format!("the identifier {name} has no Regex that AWS takes");
            return Err((words, format!("give it one of up to {LONGEST_REGEX} characters")));
        }
        if !names.insert(name) {
            let words = format!("two identifiers have the Name {name}");
            return Err((words, "give one of them another name".to_owned()));
        }
    }
    Ok(names)
}

/// What a statement is about.
fn identifiers<'a>(
    statement: &'a Value,
    custom: &BTreeSet<&str>,
) -> Result<BTreeSet<&'a str>, (String, String)> {
    let list = statement["DataIdentifier"].as_array().filter(|list| !list.is_empty());
    let Some(list) = list else {
        let help =
            "write DataIdentifier = [\"arn:aws:dataprotection::aws:data-identifier/EmailAddress\"]";
        return Err(("a statement names no data".to_owned(), help.to_owned()));
    };
    let mut names = BTreeSet::new();
    for identifier in list {
        match identifier.as_str() {
            Some(name) if is_managed(name) || custom.contains(name) => names.insert(name),
            _ => {
                let words = format!("{identifier} is no data identifier");
                let help = "write the ARN of one of AWS's, arn:aws:dataprotection::aws:data-identifier/NAME, or a Name of Configuration.CustomDataIdentifier";
                return Err((words, help.to_owned()));
            }
        };
    }
    Ok(names)
}

/// Whether it is the ARN of one of AWS's identifiers. Which there are, AWS adds to.
fn is_managed(identifier: &str) -> bool {
    let name = identifier
        .strip_prefix("arn:")
        .and_then(|rest| rest.split_once(":dataprotection::aws:data-identifier/"));
    name.is_some_and(|(_, name)| {
        !name.is_empty() && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-')
    })
}

/// AWS's identifiers as far as this version knows them, without the country that many end with. Source:
/// CloudWatch Logs User Guide, "CloudWatch Logs managed data identifiers for sensitive data types".
const MANAGED: [&str; 45] = [
    "Address",
    "AwsSecretKey",
    "BankAccountNumber",
    "CepCode",
    "Cnpj",
    "CpfCode",
    "CreditCardExpiration",
    "CreditCardNumber",
    "CreditCardSecurityCode",
    "DriversLicense",
    "DrugEnforcementAgencyNumber",
    "ElectoralRollNumber",
    "EmailAddress",
    "HealthInsuranceCardNumber",
    "HealthInsuranceClaimNumber",
    "HealthInsuranceNumber",
    "HealthcareProcedureCode",
    "IndividualTaxIdentificationNumber",
    "InseeCode",
    "IpAddress",
    "LatLong",
    "MedicareBeneficiaryNumber",
    "Name",
    "NationalDrugCode",
    "NationalIdentificationNumber",
    "NationalInsuranceNumber",
    "NationalProviderId",
    "NhsNumber",
    "NieNumber",
    "NifNumber",
    "OpenSshPrivateKey",
    "PassportNumber",
    "PermanentResidenceNumber",
    "PersonalHealthNumber",
    "PgpPrivateKey",
    "PhoneNumber",
    "PkcsPrivateKey",
    "PostalCode",
    "PuttyPrivateKey",
    "RgNumber",
    "SocialInsuranceNumber",
    "Ssn",
    "TaxId",
    "VehicleIdentificationNumber",
    "ZipCode",
];

/// The identifiers of a policy that AWS is not known to have: it may have come to have them since.
pub fn not_known(policy: &Map<String, Value>) -> BTreeSet<String> {
    let statements = policy.get("Statement").and_then(Value::as_array).into_iter().flatten();
    let all = statements.filter_map(|one| one["DataIdentifier"].as_array()).flatten();
    let names = all.filter_map(Value::as_str).filter_map(|arn| {
        let (_, name) = arn.split_once(":dataprotection::aws:data-identifier/")?;
        Some(name)
    });
    let is_known = |name: &&str| {
        let (base, country) = name.split_once('-').unwrap_or((name, "XX"));
        MANAGED.contains(&base) && country.len() == 2
    };
    names.filter(|name| !is_known(name)).map(str::to_owned).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    const EMAIL: &str = "arn:aws:dataprotection::aws:data-identifier/EmailAddress";

    #[test]
    fn an_identifier_that_aws_is_not_known_to_have_is_named() {
        let of = |name: &str| {
            let arn = format!("arn:aws:dataprotection::aws:data-identifier/{name}");
            let policy = policy(&[&arn, EMAIL], &[&arn, EMAIL]);
            not_known(policy.as_object().unwrap())
        };
        for name in ["EmailAddress", "DriversLicense-US", "PuttyPrivateKey"] {
            assert!(of(name).is_empty(), "{name}");
        }
        for name in ["NoSuch", "emailaddress", "DriversLicense-USA"] {
            assert_eq!(of(name), [name.to_owned()].into(), "{name}");
        }
    }

    fn policy(audit: &[&str], mask: &[&str]) -> Value {
        json!({
            "Name": "p",
            "Version": VERSION,
            "Statement": [
                {"DataIdentifier": audit, "Operation": {"Audit": {"FindingsDestination": {}}}},
                {"DataIdentifier": mask, "Operation": {"Deidentify": {"MaskConfig": {}}}},
            ],
        })
    }

    fn words(policy: &Value) -> String {
        wrong(policy.as_object().unwrap()).map(|(words, _)| words).unwrap_or_default()
    }

    #[test]
    fn what_aws_takes_is_taken() {
        assert_eq!(words(&policy(&[EMAIL], &[EMAIL])), "");
        let mut own = policy(&[EMAIL, "EmployeeId"], &["EmployeeId", EMAIL]);
        own["Configuration"] =
            json!({"CustomDataIdentifier": [{"Name": "EmployeeId", "Regex": "EmployeeID-\\d{9}"}]});
        assert_eq!(words(&own), "");
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        let changed = |pointer: &str, value: Value| {
            let mut policy = policy(&[EMAIL], &[EMAIL]);
            *policy.pointer_mut(pointer).unwrap() = value;
            policy
        };
        for (policy, said) in [
            (
                policy(&["EmailAddress"], &["EmailAddress"]),
                "\"EmailAddress\" is no data identifier",
            ),
            (policy(&[EMAIL, "EmployeeId"], &[EMAIL]), "\"EmployeeId\" is no data identifier"),
            (policy(&[], &[EMAIL]), "a statement names no data"),
            (
                policy(&[EMAIL], &["arn:aws:dataprotection::aws:data-identifier/Address"]),
                "the data that is masked is not the data that is audited",
            ),
            (changed("/Version", json!("2012-10-17")), "this Version of a policy is not known"),
            (changed("/Statement", json!([])), "it has no Statement"),
            (
                changed("/Statement/1/Operation", json!({"Deny": {}})),
                "a statement has no Operation that AWS knows",
            ),
            (
                changed("/Statement/1/Operation", json!({"Audit": {"FindingsDestination": {}}})),
                "one statement must audit, and another one mask",
            ),
            (
                changed("/Statement/0/Operation/Audit", json!({})),
                "a statement has no Operation that AWS knows",
            ),
            (
                changed("/Name", json!("x".repeat(LONGEST))),
                "the policy has 31022 characters, and AWS takes 30720",
            ),
        ] {
            assert_eq!(words(&policy), said, "{policy}");
        }
    }

    #[test]
    fn identifiers_of_ones_own_have_limits() {
        let own = |list: Value| {
            let mut policy = policy(&[EMAIL], &[EMAIL]);
            policy["Configuration"] = json!({"CustomDataIdentifier": list});
            words(&policy)
        };
        let one = |name: &str, regex: &str| json!({"Name": name, "Regex": regex});
        assert_eq!(own(json!([one("a b", "x")])), "\"a b\" is no Name of an identifier of its own");
        assert_eq!(own(json!([one("a", "")])), "the identifier a has no Regex that AWS takes");
        assert_eq!(own(json!([one("a", "x"), one("a", "y")])), "two identifiers have the Name a");
        let many: Vec<Value> = (0..11).map(|number| one(&format!("n{number}"), "x")).collect();
        assert_eq!(own(json!(many)), "it has 11 identifiers of its own, and AWS takes 10");
    }
}
