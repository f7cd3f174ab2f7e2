//! Latents with a posterior or a codebook, on eight equally likely texts: what they can carry and cost is known.

use std::collections::HashSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::Tape;
use strait_model::{
    Autoencoder, Progress, Recipe, Trainer,
    config::{KlConfig, LatentKind, Normalise, RegulariserConfig, ScheduleKind},
};
use strait_text::{
    Tokenizer, TokenizerKind,
    grammar::{Grammar, Language},
    tokenizer::SPECIALS,
};

/// Entropy of a text, nats.
fn entropy() -> f64 {
    8f64.ln()
}

/// The eight texts of three tokens, each one of two; all of one length, so that nothing but the tokens tells them apart.
fn texts() -> Vec<Vec<u32>> {
    (0..8).map(|i| (0..3).map(|bit| SPECIALS + (i >> bit & 1)).collect()).collect()
}

fn recipe(kind: LatentKind) -> Recipe {
    let mut r = Recipe::default();
    (r.encoder.embedding, r.encoder.hidden, r.decoder.hidden, r.latent.size) = (16, 24, 32, 8);
    (r.training.rate, r.training.schedule, r.training.weight_decay) = (5e-3, ScheduleKind::Cosine, 0.0);
    (r.encoder.dropout, r.decoder.dropout, r.decoder.word_dropout) = (0.0, 0.0, 0.0);
    r.latent.kind = kind;
    r
}

fn kl(config: KlConfig) -> Recipe {
    let mut r = recipe(LatentKind::Gaussian);
    r.latent.normalise = Normalise::None;
    r.objective.regulariser = RegulariserConfig::Kl(config);
    r.check().unwrap();
    r
}

/// A training under way.
struct Run {
    model: Autoencoder,
    trainer: Trainer,
    tape: Tape,
    steps: u64,
    /// Figures of the last step.
    figures: Vec<(&'static str, f64)>,
}

impl Run {
    fn new(recipe: &Recipe, steps: u64) -> Self {
        let model = Autoencoder::new(recipe, SPECIALS as usize + 2, 5);
        Run { trainer: Trainer::new(&model), model, tape: Tape::new(), steps, figures: Vec::new() }
    }

    fn step(&mut self, step: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(step);
        let texts: Vec<_> = texts().into_iter().cycle().take(64).collect();
        let batch = self.model.training_batch(&texts, &mut rng);
        let progress = Progress { step, steps: self.steps };
        let made = self.trainer.step(&mut self.model, &mut self.tape, &batch, progress, &mut rng).unwrap();
        self.figures = made.figures;
    }

    fn all(recipe: &Recipe, steps: u64) -> Self {
        let mut run = Run::new(recipe, steps);
        (0..steps).for_each(|s| run.step(s));
        run
    }

    fn values(&self, prefix: &str) -> Vec<f32> {
        let params = self.model.params.iter().filter(|(_, p)| p.name().starts_with(prefix));
        params.flat_map(|(_, p)| p.value().to_vec()).collect()
    }
}

/// Mean reconstruction and divergence of a text in nats, over so many draws of each.
fn bound(model: &mut Autoencoder, draws: usize) -> (f64, f64) {
    let texts: Vec<_> = texts().into_iter().cycle().take(8 * draws).collect();
    let posterior = model.posterior(&texts);
    let divergence = posterior.divergences(model.latent_size()).iter().sum::<f64>() / texts.len() as f64;
    let z = posterior.draw(&mut ChaCha8Rng::seed_from_u64(9));
    (model.score_from(&texts, &z, &mut Vec::new()).nats / texts.len() as f64, divergence)
}

#[test]
fn a_target_rate_is_held_and_the_bound_comes_down_to_the_entropy() {
    let target = 1.5;
    let config = KlConfig { target: Some(target), weight: 0.5, ..KlConfig::default() };
    let mut run = Run::new(&kl(config), 500);
    let (mut late, mut n) = (0.0, 0.0);
    for step in 0..run.steps {
        run.step(step);
        if step >= 400 {
            late += run.figures.iter().find(|f| f.0 == "kl").unwrap().1;
            n += 1.0;
        }
    }
    assert!((late / n / target as f64 - 1.0).abs() < 0.05, "{}", late / n);
    let (nats, divergence) = bound(&mut run.model, 250);
    assert!((divergence / target as f64 - 1.0).abs() < 0.05, "{divergence}");
    // Nothing can beat the entropy (two standard errors of 2,000 draws of about 0.7 nats are allowed for).
    let excess = nats + divergence - entropy();
    assert!((-0.03..0.3).contains(&excess), "{nats} + {divergence}");
}

#[test]
fn without_a_target_the_latent_collapses_and_with_free_nats_it_does_not() {
    let warm = KlConfig { warmup: 0.3, ..KlConfig::default() };
    let mut collapsed = Run::all(&kl(warm.clone()), 300);
    let (nats, divergence) = bound(&mut collapsed.model, 50);
    assert!(divergence < 0.1 && (nats - entropy()).abs() < 0.1, "{nats} {divergence}");
    let mut free = Run::all(&kl(KlConfig { free_total: 1.5, ..warm }), 300);
    let (nats, divergence) = bound(&mut free.model, 250);
    assert!((1.2..2.2).contains(&divergence), "{divergence}");
    assert!((-0.03..0.5).contains(&(nats + divergence - entropy())), "{nats} {divergence}");
}

#[test]
fn scores_are_bounds_of_each_text_alone() {
    let mut run = Run::all(&kl(KlConfig::default()), 20);
    let texts = texts();
    let mut each = Vec::new();
    let total = run.model.score(&texts, &mut each);
    assert!(total.divergence > 0.0);
    assert!((each.iter().sum::<f64>() - total.bound()).abs() < 1e-6);
    let divergences = run.model.posterior(&texts).divergences(8);
    assert!((divergences.iter().sum::<f64>() - total.divergence).abs() < 1e-6);
    for (i, text) in texts.iter().enumerate() {
        let mut alone = Vec::new();
        run.model.score(&[text], &mut alone);
        assert!((alone[0] - each[i]).abs() < 1e-6);
    }
    // From the means, in any order.
    let mean = run.model.encode(&texts);
    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    run.model.score_from(&texts, &mean, &mut forward);
    let reversed: Vec<_> = texts.iter().rev().collect();
    let latents: Vec<f32> = mean.chunks_exact(8).rev().flatten().copied().collect();
    run.model.score_from(&reversed, &latents, &mut backward);
    backward.reverse();
    assert_eq!(forward, backward);
    let tokens = run.model.token_nats_from(&texts, &mean).expect("an LSTM tells tokens apart");
    for ((nats, text), sum) in tokens.iter().zip(&texts).zip(&forward) {
        assert_eq!(nats.len(), text.len() + 1);
        assert!((nats.iter().map(|&n| f64::from(n)).sum::<f64>() - sum).abs() < 1e-9);
    }
    assert!(
        forward.iter().zip(&each).zip(&divergences).any(|((f, e), kl)| (f + kl - e).abs() > 1e-3),
        "a draw differs"
    );
}

#[test]
fn a_pretrained_encoder_meets_a_fresh_decoder() {
    let mut r = kl(KlConfig::default());
    r.objective.pretrain = 0.5;
    let mut run = Run::new(&r, 40);
    (0..20).for_each(|s| run.step(s));
    assert!(run.figures.iter().all(|f| f.1 == 0.0), "no divergence counts yet: {:?}", run.figures);
    let updates = run.trainer.updates();
    let mut again = Run::new(&r, 40);
    for ((_, name, value), to) in snapshot(&run).into_iter().zip(0..) {
        assert_eq!(again.model.params.iter().nth(to).unwrap().1.name(), name);
        let id = again.model.params.find(&name).unwrap();
        again.model.params.assign(id, &value);
    }
    let moments: Vec<_> = run.trainer.moments().map(|(id, m, v)| (id, m.to_vec(), v.to_vec())).collect();
    again.trainer.restore(&updates, |id, m, v| {
        let (_, first, second) = moments.iter().find(|x| x.0 == id).unwrap();
        m.copy_from_slice(first);
        v.copy_from_slice(second);
    });
    let (decoder, encoder) = (run.values("decoder."), run.values("encoder."));
    let far = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    run.step(20);
    assert!(far(&run.values("decoder."), &decoder) > 0.1, "all of it is new");
    assert!(far(&run.values("encoder."), &encoder) < 0.02, "one update of the encoder");
    assert!(run.figures.iter().any(|f| f.0 == "kl" && f.1 > 0.0));
    (21..40).for_each(|s| run.step(s));
    (20..40).for_each(|s| again.step(s));
    assert!(run.values("") == again.values(""), "the restart is part of the step");
}

fn snapshot(run: &Run) -> Vec<(usize, String, Vec<f32>)> {
    run.model.params.iter().enumerate().map(|(i, (_, p))| (i, p.name().to_string(), p.value().to_vec())).collect()
}

#[test]
fn a_codebook_finds_the_eight_texts() {
    let mut r = recipe(LatentKind::Quantised);
    r.latent.quantiser.codes = 16;
    r.latent.quantiser.decay = 0.9;
    r.check().unwrap();
    let mut run = Run::all(&r, 300);
    let latents = run.model.encode(&texts());
    let book = run.model.codebook().unwrap();
    let codes = book.nearest(&latents);
    assert_eq!(book.latents(&codes), latents);
    assert_eq!(codes.iter().collect::<HashSet<_>>().len(), 8, "{codes:?}");
    let perplexity = run.figures.iter().find(|f| f.0 == "code_perplexity").unwrap().1;
    assert!((7.0..12.0).contains(&perplexity), "{perplexity}");
    let loss = run.model.score(&texts(), &mut Vec::new());
    assert!(loss.nats / 8.0 < 0.2 && loss.divergence == 0.0, "{loss:?}");
}

/// To run it: `cargo test -p strait-model --test latents -- --ignored`.
#[test]
#[ignore = "trains 2,400 steps, more than a minute; the toy texts above hold the same in seconds"]
fn the_bound_of_sentences_of_known_entropy() {
    let grammar = Grammar::default();
    let english = Some(Language::English);
    let sentences = grammar.corpus(8000, english, 1);
    let (train, held_out) = sentences.split_at(7500);
    let words = Tokenizer::train(TokenizerKind::Word, None, train.iter().map(AsRef::as_ref)).unwrap();
    let (train, texts) = (words.encode_batch(train), words.encode_batch(held_out));
    let entropy = |s| -grammar.log_prob(s, english).unwrap();
    let true_nats: Vec<f64> = held_out.iter().map(|s| entropy(s.as_ref())).collect();

    let mut r = recipe(LatentKind::Gaussian);
    (r.encoder.embedding, r.encoder.hidden, r.decoder.hidden, r.latent.size) = (32, 64, 128, 16);
    r.latent.normalise = Normalise::None;
    r.objective.regulariser = RegulariserConfig::Kl(KlConfig { target: Some(4.0), weight: 0.5, ..KlConfig::default() });
    let mut model = Autoencoder::new(&r, words.vocab_size(), 1);
    let (mut trainer, mut tape) = (Trainer::new(&model), Tape::new());
    for step in 0..2400 {
        let mut rng = ChaCha8Rng::seed_from_u64(step);
        let from = step as usize * 64 % (train.len() - 64);
        let batch = model.training_batch(&train[from..from + 64], &mut rng);
        trainer.step(&mut model, &mut tape, &batch, Progress { step, steps: 2400 }, &mut rng).unwrap();
    }
    let mut each = Vec::new();
    let total = model.score(&texts, &mut each);
    let n = texts.len() as f64;
    let excess: Vec<f64> = each.iter().zip(&true_nats).map(|(bound, nats)| bound - nats).collect();
    let mean = excess.iter().sum::<f64>() / n;
    let error = (excess.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n / n).sqrt();
    println!(
        "entropy {:.3}, held-out {:.3}, bound {:.3} (divergence {:.3}), excess {mean:.3} +- {error:.3} nats a sentence",
        grammar.entropy(english),
        true_nats.iter().sum::<f64>() / n,
        total.bound() / n,
        total.divergence / n
    );
    assert!((total.divergence / n / 4.0 - 1.0).abs() < 0.1);
    assert!(mean > -3.0 * error && mean < 3.0);
}
