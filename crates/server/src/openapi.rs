//! The OpenAPI 3.1 document, made of the table of routes and of the types that requests are read as and answers
//! written from.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    refusal::ErrorBody,
    routes::{Answer, Route},
};

/// Statuses that routes under `/v1` answer with, besides success.
const REFUSALS: [(&str, &str); 9] = [
    ("400", "The body is no JSON, or broke off; the message has the place"),
    ("401", "The API key is missing or wrong, where one is asked for"),
    ("404", "No model (or training) of this name; the message has the names"),
    ("413", "The body is too large"),
    ("422", "A field cannot be as it is; `param` is its JSON pointer"),
    ("429", "Too many requests wait; see Retry-After"),
    ("500", "The model failed at this request"),
    ("503", "The model or its texts are not ready, or it took too long; see Retry-After"),
    ("405", "Another method is wanted"),
];

/// The document.
pub fn document(table: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.definitions_path = "/components/schemas".into();
        s.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let error = value(&generator.subschema_for::<ErrorBody>());
    let mut paths: Map<String, Value> = Map::new();
    for route in table {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method] = operation(route, &error, &mut generator);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Strait",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A text autoencoder over HTTP. The same request with the same seed has the same answer from \
                            the same version of a model, however busy the server is.",
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn operation(route: &Route, error: &Value, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "summary": route.summary,
        "operationId": format!("{}{}", route.method, route.path.replace(['/', '.'], "_").replace(['{', '}'], "")),
        "responses": {"200": {"description": "Done", "content": content(&route.answer, generator)}},
    });
    let parameters: Vec<Value> = route.path.split('/').filter_map(parameter).collect();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if route.path == "/health" {
        operation["responses"]["503"] = operation["responses"]["200"].clone();
        operation["responses"]["503"]["description"] = "Models are loading".into();
    }
    if route.path.starts_with("/v1/") {
        // Asked for only where the server has a key.
        operation["security"] = json!([{}, {"key": []}]);
        let in_path = operation["parameters"].is_array();
        let wanted =
            |status: &str| route.body.is_some() || status == "401" || (in_path && ["404", "422"].contains(&status));
        for (status, description) in REFUSALS.iter().filter(|(status, _)| wanted(status)) {
            let content = json!({"application/json": {"schema": error}});
            operation["responses"][*status] = json!({"description": description, "content": content});
        }
    }
    if let Some(body) = &route.body {
        let schema = value(&(body.schema)(generator));
        let example: Value = serde_json::from_str(body.example).unwrap_or_default();
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema, "example": example}}});
    }
    operation
}

/// A part of a path that requests fill in.
fn parameter(part: &str) -> Option<Value> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?;
    let description = match name {
        "run" => "The name of a training, as /v1/runs lists it",
        "from" => "The byte from which to tell: 0 at first, then `next`",
        _ => "",
    };
    Some(
        json!({"name": name, "in": "path", "required": true, "description": description, "schema": {"type": "string"}}),
    )
}

fn content(answer: &Answer, generator: &mut SchemaGenerator) -> Value {
    match answer {
        Answer::Json(shape) => json!({"application/json": {"schema": value(&shape(generator))}}),
        Answer::Stream(shape, events) => json!({
            "application/json": {"schema": value(&shape(generator))},
            "text/event-stream": {"schema": {"type": "string", "description": events}},
        }),
        Answer::Other(kind) => json!({(*kind): {"schema": {"type": "string"}}}),
    }
}

fn value(schema: &schemars::Schema) -> Value {
    schema.as_value().clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{request::DecodingFields, routes};

    fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(place) => document.pointer(place.trim_start_matches('#')).unwrap_or_else(|| panic!("{place}")),
            None => schema,
        }
    }

    /// All `$ref`s in a document.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|v| references(v, found));
            }
            Value::Array(members) => members.iter().for_each(|v| references(v, found)),
            _ => {}
        }
    }

    #[test]
    fn every_route_is_described_and_every_reference_leads_somewhere() {
        let table = routes::table();
        let document = document(&table);
        for route in &table {
            let operation = &document["paths"][route.path][route.method];
            assert!(operation["summary"].is_string(), "{}", route.path);
            assert_eq!(operation["requestBody"].is_object(), route.method == "post", "{}", route.path);
        }
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 10);
        for place in found {
            assert!(document.pointer(place.trim_start_matches('#')).is_some(), "{place}");
        }
    }

    #[test]
    fn bodies_have_defaults_descriptions_and_the_decoding_controls() {
        let document = document(&routes::table());
        let body = |path: &str| {
            let schema = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"];
            resolve(&document, schema)
        };
        let sample = body("/v1/sample");
        assert_eq!(sample["properties"]["n"]["default"], 10);
        assert_eq!(sample["additionalProperties"], false);
        for path in ["/v1/decode", "/v1/reconstruct", "/v1/sample", "/v1/interpolate", "/v1/vary"] {
            for name in DecodingFields::NAMES {
                assert!(body(path)["properties"][name]["description"].is_string(), "{path} {name}");
            }
        }
        assert!(body("/v1/encode")["properties"]["temperature"].is_null());
        assert_eq!(body("/v1/vary")["required"], json!(["text"]));
    }

    #[test]
    fn examples_have_only_fields_that_are_described() {
        let document = document(&routes::table());
        for route in routes::table().iter().filter(|r| r.body.is_some()) {
            let content = &document["paths"][route.path]["post"]["requestBody"]["content"]["application/json"];
            let properties = resolve(&document, &content["schema"])["properties"].as_object().unwrap();
            let example = content["example"].as_object().unwrap();
            assert!(!example.is_empty() && example.keys().all(|key| properties.contains_key(key)), "{}", route.path);
        }
    }
}
