//! One file a group of routes. The table of all of them makes the router, the OpenAPI document and the documentation.

mod analogy;
mod answer;
mod audit;
mod augment;
mod axes;
mod classify;
mod cluster;
mod complete;
mod corpus;
mod dedup;
mod directions;
mod document;
mod embeddings;
mod generate;
mod health;
mod info;
mod interpolate;
mod latents;
mod learned;
mod map;
mod pages;
mod reconstruct;
mod run_stream;
mod runs;
mod sample;
mod score;
mod search;
mod similarity;
mod steer;
mod stream;
mod topics;
mod vary;

use std::sync::Arc;

use axum::routing::MethodRouter;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::app::App;

/// A path, what it takes and gives, and who answers.
pub struct Route {
    pub path: &'static str,
    /// `get` or `post`.
    pub method: &'static str,
    /// A line.
    pub summary: &'static str,
    pub body: Option<Body>,
    pub answer: Answer,
    pub handler: fn() -> MethodRouter<Arc<App>>,
}

/// What a request brings.
pub struct Body {
    pub schema: Shape,
    /// A body that works with every autoencoder; that of `/v1/generate` with every model of pairs, those of
    /// `/v1/document/*` with every document model.
    pub example: &'static str,
}

/// What an answer is.
pub enum Answer {
    Json(Shape),
    /// JSON, or with `stream` server-sent events, which the line tells.
    Stream(Shape, &'static str),
    /// Another type of content.
    Other(&'static str),
}

/// A type as JSON schema.
pub type Shape = fn(&mut SchemaGenerator) -> Schema;

/// The schema of `T`.
fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Every route.
pub fn table() -> Vec<Route> {
    let groups = [
        pages::routes(),
        health::routes(),
        info::routes(),
        latents::routes(),
        reconstruct::routes(),
        sample::routes(),
        generate::routes(),
        interpolate::routes(),
        vary::routes(),
        embeddings::routes(),
        search::routes(),
        similarity::routes(),
        dedup::routes(),
        cluster::routes(),
        map::routes(),
        complete::routes(),
        directions::routes(),
        steer::routes(),
        analogy::routes(),
        axes::routes(),
        score::routes(),
        classify::routes(),
        audit::routes(),
        augment::routes(),
        topics::routes(),
        document::routes(),
        runs::routes(),
    ];
    groups.into_iter().flatten().collect()
}
