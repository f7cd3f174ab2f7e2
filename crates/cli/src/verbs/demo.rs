//! `strait demo`: the whole journey on a corpus that the program makes itself.
//!
//! Each stage is a command line, shown and then run as if it had been typed, so that what is shown is what works.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::{Args, Parser as _};
use strait::{
    FolderError, Recipe,
    text::{
        grammar::{self, Grammar, Sentence},
        read::Format,
    },
};

use crate::{
    output::Output,
    quote::command,
    talk::{count, say},
};

/// See it all in about a minute, on a sample corpus that is made on the spot
///
/// Makes English and Chinese sentences by a grammar, trains a model on them, and shows what it can do, each step with
/// the command that you would type. The corpus and the model stay in the folder.
#[derive(Args)]
pub struct Demo {
    /// Train for 10 seconds instead of 40
    #[arg(long)]
    quick: bool,
    /// Train for so many minutes instead
    #[arg(long, value_name = "M", conflicts_with = "quick", value_parser = crate::flags::positive)]
    minutes: Option<f64>,
    /// The folder for the corpus and the model
    #[arg(short, long, value_name = "DIR", default_value = "strait-demo")]
    out: PathBuf,
    /// Seed of the corpus, the training and the samples
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    /// Print JSON: the events of the training, then the results
    #[arg(long)]
    json: bool,
    /// Replace an earlier demo that is there
    #[arg(long)]
    force: bool,
}

/// Sentences to train on: few enough to be seen several times in the time there is.
const SENTENCES: usize = 5_000;

impl Demo {
    pub fn run(self) -> Result<()> {
        let out = self.out.as_path();
        if out.exists() && !self.force {
            return Err(strait::Error::from(FolderError::Exists(out.into())).into());
        }
        let unseen = self.make_corpus()?;
        self.make_recipe()?;
        let seed = self.seed.to_string();
        let at = |name: &str| out.join(name).to_string_lossy().into_owned();
        let (corpus, new, model, latents) = (at("sentences.csv"), at("unseen.txt"), at("model"), at("latents.npy"));
        let (recipe, minutes) = (at("demo.toml"), self.minutes().to_string());

        let mut train = vec!["train", &corpus, "--out", &model, "--minutes", &minutes, "--seed", &seed];
        train.extend(["--size", "tiny", "--recipe", &recipe]);
        if self.force {
            train.push("--force");
        }
        self.stage("Train on it.", &train)?;
        self.stage("Reconstruct sentences that it has never seen:", &["reconstruct", "-m", &model, &new])?;
        self.stage("Write new ones:", &["sample", "-m", &model, "-n", "6", "--seed", &seed])?;
        let [a, b] = [&unseen[0].text, &unseen[1].text];
        self.stage("Go from one sentence to another:", &["interpolate", "-m", &model, a, b, "--steps", "6"])?;
        self.stage("Vary a sentence:", &["vary", "-m", &model, a, "-n", "4", "--seed", &seed])?;
        self.stage(
            "Turn the sentences into vectors, for NumPy and all that reads it:",
            &["encode", "-m", &model, &new, "-o", &latents],
        )?;
        say!("\nThe corpus ({corpus}) and the model ({model}) are yours. Now try your own text:");
        say!("  strait train FILE");
        Ok(())
    }

    fn minutes(&self) -> f64 {
        self.minutes.unwrap_or(if self.quick { 0.17 } else { 0.67 })
    }

    /// Writes the corpus, and a few sentences that are not in it.
    fn make_corpus(&self) -> Result<Vec<Sentence>> {
        let grammar = Grammar::default();
        let corpus = grammar.corpus(SENTENCES, None, self.seed);
        let known: std::collections::HashSet<&str> = corpus.iter().map(|s| s.text.as_str()).collect();
        let others = grammar.corpus(100, None, self.seed.wrapping_add(1));
        let unseen: Vec<Sentence> = others.into_iter().filter(|s| !known.contains(s.text.as_str())).take(6).collect();
        fs::create_dir_all(&self.out).with_context(|| format!("{}: cannot be made", self.out.display()))?;
        let file = write(&corpus, Format::Csv, &self.out.join("sentences.csv"))?;
        write(&unseen, Format::Txt, &self.out.join("unseen.txt"))?;
        say!(
            "A sample corpus, made by a grammar: {}, in English and Chinese, with labels: {file}",
            count(SENTENCES, "sentence")
        );
        for sentence in &unseen[..2] {
            say!("  {}", sentence.text);
        }
        Ok(unseen)
    }

    /// Writes a recipe for so short a training: many small, bold steps, and less noise to overcome; found by trying.
    fn make_recipe(&self) -> Result<()> {
        let mut recipe = Recipe::built_in().into_iter().next().unwrap_or_default();
        recipe.name = "demo".into();
        recipe.about = "The default recipe in many small steps, for a training of less than a minute.".into();
        recipe.training.batch_tokens = if self.quick { 256 } else { 512 };
        recipe.training.rate *= 2.0;
        recipe.latent.noise /= 1.5;
        recipe.objective.noise.drop /= 2.0;
        Output::write_whole(Some(&self.out.join("demo.toml")), toml::to_string(&recipe)?.as_bytes())
    }

    /// Announces a command, then runs it.
    fn stage(&self, what: &str, words: &[&str]) -> Result<()> {
        let mut line = vec!["strait"];
        line.extend(words);
        say!("\n{what}\n$ {}", command(&line));
        if self.json {
            line.push("--json");
        }
        crate::args::Args::try_parse_from(line)?.verb.run()
    }
}

fn write(sentences: &[Sentence], format: Format, path: &Path) -> Result<String> {
    let mut out = Output::open(Some(path))?;
    grammar::write(sentences, format, &mut out).with_context(|| format!("{}: cannot be written", path.display()))?;
    out.finish()?;
    Ok(path.display().to_string())
}
