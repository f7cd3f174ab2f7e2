//! Strait: a text autoencoder on your own text.
//!
//! ```no_run
//! use strait::{Decoding, Model};
//!
//! let model = Model::open("my-model")?;
//! let latents = model.encode(&["the train was late again"]);
//! let back = model.decode(&latents, &Decoding::default())?;
//! let new = model.sample(10, 1, &Decoding::default())?;
//! # Ok::<(), strait::Error>(())
//! ```
//!
//! [`Model`] is a finished model folder; [`Training`] makes one. Texts are `&str`, latents are plain `f32` rows.

mod augment;
mod classifier;
mod collection;
mod comparison;
mod context;
mod controls;
mod dial;
mod document;
mod error;
mod evaluation;
mod gan;
mod generation;
mod latents;
mod learned;
mod length;
mod model;
mod oddness;
mod published_language_model;
pub mod rerank;
mod similarity;
mod steering;
mod text_encoder;
mod topics;
mod training;

pub use augment::{AugmentRequest, Augmented, Synthetic};
pub use classifier::{Classifier, ClassifierReport, ClassifierRequest, LabelFigures, Prediction};
pub use collection::{
    Cluster, Clustering, Collection, Duplicates, Filling, Grouping, Hit, Layout, Projection, Source,
    check_place as check_collection_place,
};
pub use comparison::{ComparisonRequest, Heard, PairComparisonRequest, compare, compare_pairs};
pub use context::CONTEXT_WORDS;
pub use controls::Controls;
pub use dial::{LEAST_TEXTS, keep_frontier};
pub use document::{
    DocumentEvaluation, DocumentEvaluationRequest, DocumentModel, DocumentRequest, DocumentWriting, Draft, GAP,
    GivenUse, NextChoice, SentenceOrdering, Summary, WriteRequest, Written,
};
pub use error::Error;
pub use gan::{VectorGenerator, auc};
pub use generation::{Alignment, Generated};
pub use latents::{LatentFileError, Latents};
pub use model::{Decoded, Decoding, Draws, Model, Path};
pub use oddness::{Oddness, PValue, Usual};
pub use published_language_model::PublishedLanguageModel;
pub use similarity::Similarity;
pub use steering::{
    Attribute, DirectionReport, Directions, DirectionsRequest, Edit, Reading, SideEffect, SteerRequest, Steering,
};
pub use strait_document::{
    DocumentConfig, Header as DocumentHeader, Keep as DocumentKeep, MARKER as DOCUMENT_MARKER,
    NetworkKind as DocumentNetworkKind, Report as DocumentReport, Watch as DocumentWatch,
    unfinished as unfinished_document,
};
pub use strait_eval as eval;
pub use strait_evaluate::{
    Evaluation, EvaluationRequest, JudgeBudget, PairEvaluation, PairRequest, Progress as EvaluationProgress,
    page as evaluation_page, pair_page,
};
pub use strait_latent as latent;
pub use strait_model::{
    Recipe,
    config::{self, RecipeError},
    decoding::{Blocked, Options as DecodingOptions},
    folder::{Config, FolderError, check_place, check_place_of, read_config},
    frontier::{Frontier, Point as FrontierPoint, PointFigures, Shape as FrontierShape},
    gan::{GanConfig, GanError, GanReport},
};
pub use strait_pretrained::{
    Error as PublishedError, Family,
    hub::{Fetching, HubError, Located, locate},
};
pub use strait_report::{
    AttentionMatrix, Card as ReportCard, Colouring, Comparison, Fact as ReportFact, Figure, TextMap, attention_page,
    comparison_plots, comparison_report, map_page, read_events as read_training_events, training_report,
};
pub use strait_text as text;
pub use strait_train::{Budget, Event, Listener, Outcome, Size, TrainError, plan::Plan};
pub use text_encoder::{PublishedEncoder, TextEncoder};
pub use topics::{MeasuredTopic, Topic, TopicReport};
pub use training::{Training, resume};
