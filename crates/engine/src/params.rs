//! The parameter store: every weight with its name, shape, value, gradient and packed forms.
//!
//! A weight is packed for the matrix kernel once after each update and used for all time steps and batches until the
//! next; the optimiser refreshes in place whatever packs exist, so nothing is allocated after the first step.

use std::sync::OnceLock;

use crate::{error::Error, gemm::Packed};

/// Handle of a parameter in [`Params`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamId(pub(crate) usize);

/// Which product a pack serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `x W^T` for W (out, in): the forward pass. One pack for each gate of a recurrent weight.
    Forward = 0,
    /// `dy W`: the backward pass.
    Backward = 1,
}

/// One parameter: a (rows, cols) matrix; vectors are (1, cols).
pub struct Param {
    name: String,
    rows: usize,
    cols: usize,
    /// Number of row blocks that the forward layout packs apart (gates of a recurrent weight).
    groups: usize,
    pub(crate) value: Vec<f32>,
    pub(crate) grad: Vec<f32>,
    pub(crate) touched: Touched,
    trainable: bool,
    packs: [OnceLock<Vec<Packed>>; 2],
}

/// Which rows of a gradient have been written since the last update.
#[derive(Default)]
pub(crate) struct Touched {
    pub(crate) all: bool,
    pub(crate) rows: Vec<u32>,
    seen: Vec<bool>,
}

impl Touched {
    pub(crate) fn any(&self) -> bool {
        self.all || !self.rows.is_empty()
    }

    /// The rows written, in rising order (if not `all`).
    pub(crate) fn rising(&self) -> impl Iterator<Item = usize> + '_ {
        self.seen.iter().enumerate().filter(|(_, seen)| **seen).map(|(row, _)| row)
    }

    pub(crate) fn row(&mut self, row: u32, total: usize) {
        if self.all {
            return;
        }
        self.seen.resize(total, false);
        if !std::mem::replace(&mut self.seen[row as usize], true) {
            self.rows.push(row);
        }
    }

    pub(crate) fn clear(&mut self) {
        for r in self.rows.drain(..) {
            self.seen[r as usize] = false;
        }
        self.all = false;
    }
}

impl Param {
    /// Its name, such as `decoder.rnn.0.weight_hh`.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// (rows, cols).
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }
    /// The values, row-major.
    pub fn value(&self) -> &[f32] {
        &self.value
    }
    /// The gradient accumulated since the last update, row-major (empty before the first backward pass).
    pub fn grad(&self) -> &[f32] {
        &self.grad
    }
    /// Whether gradients are accumulated for it.
    pub fn trainable(&self) -> bool {
        self.trainable
    }

    fn pack_into(&self, layout: Layout, packs: &mut Vec<Packed>) {
        let count = if layout == Layout::Forward { self.groups } else { 1 };
        packs.resize_with(count, Packed::default);
        match layout {
            Layout::Forward => {
                let out = self.rows / self.groups;
                for (g, pack) in packs.iter_mut().enumerate() {
                    pack.pack(&self.value[g * out * self.cols..], self.cols, self.cols, out, true);
                }
            }
            Layout::Backward => packs[0].pack(&self.value, self.cols, self.rows, self.cols, false),
        }
    }

    pub(crate) fn refresh_packs(&mut self) {
        for layout in [Layout::Forward, Layout::Backward] {
            if let Some(mut packs) = self.packs[layout as usize].take() {
                self.pack_into(layout, &mut packs);
                let _ = self.packs[layout as usize].set(packs);
            }
        }
    }
}

/// All parameters of a model, in the order in which they were added.
#[derive(Default)]
pub struct Params {
    list: Vec<Param>,
}

impl Params {
    /// An empty store.
    pub fn new() -> Self {
        Params::default()
    }

    /// Adds a (rows, cols) parameter.
    ///
    /// # Panics
    /// If `value` has another size, or the name is taken.
    pub fn add(&mut self, name: impl Into<String>, shape: (usize, usize), value: Vec<f32>) -> ParamId {
        self.add_gated(name, shape, 1, value)
    }

    /// Adds a recurrent weight whose rows are `gates` blocks, packed apart so that threads can own hidden units.
    pub fn add_gated(
        &mut self,
        name: impl Into<String>,
        (rows, cols): (usize, usize),
        gates: usize,
        value: Vec<f32>,
    ) -> ParamId {
        let name = name.into();
        assert_eq!(value.len(), rows * cols, "{name}");
        assert!(self.list.iter().all(|p| p.name != name), "parameter {name} exists twice");
        let (grad, touched, packs) = Default::default();
        self.list.push(Param { name, rows, cols, groups: gates, value, grad, touched, trainable: true, packs });
        ParamId(self.list.len() - 1)
    }

    /// Adds a parameter with the shape and the values of another.
    ///
    /// # Panics
    /// If the name is taken.
    pub fn add_copy(&mut self, name: impl Into<String>, of: ParamId) -> ParamId {
        let p = &self.list[of.0];
        let (shape, groups, value) = (p.shape(), p.groups, p.value.clone());
        self.add_gated(name, shape, groups, value)
    }

    /// All parameters with their handles.
    pub fn iter(&self) -> impl Iterator<Item = (ParamId, &Param)> {
        self.list.iter().enumerate().map(|(i, p)| (ParamId(i), p))
    }

    /// Number of parameters (tensors).
    pub fn len(&self) -> usize {
        self.list.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
    /// Number of weights in all.
    pub fn weights(&self) -> usize {
        self.list.iter().map(|p| p.value.len()).sum()
    }
    /// The parameter behind a handle.
    pub fn get(&self, id: ParamId) -> &Param {
        &self.list[id.0]
    }
    pub(crate) fn get_mut(&mut self, id: ParamId) -> &mut Param {
        &mut self.list[id.0]
    }
    /// The values of a parameter.
    pub fn value(&self, id: ParamId) -> &[f32] {
        &self.list[id.0].value
    }
    /// (rows, cols) of a parameter.
    pub fn shape(&self, id: ParamId) -> (usize, usize) {
        self.list[id.0].shape()
    }
    /// The handle of a name.
    pub fn find(&self, name: &str) -> Option<ParamId> {
        self.list.iter().position(|p| p.name == name).map(ParamId)
    }

    /// Replaces the values of a parameter.
    pub fn set(&mut self, name: &str, shape: (usize, usize), value: &[f32]) -> Result<(), Error> {
        let id = self.find(name).ok_or_else(|| Error::Missing { name: name.into() })?;
        let p = &mut self.list[id.0];
        if shape != p.shape() || value.len() != p.value.len() {
            let (found, expected) = (vec![shape.0, shape.1], vec![p.rows, p.cols]);
            return Err(Error::Shape { name: name.into(), found, expected });
        }
        p.value.copy_from_slice(value);
        p.refresh_packs();
        Ok(())
    }

    /// Replaces the values of a parameter by handle.
    ///
    /// # Panics
    /// If the number of values differs.
    pub fn assign(&mut self, id: ParamId, value: &[f32]) {
        let p = &mut self.list[id.0];
        p.value.copy_from_slice(value);
        p.refresh_packs();
    }

    /// Adds copies of another store's parameters in their order, their names behind `prefix`; what it returns turns a handle
    /// of theirs into that of the copy. Trainable are those that are there.
    pub fn append(&mut self, prefix: &str, other: &Params) -> impl Fn(ParamId) -> ParamId + use<> {
        let first = self.list.len();
        for p in &other.list {
            let id = self.add_gated(format!("{prefix}{}", p.name), p.shape(), p.groups, p.value.clone());
            self.list[id.0].trainable = p.trainable;
        }
        move |id| ParamId(first + id.0)
    }

    /// Exchanges the values of two parameters, with whatever is packed of them.
    ///
    /// # Panics
    /// If they are one and the same, or their shapes differ.
    pub fn swap(&mut self, a: ParamId, b: ParamId) {
        let [a, b] = self.list.get_disjoint_mut([a.0, b.0]).expect("two parameters of this store");
        assert_eq!((a.shape(), a.groups), (b.shape(), b.groups), "{} and {}", a.name, b.name);
        std::mem::swap(&mut a.value, &mut b.value);
        std::mem::swap(&mut a.packs, &mut b.packs);
    }

    /// Moves a parameter towards another of the same shape: `p = keep p + (1 - keep) of`.
    ///
    /// # Panics
    /// If they are one and the same, or their shapes differ.
    pub fn follow(&mut self, id: ParamId, of: ParamId, keep: f32) {
        let [p, of] = self.list.get_disjoint_mut([id.0, of.0]).expect("two parameters of this store");
        assert_eq!(p.shape(), of.shape(), "{} and {}", p.name, of.name);
        p.value.iter_mut().zip(&of.value).for_each(|(p, &of)| *p = keep * *p + (1.0 - keep) * of);
        p.refresh_packs();
    }

    /// Freezes or thaws every parameter whose name starts with `prefix`.
    pub fn set_trainable(&mut self, prefix: &str, trainable: bool) {
        self.list.iter_mut().filter(|p| p.name.starts_with(prefix)).for_each(|p| p.trainable = trainable);
    }

    /// The packed form of a weight, made on first use.
    pub(crate) fn packed(&self, id: ParamId, layout: Layout) -> &[Packed] {
        let p = &self.list[id.0];
        p.packs[layout as usize].get_or_init(|| {
            let mut packs = Vec::new();
            p.pack_into(layout, &mut packs);
            packs
        })
    }

    /// The gradient buffer of a parameter for dense accumulation, or `None` if it is frozen.
    pub(crate) fn grad_dense(&mut self, id: ParamId) -> Option<&mut [f32]> {
        let p = &mut self.list[id.0];
        p.trainable.then(|| {
            p.touched.all = true;
            p.grad.resize(p.value.len(), 0.0);
            &mut p.grad[..]
        })
    }

    /// Adds `delta` (cols) to one row of a gradient; only touched rows are later read and cleared.
    pub(crate) fn grad_row(&mut self, id: ParamId, row: u32, delta: &[f32]) {
        let p = &mut self.list[id.0];
        if p.trainable {
            p.grad.resize(p.value.len(), 0.0);
            p.touched.row(row, p.rows);
            let at = row as usize * p.cols;
            p.grad[at..at + p.cols].iter_mut().zip(delta).for_each(|(g, d)| *g += d);
        }
    }

    /// Forgets all gradients.
    pub fn zero_grads(&mut self) {
        for p in &mut self.list {
            p.grad.fill(0.0);
            p.touched.clear();
        }
    }

    /// Changes one weight: for finite differences in tests.
    pub fn nudge(&mut self, id: ParamId, index: usize, by: f32) {
        let p = &mut self.list[id.0];
        p.value[index] += by;
        p.refresh_packs();
    }
}
