//! Recurrent layers over whole packed sequences: RNN (tanh, ReLU), GRU and LSTM, in either direction or both.
//!
//! With `a_t = x_t W_ih^T + s W_s^T + b` (s: an optional input per sequence, added at every step) and the state h:
//! - RNN: `h_t = f(a_t + h W_hh^T)`.
//! - LSTM (gates i, f, g, o; Hochreiter & Schmidhuber 1997): `c_t = σ(f) c + σ(i) tanh(g)`, `h_t = σ(o) tanh(c_t)`.
//! - GRU (gates r, z, n; Cho et al. 2014, PyTorch's form): `n = tanh(a_n + σ(r) (h W_n^T + b_n))`,
//!   `h_t = (1 - σ(z)) n + σ(z) h`.
//!
//! The input product runs over all rows at once. Each time step then multiplies the active rows by W_hh, which was
//! packed once after the last update; a thread owns a range of hidden units, so it computes their gates and updates
//! their state while both are in cache, and threads meet once a step. Two directions run side by side.

mod backward;
mod cell;
mod step;
#[cfg(test)]
mod tests;

use std::{ops::Range, sync::Arc};

pub use cell::Cell;
pub use step::State;

use crate::{
    Packing, ParamId, Params, Tape, Var,
    gemm::{self, A, Finish, Start},
    ops::linear,
    params::Layout,
    pool::Pool,
    tape::Values,
    threads::{self, Shared},
};

/// The weights of one direction of one layer; G gates, D inputs, H hidden units.
#[derive(Debug, Clone, Copy)]
pub struct Weights {
    /// W_ih (G H, D).
    pub input: ParamId,
    /// W_hh (G H, H), added with [`Params::add_gated`] with G gates.
    pub hidden: ParamId,
    /// b (1, G H); for a GRU (1, 4 H), the last block being b_n inside the reset product.
    pub bias: ParamId,
    /// W_s (G H, S), if there is an input per sequence.
    pub sequence: Option<ParamId>,
}

/// One direction: its weights and the states it starts from.
#[derive(Debug, Clone, Copy)]
pub struct Direction {
    pub weights: Weights,
    /// Reads the sequences from their ends.
    pub reverse: bool,
    /// h before the first step (B, H); zeros if absent.
    pub h0: Option<Var>,
    /// c before the first step (B, H), LSTM only; zeros if absent.
    pub c0: Option<Var>,
}

impl Direction {
    /// From the first position to the last, starting from zeros.
    pub fn forward(weights: Weights) -> Self {
        Direction { weights, reverse: false, h0: None, c0: None }
    }
    /// From the last position to the first, starting from zeros.
    pub fn backward(weights: Weights) -> Self {
        Direction { weights, reverse: true, h0: None, c0: None }
    }
}

/// A recurrent layer over packed sequences.
pub struct Rnn<'a> {
    pub cell: Cell,
    /// One direction, or two whose outputs are laid side by side.
    pub directions: &'a [Direction],
    /// An input per sequence (B, S), added at every step.
    pub sequence: Option<Var>,
}

impl Rnn<'_> {
    /// Whether anything that the output depends on is trained.
    fn needs_grad(&self, params: &Params, values: &Values, x: Var) -> bool {
        let weights = self.directions.iter().map(|d| d.weights);
        let mut ids = weights.flat_map(|w| [Some(w.input), Some(w.hidden), Some(w.bias), w.sequence]).flatten();
        let states = self.directions.iter().flat_map(|d| [d.h0, d.c0]);
        let mut inputs = states.chain([Some(x), self.sequence]).flatten();
        ids.any(|id| params.get(id).trainable()) || inputs.any(|v| values.needs_grad(v))
    }
}

impl Tape {
    /// Runs a recurrent layer: x (N, D) packed -> y (N, directions * H) packed.
    pub fn rnn(&mut self, params: &Params, x: Var, packing: &Arc<Packing>, rnn: &Rnn<'_>) -> Var {
        let n = packing.rows();
        let h = params.shape(rnn.directions[0].weights.hidden).1;
        let width = rnn.directions.len() * h;
        let mut y = self.pool.take(n * width);
        let needs = self.recording() && rnn.needs_grad(params, &self.values, x);
        let mut runs: Vec<Run> = rnn
            .directions
            .iter()
            .map(|&d| Run::prepare(params, &self.values, &mut self.pool, packing, needs, d, rnn))
            .collect();
        let out = Shared(y.as_mut_ptr());
        let x_values = self.values.get(x);
        // SAFETY: each run writes its own columns of y.
        each(&mut runs, &|i, run| unsafe { run.forward(params, x_values, packing, &out, width, i * h) });
        for run in &mut runs {
            run.release_state(&mut self.pool);
        }
        if !needs {
            runs.drain(..).for_each(|r| r.release(&mut self.pool));
        }
        let (cell, sequence, packing) = (rnn.cell, rnn.sequence, packing.clone());
        self.push(y, (n, width), needs, || Some(backward::RnnOp { x, cell, sequence, packing, runs }))
    }
}

/// Runs `f` on each run, side by side.
fn each<T: Send>(runs: &mut [T], f: &(impl Fn(usize, &mut T) + Sync)) {
    match runs {
        [one] => f(0, one),
        [a, b] => {
            rayon::join(|| f(0, a), || f(1, b));
        }
        _ => unreachable!("a recurrent layer has one or two directions"),
    }
}

/// One direction at work: the buffers that the way back needs, and the state.
struct Run {
    cell: Cell,
    direction: Direction,
    /// Whether there is a way back; if not, the next two hold the rows at work only.
    keep: bool,
    /// Activated gates (N, G H).
    gates: Vec<f32>,
    /// LSTM: c (N, H). GRU: h W_n^T + b_n (N, H). RNN: empty.
    extra: Vec<f32>,
    /// The state in two copies (2, B, H): a step reads one and writes the other.
    h: Vec<f32>,
    /// LSTM: c (B, H).
    c: Vec<f32>,
    /// s W_s^T (B, G H), or empty.
    sequence: Vec<f32>,
}

/// The order in which a direction visits the positions.
fn order(steps: usize, reverse: bool) -> impl DoubleEndedIterator<Item = usize> {
    (0..steps).map(move |i| if reverse { steps - 1 - i } else { i })
}

/// Rows whose input is multiplied at a time: enough for the kernel, few enough to stay in cache for the steps.
const CHUNK_ROWS: usize = 128;

/// The next positions to visit when `done` have been: as many as have [`CHUNK_ROWS`] rows, and one at least.
fn chunk(packing: &Packing, done: usize, reverse: bool) -> Range<usize> {
    let steps = packing.steps();
    let rows = |a: usize, b: usize| packing.offset(b) - packing.offset(a);
    if reverse {
        let end = steps - done;
        let start = (0..end - 1).rev().take_while(|&t| rows(t, end) <= CHUNK_ROWS).last().unwrap_or(end - 1);
        start..end
    } else {
        let end = (done + 2..=steps).take_while(|&t| rows(done, t) <= CHUNK_ROWS).last().unwrap_or(done + 1);
        done..end
    }
}

impl Run {
    fn prepare(
        params: &Params,
        values: &Values,
        pool: &mut Pool,
        packing: &Packing,
        keep: bool,
        direction: Direction,
        rnn: &Rnn<'_>,
    ) -> Run {
        let Weights { hidden, sequence, .. } = direction.weights;
        let (gh, h) = params.shape(hidden);
        let (n, b) = (packing.rows(), packing.batch());
        let (rows, extra) = if keep { (n, n) } else { (n.min(CHUNK_ROWS + b), b) };
        let state = |pool: &mut Pool, v: Option<Var>, copies: usize| {
            let mut buffer = pool.take(copies * b * h);
            for copy in buffer.chunks_exact_mut((b * h).max(1)) {
                match v {
                    Some(v) => copy.copy_from_slice(values.get(v)),
                    None => copy.fill(0.0),
                }
            }
            buffer
        };
        let mut run = Run {
            cell: rnn.cell,
            direction,
            keep,
            gates: pool.take(rows * gh),
            extra: if rnn.cell.has_extra() { pool.take(extra * h) } else { Vec::new() },
            h: state(pool, direction.h0, 2),
            c: if rnn.cell == Cell::Lstm { state(pool, direction.c0, 1) } else { Vec::new() },
            sequence: Vec::new(),
        };
        if let (Some(w), Some(s)) = (sequence, rnn.sequence) {
            run.sequence = pool.take(b * gh);
            linear::forward(params, values.get(s), b, w, None, &mut run.sequence);
        }
        run
    }

    /// Runs all steps on x (N, D); h goes to columns `at..at + H` of `out` (N, width).
    ///
    /// # Safety
    /// No other thread touches those columns.
    unsafe fn forward(
        &mut self,
        params: &Params,
        x: &[f32],
        packing: &Packing,
        out: &Shared<f32>,
        width: usize,
        at: usize,
    ) {
        let Weights { hidden, bias, .. } = self.direction.weights;
        let (gh, h) = params.shape(hidden);
        let mut state = std::mem::take(&mut self.h);
        let (mut old, mut new) = state.split_at_mut(packing.batch() * h);
        let mut done = 0;
        while done < packing.steps() {
            let chunk = chunk(packing, done, self.direction.reverse);
            done += chunk.len();
            // The first row that the gates hold.
            let first = if self.keep { 0 } else { packing.offset(chunk.start) };
            self.project(params, x, packing.offset(chunk.start)..packing.offset(chunk.end), first);
            for t in order(chunk.len(), self.direction.reverse).map(|t| chunk.start + t) {
                let row = packing.offset(t);
                let extra = if self.extra.is_empty() || !self.keep { 0 } else { row * h };
                let step = Step {
                    cell: self.cell,
                    params,
                    hidden,
                    inner_bias: params.value(bias).get(gh..).unwrap_or(&[]),
                    rows: packing.active(t),
                    h,
                    gates: Shared(self.gates[(row - first) * gh..].as_mut_ptr()),
                    extra: Shared(self.extra[extra..].as_mut_ptr()),
                    sequence: &self.sequence,
                    h_old: old,
                    h_new: Shared(new.as_mut_ptr()),
                    c: Shared(self.c.as_mut_ptr()),
                    // SAFETY: rows of this step, columns of this direction.
                    out: Some((Shared(unsafe { out.0.add(row * width + at) }), width)),
                };
                step.run();
                std::mem::swap(&mut old, &mut new);
            }
        }
        self.h = state;
    }

    /// Computes the input's part of the gates of `rows`. The threads that will own the units in the steps do it, so
    /// that the gates are then in their caches.
    fn project(&mut self, params: &Params, x: &[f32], rows: Range<usize>, first: usize) {
        let Weights { input, bias, .. } = self.direction.weights;
        let (gh, d) = params.shape(input);
        let pack = &params.packed(input, Layout::Forward)[0];
        let (a, start) = (A::rows(&x[rows.start * d..], d), Start::Bias(&params.value(bias)[..gh]));
        let gates = &mut self.gates[(rows.start - first) * gh..(rows.end - first) * gh];
        let (h, width) = (gh / self.cell.gates(), pack.panel_width());
        if !h.is_multiple_of(width) {
            return gemm::gemm(rows.len(), a, pack, gates, gh, start, Finish::None);
        }
        let (panels, c) = (h / width, Shared(gates.as_mut_ptr()));
        let grain = (SPLIT_WORK / (rows.len() * d * self.cell.gates() * width).max(1)).max(1);
        threads::split(panels, grain, |units| {
            let c = &c;
            for g in 0..self.cell.gates() {
                let (first, end) = (g * panels + units.start, g * panels + units.end);
                // SAFETY: only the columns of these panels are written, and this thread owns them.
                unsafe { gemm::gemm_panels(rows.len(), a, pack, first, end, c.0, gh, start, Finish::None) };
            }
        });
    }

    /// Gives the state buffers back.
    fn release_state(&mut self, pool: &mut Pool) {
        pool.give(std::mem::take(&mut self.h));
        pool.give(std::mem::take(&mut self.c));
        pool.give(std::mem::take(&mut self.sequence));
    }

    fn release(self, pool: &mut Pool) {
        pool.give(self.gates);
        pool.give(self.extra);
    }
}

/// One time step of one direction, shared by the sequence layer and step-by-step decoding.
pub(crate) struct Step<'a> {
    pub(crate) cell: Cell,
    pub(crate) params: &'a Params,
    pub(crate) hidden: ParamId,
    pub(crate) inner_bias: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) h: usize,
    /// In: the input's part of the gates (rows, G H); out: the activated gates.
    pub(crate) gates: Shared<f32>,
    pub(crate) extra: Shared<f32>,
    pub(crate) sequence: &'a [f32],
    pub(crate) h_old: &'a [f32],
    pub(crate) h_new: Shared<f32>,
    pub(crate) c: Shared<f32>,
    /// Where h goes besides, and the row width there.
    pub(crate) out: Option<(Shared<f32>, usize)>,
}

impl Step<'_> {
    /// Computes gates and state, a thread owning whole panels of hidden units.
    pub(crate) fn run(&self) {
        let packs = self.params.packed(self.hidden, Layout::Forward);
        let width = packs[0].panel_width();
        // Below some work a thread more costs more than it brings.
        let grain = (SPLIT_WORK / (self.rows * self.h * packs.len() * width).max(1)).max(1);
        threads::split(packs[0].panels(), grain, |panels| {
            let units = panels.start * width..(panels.end * width).min(self.h);
            self.multiply(packs, panels);
            // SAFETY: this thread alone owns these units of every row.
            unsafe { self.cell.forward(self, units) };
        });
    }

    fn multiply(&self, packs: &[gemm::Packed], panels: Range<usize>) {
        let (h, gh) = (self.h, self.h * packs.len());
        for (g, pack) in packs.iter().enumerate() {
            let (c, ldc, start) = if self.cell == Cell::Gru && g == 2 {
                (self.extra.0, h, Start::Bias(self.inner_bias))
            } else {
                // SAFETY: block g of the gates, in bounds.
                (unsafe { self.gates.0.add(g * h) }, gh, Start::Keep)
            };
            let a = A::rows(self.h_old, h);
            // SAFETY: only the columns of these panels are written, and this thread owns them.
            unsafe { gemm::gemm_panels(self.rows, a, pack, panels.start, panels.end, c, ldc, start, Finish::None) };
        }
    }
}

/// Multiply-adds that a thread should have before work is split (measured: see docs/log.md).
const SPLIT_WORK: usize = 100_000;
