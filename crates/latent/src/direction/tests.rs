use super::*;
use crate::density::column_means;
use crate::labels::Labels;
use crate::matrix::{Matrix, MatrixBuf};
use crate::probe::Probe;
use crate::testing::{in_threads, normal, shifted};

const DIM: usize = 32;

/// Rows whose dimension j has standard deviation 1 / (j + 1), whose second class is moved by `by` standard deviations
/// in each of the first four dimensions, and that are then moved by `length` times a number each along dimensions 5 and
/// 6; the true move, the labels and the numbers.
struct Made {
    rows: MatrixBuf,
    labels: Labels,
    truth: Vec<f64>,
    lengths: Vec<f64>,
}

fn made(n: usize, by: f32, length: f32, seed: u64) -> Made {
    let noise = normal(n, DIM + 1, seed);
    let sd = |j: usize| 1.0 / (j + 1) as f32;
    let codes: Vec<usize> = (0..n).map(|i| i % 2).collect();
    // Long texts are more often of the second class.
    let lengths: Vec<f64> = (0..n).map(|i| f64::from(noise.row(i)[DIM]) + 0.5 * codes[i] as f64).collect();
    let value = |i: usize, j: usize| {
        let class = if j < 4 { by * codes[i] as f32 } else { 0.0 };
        let long = if (4..6).contains(&j) { length * lengths[i] as f32 } else { 0.0 };
        sd(j) * (noise.row(i)[j] + class + long)
    };
    let rows = (0..n * DIM).map(|at| value(at / DIM, at % DIM)).collect();
    let truth = (0..DIM).map(|j| if j < 4 { f64::from(by * sd(j)) } else { 0.0 }).collect();
    let labels = Labels::new(vec!["low".into(), "high".into()], codes).unwrap();
    Made { rows: MatrixBuf::new(rows, DIM).unwrap(), labels, truth, lengths }
}

/// Cosine after whitening.
fn agreement(a: &[f64], b: &[f64], metric: &Gaussian) -> f64 {
    let (a, b) = (metric.whiten(a), metric.whiten(b));
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}

fn with(method: Method) -> DirectionOptions<'static> {
    DirectionOptions { method, ..DirectionOptions::default() }
}

/// From the first class to the second.
fn find(rows: Matrix, labels: &Labels, metric: &Gaussian, options: &DirectionOptions) -> Direction {
    Direction::fit(&Sides::of_class(rows, labels, 1, Some(0)).unwrap(), metric, options).unwrap()
}

#[test]
fn many_examples_give_the_true_move_and_its_length() {
    let Made { rows, labels, truth, .. } = made(6000, 1.0, 0.0, 1);
    let metric = Gaussian::fit(rows.view()).unwrap();
    for method in [Method::Discriminant, Method::Means, Method::Probe(1.0)] {
        let found = find(rows.view(), &labels, &metric, &with(method));
        assert!(agreement(&found.vector, &truth, &metric) > 0.98, "{method:?}");
        for (v, t) in found.vector.iter().zip(&truth) {
            assert!((v - t).abs() < 0.12, "{method:?} {:?}", found.vector);
        }
        // Means 2 apart in the metric of each side: Phi(2 / sqrt 2) = 0.921.
        assert!((found.auc - 0.921).abs() < 0.015 && found.shrinkage > 0.95, "{method:?} {found:?}");
        assert!((dot(&found.reading, &found.vector) - 1.0).abs() < 1e-9 && found.kept == 1.0);
        let positions: Vec<f64> = rows.view().iter().map(|z| found.position(z).unwrap()).collect();
        let mean = |class: usize| positions.iter().skip(class).step_by(2).sum::<f64>() / 3000.0;
        assert!(mean(0).abs() < 0.03 && (mean(1) - 1.0).abs() < 0.03, "{} {}", mean(0), mean(1));
    }
}

#[test]
fn twenty_examples_a_side_and_which_method_makes_most_of_them() {
    let corpus = made(3000, 1.0, 0.0, 2);
    let metric = Gaussian::fit(corpus.rows.view()).unwrap();
    let mean_agreement = |method: Method| {
        let one = |seed: u64| {
            let few = made(40, 1.0, 0.0, 100 + seed);
            let found = find(few.rows.view(), &few.labels, &metric, &with(method));
            agreement(&found.vector, &few.truth, &metric)
        };
        (0..12).map(one).sum::<f64>() / 12.0
    };
    let (discriminant, means) = (mean_agreement(Method::Discriminant), mean_agreement(Method::Means));
    let probe = mean_agreement(Method::Probe(1.0));
    assert!(discriminant > 0.83, "{discriminant}");
    assert!(discriminant > means + 0.15 && probe > means, "{discriminant} {means} {probe}");
}

#[test]
fn few_examples_shrink_the_scale() {
    // In 32 dimensions the means of 10 examples a side differ by chance about as much as by their classes.
    let corpus = made(3000, 1.0, 0.0, 3);
    let metric = Gaussian::fit(corpus.rows.view()).unwrap();
    let few = made(20, 1.0, 0.0, 4);
    let found = find(few.rows.view(), &few.labels, &metric, &with(Method::Means));
    assert!(found.shrinkage < 0.85, "{found:?}");
    let noise = normal(20, DIM, 5);
    let found = find(noise.view(), &few.labels, &metric, &DirectionOptions::default());
    assert!(found.auc < 0.8 && found.shrinkage < 0.5, "{found:?}");
}

#[test]
fn length_is_left_alone_if_asked_for() {
    let Made { rows, labels, lengths, .. } = made(4000, 1.0, 2.0, 6);
    let metric = Gaussian::fit(rows.view()).unwrap();
    let length = [Pattern::new("length", rows.view(), Attribute::Numeric(&lengths)).unwrap()];
    let plain = find(rows.view(), &labels, &metric, &DirectionOptions::default());
    let options = DirectionOptions { remove: &length, ..DirectionOptions::default() };
    let pure = find(rows.view(), &labels, &metric, &options);
    let change = |found: &Direction| length[0].change(&found.vector, &metric).unwrap()[0];
    assert!(change(&plain) > 0.2, "{}", change(&plain));
    assert!(change(&pure).abs() < 1e-9 && pure.kept < 1.0 && pure.kept > 0.8, "{} {pure:?}", change(&pure));
    assert!(pure.auc > 0.85, "{pure:?}");
    // The dimensions of length move less, those of the class stay.
    let moved = |found: &Direction| found.vector[4].abs() / found.vector[0];
    assert!(moved(&pure) < 0.5 * moved(&plain), "{:?} {:?}", pure.vector, plain.vector);
}

#[test]
fn classes_are_left_alone_if_asked_for() {
    // Four classes in all combinations of two factors; the first is sought, the second removed and the probes say so.
    let mut values = normal(2000, 6, 7).into_data();
    let codes = |i: usize| (i % 2, i / 2 % 2);
    values.chunks_exact_mut(6).enumerate().for_each(|(i, row)| {
        let (first, second) = codes(i);
        row[0] += 2.0 * first as f32;
        row[1] += first as f32 + 2.0 * second as f32;
    });
    let rows = MatrixBuf::new(values, 6).unwrap();
    let names = || vec!["no".to_owned(), "yes".to_owned()];
    let first = Labels::new(names(), (0..2000).map(|i| codes(i).0).collect()).unwrap();
    let second = Labels::new(names(), (0..2000).map(|i| codes(i).1).collect()).unwrap();
    let metric = Gaussian::fit(rows.view()).unwrap();
    let patterns = [Pattern::new("second", rows.view(), Attribute::Categorical(&second)).unwrap()];
    let options = DirectionOptions { remove: &patterns, ..DirectionOptions::default() };
    let plain = find(rows.view(), &first, &metric, &DirectionOptions::default());
    let pure = find(rows.view(), &first, &metric, &options);
    let probe = Probe::fit(rows.view(), &second, 1.0).unwrap();
    let effect = |found: &Direction| effects(found, &probe, rows.view()).unwrap()[1].clone();
    let (with_it, without) = (effect(&plain), effect(&pure));
    assert!(without.in_deviations.abs() < 0.1 && (without.after - without.before).abs() < 0.02, "{without:?}");
    assert_eq!((with_it.class.as_str(), effects(&pure, &probe, rows.view()).unwrap().len()), ("yes", 2));
    let own = effects(&pure, &Probe::fit(rows.view(), &first, 1.0).unwrap(), rows.view()).unwrap()[1].clone();
    assert!(own.in_deviations > 1.0 && own.after > own.before + 0.25, "{own:?}");
}

#[test]
fn effects_are_the_slopes_of_the_scores() {
    let Made { rows, labels, .. } = made(300, 1.0, 1.0, 8);
    let metric = Gaussian::fit(rows.view()).unwrap();
    let found = find(rows.view(), &labels, &metric, &DirectionOptions::default());
    let three = Labels::new(["a", "b", "c"].map(String::from).to_vec(), (0..300).map(|i| i % 3).collect()).unwrap();
    let probe = Probe::fit(rows.view(), &three, 1.0).unwrap();
    let score = |z: &[f32], class: usize| {
        let logits = probe.logits(Matrix::new(z, DIM).unwrap()).unwrap();
        logits[class] - logits.iter().sum::<f64>() / 3.0
    };
    for (class, effect) in effects(&found, &probe, rows.view()).unwrap().iter().enumerate() {
        let z = rows.row(7);
        let slope = score(&found.moved(z, 1.0).unwrap(), class) - score(z, class);
        assert!((slope - effect.score).abs() < 1e-4, "{slope} {effect:?}"); // latents are f32
    }
}

#[test]
fn a_latent_is_moved_to_a_position_and_a_direction_comes_back_from_its_file() {
    let (rows, labels) = shifted(60, 4, 3.0, 9);
    let metric = Gaussian::fit(rows.view()).unwrap();
    let found = find(rows.view(), &labels, &metric, &DirectionOptions::default());
    let there = found.moved_to(rows.row(0), 1.5).unwrap();
    assert!((found.position(&there).unwrap() - 1.5).abs() < 1e-5);
    let text = serde_json::to_string(&found).unwrap();
    let back: Direction = serde_json::from_str(&text).unwrap();
    assert!((back.position(rows.row(3)).unwrap() - found.position(rows.row(3)).unwrap()).abs() < 1e-12);
    // The other way round the positions are mirrored.
    let halves = |class: usize| rows.view().select(&labels.rows_of(class)).unwrap();
    let (low, high) = (halves(0), halves(1));
    let from = |low: &MatrixBuf, high: &MatrixBuf| {
        let sides = Sides::new(low.view(), high.view()).unwrap();
        Direction::fit(&sides, &metric, &DirectionOptions::default()).unwrap()
    };
    let (there, back) = (from(&low, &high), from(&high, &low));
    there.vector.iter().zip(&back.vector).for_each(|(a, b)| assert!((a + b).abs() < 0.1 * a.abs().max(1.0), "{a} {b}"));
}

#[test]
fn threads_change_no_bit() {
    let Made { rows, labels, .. } = made(60, 1.0, 0.0, 10);
    let metric = Gaussian::fit(rows.view()).unwrap();
    let found = || find(rows.view(), &labels, &metric, &with(Method::Probe(1.0)));
    assert_eq!(in_threads(1, found), in_threads(3, found));
}

#[test]
fn patterns_are_those_of_the_definition() {
    let Made { rows, lengths, labels, .. } = made(50, 1.0, 1.0, 11);
    // The regression of a number on the latents that it is made of predicts it exactly.
    let metric = Gaussian::fit(rows.view()).unwrap();
    let numbers: Vec<f64> = rows.view().iter().map(|z| f64::from(z[3])).collect();
    let pattern = Pattern::new("third", rows.view(), Attribute::Numeric(&numbers)).unwrap();
    let means = column_means(rows.view());
    let sd = (numbers.iter().map(|v| (v - means[3]).powi(2)).sum::<f64>() / 50.0).sqrt();
    let mut unit = vec![0.0; DIM];
    unit[3] = sd;
    let many = made(20_000, 1.0, 1.0, 12);
    let metric_of_many = Gaussian::fit(many.rows.view()).unwrap();
    let numbers: Vec<f64> = many.rows.view().iter().map(|z| f64::from(z[3])).collect();
    let exact = Pattern::new("third", many.rows.view(), Attribute::Numeric(&numbers)).unwrap();
    assert!((exact.change(&unit, &metric_of_many).unwrap()[0] - 1.0).abs() < 0.15);
    assert!(pattern.change(&unit, &metric).unwrap()[0] > 0.0);
    assert!(Pattern::new("x", rows.view(), Attribute::Numeric(&lengths[1..])).is_err());
    assert!(Pattern::new("x", rows.view(), Attribute::Numeric(&[2.0; 50])).is_err());
    assert!(Pattern::new("x", rows.view(), Attribute::Categorical(&labels.select(&[0]))).is_err());
    assert!(exact.change(&[1.0], &metric).is_err());
}

#[test]
fn impossible_directions_are_refused() {
    let (rows, labels) = shifted(40, 3, 2.0, 13);
    let metric = Gaussian::fit(rows.view()).unwrap();
    let options = DirectionOptions::default();
    let one = rows.view().select(&[1]).unwrap();
    let error = Sides::new(rows.view(), one.view()).unwrap_err();
    assert_eq!(error, DirectionError::TooFew { found: 1, least: 2 });
    let missing = Sides::of_class(rows.view(), &labels, 5, Some(6)).unwrap_err();
    assert_eq!(missing, DirectionError::TooFew { found: 0, least: 2 });
    let equal = Sides::new(rows.view(), rows.view()).unwrap();
    assert_eq!(Direction::fit(&equal, &metric, &options), Err(DirectionError::NoDifference));
    let wide = normal(40, 4, 1);
    assert!(matches!(Sides::new(wide.view(), rows.view()), Err(DirectionError::Latents(_))));
    let wide = Sides::new(wide.view(), wide.view()).unwrap();
    assert!(matches!(Direction::fit(&wide, &metric, &options), Err(DirectionError::Latents(_))));
    // Removing the attribute itself.
    let itself = [Pattern::new("itself", rows.view(), Attribute::Categorical(&labels)).unwrap()];
    let removing = DirectionOptions { method: Method::Means, remove: &itself, ..options };
    let sides = Sides::of_class(rows.view(), &labels, 1, None).unwrap();
    let error = Direction::fit(&sides, &metric, &removing).unwrap_err();
    assert_eq!(error, DirectionError::Removed { removed: "itself".to_owned() });
}
