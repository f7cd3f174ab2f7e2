//! Against scikit-learn and SciPy: `fixtures/probes_and_scores.py` wrote the numbers.

use serde::Deserialize;
use strait_latent::anomaly::auc;
use strait_latent::correlation::{pearson, spearman};
use strait_latent::{Confusion, Gaussian, Labels, MatrixBuf, Mixture, Principal, Probe};

/// What the script writes.
#[derive(Deserialize)]
struct Reference {
    probes: Vec<Probes>,
    classification: Vec<Classification>,
    correlations: Vec<Correlation>,
    covariances: Vec<Covariance>,
    principal: Vec<Directions>,
    mixture: Mixed,
    auc: Auc,
}

#[derive(Deserialize)]
struct Probes {
    rows: Vec<Vec<f32>>,
    classes: Vec<usize>,
    penalty: f64,
    probabilities: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Classification {
    truth: Vec<usize>,
    predicted: Vec<usize>,
    classes: usize,
    confusion: Vec<Vec<u64>>,
    accuracy: f64,
    macro_f1: f64,
    micro_f1: f64,
    f1: Vec<f64>,
}

#[derive(Deserialize)]
struct Correlation {
    x: Vec<f64>,
    y: Vec<f64>,
    pearson: f64,
    spearman: f64,
}

#[derive(Deserialize)]
struct Covariance {
    rows: Vec<Vec<f32>>,
    covariance: Vec<f64>,
}

#[derive(Deserialize)]
struct Directions {
    rows: Vec<Vec<f32>>,
    variances: Vec<f64>,
    ratios: Vec<f64>,
    directions: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Mixed {
    rows: Vec<Vec<f32>>,
    weights: Vec<f64>,
    means: Vec<Vec<f64>>,
    covariances: Vec<Vec<f64>>,
    log_densities: Vec<f64>,
}

#[derive(Deserialize)]
struct Auc {
    odd: Vec<f64>,
    usual: Vec<f64>,
    auc: f64,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("fixtures/probes_and_scores.json"))
        .expect("the script writes what the struct says")
}

fn matrix(rows: &[Vec<f32>]) -> MatrixBuf {
    MatrixBuf::from_rows(rows).expect("finite rows of one length")
}

#[track_caller]
fn assert_close(ours: &[f64], theirs: &[f64], within: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= within, "{a} but the reference says {b}");
    }
}

#[test]
fn probabilities_of_probes() {
    for case in reference().probes {
        let k = case.classes.iter().max().map_or(0, |c| c + 1);
        let labels = Labels::new((0..k).map(|c| c.to_string()).collect(), case.classes).expect("named");
        let rows = matrix(&case.rows);
        let probe = Probe::fit(rows.view(), &labels, case.penalty).expect("a fit");
        assert_close(&probe.probabilities(rows.view()).expect("rows fit"), &case.probabilities.concat(), 2e-5);
    }
}

#[test]
fn accuracy_and_f1() {
    for case in reference().classification {
        let table = Confusion::new(&case.truth, &case.predicted, case.classes).expect("lists fit");
        let counts: Vec<Vec<u64>> =
            (0..case.classes).map(|t| (0..case.classes).map(|p| table.count(t, p)).collect()).collect();
        assert_eq!(counts, case.confusion);
        let f1: Vec<f64> = (0..case.classes).map(|c| table.f1(c)).collect();
        assert_close(&f1, &case.f1, 1e-12);
        assert_close(
            &[table.accuracy(), table.macro_f1(), table.micro_f1()],
            &[case.accuracy, case.macro_f1, case.micro_f1],
            1e-12,
        );
    }
}

#[test]
fn correlations_with_and_without_ties() {
    for case in reference().correlations {
        let ours = [pearson(&case.x, &case.y), spearman(&case.x, &case.y)].map(|r| r.expect("lists vary"));
        assert_close(&ours, &[case.pearson, case.spearman], 1e-12);
    }
}

#[test]
fn shrunken_covariances() {
    for case in reference().covariances {
        let rows = matrix(&case.rows);
        let fitted = Gaussian::fit(rows.view()).expect("rows differ");
        let column =
            |j: usize| fitted.multiply(&(0..rows.dim()).map(|i| f64::from(u8::from(i == j))).collect::<Vec<_>>());
        let ours: Vec<f64> = (0..rows.dim()).flat_map(column).collect();
        assert_close(&ours, &case.covariance, 1e-9);
    }
}

#[test]
fn principal_directions_up_to_sign() {
    for case in reference().principal {
        let found = Principal::fit(matrix(&case.rows).view(), case.directions.len()).expect("enough rows");
        assert_close(&found.variances, &case.variances, 1e-9);
        assert_close(&found.explained(), &case.ratios, 1e-9);
        for (ours, theirs) in found.directions.iter().zip(&case.directions) {
            let sign = ours.iter().zip(theirs).map(|(a, b)| a * b).sum::<f64>().signum();
            assert_close(ours, &theirs.iter().map(|v| v * sign).collect::<Vec<f64>>(), 1e-8);
        }
    }
}

#[test]
fn densities_of_a_mixture() {
    let Mixed { rows, weights, means, covariances, log_densities } = reference().mixture;
    let component = |(mean, covariance): (&Vec<f64>, &Vec<f64>)| Gaussian::new(mean.clone(), covariance);
    let components =
        means.iter().zip(&covariances).map(component).collect::<Result<_, _>>().expect("positive definite");
    let mixture = Mixture::new(&weights, components).expect("weights sum to 1");
    assert_close(&mixture.log_densities(matrix(&rows).view()).expect("rows fit"), &log_densities, 1e-9);
}

#[test]
fn area_under_the_curve_with_ties() {
    let Auc { odd, usual, auc: theirs } = reference().auc;
    assert_close(&[auc(&odd, &usual).expect("finite")], &[theirs], 1e-12);
}
