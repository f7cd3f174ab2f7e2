//! Draws: their frequencies, seeds and independence from the batch.

use super::super::sample::Sampler;
use super::super::scan::scan;
use super::*;

/// Rows drawn for each frequency.
const ROWS: u64 = 20_000;

/// Relative frequency of each first token over many rows that start from probabilities `p`.
fn frequencies(p: &[f32], options: &Options) -> Vec<f64> {
    let rows: Vec<Vec<f32>> = vec![p.to_vec(); p.len()];
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let seeds: Vec<u64> = (0..ROWS).collect();
    let options = Options { max_len: 1, ..options.clone() };
    options.check().expect("the options make sense");
    let mut counts = vec![0u32; p.len()];
    for output in decode(&mut Table::of(&rows, seeds.len()), &options, SPECIAL, &seeds) {
        counts[output.tokens.first().map_or(1, |&token| token as usize)] += 1;
    }
    counts.into_iter().map(|count| f64::from(count) / ROWS as f64).collect()
}

/// Checks the frequencies of draws against weights that need not sum to one, within five standard errors; zero means never.
fn assert_draws(p: &[f32], options: Options, weights: &[f64]) {
    let total: f64 = weights.iter().sum();
    let drawn = frequencies(p, &options);
    for (token, (&frequency, weight)) in drawn.iter().zip(weights).enumerate() {
        let expected = weight / total;
        let error = (expected * (1.0 - expected) / ROWS as f64).sqrt();
        assert!((frequency - expected).abs() <= 5.0 * error, "token {token}: {frequency} for {expected}");
    }
}

/// Tokens 0 and 1 are bos (banned) and eos.
const P: [f32; 6] = [0.0, 0.05, 0.4, 0.3, 0.2, 0.05];

#[test]
fn plain_draws_follow_the_model() {
    assert_draws(&P, drawing(), &[0.0, 0.05, 0.4, 0.3, 0.2, 0.05]);
}

#[test]
fn bans_renormalise() {
    assert_draws(&P, Options { banned: vec![vec![2]], ..drawing() }, &[0.0, 0.05, 0.0, 0.3, 0.2, 0.05]);
}

#[test]
fn temperature_is_a_power() {
    for temperature in [0.5, 2.0] {
        let weights = P.map(|p| f64::from(p).powf(1.0 / f64::from(temperature)));
        assert_draws(&P, Options { temperature, ..drawing() }, &weights);
    }
}

#[test]
fn tiny_and_huge_temperatures() {
    assert_draws(&P, Options { temperature: 1e-44, ..drawing() }, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    assert_draws(&P, Options { temperature: f32::MAX, ..drawing() }, &[0.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
}

#[test]
fn top_k_keeps_the_most_likely() {
    assert_draws(&P, Options { top_k: 2, ..drawing() }, &[0.0, 0.0, 0.4, 0.3, 0.0, 0.0]);
    // 1 and 5 tie for the fourth place: the lower id has it.
    assert_draws(&P, Options { top_k: 4, ..drawing() }, &[0.0, 0.05, 0.4, 0.3, 0.2, 0.0]);
    assert_draws(&P, Options { top_k: 1, ..drawing() }, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    assert_draws(&P, Options { top_k: 100, ..drawing() }, &P.map(f64::from));
}

#[test]
fn top_p_keeps_the_nucleus() {
    assert_draws(&P, Options { top_p: 0.7, ..drawing() }, &[0.0, 0.0, 0.4, 0.3, 0.0, 0.0]);
    assert_draws(&P, Options { top_p: 0.71, ..drawing() }, &[0.0, 0.0, 0.4, 0.3, 0.2, 0.0]);
    assert_draws(&P, Options { top_p: 0.92, ..drawing() }, &[0.0, 0.05, 0.4, 0.3, 0.2, 0.0]);
    // 0.6 is a little more in f32: 0.3 + 0.3 must still reach it.
    let pairs = [0.0, 0.0, 0.3, 0.3, 0.2, 0.2];
    assert_draws(&pairs, Options { top_p: 0.6, ..drawing() }, &[0.0, 0.0, 0.3, 0.3, 0.0, 0.0]);
    assert_draws(&P, Options { top_p: 1e-6, ..drawing() }, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn min_p_is_relative_to_the_most_likely() {
    assert_draws(&P, Options { min_p: 0.5, ..drawing() }, &[0.0, 0.0, 0.4, 0.3, 0.2, 0.0]);
    assert_draws(&P, Options { min_p: 0.51, ..drawing() }, &[0.0, 0.0, 0.4, 0.3, 0.0, 0.0]);
    assert_draws(&P, Options { min_p: 1.0, ..drawing() }, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn typical_keeps_information_near_the_entropy() {
    // H = 1.348 nats; |-log p - H|: 0.43 for 0.4, 0.14 for 0.3, 0.26 for 0.2, 1.65 for 0.05.
    assert_draws(&P, Options { typical: 0.25, ..drawing() }, &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_draws(&P, Options { typical: 0.45, ..drawing() }, &[0.0, 0.0, 0.0, 0.3, 0.2, 0.0]);
    assert_draws(&P, Options { typical: 0.6, ..drawing() }, &[0.0, 0.0, 0.4, 0.3, 0.2, 0.0]);
}

#[test]
fn truncations_compose_in_order() {
    // top-k leaves 0.4, 0.3, 0.2; of these 4/9 + 3/9 reach 0.75; min-p drops none at 0.7.
    let options = Options { top_k: 3, top_p: 0.75, min_p: 0.7, ..drawing() };
    assert_draws(&P, options.clone(), &[0.0, 0.0, 0.4, 0.3, 0.0, 0.0]);
    assert_draws(&P, Options { min_p: 0.8, ..options }, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
}

/// The tokens of lowest rank that reach `mass`, by sorting everything; ascending.
fn kept_by_sort(p: &[f64], rank: impl Fn(f64) -> f64, mass: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| rank(p[a]).total_cmp(&rank(p[b])));
    let mut reached = 0.0;
    let enough = order.iter().position(|&id| {
        reached += p[id];
        reached >= mass
    });
    order.truncate(enough.map_or(p.len(), |place| place + 1));
    order.sort();
    order
}

#[test]
fn truncations_agree_with_a_full_sort() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for vocabulary in [3, 40, 700] {
        let logits: Vec<f32> = (0..vocabulary).map(|_| rng.random_range(-4.0..4.0)).collect();
        let total: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
        let p: Vec<f64> = logits.iter().map(|&logit| f64::from(logit).exp() / total).collect();
        let entropy: f64 = -p.iter().map(|p| p * p.ln()).sum::<f64>();
        for mass in [0.3f32, 0.6, 0.95] {
            let nucleus = kept_by_sort(&p, |p| -p, f64::from(mass));
            assert_eq!(drawable(&logits, &Options { top_p: mass, ..drawing() }), nucleus, "V = {vocabulary}");
            let top_k = Options { top_k: nucleus.len(), ..drawing() };
            assert_eq!(drawable(&logits, &top_k), nucleus, "V = {vocabulary}");
            let typical = kept_by_sort(&p, |p| (-p.ln() - entropy).abs(), f64::from(mass));
            assert_eq!(drawable(&logits, &Options { typical: mass, ..drawing() }), typical, "V = {vocabulary}");
        }
    }
}

/// The tokens the sampler leaves to draw from, in the order of the draw.
fn drawable(logits: &[f32], options: &Options) -> Vec<usize> {
    let mut sampler = Sampler::default();
    let best = scan(logits).best.expect("there are numbers");
    sampler.draw(options, logits, best, &mut ChaCha8Rng::seed_from_u64(0));
    sampler.candidates().map(|token| token as usize).collect()
}

#[test]
fn plain_draws_reach_every_block() {
    let mut logits = vec![f32::NEG_INFINITY; 1100];
    let expected = [(2, 0.1f64), (300, 0.3), (301, 0.2), (1099, 0.4)];
    for (token, p) in expected {
        logits[token] = p.ln() as f32;
    }
    let (mut sampler, mut counts) = (Sampler::default(), vec![0u32; logits.len()]);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..ROWS {
        counts[sampler.draw(&drawing(), &logits, (1099, logits[1099]), &mut rng) as usize] += 1;
    }
    for (token, p) in expected {
        assert!((f64::from(counts[token]) / ROWS as f64 - p).abs() < 5.0 * (p * (1.0 - p) / ROWS as f64).sqrt());
    }
}

#[test]
fn a_row_does_not_depend_on_its_batch() {
    for options in [drawing(), Options { top_p: 0.8, ..drawing() }, Options { temperature: 0.0, beam: 3, ..drawing() }]
    {
        let seeds: Vec<u64> = (0..9).collect();
        let together = decode(&mut Table::random(6, 9, 1), &options, SPECIAL, &seeds);
        let lengths: std::collections::HashSet<usize> = together.iter().map(|output| output.tokens.len()).collect();
        assert!(lengths.len() > 1 || options.beam > 1, "rows must leave at different times");
        for (row, &seed) in seeds.iter().enumerate() {
            assert_eq!(decode(&mut Table::random(6, 1, 1), &options, SPECIAL, &[seed])[0], together[row]);
        }
        let backwards: Vec<u64> = seeds.iter().rev().copied().collect();
        let mut reversed = decode(&mut Table::random(6, 9, 1), &options, SPECIAL, &backwards);
        reversed.reverse();
        assert_eq!(reversed, together);
    }
}

#[test]
fn seeds_reproduce_and_differ() {
    let options = Options { max_len: 30, banned: vec![vec![1]], ..drawing() };
    let run = |seeds: &[u64]| decode(&mut Table::random(6, 2, 1), &options, SPECIAL, seeds);
    assert_eq!(run(&[4, 5]), run(&[4, 5]));
    let outputs = run(&[4, 5]);
    assert_ne!(outputs[0], outputs[1]);
    assert_eq!(run(&[4, 4])[0], run(&[4, 4])[1]);
}

#[test]
fn finished_rows_cost_nothing() {
    let seeds: Vec<u64> = (0..50).collect();
    let mut model = Table::random(6, 50, 1);
    let outputs = decode(&mut model, &drawing(), SPECIAL, &seeds);
    let steps = |output: &Output| output.tokens.len() + usize::from(output.finished);
    assert_eq!(model.fed.iter().sum::<usize>(), outputs.iter().map(steps).sum::<usize>());
    assert_eq!(model.fed.len(), outputs.iter().map(steps).max().expect("there are rows"));
}

#[test]
fn no_rows_no_work() {
    let mut model = Table::random(6, 0, 1);
    assert!(decode(&mut model, &drawing(), SPECIAL, &[]).is_empty());
    assert!(decode(&mut model, &Options { beam: 2, ..greedy(3) }, SPECIAL, &[]).is_empty());
    assert!(model.fed.is_empty());
}
