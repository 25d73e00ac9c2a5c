//! A write that leaves an account weaker than it was says so, in every form of the plan.

use crate::support;

const HEADER: &str =
    "schema = 1\n\n[baseline]\nname = \"test\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\n";

#[test]
fn a_bucket_and_a_role_that_are_weaker_than_they_were_say_so() {
    let account = support::emulator().account();
    let declared = |strict: bool| {
        let bucket = match strict {
            true => {
                "sse_algorithm = \"aws:kms\"\nblocked_encryption_types = [\"SSE-C\"]\n\
                 object_ownership = \"BucketOwnerEnforced\"\nlifecycle = []\n"
            }
            false => {
                "sse_algorithm = \"AES256\"\nblocked_encryption_types = [\"NONE\"]\n\
                 object_ownership = \"ObjectWriter\"\n\
                 lifecycle = [{ id = \"cold\", transitions = [{ days = 1, storage_class = \"DEEP_ARCHIVE\" }] }]\n"
            }
        };
        let (trust, days) = match strict {
            true => ("external_id = \"x1\"\nrequire_mfa = true\n", 1827),
            false => ("", 0),
        };
        format!(
            "{HEADER}[s3.bucket.data]\nbucket = \"data-${{account.id}}\"\n{bucket}\
             [iam.role.audit]\ntrusted_account_ids = [\"${{account.id}}\"]\n{trust}\
             [logs.log_group.audit]\nretention_in_days = {days}\nretention_mode = \"exact\"\n"
        )
    };
    account.write("b.toml", &declared(true));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.write("b.toml", &declared(false));
    let run = account.run(&["plan", "-b", "b.toml"]).code(0);
    for words in [
        "weaker than before: sse_algorithm goes from aws:kms to AES256",
        "weaker than before: blocked_encryption_types goes from SSE-C to NONE",
        "weaker than before: object_ownership goes from BucketOwnerEnforced to ObjectWriter",
        "gives rights (public): what ACLs of the bucket",
        "moved to DEEP_ARCHIVE cannot be read until they are restored",
        "no longer needs sts:ExternalId x1",
        "no longer needs aws:MultiFactorAuthPresent true",
        "events are kept, and paid for, for ever",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
}

#[test]
fn what_is_weaker_than_it_was_is_said_in_every_form() {
    let account = support::emulator().account();
    let declared = |strict: bool| {
        let (flag, length, age, days) =
            if strict { (true, 20, 30, 365) } else { (false, 10, 90, 30) };
        let period = if strict { 100 } else { 2000 };
        format!(
            "[iam.password_policy]\nminimum_password_length = {length}\nrequire_symbols = {flag}\nmax_password_age = {age}\n\
             [ec2.ebs_encryption]\nenabled = {flag}\n\
             [logs.log_group.audit]\nretention_in_days = {days}\nretention_mode = \"exact\"\n\
             [kms.key.audit]\nenable_key_rotation = true\nrotation_period_in_days = {period}\n\
             [kms.key.other]\nenable_key_rotation = {flag}\n\
             [s3.bucket.trails]\nbucket = \"trails-${{account.id}}\"\nservices = [\"cloudtrail\"]\nversioning = \"{}\"\n\
             [cloudtrail.trail.audit]\ns3_bucket_name = \"trails-${{account.id}}\"\nis_multi_region_trail = {flag}\n\
             enable_log_file_validation = {flag}\nis_logging = true\n",
            if strict { "Enabled" } else { "Suspended" }
        )
    };
    account.write("b.toml", &format!("{HEADER}{}", declared(true)));
    let first = account.run(&["plan", "-b", "b.toml"]).code(0);
    assert!(!first.stdout.contains("weaker than before"), "{}", first.stdout);
    account.run(&["apply", "-b", "b.toml", "--yes", "--max-changes-per-account", "99"]).code(0);
    account.write("b.toml", &format!("{HEADER}{}", declared(false)));
    let weaker = [
        "minimum_password_length goes from 20 to 10",
        "require_symbols goes from true to false",
        "max_password_age goes from 30 to 90",
        "enabled goes from true to false",
        "retention_in_days goes from 365 to 30",
        "rotation_period_in_days goes from 100 to 2000",
        "enable_key_rotation goes from true to false",
        "versioning goes from Enabled to Suspended",
        "is_multi_region_trail goes from true to false",
        "enable_log_file_validation goes from true to false",
    ];
    for format in ["text", "json", "markdown", "html", "junit", "sarif"] {
        let run = account.run(&["plan", "-b", "b.toml", "--format", format]).code(0);
        for words in weaker {
            assert!(
                run.stdout.contains(&format!("weaker than before: {words}")),
                "{format}: {words}: {}",
                run.stdout
            );
        }
    }
    // Events are not deleted at the limits by default.
    account.run(&["apply", "-b", "b.toml", "--yes", "--max-changes-per-account", "99"]).code(2);
    account.write("b.toml", &format!("{HEADER}{}", declared(true)));
    let back = account.run(&["plan", "-b", "b.toml"]).code(0);
    assert!(!back.stdout.contains("weaker than before"), "{}", back.stdout);
}
