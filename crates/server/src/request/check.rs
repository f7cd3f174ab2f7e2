//! Checks against the limits; what is beyond is refused by its place.

use crate::{options::Limits, refusal::Refusal};

/// Distances and strengths at most: farther no model has seen anything.
pub const FARTHEST: f64 = 100.0;

/// A distance from 0 to [`FARTHEST`].
///
/// # Errors
/// If it is not.
pub fn distance(pointer: &str, distance: f32) -> Result<(), Refusal> {
    match (0.0..=FARTHEST).contains(&f64::from(distance)) {
        true => Ok(()),
        false => Err(Refusal::invalid(pointer, format!("{distance}; must be between 0 and {FARTHEST}"))),
    }
}

/// A strength in either direction, to [`FARTHEST`].
///
/// # Errors
/// If it is not.
pub fn strength(pointer: &str, strength: f64) -> Result<(), Refusal> {
    match (-FARTHEST..=FARTHEST).contains(&strength) {
        true => Ok(()),
        false => Err(Refusal::invalid(pointer, format!("{strength}; must be between -{FARTHEST} and {FARTHEST}"))),
    }
}

/// A number of at least 1 and at most `limit`.
///
/// # Errors
/// If it is not.
pub fn count(pointer: &str, n: usize, limit: usize) -> Result<(), Refusal> {
    if n == 0 {
        return Err(Refusal::invalid(pointer, "0; must be at least 1"));
    }
    at_most(pointer, n, limit)
}

/// A number of at most `limit`.
///
/// # Errors
/// If it is more.
pub fn at_most(pointer: &str, n: usize, limit: usize) -> Result<(), Refusal> {
    if n > limit {
        return Err(Refusal::invalid(pointer, format!("{n}; at most {limit} here (see /info)")));
    }
    Ok(())
}

/// A list with at least one member and not too many.
///
/// # Errors
/// If it is empty or too long.
pub fn list(pointer: &str, length: usize, limits: &Limits) -> Result<(), Refusal> {
    if length == 0 {
        return Err(Refusal::invalid(pointer, "the list is empty; give it at least one member"));
    }
    if length > limits.texts {
        let why = format!("{length} members; at most {} in a request, send several", limits.texts);
        return Err(Refusal::invalid(pointer, why));
    }
    Ok(())
}

/// A text that is not too long.
///
/// # Errors
/// If it is.
pub fn length(pointer: &str, text: &str, limits: &Limits) -> Result<(), Refusal> {
    if text.len() > limits.chars {
        let chars = text.chars().count();
        if chars > limits.chars {
            let why = format!("{chars} characters; at most {} (see /info)", limits.chars);
            return Err(Refusal::invalid(pointer, why));
        }
    }
    Ok(())
}

/// A list of texts.
///
/// # Errors
/// If there are none or too many, or one is too long.
pub fn texts(pointer: &str, texts: &[String], limits: &Limits) -> Result<(), Refusal> {
    list(pointer, texts.len(), limits)?;
    texts.iter().enumerate().try_for_each(|(i, text)| length(&format!("{pointer}/{i}"), text, limits))
}

/// Token ids of a text.
///
/// # Errors
/// If there are too many, or one is not in a vocabulary of `vocabulary`.
pub fn tokens(pointer: &str, ids: &[u32], vocabulary: usize, limits: &Limits) -> Result<(), Refusal> {
    at_most(pointer, ids.len(), limits.chars)?;
    match ids.iter().position(|&id| id as usize >= vocabulary) {
        Some(i) => {
            let why = format!("{}; the vocabulary has tokens 0 to {}", ids[i], vocabulary.saturating_sub(1));
            Err(Refusal::invalid(format!("{pointer}/{i}"), why))
        }
        None => Ok(()),
    }
}

/// Latents (n, `dim`), all finite.
///
/// # Errors
/// If there are none or too many, or one has another length or something in it that is no number.
pub fn latents(pointer: &str, rows: &[Vec<f32>], dim: usize, limits: &Limits) -> Result<(), Refusal> {
    list(pointer, rows.len(), limits)?;
    rows.iter().enumerate().try_for_each(|(i, row)| latent(&format!("{pointer}/{i}"), row, dim))
}

/// A latent (`dim`), all finite.
///
/// # Errors
/// If it has another length or something in it that is no number.
pub fn latent(pointer: &str, row: &[f32], dim: usize) -> Result<(), Refusal> {
    if row.len() != dim {
        return Err(Refusal::invalid(pointer, format!("{} numbers; the model's latents have {dim}", row.len())));
    }
    match row.iter().position(|v| !v.is_finite()) {
        Some(j) => Err(Refusal::invalid(format!("{pointer}/{j}"), "too large for a 32-bit number")),
        None => Ok(()),
    }
}
