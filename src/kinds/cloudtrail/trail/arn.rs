//! The ARN of a trail: it holds all that tells trails apart.

use crate::names::Arn;

/// The ARN of a trail, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrailArn<'a> {
    /// All of it.
    pub text: &'a str,
    /// `aws`, `aws-cn` …
    pub partition: &'a str,
    /// Its home Region.
    pub region: &'a str,
    /// Its account; for an organization's, the management account.
    pub account: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl<'a> TrailArn<'a> {
    /// Takes `arn:PARTITION:cloudtrail:REGION:ACCOUNT:trail/NAME` apart; `None` for anything else.
    pub fn parse(text: &'a str) -> Option<Self> {
        let Arn { partition, service, region, account, resource } = Arn::parse(text)?;
        let name = resource.strip_prefix("trail/")?;
        let whole = [partition, region, account, name].iter().all(|part| !part.is_empty());
        (service == "cloudtrail" && whole).then_some(Self {
            text,
            partition,
            region,
            account,
            name,
        })
    }

    /// The ARN of a topic that the trail may call by its name alone: it is in the same account and
    /// Region.
    pub fn topic(&self, name: &str) -> String {
        topic(self.partition, self.region, self.account, name)
    }
}

/// The ARN of a topic that is given by its ARN, or by its name in an account and Region.
pub fn topic(partition: &str, region: &str, account: &str, topic: &str) -> String {
    match topic.starts_with("arn:") || topic.is_empty() {
        true => topic.to_owned(),
        false => format!("arn:{partition}:sns:{region}:{account}:{topic}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_apart() {
        let text = "arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/audit";
        let arn = TrailArn::parse(text);
        assert_eq!(
            arn.map(|arn| (arn.partition, arn.region, arn.account, arn.name)),
            Some(("aws-cn", "cn-north-1", "111122223333", "audit"))
        );
        for wrong in [
            "",
            "audit",
            "arn:aws:sns:eu-west-1:111122223333:trail/audit",
            "arn:aws:cloudtrail:::trail/a",
        ] {
            assert_eq!(TrailArn::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_bare_name_is_a_topic_of_the_trail_itself() {
        let text = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit";
        let topic = |name: &str| TrailArn::parse(text).map(|arn| arn.topic(name));
        let own = "arn:aws:sns:eu-west-1:111122223333:alerts";
        assert_eq!(topic("alerts").as_deref(), Some(own));
        assert_eq!(
            topic("arn:aws:sns:us-east-1:1:alerts").as_deref(),
            Some("arn:aws:sns:us-east-1:1:alerts")
        );
        assert_eq!(topic("").as_deref(), Some(""));
    }
}
