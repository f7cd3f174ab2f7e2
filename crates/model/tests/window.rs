//! Window networks: they learn to copy, neighbours do not matter, and what does not fit is cut and paid for.

mod common;

use strait_model::{
    Autoencoder, Recipe,
    config::{ActivationKind, NetworkKind, ScheduleKind},
    decoding::Options,
};
use strait_text::TokenizerKind;

use common::{VOCABULARY, exact, texts, trained};

fn recipe() -> Recipe {
    let mut r = Recipe::default();
    (r.encoder.kind, r.decoder.kind) = (NetworkKind::Window, NetworkKind::Window);
    (r.encoder.window, r.decoder.window) = (4, 4);
    (r.encoder.embedding, r.encoder.hidden, r.decoder.hidden, r.latent.size) = (16, 32, 32, 16);
    (r.training.rate, r.training.schedule, r.training.weight_decay) = (1e-2, ScheduleKind::Constant, 0.0);
    (r.encoder.dropout, r.decoder.dropout, r.latent.noise) = (0.0, 0.0, 0.0);
    r
}

#[test]
fn every_activation_and_depth_learns_to_copy() {
    let mut variants = vec![recipe()];
    for (activation, layers) in [
        (ActivationKind::Relu, 1),
        (ActivationKind::LeakyRelu, 2),
        (ActivationKind::Tanh, 4),
        (ActivationKind::Sigmoid, 2),
        (ActivationKind::Silu, 4),
    ] {
        let mut r = recipe();
        (r.encoder.activation, r.decoder.activation) = (activation, activation);
        (r.encoder.layers, r.decoder.layers, r.decoder.tied) = (layers, layers, layers == 1);
        variants.push(r);
    }
    for r in variants {
        let options = Options { max_len: 8, ..Options::default() };
        let before = exact(&Autoencoder::new(&r, VOCABULARY, 5), &options);
        let after = exact(&trained(&r, 200), &options);
        assert!(before < 0.1 && after > 0.95, "{before} {after}: {r:?}");
    }
}

#[test]
fn sampling_and_beams_work_and_neighbours_do_not_matter() {
    let mut model = trained(&recipe(), 200);
    assert!(exact(&model, &Options { beam: 4, max_len: 8, ..Options::default() }) > 0.95);
    assert!(exact(&model, &Options { temperature: 0.5, max_len: 8, ..Options::default() }) > 0.7);
    let (texts, z) = (texts(), model.latent_size());
    let all = model.encode(&texts);
    let options = Options { temperature: 1.5, max_len: 8, ..Options::default() };
    let seeds: Vec<u64> = (0..texts.len() as u64).collect();
    let decoded = model.decode(&all, &options, TokenizerKind::Subword, &seeds);
    let mut each = Vec::new();
    let total = model.score(&texts, &mut each);
    assert!((each.iter().sum::<f64>() - total.nats).abs() < 1e-3);
    for i in [0, 7, 31, 84] {
        let alone = model.encode(&texts[i..=i]);
        assert_eq!(alone, all[i * z..(i + 1) * z]);
        assert_eq!(model.decode(&alone, &options, TokenizerKind::Subword, &seeds[i..=i])[0], decoded[i]);
        let mut own = Vec::new();
        model.score(&texts[i..=i], &mut own);
        assert!((own[0] - each[i]).abs() < 1e-6);
    }
    // The nats of decoding are those of scoring.
    let greedy = Options { max_len: 8, ..Options::default() };
    let output = &model.decode(&all[9 * z..10 * z], &greedy, TokenizerKind::Subword, &[0])[0];
    assert_eq!(output.tokens, texts[9]);
    assert!(output.finished && (output.nats - each[9]).abs() < 1e-4, "{} {}", output.nats, each[9]);
}

#[test]
fn what_does_not_fit_is_cut_and_paid_for() {
    let mut r = recipe();
    (r.encoder.window, r.decoder.window) = (2, 2);
    let mut model = trained(&r, 20);
    // The encoder reads two tokens.
    let long = [vec![3, 4, 5, 6, 3], vec![3, 4]];
    let latents = model.encode(&long);
    assert_eq!(latents[..16], latents[16..]);
    let mut each = Vec::new();
    let total = model.score(&long, &mut each);
    // Both cost the same up to the window; beyond, a token or an end costs ln V.
    let beyond = (VOCABULARY as f64).ln();
    assert!((each[0] - each[1] - 3.0 * beyond).abs() < 1e-5, "{each:?}");
    assert!((total.nats - each[0] - each[1]).abs() < 1e-4 && total.tokens == 9);
    let tokens = model.token_nats_from(&long, &latents).expect("a place is a token");
    assert_eq!((tokens[0].len(), tokens[1].len()), (6, 3));
    assert!(tokens[0][..2] == tokens[1][..2] && tokens[0][2..].iter().all(|&n| (f64::from(n) - beyond).abs() < 1e-5));
    let options = Options { max_len: 8, ..Options::default() };
    assert!(model.decode(&latents, &options, TokenizerKind::Subword, &[0, 0]).iter().all(|o| o.tokens.len() <= 2));
    let longer = Options { min_len: 4, ..options };
    let cut = &model.decode(&latents, &longer, TokenizerKind::Subword, &[0, 0])[0];
    assert!(cut.tokens.len() == 2 && !cut.finished);
}
