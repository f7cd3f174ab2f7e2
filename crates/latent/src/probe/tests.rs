use super::*;
use crate::testing::{in_threads, normal, shifted};

#[test]
fn unseen_rows_are_told_as_well_as_they_can_be() {
    // The best possible accuracy at distance 2 is Phi(1) = 0.841.
    let (rows, labels) = shifted(600, 6, 2.0, 1);
    let how = CrossValidation::default();
    let validation = how.validate(rows.view(), &labels).unwrap();
    assert!((validation.accuracy() - 0.841).abs() < 0.045, "{}", validation.accuracy()); // three standard errors
    assert_eq!(validation.accuracies.len(), 5);
    let mean = validation.accuracies.iter().sum::<f64>() / 5.0;
    assert!((mean - validation.accuracy()).abs() < 1e-12, "folds are of equal size");
    let (others, truth) = shifted(600, 6, 2.0, 2);
    let probe = how.fit(rows.view(), &labels).unwrap();
    let table = crate::Confusion::new(truth.codes(), &probe.predict(others.view()).unwrap(), 2).unwrap();
    assert!((table.accuracy() - 0.841).abs() < 0.045, "{table:?}");
    // The weights are near the shift between the classes: their cosine with it is that of a vector of ones.
    let w = probe.weights(1);
    let cosine = w.iter().sum::<f64>() / (6.0 * w.iter().map(|w| w * w).sum::<f64>()).sqrt();
    assert!(cosine > 0.97, "{cosine}");
}

#[test]
fn probabilities_are_calibrated() {
    let (rows, labels) = shifted(2000, 4, 2.0, 3);
    let how = CrossValidation { penalties: vec![1.0], ..CrossValidation::default() };
    let validation = how.validate(rows.view(), &labels).unwrap();
    let high: Vec<usize> = (0..2000).filter(|&i| validation.probabilities[2 * i + 1] > 0.8).collect();
    let right = high.iter().filter(|&&i| labels.codes()[i] == 1).count() as f64 / high.len() as f64;
    let said = high.iter().map(|&i| validation.probabilities[2 * i + 1]).sum::<f64>() / high.len() as f64;
    assert!(high.len() > 500 && (right - said).abs() < 0.04, "{right} {said}");
    validation.probabilities.chunks_exact(2).for_each(|p| assert!((p[0] + p[1] - 1.0).abs() < 1e-12));
}

#[test]
fn noise_takes_a_large_penalty_and_signal_a_small_one() {
    let how = CrossValidation::default();
    let labels = Labels::new(vec!["a".into(), "b".into()], (0..100).map(|i| i % 2).collect()).unwrap();
    let noise = how.choose(normal(100, 20, 5).view(), &labels).unwrap();
    assert_eq!(noise.penalty, 1000.0, "{noise:?}");
    assert_eq!(noise.log_losses.len(), 6);
    let (rows, labels) = shifted(400, 2, 6.0, 6);
    let signal = how.choose(rows.view(), &labels).unwrap();
    assert!(signal.penalty <= 1.0, "{signal:?}");
}

#[test]
fn scale_and_shift_of_a_column_do_not_matter() {
    let (rows, labels) = shifted(120, 3, 2.0, 7);
    let scaled: Vec<f32> = rows.data().iter().enumerate().map(|(at, v)| [v * 64.0, v - 8.0, *v][at % 3]).collect();
    let scaled = crate::MatrixBuf::new(scaled, 3).unwrap();
    let of = |x: &crate::MatrixBuf| Probe::fit(x.view(), &labels, 1.0).unwrap().probabilities(x.view()).unwrap();
    of(&rows).iter().zip(of(&scaled)).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{a} {b}"));
}

#[test]
fn threads_change_no_bit() {
    let (rows, labels) = shifted(700, 5, 1.0, 8);
    let fit = || CrossValidation::default().fit(rows.view(), &labels).unwrap();
    assert_eq!(in_threads(1, fit), in_threads(3, fit));
}

#[test]
fn a_probe_comes_back_from_its_file_and_a_damaged_one_does_not() {
    let (rows, labels) = shifted(40, 3, 2.0, 9);
    let probe = Probe::fit(rows.view(), &labels, 1.0).unwrap();
    let text = serde_json::to_string(&probe).unwrap();
    assert_eq!(serde_json::from_str::<Probe>(&text).unwrap(), probe);
    let damaged = text.replace("\"dim\":3", "\"dim\":4");
    let error = serde_json::from_str::<Probe>(&damaged).unwrap_err().to_string();
    assert!(error.contains("6 weights and 2 biases for 2 classes of 4 dimensions; fit it again"), "{error}");
    let one = r#"{"names":["a"],"dim":1,"weights":[0.0],"biases":[0.0],"penalty":1.0,"examples":1}"#;
    assert!(serde_json::from_str::<Probe>(one).unwrap_err().to_string().contains("1 classes"));
}

#[test]
fn bad_input_is_refused() {
    let (rows, labels) = shifted(12, 3, 2.0, 10);
    let how = CrossValidation::default();
    let few = how.validate(rows.view(), &labels.select(&[0, 1, 2])).unwrap_err();
    assert_eq!(few.to_string(), "3 labels are given for 12 rows; give one for each row");
    let names = || vec!["a".to_owned(), "b".to_owned()];
    let small = Labels::new(names(), (0..12).map(|i| usize::from(i < 4)).collect()).unwrap();
    let error = how.fit(rows.view(), &small).unwrap_err();
    assert_eq!(error, LabelError::TooFew { name: "b".into(), count: 4, least: 5 }.into());
    let alone = Labels::new(names(), vec![1; 12]).unwrap();
    assert_eq!(Probe::fit(rows.view(), &alone, 1.0), Err(LabelError::OneClass { name: "b".into() }.into()));
    assert!(matches!(Probe::fit(rows.view(), &labels, 0.0), Err(ProbeError::Latents(LatentError::Setting { .. }))));
    let folds = CrossValidation { folds: 1, ..CrossValidation::default() };
    assert!(folds.validate(rows.view(), &labels).unwrap_err().to_string().contains("2 or more"));
    let probe = Probe::fit(rows.view(), &labels, 1.0).unwrap();
    let wide = normal(2, 4, 1);
    assert_eq!(probe.predict(wide.view()), Err(LatentError::Dim { expected: 3, found: 4 }.into()));
}

#[test]
fn the_smallest_classes_that_can_be_validated_are() {
    let (rows, labels) = shifted(6, 2, 8.0, 11);
    let how = CrossValidation { folds: 3, ..CrossValidation::default() };
    assert_eq!(how.validate(rows.view(), &labels).unwrap().predicted.len(), 6);
    let two = CrossValidation { folds: 2, ..CrossValidation::default() };
    let four = rows.view().select(&[0, 1, 2, 3]).unwrap();
    let error = two.validate(four.view(), &labels.select(&[0, 1, 2, 3])).unwrap_err();
    assert!(matches!(error, ProbeError::Labels(LabelError::TooFew { least: 3, .. })), "{error:?}");
}

/// Columns that are nearly one, and labels that stand in what parts them: a small penalty takes more steps than there are.
#[test]
fn penalties_without_a_probe_are_passed_over() {
    let (noise, common) = (normal(400, 40, 11), normal(400, 1, 12));
    let near = |at: usize| common.data()[at / 40] + 10f32.powi(-((at % 40) as i32 % 5)) * noise.data()[at];
    let rows = crate::MatrixBuf::new((0..400 * 40).map(near).collect(), 40).unwrap();
    let label =
        |i: usize| usize::from(noise.data()[40 * i + 4] + noise.data()[40 * i + 9] + noise.data()[40 * i] > 0.0);
    let labels = Labels::new(vec!["a".into(), "b".into()], (0..400).map(label).collect()).unwrap();
    let never = 1e-12;
    assert!(matches!(Probe::fit(rows.view(), &labels, never), Err(ProbeError::Diverged { .. })));
    let how = CrossValidation { penalties: vec![1.0, 0.1, never], ..CrossValidation::default() };
    let choice = how.choose(rows.view(), &labels).unwrap();
    assert!(choice.penalty > never && choice.log_losses[2].is_infinite(), "{choice:?}");
    assert!(how.fit(rows.view(), &labels).is_ok() && how.validate(rows.view(), &labels).is_ok());
}
