//! The AWS SDK's own bytes against the emulator, without a kind between: CloudWatch, which speaks CBOR
//! only, Access Analyzer and Security Hub.

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_accessanalyzer::types::Type;
use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic};
use aws_sdk_securityhub::types::StandardsSubscriptionRequest;
use aws_smithy_http_client::tls::TlsContext;
use evenkeel::aws::http;
use evenkeel::aws::meter::Meter;

use crate::support::{Account, emulator};

async fn config(account: &Account) -> SdkConfig {
    let env = account.env();
    let credentials = Credentials::new(
        &env["AWS_ACCESS_KEY_ID"],
        &env["AWS_SECRET_ACCESS_KEY"],
        Some(env["AWS_SESSION_TOKEN"].clone()),
        None,
        "test",
    );
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http::client(Arc::new(Meter::default()), TlsContext::default()))
        .credentials_provider(credentials)
        .endpoint_url(&env["AWS_ENDPOINT_URL"])
        .region(Region::new("eu-west-1"))
        .load()
        .await
}

#[tokio::test]
async fn an_alarm_of_cloudwatch_comes_back_as_it_was_sent() {
    let account = emulator().account();
    let client = aws_sdk_cloudwatch::Client::new(&config(&account).await);
    client
        .put_metric_alarm()
        .alarm_name("root-sign-in")
        .namespace("LogMetrics")
        .metric_name("RootSignIn")
        .statistic(Statistic::Sum)
        .period(300)
        .evaluation_periods(1)
        .threshold(0.5)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .send()
        .await
        .unwrap();
    let alarms = client.describe_alarms().send().await.unwrap();
    let [alarm] = alarms.metric_alarms() else { panic!("{alarms:?}") };
    assert_eq!(alarm.alarm_name(), Some("root-sign-in"));
    assert_eq!(alarm.threshold(), Some(0.5));
    assert_eq!(alarm.period(), Some(300));
    assert_eq!(alarm.state_value(), Some(&StateValue::InsufficientData));
    let seen = account.boto3(
        "print(json.dumps([each['AlarmName'] for each in boto3.client('cloudwatch').describe_alarms()['MetricAlarms']]))",
    );
    assert_eq!(seen, serde_json::json!(["root-sign-in"]));
}

#[tokio::test]
async fn an_analyzer_is_made_and_listed() {
    let account = emulator().account();
    let client = aws_sdk_accessanalyzer::Client::new(&config(&account).await);
    let made = client
        .create_analyzer()
        .analyzer_name("outside")
        .r#type(Type::Account)
        .send()
        .await
        .unwrap();
    let listed = client.list_analyzers().send().await.unwrap();
    let [analyzer] = listed.analyzers() else { panic!("{listed:?}") };
    assert_eq!(Some(analyzer.arn()), made.arn());
    assert_eq!(analyzer.r#type(), &Type::Account);
    let again =
        client.create_analyzer().analyzer_name("outside").r#type(Type::Account).send().await;
    assert!(again.unwrap_err().into_service_error().is_conflict_exception());
}

#[tokio::test]
async fn a_standard_of_security_hub_is_subscribed_to() {
    let account = emulator().account();
    let client = aws_sdk_securityhub::Client::new(&config(&account).await);
    client.enable_security_hub().enable_default_standards(false).send().await.unwrap();
    let standards = client.describe_standards().send().await.unwrap();
    let arns: Vec<&str> =
        standards.standards().iter().filter_map(|standard| standard.standards_arn()).collect();
    let fsbp = arns.iter().find(|arn| arn.contains("aws-foundational-security")).unwrap();
    let request = StandardsSubscriptionRequest::builder().standards_arn(*fsbp).build();
    client.batch_enable_standards().standards_subscription_requests(request).send().await.unwrap();
    let enabled = client.get_enabled_standards().send().await.unwrap();
    let [subscription] = enabled.standards_subscriptions() else { panic!("{enabled:?}") };
    assert_eq!(subscription.standards_arn(), Some(*fsbp));
}
