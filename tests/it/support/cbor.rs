//! Answers in CBOR, which CloudWatch speaks, as the JSON that a person can read and change.
//!
//! The JSON is that of AWS's protocol JSON 1.0: times are seconds, under names that end with
//! `Timestamp`, which is how they are known here. Numbers with a point are so in CBOR too.

use std::collections::BTreeMap;

use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::{Decoder, Encoder};
use aws_smithy_types::DateTime;
use evenkeel::aws::tape::Body;
use serde_json::{Map, Value, json};

/// Whether an answer with these headers is in CBOR.
pub fn is_spoken(headers: &BTreeMap<String, String>) -> bool {
    headers.get("smithy-protocol").is_some_and(|protocol| protocol == "rpc-v2-cbor")
}

/// The body in CBOR that says what a JSON text says; what is no JSON stays as it is.
pub fn of_json(text: &str) -> Body {
    let Ok(value) = serde_json::from_str(text) else { return text.to_owned().into() };
    let mut out = Encoder::new(Vec::new());
    encode(&mut out, "", &value);
    Body::Bytes(out.into_writer())
}

fn encode(out: &mut Encoder, name: &str, value: &Value) {
    match value {
        Value::Null => drop(out.null()),
        Value::Bool(value) => drop(out.boolean(*value)),
        Value::Number(number) if name.ends_with("Timestamp") => {
            let time = DateTime::from_secs_f64(number.as_f64().unwrap());
            out.timestamp(&time);
        }
        Value::Number(number) => match number.as_i64() {
            Some(number) => drop(out.long(number)),
            None => drop(out.double(number.as_f64().unwrap())),
        },
        Value::String(text) => drop(out.str(text)),
        Value::Array(list) => {
            out.array(list.len());
            list.iter().for_each(|one| encode(out, name, one));
        }
        Value::Object(map) => {
            out.map(map.len());
            for (name, value) in map {
                out.str(name);
                encode(out, name, value);
            }
        }
    }
}

/// The JSON text that says what a body in CBOR says.
pub fn as_json(body: &[u8]) -> String {
    let value = decode(&mut Decoder::new(body));
    serde_json::to_string_pretty(&value).unwrap()
}

fn decode(from: &mut Decoder<'_>) -> Value {
    match from.datatype().unwrap() {
        Type::Bool => json!(from.boolean().unwrap()),
        Type::Null => {
            from.null().unwrap();
            Value::Null
        }
        Type::F16 | Type::F32 | Type::F64 => json!(from.double().unwrap()),
        Type::String | Type::StringIndef => json!(from.string().unwrap()),
        Type::Tag => json!(from.timestamp().unwrap().as_secs_f64()),
        Type::Array | Type::ArrayIndef => {
            let length = from.list().unwrap();
            let mut list = Vec::new();
            while goes_on(from, length, list.len()) {
                list.push(decode(from));
            }
            Value::Array(list)
        }
        Type::Map | Type::MapIndef => {
            let length = from.map().unwrap();
            let mut map = Map::new();
            while goes_on(from, length, map.len()) {
                let name = from.string().unwrap();
                map.insert(name, decode(from));
            }
            Value::Object(map)
        }
        _ => json!(from.long().unwrap()),
    }
}

/// Whether a list or map has more than so many entries; its end is taken.
fn goes_on(from: &mut Decoder<'_>, length: Option<u64>, taken: usize) -> bool {
    match length {
        Some(length) => (taken as u64) < length,
        None if from.datatype().unwrap() == Type::Break => {
            from.skip().unwrap();
            false
        }
        None => true,
    }
}

#[test]
fn an_answer_goes_to_cbor_and_back() {
    let text = json!({
        "MetricAlarms": [{ "AlarmName": "Wurzel-Anmeldung ß", "Threshold": 1.0, "Period": 300,
            "ActionsEnabled": true, "StateUpdatedTimestamp": 1_790_000_000.5, "Unit": null }],
    });
    let body = of_json(&text.to_string());
    assert!(matches!(body, Body::Bytes(_)));
    assert_eq!(serde_json::from_str::<Value>(&as_json(body.bytes())).unwrap(), text);
    assert_eq!(of_json("<html>"), Body::Text("<html>".to_owned()));
}
