//! From a request on the wire to the recorded answer.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The account of the credentials that nobody took a role for.
const OWN: &str = "000000000001";

/// A call, as far as it can be told from its request.
pub struct Call {
    /// From the key that signed it.
    pub account: String,
    pub region: String,
    pub service: String,
    pub operation: String,
    /// What tells pages apart, with the recorded account in the place of the caller's.
    method: String,
    query: String,
    body: String,
}

impl Call {
    pub fn of(head: &Parts, body: &[u8]) -> Self {
        let header = |name: &str| {
            head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        // Credential=KEY/DATE/REGION/SERVICE/aws4_request
        let scope: Vec<&str> = header("authorization")
            .split_once("Credential=")
            .map(|(_, rest)| rest.split([',', '/']).take(4).collect())
            .unwrap_or_default();
        let part = |at: usize| scope.get(at).copied().unwrap_or_default().to_owned();
        let account = part(0).strip_prefix("ASIASIMULATE").unwrap_or(OWN).to_owned();
        let body = String::from_utf8_lossy(body).into_owned();
        let target = header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
        let action = body
            .split('&')
            .find_map(|pair| pair.strip_prefix("Action="))
            .unwrap_or_default()
            .to_owned();
        let path = head.uri.path().to_owned();
        let query = head.uri.query().unwrap_or_default().to_owned();
        // The names that sign are not always those of the calls.
        let mut service = match part(3).as_str() {
            "tagging" => "tag".to_owned(),
            "monitoring" => "cloudwatch".to_owned(),
            other => other.to_owned(),
        };
        let operation = if !target.is_empty() {
            target
        } else if !action.is_empty() {
            action
        } else {
            rest_operation(head.method.as_str(), &path, &query, &mut service)
        };
        Self {
            account,
            region: part(2),
            service,
            operation,
            method: head.method.to_string(),
            query,
            body,
        }
    }
}

/// The operations of S3 and S3 Control that are read.
fn rest_operation(method: &str, path: &str, query: &str, service: &mut String) -> String {
    if path.starts_with("/v20180820/") {
        *service = "s3control".to_owned();
        return "GetPublicAccessBlock".to_owned();
    }
    let sub = query.split(['&', '=']).next().unwrap_or_default();
    match (method, path, sub) {
        ("HEAD", _, _) => "HeadBucket",
        (_, "/", _) => "ListBuckets",
        (_, _, "policy") => "GetBucketPolicy",
        (_, _, "publicAccessBlock") => "GetPublicAccessBlock",
        (_, _, "encryption") => "GetBucketEncryption",
        (_, _, "versioning") => "GetBucketVersioning",
        (_, _, "lifecycle") => "GetBucketLifecycleConfiguration",
        (_, _, "object-lock") => "GetObjectLockConfiguration",
        (_, _, "logging") => "GetBucketLogging",
        (_, _, "ownershipControls") => "GetBucketOwnershipControls",
        (_, _, "tagging") => "GetBucketTagging",
        _ => "Unknown",
    }
    .to_owned()
}

struct Recorded {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// The answers of one recorded account.
pub struct Answers {
    account: String,
    /// By Region, call and page; and by Region and call alone, where there is one page.
    pages: HashMap<(String, String, String), Recorded>,
    alone: HashMap<(String, String), Option<String>>,
}

impl Answers {
    /// Reads the first account of a snapshot.
    pub fn read(path: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let lines = BufReader::new(GzDecoder::new(std::fs::File::open(path)?)).lines();
        for line in lines.skip(1) {
            let line: Value = serde_json::from_str(&line?)?;
            let Some(seen) = line.get("seen") else { continue };
            let account = seen["identity"]["account"].as_str().unwrap_or_default().to_owned();
            let mut answers = Self { account, pages: HashMap::new(), alone: HashMap::new() };
            for read in seen["reads"].as_array().into_iter().flatten() {
                answers.add(read);
            }
            return Ok(answers);
        }
        Err("the snapshot holds no account".into())
    }

    fn add(&mut self, read: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let place = (text(&read["region"]), text(&read["call"]));
        for (page, answer) in read["pages"].as_object().into_iter().flatten() {
            let headers = answer["headers"].as_object().into_iter().flatten();
            let recorded = Recorded {
                status: answer["status"].as_u64().unwrap_or(500) as u16,
                headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
                body: text(&answer["body"]),
            };
            self.pages.insert((place.0.clone(), place.1.clone(), page.clone()), recorded);
            self.alone
                .entry(place.clone())
                .and_modify(|alone| *alone = None)
                .or_insert_with(|| Some(page.clone()));
        }
    }

    pub fn find(&self, call: &Call) -> Option<Response<Full<Bytes>>> {
        if call.service == "sts" {
            return Some(sts(call));
        }
        let name = format!("{}:{}", call.service, call.operation);
        let page = match self.alone.get(&(call.region.clone(), name.clone())) {
            Some(Some(page)) => page.clone(),
            _ => {
                let own = |text: &str| text.replace(&call.account, &self.account);
                page_of(&call.method, &own(&call.query), &own(&call.body))
            }
        };
        let recorded = self.pages.get(&(call.region.clone(), name, page))?;
        let headers: Vec<(&str, &str)> =
            recorded.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = recorded.body.replace(&self.account, &call.account);
        Some(response(recorded.status, &headers, &body))
    }
}

/// The same digest as that of the snapshot: of method, query and body as canonical JSON.
fn page_of(method: &str, query: &str, body: &str) -> String {
    let text = serde_json::json!([method, query, body]).to_string();
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn sts(call: &Call) -> Response<Full<Bytes>> {
    let account = &call.account;
    let body = match call.operation.as_str() {
        "AssumeRole" => {
            // RoleArn=arn:aws:iam::ACCOUNT:role/NAME, percent-encoded.
            let arn = call.body.split("RoleArn=").nth(1).unwrap_or_default();
            let role: String =
                arn.chars().filter(char::is_ascii_digit).collect::<String>();
            let digits: String = arn
                .split("%3A")
                .nth(4)
                .filter(|part| part.len() == 12)
                .map_or(role, str::to_owned);
            format!(
                "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials><AccessKeyId>ASIASIMULATE{digits}</AccessKeyId><SecretAccessKey>simulated</SecretAccessKey><SessionToken>simulated</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>AROA:evenkeel</AssumedRoleId><Arn>arn:aws:sts::{digits}:assumed-role/evenkeel/evenkeel</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
            )
        }
        _ => format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:sts::{account}:assumed-role/evenkeel/evenkeel</Arn><UserId>AROA:evenkeel</UserId><Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        ),
    };
    response(200, &[("content-type", "text/xml")], &body)
}

/// "Too fast", in the words of the service.
pub fn throttled(call: &Call) -> Response<Full<Bytes>> {
    match call.service.as_str() {
        "ec2" => response(
            503,
            &[],
            "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors><RequestID>0</RequestID></Response>",
        ),
        "iam" | "sts" => response(
            400,
            &[],
            "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>0</RequestId></ErrorResponse>",
        ),
        "s3" | "s3control" => {
            response(503, &[], "<Error><Code>SlowDown</Code><Message>Slow down</Message></Error>")
        }
        _ => response(
            400,
            &[("content-type", "application/x-amz-json-1.1")],
            "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}",
        ),
    }
}

pub fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Full<Bytes>> {
    let mut builder = Response::builder()
        .status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Full::new(Bytes::from(body.to_owned()))).unwrap_or_default()
}
