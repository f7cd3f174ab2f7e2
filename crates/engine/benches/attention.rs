//! Attention beside its projections: one layer's forward and backward pass, `cargo bench --bench attention`.

use std::{sync::Arc, time::Instant};

use strait_engine::{
    Packing, Params, Tape, init,
    ops::attention::{Attention, Columns},
};

const WIDTH: usize = 256;
const HEADS: usize = 4;

fn main() {
    use rand::SeedableRng;
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    println!("{} threads; D {WIDTH}, {HEADS} heads; best of 30, ms", rayon::current_num_threads());
    println!("{:>22} {:>5} {:>9} {:>9} {:>9} {:>9}", "sequences", "mask", "forward", "backward", "q,k,v,o", "its back");
    let ragged: Vec<usize> = (0..64).map(|i| 64 - i / 2 - i / 2).map(|l| l.max(4)).collect();
    for (name, lengths) in [("64 x 32", vec![32; 64]), ("64 of 4..64", ragged), ("16 x 128", vec![128; 16])] {
        for causal in [false, true] {
            let packing = Arc::new(Packing::new(&lengths));
            let n = packing.rows();
            let mut p = Params::new();
            let w = p.add("qkv", (3 * WIDTH, WIDTH), init::xavier((3 * WIDTH, WIDTH), &mut rng));
            let o = p.add("out", (WIDTH, WIDTH), init::xavier((WIDTH, WIDTH), &mut rng));
            let (x, dy) = (init::normal(n * WIDTH, 1.0, &mut rng), init::normal(n * WIDTH, 1.0, &mut rng));
            let mixed = init::normal(n * 3 * WIDTH, 1.0, &mut rng);
            let mut tape = Tape::new();
            let (mut best, mut beside) = ([f64::INFINITY; 2], [f64::INFINITY; 2]);
            for _ in 0..30 {
                tape.reset();
                let v = tape.variable(&mixed, (n, 3 * WIDTH));
                let start = Instant::now();
                let y = tape.attention(Columns::thirds(v, WIDTH), &Attention::within(&packing, WIDTH, HEADS, causal));
                let forward = start.elapsed();
                tape.custom_loss(y, 0.0, &dy);
                let start = Instant::now();
                tape.backward(&mut p).unwrap();
                let times = [forward, start.elapsed()].map(|t| t.as_secs_f64() * 1e3);
                best.iter_mut().zip(times).for_each(|(b, t)| *b = b.min(t));

                tape.reset();
                let v = tape.variable(&x, (n, WIDTH));
                let start = Instant::now();
                tape.linear(&p, v, w, None);
                let y = tape.linear(&p, v, o, None);
                let forward = start.elapsed();
                tape.custom_loss(y, 0.0, &dy);
                let start = Instant::now();
                tape.backward(&mut p).unwrap();
                // Three of the four projections' ways back were left out: they are alike.
                let times = [forward.as_secs_f64() * 1e3, 4e3 * start.elapsed().as_secs_f64()];
                beside.iter_mut().zip(times).for_each(|(b, t)| *b = b.min(t));
            }
            let mask = if causal { "past" } else { "none" };
            println!("{name:>22} {mask:>5} {:9.2} {:9.2} {:9.2} {:9.2}", best[0], best[1], beside[0], beside[1]);
        }
    }
}
