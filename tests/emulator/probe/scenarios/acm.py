"""Certificate Manager."""

from emulator.probe.material import certificate
from emulator.probe.trial import Trial


def certificates(t: Trial) -> None:
    made = t("acm.ImportCertificate", Certificate=certificate()[0].encode(), PrivateKey=certificate()[1].encode())
    ca = made.get("CertificateArn") or f"arn:aws:acm:us-east-1:{t.acct}:certificate/12345678-1234-1234-1234-{t.acct}"
    got = t("acm.DescribeCertificate", CertificateArn=ca)
    t.check(
        "acm.ImportCertificate DescribeCertificate",
        "IMPORTED, NotAfter, key",
        lambda: (
            (got.Certificate["Type"], got.Certificate["KeyAlgorithm"]) == ("IMPORTED", "RSA_2048")
            and got.Certificate["NotAfter"]
        ),
    )
    got = t("acm.ListCertificates", Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]})
    t.check(
        "acm.ListCertificates",
        "summary with NotAfter, InUse, Status, Type, RenewalEligibility, KeyAlgorithm",
        lambda: all(
            (
                k in [item for item in got.CertificateSummaryList if item["CertificateArn"] == ca][0]
                for k in ("NotAfter", "InUse", "Status", "Type", "RenewalEligibility", "KeyAlgorithm")
            )
        ),
    )
    made = t("acm.RequestCertificate", DomainName="a.example.com", ValidationMethod="DNS")
    got = t("acm.DescribeCertificate", CertificateArn=made.get("CertificateArn") or ca)
    t.check(
        "acm.RequestCertificate",
        "DNS validation",
        lambda: got.Certificate["DomainValidationOptions"][0]["ValidationMethod"] == "DNS",
    )
    got = t("acm.GetAccountConfiguration")
    t.check("acm.GetAccountConfiguration", "45 days at first", lambda: got.ExpiryEvents["DaysBeforeExpiry"] == 45)
    t("acm.PutAccountConfiguration", ExpiryEvents={"DaysBeforeExpiry": 30}, IdempotencyToken="t")
    got = t("acm.GetAccountConfiguration")
    t.check("acm.PutAccountConfiguration", "30", lambda: got.ExpiryEvents["DaysBeforeExpiry"] == 30)
    t("acm.DeleteCertificate", CertificateArn=ca)
    t("acm.DescribeCertificate", CertificateArn=ca, expect="ResourceNotFoundException")
    t.gone("acm.DeleteCertificate", "acm.DescribeCertificate")


SCENARIOS = [[certificates]]
