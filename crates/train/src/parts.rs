//! What a model needs beside its recipe: what its encoder reads or runs ([`Given`]), and a published decoder, of which the
//! training's folder holds a copy in `decoder/` as the model's will; of the weights, too, until the first checkpoint.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use strait_model::{
    Outside, PublishedDecoder, Recipe,
    config::NetworkKind,
    folder::{DECODER, ENCODER, FolderError},
};
use strait_pretrained::{files_of, settings_of};
use strait_text::Tokenizer;

use crate::{
    Listener, TrainError,
    given::{Given, GivenVectors},
    places::Places,
};

/// What the networks of a training are given.
pub(crate) struct Parts {
    encoder: Option<Given>,
    /// Where it lies.
    decoder: Option<(PathBuf, PublishedDecoder)>,
}

impl Parts {
    /// Opens what the recipe names, which lies at `places`, encodes the texts where the encoder is frozen ([`Given::prepare`]), and writes the sizes
    /// of what is there into the recipe. `weights` says whether those of what is trained on are in its folder.
    pub(crate) fn prepare(
        recipe: &mut Recipe,
        places: Places,
        (given, weights): (Option<GivenVectors>, bool),
        texts: (&[String], &[String]),
        listener: &mut dyn Listener,
    ) -> Result<Parts, TrainError> {
        let decoder = (recipe.decoder.kind == NetworkKind::Published).then(|| {
            if recipe.decoder.folder.is_empty() {
                return Err(TrainError::NoDecoder);
            }
            let open = if weights { PublishedDecoder::open } else { PublishedDecoder::open_untrained };
            let published = open(&places.decoder)?;
            published.settle(recipe);
            Ok((places.decoder, published))
        });
        let decoder = decoder.transpose()?;
        let encoder = Given::prepare(recipe, places.encoder, (given, weights), texts, listener)?;
        recipe.encoder.columns = encoder.as_ref().map_or(0, Given::columns);
        Ok(Parts { encoder, decoder })
    }

    /// Reads what [`Parts::write`] wrote.
    pub(crate) fn read(dir: &Path, recipe: &Recipe, texts: usize) -> Result<Parts, TrainError> {
        let decoder = (recipe.decoder.kind == NetworkKind::Published).then(|| {
            let place = dir.join(DECODER);
            let whole = files_of(&place).is_ok();
            let open = if whole { PublishedDecoder::open } else { PublishedDecoder::open_untrained };
            Ok::<_, TrainError>((place.clone(), open(&place)?))
        });
        Ok(Parts { encoder: Given::read(dir, recipe, texts)?, decoder: decoder.transpose()? })
    }

    /// Writes the files of a training's folder.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), TrainError> {
        if let Some(given) = &self.encoder {
            given.write(dir)?;
        }
        match &self.decoder {
            Some((from, _)) => copy(from, &dir.join(DECODER), true),
            None => Ok(()),
        }
    }

    /// The tokens of a published decoder, which are then the model's.
    pub(crate) fn tokenizer(&self) -> Option<&Tokenizer> {
        self.decoder.as_ref().map(|(_, published)| published.tokenizer())
    }

    /// Says so if texts are longer than a published decoder has places.
    pub(crate) fn warning(&self, texts: &[Vec<u32>]) -> Option<String> {
        let (_, published) = self.decoder.as_ref()?;
        let (n, places) = (published.too_long(texts), published.language_model().network().places());
        (n > 0).then(|| {
            format!(
                "texts longer than the {places} places of the published decoder: {n}; what is beyond shares the last place, which it \
                 never learned to do (--max-chars leaves long texts out)"
            )
        })
    }

    /// As the model takes it; `ids` are those of the training and of the validation texts.
    pub(crate) fn outside(self, tokenizer: &Tokenizer, ids: [&[Vec<u32>]; 2]) -> Vec<Outside> {
        let encoder = self.encoder.map(|given| given.outside(tokenizer, ids));
        let decoder = self.decoder.map(|(_, published)| Outside::Decoder(Arc::new(published)));
        encoder.into_iter().chain(decoder).collect()
    }
}

/// Copies a published folder; of one that may lack its weights (`untrained`), what is there.
pub(crate) fn copy(from: &Path, to: &Path, untrained: bool) -> Result<(), TrainError> {
    for name in files_of(from).or_else(|e| if untrained { settings_of(from) } else { Err(e) })? {
        let path = to.join(&name);
        let copy = |path: &Path| {
            fs::create_dir_all(path.parent().unwrap_or(to))?;
            fs::copy(from.join(&name), path)
        };
        copy(&path).map_err(|source| FolderError::Io { path, what: "copy a published model to the file", source })?;
    }
    Ok(())
}

/// The files of published models in a training's folder that belong into the model's, with their names there.
pub(crate) fn files(dir: &Path, recipe: &Recipe) -> Result<Vec<(String, Vec<u8>)>, TrainError> {
    let mut found = match recipe.encoder.kind {
        NetworkKind::Pretrained => files_in(dir, ENCODER, files_of(&dir.join(ENCODER))?)?,
        NetworkKind::Tuned => files_in(dir, ENCODER, settings_of(&dir.join(ENCODER))?)?,
        _ => Vec::new(),
    };
    if recipe.decoder.kind == NetworkKind::Published {
        found.extend(files_in(dir, DECODER, settings_of(&dir.join(DECODER))?)?);
    }
    Ok(found)
}

fn files_in(dir: &Path, folder: &str, names: Vec<String>) -> Result<Vec<(String, Vec<u8>)>, TrainError> {
    let file = |name: String| {
        let name = format!("{folder}/{name}");
        let path = dir.join(&name);
        match fs::read(&path) {
            Ok(bytes) => Ok((name, bytes)),
            Err(source) => Err(FolderError::Io { path, what: "read the file", source }.into()),
        }
    };
    names.into_iter().map(file).collect()
}
