//! Models that write targets for sources: they learn to, in one vocabulary and in two, and decode as they were scored.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::Tape;
use strait_model::{
    Autoencoder, Progress, Recipe, Trainer,
    config::{AttentionKind, NetworkKind},
    decoding::Options,
};
use strait_text::{TokenizerKind, tokenizer::EOS};

/// The first id that is no special token.
const FIRST: u32 = 5;
const VOCABULARY: usize = 13;

fn recipe(name: &str) -> Recipe {
    let mut recipe = Recipe::find(name).unwrap();
    (recipe.encoder.embedding, recipe.encoder.hidden, recipe.decoder.hidden) = (16, 16, 24);
    (recipe.encoder.dropout, recipe.decoder.dropout, recipe.objective.label_smoothing) = (0.0, 0.0, 0.0);
    if recipe.encoder.kind == NetworkKind::Transformer {
        (recipe.encoder.layers, recipe.decoder.layers) = (1, 1);
        (recipe.encoder.hidden, recipe.decoder.hidden) = (32, 32);
    }
    recipe.training.rate = 1e-2;
    recipe.check().unwrap();
    recipe
}

fn variants() -> Vec<Recipe> {
    let mut additive = recipe("seq2seq-lstm");
    (additive.attention.kind, additive.attention.coverage) = (AttentionKind::Additive, true);
    additive.encoder.kind = NetworkKind::Gru;
    additive.decoder.tied = false;
    let mut mixed = recipe("seq2seq-transformer");
    (mixed.decoder.kind, mixed.attention.heads) = (NetworkKind::Rnn, 2);
    let copies = |mut recipe: Recipe| {
        recipe.attention.copy = Some(true);
        recipe
    };
    let mut two_heads = copies(recipe("seq2seq-lstm"));
    two_heads.attention.heads = 2;
    let copying = [two_heads, copies(recipe("seq2seq-transformer"))];
    [recipe("seq2seq-lstm"), additive, recipe("seq2seq-transformer"), mixed].into_iter().chain(copying).collect()
}

/// Sequences of the vocabulary, and the same backward with every token moved on by one.
fn pairs() -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
    let source = |i: usize| -> Vec<u32> { (0..i % 4).map(|t| FIRST + ((i * 7 + t * 3) % 7) as u32).collect() };
    let sources: Vec<Vec<u32>> = (0..60).map(source).collect();
    let target = |s: &Vec<u32>| s.iter().rev().map(|&id| id + 1).collect();
    let targets = sources.iter().map(target).collect();
    (sources, targets)
}

fn train(model: &mut Autoencoder, steps: u64) {
    let (sources, targets) = pairs();
    let mut trainer = Trainer::new(model);
    let mut tape = Tape::new();
    for step in 0..steps {
        let mut rng = ChaCha8Rng::seed_from_u64(step);
        let batch = model.training_pairs(&sources, &targets, &mut rng);
        trainer.step(model, &mut tape, &batch, Progress { step, steps }, &mut rng).unwrap();
    }
}

#[test]
fn every_kind_learns_what_only_the_source_tells() {
    let (sources, targets) = pairs();
    for recipe in variants() {
        let mut model = Autoencoder::with_sources(&recipe, (VOCABULARY, Some(VOCABULARY - 1)), 1);
        assert_eq!((model.source_vocabulary(), model.latent_size()), (VOCABULARY - 1, 0));
        let before = model.score_pairs(&sources, &targets, &mut Vec::new());
        train(&mut model, 150);
        let after = model.score_pairs(&sources, &targets, &mut Vec::new());
        let kinds = (recipe.encoder.kind, recipe.decoder.kind);
        assert!(after.nats < 0.3 * before.nats, "{kinds:?}: {} {}", before.nats, after.nats);
        // Another source: another text.
        let swapped: Vec<Vec<u32>> = sources.iter().rev().cloned().collect();
        assert!(model.score_pairs(&swapped, &targets, &mut Vec::new()).nats > 2.0 * after.nats);
    }
}

#[test]
fn what_is_written_costs_what_the_score_says() {
    let (sources, _) = pairs();
    for recipe in variants() {
        let mut model = Autoencoder::new(&recipe, VOCABULARY, 2);
        train(&mut model, 30);
        for beam in [1, 3] {
            let options = Options { beam, max_len: 6, temperature: 0.8, ..Options::default() };
            let seeds: Vec<u64> = (0..sources.len() as u64).collect();
            let kind = TokenizerKind::Word;
            let written = model.generate_from(&sources, (&options, 2), kind, &seeds);
            for (i, outputs) in written.iter().enumerate().step_by(7) {
                // Alone it writes the same.
                assert_eq!(&model.generate_from(&sources[i..=i], (&options, 2), kind, &seeds[i..=i])[0], outputs);
                for output in outputs.iter().filter(|o| o.finished) {
                    let mut each = Vec::new();
                    model.score_pairs(&sources[i..=i], &[&output.tokens[..]], &mut each);
                    assert!((each[0] - output.nats).abs() < 1e-3 * (1.0 + each[0]), "{} {}", each[0], output.nats);
                }
            }
        }
        let looked = model.attention_of(&sources[3], &[FIRST, FIRST + 1], TokenizerKind::Word);
        assert_eq!(looked.len(), 3);
        assert!(looked.iter().all(|w| w.len() == sources[3].len() + 1 && (w.iter().sum::<f32>() - 1.0).abs() < 1e-4));
    }
}

#[test]
fn tokens_that_were_never_written_can_be_copied() {
    // Every text is to be given back; those of the last two tokens are not trained on.
    let text = |i: usize, first: usize| vec![FIRST + first as u32, FIRST + (first + i) as u32 % 2];
    let seen: Vec<Vec<u32>> = (0..24).map(|i| text(i, i % 6)).collect();
    let unseen: Vec<Vec<u32>> = (0..4).map(|i| text(i, 6 + i % 2)).collect();
    let cost = |copy: bool| {
        let mut recipe = recipe("seq2seq-lstm");
        recipe.attention.copy = Some(copy);
        let mut model = Autoencoder::new(&recipe, VOCABULARY, 1);
        let (mut trainer, mut tape) = (Trainer::new(&model), Tape::new());
        for step in 0..120 {
            let mut rng = ChaCha8Rng::seed_from_u64(step);
            let batch = model.training_pairs(&seen, &seen, &mut rng);
            trainer.step(&mut model, &mut tape, &batch, Progress { step, steps: 120 }, &mut rng).unwrap();
        }
        model.score_pairs(&unseen, &unseen, &mut Vec::new()).nats
    };
    let (without, with) = (cost(false), cost(true));
    assert!(with < 0.7 * without, "{without} nats without copying, {with} with it");
}

/// Recipes with a latent between source and target: with attention and without, of both kinds.
fn conditional() -> Vec<Recipe> {
    let made = |(kind, attention): (NetworkKind, AttentionKind)| {
        let mut recipe = Recipe::find("seq2seq-cvae").unwrap();
        (recipe.encoder.embedding, recipe.encoder.hidden, recipe.decoder.hidden) = (16, 16, 24);
        (recipe.encoder.dropout, recipe.decoder.dropout, recipe.decoder.word_dropout) = (0.0, 0.0, 0.8);
        (recipe.latent.size, recipe.attention.kind, recipe.training.rate) = (4, attention, 1e-2);
        if kind == NetworkKind::Transformer {
            (recipe.encoder.kind, recipe.decoder.kind) = (kind, kind);
            (recipe.encoder.layers, recipe.decoder.layers) = (1, 1);
            (recipe.encoder.heads, recipe.decoder.heads) = (2, 2);
        }
        recipe.check().unwrap();
        recipe
    };
    let kinds = [NetworkKind::Lstm, NetworkKind::Transformer];
    let attentions = [AttentionKind::Product, AttentionKind::None];
    kinds.into_iter().flat_map(|kind| attentions.map(|attention| (kind, attention))).map(made).collect()
}

/// Each source has two targets, which have no token in common.
fn open_pairs() -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
    let source = |i: usize| vec![FIRST + (i / 2 % 4) as u32; 2];
    let target = |i: usize| vec![FIRST + (i / 2 % 4) as u32 + 4 * (i % 2) as u32; 3];
    ((0..40).map(source).collect(), (0..40).map(target).collect())
}

#[test]
fn a_latent_tells_what_the_source_leaves_open() {
    let (sources, targets) = open_pairs();
    for (i, recipe) in conditional().into_iter().enumerate() {
        let mut model = Autoencoder::new(&recipe, VOCABULARY, 1);
        assert_eq!(model.latent_size(), 0, "no text of its own has a latent");
        let before = model.score_pairs(&sources, &targets, &mut Vec::new()).bound();
        let (mut trainer, mut tape) = (Trainer::new(&model), Tape::new());
        for step in 0..250 {
            let mut rng = ChaCha8Rng::seed_from_u64(step);
            let batch = model.training_pairs(&sources, &targets, &mut rng);
            let made = trainer.step(&mut model, &mut tape, &batch, Progress { step, steps: 250 }, &mut rng).unwrap();
            assert!(made.figures.iter().any(|(name, nats)| *name == "kl" && *nats >= 0.0));
        }
        let mut each = Vec::new();
        let after = model.score_pairs(&sources, &targets, &mut each);
        assert!((each.iter().sum::<f64>() - after.bound()).abs() < 1e-6 * after.bound());
        assert!(after.bound() < 0.5 * before && after.divergence > 0.3 * 40.0, "{i}: {before} {after:?}");
        // Without a temperature: what differs is the draw of the latent.
        let options = Options { max_len: 6, ..Options::default() };
        let kind = TokenizerKind::Word;
        let seeds: Vec<u64> = (0..sources.len() as u64).collect();
        let written = model.generate_from(&sources, (&options, 6), kind, &seeds);
        let right = |i: usize, ids: &[u32]| (0..2).any(|j| ids == targets[i / 2 * 2 + j]);
        let all = || written.iter().enumerate().flat_map(|(i, outputs)| outputs.iter().map(move |o| (i, &o.tokens)));
        let good = all().filter(|(i, ids)| right(*i, ids)).count();
        assert!(good * 10 > 7 * 240, "{i}: {good} of 240");
        let both = written.iter().filter(|outputs| outputs.iter().any(|o| o.tokens != outputs[0].tokens)).count();
        assert!(both > 25, "{i}: {both} of 40 sources have more than one target");
        // Each row depends on its own seed alone, in a beam as well; a single one is that of the mean.
        let beam = Options { beam: 2, ..options.clone() };
        for options in [&options, &beam] {
            let alone = model.generate_from(&sources[7..8], (options, 3), kind, &seeds[7..8]);
            assert_eq!(alone[0], model.generate_from(&sources, (options, 3), kind, &seeds)[7]);
            let single = |seed: u64| model.generate_from(&sources[..1], (options, 1), kind, &[seed]);
            assert_eq!(single(1), single(2));
        }
    }
}

#[test]
fn a_beam_that_finds_fewer_keeps_to_its_source() {
    let (sources, _) = pairs();
    let mut model = Autoencoder::new(&recipe("seq2seq-lstm"), VOCABULARY, 2);
    train(&mut model, 30);
    let kind = TokenizerKind::Word;
    let seeds: Vec<u64> = (0..sources.len() as u64).collect();
    // Groups that do not mind each other find the same text, and of one token each finds one.
    let options = Options { beam: 4, beam_groups: 4, diversity: 0.0, max_len: 1, ..Options::default() };
    let written = model.generate_from(&sources, (&options, 4), kind, &seeds);
    assert_eq!(written.len(), sources.len());
    for (i, outputs) in written.iter().enumerate() {
        assert!((1..4).contains(&outputs.len()), "{}", outputs.len());
        assert_eq!(&model.generate_from(&sources[i..=i], (&options, 4), kind, &seeds[i..=i])[0], outputs);
    }
}

#[test]
fn no_source_too_short_and_none_too_long() {
    let model = Autoencoder::new(&recipe("seq2seq-lstm"), VOCABULARY, 3);
    let options = Options { max_len: 5, ..Options::default() };
    let long = vec![FIRST; 700];
    let written = model.generate_from(&[&[][..], &long[..]], (&options, 1), TokenizerKind::Word, &[1, 2]);
    assert_eq!(written.len(), 2);
    assert!(written.iter().flatten().all(|o| o.tokens.len() <= 5 && !o.tokens.contains(&EOS)));
}

#[test]
fn recipes_that_cannot_be_are_refused() {
    let conditional = Recipe::find("seq2seq-cvae").unwrap();
    for (field, value, said) in [
        ("latent.kind", "point", "latent.kind"),
        ("latent.normalise", "batch", "latent.normalise"),
        ("latent.size", "0", "objective.regulariser.kind"),
        ("objective.regulariser.kind", "mmd", "objective.regulariser"),
    ] {
        let error = conditional.with(field, value).unwrap_err().to_string();
        assert!(error.contains(said), "{field}: {error}");
    }
    let transformer = Recipe::find("seq2seq-transformer").unwrap();
    assert!(transformer.with("attention.kind", "none").unwrap_err().to_string().contains("attention.kind"));
    let recipe = recipe("seq2seq-lstm");
    for (field, value) in [
        ("encoder.kind", "bag"),
        ("encoder.kind", "none"),
        ("decoder.kind", "window"),
        ("latent.size", "8"),
        ("attention.coverage", "true"),
        ("attention.heads", "5"),
    ] {
        let error = recipe.with(field, value).unwrap_err().to_string();
        assert!(error.contains("seq2seq") || error.contains("attention"), "{error}");
    }
    let copying = recipe.with("attention.copy", "true").unwrap();
    for (field, value) in [("attention.kind", "additive"), ("tokenizer.joint", "false")] {
        assert!(copying.with(field, value).unwrap_err().to_string().contains("attention.copy"), "{field}");
    }
}
