//! Why a training cannot begin or go on.

use std::path::PathBuf;

use strait_model::{
    config::RecipeError, decoder::PublishedError, folder::FolderError, gan::GanError, prior::PriorError,
    weights::WeightsError,
};
use strait_text::TokenizerError;

/// Errors of training.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Too little text.
    #[error(
        "{name}: only {found} distinct texts to train on; at least {least} are needed (a few thousand make a useful \
         model)"
    )]
    TooFewTexts {
        /// Name of the data.
        name: String,
        /// What was found.
        found: usize,
        /// What is needed.
        least: usize,
    },
    /// The weights of another network.
    #[error("{}: the weights to start from are those of another network: {why}; leave the recipe's sizes as that model has them", file.display())]
    OtherNetwork {
        /// The weights.
        file: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// A recipe for pairs, and none there.
    #[error("the recipe `{recipe}` writes a target for each source: give pairs (two columns, or --targets FILE)")]
    NeedsPairs {
        /// The recipe's name.
        recipe: String,
    },
    /// The risk is slot error, and a source lists no slots.
    #[error("the source of pair {pair}: {why}; the risk `slots` is for sources that list slots")]
    NoSlots {
        /// From 1.
        pair: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Pairs, and a recipe that knows no sources.
    #[error(
        "the recipe `{recipe}` gives texts back and knows no sources; for pairs say --task seq2seq, or name a recipe with \
         task = \"seq2seq\""
    )]
    KnowsNoSources {
        /// The recipe's name.
        recipe: String,
    },
    /// An unfinished training is in the way.
    #[error(
        "{}: an unfinished training is there; go on with `strait resume {}`, or start over with --force",
        path.display(), out.display()
    )]
    Unfinished {
        /// The training's folder.
        path: PathBuf,
        /// The model's folder.
        out: PathBuf,
    },
    /// Nothing to go on with.
    #[error("{}: no unfinished training; begin one with `strait train FILE --out {}`", path.display(), out.display())]
    NothingToResume {
        /// The training's folder.
        path: PathBuf,
        /// The model's folder.
        out: PathBuf,
    },
    /// A file of an unfinished training is damaged.
    #[error("{}: damaged: {why}; start over with --force", file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A frozen encoder without an encoder or vectors.
    #[error(
        "the recipe's encoder is frozen: name a published encoder with --encoder DIR, or give the vectors of the texts with \
         --vectors FILE.npy"
    )]
    NoVectors,
    /// An encoder that is trained on, and none there, or vectors.
    #[error(
        "the recipe's encoder is a published one that is trained on: name it with --encoder DIR; --vectors are for encoders that \
         stay as they are (--recipe vec2text)"
    )]
    NoEncoder,
    /// A published decoder, and none there.
    #[error("the recipe's decoder is a published one: name a folder of the GPT-2 family with --decoder DIR")]
    NoDecoder,
    /// The published decoder.
    #[error(transparent)]
    PublishedDecoder(#[from] PublishedError),
    /// Vectors of another encoder.
    #[error("the vectors have {found} numbers each, the encoder's have {expected}: were they made by another one?")]
    OtherVectors {
        /// Numbers in a given vector.
        found: usize,
        /// Numbers in one of the encoder's.
        expected: usize,
    },
    /// Vectors that cannot be.
    #[error("the vectors are not one for each text, or one of them holds a number that is not finite")]
    BadVectors,
    /// The published encoder.
    #[error(transparent)]
    Pretrained(#[from] strait_pretrained::Error),
    #[error(transparent)]
    Hub(#[from] strait_pretrained::hub::HubError),
    /// The model's recipe.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The model folder, or a file of the training's.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Weights that cannot be written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The prior.
    #[error(transparent)]
    Prior(#[from] PriorError),
    /// A generator as the prior.
    #[error(transparent)]
    Gan(#[from] GanError),
    /// The numbers went wrong.
    #[error("step {step}: {source}")]
    Numbers {
        /// At which step.
        step: u64,
        /// What went wrong.
        source: strait_engine::Error,
    },
}
