//! Beam search against exhaustive search.

use super::super::decode_nbest;
use super::*;

/// Every sequence up to `max_len` tokens: (log p, scored length, tokens, finished).
fn enumerate(model: &Table, max_len: usize) -> Vec<(f64, usize, Vec<u32>, bool)> {
    let mut done = Vec::new();
    let mut open = vec![(0.0, vec![SPECIAL.bos])];
    while let Some((score, history)) = open.pop() {
        for (token, log_p) in model.log_p(&history).into_iter().enumerate() {
            let tokens = history[1..].to_vec();
            let extended = [history.as_slice(), &[token as u32]].concat();
            match token as u32 {
                0 => {}
                1 => done.push((score + log_p, tokens.len() + 1, tokens, true)),
                _ if tokens.len() + 1 == max_len => {
                    done.push((score + log_p, max_len, extended[1..].to_vec(), false));
                }
                _ => open.push((score + log_p, extended)),
            }
        }
    }
    done
}

/// The same, best first under a length penalty.
fn ranked(model: &Table, max_len: usize, alpha: f64) -> Vec<(f64, usize, Vec<u32>, bool)> {
    let mut all = enumerate(model, max_len);
    let rank = |score: f64, length: usize| score / ((5.0 + length as f64) / 6.0).powf(alpha);
    all.sort_by(|a, b| rank(b.0, b.1).total_cmp(&rank(a.0, a.1)));
    all
}

#[test]
fn a_wide_beam_is_exhaustive() {
    for seed in 0..25 {
        for alpha in [0.0, 0.6, 1.0, 3.0] {
            let model = Table::random(5, 2, seed);
            let options = Options { beam: 400, length_penalty: alpha, ..greedy(4) };
            let lists = decode_nbest(&mut model.clone(), &options, SPECIAL, 10);
            let expected = ranked(&model, 4, f64::from(alpha));
            for list in &lists {
                assert_eq!(list.len(), 10);
                for (output, (score, _, tokens, finished)) in list.iter().zip(&expected) {
                    assert_eq!((&output.tokens, output.finished), (tokens, *finished), "seed {seed}, alpha {alpha}");
                    assert!((output.nats + score).abs() < 1e-5);
                }
            }
        }
    }
}

#[test]
fn early_stop_loses_nothing() {
    // The best sequence alone stops early; among the ten best the search goes on: the best must be the same.
    for seed in 0..25 {
        let options = Options { beam: 300, length_penalty: 0.8, ..greedy(4) };
        let (mut short, mut long) = (Table::random(5, 1, seed), Table::random(5, 1, seed));
        let best = decode(&mut short, &options, SPECIAL, &[0]).remove(0);
        let list = decode_nbest(&mut long, &options, SPECIAL, 300).remove(0);
        assert_eq!(best, list[0]);
        assert!(short.fed.len() <= long.fed.len());
    }
}

#[test]
fn stops_when_nothing_can_win() {
    // Ending at once has p; what is left has 1 - p, and a tie is no win.
    for p in [0.9, 0.5] {
        let mut model = Table::of(&[&[0.0, p, 1.0 - p], &[0.3; 3], &[0.0, 0.1, 0.9]], 1);
        let output = decode(&mut model, &Options { beam: 2, ..greedy(100) }, SPECIAL, &[0]).remove(0);
        assert_eq!((output.tokens.len(), output.finished), (0, true));
        assert_eq!(model.fed, [1]);
    }
}

#[test]
fn goes_on_while_length_may_still_win() {
    // log 0.5 = -0.69 at length 1 against log 0.45 = -0.80 over 10/6 at length 5.
    let chain: [&[f32]; 6] = [
        &[0.0, 0.5, 0.45, 0.05, 0.0, 0.0],
        &[0.2; 6],
        &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        &[0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        &[0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
    ];
    let options = Options { beam: 2, length_penalty: 1.0, ..greedy(9) };
    let output = decode(&mut Table::of(&chain, 1), &options, SPECIAL, &[0]).remove(0);
    assert_eq!((output.tokens.as_slice(), output.finished), ([2, 3, 4, 5].as_slice(), true));
}

#[test]
fn an_end_must_be_among_the_best() {
    // Ending at once has 0.1, more than any longer text, but it is third of three in a beam of two.
    let go_on: &[f32] = &[0.0, 0.25, 0.4, 0.35];
    let chain: [&[f32]; 4] = [&[0.0, 0.1, 0.5, 0.4], &[0.25; 4], go_on, go_on];
    let output = decode(&mut Table::of(&chain, 1), &Options { beam: 2, ..greedy(4) }, SPECIAL, &[0]).remove(0);
    assert_eq!(output.tokens, [2; 4]);

    // The second step ranks [2 end] 0.225, [2 4] 0.15, [3 end] 0.14, [3 4] 0.13: the end of [3] is third.
    let chain: [&[f32]; 5] = [
        &[0.0, 0.0, 0.5, 0.5, 0.0],
        &[0.2; 5],
        &[0.0, 0.45, 0.25, 0.0, 0.3],
        &[0.0, 0.28, 0.23, 0.23, 0.26],
        &[0.0, 0.3, 0.3, 0.2, 0.2],
    ];
    let list = decode_nbest(&mut Table::of(&chain, 1), &Options { beam: 2, ..greedy(4) }, SPECIAL, 2).remove(0);
    assert_eq!([list[0].tokens.as_slice(), list[1].tokens.as_slice()], [[2].as_slice(), &[2, 4]]);
}

#[test]
fn an_end_takes_no_place_in_the_beam() {
    // Beside the end (0.4), both 2 and 3 must live on: the second best text goes through 3.
    let chain: [&[f32]; 4] = [&[0.0, 0.4, 0.35, 0.25], &[0.25; 4], &[0.0, 0.2, 0.4, 0.4], &[0.0, 1.0, 0.0, 0.0]];
    let list = decode_nbest(&mut Table::of(&chain, 1), &Options { beam: 2, ..greedy(9) }, SPECIAL, 2).remove(0);
    assert_eq!([list[0].tokens.as_slice(), list[1].tokens.as_slice()], [&[], [3].as_slice()]);
}

#[test]
fn finds_what_greedy_misses() {
    // Greedy goes 2 (0.6) then ends (0.4): 0.24; the beam finds 3 (0.4) then ends (1.0): 0.4.
    let chain: [&[f32]; 5] =
        [&[0.0, 0.0, 0.6, 0.4, 0.0], &[0.2; 5], &[0.0, 0.4, 0.0, 0.3, 0.3], &[0.0, 1.0, 0.0, 0.0, 0.0], &[0.2; 5]];
    let run = |beam| decode(&mut Table::of(&chain, 1), &Options { beam, ..greedy(9) }, SPECIAL, &[0]).remove(0);
    assert_eq!(run(1).tokens, [2]);
    assert_eq!(run(2).tokens, [3]);
}

#[test]
fn length_penalty_favours_longer_texts() {
    let chain: [&[f32]; 4] = [&[0.0, 0.4, 0.6, 0.0], &[0.25; 4], &[0.0, 0.3, 0.0, 0.7], &[0.0, 0.9, 0.0, 0.1]];
    let run = |length_penalty| {
        let options = Options { beam: 4, length_penalty, ..greedy(2) };
        decode(&mut Table::of(&chain, 1), &options, SPECIAL, &[0]).remove(0).tokens
    };
    // log 0.42 = -0.868 over (7/6)^alpha against log 0.4 = -0.916, and log 0.18 for [2].
    assert_eq!(run(0.0), [2, 3]);
    let flat: [&[f32]; 4] = [&[0.0, 0.45, 0.55, 0.0], &[0.25; 4], &[0.0, 0.3, 0.0, 0.7], &[0.0, 0.9, 0.0, 0.1]];
    let run = |length_penalty| {
        let options = Options { beam: 4, length_penalty, ..greedy(2) };
        decode(&mut Table::of(&flat, 1), &options, SPECIAL, &[0]).remove(0).tokens
    };
    // log 0.45 = -0.799 against log 0.385 = -0.955 over (7/6)^alpha: equal near alpha = 1.16.
    assert!(run(1.1).is_empty());
    assert_eq!(run(1.2), [2, 3]);
}

#[test]
fn width_one_is_greedy() {
    for seed in 0..30 {
        let options = Options { repetition_penalty: 1.2, no_repeat_ngram: 3, ..greedy(15) };
        let beam = decode_nbest(&mut Table::random(7, 2, seed), &options, SPECIAL, 1);
        let greedy = decode(&mut Table::random(7, 2, seed), &options, SPECIAL, &[0, 1]);
        assert_eq!(beam.concat(), greedy);
    }
}

#[test]
fn lists_are_sorted_and_distinct() {
    for seed in 0..20 {
        let options = Options { beam: 6, ..greedy(10) };
        for list in decode_nbest(&mut Table::random(8, 3, seed), &options, SPECIAL, 6) {
            assert_eq!(list.len(), 6);
            assert!(list.windows(2).all(|pair| pair[0].nats <= pair[1].nats && pair[0].tokens != pair[1].tokens));
        }
    }
}

/// Diverse beam search of texts that do not end, by its definition, every continuation of every hypothesis ranked: the
/// outputs of each group.
fn diverse_slowly(model: &Table, options: &Options) -> Vec<Vec<Vec<u32>>> {
    let (groups, width) = (options.beam_groups, options.beam / options.beam_groups);
    let mut alive = vec![vec![(0.0, vec![SPECIAL.bos])]; groups];
    let mut done: Vec<Vec<(f64, Vec<u32>)>> = vec![Vec::new(); groups];
    for length in 1..=options.max_len {
        let mut chosen: Vec<u32> = Vec::new();
        for g in 0..groups {
            let mut all: Vec<(f64, f64, usize, u32)> = Vec::new();
            for (parent, (score, history)) in alive[g].iter().enumerate() {
                for (token, log_p) in model.log_p(history).into_iter().enumerate().skip(2) {
                    let times = chosen.iter().filter(|&&c| c == token as u32).count() as f64;
                    let score = score + log_p;
                    all.push((score - f64::from(options.diversity) * times, score, parent, token as u32));
                }
            }
            all.sort_by(|a, b| b.0.total_cmp(&a.0));
            let on = all.iter().take(width);
            let next: Vec<_> = on.map(|c| (c.1, [alive[g][c.2].1.as_slice(), &[c.3]].concat())).collect();
            chosen.extend(next.iter().map(|(_, history)| history[history.len() - 1]));
            if length == options.max_len {
                done[g].extend(next.iter().map(|(score, history)| (*score, history[1..].to_vec())));
            }
            alive[g] = next;
        }
    }
    for pool in &mut done {
        pool.sort_by(|a, b| b.0.total_cmp(&a.0));
        pool.truncate(width);
    }
    done.into_iter().map(|pool| pool.into_iter().map(|(_, tokens)| tokens).collect()).collect()
}

#[test]
fn diverse_beams_equal_the_definition() {
    for seed in 0..30 {
        for (beam, beam_groups, diversity) in [(6, 3, 0.7), (4, 2, 2.0), (3, 3, 0.3), (4, 1, 0.0)] {
            let model = Table::random(7, 1, seed);
            let options = Options { beam, beam_groups, diversity, banned: vec![vec![1]], ..greedy(5) };
            let groups = diverse_slowly(&model, &options);
            let list = decode_nbest(&mut model.clone(), &options, SPECIAL, beam).remove(0);
            let mut found: Vec<&Vec<u32>> = list.iter().map(|output| &output.tokens).collect();
            let mut expected: Vec<&Vec<u32>> = groups.iter().flatten().collect();
            let best = expected.iter().map(|t| model.log_p_of(t)).fold(f64::NEG_INFINITY, f64::max);
            assert!((model.log_p_of(found[0]) - best).abs() < 1e-9, "the best of all comes first");
            found.sort();
            expected.sort();
            expected.dedup();
            assert_eq!(found, expected, "seed {seed}, {beam} in {beam_groups}");
        }
    }
}

#[test]
fn groups_begin_apart_by_hand() {
    // 2 has 0.6, 3 has 0.3, 4 has 0.1: the second group goes on with 3 once 2 costs more than log 2, the third with 4.
    let first: &[f32] = &[0.0, 0.0, 0.6, 0.3, 0.1];
    let end: &[f32] = &[0.0, 1.0, 0.0, 0.0, 0.0];
    let chain: [&[f32]; 5] = [first, &[0.2; 5], end, end, end];
    let list = |diversity| {
        let options = Options { beam: 3, beam_groups: 3, diversity, ..greedy(4) };
        let list = decode_nbest(&mut Table::of(&chain, 2), &options, SPECIAL, 3).remove(1);
        list.into_iter().map(|output| output.tokens).collect::<Vec<_>>()
    };
    assert_eq!(list(3.0), [vec![2], vec![3], vec![4]]);
    assert_eq!(list(0.8), [vec![2], vec![3]], "the third pays 0.8 for 2 and for 3, and 2 is still the best");
    assert_eq!(list(0.1), [vec![2]]);
}
