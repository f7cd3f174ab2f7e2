//! `POST /v1/augment`: new labelled texts that copy nothing and keep their label.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strait::AugmentRequest as Asked;

use super::{
    Answer, Body, Route,
    answer::{ok, one, ten},
    corpus::{Given, refused},
    shape,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{WithDecoding, check},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/augment",
        method: "post",
        summary: "New labelled texts, mixed from texts of one label; near copies and those that lost it are thrown away",
        body: Some(Body {
            schema: shape::<WithDecoding<AugmentRequest>>,
            example: r#"{"n": 1, "texts": ["one text", "one word", "one day", "one way", "one year",
                                           "two texts", "two words", "two days", "two ways", "two years"],
                         "labels": ["one", "one", "one", "one", "one", "two", "two", "two", "two", "two"]}"#,
        }),
        answer: Answer::Json(shape::<Augmented>),
        handler: || post(augment),
    }]
}

/// What new texts are made from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AugmentRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// Texts of each label.
    #[serde(default = "ten")]
    #[schemars(range(min = 1))]
    n: usize,
    /// How far beside the line between two texts; 1 is as far as any other text.
    #[serde(default = "beside")]
    #[schemars(range(min = 0.0, max = 100.0))]
    distance: f32,
    /// Least probability of the label, by a classifier learned from the texts.
    #[serde(default = "half")]
    #[schemars(range(min = 0.0, max = 1.0))]
    sure: f64,
    /// Another seed, other texts.
    #[serde(default = "one")]
    seed: u64,
    /// The texts; the server's if not given.
    #[serde(default)]
    texts: Option<Vec<String>>,
    /// Labels of these texts, five texts of each at least.
    #[serde(default)]
    labels: Option<Vec<Option<String>>>,
}

fn beside() -> f32 {
    Asked::default().distance
}

fn half() -> f64 {
    Asked::default().sure
}

/// New texts, and how many were thrown away.
#[derive(Serialize, JsonSchema)]
struct Augmented {
    model: String,
    version: String,
    texts: Vec<Synthetic>,
    /// Texts that were made in all.
    made: usize,
    /// Of them, near copies of the texts, repeats of each other, and texts taken for another label.
    copies: usize,
    repeats: usize,
    flips: usize,
}

/// A text that was made.
#[derive(Serialize, JsonSchema)]
struct Synthetic {
    text: String,
    label: String,
    /// Always true.
    synthetic: bool,
    /// Rows of the two texts it was mixed from, and the share of the second.
    from: [usize; 2],
    share: f32,
    /// Probability of the label, of the text encoded again.
    probability: f64,
}

async fn augment(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<AugmentRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    check::count("/n", asked.n, app.limits().n)?;
    check::distance("/distance", asked.distance)?;
    if !(0.0..=1.0).contains(&asked.sure) {
        return Err(Refusal::invalid("/sure", format!("{}; must be between 0 and 1", asked.sure)));
    }
    let decoding = decoding.resolve(&serving.model, &serving.model.config().sampling, app.limits())?;
    let collection = Given { texts: asked.texts, labels: asked.labels }.collection(&app, &serving).await?;
    let how = Asked { each: asked.n, distance: asked.distance, sure: asked.sure, seed: asked.seed, ..Asked::default() };
    // It writes and reads in turn until there are enough, which is long work; the model allows it beside the worker.
    let work = move || {
        let made = serving.model.augment(&collection, &how, &decoding).map_err(refused("/texts"))?;
        let synthetic = |s: strait::Synthetic| Synthetic {
            text: s.text,
            label: s.label,
            synthetic: s.synthetic,
            from: s.from,
            share: s.share,
            probability: s.probability,
        };
        Ok(ok(&Augmented {
            model: serving.name.clone(),
            version: serving.version.clone(),
            texts: made.texts.into_iter().map(synthetic).collect(),
            made: made.made,
            copies: made.copies,
            repeats: made.repeats,
            flips: made.flips,
        }))
    };
    app.lanes.long.run(work).await
}
