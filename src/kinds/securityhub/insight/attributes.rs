//! The attributes of findings by which an insight can filter, and how AWS reads and says each of them: the
//! members of `AwsSecurityFindingFilters` (Security Hub API Reference).

use std::collections::BTreeMap;

use aws_sdk_securityhub::types::AwsSecurityFindingFilters;

use super::conditions::{Condition, Shape, heard, in_one_form, sent};
use crate::kinds::{ObserveError, WriteError};

/// Conditions by attribute: one of an attribute's conditions must hold, and that for all attributes.
pub type Filters = BTreeMap<String, Vec<Condition>>;

/// Filters in one form.
pub fn normal(filters: &Filters) -> Filters {
    let each = filters.iter();
    each.map(|(name, all)| (name.clone(), in_one_form(all.iter().cloned()))).collect()
}

/// The table: a shape, then the attributes that have it, by AWS's name with the SDK's two for it.
macro_rules! attributes {
    ($($shape:ident { $($name:literal $get:ident $set:ident)+ })+) => {
        /// The shape of the conditions on an attribute; `None` for what is no attribute.
        pub fn shape(attribute: &str) -> Option<Shape> {
            match attribute {
                $($($name)|+ => Some(Shape::$shape),)+
                _ => None,
            }
        }

        /// What AWS says, in one form.
        #[allow(deprecated)]
        pub fn read(said: &AwsSecurityFindingFilters) -> Result<Filters, ObserveError> {
            let mut filters = Filters::new();
            $($(
                let conditions = heard($name, said.$get())?;
                if !conditions.is_empty() {
                    filters.insert($name.to_owned(), conditions);
                }
            )+)+
            Ok(filters)
        }

        /// The same as AWS takes it.
        #[allow(deprecated)]
        pub fn send(filters: &Filters) -> Result<AwsSecurityFindingFilters, WriteError> {
            if let Some(unknown) = filters.keys().find(|name| shape(name).is_none()) {
                return Err(WriteError::Unsendable(format!("{unknown} is no attribute of findings")));
            }
            let of = |name: &str| filters.get(name).map(Vec::as_slice);
            let builder = AwsSecurityFindingFilters::builder();
            $($(
                let builder = builder.$set(sent(of($name))?);
            )+)+
            Ok(builder.build())
        }
    };
}

attributes! {
    Text {
        "ProductArn" product_arn set_product_arn
        "AwsAccountId" aws_account_id set_aws_account_id
        "Id" id set_id
        "GeneratorId" generator_id set_generator_id
        "Region" region set_region
        "Type" r#type set_type
        "SeverityLabel" severity_label set_severity_label
        "Title" title set_title
        "Description" description set_description
        "RecommendationText" recommendation_text set_recommendation_text
        "SourceUrl" source_url set_source_url
        "ProductName" product_name set_product_name
        "CompanyName" company_name set_company_name
        "MalwareName" malware_name set_malware_name
        "MalwareType" malware_type set_malware_type
        "MalwarePath" malware_path set_malware_path
        "MalwareState" malware_state set_malware_state
        "NetworkDirection" network_direction set_network_direction
        "NetworkProtocol" network_protocol set_network_protocol
        "NetworkSourceDomain" network_source_domain set_network_source_domain
        "NetworkSourceMac" network_source_mac set_network_source_mac
        "NetworkDestinationDomain" network_destination_domain set_network_destination_domain
        "ProcessName" process_name set_process_name
        "ProcessPath" process_path set_process_path
        "ThreatIntelIndicatorType" threat_intel_indicator_type set_threat_intel_indicator_type
        "ThreatIntelIndicatorValue" threat_intel_indicator_value set_threat_intel_indicator_value
        "ThreatIntelIndicatorCategory" threat_intel_indicator_category set_threat_intel_indicator_category
        "ThreatIntelIndicatorSource" threat_intel_indicator_source set_threat_intel_indicator_source
        "ThreatIntelIndicatorSourceUrl" threat_intel_indicator_source_url set_threat_intel_indicator_source_url
        "ResourceType" resource_type set_resource_type
        "ResourceId" resource_id set_resource_id
        "ResourcePartition" resource_partition set_resource_partition
        "ResourceRegion" resource_region set_resource_region
        "ResourceAwsEc2InstanceType" resource_aws_ec2_instance_type set_resource_aws_ec2_instance_type
        "ResourceAwsEc2InstanceImageId" resource_aws_ec2_instance_image_id set_resource_aws_ec2_instance_image_id
        "ResourceAwsEc2InstanceKeyName" resource_aws_ec2_instance_key_name set_resource_aws_ec2_instance_key_name
        "ResourceAwsEc2InstanceIamInstanceProfileArn" resource_aws_ec2_instance_iam_instance_profile_arn set_resource_aws_ec2_instance_iam_instance_profile_arn
        "ResourceAwsEc2InstanceVpcId" resource_aws_ec2_instance_vpc_id set_resource_aws_ec2_instance_vpc_id
        "ResourceAwsEc2InstanceSubnetId" resource_aws_ec2_instance_subnet_id set_resource_aws_ec2_instance_subnet_id
        "ResourceAwsS3BucketOwnerId" resource_aws_s3_bucket_owner_id set_resource_aws_s3_bucket_owner_id
        "ResourceAwsS3BucketOwnerName" resource_aws_s3_bucket_owner_name set_resource_aws_s3_bucket_owner_name
        "ResourceAwsIamAccessKeyUserName" resource_aws_iam_access_key_user_name set_resource_aws_iam_access_key_user_name
        "ResourceAwsIamAccessKeyPrincipalName" resource_aws_iam_access_key_principal_name set_resource_aws_iam_access_key_principal_name
        "ResourceAwsIamAccessKeyStatus" resource_aws_iam_access_key_status set_resource_aws_iam_access_key_status
        "ResourceAwsIamUserUserName" resource_aws_iam_user_user_name set_resource_aws_iam_user_user_name
        "ResourceContainerName" resource_container_name set_resource_container_name
        "ResourceContainerImageId" resource_container_image_id set_resource_container_image_id
        "ResourceContainerImageName" resource_container_image_name set_resource_container_image_name
        "ComplianceStatus" compliance_status set_compliance_status
        "VerificationState" verification_state set_verification_state
        "WorkflowState" workflow_state set_workflow_state
        "WorkflowStatus" workflow_status set_workflow_status
        "RecordState" record_state set_record_state
        "RelatedFindingsProductArn" related_findings_product_arn set_related_findings_product_arn
        "RelatedFindingsId" related_findings_id set_related_findings_id
        "NoteText" note_text set_note_text
        "NoteUpdatedBy" note_updated_by set_note_updated_by
        "FindingProviderFieldsRelatedFindingsId" finding_provider_fields_related_findings_id set_finding_provider_fields_related_findings_id
        "FindingProviderFieldsRelatedFindingsProductArn" finding_provider_fields_related_findings_product_arn set_finding_provider_fields_related_findings_product_arn
        "FindingProviderFieldsSeverityLabel" finding_provider_fields_severity_label set_finding_provider_fields_severity_label
        "FindingProviderFieldsSeverityOriginal" finding_provider_fields_severity_original set_finding_provider_fields_severity_original
        "FindingProviderFieldsTypes" finding_provider_fields_types set_finding_provider_fields_types
        "ComplianceSecurityControlId" compliance_security_control_id set_compliance_security_control_id
        "ComplianceAssociatedStandardsId" compliance_associated_standards_id set_compliance_associated_standards_id
        "VulnerabilitiesExploitAvailable" vulnerabilities_exploit_available set_vulnerabilities_exploit_available
        "VulnerabilitiesFixAvailable" vulnerabilities_fix_available set_vulnerabilities_fix_available
        "ComplianceSecurityControlParametersName" compliance_security_control_parameters_name set_compliance_security_control_parameters_name
        "ComplianceSecurityControlParametersValue" compliance_security_control_parameters_value set_compliance_security_control_parameters_value
        "AwsAccountName" aws_account_name set_aws_account_name
        "ResourceApplicationName" resource_application_name set_resource_application_name
        "ResourceApplicationArn" resource_application_arn set_resource_application_arn
        "ResourceOwnerAccountId" resource_owner_account_id set_resource_owner_account_id
        "ResourceOwnerOrgId" resource_owner_org_id set_resource_owner_org_id
        "ResourceProvider" resource_provider set_resource_provider
    }
    Date {
        "FirstObservedAt" first_observed_at set_first_observed_at
        "LastObservedAt" last_observed_at set_last_observed_at
        "CreatedAt" created_at set_created_at
        "UpdatedAt" updated_at set_updated_at
        "ProcessLaunchedAt" process_launched_at set_process_launched_at
        "ProcessTerminatedAt" process_terminated_at set_process_terminated_at
        "ThreatIntelIndicatorLastObservedAt" threat_intel_indicator_last_observed_at set_threat_intel_indicator_last_observed_at
        "ResourceAwsEc2InstanceLaunchedAt" resource_aws_ec2_instance_launched_at set_resource_aws_ec2_instance_launched_at
        "ResourceAwsIamAccessKeyCreatedAt" resource_aws_iam_access_key_created_at set_resource_aws_iam_access_key_created_at
        "ResourceContainerLaunchedAt" resource_container_launched_at set_resource_container_launched_at
        "NoteUpdatedAt" note_updated_at set_note_updated_at
    }
    Number {
        "SeverityProduct" severity_product set_severity_product
        "SeverityNormalized" severity_normalized set_severity_normalized
        "Confidence" confidence set_confidence
        "Criticality" criticality set_criticality
        "NetworkSourcePort" network_source_port set_network_source_port
        "NetworkDestinationPort" network_destination_port set_network_destination_port
        "ProcessPid" process_pid set_process_pid
        "ProcessParentPid" process_parent_pid set_process_parent_pid
        "FindingProviderFieldsConfidence" finding_provider_fields_confidence set_finding_provider_fields_confidence
        "FindingProviderFieldsCriticality" finding_provider_fields_criticality set_finding_provider_fields_criticality
    }
    Map {
        "ProductFields" product_fields set_product_fields
        "UserDefinedFields" user_defined_fields set_user_defined_fields
        "ResourceTags" resource_tags set_resource_tags
        "ResourceDetailsOther" resource_details_other set_resource_details_other
    }
    Ip {
        "NetworkSourceIpV4" network_source_ipv4 set_network_source_ipv4
        "NetworkSourceIpV6" network_source_ipv6 set_network_source_ipv6
        "NetworkDestinationIpV4" network_destination_ipv4 set_network_destination_ipv4
        "NetworkDestinationIpV6" network_destination_ipv6 set_network_destination_ipv6
        "ResourceAwsEc2InstanceIpV4Addresses" resource_aws_ec2_instance_ipv4_addresses set_resource_aws_ec2_instance_ipv4_addresses
        "ResourceAwsEc2InstanceIpV6Addresses" resource_aws_ec2_instance_ipv6_addresses set_resource_aws_ec2_instance_ipv6_addresses
    }
    Keyword {
        "Keyword" keyword set_keyword
    }
    Boolean {
        "Sample" sample set_sample
    }
}
