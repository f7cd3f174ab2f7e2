//! Where the published models lie that a recipe names.

use std::path::{Path, PathBuf};

use strait_model::{
    Recipe,
    config::NetworkKind,
    folder::{DECODER, ENCODER},
};
use strait_pretrained::{
    Family,
    hub::{Fetching, locate},
};

use crate::{Event, Listener, TrainError};

/// The folders of the published encoder and decoder; that of a network that is none is empty.
pub(crate) struct Places {
    pub(crate) encoder: PathBuf,
    pub(crate) decoder: PathBuf,
}

impl Places {
    /// Those in the model folder `from`, or else those that the recipe names; models named by their name on the hub are fetched,
    /// and the recipe then names their commit.
    pub(crate) fn find(
        recipe: &mut Recipe,
        from: Option<&Path>,
        listener: &mut dyn Listener,
    ) -> Result<Places, TrainError> {
        if let Some(from) = from {
            return Ok(Places { encoder: from.join(ENCODER), decoder: from.join(DECODER) });
        }
        let mut place = |folder: &mut String, fits: fn(Family) -> bool| {
            let found = locate(folder.as_ref(), fits, &mut |event| listener.hear(&told(event)))?;
            *folder = found.source;
            Ok::<_, TrainError>(found.dir)
        };
        let (mut encoder, mut decoder) = (PathBuf::new(), PathBuf::new());
        if matches!(recipe.encoder.kind, NetworkKind::Pretrained | NetworkKind::Tuned) {
            encoder = place(&mut recipe.encoder.folder, Family::is_encoder)?;
        }
        if recipe.decoder.kind == NetworkKind::Published {
            decoder = place(&mut recipe.decoder.folder, |family| !family.is_encoder())?;
        }
        Ok(Places { encoder, decoder })
    }
}

fn told(event: Fetching<'_>) -> Event {
    match event {
        Fetching::Waiting => {
            Event::Warning { message: "another program is fetching the same model; waiting for it".into() }
        }
        Fetching::File { file, done, of } => Event::Fetching { file: file.into(), done, of },
    }
}
