//! Which prior is chosen: by likelihood, by the two-sample test, within the budget.

use super::*;

fn chosen(fit: &Fit) -> &Candidate {
    fit.tried.iter().find(|c| c.chosen).unwrap()
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
fn the_budget_bounds_the_search_and_is_reported() {
    let data = three().sample_many(500, &mut rng(17));
    let none = Budget { multiply_adds: 0, ..Budget::default() };
    let fitted = fit(&data, &data, 4, 1, &none).unwrap();
    assert_eq!(fitted.tried.len(), 2);
    assert!(fitted.reason.contains("budget"), "{}", fitted.reason);
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
