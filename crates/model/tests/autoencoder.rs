//! The whole network: it learns to copy, texts do not influence each other, folders keep everything.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::Tape;
use strait_model::{
    Autoencoder, Progress, Recipe, Trainer,
    config::{NetworkKind, Normalise, Pool, ScheduleKind},
    decoding::Options,
};
use strait_text::{TokenizerKind, tokenizer::SPECIALS};

const VOCABULARY: usize = 12;

fn recipe() -> Recipe {
    let mut r = Recipe::default();
    (r.encoder.embedding, r.encoder.hidden, r.decoder.hidden, r.latent.size) = (16, 24, 40, 16);
    (r.training.rate, r.training.schedule, r.training.weight_decay) = (5e-3, ScheduleKind::Constant, 0.0);
    (r.encoder.dropout, r.decoder.dropout, r.decoder.word_dropout, r.latent.noise) = (0.0, 0.0, 0.0, 0.0);
    r
}

/// All sequences of up to three of four tokens.
fn texts() -> Vec<Vec<u32>> {
    let mut all = vec![vec![]];
    for _ in 0..3 {
        let longer: Vec<Vec<u32>> = all
            .iter()
            .flat_map(|t: &Vec<u32>| (0..4).map(|k| t.iter().copied().chain([SPECIALS + k]).collect()))
            .collect();
        all.extend(longer);
        all.sort();
        all.dedup();
    }
    all
}

fn trained(recipe: &Recipe, steps: usize) -> Autoencoder {
    let mut model = Autoencoder::new(recipe, VOCABULARY, 5);
    let mut trainer = Trainer::new(&model);
    let mut tape = Tape::new();
    let texts = texts();
    for step in 0..steps {
        let mut rng = ChaCha8Rng::seed_from_u64(step as u64);
        let batch = model.training_batch(&texts, &mut rng);
        let progress = Progress { step: step as u64, steps: steps as u64 };
        trainer.step(&mut model, &mut tape, &batch, progress, &mut rng).unwrap();
    }
    model
}

fn exact(model: &Autoencoder) -> f64 {
    let texts = texts();
    let options = Options { max_len: 8, ..Options::default() };
    let decoded = model.decode(&model.encode(&texts), &options, TokenizerKind::Subword, &vec![0; texts.len()]);
    decoded.iter().zip(&texts).filter(|(d, t)| d.tokens == **t).count() as f64 / texts.len() as f64
}

#[test]
fn every_cell_pool_and_normalisation_learns_to_copy() {
    let mut variants = vec![recipe()];
    for cell in [NetworkKind::Gru, NetworkKind::Rnn] {
        let mut r = recipe();
        (r.encoder.kind, r.decoder.kind) = (cell, cell);
        variants.push(r);
    }
    for (pool, normalise) in [(Pool::Mean, Normalise::Layer), (Pool::Max, Normalise::None)] {
        let mut r = recipe();
        (r.encoder.pool, r.latent.normalise) = (pool, normalise);
        (r.encoder.layers, r.decoder.layers, r.decoder.tied) = (2, 2, false);
        variants.push(r);
    }
    for r in variants {
        let before = exact(&Autoencoder::new(&r, VOCABULARY, 5));
        let after = exact(&trained(&r, 330));
        assert!(before < 0.1 && after > 0.9, "{before} {after}: {r:?}");
    }
}

#[test]
fn a_latent_and_a_text_do_not_depend_on_their_neighbours() {
    let model = trained(&recipe(), 20);
    let texts = texts();
    let z = model.latent_size();
    let all = model.encode(&texts);
    let options = Options { temperature: 1.0, max_len: 8, ..Options::default() };
    let seeds: Vec<u64> = (0..texts.len() as u64).collect();
    let decoded = model.decode(&all, &options, TokenizerKind::Subword, &seeds);
    for i in [0, 7, 31, 84] {
        let alone = model.encode(&texts[i..=i]);
        assert_eq!(alone, all[i * z..(i + 1) * z]);
        assert_eq!(model.decode(&alone, &options, TokenizerKind::Subword, &seeds[i..=i])[0], decoded[i]);
    }
}

#[test]
fn scores_are_those_of_each_text_in_order() {
    let mut model = trained(&recipe(), 20);
    let texts = texts();
    let mut each = Vec::new();
    let total = model.score(&texts, &mut each);
    assert!((each.iter().sum::<f64>() - total.nats).abs() < 1e-3);
    assert_eq!(total.tokens, texts.iter().map(|t| t.len() + 1).sum::<usize>());
    for i in [3, 50] {
        let mut alone = Vec::new();
        model.score(&texts[i..=i], &mut alone);
        assert!((alone[0] - each[i]).abs() < 1e-6);
    }
    // Against the decoder run step by step: the nats of the greedy text are those of scoring it.
    let latents = model.encode(&texts[9..10]);
    let options = Options { prefix: strait_model::decoding::Prefix::All(texts[9].clone()), ..Options::default() };
    let forced = Options { max_len: texts[9].len(), ..options };
    let decoded = &model.decode(&latents, &forced, TokenizerKind::Subword, &[0])[0];
    assert_eq!(decoded.tokens, texts[9]);
    assert!(decoded.nats <= each[9] + 1e-4, "without the end it cannot cost more");
}
