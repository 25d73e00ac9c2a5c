//! The list of all kinds. A new kind is one file and one line here.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Scope;
use super::erased::{DynKind, erase};
use super::shapes::{Inspect, Whole};
use super::{
    accessanalyzer, cloudtrail, cloudwatch, config, detective, ec2, ecr, events, guardduty, iam,
    inspector2, kms, logs, macie2, route53resolver, s3, securityhub, sns,
};
use crate::baseline::catalog::{Catalog, KindInfo};

static KINDS: LazyLock<Vec<Box<dyn DynKind>>> = LazyLock::new(|| {
    vec![
        erase::<iam::role::Role>(),
        erase::<Whole<iam::password_policy::PasswordPolicy>>(),
        erase::<Whole<iam::account_alias::AccountAlias>>(),
        erase::<kms::key::Key>(),
        erase::<kms::key_rotation::KeyRotation>(),
        erase::<Whole<s3::account_public_access_block::AccountPublicAccessBlock>>(),
        erase::<s3::bucket::Bucket>(),
        erase::<logs::log_group::LogGroup>(),
        erase::<logs::log_groups::LogGroups>(),
        erase::<logs::resource_policy::ResourcePolicy>(),
        erase::<sns::topic::Topic>(),
        erase::<sns::subscription::Subscription>(),
        erase::<cloudtrail::trail::Trail>(),
        erase::<cloudwatch::log_alarm::LogAlarm>(),
        erase::<events::rule::Rule>(),
        erase::<config::recorder::ConfigRecorder>(),
        erase::<config::aggregation_authorization::Authorization>(),
        erase::<config::aggregator::Aggregator>(),
        erase::<accessanalyzer::analyzer::Analyzer>(),
        erase::<guardduty::detector::Detector>(),
        erase::<guardduty::organization::Organization>(),
        erase::<guardduty::malware_scan_settings::MalwareScanSettings>(),
        erase::<guardduty::publishing_destination::PublishingDestination>(),
        erase::<securityhub::hub::Hub>(),
        erase::<securityhub::standards::Standards>(),
        erase::<securityhub::control::Control>(),
        erase::<securityhub::finding_aggregator::FindingAggregator>(),
        erase::<securityhub::organization::Organization>(),
        erase::<securityhub::insight::Insight>(),
        erase::<detective::graph::Graph>(),
        erase::<macie2::session::Session>(),
        erase::<inspector2::scanning::Scanning>(),
        erase::<Whole<ecr::registry_scanning::RegistryScanning>>(),
        erase::<config::rule::Rule>(),
        erase::<config::conformance_pack::ConformancePack>(),
        erase::<ec2::ebs_encryption::EbsEncryption>(),
        erase::<ec2::flow_logs::FlowLogs>(),
        erase::<route53resolver::query_log_config::QueryLogConfig>(),
        erase::<ec2::default_security_group::DefaultSecurityGroup>(),
        erase::<Inspect<iam::root_user::RootUser>>(),
        erase::<Inspect<events::bus_policies::BusPolicies>>(),
        erase::<Inspect<guardduty::suppressions::Suppressions>>(),
        erase::<Inspect<cloudtrail::event_data_stores::EventDataStores>>(),
        erase::<Inspect<securityhub::hub_v2::HubV2>>(),
        erase::<Whole<ec2::snapshot_block_public_access::SnapshotBlockPublicAccess>>(),
        erase::<Whole<ec2::image_block_public_access::ImageBlockPublicAccess>>(),
        erase::<Whole<ec2::instance_metadata_defaults::InstanceMetadataDefaults>>(),
        erase::<Whole<ec2::serial_console_access::SerialConsoleAccess>>(),
        erase::<ec2::allowed_images::AllowedImages>(),
        erase::<ec2::vpc_block_public_access::VpcBlockPublicAccess>(),
    ]
});

/// Where each kind stands in the list.
static PLACES: LazyLock<HashMap<&'static str, usize>> =
    LazyLock::new(|| KINDS.iter().zip(0..).map(|(kind, place)| (kind.name(), place)).collect());

/// All kinds, in the order in which their changes are preferably applied.
pub fn all() -> &'static [Box<dyn DynKind>] {
    &KINDS
}

/// Where a kind stands in that order.
pub fn place(name: &str) -> Option<usize> {
    PLACES.get(name).copied()
}

/// A kind by its name.
pub fn find(name: &str) -> Option<&'static dyn DynKind> {
    place(name).map(|place| KINDS[place].as_ref())
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    Catalog::new(
        KINDS
            .iter()
            .map(|kind| KindInfo {
                not_state: kind.not_state(),
                name: kind.name(),
                identity: kind.identity(),
                regional: kind.scope() == Scope::Regional,
                region: kind.region_field(),
                in_region: kind.in_region(),
                schema: Box::new(|| kind.schema()),
                check: Box::new(|spec| kind.check(spec)),
                governs: Box::new(|spec| kind.governs(spec, None)),
            })
            .collect(),
    )
});

/// All kinds, as the baseline language sees them.
pub fn catalog() -> &'static Catalog {
    &CATALOG
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::baseline::words::ENGINE_WORDS;
    use crate::kinds::describe::{fields, sample_specs};
    use crate::kinds::{Arns, Facts, Object};

    #[test]
    fn every_name_is_there_once_and_finds_its_kind() {
        assert_eq!(PLACES.len(), KINDS.len());
        for kind in all() {
            assert_eq!(find(kind.name()).unwrap().name(), kind.name());
            let known = catalog().find(kind.name()).unwrap();
            assert_eq!(known.name, kind.name());
        }
        assert!(find("iam.nothing").is_none() && catalog().find("iam.nothing").is_none());
    }

    /// The loader would take such a field for its own.
    #[test]
    fn no_field_has_the_name_of_what_every_item_may_say() {
        for kind in all() {
            for field in fields(kind.as_ref()) {
                let is_word = ENGINE_WORDS.contains(&field.path.as_str());
                assert!(!is_word, "{} of {} needs another name", field.path, kind.name());
            }
        }
    }

    /// Whether a value says that there is, and is on, nothing.
    fn says_nothing(value: &Value) -> bool {
        match value {
            Value::Array(list) => list.iter().all(says_nothing),
            Value::Object(map) => map.values().all(says_nothing),
            Value::Null | Value::Bool(false) => true,
            other => other == "" || other == "DISABLED",
        }
    }

    /// The specs of a kind's samples with one switch the other way round, each with the switch.
    fn switched(kind: &dyn DynKind) -> Vec<(String, Value, Value)> {
        let specs = kind.samples().iter().flat_map(|sample| sample_specs(kind, sample));
        specs
            .flat_map(|spec| {
                let fields = spec.as_object().unwrap().clone();
                let switches = fields.into_iter().filter(|(_, value)| value.is_boolean());
                let turned = switches.map(|(field, value)| {
                    let mut turned = spec.clone();
                    turned[&field] = Value::Bool(value == false);
                    (field, spec.clone(), turned)
                });
                turned.collect::<Vec<_>>()
            })
            .collect()
    }

    /// What is declared beside a switch is said to be missing, or refused, where nothing is there and the
    /// switch makes nothing.
    #[test]
    fn no_switch_passes_over_what_else_is_declared() {
        for kind in all() {
            let facts = Facts::example(kind.name());
            let is_silent = |spec: &Value| {
                let changes = kind.diff(&facts, spec, &Object::absent(""));
                kind.check(spec).is_empty() && changes.is_ok_and(|changes| changes.is_empty())
            };
            for (switch, spec, turned) in switched(kind.as_ref()) {
                if is_silent(&spec) || !is_silent(&turned) {
                    continue;
                }
                let others = turned.as_object().unwrap().iter().filter(|(field, _)| {
                    **field != switch && !kind.not_state().contains(&field.as_str())
                });
                for (field, value) in others {
                    let kind = kind.name();
                    assert!(says_nothing(value), "{kind}: {switch} passes over {field} = {value}");
                }
            }
        }
    }

    #[test]
    fn names_are_paths() {
        for kind in all() {
            let module = format!("::kinds::{}::", kind.name().replace('.', "::"));
            assert!(kind.path().contains(&module), "{} is in {}", kind.name(), kind.path());
        }
    }

    #[test]
    fn what_comes_before_is_there_and_stands_before() {
        for (kind, own) in all().iter().zip(0..) {
            for earlier in kind.after() {
                let place = place(earlier);
                assert!(place.is_some(), "{} comes after {earlier}, which is no kind", kind.name());
                assert!(place < Some(own), "{} must stand below {earlier}", kind.name());
            }
        }
    }

    /// What AWS takes from an organization's own accounts alone, beside a Lambda function, or from where
    /// somebody has put a template; what evenkeel reports and makes none of; and values of a type that no control of the samples' standards takes: no
    /// sample has these, and recorded answers have the fields instead.
    const RECORDED: &[&str] = &[
        "accessanalyzer.analyzer exclusions[].account_ids",
        "accessanalyzer.analyzer inclusions[].account_ids",
        "config.aggregator organization_aggregation_source",
        "config.aggregator organization_aggregation_source.all_aws_regions",
        "config.aggregator organization_aggregation_source.aws_regions",
        "config.aggregator organization_aggregation_source.role_arn",
        "config.conformance_pack template_s3_uri",
        "config.conformance_pack template_ssm_document",
        "config.conformance_pack template_ssm_document.name",
        "config.conformance_pack template_ssm_document.version",
        "config.rule source_details[].maximum_execution_frequency",
        "detective.graph auto_enable_members",
        "inspector2.scanning auto_enable_members",
        "macie2.session auto_enable_members",
        "macie2.session auto_enable_organization_members",
        "macie2.session classification_jobs",
        "macie2.session classification_jobs[]",
        "securityhub.control controls.NAME.parameters.NAME.double",
        "securityhub.control controls.NAME.parameters.NAME.enum_list",
        "securityhub.control controls.NAME.parameters.NAME.integer_list",
        "securityhub.control controls.NAME.parameters.NAME.string",
        "securityhub.control controls.NAME.parameters.NAME.string_list",
    ];

    /// A field that stands in no sample is never exercised by the property tests.
    #[test]
    fn every_field_stands_in_a_sample() {
        let mut missing = Vec::new();
        for kind in all() {
            let mut seen = BTreeSet::new();
            for spec in kind.samples().iter().flat_map(|sample| sample_specs(kind.as_ref(), sample))
            {
                collect(&[], &spec, &mut seen);
            }
            for field in fields(kind.as_ref()) {
                let parts: Vec<&str> = field.path.split('.').collect();
                let name = format!("{} {}", kind.name(), field.path);
                if !RECORDED.contains(&name.as_str())
                    && !seen.iter().any(|path| is_it(path, &parts))
                {
                    missing.push(name);
                }
            }
        }
        assert!(missing.is_empty(), "these stand in no sample:\n{}", missing.join("\n"));
    }

    #[test]
    fn every_switch_number_and_word_says_which_way_it_is_stricter() {
        let mut unsaid = Vec::new();
        // What evenkeel never writes gets no weaker by its hand.
        for kind in all().iter().filter(|kind| writes(kind.as_ref())) {
            let schema = kind.schema();
            let properties = schema["properties"].as_object().unwrap();
            for stricter in kind.stricter() {
                assert!(properties.contains_key(stricter.field()), "{}: {stricter:?}", kind.name());
            }
            for (field, of_field) in properties {
                let is_state = !kind.not_state().contains(&field.as_str());
                let says = kind.stricter().iter().any(|stricter| stricter.field() == field);
                let text = of_field["type"].to_string();
                let is_one = text.contains("boolean") || text.contains("integer");
                let is_one = is_one || is_word(of_field);
                let name = format!("{} {field}", kind.name());
                if is_state && is_one && !says {
                    unsaid.push(name);
                }
            }
        }
        assert!(unsaid.is_empty(), "STRICTER lacks:\n{}", unsaid.join("\n"));
    }

    /// Whether a kind writes anything at all.
    fn writes(kind: &dyn DynKind) -> bool {
        let arns = Arns::of("aws", "111122223333");
        let specs = kind.samples().iter().flat_map(|sample| sample_specs(kind, sample));
        specs.into_iter().any(|spec| !kind.needed(&spec, &arns).unwrap().writes.is_empty())
    }

    /// Whether a field is one of AWS's words.
    fn is_word(of_field: &Value) -> bool {
        let mut choices = of_field["anyOf"].as_array().into_iter().flatten().chain([of_field]);
        choices.any(|choice| choice.get("enum").is_some())
    }

    /// Whether a path is that of a field, in which `NAME` stands for any name.
    fn is_it(path: &[String], field: &[&str]) -> bool {
        path.len() == field.len()
            && path
                .iter()
                .zip(field)
                .all(|(part, wanted)| part == wanted || wanted.trim_end_matches("[]") == "NAME")
    }

    /// The paths of all that a value holds, `[]` behind the name of a list.
    fn collect(prefix: &[String], value: &Value, paths: &mut BTreeSet<Vec<String>>) {
        match value {
            Value::Object(map) => {
                for (name, inner) in map {
                    let path = [prefix, std::slice::from_ref(name)].concat();
                    collect(&path, inner, paths);
                    paths.insert(path);
                }
            }
            Value::Array(entries) => {
                let mut path = prefix.to_vec();
                if let Some(last) = path.last_mut() {
                    last.push_str("[]");
                }
                entries.iter().for_each(|entry| collect(&path, entry, paths));
            }
            _ => {}
        }
    }
}
