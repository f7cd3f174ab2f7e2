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
    Export(#[from] strait_model::export::ExportError),
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
    Document(#[from] strait_document::TrainError),
    /// A text without sentences.
    #[error("there are no sentences in the text")]
    NoSentences,
    /// A document network that was to attend to what is given beside documents.
    #[error(
        "nothing is given beside any document: name the column that holds it, blank lines between several (--given)"
    )]
    NothingGiven,
    /// Documents were given to a network that attends to none.
    #[error(
        "this document model attends to no documents beside the one it reads; train one with --given COLUMN and \
         --kind transformer"
    )]
    AttendsToNothing,
    /// Too few documents to measure on.
    #[error(
        "too little to measure on: at least two documents are wanted (blank lines between them), one of {length} or more \
         sentences, and {choices} sentences to choose from outside of each"
    )]
    FewDocuments { length: usize, choices: usize },
    /// Passages of too many orders.
    #[error(
        "passages of {length} sentences have too many orders for a language model beside; at most {most} are tried"
    )]
    LongPassages { length: usize, most: usize },
    #[error(transparent)]
    Published(#[from] strait_pretrained::Error),
    #[error(transparent)]
    Hub(#[from] strait_pretrained::hub::HubError),
    #[error(transparent)]
    Latents(#[from] crate::LatentFileError),
    /// In the way of a comparison.
    #[error("{}: a model of other texts, another recipe or seed; compare into another folder (--out DIR)", .0.display())]
    OtherComparison(std::path::PathBuf),
    /// Latents of another model.
    #[error("these latents have {found} dimensions, the model's have {expected}: were they made by another model?")]
    Dimensions { found: usize, expected: usize },
    /// Vectors and records that do not go together.
    #[error("there are {vectors} vectors and {records} records: one row for each record is wanted, in their order")]
    Rows { vectors: usize, records: usize },
    /// Vectors of the training texts without those of the validation texts, or the other way round.
    #[error("with validation texts of their own, give the vectors of both: --vectors FILE and --valid-vectors FILE")]
    HalfOfVectors,
    /// A model that was trained on vectors was given texts.
    #[error(
        "this model was trained on vectors and cannot encode texts: `strait decode` turns such vectors into texts, \
         `strait sample` writes new ones"
    )]
    NoEncoder,
    /// A model was given vectors that reads texts.
    #[error("this model's encoder reads texts, not vectors; one with a frozen encoder reads vectors")]
    ReadsTexts,
    /// Contrastive search by a decoder that shows no states.
    #[error(
        "`contrastive` compares the states of a recurrent or Transformer decoder that was trained here, and this model has \
         none; drop `contrastive`, or draw with `temperature`"
    )]
    NoStates,
    /// Candidates that would all be the same.
    #[error("candidates are the same where nothing is drawn; set `temperature` above 0 to rerank")]
    SameCandidates,
    /// A discriminator was asked that is not there.
    #[error(
        "this language model was trained against no discriminator that judges texts; train one with `--recipe maligan`, or \
         rerank with --against MODEL"
    )]
    NoDiscriminator,
    /// A language model was wanted.
    #[error("this is no language model; train one on the same texts with `--recipe lm-lstm`")]
    NoLanguageModel,
    /// The dial was asked for where nothing was measured.
    #[error(
        "this model holds no measured frontier for `quality`: measure it with `strait calibrate -m DIR FILE`, FILE being \
         texts of its corpus, or set `temperature`"
    )]
    NoFrontier,
    #[error("`quality` = {0}: it must be between 0 (diverse) and 1 (sober)")]
    Quality(f64),
    #[error("{found} texts are too few to hold samples against; give at least {least}")]
    TooFewTexts { found: usize, least: usize },
    /// More tokens than a published network has places for.
    #[error("at most {longest} tokens can be written by this model, not {asked}; lower --max-len")]
    TooLong { asked: usize, longest: usize },
    /// A token id of another tokenizer.
    #[error("token {token} is not in the vocabulary, which ends at {}: was it made by another tokenizer?", vocabulary - 1)]
    UnknownToken { token: u32, vocabulary: usize },
    /// A language model was asked for latents.
    #[error(
        "this is a language model: it has no latents, only `strait sample` (also with --prefix) and `strait info` work with it"
    )]
    NoLatents,
    /// A model that writes targets for sources was asked for what needs latents.
    #[error(
        "this model writes a target for each source: it has no latents, only `strait generate`, `strait evaluate` and \
         `strait info` work with it"
    )]
    NeedsSources,
    /// A model that knows no sources was asked for targets.
    #[error("this model knows no sources; train one on pairs with `strait train PAIRS --task seq2seq`")]
    KnowsNoSources,
    /// A model without a bag decoder was asked for topics.
    #[error("only models with a bag decoder have topics; train one with `--recipe topics`")]
    NoTopics,
    #[error(transparent)]
    Matrix(#[from] strait_latent::LatentError),
    #[error(transparent)]
    Probe(#[from] strait_latent::ProbeError),
    #[error(transparent)]
    Score(#[from] strait_latent::correlation::ScoreError),
    #[error(transparent)]
    Index(#[from] strait_latent::search::IndexError),
    /// A collection of another model.
    #[error("{}: its texts were encoded by another model; make it again with `strait index`", .0.display())]
    OtherModel(std::path::PathBuf),
    /// Labels were asked for where there are none.
    #[error("{name}: no record has a label; name its column with --label-column")]
    NoLabels { name: String },
    /// Nothing speaks for a threshold.
    #[error("the latents tell no threshold (too few texts, or most are copies); give one with --threshold")]
    NoThreshold,
    /// A file of something learned that cannot be used with this model.
    #[error("{}: the file {why}", file.display())]
    LearnedFile { file: std::path::PathBuf, why: String },
    /// A column that directions cannot leave alone.
    #[error("{name}: the column {why}")]
    Attribute { name: String, why: String },
    /// A label that was not among those learned.
    #[error("there is no label `{label}`; there are: {known}")]
    UnknownLabel { label: String, known: String },
    #[error(transparent)]
    Direction(#[from] strait_latent::DirectionError),
    #[error(transparent)]
    Density(#[from] strait_latent::DensityError),
}
