//! The way forward: each direction computes its input's part of the gates for some positions, then visits them.

use std::ops::Range;

use super::{Cell, Direction, Folded, Rnn, SPLIT_WORK, Weights};
use crate::{
    Packing, ParamId, Params, Var,
    gemm::{self, A, Finish, Start},
    ops::linear,
    params::Layout,
    pool::Pool,
    tape::Values,
    threads::{self, Shared},
};

/// What a direction reads.
#[derive(Clone, Copy)]
pub(super) enum Input<'a> {
    /// x (N, D).
    Rows(&'a [f32]),
    /// Ids (N), and what each contributes to the gates.
    Tokens(&'a [u32], &'a Folded),
}

/// A call of a recurrent layer.
pub(super) struct Layer<'a> {
    pub(super) params: &'a Params,
    pub(super) packing: &'a Packing,
    pub(super) rnn: &'a Rnn<'a>,
    /// Whether there is a way back.
    pub(super) keep: bool,
}

impl Layer<'_> {
    /// Columns of the output.
    pub(super) fn width(&self) -> usize {
        self.rnn.directions.len() * self.params.shape(self.rnn.directions[0].weights.hidden).1
    }

    /// Runs all directions, one input each. Returns y (N, width) and what the way back needs, if there is one.
    pub(super) fn run(&self, values: &Values, pool: &mut Pool, inputs: &[Input<'_>]) -> (Vec<f32>, Vec<Run>) {
        let (width, h) = (self.width(), self.width() / self.rnn.directions.len());
        let mut y = pool.take(self.packing.rows() * width);
        let mut runs: Vec<Run> = self.rnn.directions.iter().map(|&d| Run::prepare(self, values, pool, d)).collect();
        let out = Shared(y.as_mut_ptr());
        // SAFETY: each run writes its own columns of y.
        each(&mut runs, &|i, run| unsafe { run.forward(self, inputs[i], &out, i * h) });
        for run in &mut runs {
            run.release_state(pool);
        }
        if !self.keep {
            runs.drain(..).for_each(|r| r.release(pool));
        }
        (y, runs)
    }
}

/// Runs `f` on each run, side by side.
pub(super) fn each<T: Send>(runs: &mut [T], f: &(impl Fn(usize, &mut T) + Sync)) {
    match runs {
        [one] => f(0, one),
        [a, b] => {
            rayon::join(|| f(0, a), || f(1, b));
        }
        _ => unreachable!("a recurrent layer has one or two directions"),
    }
}

/// One direction at work: the buffers that the way back needs, and the state.
pub(super) struct Run {
    pub(super) cell: Cell,
    pub(super) direction: Direction,
    /// Whether there is a way back; if not, the next two hold the rows at work only.
    keep: bool,
    /// Activated gates (N, G H).
    pub(super) gates: Vec<f32>,
    /// LSTM: c (N, H). GRU: h W_n^T + b_n (N, H). RNN: empty.
    pub(super) extra: Vec<f32>,
    /// The state in two copies (2, B, H): a step reads one and writes the other.
    h: Vec<f32>,
    /// LSTM: c (B, H).
    c: Vec<f32>,
    /// s W_s^T (B, G H), or empty.
    sequence: Vec<f32>,
}

/// The order in which a direction visits the positions.
pub(super) fn order(steps: usize, reverse: bool) -> impl DoubleEndedIterator<Item = usize> {
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
    fn prepare(layer: &Layer<'_>, values: &Values, pool: &mut Pool, direction: Direction) -> Run {
        let &Layer { params, packing, rnn, keep } = layer;
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

    /// Runs all steps; h goes to columns `at..at + H` of `out` (N, width).
    ///
    /// # Safety
    /// No other thread touches those columns.
    unsafe fn forward(&mut self, layer: &Layer<'_>, input: Input<'_>, out: &Shared<f32>, at: usize) {
        let (params, packing, width) = (layer.params, layer.packing, layer.width());
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
            self.project(params, input, packing.offset(chunk.start)..packing.offset(chunk.end), first);
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
    fn project(&mut self, params: &Params, input: Input<'_>, rows: Range<usize>, first: usize) {
        let (gh, d) = params.shape(self.direction.weights.input);
        let gates = &mut self.gates[(rows.start - first) * gh..(rows.end - first) * gh];
        match input {
            Input::Rows(x) => {
                let x = &x[rows.start * d..rows.end * d];
                project(params, self.direction.weights, self.cell.gates(), x, gates);
            }
            Input::Tokens(ids, folded) => folded.look_up(&ids[rows], self.cell.gates(), gates),
        }
    }

    /// Gives the state buffers back.
    fn release_state(&mut self, pool: &mut Pool) {
        pool.give(std::mem::take(&mut self.h));
        pool.give(std::mem::take(&mut self.c));
        pool.give(std::mem::take(&mut self.sequence));
    }

    pub(super) fn release(self, pool: &mut Pool) {
        pool.give(self.gates);
        pool.give(self.extra);
    }
}

/// Multiplies rows x by the input weight, a thread owning whole panels of hidden units where panels do not straddle
/// gates.
fn project(params: &Params, weights: Weights, groups: usize, x: &[f32], gates: &mut [f32]) {
    let (gh, d) = params.shape(weights.input);
    let pack = &params.packed(weights.input, Layout::Forward)[0];
    let (a, start) = (A::rows(x, d), Start::Bias(&params.value(weights.bias)[..gh]));
    let (m, h, width) = (gates.len() / gh, gh / groups, pack.panel_width());
    if !h.is_multiple_of(width) {
        return gemm::gemm(m, a, pack, gates, gh, start, Finish::None);
    }
    let (panels, c) = (h / width, Shared(gates.as_mut_ptr()));
    let grain = (SPLIT_WORK / (m * d * groups * width).max(1)).max(1);
    threads::split(panels, grain, |units| {
        let c = &c;
        for g in 0..groups {
            let (first, end) = (g * panels + units.start, g * panels + units.end);
            // SAFETY: only the columns of these panels are written, and this thread owns them.
            unsafe { gemm::gemm_panels(m, a, pack, first, end, c.0, gh, start, Finish::None) };
        }
    });
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
