//! Gradients by finite differences; steps against the whole sequence; who sees whom.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;

const WIDTH: usize = 8;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(3)
}

fn stack(positions: Positions, memory: usize) -> (Params, Stack) {
    let mut params = Params::new();
    let shape = Shape {
        width: WIDTH,
        heads: 2,
        inner: 12,
        layers: 2,
        positions,
        activation: Activation::Gelu,
        causal: true,
        memory,
        states: 0,
        dropout: 0.0,
    };
    let stack = Stack::new(&mut params, "s", shape, &mut rng());
    // Biases and gains that do something.
    let mut rng = rng();
    let vectors: Vec<ParamId> = params.iter().filter(|(_, p)| p.shape().0 == 1).map(|(id, _)| id).collect();
    for id in vectors {
        let noise = init::normal(params.value(id).len(), 0.3, &mut rng);
        let moved: Vec<f32> = params.value(id).iter().zip(noise).map(|(v, n)| v + n).collect();
        params.assign(id, &moved);
    }
    (params, stack)
}

/// Two sequences, three and two positions long, and two memory rows for each.
struct Scene {
    packing: Arc<Packing>,
    x: Vec<f32>,
    memory: Vec<f32>,
}

impl Scene {
    fn new(memory: usize) -> Self {
        let packing = Arc::new(Packing::new(&[3, 2]));
        let x = init::normal(packing.rows() * WIDTH, 1.0, &mut rng());
        Scene { packing, x, memory: init::normal(2 * 2 * memory, 1.0, &mut rng()) }
    }

    /// The outputs (N, D), x and the memory's rows.
    fn run(&self, tape: &mut Tape, params: &Params, stack: &Stack) -> [Var; 3] {
        let p = stack.shape.memory;
        let x = tape.variable(&self.x, (self.packing.rows(), WIDTH));
        let rows = tape.variable(&self.memory, (4, p));
        let memory = (p > 0).then_some(Memory { rows, slots: 2 });
        [
            stack.forward(tape, params, x, Surroundings { packing: &self.packing, memory, states: None }, &mut rng()),
            x,
            rows,
        ]
    }
}

#[test]
fn gradients_of_all_weights_and_inputs() {
    for positions in [Positions::Rotary, Positions::Learned] {
        let (mut params, stack) = stack(positions, 3);
        let scene = Scene::new(3);
        let weights = init::normal(scene.x.len(), 1.0, &mut ChaCha8Rng::seed_from_u64(9));
        let loss = |params: &Params, scene: &Scene| {
            let mut tape = Tape::inference();
            let [y, ..] = scene.run(&mut tape, params, &stack);
            tape.value(y).iter().zip(&weights).map(|(&y, &w)| y as f64 * w as f64).sum::<f64>()
        };
        let mut tape = Tape::new();
        let [y, x, rows] = scene.run(&mut tape, &params, &stack);
        tape.custom_loss(y, 0.0, &weights);
        tape.backward(&mut params).unwrap();
        let h = 4e-3;
        let check = |what: &str, analytic: f32, (up, down): (f64, f64)| {
            let numeric = (up - down) / (2.0 * h as f64);
            let tolerance = 1e-2 * (1.0 + numeric.abs());
            assert!((analytic as f64 - numeric).abs() < tolerance, "{what}: {analytic}, by differences {numeric}");
        };
        let ids: Vec<ParamId> = params.iter().map(|(id, _)| id).collect();
        for id in ids {
            let name = params.get(id).name().to_string();
            // Of the learned positions only the first ones are used; every seventh weight of the others will do.
            let count = params.value(id).len().min(if name.contains("positions") { 3 * WIDTH } else { usize::MAX });
            for i in (0..count).step_by(if count > 24 { 7 } else { 1 }) {
                params.nudge(id, i, h);
                let up = loss(&params, &scene);
                params.nudge(id, i, -2.0 * h);
                let down = loss(&params, &scene);
                params.nudge(id, i, h);
                check(&name, params.get(id).grad()[i], (up, down));
            }
        }
        for (what, var, input) in [("x", x, true), ("memory", rows, false)] {
            for i in 0..tape.grad(var).len() {
                let moved = |by: f32| {
                    let mut moved =
                        Scene { packing: scene.packing.clone(), x: scene.x.clone(), memory: scene.memory.clone() };
                    let data = if input { &mut moved.x } else { &mut moved.memory };
                    data[i] += by;
                    loss(&params, &moved)
                };
                check(what, tape.grad(var)[i], (moved(h), moved(-h)));
            }
        }
    }
}

#[test]
fn steps_equal_the_whole_sequence_alone_and_in_a_batch() {
    for (positions, p) in [(Positions::Rotary, 3), (Positions::Learned, 3), (Positions::Rotary, 0)] {
        let (params, stack) = stack(positions, p);
        let scene = Scene::new(p);
        let mut tape = Tape::inference();
        let [y, ..] = scene.run(&mut tape, &params, &stack);
        let y = tape.value(y);
        let near = |got: &[f32], rows: std::ops::Range<usize>| {
            let expected = &y[rows.start * WIDTH..rows.end * WIDTH];
            got.len() == expected.len() && got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5)
        };
        let mut both = State::new(&stack, &params, (&scene.memory, None), 2);
        assert!(near(both.step(&stack, &params, &scene.x[..2 * WIDTH]), 0..2));
        assert!(near(both.step(&stack, &params, &scene.x[2 * WIDTH..4 * WIDTH]), 2..4));
        both.select(&[0]);
        assert!(near(both.step(&stack, &params, &scene.x[4 * WIDTH..]), 4..5));
        // The second sequence alone; its memory rows are the second of each slot.
        let memory: Vec<f32> = scene.memory.chunks(p.max(1)).skip(1).step_by(2).flatten().copied().collect();
        let mut alone = State::new(&stack, &params, (&memory, None), 1);
        assert!(near(alone.step(&stack, &params, &scene.x[WIDTH..2 * WIDTH]), 1..2));
        assert!(near(alone.step(&stack, &params, &scene.x[3 * WIDTH..4 * WIDTH]), 3..4));
    }
}

#[test]
fn positions_matter_and_the_future_does_not() {
    for positions in [Positions::Rotary, Positions::Learned] {
        let (params, stack) = stack(positions, 0);
        let outputs = |x: &[f32]| {
            let mut tape = Tape::inference();
            let scene = Scene { x: x.to_vec(), ..Scene::new(0) };
            let [y, ..] = scene.run(&mut tape, &params, &stack);
            tape.value(y).to_vec()
        };
        let x = Scene::new(0).x;
        let y = outputs(&x);
        // Rows 0, 2, 4 are the first sequence, 1 and 3 the second.
        let mut last_changed = x.clone();
        last_changed[4 * WIDTH] += 1.0;
        let changed = outputs(&last_changed);
        assert_eq!(y[..4 * WIDTH], changed[..4 * WIDTH]);
        assert_ne!(y[4 * WIDTH..], changed[4 * WIDTH..]);
        let mut swapped = x.clone();
        (0..WIDTH).for_each(|i| swapped.swap(i, 2 * WIDTH + i));
        let swapped = outputs(&swapped);
        let apart = y[4 * WIDTH..].iter().zip(&swapped[4 * WIDTH..]).any(|(a, b)| (a - b).abs() > 1e-3);
        assert!(apart, "the order of what is seen matters");
    }
}

#[test]
fn places_beyond_the_last_share_it() {
    let packing = Packing::new(&[PLACES + 2, 1]);
    let places = places(&packing);
    assert_eq!((places[0], places[1], places[2]), (0, 0, 1));
    assert_eq!(places[PLACES - 1..], [PLACES as u32 - 2, PLACES as u32 - 1, PLACES as u32 - 1, PLACES as u32 - 1]);
}
