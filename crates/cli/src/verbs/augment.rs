//! `strait augment`: synthetic labelled texts.

use anyhow::Result;
use clap::Args;
use strait::AugmentRequest;

use crate::{
    flags::{DecodingFlags, ModelFlag, TextsFlags, WritingFlags, at_least_one, not_negative, share},
    talk::{count, number, say},
};

/// What the verb says of its texts: they need labels.
const LABELLED: &str =
    "Labelled texts, or a folder that `strait index` made of them; name their column with --label-column";

/// Make new labelled texts from labelled texts
///
/// Each is decoded from between two texts of its label. Near copies of the corpus, repeats, and texts that a classifier
/// takes for another label are thrown away. Prints an object a line: text, label, the rows it was mixed from.
#[derive(Args)]
#[command(mut_arg("path", |path| path.help(LABELLED)))]
pub struct Augment {
    #[command(flatten)]
    model: ModelFlag,
    /// Texts of each label
    #[arg(short, value_name = "K", default_value = "100", value_parser = at_least_one)]
    n: usize,
    /// How far beside the line between two texts; 1 is as far as any other text
    #[arg(long, value_name = "D", default_value = "0.2", value_parser = not_negative)]
    distance: f32,
    /// Least probability of the label by the classifier
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = share)]
    sure: f64,
    /// Another seed, other texts
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    texts: TextsFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

impl Augment {
    pub fn run(self) -> Result<()> {
        let model = self.model.open_autoencoder()?;
        let texts = self.texts.open(&model)?;
        let decoding = self.decoding.resolve(&model.config().sampling);
        let request = AugmentRequest {
            each: self.n,
            distance: self.distance,
            sure: self.sure,
            seed: self.seed,
            ..AugmentRequest::default()
        };
        let made = model.augment(&texts, &request, &decoding)?;
        let mut out = self.writing.open()?;
        made.texts.iter().try_for_each(|text| out.json(text))?;
        out.finish()?;
        say!(
            "{} kept of {} made; thrown away: {} near copies, {} repeats, {} taken for another label.",
            count(made.texts.len(), "text"),
            number(made.made as u64),
            number(made.copies as u64),
            number(made.repeats as u64),
            number(made.flips as u64)
        );
        Ok(())
    }
}
