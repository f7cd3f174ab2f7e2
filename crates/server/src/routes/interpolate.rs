//! `POST /v1/interpolate`: the texts between two texts, or two latents.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strait::{Decoding, Latents};

use super::{
    Answer, Body, Route,
    answer::{self, five, ok, one},
    corpus::{Given, refused},
    shape,
};
use crate::{
    app::App,
    models::Serving,
    options::Limits,
    refusal::Refusal,
    request::{WithDecoding, check},
    work::{self, Input, Job, Writing},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/interpolate",
        method: "post",
        summary: "The texts on the way from one text to another",
        body: Some(Body {
            schema: shape::<WithDecoding<InterpolateRequest>>,
            example: r#"{"a": "one text", "b": "another", "steps": 5}"#,
        }),
        answer: Answer::Json(shape::<Way>),
        handler: || post(interpolate),
    }]
}

/// A way to be gone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InterpolateRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// Where to begin.
    #[serde(default)]
    a: Option<String>,
    /// Where to end.
    #[serde(default)]
    b: Option<String>,
    /// Instead of `a`: a latent to begin at.
    #[serde(default)]
    from: Option<Vec<f32>>,
    /// Instead of `b`: a latent to end at.
    #[serde(default)]
    to: Option<Vec<f32>>,
    /// Texts on the way, both ends included.
    #[serde(default = "five")]
    #[schemars(range(min = 1))]
    steps: usize,
    /// Which way.
    #[serde(default)]
    path: Path,
    /// With the path `manifold`: texts to go along; the server's if not given.
    #[serde(default)]
    texts: Option<Vec<String>>,
    /// Seed of the draws, with a temperature.
    #[serde(default = "one")]
    seed: u64,
}

/// The way between two latents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Path {
    /// (1 - t) a + t b.
    #[default]
    Straight,
    /// Along the great circle, which keeps the length on the way.
    Spherical,
    /// Where texts are, from text to near text.
    Manifold,
}

/// The texts on the way.
#[derive(Serialize, JsonSchema)]
struct Way {
    /// Where each text is: 0 is the beginning, 1 the end.
    t: Vec<f64>,
    #[serde(flatten)]
    texts: answer::Texts,
}

async fn interpolate(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<InterpolateRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_latents()?;
    let dim = serving.model.latent_size();
    let ends = [End::new(("/a", asked.a), ("/from", asked.from))?, End::new(("/b", asked.b), ("/to", asked.to))?];
    ends.iter().try_for_each(|end| end.check(dim, app.limits()))?;
    if ends.iter().any(End::is_text) {
        serving.needs_encoder()?;
    }
    check::count("/steps", asked.steps, app.limits().steps)?;
    let given = Given::texts(asked.texts);
    if given.is_some() && asked.path != Path::Manifold {
        return Err(Refusal::invalid("/texts", "only the path `manifold` goes along texts"));
    }
    let decoding = decoding.resolve(&serving.model, &serving.model.config().decoding, app.limits())?;
    let (model, steps) = (serving.model.clone(), asked.steps);
    let path = match asked.path {
        Path::Straight => strait::Path::Straight,
        Path::Spherical => strait::Path::Spherical,
        Path::Manifold => return manifold(&app, &serving, (ends, given), steps, (decoding, asked.seed)).await,
    };
    let (read, filled) = split(ends);
    let turn = Box::new(move |latents: Latents| model.between(&filled(&latents), steps, path));
    let writing = Some(Writing { decoding, seed: asked.seed, stream: false });
    let input = if read.is_empty() { Input::Nothing } else { Input::Texts(read) };
    let answer = serving.desk.answer(Job { input, turn, writing }).await?;
    Ok(ok(&Way::new(&serving, steps, answer)))
}

/// The way where texts are.
async fn manifold(
    app: &App,
    serving: &Serving,
    (ends, given): ([End; 2], Given),
    steps: usize,
    (decoding, seed): (Decoding, u64),
) -> Result<Response, Refusal> {
    if steps < 2 {
        return Err(Refusal::invalid("/steps", "1; a way along texts has 2 or more"));
    }
    let collection = given.collection(app, serving).await?;
    let (read, filled) = split(ends);
    let (read_tokens, latents) = match read.is_empty() {
        true => (0, Latents::new(Vec::new(), serving.model.latent_size())),
        false => {
            let answer = serving.desk.encode(read).await?;
            (answer.read, answer.into_latents()?)
        }
    };
    let ends = filled(&latents);
    let way = app.lanes.quick.run(move || collection.between(&ends, steps).map_err(refused("/texts"))).await?;
    let mut answer = answer::written(serving, way, (decoding, seed)).await?;
    answer.read = read_tokens;
    Ok(ok(&Way::new(serving, steps, answer)))
}

impl Way {
    fn new(serving: &Serving, steps: usize, answer: work::Answer) -> Self {
        let t = (0..steps).map(|i| i as f64 / (steps - 1).max(1) as f64).collect();
        Way { t, texts: answer::Texts::new(serving, answer) }
    }
}

/// An end of the way, and the field it stands in.
enum End {
    Text(&'static str, String),
    Latent(&'static str, Vec<f32>),
}

impl End {
    fn new(
        (own, text): (&'static str, Option<String>),
        (other, latent): (&'static str, Option<Vec<f32>>),
    ) -> Result<Self, Refusal> {
        let name = |pointer: &str| pointer.trim_start_matches('/').to_owned();
        match (text, latent) {
            (Some(text), None) => Ok(End::Text(own, text)),
            (None, Some(latent)) => Ok(End::Latent(other, latent)),
            (None, None) => Err(Refusal::invalid(own, format!("missing field `{}` (or `{}`)", name(own), name(other)))),
            (Some(_), Some(_)) => {
                Err(Refusal::invalid(other, format!("there is `{}` too; send one of the two", name(own))))
            }
        }
    }

    fn is_text(&self) -> bool {
        matches!(self, End::Text(..))
    }

    fn check(&self, dim: usize, limits: &Limits) -> Result<(), Refusal> {
        match self {
            End::Text(pointer, text) => check::length(pointer, text, limits),
            End::Latent(pointer, latent) => check::latent(pointer, latent, dim),
        }
    }
}

/// The texts to be read, and what makes both ends of their latents.
fn split(ends: [End; 2]) -> (Vec<String>, impl FnOnce(&Latents) -> Latents + Send) {
    let (mut texts, mut given) = (Vec::new(), Vec::new());
    for end in ends {
        match end {
            End::Text(_, text) => {
                texts.push(text);
                given.push(None);
            }
            End::Latent(_, latent) => given.push(Some(latent)),
        }
    }
    let filled = move |read: &Latents| {
        let mut rows = read.rows();
        let dim = given.iter().flatten().map(Vec::len).next().unwrap_or(read.dim());
        let row = |latent: Option<Vec<f32>>| latent.or_else(|| rows.next().map(<[f32]>::to_vec)).unwrap_or_default();
        Latents::new(given.into_iter().flat_map(row).collect(), dim)
    };
    (texts, filled)
}
