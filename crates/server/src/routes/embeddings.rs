//! `POST /v1/embeddings`: latents in the shape that many clients know.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strait::Latents;

use super::{Answer, Body, Route, answer::ok, shape};
use crate::{
    app::App,
    base64,
    models::Serving,
    options::Limits,
    refusal::Refusal,
    request::{Plain, check},
    work::{self, Job},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/embeddings",
        method: "post",
        summary: "Latents of texts or token ids, in the common shape",
        body: Some(Body { schema: shape::<EmbeddingsRequest>, example: r#"{"input": ["one text", "another"]}"# }),
        answer: Answer::Json(shape::<Embeddings>),
        handler: || post(embeddings),
    }]
}

/// Texts or token ids to be embedded.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EmbeddingsRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// A text, texts, the token ids of a text, or those of several.
    #[schemars(schema_with = "inputs")]
    input: Value,
    /// Lists of numbers, or little-endian 32-bit floats in base64.
    #[serde(default)]
    encoding_format: Format,
    /// If given, it must be the number of dimensions that the model has.
    #[serde(default)]
    dimensions: Option<usize>,
    /// Taken and not used.
    #[serde(default, rename = "user")]
    _user: Option<String>,
}

fn inputs(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "A text, texts, the token ids of a text, or those of several.",
        "oneOf": [
            {"type": "string"},
            {"type": "array", "minItems": 1, "items": {"type": "string"}},
            {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0}},
            {"type": "array", "minItems": 1, "items": {"type": "array", "items": {"type": "integer", "minimum": 0}}},
        ]
    })
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Float,
    Base64,
}

/// The embeddings.
#[derive(Serialize, JsonSchema)]
struct Embeddings {
    /// `list`.
    object: &'static str,
    data: Vec<Item>,
    model: String,
    usage: Usage,
}

/// One of them.
#[derive(Serialize, JsonSchema)]
struct Item {
    /// `embedding`.
    object: &'static str,
    index: usize,
    embedding: Embedding,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Embedding {
    Float(Vec<f32>),
    Base64(String),
}

/// Tokens read.
#[derive(Serialize, JsonSchema)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

async fn embeddings(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<EmbeddingsRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    let has = serving.model.latent_size();
    if let Some(wanted) = asked.dimensions.filter(|&d| d != has) {
        let why = format!("{wanted}; this model has {has} and cannot give others, leave the field out");
        return Err(Refusal::invalid("/dimensions", why));
    }
    let input = input(asked.input, &serving, app.limits())?;
    let answer = serving.desk.answer(Job { input, turn: Box::new(Ok), writing: None }).await?;
    let rows = answer.latents.iter().flat_map(Latents::rows).enumerate();
    let item = |(index, row): (usize, &[f32])| Item {
        object: "embedding",
        index,
        embedding: match asked.encoding_format {
            Format::Float => Embedding::Float(row.to_vec()),
            Format::Base64 => Embedding::Base64(base64::of_floats(row)),
        },
    };
    Ok(ok(&Embeddings {
        object: "list",
        data: rows.map(item).collect(),
        model: serving.name.clone(),
        usage: Usage { prompt_tokens: answer.read, total_tokens: answer.read },
    }))
}

const SHAPES: &str = "must be a text, a list of texts, a list of token ids, or a list of such lists";

/// Tells the four shapes apart by the first member.
fn input(value: Value, serving: &Serving, limits: &Limits) -> Result<work::Input, Refusal> {
    let vocabulary = serving.model.config().vocabulary;
    let members = match value {
        Value::String(text) => {
            check::length("/input", &text, limits)?;
            return Ok(work::Input::Texts(vec![text]));
        }
        Value::Array(members) => members,
        _ => return Err(Refusal::invalid("/input", SHAPES)),
    };
    match members.first() {
        None => Err(Refusal::invalid("/input", "the list is empty; give it at least one member")),
        Some(Value::String(_)) => {
            let text = |(i, member)| match member {
                Value::String(text) => Ok(text),
                _ => Err(Refusal::invalid(format!("/input/{i}"), "must be a text, as the first member is")),
            };
            let texts = members.into_iter().enumerate().map(text).collect::<Result<Vec<_>, _>>()?;
            check::texts("/input", &texts, limits)?;
            Ok(work::Input::Texts(texts))
        }
        Some(Value::Number(_)) => {
            let ids = ids("/input", &members)?;
            check::tokens("/input", &ids, vocabulary, limits)?;
            Ok(work::Input::Tokens(vec![ids]))
        }
        Some(Value::Array(_)) => {
            check::list("/input", members.len(), limits)?;
            let list = |(i, member): (usize, &Value)| {
                let place = format!("/input/{i}");
                let Value::Array(members) = member else {
                    return Err(Refusal::invalid(place, "must be a list of token ids, as the first member is"));
                };
                let ids = ids(&place, members)?;
                check::tokens(&place, &ids, vocabulary, limits)?;
                Ok(ids)
            };
            Ok(work::Input::Tokens(members.iter().enumerate().map(list).collect::<Result<_, _>>()?))
        }
        Some(_) => Err(Refusal::invalid("/input/0", SHAPES)),
    }
}

fn ids(place: &str, members: &[Value]) -> Result<Vec<u32>, Refusal> {
    let id = |(i, member): (usize, &Value)| {
        let id = member.as_u64().and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| Refusal::invalid(format!("{place}/{i}"), "must be a token id, a whole number from 0 up"))
    };
    members.iter().enumerate().map(id).collect()
}
