//! Transformer autoencoders and language models: they learn to copy, neighbours do not matter, and running step by step
//! gives what scoring gives.

mod common;

use strait_model::{
    Autoencoder, Recipe,
    config::{ActivationKind, NetworkKind, Normalise, Pool, Positions, ScheduleKind},
    decoding::{NextToken, Options, Prefix, Special, decode_nbest},
};
use strait_text::{
    TokenizerKind,
    tokenizer::{BOS, EOS},
};

use common::{VOCABULARY, exact, greedy, texts, trained};

fn recipe() -> Recipe {
    let mut r = Recipe::default();
    (r.encoder.kind, r.decoder.kind) = (NetworkKind::Transformer, NetworkKind::Transformer);
    (r.encoder.embedding, r.encoder.hidden, r.decoder.hidden, r.latent.size) = (16, 32, 32, 16);
    (r.encoder.heads, r.decoder.heads) = (2, 2);
    (r.training.rate, r.training.schedule, r.training.weight_decay) = (5e-3, ScheduleKind::Constant, 0.0);
    (r.encoder.dropout, r.decoder.dropout, r.decoder.word_dropout, r.latent.noise) = (0.0, 0.0, 0.0, 0.0);
    r
}

fn language_model() -> Recipe {
    let mut r = recipe();
    (r.encoder.kind, r.latent.size) = (NetworkKind::None, 0);
    r
}

#[test]
fn either_side_with_any_positions_and_slots_learns_to_copy() {
    let mut variants = vec![recipe()];
    let mut slots = recipe();
    (slots.latent.slots, slots.encoder.layers, slots.decoder.layers) = (4, 2, 2);
    (slots.encoder.activation, slots.decoder.activation) = (ActivationKind::Relu, ActivationKind::Silu);
    variants.push(slots);
    // Either side beside a recurrent one.
    let mut r = recipe();
    (r.encoder.pool, r.encoder.positions, r.latent.normalise) = (Pool::Mean, Positions::Learned, Normalise::Layer);
    (r.decoder.kind, r.decoder.hidden) = (NetworkKind::Lstm, 40);
    variants.push(r);
    let mut r = recipe();
    (r.encoder.kind, r.encoder.pool, r.latent.normalise) = (NetworkKind::Lstm, Pool::Max, Normalise::None);
    (r.decoder.positions, r.decoder.tied) = (Positions::Learned, false);
    variants.push(r);
    for r in variants {
        let before = exact(&Autoencoder::new(&r, VOCABULARY, 5), &greedy());
        let after = exact(&trained(&r, 330), &greedy());
        assert!(before < 0.1 && after > 0.9, "{before} {after}: {r:?}");
    }
}

#[test]
fn a_latent_and_a_text_do_not_depend_on_their_neighbours() {
    let mut r = recipe();
    r.latent.slots = 2;
    let model = trained(&r, 20);
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
fn steps_cost_what_scoring_says() {
    let mut slots = recipe();
    (slots.latent.slots, slots.decoder.positions) = (4, Positions::Learned);
    for r in [recipe(), slots, language_model()] {
        let mut model = trained(&r, 20);
        let texts = texts();
        let mut each = Vec::new();
        model.score(&texts, &mut each);
        let latents = model.encode(&texts);
        for (i, text) in texts.iter().enumerate().step_by(6) {
            let z = model.latent_size();
            let mut generator = model.generator(&latents[i * z..(i + 1) * z], 1);
            let mut logits = Vec::new();
            let mut nats = 0.0;
            let fed = [BOS].iter().chain(text);
            for (&fed, &next) in fed.zip(text.iter().chain(&[EOS])) {
                generator.step(&[fed], &mut logits);
                let total: f64 = logits.iter().map(|&l| (l as f64).exp()).sum();
                nats += total.ln() - logits[next as usize] as f64;
            }
            assert!((nats - each[i]).abs() < 1e-4, "{nats} {}", each[i]);
        }
    }
}

#[test]
fn beams_cost_what_their_tokens_cost() {
    let model = trained(&recipe(), 60);
    let texts = texts();
    let latents = model.encode(&texts[20..23]);
    let special = Special { bos: BOS, eos: EOS, never: &[] };
    let options = Options { beam: 4, max_len: 6, ..Options::default() };
    let z = model.latent_size();
    for (i, found) in decode_nbest(&mut model.generator(&latents, 3), &options, special, 3).iter().enumerate() {
        for output in found.iter().filter(|o| o.finished) {
            // The same tokens again, forced, one at a time.
            let forced = Options { prefix: Prefix::All(output.tokens.clone()), max_len: 7, ..Options::default() };
            let latent = &latents[i * z..(i + 1) * z];
            let again = &model.decode(latent, &forced, TokenizerKind::Subword, &[0])[0];
            if again.tokens == output.tokens {
                assert!((again.nats - output.nats).abs() < 1e-4, "{} {}", again.nats, output.nats);
            } else {
                assert!(again.nats > 0.0 && again.tokens.starts_with(&output.tokens));
            }
        }
    }
}

#[test]
fn a_language_model_learns_the_texts() {
    let mut model = trained(&language_model(), 200);
    let texts = texts();
    let mut each = Vec::new();
    let total = model.score(&texts, &mut each);
    // All 85 texts are equally likely: ln 85 nats each are the least, on average.
    let mean = total.nats / texts.len() as f64;
    assert!(mean > 85f64.ln() - 1e-6 && mean < 85f64.ln() * 1.04, "{mean}, at best {}", 85f64.ln());
}
