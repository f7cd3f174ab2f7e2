//! The priors together: densities by hand, moments, selection, bit identity, bytes, and two-sample tests.

use std::f64::consts::PI;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

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

fn chosen(fit: &Fit) -> &Candidate {
    fit.tried.iter().find(|c| c.chosen).unwrap()
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
fn three_components_are_found_again() {
    let truth = three();
    let (train, valid) = (truth.sample_many(2000, &mut rng(5)), truth.sample_many(600, &mut rng(6)));
    let fit = fit(&train, &valid, 4, 1, &Budget::default()).unwrap();
    let Prior::Mixture(found) = &fit.prior else { panic!("{}", fit.reason) };
    assert!((2..=4).contains(&found.components().len()), "{}", fit.reason);
    let best = truth.log_densities(&valid).unwrap().iter().sum::<f64>() / 600.0;
    assert!(best - chosen(&fit).held_out_nats_per_vector < 0.1, "{best} against {}", fit.reason);
    let Prior::Mixture(truth) = truth else { unreachable!("built above") };
    for (component, weight) in truth.components().iter().zip(truth.log_weights()) {
        let distance = |g: &Gaussian| g.mean().iter().zip(component.mean()).map(|(a, b)| (a - b).abs()).sum::<f32>();
        let near = |g: &&Gaussian| distance(g) < 0.5;
        assert!(found.components().iter().any(|g| near(&g)), "{:?} of weight {weight}", component.mean());
    }
}

#[test]
fn gaussian_data_gets_the_gaussian_and_normal_data_the_standard_normal() {
    let fitted = fit(&gaussian_data(6, 2000, 7), &gaussian_data(6, 500, 8), 6, 1, &Budget::default()).unwrap();
    assert_eq!(fitted.prior.name(), "gaussian", "{}", fitted.reason);
    let normal = Prior::standard_normal(8);
    let (train, valid) = (normal.sample_many(300, &mut rng(9)), normal.sample_many(300, &mut rng(10)));
    let fitted = fit(&train, &valid, 8, 1, &Budget::default()).unwrap();
    assert_eq!(fitted.prior.name(), "standard_normal", "{}", fitted.reason);
    assert_eq!(fitted.tried.iter().filter(|c| c.chosen).count(), 1);
    assert!(fitted.tried.is_sorted_by_key(|c| c.parameters));
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
fn the_budget_bounds_the_search_and_is_reported() {
    let data = three().sample_many(500, &mut rng(17));
    let none = Budget { multiply_adds: 0, ..Budget::default() };
    let fitted = fit(&data, &data, 4, 1, &none).unwrap();
    assert_eq!(fitted.tried.len(), 2);
    assert!(fitted.reason.contains("budget"), "{}", fitted.reason);
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

#[test]
fn bytes_round_trip_to_the_bit() {
    for prior in [Prior::standard_normal(7), Prior::Gaussian(plane()), three(), flow(), codes(true), codes(false)] {
        let bytes = prior.to_bytes();
        let back = Prior::from_bytes(&bytes).unwrap();
        assert_eq!(back, prior);
        assert_eq!(back.to_bytes(), bytes);
        let z = vec![0.25; prior.dim()];
        assert_eq!(back.log_density(&z).to_bits(), prior.log_density(&z).to_bits());
    }
}

/// The bytes of [`three`] with the named tensor changed, dropped or reshaped, and the metadata replaced.
fn forged(name: &str, header: &str, change: impl Fn(&mut Vec<u8>, &mut Vec<usize>) -> bool) -> Vec<u8> {
    forge(&three(), name, header, change)
}

fn forge(prior: &Prior, name: &str, header: &str, change: impl Fn(&mut Vec<u8>, &mut Vec<usize>) -> bool) -> Vec<u8> {
    let bytes = prior.to_bytes();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut parts: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for (key, view) in tensors.tensors() {
        let (mut data, mut shape) = (view.data().to_vec(), view.shape().to_vec());
        if key != name || change(&mut data, &mut shape) {
            parts.push((key, view.dtype(), shape, data));
        }
    }
    let views = parts
        .iter()
        .map(|(key, dtype, shape, data)| (key.clone(), TensorView::new(*dtype, shape.clone(), data).unwrap()));
    safetensors::serialize(views, Some([("strait.prior".to_string(), header.to_string())].into())).unwrap()
}

#[test]
fn malformed_buffers_by_name() {
    let good = r#"{"kind":"mixture","version":1,"dim":4,"components":3}"#;
    let keep = |_: &mut Vec<u8>, _: &mut Vec<usize>| true;
    assert_eq!(Prior::from_bytes(&forged("", good, keep)).unwrap(), three());
    let bytes = three().to_bytes();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "not a prior file"),
        ("text", b"hello, this is no safetensors file".to_vec(), "not a prior file"),
        ("cut_short", bytes[..bytes.len() - 5].to_vec(), "not a prior file"),
        ("no_version", forged("", r#"{"kind":"mixture"}"#, keep), "no version"),
        ("newer_version", forged("", r#"{"version":2}"#, keep), "format version 2, this program reads version 1"),
        ("unknown_kind", forged("", &good.replace("mixture", "nest"), keep), "kind `nest` is unknown"),
        ("unknown_field", forged("", &good.replace("\"dim\"", "\"dims\":4,\"dim\""), keep), "dims"),
        ("no_dimensions", forged("", &good.replace(":4", ":0"), keep), "0 dimensions"),
        ("other_dimensions", forged("", &good.replace(":4", ":5"), keep), "tensor `means`"),
        ("other_components", forged("", &good.replace(":3", ":2"), keep), "tensor `log_weights`"),
        (
            "three_as_gaussian",
            forged("", &good.replace("mixture", "gaussian"), keep),
            "a gaussian prior of 3 components",
        ),
        ("more_than_normal", forged("", &good.replace("mixture", "standard_normal"), keep), "has no tensor `"),
        ("no_means", forged("means", good, |_, _| false), "tensor `means`: missing"),
        ("no_factors", forged("factors", good, |_, _| false), "tensor `factors`: missing"),
        (
            "flat_factors",
            forged("factors", good, |_, shape| {
                *shape = vec![30];
                true
            }),
            "tensor `factors`: is F32 of shape [30]",
        ),
        (
            "nan_mean",
            forged("means", good, |data, _| {
                data[4..8].copy_from_slice(&f32::NAN.to_le_bytes());
                true
            }),
            "tensor `means`: value 1 is NaN",
        ),
        (
            "zero_diagonal",
            forged("factors", good, |data, _| {
                data[40..44].fill(0);
                true
            }),
            "tensor `factors`: component 1 has a diagonal value at 0",
        ),
        (
            "heavy_weights",
            forged("log_weights", good, |data, _| {
                data[..8].fill(0);
                true
            }),
            "tensor `log_weights`: the weights sum to 1.5",
        ),
    ];
    for (name, bytes, want) in cases {
        let error = Prior::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains(want), "{name}: {error}");
    }
}

#[test]
fn malformed_flows_and_codes_by_name() {
    let (flow_header, codes_header) = (
        r#"{"kind":"flow","version":1,"dim":3,"components":4}"#,
        r#"{"kind":"codes","version":1,"dim":3,"components":2}"#,
    );
    let keep = |_: &mut Vec<u8>, _: &mut Vec<usize>| true;
    assert_eq!(Prior::from_bytes(&forge(&flow(), "", flow_header, keep)).unwrap(), flow());
    assert_eq!(Prior::from_bytes(&forge(&codes(true), "", codes_header, keep)).unwrap(), codes(true));
    let drop = |_: &mut Vec<u8>, _: &mut Vec<usize>| false;
    let flow =
        |name: &str, change: &dyn Fn(&mut Vec<u8>, &mut Vec<usize>) -> bool| forge(&flow(), name, flow_header, change);
    let codes = |name: &str, change: &dyn Fn(&mut Vec<u8>, &mut Vec<usize>) -> bool| {
        forge(&codes(false), name, codes_header, change)
    };
    let word = |at: usize, value: u32| {
        move |data: &mut Vec<u8>, _: &mut Vec<usize>| {
            data[4 * at..][..4].copy_from_slice(&value.to_le_bytes());
            true
        }
    };
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no_bias", flow("blocks.0.a.first.bias", &drop), "tensor `blocks.0.a.first.bias`: missing"),
        ("no_weight", flow("blocks.3.b.second.weight", &drop), "tensor `blocks.3.b.second.weight`: missing"),
        ("nan_weight", flow("blocks.2.a.first.weight", &word(1, f32::NAN.to_bits())), "value 1 is NaN"),
        ("other_blocks", forge(&self::flow(), "", &flow_header.replace(":4", ":5"), keep), "a flow of 5 blocks"),
        ("other_dimensions", forge(&self::flow(), "", &flow_header.replace(":3", ":2"), keep), "tensor `means`"),
        (
            "flow_as_gaussian",
            forge(&self::flow(), "", &flow_header.replace("flow", "gaussian").replace(":4", ":1"), keep),
            "a gaussian prior has no tensor `blocks.",
        ),
        (
            "other_codes",
            forge(&self::codes(true), "", &codes_header.replace(":2", ":3"), keep),
            "tensor `vectors`: is of shape [1, 2, 1]",
        ),
        (
            "other_slots",
            forge(&self::codes(false), "", &codes_header.replace(":3", ":4"), keep),
            "tensor `vectors`: 3 books for 4 slots",
        ),
        ("no_counts", codes("counts", &drop), "tensor `counts`: missing"),
        ("no_such_slot", codes("counts", &word(0, 3)), "tensor `counts`: row 0"),
        ("code_before_the_first", codes("counts", &word(1, 0)), "tensor `counts`: row 0"),
        ("no_such_code", codes("counts", &word(3, 2)), "tensor `counts`: row 0"),
        ("no_count", codes("counts", &word(4, 0)), "tensor `counts`: row 0"),
        ("twice_the_same", codes("counts", &word(8, 0)), "tensor `counts`: row 1"),
        (
            "zero_strength",
            codes("strengths", &|data, _| {
                data[..8].fill(0);
                true
            }),
            "tensor `strengths`: 0 is no strength",
        ),
        ("infinite_vector", codes("vectors", &word(0, f32::INFINITY.to_bits())), "tensor `vectors`: value 0 is inf"),
    ];
    for (name, bytes, want) in cases {
        let error = Prior::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains(want), "{name}: {error}");
    }
}

#[test]
fn no_flipped_byte_makes_it_panic() {
    for prior in [three(), flow(), codes(false)] {
        let bytes = prior.to_bytes();
        let header = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize + 8;
        // All of the header, and some of the values.
        for at in (0..header).chain((header..bytes.len()).step_by(1 + bytes.len() / 1000)) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            // Any answer is fine, a panic is not; damage within a mean's low bits cannot be noticed.
            let _ = Prior::from_bytes(&damaged).map(|p| {
                let z = p.sample(&mut rng(1));
                p.log_density(&z)
            });
        }
    }
}

/// Clumps around a bent line in 3-D: no Gaussian, and too bent for a few.
fn bent(n: usize, seed: u64) -> Vec<f32> {
    let normal = Prior::standard_normal(3).sample_many(n, &mut rng(seed));
    normal.chunks(3).flat_map(|e| [e[0], (2.5 * e[0]).sin() + 0.1 * e[1], e[0] * e[0] + 0.1 * e[2]]).collect()
}

#[test]
fn the_flow_takes_part_and_every_candidate_has_an_auc() {
    let fitted = fit(
        &bent(2500, 40),
        &bent(1000, 41),
        3,
        1,
        &Budget { most_components: 2, multiply_adds: 1_000_000_000, ..Budget::default() },
    )
    .unwrap();
    assert_eq!(fitted.prior.name(), "flow", "{}", fitted.reason);
    let auc = |name: &str| fitted.tried.iter().find(|c| c.name.contains(name)).unwrap().auc;
    assert!(auc("one Gaussian") > 0.85 && auc("flow") < 0.65, "{:?}", fitted.tried);
    assert!(fitted.tried.iter().all(|c| c.auc.is_finite()));
    let json = serde_json::to_string(&fitted.tried).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Candidate>>(&json).unwrap(), fitted.tried);
}

#[test]
fn auc_is_not_measured_where_it_says_nothing_or_nobody_asked() {
    let few = fit(&gaussian_data(3, 300, 42), &gaussian_data(3, 99, 43), 3, 1, &Budget::default()).unwrap();
    assert!(few.tried.iter().all(|c| c.auc.is_nan()));
    // And is written as null.
    let json = serde_json::to_string(&few.tried).unwrap();
    assert!(serde_json::from_str::<Vec<Candidate>>(&json).unwrap().iter().all(|c| c.auc.is_nan()));
    let quick = Budget { multiply_adds: 0, ..Budget::default() };
    let enough = (gaussian_data(3, 300, 42), gaussian_data(3, 300, 43));
    assert!(fit(&enough.0, &enough.1, 3, 1, &quick).unwrap().tried.iter().all(|c| c.auc.is_nan()));
    let asked = Budget { choice: Choice::Auc, ..quick };
    assert!(fit(&enough.0, &enough.1, 3, 1, &asked).unwrap().tried.iter().all(|c| c.auc.is_finite()));
    let fell_back = fit(&enough.0, &enough.1[..30], 3, 1, &asked).unwrap();
    assert!(fell_back.reason.contains("the likelihood decided"), "{}", fell_back.reason);
}

#[test]
fn likelihood_and_auc_choose_as_they_say() {
    // Right in shape and place but for a dimension that the wide one spreads and the far one misses.
    let held_out = gaussian_data(4, 2000, 44);
    let truth = Gaussian::fit(Rows::new(&gaussian_data(4, 4000, 45), 4));
    let normal = Prior::standard_normal(4);
    for choice in [Choice::Likelihood, Choice::Auc] {
        let budget = Budget { choice, ..Budget::default() };
        let fit = rank(vec![normal.clone(), Prior::Gaussian(truth.clone())], &held_out, 1, &budget).unwrap();
        assert_eq!(fit.prior, Prior::Gaussian(truth.clone()), "{}", fit.reason);
    }
    // Of equals, the simpler.
    let twice = Mixture::new(vec![0.5_f64.ln(); 2], vec![truth.clone(), truth.clone()]);
    for choice in [Choice::Likelihood, Choice::Auc] {
        let budget = Budget { choice, ..Budget::default() };
        let both = vec![Prior::Mixture(twice.clone()), Prior::Gaussian(truth.clone())];
        assert_eq!(rank(both, &held_out, 1, &budget).unwrap().prior.name(), "gaussian");
    }
}

#[test]
fn a_prior_without_a_density_is_ranked_by_auc_alone() {
    // Codes of single values that reproduce a lattice exactly, where a Gaussian cannot.
    let lattice = |n: usize, seed: u64| -> Vec<f32> {
        let draws = Prior::standard_normal(2).sample_many(n, &mut rng(seed));
        draws.iter().map(|v| if *v < 0.0 { -3.0 } else { 3.0 }).collect()
    };
    let (train, held_out) = (lattice(1000, 46), lattice(1000, 47));
    let codes = Prior::Codes(Codes::fit(&[-3.0, 3.0], 2, 2, true, &train).unwrap());
    let gaussian = Prior::Gaussian(Gaussian::fit(Rows::new(&train, 2)));
    let both = || vec![gaussian.clone(), codes.clone()];
    let likely = rank(both(), &held_out, 1, &Budget::default()).unwrap();
    assert_eq!(likely.prior.name(), "gaussian", "{}", likely.reason);
    let mass = likely.tried.iter().find(|c| c.name.starts_with("codes")).unwrap();
    assert!(mass.held_out_nats_per_vector.is_nan() && mass.auc < 0.55, "{mass:?}");
    let budget = Budget { choice: Choice::Auc, ..Budget::default() };
    let alike = rank(both(), &held_out, 1, &budget).unwrap();
    assert_eq!(alike.prior.name(), "codes", "{}", alike.reason);
    let alone = rank(vec![codes], &held_out, 1, &Budget::default()).unwrap();
    assert!(alone.prior.name() == "codes" && alone.reason.contains("None has a density"), "{}", alone.reason);
    assert_eq!(rank(Vec::new(), &held_out, 1, &budget).unwrap_err(), PriorError::NoPriors);
    let other = vec![Prior::standard_normal(2), Prior::standard_normal(3)];
    assert_eq!(rank(other, &held_out, 1, &budget).unwrap_err(), PriorError::Lengths { left: 2, right: 3 });
}

#[test]
fn auc_is_half_for_the_same_prior_and_one_for_a_shifted_or_otherwise_different_one() {
    let dim = 8;
    let (a, b) = (gaussian_data(dim, 2000, 20), gaussian_data(dim, 2000, 21));
    let auc = |a: &[f32], b: &[f32]| two_sample_auc(a, b, dim, 1).unwrap();
    assert!((auc(&a, &b) - 0.5).abs() < 0.05, "{}", auc(&a, &b));
    let shifted: Vec<f32> = b.iter().map(|v| v + 1.5).collect();
    assert!(auc(&a, &shifted) > 0.95, "{}", auc(&a, &shifted));
    let wider: Vec<f32> = b.iter().map(|v| v * 2.0).collect();
    assert!(auc(&a, &wider) > 0.8, "{}", auc(&a, &wider));
    // Same mean and variances, dimensions 0 and 1 made one: only correlation differs.
    let tied: Vec<f32> = Prior::standard_normal(dim).sample_many(2000, &mut rng(22));
    let mut copied = Prior::standard_normal(dim).sample_many(2000, &mut rng(23));
    copied.chunks_mut(dim).for_each(|z| z[1] = 0.9 * z[0] + 0.436 * z[1]);
    assert!(auc(&tied, &copied) > 0.7, "{}", auc(&tied, &copied));
}

#[test]
fn auc_sees_clumps_that_moments_do_not() {
    let clumps = three().sample_many(2000, &mut rng(24));
    let smooth = Prior::Gaussian(Gaussian::fit(Rows::new(&clumps, 4))).sample_many(2000, &mut rng(25));
    let auc = two_sample_auc(&smooth, &clumps, 4, 1).unwrap();
    assert!(auc > 0.8, "{auc}");
}
