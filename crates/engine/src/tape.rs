//! The tape: layers are recorded as they run and played backward.
//!
//! A [`Var`] is a handle of a (rows, cols) matrix on the tape; host slices are reached with [`Tape::input`] and
//! [`Tape::value`] only. Losses are scalars in `f64` that carry their weight in the total from the start, so that a
//! fused loss may compute its gradient while its logits are in cache. Buffers go back to a [`Pool`] as soon as the
//! backward pass has used them.

use crate::{Error, Params, pool::Pool};

/// Handle of a matrix on a tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Var(pub(crate) usize);

/// A recorded layer: what it needs in order to turn the gradient of its output into those of its inputs.
pub(crate) trait Op {
    /// The layer's name in messages.
    fn name(&self) -> &'static str;
    /// Adds to the gradients of inputs and parameters, given `dy`, the gradient of the output.
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>);
    /// Whether the layer can run without an output gradient (losses, whose weight is their gradient).
    fn is_loss(&self) -> bool {
        false
    }
}

/// What an [`Op`] sees on the way back; the fields are apart so that values can be read while gradients are written.
pub(crate) struct Backward<'a> {
    pub(crate) out: Var,
    pub(crate) values: &'a Values,
    pub(crate) grads: &'a mut Grads,
    pub(crate) params: &'a mut Params,
    pub(crate) pool: &'a mut Pool,
    pub(crate) scratch: &'a mut Scratch,
}

/// The values of the nodes.
#[derive(Default)]
pub(crate) struct Values {
    data: Vec<Vec<f32>>,
    shapes: Vec<(usize, usize)>,
    needs: Vec<bool>,
}

impl Values {
    pub(crate) fn get(&self, v: Var) -> &[f32] {
        &self.data[v.0]
    }
    pub(crate) fn shape(&self, v: Var) -> (usize, usize) {
        self.shapes[v.0]
    }
    pub(crate) fn needs_grad(&self, v: Var) -> bool {
        self.needs[v.0]
    }
}

/// The gradients of the nodes, allocated at the first contribution.
#[derive(Default)]
pub(crate) struct Grads {
    data: Vec<Vec<f32>>,
}

impl Grads {
    /// The gradient of `v` with whether it is fresh (its contents are then arbitrary and must be overwritten), or
    /// `None` where no gradient is wanted.
    pub(crate) fn slot<'g>(&'g mut self, v: Var, values: &Values, pool: &mut Pool) -> Option<(&'g mut [f32], bool)> {
        if !values.needs[v.0] {
            return None;
        }
        let fresh = self.data[v.0].is_empty();
        if fresh {
            let (r, c) = values.shapes[v.0];
            self.data[v.0] = pool.take(r * c);
        }
        Some((&mut self.data[v.0], fresh))
    }

    /// As [`Grads::slot`], zeroed if fresh.
    pub(crate) fn add<'g>(&'g mut self, v: Var, values: &Values, pool: &mut Pool) -> Option<&'g mut [f32]> {
        self.slot(v, values, pool).map(|(g, fresh)| {
            if fresh {
                g.fill(0.0);
            }
            g
        })
    }
}

/// Kept work space: a pack of activations; the row scores of the last cross-entropy and the nats of the last divergence.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) pack: crate::gemm::Packed,
    pub(crate) scores: Vec<crate::ops::output::RowScore>,
    pub(crate) nats: crate::ops::gaussian::Nats,
}

/// A recording of one forward pass.
#[derive(Default)]
pub struct Tape {
    pub(crate) values: Values,
    pub(crate) grads: Grads,
    ops: Vec<Option<Box<dyn Op>>>,
    pub(crate) pool: Pool,
    pub(crate) scratch: Scratch,
    recording: bool,
    without_dropout: bool,
    loss: f64,
    /// The first loss that was not finite.
    bad_loss: Option<usize>,
}

impl Tape {
    /// A tape that records, for training.
    pub fn new() -> Self {
        Tape { recording: true, ..Tape::default() }
    }

    /// A tape that only computes: nothing is kept for a backward pass, dropout is the identity.
    pub fn inference() -> Self {
        Tape::default()
    }

    /// Whether a backward pass is possible.
    pub fn recording(&self) -> bool {
        self.recording
    }

    /// Switches dropout off (or on again) until [`Tape::reset`]: for losses of what was drawn from the model without it.
    pub fn set_dropout(&mut self, on: bool) {
        self.without_dropout = !on;
    }

    /// Whether dropout acts.
    pub(crate) fn drops(&self) -> bool {
        self.recording && !self.without_dropout
    }

    /// Forgets the recording, keeps the buffers.
    pub fn reset(&mut self) {
        for buffer in self.values.data.drain(..).chain(self.grads.data.drain(..)) {
            self.pool.give(buffer);
        }
        self.values.shapes.clear();
        self.values.needs.clear();
        self.ops.clear();
        self.without_dropout = false;
        self.loss = 0.0;
        self.bad_loss = None;
    }

    /// Brings a (rows, cols) matrix onto the tape. Its gradient is not computed.
    ///
    /// # Panics
    /// If `data` has another size.
    pub fn input(&mut self, data: &[f32], shape: (usize, usize)) -> Var {
        assert_eq!(data.len(), shape.0 * shape.1);
        let value = self.pool.copy(data);
        self.push(value, shape, false, || None::<crate::ops::Never>)
    }

    /// As [`Tape::input`], but its gradient can be read after the backward pass with [`Tape::grad`].
    pub fn variable(&mut self, data: &[f32], shape: (usize, usize)) -> Var {
        let v = self.input(data, shape);
        self.values.needs[v.0] = self.recording;
        v
    }

    /// The matrix behind a handle, row-major.
    pub fn value(&self, v: Var) -> &[f32] {
        self.values.get(v)
    }

    /// (rows, cols) of a matrix.
    pub fn shape(&self, v: Var) -> (usize, usize) {
        self.values.shape(v)
    }

    /// The gradient of a [`Tape::variable`] after [`Tape::backward`]; empty if the loss does not depend on it.
    pub fn grad(&self, v: Var) -> &[f32] {
        &self.grads.data[v.0]
    }

    /// The weighted sum of all losses so far.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// Plays the tape backward and adds to the parameters' gradients.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the loss is NaN or infinite, with the layer in which that began.
    pub fn backward(&mut self, params: &mut Params) -> Result<(), Error> {
        self.check_loss()?;
        for i in (0..self.ops.len()).rev() {
            let Some(mut op) = self.ops[i].take() else { continue };
            let dy = std::mem::take(&mut self.grads.data[i]);
            if !dy.is_empty() || op.is_loss() {
                let Tape { values, grads, pool, scratch, .. } = self;
                op.backward(&dy, &mut Backward { out: Var(i), values, grads, params, pool, scratch });
            }
            self.pool.give(dy);
            // Later layers have been played already, so nobody reads this value again.
            self.pool.give(std::mem::take(&mut self.values.data[i]));
        }
        Ok(())
    }

    fn check_loss(&self) -> Result<(), Error> {
        if self.loss.is_finite() {
            return Ok(());
        }
        // Layers first: a loss is rarely where it began, unless all that went into it is finite.
        let bad = (0..self.ops.len()).find(|&i| self.values.data[i].iter().any(|x| !x.is_finite()));
        // A node without an op is an input, or follows from inputs and frozen parameters alone.
        let name = |i: usize| self.ops[i].as_ref().map_or("input", |op| op.name());
        let op = bad.or(self.bad_loss).map_or("loss", name);
        Err(Error::NotFinite { op: op.to_string(), what: "the output" })
    }

    /// Records a layer. `op` is only built when a backward pass is possible and an input or parameter needs it.
    pub(crate) fn push<O: Op + 'static>(
        &mut self,
        value: Vec<f32>,
        shape: (usize, usize),
        needs: bool,
        op: impl FnOnce() -> Option<O>,
    ) -> Var {
        debug_assert_eq!(value.len(), shape.0 * shape.1);
        let needs = needs && self.recording;
        self.values.data.push(value);
        self.values.shapes.push(shape);
        self.values.needs.push(needs);
        self.grads.data.push(Vec::new());
        self.ops.push(if needs { op().map(|o| Box::new(o) as Box<dyn Op>) } else { None });
        Var(self.values.data.len() - 1)
    }

    /// Records a loss of value `loss` (already weighted); its op runs first on the way back.
    pub(crate) fn push_loss<O: Op + 'static>(&mut self, loss: f64, op: impl FnOnce() -> Option<O>) {
        self.loss += loss;
        let v = self.push(Vec::new(), (0, 0), true, op);
        if !loss.is_finite() {
            self.bad_loss.get_or_insert(v.0);
        }
    }
}
