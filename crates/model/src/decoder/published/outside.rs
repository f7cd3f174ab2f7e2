//! A published decoder's folder, and how the model's tokens stand for its own.

use std::path::Path;

use strait_pretrained::{LanguageModel, Merges};
use strait_text::{
    Tokenizer, TokenizerError,
    tokenizer::{BOS, EOS, SPECIALS},
};

use crate::Recipe;

/// A text that shows whether two tokenizers cut alike.
const PROBE: &str = "  It's 12:30, isn't it?  The bakers' shop\tin Zürich (that one)\n\nwon't open… 日本語 🙂 ";

/// Why a published decoder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] strait_pretrained::Error),
    /// Its tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
}

/// A published decoder of the GPT-2 family with its tokenizer as the model's: the same merges and tokens, but for the special
/// ones. Its end of text is both the begin and the end of the model's texts.
pub struct PublishedDecoder {
    language_model: LanguageModel,
    tokenizer: Tokenizer,
    /// The row of its table from which the model's token of each id is taken; none: zeros (what is masked).
    rows: Vec<Option<u32>>,
}

impl std::fmt::Debug for PublishedDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "gpt2, {} weights", self.language_model.weights())
    }
}

impl PublishedDecoder {
    /// Reads a published folder.
    ///
    /// # Errors
    /// As [`LanguageModel::open`], or if its tokenizer is another than a byte-level BPE.
    pub fn open(dir: &Path) -> Result<Self, PublishedError> {
        PublishedDecoder::with(LanguageModel::open(dir)?)
    }

    /// The same without its weights, which are all 0: for a folder of the files of
    /// [`settings_of`](strait_pretrained::settings_of).
    ///
    /// # Errors
    /// As [`PublishedDecoder::open`].
    pub fn open_untrained(dir: &Path) -> Result<Self, PublishedError> {
        PublishedDecoder::with(LanguageModel::open_untrained(dir)?)
    }

    fn with(language_model: LanguageModel) -> Result<Self, PublishedError> {
        let foreign = |why: String| TokenizerError::Foreign { why };
        let Merges { mut tokens, merges } = language_model.merges().map_err(foreign)?;
        tokens.retain(|(id, _)| *id != language_model.end());
        let (ids, names): (Vec<u32>, Vec<String>) = tokens.into_iter().unzip();
        let mut rows = vec![None; SPECIALS as usize];
        [BOS, EOS].into_iter().for_each(|token| rows[token as usize] = Some(language_model.end()));
        rows.extend(ids.into_iter().map(Some));
        let tokenizer = Tokenizer::from_merges(names, merges)?;
        let ours: Vec<Option<u32>> = tokenizer.encode(PROBE).iter().map(|&id| rows[id as usize]).collect();
        let its = language_model.ids(&[PROBE]).concat();
        match its.into_iter().map(Some).eq(ours) {
            true => Ok(PublishedDecoder { language_model, tokenizer, rows }),
            false => Err(foreign("it cuts texts in another way".into()).into()),
        }
    }

    /// The network with its weights.
    pub fn language_model(&self) -> &LanguageModel {
        &self.language_model
    }

    /// What turns texts into the model's tokens.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The table of the model's tokens (V, D).
    pub(crate) fn table(&self) -> Vec<f32> {
        let network = self.language_model.network();
        let (d, its) = (network.width(), self.language_model.params().value(network.words()));
        let mut table = vec![0.0; self.rows.len() * d];
        for (to, row) in table.chunks_exact_mut(d).zip(&self.rows) {
            row.iter().for_each(|&row| to.copy_from_slice(&its[row as usize * d..][..d]));
        }
        table
    }

    /// Writes the sizes of the network into a recipe.
    pub fn settle(&self, recipe: &mut Recipe) {
        let network = self.language_model.network();
        recipe.encoder.embedding = network.width();
        recipe.decoder.hidden = network.inner();
        recipe.decoder.layers = network.layers();
        recipe.decoder.heads = network.heads();
    }

    /// Of texts in the model's tokens, how many are longer than the network has places, the begin included.
    pub fn too_long(&self, texts: &[Vec<u32>]) -> usize {
        texts.iter().filter(|text| text.len() >= self.language_model.network().places()).count()
    }
}
