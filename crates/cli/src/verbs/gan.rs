//! `strait gan`: a generative adversarial network over vectors, such as latents.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use strait::{GanConfig, GanReport, Latents, VectorGenerator, auc};

use crate::{
    complaint::Usage,
    flags::{at_least_one, positive},
    input,
    output::Output,
    talk::{count, say},
};

/// One vector in so many is put aside to measure on.
const HELD_OUT: usize = 10;
/// Fewest vectors put aside that say anything.
const LEAST_HELD_OUT: usize = 20;
/// Plain lines of progress.
const LINES: usize = 10;

/// Learn to draw vectors like those of a file, by a generative adversarial network
#[derive(Args)]
pub struct Gan {
    /// The vectors, npy or jsonl (`strait encode` writes them; `-` is standard input), or a generator made before
    file: PathBuf,
    /// Updates of each network
    #[arg(long, value_name = "N", default_value = "2000", value_parser = at_least_one)]
    steps: usize,
    /// Write the generator here (safetensors)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How many vectors to draw
    #[arg(short, value_name = "K", default_value = "1000", value_parser = at_least_one)]
    n: usize,
    /// Write drawn vectors here (npy)
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// Another seed, another network and other draws
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    /// Dimensions of the noise
    #[arg(long, value_name = "N", default_value = "128", value_parser = at_least_one)]
    noise: usize,
    /// Hidden units of the generator's layers
    #[arg(long, value_name = "N,N", default_value = "1024", value_delimiter = ',', value_parser = at_least_one)]
    generator: Vec<usize>,
    /// Hidden units of the discriminator's layers
    #[arg(long, value_name = "N,N", default_value = "1024,128", value_delimiter = ',', value_parser = at_least_one)]
    discriminator: Vec<usize>,
    /// Learning rate
    #[arg(long, value_name = "R", default_value = "1e-4", value_parser = positive)]
    lr: f64,
    /// Vectors in a batch
    #[arg(long, value_name = "N", default_value = "64", value_parser = at_least_one)]
    batch: usize,
    /// Print JSON: losses and accuracy on the way, an object a line, and the result
    #[arg(long)]
    json: bool,
}

/// What came of it.
#[derive(Serialize)]
struct Report {
    vectors: usize,
    dimensions: usize,
    steps: usize,
    /// How well a classifier tells draws from vectors put aside, and those from the ones trained on: .5 is ideal.
    auc: Option<f64>,
    auc_of_data: Option<f64>,
}

impl Gan {
    pub fn run(self) -> Result<()> {
        if self.out.is_none() && self.sample.is_none() {
            return Err(
                Usage("nothing would be kept: name a file with --out (the generator) or --sample".into()).into()
            );
        }
        if self.file.extension().is_some_and(|e| e == "safetensors") {
            return self.draw_from_file();
        }
        let (train, held_out) = split(input::latents(&self.file)?);
        let mut json = self.json.then(|| Output::open(None)).transpose()?;
        let mut said = 0;
        let mut hear = |report: &GanReport| {
            if let Some(out) = &mut json {
                // A closed pipe is no reason to stop.
                let _ = out.json(report).and_then(|()| out.flush_part());
            }
            if report.step as usize * LINES / self.steps > said {
                said = report.step as usize * LINES / self.steps;
                say!("{}", line(report));
            }
        };
        let generator = VectorGenerator::train(&train, &self.config(), self.seed, &mut hear)?;
        let report = self.report(&generator, &train, held_out.as_ref())?;
        if let Some(path) = &self.out {
            let mut out = Output::open(Some(path))?;
            out.bytes(&generator.to_bytes())?;
            let name = out.name();
            out.finish()?;
            say!("The generator: {name}.");
        }
        self.draw(&generator)?;
        if let Some(mut out) = json {
            out.json(&report)?;
            out.finish()?;
        }
        Ok(())
    }

    fn config(&self) -> GanConfig {
        GanConfig {
            noise: self.noise,
            generator: self.generator.clone(),
            discriminator: self.discriminator.clone(),
            steps: self.steps as u64,
            batch: self.batch,
            rate: self.lr as f32,
            ..GanConfig::default()
        }
    }

    /// Measures the generator on the vectors put aside, and says so.
    fn report(&self, generator: &VectorGenerator, train: &Latents, held_out: Option<&Latents>) -> Result<Report> {
        let (vectors, dimensions, steps) = (train.len(), train.dim(), self.steps);
        let trained = format!("Trained on {} of {dimensions} dimensions", count(vectors, "vector"));
        let Some(held_out) = held_out else {
            say!("{trained}; too few to put some aside and measure.");
            return Ok(Report { vectors, dimensions, steps, auc: None, auc_of_data: None });
        };
        let draws = generator.draw(held_out.len(), self.seed.wrapping_add(1));
        let (of_draws, of_data) = (auc(held_out, &draws, self.seed)?, auc(held_out, train, self.seed)?);
        say!(
            "{trained}. A classifier tells {} put aside from as many draws with AUC {of_draws:.3}, from the ones trained \
             on with {of_data:.3} (.5: not at all, 1: always).",
            count(held_out.len(), "vector")
        );
        Ok(Report { vectors, dimensions, steps, auc: Some(of_draws), auc_of_data: Some(of_data) })
    }

    fn draw_from_file(&self) -> Result<()> {
        let name = self.file.display();
        if self.sample.is_none() {
            return Err(Usage(format!("{name} is a generator: name a file for its draws with --sample")).into());
        }
        let bytes = fs::read(&self.file).with_context(|| format!("{name}: cannot be read; check the path"))?;
        let generator =
            VectorGenerator::from_bytes(&bytes).with_context(|| format!("{name}: no generator is in it"))?;
        self.draw(&generator)
    }

    /// Writes draws, if they are wanted.
    fn draw(&self, generator: &VectorGenerator) -> Result<()> {
        let Some(path) = &self.sample else { return Ok(()) };
        let mut out = Output::open(Some(path))?;
        let draws = generator.draw(self.n, self.seed);
        draws.write_npy(&mut out).with_context(|| format!("{}: cannot be written", out.name()))?;
        let name = out.name();
        out.finish()?;
        say!("Drew {}: {name}.", count(self.n, "vector"));
        Ok(())
    }
}

/// The vectors to train on, and those put aside: every tenth, if that makes enough.
fn split(vectors: Latents) -> (Latents, Option<Latents>) {
    if vectors.len() / HELD_OUT < LEAST_HELD_OUT {
        return (vectors, None);
    }
    let (mut train, mut held_out) = (Vec::new(), Vec::new());
    for (i, row) in vectors.rows().enumerate() {
        if i % HELD_OUT == HELD_OUT - 1 { &mut held_out } else { &mut train }.extend_from_slice(row);
    }
    (Latents::new(train, vectors.dim()), Some(Latents::new(held_out, vectors.dim())))
}

fn line(report: &GanReport) -> String {
    format!(
        "step {} of {}: generator {:.3} nats, discriminator {:.3} nats, {:.0} % told right",
        report.step,
        report.steps,
        report.generator_loss,
        report.discriminator_loss,
        100.0 * report.discriminator_accuracy
    )
}
