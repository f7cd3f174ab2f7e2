//! `POST /v1/steer`: texts moved towards a label, each outcome checked.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strait::{Decoding, Directions, Edit, Reading, SteerRequest as Asked, Steering};

use super::{
    Answer, Body, Route,
    answer::{self, ok, one},
    corpus::refused,
    directions::DIRECTIONS,
    learned, shape,
};
use crate::{
    app::App,
    models::Serving,
    refusal::Refusal,
    request::{WithDecoding, check},
    work::{Input, Job},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/steer",
        method: "post",
        summary: "Texts rewritten towards a label, each outcome checked",
        // Directions of any one model are no example for others.
        body: Some(Body {
            schema: shape::<WithDecoding<SteerRequest>>,
            example: r#"{"texts": ["one text"], "toward": "a label"}"#,
        }),
        answer: Answer::Json(shape::<Edits>),
        handler: || post(steer),
    }]
}

/// Texts to be rewritten.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SteerRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The texts.
    texts: Vec<String>,
    /// The label to move towards.
    toward: String,
    #[serde(default)]
    #[schemars(schema_with = "learned::by")]
    by: Option<Value>,
    /// How far; 1 is as far as the labels are apart on average. If not given, the least that suffices.
    #[serde(default)]
    #[schemars(range(min = -100.0, max = 100.0))]
    strength: Option<f64>,
    /// Words that must stay where a text has them.
    #[serde(default)]
    keep: Vec<String>,
    /// Least share of words that text and outcome have in common.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    content: f64,
    /// Give a text back unchanged if no outcome passes the checks.
    #[serde(default)]
    verify: bool,
    /// Seed of the draws, with a temperature.
    #[serde(default = "one")]
    seed: u64,
}

/// Texts after their edits.
#[derive(Serialize, JsonSchema)]
struct Edits {
    model: String,
    version: String,
    edits: Vec<Edited>,
}

/// A text after its edit, and how it went.
#[derive(Serialize, JsonSchema)]
struct Edited {
    source: String,
    text: String,
    /// The strength used.
    strength: f64,
    /// Probability of the label, by the outcome encoded again, and before, of the text itself.
    probability: f64,
    before: f64,
    /// F1 of the words that text and outcome have in common.
    content: f64,
    /// Cosine of the latents of the text and the outcome.
    cosine: f64,
    /// Nats a token of the outcome costs, and the text's own.
    nats_per_token: f64,
    nats_per_token_before: f64,
    /// Log density of the outcome's latent less that of the text's; below 0: less like the corpus.
    density_change: Option<f64>,
    /// Whether the classifier takes it for the label, enough words are left, and those to be kept are there.
    verified: bool,
}

impl Edited {
    fn new(source: String, edit: Edit, verify: bool) -> Self {
        Edited {
            text: if verify && !edit.verified { source.clone() } else { edit.text },
            source,
            strength: edit.strength,
            probability: edit.probability,
            before: edit.before,
            content: edit.content,
            cosine: edit.cosine,
            nats_per_token: edit.nats_per_token,
            nats_per_token_before: edit.nats_per_token_before,
            density_change: edit.density_change,
            verified: edit.verified,
        }
    }
}

async fn steer(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<SteerRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    let limits = app.limits();
    check::texts("/texts", &asked.texts, limits)?;
    check::at_most("/keep", asked.keep.len(), limits.ban)?;
    for (i, word) in asked.keep.iter().enumerate() {
        check::length(&format!("/keep/{i}"), word, limits)?;
    }
    asked.strength.map_or(Ok(()), |strength| check::strength("/strength", strength))?;
    if !(0.0..=1.0).contains(&asked.content) {
        return Err(Refusal::invalid("/content", format!("{}; must be between 0 and 1", asked.content)));
    }
    let decoding = decoding.resolve(&serving.model, &serving.model.config().decoding, limits)?;
    let directions = DIRECTIONS.find(&serving, &serving.directions, asked.by)?;
    let wanted = Asked { toward: asked.toward, strength: asked.strength, keep: asked.keep, content: asked.content };
    let edits = edit(&serving, &directions, &wanted, (&asked.texts, decoding, asked.seed)).await?;
    let edits = asked.texts.into_iter().zip(edits).map(|(source, edit)| Edited::new(source, edit, asked.verify));
    Ok(ok(&Edits { model: serving.name.clone(), version: serving.version.clone(), edits: edits.collect() }))
}

/// The library's [`strait::Model::steer`], its reading and writing done together with that of other requests.
async fn edit(
    serving: &Serving,
    directions: &Directions,
    wanted: &Asked,
    (texts, decoding, seed): (&[String], Decoding, u64),
) -> Result<Vec<Edit>, Refusal> {
    let steering = Steering::new(directions, wanted).map_err(refused("/toward"))?;
    let own = score(serving, texts.to_vec()).await?;
    // The outcomes of all texts, one after the other.
    let (mut strengths, mut moved) = (Vec::with_capacity(texts.len()), Vec::new());
    for row in own.0.rows() {
        let tried = steering.strengths(row).map_err(refused(""))?;
        moved.extend_from_slice(steering.moved(row, &tried).map_err(refused("/strength"))?.data());
        strengths.push(tried);
    }
    let (outcomes, read) = match moved.is_empty() {
        true => (Vec::new(), None),
        false => {
            let moved = strait::Latents::new(moved, own.0.dim());
            let written = answer::written(serving, moved, (decoding, seed)).await?;
            let outcomes: Vec<String> = written.texts.into_iter().map(|t| t.text).collect();
            let read = score(serving, outcomes.clone()).await?;
            (outcomes, Some(read))
        }
    };
    let mut at = 0;
    let mut edits = Vec::with_capacity(texts.len());
    for (i, tried) in strengths.iter().enumerate() {
        let source = Reading { text: &texts[i], latent: own.0.row(i), odd: &own.1[i] };
        let outcome = |i: usize| {
            let (latents, odd) = read.as_ref()?;
            Some(Reading { text: &outcomes[i], latent: latents.row(i), odd: &odd[i] })
        };
        let tries: Vec<Reading<'_>> = (at..at + tried.len()).filter_map(outcome).collect();
        at += tried.len();
        edits.push(steering.best(source, &tries, tried).map_err(refused(""))?);
    }
    Ok(edits)
}

/// The latents of texts, and how odd they are.
async fn score(serving: &Serving, texts: Vec<String>) -> Result<(strait::Latents, Vec<strait::Oddness>), Refusal> {
    let job = Job { input: Input::Scored(texts), turn: Box::new(Ok), writing: None };
    let mut answer = serving.desk.answer(job).await?;
    let odd = std::mem::take(&mut answer.odd);
    Ok((answer.into_latents()?, odd))
}
