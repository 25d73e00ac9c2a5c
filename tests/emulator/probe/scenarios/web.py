"""Load balancers, API Gateway, WAF, CloudFront, Shield."""

import json
from contextlib import suppress

from emulator.probe.material import certificate
from emulator.probe.trial import Trial


def load_balancers(t: Trial) -> None:
    made = t("elbv2.CreateLoadBalancer", Name="alb", Subnets=t.subnets(), Scheme="internet-facing")
    t.made_la = (made.get("LoadBalancers") or [{}])[0].get(
        "LoadBalancerArn", f"arn:aws:elasticloadbalancing:us-east-1:{t.acct}:loadbalancer/app/alb/{t.acct}3456"
    )
    got = t("elbv2.DescribeLoadBalancers")
    t.check(
        "elbv2.CreateLoadBalancer DescribeLoadBalancers",
        "scheme",
        lambda: (
            [one["Scheme"] for one in got.LoadBalancers if one["LoadBalancerArn"] == t.made_la] == ["internet-facing"]
        ),
    )
    made = t(
        "elbv2.CreateListener",
        LoadBalancerArn=t.made_la,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[
            {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
        ],
    )
    li = (made.get("Listeners") or [{}])[0].get("ListenerArn", t.made_la.replace("loadbalancer", "listener") + "/1")
    got = t("elbv2.DescribeListeners", LoadBalancerArn=t.made_la)
    t.check(
        "elbv2.CreateListener DescribeListeners",
        "redirect kept",
        lambda: got.Listeners[0]["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS",
    )
    crt = None
    try:
        crt = t.client("acm").import_certificate(
            Certificate=certificate()[0].encode(), PrivateKey=certificate()[1].encode()
        )["CertificateArn"]
    except Exception:
        crt = f"arn:aws:acm:us-east-1:{t.acct}:certificate/x"
    made = t(
        "elbv2.CreateListener",
        LoadBalancerArn=t.made_la,
        Protocol="HTTPS",
        Port=443,
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        Certificates=[{"CertificateArn": crt}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    )
    got = t("elbv2.DescribeListeners", LoadBalancerArn=t.made_la)
    t.check(
        "elbv2.CreateListener",
        "SslPolicy kept",
        lambda: (
            [one.get("SslPolicy") for one in got.Listeners if one["Port"] == 443]
            == ["ELBSecurityPolicy-TLS13-1-2-2021-06"]
        ),
    )
    t("elbv2.ModifyListener", ListenerArn=li, Port=8080)
    got = t("elbv2.DescribeListeners", LoadBalancerArn=t.made_la)
    t.check("elbv2.ModifyListener", "port changed", lambda: 8080 in [one["Port"] for one in got.Listeners])
    made = t(
        "elb.CreateLoadBalancer",
        LoadBalancerName="clb",
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
        AvailabilityZones=["us-east-1a"],
    )
    got = t("elb.DescribeLoadBalancers")
    t.check(
        "elb.CreateLoadBalancer DescribeLoadBalancers",
        "listener",
        lambda: got.LoadBalancerDescriptions[0]["ListenerDescriptions"][0]["Listener"]["Protocol"] == "HTTP",
    )


def rest_apis(t: Trial) -> None:
    made = t("apigateway.CreateRestApi", name="api")
    t.aid = made.get("id") or "abc"
    got = t("apigateway.GetRestApis")
    t.check("apigateway.CreateRestApi GetRestApis", "listed", lambda: [one["name"] for one in got["items"]] == ["api"])
    got = t("apigateway.GetStages", restApiId=t.aid)
    t.check("apigateway.GetStages", "empty at first", lambda: got["item"] == [])
    rest = t.client("apigateway")
    root = rest.get_resources(restApiId=t.aid)["items"][0]["id"]
    rest.put_method(restApiId=t.aid, resourceId=root, httpMethod="GET", authorizationType="NONE")
    rest.put_integration(restApiId=t.aid, resourceId=root, httpMethod="GET", type="MOCK")
    deployment = rest.create_deployment(restApiId=t.aid)["id"]
    rest.create_stage(restApiId=t.aid, stageName="prod", deploymentId=deployment)
    got = t("apigateway.GetStages", restApiId=t.aid)
    t.check(
        "apigateway.GetStages",
        "listed",
        lambda: [(one["stageName"], one["deploymentId"]) for one in got["item"]] == [("prod", deployment)],
    )


def web_acls(t: Trial) -> None:
    got = t("wafv2.ListWebACLs", Scope="REGIONAL")
    t.check("wafv2.ListWebACLs", "empty at first", lambda: got.WebACLs == [])
    t(
        "wafv2.GetWebACL",
        Name="none",
        Scope="REGIONAL",
        Id=f"12345678-1234-1234-1234-{t.acct}",
        expect="WAFNonexistentItemException",
    )
    vis = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
    rules = [
        {
            "Name": "common",
            "Priority": 0,
            "Statement": {
                "ManagedRuleGroupStatement": {
                    "VendorName": "AWS",
                    "Name": "AWSManagedRulesCommonRuleSet",
                    "RuleActionOverrides": [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}],
                }
            },
            "OverrideAction": {"None": {}},
            "VisibilityConfig": vis,
        },
        {
            "Name": "rate",
            "Priority": 1,
            "Statement": {"RateBasedStatement": {"Limit": 2000, "EvaluationWindowSec": 300, "AggregateKeyType": "IP"}},
            "Action": {"Block": {}},
            "VisibilityConfig": vis,
        },
    ]
    made = t(
        "wafv2.CreateWebACL",
        Name="base",
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        Description="at the edge",
        Rules=rules,
        VisibilityConfig=vis,
        Tags=[{"Key": "a", "Value": "b"}],
    )
    wid = (made.get("Summary") or {}).get("Id", f"12345678-1234-1234-1234-{t.acct}")
    wa = (made.get("Summary") or {}).get("ARN", f"arn:aws:wafv2:us-east-1:{t.acct}:regional/webacl/base/{wid}")
    got = t("wafv2.GetWebACL", Name="base", Scope="REGIONAL", Id=wid)
    t.check(
        "wafv2.CreateWebACL GetWebACL",
        "rules and description",
        lambda: got.WebACL["Rules"] == rules and got.WebACL["Description"] == "at the edge",
    )
    t.check("wafv2.GetWebACL", "LockToken", lambda: got.LockToken)
    t.check("wafv2.GetWebACL", "Capacity computed", lambda: got.WebACL["Capacity"] > 0)
    t.check(
        "wafv2.GetWebACL", "ManagedByFirewallManager present", lambda: got.WebACL["ManagedByFirewallManager"] is False
    )
    y2 = t("wafv2.GetWebACL", ARN=wa)
    t.check("wafv2.GetWebACL", "by ARN", lambda: y2.WebACL["Name"] == "base")
    one = t("wafv2.ListWebACLs", Scope="REGIONAL")
    t.check("wafv2.ListWebACLs CreateWebACL", "listed", lambda: [item["Name"] for item in one.WebACLs] == ["base"])
    one = t("wafv2.ListWebACLs", Scope="CLOUDFRONT")
    t.check("wafv2.ListWebACLs", "scopes apart", lambda: one.WebACLs == [])
    lt = got.get("LockToken") or "x"
    t(
        "wafv2.UpdateWebACL",
        Name="base",
        Scope="REGIONAL",
        Id=wid,
        DefaultAction={"Block": {}},
        Rules=rules[:1],
        VisibilityConfig=vis,
        LockToken="00000000-0000-0000-0000-000000000000",
        expect="WAFOptimisticLockException",
    )
    got = t("wafv2.GetWebACL", Name="base", Scope="REGIONAL", Id=wid)
    made = t(
        "wafv2.UpdateWebACL",
        Name="base",
        Scope="REGIONAL",
        Id=wid,
        DefaultAction={"Block": {}},
        Rules=rules[:1],
        VisibilityConfig=vis,
        LockToken=got.get("LockToken") or lt,
    )
    got = t("wafv2.GetWebACL", Name="base", Scope="REGIONAL", Id=wid)
    t.check(
        "wafv2.UpdateWebACL",
        "replaced: action, one rule, description gone",
        lambda: (
            (got.WebACL["DefaultAction"], len(got.WebACL["Rules"]), "Description" in got.WebACL)
            == ({"Block": {}}, 1, False)
        ),
    )
    t("wafv2.GetLoggingConfiguration", ResourceArn=wa, expect="WAFNonexistentItemException")
    t(
        "wafv2.PutLoggingConfiguration",
        LoggingConfiguration={
            "ResourceArn": wa,
            "LogDestinationConfigs": [f"arn:aws:logs:us-east-1:{t.acct}:log-group:aws-waf-logs-x"],
            "RedactedFields": [{"SingleHeader": {"Name": "authorization"}}],
            "LoggingFilter": {
                "DefaultBehavior": "KEEP",
                "Filters": [
                    {
                        "Behavior": "DROP",
                        "Requirement": "MEETS_ANY",
                        "Conditions": [{"ActionCondition": {"Action": "ALLOW"}}],
                    }
                ],
            },
        },
    )
    got = t("wafv2.GetLoggingConfiguration", ResourceArn=wa)
    t.check(
        "wafv2.PutLoggingConfiguration GetLoggingConfiguration",
        "destination, redaction, filter",
        lambda: (
            (
                got.LoggingConfiguration["LogDestinationConfigs"][0][-14:],
                got.LoggingConfiguration["RedactedFields"][0]["SingleHeader"]["Name"],
                got.LoggingConfiguration["LoggingFilter"]["DefaultBehavior"],
            )
            == ("aws-waf-logs-x", "authorization", "KEEP")
        ),
    )
    t("wafv2.DeleteLoggingConfiguration", ResourceArn=wa)
    t("wafv2.GetLoggingConfiguration", ResourceArn=wa, expect="WAFNonexistentItemException")
    t.gone("wafv2.DeleteLoggingConfiguration", "wafv2.GetLoggingConfiguration")
    t("wafv2.AssociateWebACL", WebACLArn=wa, ResourceArn=t.made_la)
    got = t("wafv2.GetWebACLForResource", ResourceArn=t.made_la)
    t.check("wafv2.AssociateWebACL GetWebACLForResource", "back", lambda: got.WebACL["ARN"] == wa)
    got = t("wafv2.ListResourcesForWebACL", WebACLArn=wa, ResourceType="APPLICATION_LOAD_BALANCER")
    t.check("wafv2.ListResourcesForWebACL", "load balancer", lambda: got.ResourceArns == [t.made_la])
    got = t("wafv2.ListResourcesForWebACL", WebACLArn=wa, ResourceType="API_GATEWAY")
    t.check("wafv2.ListResourcesForWebACL", "by type", lambda: got.ResourceArns == [])
    with suppress(Exception):
        cw = t.client("wafv2")
        z2 = cw.create_web_acl(Name="assoc", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=vis)[
            "Summary"
        ]
        rr = f"arn:aws:apigateway:us-east-1::/restapis/{t.aid}/stages/s"
        cw.associate_web_acl(WebACLArn=z2["ARN"], ResourceArn=rr)
        t(
            "wafv2.DeleteWebACL",
            Name="assoc",
            Scope="REGIONAL",
            Id=z2["Id"],
            LockToken=z2["LockToken"],
            expect="WAFAssociatedItemException",
        )
        cw.disassociate_web_acl(ResourceArn=rr)
        cw.delete_web_acl(Name="assoc", Scope="REGIONAL", Id=z2["Id"], LockToken=z2["LockToken"])
    t("wafv2.DisassociateWebACL", ResourceArn=t.made_la)
    got = t("wafv2.GetWebACLForResource", ResourceArn=t.made_la)
    t.check("wafv2.DisassociateWebACL", "gone", lambda: got.ok and (not got.get("WebACL")))
    got = t("wafv2.ListTagsForResource", ResourceARN=wa)
    t.check(
        "wafv2.ListTagsForResource",
        "tags at create",
        lambda: got.TagInfoForResource["TagList"] == [{"Key": "a", "Value": "b"}],
    )
    t("wafv2.TagResource", ResourceARN=wa, Tags=[{"Key": "k", "Value": "v"}])
    got = t("wafv2.ListTagsForResource", ResourceARN=wa)
    t.check("wafv2.TagResource", "kept", lambda: {"Key": "k", "Value": "v"} in got.TagInfoForResource["TagList"])
    t("wafv2.UntagResource", ResourceARN=wa, TagKeys=["k"])
    got = t("wafv2.ListTagsForResource", ResourceARN=wa)
    t.check(
        "wafv2.UntagResource", "gone", lambda: "k" not in [item["Key"] for item in got.TagInfoForResource["TagList"]]
    )
    got = t("wafv2.DescribeManagedRuleGroup", VendorName="AWS", Name="AWSManagedRulesCommonRuleSet", Scope="REGIONAL")
    t.check("wafv2.DescribeManagedRuleGroup", "capacity 700", lambda: got.Capacity == 700)
    got = t("wafv2.GetWebACL", Name="base", Scope="REGIONAL", Id=wid)
    t("wafv2.DeleteWebACL", Name="base", Scope="REGIONAL", Id=wid, LockToken=got.get("LockToken") or lt)
    one = t("wafv2.ListWebACLs", Scope="REGIONAL")
    t.check("wafv2.DeleteWebACL", "gone", lambda: one.WebACLs == [])


def distributions(t: Trial) -> None:
    own, key = certificate()
    trusted = t.client("acm").import_certificate(Certificate=own.encode(), PrivateKey=key.encode())["CertificateArn"]
    made = t(
        "cloudfront.CreateDistribution",
        DistributionConfig={
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "o",
                        "DomainName": "example.com",
                        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "o",
                "ViewerProtocolPolicy": "redirect-to-https",
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
                "MinTTL": 0,
            },
            "ViewerCertificate": {
                "ACMCertificateArn": trusted,
                "SSLSupportMethod": "sni-only",
                "MinimumProtocolVersion": "TLSv1.2_2021",
            },
        },
    )
    did = (made.get("Distribution") or {}).get("Id", "E1")
    got = t("cloudfront.ListDistributions")
    t.check(
        "cloudfront.CreateDistribution ListDistributions",
        "viewer policy, TLS version, origin protocol",
        lambda: (
            (
                lambda d: (
                    d["DefaultCacheBehavior"]["ViewerProtocolPolicy"],
                    d["ViewerCertificate"]["MinimumProtocolVersion"],
                    d["Origins"]["Items"][0]["CustomOriginConfig"]["OriginProtocolPolicy"],
                )
            )(got.DistributionList["Items"][0])
            == ("redirect-to-https", "TLSv1.2_2021", "https-only")
        ),
    )
    got = t("cloudfront.GetDistributionConfig", Id=did)
    t.check(
        "cloudfront.GetDistributionConfig",
        "ETag and config",
        lambda: got.ETag and got.DistributionConfig["Origins"]["Items"][0]["Id"] == "o",
    )
    seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    acl = t.client("wafv2").create_web_acl(
        Name="cf", Scope="CLOUDFRONT", DefaultAction={"Allow": {}}, VisibilityConfig=seen
    )
    arn = acl["Summary"]["ARN"]
    if got.ok:
        cfg = dict(got.DistributionConfig, WebACLId=arn)
        made = t("cloudfront.UpdateDistribution", Id=did, IfMatch=got.get("ETag") or "x", DistributionConfig=cfg)
        got = t("cloudfront.GetDistributionConfig", Id=did)
        t.check("cloudfront.UpdateDistribution", "WebACLId kept", lambda: got.DistributionConfig["WebACLId"] == arn)
    else:
        t(
            "cloudfront.UpdateDistribution",
            Id=did,
            IfMatch="x",
            DistributionConfig={
                "CallerReference": "1",
                "Comment": "",
                "Enabled": True,
                "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "example.com"}]},
                "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "redirect-to-https"},
            },
        )
    got = t("cloudfront.ListDistributionsByWebACLId", WebACLId=arn)
    t.check(
        "cloudfront.ListDistributionsByWebACLId",
        "listed",
        lambda: [item["Id"] for item in got.DistributionList["Items"]] == [did],
    )


def shield(t: Trial) -> None:
    got = t("shield.GetSubscriptionState")
    t.check("shield.GetSubscriptionState", "INACTIVE at first", lambda: got.SubscriptionState == "INACTIVE")
    t("shield.DescribeSubscription", expect="ResourceNotFoundException")
    t("shield.CreateSubscription")
    got = t("shield.GetSubscriptionState")
    t.check("shield.GetSubscriptionState", "ACTIVE", lambda: got.SubscriptionState == "ACTIVE")
    got = t("shield.DescribeSubscription")
    t.check(
        "shield.CreateSubscription DescribeSubscription",
        "AutoRenew, ProactiveEngagementStatus",
        lambda: got.Subscription["AutoRenew"] == "ENABLED" and "ProactiveEngagementStatus" in got.Subscription,
    )
    t("shield.UpdateSubscription", AutoRenew="DISABLED")
    got = t("shield.DescribeSubscription")
    t.check("shield.UpdateSubscription", "changed", lambda: got.Subscription["AutoRenew"] == "DISABLED")
    made = t("shield.CreateProtection", Name="p", ResourceArn=t.made_la)
    got = t("shield.ListProtections")
    t.check(
        "shield.CreateProtection ListProtections",
        "listed",
        lambda: [item["ResourceArn"] for item in got.Protections] == [t.made_la],
    )
    t("shield.DeleteProtection", ProtectionId=made.get("ProtectionId") or "1" * 36)
    got = t("shield.ListProtections")
    t.check("shield.DeleteProtection", "gone", lambda: got.Protections == [])
    shield = t.client("shield")
    contacts = [{"EmailAddress": "a@example.com", "PhoneNumber": "+15550100"}]
    shield.update_emergency_contact_settings(EmergencyContactList=contacts)
    got = t("shield.DescribeEmergencyContactSettings")
    t.check("shield.DescribeEmergencyContactSettings", "back", lambda: got.EmergencyContactList == contacts)
    trust = {"Effect": "Allow", "Principal": {"Service": "drt.shield.amazonaws.com"}, "Action": "sts:AssumeRole"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = t.client("iam").create_role(RoleName="drt", AssumeRolePolicyDocument=text)["Role"]["Arn"]
    shield.associate_drt_role(RoleArn=role)
    got = t("shield.DescribeDRTAccess")
    t.check("shield.DescribeDRTAccess", "the role", lambda: got.RoleArn == role)


SCENARIOS = [[load_balancers, rest_apis, web_acls, distributions, shield]]
