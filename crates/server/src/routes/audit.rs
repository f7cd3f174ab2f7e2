//! `POST /v1/audit`: how much of its training text generated text gives back.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strait::{
    Decoding,
    eval::{Copying, Interner, Memorisation, NEAR_COPY, Passages, Unit},
};

use super::{
    Answer, Body, Route,
    answer::{self, ok, one},
    corpus::kept,
    shape,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{Plain, check},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/audit",
        method: "post",
        summary: "How much of its training text generated text gives back",
        body: Some(Body {
            schema: shape::<AuditRequest>,
            example: r#"{"n": 5, "train": ["one text", "another text"], "held_out": ["something else"]}"#,
        }),
        answer: Answer::Json(shape::<Audit>),
        handler: || post(audit),
    }]
}

/// What is held against what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AuditRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// Generated texts; if not given, the model draws some.
    #[serde(default)]
    texts: Option<Vec<String>>,
    /// How many it draws.
    #[serde(default = "many")]
    #[schemars(range(min = 1))]
    n: usize,
    /// Another seed, other texts.
    #[serde(default = "one")]
    seed: u64,
    /// The training texts; the server's texts if not given.
    #[serde(default)]
    train: Option<Vec<String>>,
    /// Real texts that were held out: the rate at which real text repeats the training text.
    #[serde(default)]
    held_out: Option<Vec<String>>,
}

fn many() -> usize {
    200
}

/// What was given back.
#[derive(Serialize, JsonSchema)]
struct Audit {
    model: String,
    version: String,
    /// Training texts.
    train: usize,
    /// Largest share of words edited in a near copy.
    threshold: f64,
    generated: Copied,
    /// Of the texts held out; null without any.
    held_out: Option<Copied>,
    /// The generated texts that give back most.
    worst: Vec<Copy>,
}

/// How much of the training text a set of texts gives back. Lengths are in words, or in characters where texts have no
/// blanks.
#[derive(Serialize, JsonSchema)]
struct Copied {
    /// Texts, empty ones left out.
    n: usize,
    /// Share that equals a training text.
    copied: f64,
    /// Share that equals one or nearly so.
    near_copied: f64,
    /// The longest passage of a text found in a training text: its mean, its most, and its mean share of the text.
    longest_mean: f64,
    longest_max: usize,
    longest_share: f64,
}

/// A text and the training text that it gives back.
#[derive(Serialize, JsonSchema)]
struct Copy {
    text: String,
    /// How many texts read so.
    times: usize,
    nearest: String,
    edits: usize,
    /// Edits as a share of the longer text.
    distance: f64,
}

impl Copied {
    fn new(copying: &Copying) -> Self {
        Copied {
            n: copying.n,
            copied: copying.copied,
            near_copied: copying.near_copied,
            longest_mean: copying.longest_copy_mean,
            longest_max: copying.longest_copy_max,
            longest_share: copying.longest_copy_share,
        }
    }
}

async fn audit(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<AuditRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    if asked.texts.is_none() {
        check::count("/n", asked.n, app.limits().n)?;
    }
    for (pointer, texts) in [("/texts", &asked.texts), ("/train", &asked.train), ("/held_out", &asked.held_out)] {
        texts.as_ref().map_or(Ok(()), |texts| check::texts(pointer, texts, app.limits()))?;
    }
    let train: Arc<Vec<String>> = match asked.train {
        Some(train) => Arc::new(train),
        None => {
            let missing =
                || Refusal::invalid("/train", "missing, and the server has no texts; send the training texts");
            let collection = kept(&serving).map_err(|_| missing())?.collection()?;
            Arc::new(collection.records().iter().map(|r| r.text.clone()).collect())
        }
    };
    let texts = match asked.texts {
        Some(texts) => texts,
        None => {
            let options = Some(serving.model.config().sampling.clone());
            let decoding = Decoding { options, ..Decoding::default() };
            let drawn = serving.model.draw(asked.n, asked.seed);
            let written = answer::written(&serving, drawn, (decoding, asked.seed)).await?;
            written.texts.into_iter().map(|t| t.text).collect()
        }
    };
    let held_out = asked.held_out.unwrap_or_default();
    let work = move || {
        let (unit, mut interner) = (Unit::guess(&train), Interner::new());
        let passages = Passages::new(interner.encode_all(&train, unit));
        let (texts, real) = (interner.encode_all(&texts, unit), interner.encode_all(&held_out, unit));
        Ok(Memorisation::new(&passages, &texts, &real, NEAR_COPY, &interner, unit))
    };
    let found = app.lanes.long.run(work).await?;
    let copy = |c: strait::eval::CopiedSample| Copy {
        text: c.text,
        times: c.times,
        nearest: c.nearest,
        edits: c.edits,
        distance: c.distance,
    };
    Ok(ok(&Audit {
        model: serving.name.clone(),
        version: serving.version.clone(),
        train: found.train,
        threshold: found.threshold,
        generated: Copied::new(&found.copying.samples),
        held_out: Some(&found.copying.real).filter(|real| real.n > 0).map(Copied::new),
        worst: found.worst.into_iter().map(copy).collect(),
    }))
}
