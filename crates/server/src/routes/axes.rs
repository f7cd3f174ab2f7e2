//! `POST /v1/axes` and `POST /v1/move`: along what texts differ, and a text moved along it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strait::{Directions, Latents, latent::matrix::squared_distance};

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
    request::{Plain, WithDecoding, check},
    texts::Axes,
};

pub fn routes() -> Vec<Route> {
    vec![
        Route {
            path: "/v1/axes",
            method: "post",
            summary: "The principal axes of the server's texts, or of the prior, and the directions; and where a text lies",
            body: Some(Body { schema: shape::<AxesRequest>, example: r#"{"text": "one text"}"# }),
            answer: Answer::Json(shape::<AllAxes>),
            handler: || post(axes),
        },
        Route {
            path: "/v1/move",
            method: "post",
            summary: "A text moved along axes and directions",
            body: Some(Body {
                schema: shape::<WithDecoding<MoveRequest>>,
                example: r#"{"text": "one text", "principal": [1.5]}"#,
            }),
            answer: Answer::Json(shape::<Moved>),
            handler: || post(moved),
        },
    ]
}

/// Where a text lies.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AxesRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// A text whose place is told.
    #[serde(default)]
    text: Option<String>,
    /// Or a latent.
    #[serde(default)]
    latent: Option<Vec<f32>>,
    #[serde(default)]
    #[schemars(schema_with = "learned::by")]
    by: Option<Value>,
}

/// Along what texts differ.
#[derive(Serialize, JsonSchema)]
struct AllAxes {
    model: String,
    version: String,
    /// `texts` if the axes are those of the server's texts, `prior` if of what the model draws by itself.
    of: &'static str,
    /// The widest first.
    principal: Vec<PrincipalAxis>,
    /// A direction each.
    labels: Vec<LabelAxis>,
    /// Of the text.
    latent: Option<Vec<f32>>,
}

/// A principal axis.
#[derive(Serialize, JsonSchema)]
struct PrincipalAxis {
    /// Share of the whole variance along it.
    share: f64,
    /// Standard deviation along it.
    deviation: f64,
    /// Texts at its low and its high end, the outermost first; none of axes of the prior.
    low: Vec<String>,
    high: Vec<String>,
    /// Where the text lies, in standard deviations from the mean.
    position: Option<f64>,
}

/// A direction towards a label.
#[derive(Serialize, JsonSchema)]
struct LabelAxis {
    label: String,
    /// How far it holds for texts it was not learned from; 0.5 is chance.
    auc: f64,
    /// Where the text lies: 0 where those without the label are on average, 1 where those with it are.
    position: Option<f64>,
}

async fn axes(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<AxesRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_latents()?;
    let directions = directions(&serving, asked.by)?;
    let latent = match (asked.text, asked.latent) {
        (None, None) => None,
        (text, latent) => Some(latent_of(&app, &serving, text, latent).await?),
    };
    let axes = found(&app, &serving).await?;
    let positions = latent.as_ref().map(|z| axes.positions(z.row(0)));
    let share = axes.principal.explained();
    let principal = |(i, [low, high]): (usize, &[Vec<String>; 2])| PrincipalAxis {
        share: share[i],
        deviation: axes.deviation(i),
        low: low.clone(),
        high: high.clone(),
        position: positions.as_ref().map(|all| all[i]),
    };
    let mut labels = Vec::new();
    for directions in directions.iter() {
        for report in directions.reports() {
            let (_, direction) = directions.toward(&report.label).map_err(refused("/by"))?;
            let position = latent.as_ref().map(|z| direction.position(z.row(0)));
            let position = position.transpose().map_err(|e| Refusal::invalid("/by", e.to_string()))?;
            labels.push(LabelAxis { label: report.label.clone(), auc: report.auc, position });
        }
    }
    Ok(ok(&AllAxes {
        model: serving.name.clone(),
        version: serving.version.clone(),
        of: if axes.of_texts { "texts" } else { "prior" },
        principal: axes.ends.iter().enumerate().map(principal).collect(),
        labels,
        latent: latent.map(|z| z.row(0).to_vec()),
    }))
}

/// A text to be moved.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MoveRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The text.
    #[serde(default)]
    text: Option<String>,
    /// Or its latent.
    #[serde(default)]
    latent: Option<Vec<f32>>,
    /// How far along each principal axis, in standard deviations, in the order of /v1/axes; axes left out stay.
    #[serde(default)]
    principal: Vec<f64>,
    /// How far towards labels: 1 is as far as the labels are apart on average.
    #[serde(default)]
    labels: BTreeMap<String, f64>,
    #[serde(default)]
    #[schemars(schema_with = "learned::by")]
    by: Option<Value>,
    /// Seed of the draws, with a temperature.
    #[serde(default = "one")]
    seed: u64,
}

/// A text after it was moved.
#[derive(Serialize, JsonSchema)]
struct Moved {
    #[serde(flatten)]
    texts: answer::Texts,
    /// The latent that was decoded.
    latent: Vec<f32>,
    /// How far it is from where it was, as a share of the mean distance of two texts that the model draws.
    distance: f64,
}

async fn moved(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<MoveRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_latents()?;
    let decoding = decoding.resolve(&serving.model, &serving.model.config().decoding, app.limits())?;
    for (i, amount) in asked.principal.iter().enumerate() {
        check::strength(&format!("/principal/{i}"), *amount)?;
    }
    let directions = match asked.labels.is_empty() {
        true => None,
        false => Some(DIRECTIONS.find(&serving, &serving.directions, asked.by)?),
    };
    let start = latent_of(&app, &serving, asked.text, asked.latent).await?;
    let axes = found(&app, &serving).await?;
    if asked.principal.len() > axes.len() {
        let why = format!("{} amounts; the model has {} axes (see /v1/axes)", asked.principal.len(), axes.len());
        return Err(Refusal::invalid("/principal", why));
    }
    let mut latent = axes.moved(start.row(0), &asked.principal);
    for (directions, (label, &strength)) in directions.iter().flat_map(|d| asked.labels.iter().map(move |l| (d, l))) {
        check::strength(&format!("/labels/{}", label.replace('~', "~0").replace('/', "~1")), strength)?;
        let (_, direction) = directions.toward(label).map_err(refused("/labels"))?;
        latent = direction.moved(&latent, strength).map_err(|e| Refusal::invalid("/by", e.to_string()))?;
    }
    if latent.iter().any(|z| !z.is_finite()) {
        return Err(Refusal::invalid("", "the move leads beyond all numbers; ask for less"));
    }
    let distance = f64::from(squared_distance(start.row(0), &latent)).sqrt() / serving.usual_distance();
    let written = answer::written(&serving, Latents::new(latent.clone(), start.dim()), (decoding, asked.seed)).await?;
    Ok(ok(&Moved { texts: answer::Texts::new(&serving, written), latent, distance }))
}

/// The directions asked for, or the first of the server's, if it has some.
fn directions(serving: &Serving, by: Option<Value>) -> Result<Option<Arc<Directions>>, Refusal> {
    if by.is_none() && serving.directions.first().is_none() {
        return Ok(None);
    }
    DIRECTIONS.find(serving, &serving.directions, by).map(Some)
}

/// One row: of the text, or the latent itself.
async fn latent_of(
    app: &App,
    serving: &Serving,
    text: Option<String>,
    latent: Option<Vec<f32>>,
) -> Result<Latents, Refusal> {
    match (text, latent) {
        (Some(text), None) => {
            serving.needs_encoder()?;
            check::length("/text", &text, app.limits())?;
            serving.desk.encode(vec![text]).await?.into_latents()
        }
        (None, Some(latent)) => {
            check::latent("/latent", &latent, serving.model.latent_size())?;
            Ok(Latents::new(latent, serving.model.latent_size()))
        }
        (Some(_), Some(_)) => Err(Refusal::invalid("/latent", "there is a text too; send one of the two")),
        (None, None) => Err(Refusal::invalid("/text", "missing field `text` (or `latent`)")),
    }
}

/// The principal axes, found when they are first asked for.
async fn found(app: &App, serving: &Arc<Serving>) -> Result<Arc<Axes>, Refusal> {
    if let Some(axes) = serving.axes.get() {
        return Ok(axes.clone());
    }
    let collection = match serving.texts.as_ref().map(|texts| texts.collection()) {
        Some(Err(later @ Refusal::TextsLoading { .. })) => return Err(later),
        // Texts that cannot be used have no axes.
        Some(Err(_)) | None => None,
        Some(Ok(collection)) => Some(collection),
    };
    let held = serving.clone();
    let work = move || {
        if let Some(axes) = held.axes.get() {
            return Ok(axes.clone());
        }
        let axes = match collection.filter(|texts| texts.len() > 1) {
            Some(texts) => Axes::of_texts(&texts),
            None => Axes::of_prior(&held.model),
        };
        let axes = axes.map_err(refused(""))?;
        Ok(held.axes.get_or_init(|| Arc::new(axes)).clone())
    };
    app.lanes.quick.run(work).await
}
