//! The library's error: whatever went wrong below, with its own message.

/// Any error of the library.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Read(#[from] strait_text::ReadError),
    #[error(transparent)]
    Train(#[from] strait_train::TrainError),
    #[error(transparent)]
    Folder(#[from] strait_model::folder::FolderError),
    #[error(transparent)]
    Recipe(#[from] strait_model::config::RecipeError),
    #[error(transparent)]
    Decoding(#[from] strait_model::decoding::OptionsError),
    #[error(transparent)]
    Prior(#[from] strait_model::prior::PriorError),
    #[error(transparent)]
    Evaluate(#[from] strait_evaluate::EvaluateError),
    #[error(transparent)]
    Gan(#[from] strait_model::gan::GanError),
    #[error(transparent)]
    Latents(#[from] crate::LatentFileError),
    /// In the way of a comparison.
    #[error("{}: a model of other texts, another recipe or seed; compare into another folder (--out DIR)", .0.display())]
    OtherComparison(std::path::PathBuf),
    /// Latents of another model.
    #[error("these latents have {found} dimensions, the model's have {expected}: were they made by another model?")]
    Dimensions { found: usize, expected: usize },
    /// A language model was asked for latents.
    #[error(
        "this is a language model: it has no latents, only `strait sample` (also with --prefix) and `strait info` work with it"
    )]
    NoLatents,
    /// A model without a bag decoder was asked for topics.
    #[error("only models with a bag decoder have topics; train one with `--recipe topics`")]
    NoTopics,
}
