//! `POST /v1/classify` and `POST /v1/classify/learn`: labels learned from examples.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strait::{Classifier, ClassifierReport, ClassifierRequest};

use super::{
    Answer, Body, Route,
    answer::{five, ok, one},
    corpus::{Examples, Given, examples, refused},
    learned::{self, Kind},
    shape,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{Plain, check},
};

const CLASSIFIERS: Kind<Classifier> =
    Kind { word: "classifier", flag: "--classifier", read: |bytes, path, model| Classifier::read(bytes, path, model) };
/// Parts at most into which texts are dealt.
const MOST_FOLDS: usize = 50;
/// Shuffles at most: each takes a fit.
const MOST_SHUFFLES: usize = 1000;

pub fn routes() -> Vec<Route> {
    vec![
        Route {
            path: "/v1/classify",
            method: "post",
            summary: "The label of each text, by a classifier or by examples",
            body: Some(Body {
                schema: shape::<ClassifyRequest>,
                example: r#"{"texts": ["one more"], "folds": 3, "examples":
                    {"one": ["one text", "one word", "one day"], "two": ["two texts", "two words", "two days"]}}"#,
            }),
            answer: Answer::Json(shape::<Predictions>),
            handler: || post(classify),
        },
        Route {
            path: "/v1/classify/learn",
            method: "post",
            summary: "A classifier learned from labelled texts, measured on texts left out in turn",
            body: Some(Body {
                schema: shape::<LearnClassifierRequest>,
                example: r#"{"folds": 3, "shuffles": 10, "examples":
                    {"one": ["one text", "one word", "one day"], "two": ["two texts", "two words", "two days"]}}"#,
            }),
            answer: Answer::Json(shape::<LearnedClassifier>),
            handler: || post(learn),
        },
    ]
}

/// Texts to be labelled.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClassifyRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The texts.
    texts: Vec<String>,
    #[serde(default)]
    #[schemars(schema_with = "learned::by")]
    by: Option<Value>,
    /// Instead of `by`: texts by their label, to learn from at once.
    #[serde(default)]
    examples: Option<Examples>,
    /// With examples: parts into which they are dealt to choose and measure the classifier.
    #[serde(default = "five")]
    #[schemars(range(min = 2))]
    folds: usize,
}

/// Labels of texts.
#[derive(Serialize, JsonSchema)]
struct Predictions {
    model: String,
    version: String,
    labels: Vec<String>,
    /// One for each text.
    predictions: Vec<Prediction>,
    /// How well the classifier did on texts that it had not seen.
    report: Report,
}

/// A label of a text.
#[derive(Serialize, JsonSchema)]
struct Prediction {
    label: String,
    probability: f64,
    /// Of each label, in the order of `labels`.
    probabilities: Vec<f64>,
}

/// What was measured on texts that the classifier had not seen.
#[derive(Serialize, JsonSchema)]
struct Report {
    /// By which the tables below are ordered.
    labels: Vec<String>,
    texts: usize,
    /// Share of right answers, and its standard deviation over the parts.
    accuracy: f64,
    deviation: f64,
    /// What always naming the most frequent label reaches.
    majority: f64,
    /// Mean over the labels of their F1.
    macro_f1: f64,
    each: Vec<Figures>,
    /// `confusion[a][b]`: texts of label a that were taken for b.
    confusion: Vec<Vec<u64>>,
    /// Chance of the accuracy if labels and texts had nothing to do with each other; null if it was not asked.
    p_value: Option<f64>,
}

/// How well a label is told.
#[derive(Serialize, JsonSchema)]
struct Figures {
    label: String,
    texts: u64,
    precision: f64,
    recall: f64,
    f1: f64,
}

impl Report {
    fn new(report: &ClassifierReport) -> Self {
        let figures = |f: &strait::LabelFigures| Figures {
            label: f.label.clone(),
            texts: f.texts,
            precision: f.precision,
            recall: f.recall,
            f1: f.f1,
        };
        Report {
            labels: report.labels.clone(),
            texts: report.texts,
            accuracy: report.accuracy,
            deviation: report.deviation,
            majority: report.majority,
            macro_f1: report.macro_f1,
            each: report.each.iter().map(figures).collect(),
            confusion: report.confusion.clone(),
            p_value: report.p_value,
        }
    }
}

async fn classify(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<ClassifyRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    check::texts("/texts", &asked.texts, app.limits())?;
    folds(asked.folds)?;
    let classifier = match (asked.by, asked.examples) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("/examples", "there is a `by` too; send one of the two")),
        (by, None) => CLASSIFIERS.find(&serving, &serving.classifiers, by)?,
        (None, Some(all)) => {
            let collection = examples(&app, &serving, all).await?;
            let how = ClassifierRequest { folds: asked.folds, shuffles: 0, seed: 1 };
            let model = serving.model.clone();
            let work = move || Classifier::train(&collection, &*model, &how).map_err(refused("/examples"));
            Arc::new(app.lanes.long.run(work).await?)
        }
    };
    let latents = serving.desk.encode(asked.texts).await?.into_latents()?;
    let predictions = classifier.predict(&latents).map_err(refused("/by"))?;
    let prediction = |p: strait::Prediction<'_>| Prediction {
        label: p.label.to_owned(),
        probability: p.probabilities.iter().copied().fold(0.0, f64::max),
        probabilities: p.probabilities,
    };
    Ok(ok(&Predictions {
        model: serving.name.clone(),
        version: serving.version.clone(),
        labels: classifier.labels().to_vec(),
        predictions: predictions.into_iter().map(prediction).collect(),
        report: Report::new(classifier.report()),
    }))
}

fn folds(folds: usize) -> Result<(), Refusal> {
    if folds < 2 {
        return Err(Refusal::invalid("/folds", format!("{folds}; must be at least 2")));
    }
    check::at_most("/folds", folds, MOST_FOLDS)
}

/// What a classifier is learned from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LearnClassifierRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// Texts by their label, two or more labels, as many texts of each as `folds` at least, three or more.
    #[serde(default)]
    examples: Option<Examples>,
    /// Instead: texts, with `labels`; the server's labelled texts if neither is given.
    #[serde(default)]
    texts: Option<Vec<String>>,
    /// Labels of these texts.
    #[serde(default)]
    labels: Option<Vec<Option<String>>>,
    /// Parts into which the texts are dealt to measure the classifier.
    #[serde(default = "five")]
    #[schemars(range(min = 2))]
    folds: usize,
    /// Shuffles of the labels that tell what chance reaches; 0: none.
    #[serde(default = "hundred")]
    shuffles: usize,
    /// Deals the texts into the parts, and shuffles.
    #[serde(default = "one")]
    seed: u64,
}

fn hundred() -> usize {
    100
}

/// A classifier that was learned. The server keeps nothing: send `classifier` as `by` to use it.
#[derive(Serialize, JsonSchema)]
struct LearnedClassifier {
    model: String,
    version: String,
    report: Report,
    /// The classifier, as the file of `strait classify` holds it.
    classifier: Map<String, Value>,
}

async fn learn(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<LearnClassifierRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    folds(asked.folds)?;
    check::at_most("/shuffles", asked.shuffles, MOST_SHUFFLES)?;
    let given = Given { texts: asked.texts, labels: asked.labels };
    let (collection, pointer) = match (asked.examples, given.is_some()) {
        (Some(_), true) => return Err(Refusal::invalid("/examples", "there are texts too; send one of the two")),
        (Some(all), false) => (examples(&app, &serving, all).await?, "/examples"),
        (None, _) => (given.collection(&app, &serving).await?, "/texts"),
    };
    let how = ClassifierRequest { folds: asked.folds, shuffles: asked.shuffles, seed: asked.seed };
    let work = move || {
        let found = Classifier::train(&collection, &*serving.model, &how).map_err(refused(pointer))?;
        Ok(ok(&LearnedClassifier {
            model: serving.name.clone(),
            version: serving.version.clone(),
            report: Report::new(found.report()),
            classifier: serde_json::from_slice(&found.to_bytes()).unwrap_or_default(), // it is JSON of ours
        }))
    };
    app.lanes.long.run(work).await
}
