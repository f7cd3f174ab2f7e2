//! The priors together: densities by hand, moments, awkward input, bit identity. Their files are tested in `bytes`, their
//! selection and the two-sample test in `choice`.

mod bytes;
mod choice;

use std::f64::consts::PI;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// The Gaussian with mean (1, -2) and factor [[2, 0], [1, 3]].
fn plane() -> Gaussian {
    Gaussian::from_parts(vec![1.0, -2.0], vec![2.0, 1.0, 3.0])
}

/// Three well separated Gaussians in 4-D, weights .5, .3, .2.
fn three() -> Prior {
    let at = |m: [f32; 4], f: [f32; 10]| Gaussian::from_parts(m.to_vec(), f.to_vec());
    let components = vec![
        at([4.0, 0.0, 0.0, 1.0], [1.0, 0.5, 1.0, 0.0, 0.0, 0.3, 0.0, 0.2, 0.0, 1.0]),
        at([-4.0, 3.0, 0.0, 0.0], [0.5, 0.0, 0.5, 0.4, 0.0, 1.0, 0.0, 0.0, 0.5, 0.7]),
        at([0.0, -5.0, 2.0, 0.0], [1.2, 0.0, 0.4, 0.0, 0.3, 0.6, 0.2, 0.0, 0.0, 0.5]),
    ];
    Prior::Mixture(Mixture::new([0.5_f64, 0.3, 0.2].map(f64::ln).to_vec(), components))
}

/// A flow over 3 dimensions that does something.
fn flow() -> Prior {
    Prior::Flow(flow::tests::random(3, 30))
}

/// Three slots of two codes in one dimension.
fn codes(shared: bool) -> Prior {
    let books = [0.0, 1.0].repeat(if shared { 1 } else { 3 });
    let latents = [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]].concat();
    Prior::Codes(Codes::fit(&books, 2, 3, shared, &latents).unwrap())
}

fn gaussian_data(dim: usize, n: usize, seed: u64) -> Vec<f32> {
    let factor = (0..dim).flat_map(|i| (0..=i).map(move |j| if i == j { 1.0 } else { 0.3 / (1 + i - j) as f32 }));
    let mean = (0..dim).map(|i| i as f32 / 4.0).collect();
    Prior::Gaussian(Gaussian::from_parts(mean, factor.collect())).sample_many(n, &mut rng(seed))
}

/// Clumps around a bent line in 3-D: no Gaussian, and too bent for a few.
fn bent(n: usize, seed: u64) -> Vec<f32> {
    let normal = Prior::standard_normal(3).sample_many(n, &mut rng(seed));
    normal.chunks(3).flat_map(|e| [e[0], (2.5 * e[0]).sin() + 0.1 * e[1], e[0] * e[0] + 0.1 * e[2]]).collect()
}

#[test]
fn density_in_the_plane_by_hand() {
    // z - m = (2, 4): y1 = 2/2 = 1, y2 = (4 - 1 * 1)/3 = 1, so |y|^2 = 2; log det L = log 6.
    let want = -1.0 - 6.0_f64.ln() - (2.0 * PI).ln();
    assert!((plane().log_density(&[3.0, 2.0]) - want).abs() < 1e-12);
    let normal = Prior::standard_normal(2);
    assert!((normal.log_density(&[3.0, 4.0]) - (-12.5 - (2.0 * PI).ln())).abs() < 1e-12);
    // Two equal halves at distance 2 in 1-D: between them each gives exp(-1/2) / sqrt(2 pi).
    let half = |m: f32| Gaussian::from_parts(vec![m], vec![1.0]);
    let two = Mixture::new(vec![0.5_f64.ln(); 2], vec![half(-1.0), half(1.0)]);
    assert!((two.log_density(&[0.0]) - (-0.5 - 0.5 * (2.0 * PI).ln())).abs() < 1e-12);
    assert!(two.responsibilities(&[0.0]).iter().all(|r| (r - 0.5).abs() < 1e-12));
}

#[test]
fn a_mixture_of_one_is_the_gaussian_to_the_bit() {
    let one = Mixture::new(vec![0.0], vec![plane()]);
    for z in [[0.0, 0.0], [3.0, 2.0], [-7.5, 11.25]] {
        assert_eq!(one.log_density(&z).to_bits(), plane().log_density(&z).to_bits());
    }
}

#[test]
fn many_rows_give_the_same_bits_as_one_at_a_time() {
    let prior = three();
    let z = prior.sample_many(301, &mut rng(2));
    let together = prior.log_densities(&z).unwrap();
    assert!(z.chunks(4).zip(&together).all(|(z, t)| prior.log_density(z).to_bits() == t.to_bits()));
}

#[test]
fn a_wrong_length_or_a_nan_is_nan_or_an_error_never_a_number() {
    for prior in [Prior::standard_normal(2), Prior::Gaussian(plane())] {
        assert!(prior.log_density(&[1.0]).is_nan());
        assert!(prior.log_density(&[1.0, f32::NAN]).is_nan());
        assert!(matches!(prior.log_densities(&[1.0; 3]), Err(PriorError::Ragged { len: 3, dim: 2, .. })));
    }
}

#[test]
fn draws_have_the_moments_of_the_prior() {
    let n = 40_000;
    let draws = Prior::Gaussian(plane()).sample_many(n, &mut rng(3));
    let rows = Rows::new(&draws, 2);
    let mean = rows.mean();
    let variances = rows.variances(&mean);
    let covariance =
        rows.iter().map(|z| (f64::from(z[0]) - mean[0]) * (f64::from(z[1]) - mean[1])).sum::<f64>() / n as f64;
    // Covariance L L^T = [[4, 2], [2, 10]]; four standard errors of each figure.
    assert!((mean[0] - 1.0).abs() < 0.04 && (mean[1] + 2.0).abs() < 0.07, "{mean:?}");
    assert!((variances[0] - 4.0).abs() < 0.12 && (variances[1] - 10.0).abs() < 0.29, "{variances:?}");
    assert!((covariance - 2.0).abs() < 0.14, "{covariance}");

    let mixed = three().sample_many(n, &mut rng(4));
    let mean = Rows::new(&mixed, 4).mean();
    for (got, want) in mean.iter().zip([0.8, -0.1, 0.4, 0.5]) {
        assert!((got - want).abs() < 0.08, "{mean:?}");
    }
}

#[test]
fn shrinkage_beats_the_sample_covariance_when_vectors_are_few() {
    // Fewer vectors than dimensions: the sample covariance is singular, the shrunk one close to the truth's density.
    let (train, valid) = (gaussian_data(16, 12, 11), gaussian_data(16, 200, 12));
    let fitted = Prior::Gaussian(Gaussian::fit(Rows::new(&train, 16)));
    let mean = fitted.log_densities(&valid).unwrap().iter().sum::<f64>() / 200.0;
    let normal = Prior::standard_normal(16).log_densities(&valid).unwrap().iter().sum::<f64>() / 200.0;
    assert!(mean > normal, "{mean} against {normal}");
}

#[test]
fn awkward_data_still_gives_a_finite_prior() {
    let dim = 5;
    let repeated: Vec<f32> = [0.5, -1.0, 2.0, 0.0, 3.0].repeat(200);
    let mut constant = gaussian_data(dim, 200, 13);
    constant.iter_mut().skip(2).step_by(dim).for_each(|v| *v = 1000.0);
    let few_points: Vec<f32> = (0..200 * dim).map(|i| ((i / dim % 3) * (i % dim)) as f32).collect();
    let uneven: Vec<f32> =
        gaussian_data(dim, 200, 14).iter().enumerate().map(|(i, v)| v * 1e6_f32.powi((i % dim) as i32 - 2)).collect();
    let huge = vec![f32::MAX, f32::MIN, 1.0, 1.0, 1.0, f32::MIN, f32::MAX, 1.0, 1.0, 1.0];
    for data in [repeated, constant, few_points, uneven, huge, gaussian_data(dim, 2, 15), gaussian_data(dim, 3, 16)] {
        let fit = fit(&data, &data, dim, 1, &Budget::default()).unwrap();
        assert!(fit.tried.iter().all(|c| c.held_out_nats_per_vector.is_finite()), "{:?}", fit.tried);
        assert!(fit.prior.sample_many(20, &mut rng(1)).iter().all(|v| v.is_finite()));
    }
}

#[test]
fn impossible_input_is_refused_with_the_place() {
    let budget = Budget::default();
    let good = gaussian_data(3, 10, 1);
    let mut bad = good.clone();
    bad[7] = f32::NAN;
    let error = fit(&bad, &good, 3, 1, &budget).unwrap_err();
    assert!(error.to_string().starts_with("training latents: vector 2, dimension 1 is NaN"), "{error}");
    let error = fit(&good, &[], 3, 1, &budget).unwrap_err();
    assert_eq!(error, PriorError::TooFew { what: "held-out latents", rows: 0, least: 1 });
    assert!(matches!(fit(&good[..3], &good, 3, 1, &budget), Err(PriorError::TooFew { rows: 1, least: 2, .. })));
    assert!(matches!(fit(&good, &good, 4, 1, &budget), Err(PriorError::Ragged { len: 30, dim: 4, .. })));
    assert!(matches!(fit(&good, &good, 0, 1, &budget), Err(PriorError::Dim { dim: 0, .. })));
    assert!(matches!(two_sample_auc(&good, &good[..6], 3, 1), Err(PriorError::TooFew { rows: 2, .. })));
}

#[test]
fn thinning_does_not_fall_in_step_with_a_periodic_corpus() {
    let mut values: Vec<f32> = (0..1000).map(|i| (i % 10) as f32).collect();
    let thinned = Rows::new(&values, 1).spread(100, &mut rng(1));
    assert!((0..10).all(|v| thinned.contains(&(v as f32))), "{thinned:?}");
    values.truncate(99);
    assert_eq!(Rows::new(&values, 1).spread(100, &mut rng(1)), values);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (train, valid) = (three().sample_many(700, &mut rng(18)), three().sample_many(300, &mut rng(19)));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let fitted = fit(&train, &valid, 4, 1, &Budget::default()).unwrap();
            let auc = two_sample_auc(&train, &valid, 4, 1).unwrap();
            (fitted.prior.to_bytes(), format!("{:?} {auc:e}", fitted.tried))
        })
    };
    assert!(run(1) == run(3));
}

#[test]
fn a_flow_has_the_same_bits_on_any_number_of_threads() {
    let train = bent(1200, 48);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let run = pool.install(|| flow_fit::fit(Rows::new(&train, 3), 400_000_000, &mut rng(49)).unwrap());
        (Prior::Flow(run.flow).to_bytes(), run.steps)
    };
    assert!(run(1) == run(3));
}
