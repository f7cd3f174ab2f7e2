//! The documentation page, made of the OpenAPI document.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{escape, page};

/// Sends what is in a text area and shows the answer beside it.
const SCRIPT: &str = include_str!("docs.js");

/// The page.
pub fn docs(document: &Value) -> String {
    let mut body = String::from("<h1>Strait over HTTP</h1>\n");
    let _ = writeln!(body, "<p>{}</p>", escape(document["info"]["description"].as_str().unwrap_or_default()));
    body += "<p>Errors are <code>{\"error\": {message, type, param, code}}</code>; <code>param</code> is the JSON \
             pointer of the field. An API key, if the server asks for one: <input id=\"key\" type=\"password\" \
             autocomplete=\"off\"></p>\n";
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            section(&mut body, document, (method, path), operation);
        }
    }
    let _ = writeln!(body, "<script>{SCRIPT}</script>");
    page("Strait: documentation", &body)
}

fn section(body: &mut String, document: &Value, (method, path): (&str, &str), operation: &Value) {
    let summary = operation["summary"].as_str().unwrap_or_default();
    let _ = writeln!(
        body,
        "<h2><span class=\"method\">{}</span> <code>{}</code></h2>\n<p>{}.</p>",
        escape(method),
        escape(path),
        escape(summary)
    );
    let content = &operation["requestBody"]["content"]["application/json"];
    if content.is_object() {
        fields(body, document, &content["schema"]);
        let example = escape(&content["example"].to_string());
        let _ = writeln!(
            body,
            "<textarea rows=\"3\" spellcheck=\"false\" aria-label=\"Body of {0}\">{example}</textarea>\n\
             <button data-path=\"{0}\">Send</button>\n<pre hidden></pre>",
            escape(path)
        );
    }
    let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    if answer["$ref"].is_string() {
        body.push_str("<details><summary>Answer</summary>\n");
        fields(body, document, answer);
        body.push_str("</details>\n");
    }
}

/// The fields of a structure as a table.
fn fields(body: &mut String, document: &Value, schema: &Value) {
    let schema = resolve(document, schema);
    let Some(properties) = schema["properties"].as_object() else { return };
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|r| r == name));
    body.push_str("<table>\n<tr><th>field</th><th>type</th><th></th></tr>\n");
    // What must be given comes first.
    let (first, rest): (Vec<_>, Vec<_>) = properties.iter().partition(|(name, _)| required(name));
    for (name, property) in first.into_iter().chain(rest) {
        let default = match &property["default"] {
            Value::Null => String::new(),
            default => format!(" Default {default}."),
        };
        let description = property["description"].as_str().unwrap_or_default();
        let name = if required(name) { format!("<b>{}</b>", escape(name)) } else { escape(name) };
        let _ = writeln!(
            body,
            "<tr><td><code>{name}</code></td><td>{}</td><td>{}</td></tr>",
            escape(&kind(document, property)),
            escape(&format!("{description}{default}"))
        );
    }
    body.push_str("</table>\n");
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let place = schema["$ref"].as_str().map(|place| place.trim_start_matches('#'));
    place.and_then(|place| document.pointer(place)).unwrap_or(schema)
}

/// A type in a few words.
fn kind(document: &Value, schema: &Value) -> String {
    let schema = resolve(document, schema);
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(Value::to_string).collect::<Vec<_>>().join(" or ");
    }
    for several in ["oneOf", "anyOf"] {
        if let Some(all) = schema[several].as_array() {
            let kinds: Vec<String> = all.iter().map(|s| kind(document, s)).filter(|k| k != "null").collect();
            return kinds.join(" or ");
        }
    }
    if let Some(word) = schema.get("const") {
        return word.to_string();
    }
    let names = match &schema["type"] {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).filter(|n| *n != "null").collect(),
        _ => vec![],
    };
    let name = |name: &&str| match *name {
        "array" => format!("list of {}", kind(document, schema.get("items").unwrap_or(&Value::Object(Map::new())))),
        "integer" => "whole number".into(),
        "boolean" => "true or false".into(),
        "string" => "text".into(),
        other => other.to_owned(),
    };
    names.iter().map(name).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use crate::{openapi, routes};

    #[test]
    fn every_route_is_there_and_nothing_comes_from_elsewhere() {
        let page = super::docs(&openapi::document(&routes::table()));
        for route in routes::table() {
            assert!(page.contains(&format!("<code>{}</code>", route.path)), "{}", route.path);
        }
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("<td>list of text</td>") && page.contains("Default 10."));
    }
}
