//! Helpers of the objectives' tests: fixed pseudo-random numbers, and gradients against finite differences.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::{ParamId, Params, Tape, Var, init};

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// `n` numbers in (-1, 1), the same for the same seed.
pub(crate) fn numbers(n: usize, seed: u64) -> Vec<f32> {
    init::uniform(n, 1.0, &mut rng(seed))
}

/// Compares the gradients of the loss that `f` builds from `inputs` (values, shape) with central differences, for every
/// input element and every weight that is trained.
pub(crate) fn check_gradients(
    params: &mut Params,
    inputs: &[(&[f32], (usize, usize))],
    f: &mut dyn FnMut(&mut Tape, &Params, &[Var]),
) {
    // Small, so that a unit with a corner rarely switches in between.
    const H: f32 = 5e-4;
    let mut run = |params: &Params, inputs: &[(Vec<f32>, (usize, usize))]| {
        let mut tape = Tape::new();
        let vars: Vec<Var> = inputs.iter().map(|(x, shape)| tape.variable(x, *shape)).collect();
        f(&mut tape, params, &vars);
        (tape, vars)
    };
    let close = |what: &str, at: usize, analytic: f32, (up, down): (f64, f64)| {
        let numeric = (up - down) / (2.0 * f64::from(H));
        let tolerance = 4e-3 * (1.0 + numeric.abs());
        let analytic = f64::from(analytic);
        assert!((analytic - numeric).abs() < tolerance, "{what}[{at}]: {analytic}, finite difference {numeric}");
    };
    let mut data: Vec<(Vec<f32>, (usize, usize))> = inputs.iter().map(|i| (i.0.to_vec(), i.1)).collect();
    params.zero_grads();
    let (mut tape, vars) = run(params, &data);
    tape.backward(params).unwrap();
    let mut moved = false;
    for i in 0..data.len() {
        for j in 0..data[i].0.len() {
            let x = data[i].0[j];
            let mut loss = |by: f32| {
                data[i].0[j] = x + by;
                run(params, &data).0.loss()
            };
            let ends = (loss(H), loss(-H));
            data[i].0[j] = x;
            close("input", j, tape.grad(vars[i]).get(j).copied().unwrap_or(0.0), ends);
            moved |= ends.0 != ends.1;
        }
    }
    let ids: Vec<ParamId> = params.iter().filter(|(_, p)| p.trainable()).map(|(id, _)| id).collect();
    for id in ids {
        for j in 0..params.value(id).len() {
            let x = params.value(id)[j];
            let mut loss = |to: f32, params: &mut Params| {
                params.nudge(id, j, to - params.value(id)[j]);
                run(params, &data).0.loss()
            };
            let ends = (loss(x + H, params), loss(x - H, params));
            params.nudge(id, j, x - params.value(id)[j]);
            let analytic = params.get(id).grad().get(j).copied().unwrap_or(0.0);
            close(params.get(id).name(), j, analytic, ends);
            moved |= ends.0 != ends.1;
        }
    }
    assert!(moved, "the loss depends on nothing");
}
