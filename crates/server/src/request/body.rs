//! A body's JSON as a structure. What is no JSON is refused with line and column, what does not fit with the field.

use std::borrow::Cow;

use axum::{
    body::{Body as Bytes, to_bytes},
    extract::Request,
    http::header,
};
use http_body_util::LengthLimitError;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

use super::DecodingFields;
use crate::refusal::Refusal;

/// Reads a request's body.
///
/// # Errors
/// If it is longer than `limit` bytes, breaks off, is no JSON, or is JSON of another shape.
pub async fn read<T: Body>(request: Request, limit: usize) -> Result<T, Refusal> {
    let bytes = collect(request, limit).await?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|e| {
        // serde_json's message ends in the place, which has fields of its own here.
        let message = e.to_string();
        let why = message.split(" at line ").next().unwrap_or(&message).to_owned();
        Refusal::Syntax { why, line: e.line(), column: e.column() }
    })?;
    match value {
        Value::Object(fields) => T::from_fields(fields),
        _ => Err(Refusal::invalid("", "must be a JSON object, such as {\"texts\": [\"...\"]}")),
    }
}

async fn collect(request: Request, limit: usize) -> Result<Vec<u8>, Refusal> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    let waits = request.headers().contains_key(header::EXPECT);
    let body = request.into_body();
    if announced.is_some_and(|length| length > limit) {
        if !waits {
            drain(body, limit).await;
        }
        return Err(Refusal::TooLarge { limit });
    }
    match to_bytes(body, limit).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(e) => {
            let source = std::error::Error::source(&e);
            match source.is_some_and(|s| s.is::<LengthLimitError>()) {
                true => Err(Refusal::TooLarge { limit }),
                false => Err(Refusal::Broken(source.map_or_else(|| e.to_string(), ToString::to_string))),
            }
        }
    }
}

/// Reads on a little, so that clients that send all before they read get to see the answer.
async fn drain(body: Bytes, limit: usize) {
    let _ = to_bytes(body, limit.saturating_mul(4)).await;
}

/// What a body can be read as.
pub trait Body: Sized {
    /// From the fields of a JSON object.
    fn from_fields(fields: Map<String, Value>) -> Result<Self, Refusal>;
}

/// A request with the decoding controls beside its own fields.
#[derive(Debug)]
pub struct WithDecoding<T> {
    pub own: T,
    pub decoding: DecodingFields,
}

impl<T: DeserializeOwned> Body for WithDecoding<T> {
    fn from_fields(mut fields: Map<String, Value>) -> Result<Self, Refusal> {
        Ok(WithDecoding { decoding: take(&mut fields, &DecodingFields::NAMES)?, own: structure(fields)? })
    }
}

impl<T: JsonSchema> JsonSchema for WithDecoding<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let schema = T::json_schema(generator);
        join(schema, &DecodingFields::json_schema(generator))
    }
}

/// Takes the fields of these names out and reads them as a structure of their own, which several requests share.
///
/// # Errors
/// If they do not fit.
pub fn take<T: DeserializeOwned>(fields: &mut Map<String, Value>, names: &[&str]) -> Result<T, Refusal> {
    structure(names.iter().filter_map(|name| fields.remove_entry(*name)).collect())
}

/// The schema of a request with the fields of `shared` beside its own.
pub fn join(mut own: Schema, shared: &Schema) -> Schema {
    let shared = shared.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(Value::Object(properties)) = own.get_mut("properties") {
        properties.extend(shared);
    }
    own
}

/// A request that is its own fields only.
#[derive(Debug)]
pub struct Plain<T>(pub T);

impl<T: DeserializeOwned> Body for Plain<T> {
    fn from_fields(fields: Map<String, Value>) -> Result<Self, Refusal> {
        Ok(Plain(structure(fields)?))
    }
}

/// Reads a structure; a mistake is refused with its JSON pointer.
fn structure<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|e| {
        let why = plain(&e.inner().to_string());
        let mut place = pointer(e.path());
        for begins in ["missing field `", "unknown field `"] {
            let field = why.strip_prefix(begins).and_then(|rest| rest.split_once('`')).map(|(field, _)| field);
            if let Some(field) = field.map(escaped)
                && !place.ends_with(&format!("/{field}"))
            {
                place = format!("{place}/{field}");
            }
        }
        Refusal::Invalid { pointer: place, why }
    })
}

/// A path as a JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let parts = path.iter().map(|segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escaped(key)),
        Segment::Enum { variant } => format!("/{}", escaped(variant)),
        Segment::Unknown => String::new(),
    });
    parts.collect()
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Rust's names of types, as a user would say it.
fn plain(message: &str) -> String {
    const NAMES: [(&str, &str); 8] = [
        ("expected usize", "expected a whole number from 0 up"),
        ("expected u64", "expected a whole number from 0 up"),
        ("expected u32", "expected a whole number from 0 up"),
        ("expected f32", "expected a number"),
        ("expected a sequence", "expected a list"),
        ("expected a boolean", "expected true or false"),
        ("invalid type: map", "invalid type: object"),
        ("invalid type: sequence", "invalid type: list"),
    ];
    NAMES.iter().fold(message.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Asked {
        texts: Vec<String>,
        #[serde(default)]
        n: usize,
    }

    fn refused(json: &str) -> (String, String) {
        let Ok(Value::Object(fields)) = serde_json::from_str(json) else { panic!("{json}") };
        match WithDecoding::<Asked>::from_fields(fields) {
            Err(Refusal::Invalid { pointer, why }) => (pointer, why),
            other => panic!("{json}: {other:?}"),
        }
    }

    #[test]
    fn mistakes_are_named_by_their_place() {
        for (json, place, why) in [
            (r#"{"texts": ["a", 3]}"#, "/texts/1", "expected a string"),
            (r#"{"texts": "a"}"#, "/texts", "expected a list"),
            (r#"{"n": 1}"#, "/texts", "missing field"),
            (r#"{"texts": [], "n": -1}"#, "/n", "whole number"),
            (r#"{"texts": [], "m/~": 1}"#, "/m~1~0", "unknown field"),
            (r#"{"texts": [], "top_k": 1.5}"#, "/top_k", "whole number"),
            (r#"{"texts": [], "ban": ["a", null]}"#, "/ban/1", "expected a string"),
        ] {
            let (found, said) = refused(json);
            assert_eq!(found, place, "{json}: {said}");
            assert!(said.contains(why), "{json}: {said}");
        }
    }
}
