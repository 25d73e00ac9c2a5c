"""IAM: server certificates and identity providers."""

import datetime

from emulator.probe.material import SAML, certificate
from emulator.probe.trial import Trial


def server_certificates(t: Trial) -> None:
    t(
        "iam.UploadServerCertificate",
        ServerCertificateName="sc",
        CertificateBody=certificate()[0],
        PrivateKey=certificate()[1],
    )
    listed = t("iam.ListServerCertificates")
    t.check(
        "iam.UploadServerCertificate ListServerCertificates",
        "expiry read from the certificate",
        lambda: (
            abs(
                (
                    listed.ServerCertificateMetadataList[0]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
                ).days
                - 29
            )
            <= 2
        ),
    )
    t("iam.DeleteServerCertificate", ServerCertificateName="sc")
    listed = t("iam.ListServerCertificates")
    t.check("iam.DeleteServerCertificate", "gone", lambda: listed.ServerCertificateMetadataList == [])


def saml(t: Trial) -> None:
    made = t("iam.CreateSAMLProvider", Name="idp", SAMLMetadataDocument=SAML, Tags=[{"Key": "a", "Value": "b"}])
    sa = made["SAMLProviderArn"] if made.ok else f"arn:aws:iam::{t.acct}:saml-provider/idp"
    read = t("iam.GetSAMLProvider", SAMLProviderArn=sa)
    t.check(
        "iam.CreateSAMLProvider GetSAMLProvider",
        "metadata and tags",
        lambda: read.SAMLMetadataDocument == SAML and read.Tags[0]["Key"] == "a",
    )
    listed = t("iam.ListSAMLProviders")
    t.check(
        "iam.ListSAMLProviders",
        "listed with ValidUntil",
        lambda: listed.SAMLProviderList[0]["Arn"] == sa and "ValidUntil" in listed.SAMLProviderList[0],
    )
    t("iam.UpdateSAMLProvider", SAMLProviderArn=sa, AssertionEncryptionMode="Allowed")
    read = t("iam.GetSAMLProvider", SAMLProviderArn=sa)
    t.check(
        "iam.UpdateSAMLProvider",
        "partial: encryption mode kept, metadata kept",
        lambda: read.AssertionEncryptionMode == "Allowed" and read.SAMLMetadataDocument == SAML,
    )
    s2 = SAML.replace("sso.example.com", "sso2.example.com")
    t("iam.UpdateSAMLProvider", SAMLProviderArn=sa, SAMLMetadataDocument=s2)
    read = t("iam.GetSAMLProvider", SAMLProviderArn=sa)
    t.check("iam.UpdateSAMLProvider", "metadata changed", lambda: read.SAMLMetadataDocument == s2)
    t("iam.TagSAMLProvider", SAMLProviderArn=sa, Tags=[{"Key": "k", "Value": "v"}])
    read = t("iam.GetSAMLProvider", SAMLProviderArn=sa)
    t.check("iam.TagSAMLProvider", "kept", lambda: {"Key": "k", "Value": "v"} in read.Tags)
    t("iam.UntagSAMLProvider", SAMLProviderArn=sa, TagKeys=["k"])
    read = t("iam.GetSAMLProvider", SAMLProviderArn=sa)
    t.check(
        "iam.UntagSAMLProvider",
        "gone",
        lambda: "k" not in [made["Key"] for made in read.get("Tags", [])] and t.went("iam.UntagSAMLProvider"),
    )
    t("iam.DeleteSAMLProvider", SAMLProviderArn=sa)
    t("iam.GetSAMLProvider", SAMLProviderArn=sa, expect="NoSuchEntity")
    t.gone("iam.DeleteSAMLProvider", "iam.GetSAMLProvider")


def oidc(t: Trial) -> None:
    made = t(
        "iam.CreateOpenIDConnectProvider",
        Url="https://token.actions.githubusercontent.com",
        ClientIDList=["sts.amazonaws.com"],
        ThumbprintList=["a" * 40],
        Tags=[{"Key": "a", "Value": "b"}],
    )
    oa = (
        made["OpenIDConnectProviderArn"]
        if made.ok
        else f"arn:aws:iam::{t.acct}:oidc-provider/token.actions.githubusercontent.com"
    )
    read = t("iam.GetOpenIDConnectProvider", OpenIDConnectProviderArn=oa)
    t.check(
        "iam.CreateOpenIDConnectProvider GetOpenIDConnectProvider",
        "url without scheme, clients, thumbprints, tags",
        lambda: (
            (read.Url, read.ClientIDList, read.ThumbprintList, read.Tags)
            == ("token.actions.githubusercontent.com", ["sts.amazonaws.com"], ["a" * 40], [{"Key": "a", "Value": "b"}])
        ),
    )
    made = t("iam.CreateOpenIDConnectProvider", Url="https://x.example.com", ClientIDList=["c"])
    t.check("iam.CreateOpenIDConnectProvider", "no thumbprint given: AWS fills it in", lambda: made.ok)
    if made.ok:
        read = t("iam.GetOpenIDConnectProvider", OpenIDConnectProviderArn=made.OpenIDConnectProviderArn)
        t.check("iam.CreateOpenIDConnectProvider", "thumbprint filled in", lambda: len(read.ThumbprintList) >= 1)
    listed = t("iam.ListOpenIDConnectProviders")
    t.check(
        "iam.ListOpenIDConnectProviders",
        "listed",
        lambda: oa in [made["Arn"] for made in listed.OpenIDConnectProviderList],
    )
    t("iam.AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=oa, ClientID="c2")
    t("iam.AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=oa, ClientID="c2")
    read = t("iam.GetOpenIDConnectProvider", OpenIDConnectProviderArn=oa)
    t.check(
        "iam.AddClientIDToOpenIDConnectProvider",
        "added once, idempotent",
        lambda: sorted(read.ClientIDList) == ["c2", "sts.amazonaws.com"],
    )
    t("iam.RemoveClientIDFromOpenIDConnectProvider", OpenIDConnectProviderArn=oa, ClientID="c2")
    read = t("iam.GetOpenIDConnectProvider", OpenIDConnectProviderArn=oa)
    t.check("iam.RemoveClientIDFromOpenIDConnectProvider", "gone", lambda: read.ClientIDList == ["sts.amazonaws.com"])
    t("iam.UpdateOpenIDConnectProviderThumbprint", OpenIDConnectProviderArn=oa, ThumbprintList=["b" * 40])
    read = t("iam.GetOpenIDConnectProvider", OpenIDConnectProviderArn=oa)
    t.check("iam.UpdateOpenIDConnectProviderThumbprint", "replaced", lambda: read.ThumbprintList == ["b" * 40])
    t("iam.TagOpenIDConnectProvider", OpenIDConnectProviderArn=oa, Tags=[{"Key": "k", "Value": "v"}])
    read = t("iam.GetOpenIDConnectProvider", OpenIDConnectProviderArn=oa)
    t.check("iam.TagOpenIDConnectProvider", "kept", lambda: {"Key": "k", "Value": "v"} in read.Tags)
    t("iam.DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=oa)
    t("iam.GetOpenIDConnectProvider", OpenIDConnectProviderArn=oa, expect="NoSuchEntity")
    t.gone("iam.DeleteOpenIDConnectProvider", "iam.GetOpenIDConnectProvider")


SCENARIOS = [[server_certificates], [saml], [oidc]]
