//! From named tensors to parameters.

use strait_engine::{ParamId, Params};

use crate::{Error, tensors::Tensors};

/// A weight and its bias, or a gain and its shift.
pub(crate) type Dense = (ParamId, ParamId);

/// Puts tensors whose names begin with `prefix` into `params`.
pub(crate) struct Loader<'a> {
    pub(crate) tensors: &'a Tensors,
    pub(crate) params: &'a mut Params,
    /// The part of the names that comes before a network's own, such as `bert.`.
    prefix: &'static str,
}

impl<'a> Loader<'a> {
    /// `probe` is a name that every network of the family has; it tells which of `prefixes` is there.
    pub(crate) fn new(tensors: &'a Tensors, params: &'a mut Params, prefixes: &[&'static str], probe: &str) -> Self {
        let prefix = prefixes.iter().copied().find(|p| tensors.has(&format!("{p}{probe}")));
        Loader { tensors, params, prefix: prefix.unwrap_or_default() }
    }

    fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        self.tensors.get(&format!("{}{name}", self.prefix), shape)
    }

    /// A table or weight (rows, cols).
    pub(crate) fn matrix(&mut self, name: &str, (rows, cols): (usize, usize)) -> Result<ParamId, Error> {
        let values = self.values(name, &[rows, cols])?;
        Ok(self.params.add(name, (rows, cols), values))
    }

    fn vector(&mut self, name: &str, n: usize) -> Result<ParamId, Error> {
        self.vector_as(name, name, n)
    }

    /// A vector stored under one name, added under another.
    fn vector_as(&mut self, stored: &str, name: &str, n: usize) -> Result<ParamId, Error> {
        let values = self.values(stored, &[n])?;
        Ok(self.params.add(name, (1, n), values))
    }

    /// `{name}.weight` (out, in) and `{name}.bias` (out).
    pub(crate) fn dense(&mut self, name: &str, size: (usize, usize)) -> Result<Dense, Error> {
        let weight = self.matrix(&format!("{name}.weight"), size)?;
        Ok((weight, self.vector(&format!("{name}.bias"), size.0)?))
    }

    /// Several dense layers (d, d) that read the same, as one.
    pub(crate) fn side_by_side(&mut self, names: &[String], d: usize) -> Result<Dense, Error> {
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            weight.extend(self.values(&format!("{name}.weight"), &[d, d])?);
            bias.extend(self.values(&format!("{name}.bias"), &[d])?);
        }
        let rows = d * names.len();
        let weight = self.params.add(format!("{}.. weight", names[0]), (rows, d), weight);
        Ok((weight, self.params.add(format!("{}.. bias", names[0]), (1, rows), bias)))
    }

    /// `{name}.weight` stored as (in, out), as GPT-2 does, and `{name}.bias` (out).
    pub(crate) fn transposed(&mut self, name: &str, (out, inp): (usize, usize)) -> Result<Dense, Error> {
        let weight = format!("{name}.weight");
        let stored = self.values(&weight, &[inp, out])?;
        let turned = (0..out * inp).map(|i| stored[i % inp * out + i / inp]).collect();
        let weight = self.params.add(weight, (out, inp), turned);
        Ok((weight, self.vector(&format!("{name}.bias"), out)?))
    }

    /// Gain and shift of a normalisation, by either of the names that they had over time; added under the newer ones.
    pub(crate) fn norm(&mut self, name: &str, d: usize) -> Result<Dense, Error> {
        let old = self.tensors.has(&format!("{}{name}.gamma", self.prefix));
        let (gain, shift) = if old { ("gamma", "beta") } else { ("weight", "bias") };
        let mut add =
            |stored: &str, now: &str| self.vector_as(&format!("{name}.{stored}"), &format!("{name}.{now}"), d);
        Ok((add(gain, "weight")?, add(shift, "bias")?))
    }
}
