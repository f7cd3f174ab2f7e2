//! The synthetic-oracle test at the field's size (Yu et al. 2017, <https://arxiv.org/abs/1609.05473>): an LSTM of 32 units with
//! standard normal weights writes 10,000 texts of 20 out of 5,000 tokens; a generator of the same size learns from them, first for
//! their likelihood and then against a discriminator; its samples are read by the oracle.
//!
//! ```text
//! cargo run --release -p strait-model --example oracle -- LIKELIHOOD_STEPS ADVERSARIAL_STEPS METHOD[,RECIPE_FIELD=VALUE ...] ...
//! ```
//!
//! METHOD: seqgan, maligan, rankgan, scratchgan, leakgan, gumbel, textgan, or likelihood, as many steps more without a
//! discriminator. All go on from one generator. Prints nats a token of samples under the oracle (their quality), of 2,000 more of the
//! oracle's texts under the generator (their variety), the share of different samples, how often the discriminator was right in the last step, and the seconds of the training.

use std::{collections::HashSet, env, error::Error, time::Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_engine::{ParamId, Tape, init};
use strait_model::{
    Autoencoder, Progress, Recipe, TextGanTask, Trainer,
    decoding::{self, Options, Special},
};
use strait_text::tokenizer::{BOS, EOS, MASK, SPECIALS};

const VOCABULARY: usize = 5000 + SPECIALS as usize;
const LONGEST: usize = 20;
const TEXTS: usize = 10_000;
const BATCH: usize = 64;
const MEASURED: usize = 2000;
/// Lines printed for each training.
const LOOKS: u64 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [likelihood, adversarial, methods @ ..] = &args[..] else {
        return Err("usage: oracle LIKELIHOOD_STEPS ADVERSARIAL_STEPS METHOD ...".into());
    };
    let (likelihood, adversarial): (u64, u64) = (likelihood.parse()?, adversarial.parse()?);

    let mut test = Test::new();
    println!("the oracle's own texts: {:.3} nats a token", nats(&mut test.oracle, &test.more));
    println!("likelihood");
    let mut base = Autoencoder::new(&recipe("likelihood", 5e-3, 0)?, VOCABULARY, 4);
    test.train(&mut base, likelihood)?;
    for method in methods {
        println!("{method}");
        let mut model = Autoencoder::new(&recipe(method, 5e-4, adversarial)?, VOCABULARY, 4);
        for (id, weight) in base.params.iter().filter(|(_, p)| !p.name().starts_with("adversary.")) {
            let place = model.params.find(weight.name()).expect("the generator's weights are its language model's");
            model.params.assign(place, base.params.value(id));
        }
        test.train(&mut model, adversarial + adversarial / 2)?;
    }
    Ok(())
}

/// The oracle, and what it wrote.
struct Test {
    oracle: Autoencoder,
    texts: Vec<Vec<u32>>,
    /// Not to learn from.
    more: Vec<Vec<u32>>,
}

impl Test {
    fn new() -> Self {
        let oracle = oracle();
        let (texts, more) = (draw(&oracle, TEXTS, 2), draw(&oracle, MEASURED, 3));
        Test { oracle, texts, more }
    }

    fn train(&mut self, model: &mut Autoencoder, steps: u64) -> Result<(), Box<dyn Error>> {
        println!("{:>6} {:>8} {:>8} {:>9} {:>6} {:>8}", "step", "oracle", "held out", "different", "right", "seconds");
        let (mut trainer, mut tape, mut so_far) = (Trainer::new(model), Tape::new(), (f64::NAN, 0.0));
        for step in 0..=steps {
            if step == steps || step.is_multiple_of((steps / LOOKS).max(1)) {
                self.look(model, step, so_far);
            }
            if step == steps {
                break;
            }
            let begun = Instant::now();
            let rng = &mut ChaCha8Rng::seed_from_u64(1000 + step);
            let picked: Vec<&[u32]> = (0..BATCH).map(|_| &self.texts[rng.next_u64() as usize % TEXTS][..]).collect();
            let task = TextGanTask { picked: &picked, texts: &self.texts, longest: LONGEST };
            let done = trainer.step_text_gan(model, &mut tape, &task, Progress { step, steps }, rng)?;
            let right = done.figures.iter().find(|(name, _)| *name == "discriminator_accuracy");
            so_far.0 = right.map_or(so_far.0, |(_, right)| *right);
            so_far.1 += begun.elapsed().as_secs_f64();
        }
        Ok(())
    }

    fn look(&mut self, model: &mut Autoencoder, step: u64, (right, seconds): (f64, f64)) {
        let samples = draw(model, MEASURED, 5);
        let different = samples.iter().collect::<HashSet<_>>().len() as f64 / samples.len() as f64;
        let (quality, variety) = (nats(&mut self.oracle, &samples), nats(model, &self.more));
        println!(
            "{step:>6} {quality:>8.3} {variety:>8.3} {:>8.1}% {:>5.0}% {seconds:>8.0}",
            100.0 * different,
            100.0 * right
        );
    }
}

/// A generator of the oracle's size. The discriminator learns for half as many steps as it is learned from, before.
fn recipe(method: &str, rate: f32, adversarial: u64) -> Result<Recipe, Box<dyn Error>> {
    let mut parts = method.split(',');
    let name = parts.next().unwrap_or_default();
    let mut recipe = Recipe::find(if name == "likelihood" { "maligan" } else { name })?;
    (recipe.encoder.embedding, recipe.decoder.hidden) = (32, 32);
    (recipe.decoder.dropout, recipe.decoder.tied) = (0.0, false);
    (recipe.training.rate, recipe.training.weight_decay) = (rate, 0.0);
    let gan = recipe.objective.text_gan.as_mut().ok_or_else(|| format!("{name} is no text GAN"))?;
    let warmup = (adversarial / 2) as f32 / (adversarial + adversarial / 2).max(1) as f32;
    (gan.pretrain, gan.warmup) = if name == "likelihood" { (1.0, 0.0) } else { (warmup, warmup) };
    (gan.samples, gan.generator_rate) = (BATCH, 1e-3);
    for field in parts {
        let (key, value) = field.split_once('=').ok_or_else(|| format!("{field} is not FIELD=VALUE"))?;
        recipe = recipe.with(key, value)?;
    }
    Ok(recipe)
}

/// Writes texts of [`LONGEST`] tokens: it never ends by itself.
fn oracle() -> Autoencoder {
    let mut recipe = Recipe::find("lm-lstm").expect("a recipe of the program");
    (recipe.encoder.embedding, recipe.decoder.hidden, recipe.decoder.tied) = (32, 32, false);
    let mut model = Autoencoder::new(&recipe, VOCABULARY, 1);
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let sizes: Vec<(ParamId, usize)> = model.params.iter().map(|(id, p)| (id, p.value().len())).collect();
    for (id, n) in sizes {
        model.params.assign(id, &init::normal(n, 1.0, rng));
    }
    let bias = model.params.find("decoder.output.bias").expect("an output layer");
    let mut values = model.params.value(bias).to_vec();
    for id in [BOS, EOS, MASK] {
        values[id as usize] = -1e4;
    }
    model.params.assign(bias, &values);
    model
}

/// Texts drawn from a model as it is.
fn draw(model: &Autoencoder, n: usize, seed: u64) -> Vec<Vec<u32>> {
    let special = Special { bos: BOS, eos: EOS, never: &[MASK] };
    let options = Options { temperature: 1.0, max_len: LONGEST, ..Options::default() };
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut texts = Vec::with_capacity(n);
    while texts.len() < n {
        let seeds: Vec<u64> = (0..BATCH.min(n - texts.len())).map(|_| rng.next_u64()).collect();
        let outputs = decoding::decode(&mut model.generator(&[], seeds.len()), &options, special, &seeds);
        texts.extend(outputs.into_iter().map(|o| o.tokens));
    }
    texts
}

/// Nats a token, ends not counted: the oracle knows none.
fn nats(model: &mut Autoencoder, texts: &[Vec<u32>]) -> f64 {
    let each = model.token_nats_from(texts, &[]).expect("a model that tells tokens apart");
    let tokens: Vec<f64> = each.iter().flat_map(|t| &t[..t.len() - 1]).map(|&n| f64::from(n)).collect();
    tokens.iter().sum::<f64>() / tokens.len() as f64
}
