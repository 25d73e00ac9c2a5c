//! The `AWS_…` variables of the environment and those that name proxies, looked at before the SDK does: some
//! odd values stop it with a panic, others it waits for, and others, such as `AWS_USE_FIPS_ENDPOINT=yes`, it
//! passes over in silence.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Settings reference".

use std::ffi::{OsStr, OsString};
use std::path::Path;

use aws_smithy_http_client::tls::TlsContext;
use hyper_util::client::proxy::matcher::Matcher;

use super::trust;

/// A variable with a value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {name} {problem}")]
pub struct BadVariable {
    /// Its name.
    pub name: String,
    /// What is wrong with its value; the value itself could be secret.
    pub problem: String,
}

impl BadVariable {
    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        format!("correct {0}, or unset it: `unset {0}`", self.name)
    }
}

/// What evenkeel itself takes from the environment.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// Attempts for each call, the first included.
    pub max_attempts: Option<u32>,
    /// The certificates that are trusted in place of the machine's.
    pub ca_bundle: Option<TlsContext>,
}

/// Checks the variables that the SDK will read.
///
/// # Errors
/// The first one that cannot be used.
pub fn check(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Variables, BadVariable> {
    let mut found = Variables::default();
    let (mut is_cgi, mut proxies) = (false, false);
    for (name, value) in variables {
        is_cgi |= name == CGI;
        proxies |= is_proxy(&name, &value)?;
        let Some(name) = name.to_str().filter(|name| name.starts_with("AWS_")) else { continue };
        let bad =
            |problem: &str| BadVariable { name: name.to_owned(), problem: problem.to_owned() };
        let Some(value) = value.to_str() else { return Err(bad("is not text")) };
        // Such as the line end of a file that the value was read from.
        if value.contains(char::is_control) {
            return Err(bad("holds a line end or another control character"));
        }
        if name == "AWS_MAX_ATTEMPTS" {
            let attempts = value.parse().ok().filter(|attempts| *attempts > 0);
            let problem = "must be a whole number, 1 or more";
            found.max_attempts = Some(attempts.ok_or_else(|| bad(problem))?);
        } else if name == "AWS_CA_BUNDLE" {
            // What is set and empty is not set, as to AWS's own tools.
            let bundle = (!value.is_empty()).then(|| trust::bundle(Path::new(value))).transpose();
            found.ca_bundle = bundle.map_err(|problem| bad(&problem))?;
        } else if let Some(problem) = problem(name, value) {
            return Err(bad(problem));
        }
    }
    if is_cgi && proxies {
        return Err(BadVariable {
            name: CGI.to_owned(),
            problem: "says that this is a CGI program, in which the proxies of the environment are not used"
                .to_owned(),
        });
    }
    Ok(found)
}

/// Set for programs that a web server starts: whoever makes a request of it could name a proxy.
const CGI: &str = "REQUEST_METHOD";

/// Whether a variable names a proxy.
///
/// # Errors
/// It is to name one, and nobody can read which: the requests would go the direct way.
fn is_proxy(name: &OsStr, value: &OsStr) -> Result<bool, BadVariable> {
    const PROXIES: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];
    let Some(name) = name.to_str() else { return Ok(false) };
    let is_one = PROXIES.iter().any(|one| name == *one || name == one.to_ascii_lowercase());
    if value.is_empty() || !is_one {
        return Ok(false);
    }
    let proxy = |value: &str| {
        let aws = "https://sts.amazonaws.com".parse().ok()?;
        Matcher::builder().all(value.to_owned()).build().intercept(&aws)
    };
    match value.to_str().and_then(proxy) {
        Some(_) => Ok(true),
        None => Err(BadVariable {
            name: name.to_owned(),
            problem:
                "names no proxy that can be used: it must be http://HOST:PORT or https://HOST:PORT"
                    .to_owned(),
        }),
    }
}

/// What is wrong with the value of a variable, if anything is.
fn problem(name: &str, value: &str) -> Option<&'static str> {
    let lower = value.to_ascii_lowercase();
    let one_of = |words: &[&str]| words.contains(&value);
    let any_case = |words: &[&str]| words.contains(&lower.as_str());
    let (fits, problem) = match name {
        "AWS_RETRY_MODE" => {
            (one_of(&["standard", "legacy", "adaptive"]), "must be standard, legacy or adaptive")
        }
        "AWS_USE_FIPS_ENDPOINT"
        | "AWS_USE_DUALSTACK_ENDPOINT"
        | "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
        | "AWS_EC2_METADATA_DISABLED"
        | "AWS_EC2_METADATA_V1_DISABLED"
        | "AWS_ENABLE_ENDPOINT_DISCOVERY"
        | "AWS_S3_USE_ARN_REGION"
        | "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS" => {
            (any_case(&["true", "false"]), "must be true or false")
        }
        "AWS_STS_REGIONAL_ENDPOINTS" => {
            (one_of(&["legacy", "regional"]), "must be legacy or regional")
        }
        "AWS_DEFAULTS_MODE" => (
            one_of(&["standard", "in-region", "cross-region", "mobile", "auto", "legacy"]),
            "must be standard, in-region, cross-region, mobile, auto or legacy",
        ),
        "AWS_REQUEST_CHECKSUM_CALCULATION" | "AWS_RESPONSE_CHECKSUM_VALIDATION" => (
            any_case(&["when_supported", "when_required"]),
            "must be when_supported or when_required",
        ),
        "AWS_ACCOUNT_ID_ENDPOINT_MODE" => (
            any_case(&["preferred", "disabled", "required"]),
            "must be preferred, disabled or required",
        ),
        // It would be read without end, or waited for.
        "AWS_CONFIG_FILE"
        | "AWS_SHARED_CREDENTIALS_FILE"
        | "AWS_WEB_IDENTITY_TOKEN_FILE"
        | "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" => {
            (!is_stream(Path::new(value)), "names a device or a pipe, and must name a file")
        }
        "AWS_REGION" | "AWS_DEFAULT_REGION" => {
            (is_region(value), "must be a Region code, such as eu-west-1")
        }
        "AWS_PROFILE" | "AWS_DEFAULT_PROFILE" => (!value.is_empty(), "is set and empty"),
        _ if name.starts_with("AWS_ENDPOINT_URL") => (
            is_endpoint(value),
            if value.is_empty() {
                "is set and empty"
            } else {
                "must be a URL that begins with https:// or http://"
            },
        ),
        _ => return None,
    };
    (!fits).then_some(problem)
}

/// `/dev/null` is an empty file to everybody.
#[cfg(unix)]
fn is_stream(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let is_one = |kind: std::fs::FileType| {
        kind.is_char_device() || kind.is_block_device() || kind.is_fifo() || kind.is_socket()
    };
    path != Path::new("/dev/null")
        && std::fs::metadata(path).is_ok_and(|metadata| is_one(metadata.file_type()))
}

#[cfg(not(unix))]
fn is_stream(_path: &Path) -> bool {
    false
}

/// Letters, digits and hyphens, as in the host names of endpoints.
fn is_region(value: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    value.contains('-') && value.bytes().all(fits)
}

fn is_endpoint(value: &str) -> bool {
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':', '?', '#']))
        && value.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn one(name: &str, value: &str) -> Result<Variables, BadVariable> {
        check([(OsString::from(name), OsString::from(value))].into_iter())
    }

    #[test]
    fn odd_values_are_named_and_good_ones_are_taken() {
        for (name, bad, good) in [
            ("AWS_MAX_ATTEMPTS", vec!["", "x", "0", "-1", "1.5", "99999999999"], vec!["1", "20"]),
            ("AWS_RETRY_MODE", vec!["", "fast"], vec!["standard", "adaptive"]),
            ("AWS_USE_FIPS_ENDPOINT", vec!["", "yes", "1"], vec!["true", "False"]),
            (
                "AWS_REGION",
                vec!["", "x@host/", "eu-west-1/../x", "EU-WEST-1"],
                vec!["eu-west-1", "us-gov-west-1"],
            ),
            ("AWS_PROFILE", vec![""], vec!["dev"]),
            ("AWS_STS_REGIONAL_ENDPOINTS", vec!["", "x"], vec!["legacy", "regional"]),
            ("AWS_DEFAULTS_MODE", vec!["", "x"], vec!["in-region", "auto"]),
            ("AWS_REQUEST_CHECKSUM_CALCULATION", vec!["", "zz"], vec!["when_required"]),
            ("AWS_RESPONSE_CHECKSUM_VALIDATION", vec!["zz"], vec!["WHEN_SUPPORTED"]),
            ("AWS_ACCOUNT_ID_ENDPOINT_MODE", vec!["x"], vec!["preferred"]),
            (
                "AWS_CA_BUNDLE",
                vec!["/nope", "/", "Cargo.toml", "/dev/zero"],
                vec!["", "tests/data/authority.pem"],
            ),
            ("AWS_CONFIG_FILE", vec!["/dev/zero"], vec!["", "/dev/null", "/nope", "Cargo.toml"]),
            ("AWS_SHARED_CREDENTIALS_FILE", vec!["/dev/zero"], vec!["/dev/null"]),
            (
                "AWS_ENDPOINT_URL",
                vec!["", "x", "localhost:80", "http://", "ftp://x", "https:///x"],
                vec!["http://127.0.0.1:80", "https://x.example/"],
            ),
            ("AWS_ENDPOINT_URL_S3", vec![""], vec!["https://s3.example"]),
        ] {
            for value in bad {
                let wrong = one(name, value).unwrap_err();
                assert_eq!(wrong.name, name, "{value:?}");
                assert!(value.is_empty() || !wrong.to_string().contains(&format!(" {value} ")));
            }
            for value in good {
                assert!(one(name, value).is_ok(), "{name}={value}");
            }
        }
        assert_eq!(one("AWS_MAX_ATTEMPTS", "7").unwrap().max_attempts, Some(7));
        assert!(one("PATH", "").is_ok());
        assert!(one("AWS_SESSION_TOKEN", "").is_ok(), "the SDK takes it for not set");
    }

    #[test]
    fn a_control_character_is_named_whatever_the_variable() {
        for name in
            ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"]
        {
            for value in ["AKIA\n", "AKIA\r\n", "AK\u{1b}IA"] {
                let wrong = one(name, value).unwrap_err();
                assert!(wrong.to_string().contains("a line end"), "{wrong}");
                assert!(!wrong.to_string().contains("AK"), "{wrong}");
            }
            assert!(one(name, "AKIA").is_ok());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        for name in [
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        ] {
            for path in [&socket, &pipe] {
                assert!(one(name, path.to_str().unwrap()).is_err(), "{name}");
            }
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_read_is_not_passed_over() {
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"] {
            for value in ["http://[bad", "x y z", "file:///x"] {
                assert_eq!(one(name, value).unwrap_err().name, name, "{value}");
            }
            for value in ["", "http://proxy:3128", "proxy:3128", "https://me:secret@proxy"] {
                assert!(one(name, value).is_ok(), "{name}={value}");
            }
        }
        assert!(one("NO_PROXY", "x y z").is_ok());
        let with = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
        let cgi = with("REQUEST_METHOD", "GET");
        let proxied = [cgi.clone(), with("HTTPS_PROXY", "http://proxy:3128")];
        assert_eq!(check(proxied.into_iter()).unwrap_err().name, "REQUEST_METHOD");
        assert!(check([cgi].into_iter()).is_ok());
    }
}
