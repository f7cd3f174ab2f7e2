//! What may come next in a row: penalties and bans, written into the row's logits.
//!
//! A step touches few tokens, so the touched ones are taken out of the row (-inf) and kept aside with their raw
//! logit; the one pass over the row ([`scan`]) then sees the rest, and the few are added by hand: the unmodified
//! distribution's log-sum-exp gets their raw logits, the search for the best token their new values.

use super::length::lift;
use super::scan::{Scan, clean, scan};
use super::{Options, Special};

/// Marks a token that is not touched in this step.
const UNTOUCHED: u32 = u32::MAX;

/// The rules of one call, and the touched tokens of the row at hand.
pub(super) struct Rules<'a> {
    options: &'a Options,
    /// Tokens that end a row.
    ends: Vec<u32>,
    /// Tokens banned everywhere.
    never: Vec<u32>,
    /// Banned sequences of two tokens or more.
    sequences: Vec<&'a [u32]>,
    edits: Vec<Edit>,
    /// Place in `edits` of each token (V).
    place: Vec<u32>,
}

/// A touched token.
struct Edit {
    token: u32,
    /// Its logit in the model.
    raw: f32,
    /// Its logit under the rules; -inf if banned.
    value: f32,
}

impl<'a> Rules<'a> {
    pub fn new(vocabulary: usize, options: &'a Options, special: Special) -> Self {
        let ends: Vec<u32> = std::iter::once(special.eos).chain(options.eos).collect();
        let mut never = special.never.to_vec();
        if !ends.contains(&special.bos) {
            never.push(special.bos);
        }
        never.extend(options.banned.iter().filter(|sequence| sequence.len() == 1).flatten());
        let sequences = options.banned.iter().map(Vec::as_slice).filter(|sequence| sequence.len() > 1).collect();
        Rules { options, ends, never, sequences, edits: Vec::new(), place: vec![UNTOUCHED; vocabulary] }
    }

    /// Whether the token ends a row.
    pub fn is_end(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    /// Number of tokens that end a row.
    pub fn ends(&self) -> usize {
        self.ends.len()
    }

    /// Applies the rules to a row of logits (V) that continues `history`. Afterwards the row holds the modified
    /// logits, -inf for what is banned. Returns the best allowed token, and the mass of the unmodified row.
    pub fn apply(&mut self, history: &[u32], row: &mut [f32]) -> Scan {
        self.forget();
        if self.options.repetition_penalty != 1.0 {
            for &token in history {
                self.penalise(token, row);
            }
        }
        self.lift_ends(history, row);
        self.ban_constant(history, row);
        self.ban_sequences(history, row);
        self.ban_repeats(history, row);
        self.ban_blocked(history, row);
        self.ban_unknown_words(history, row);
        let mut found = scan(row);
        for edit in &self.edits {
            found.mass.add(edit.raw);
            let better = |(token, value)| edit.value > value || edit.value == value && edit.token < token;
            if edit.value > f32::NEG_INFINITY && found.best.is_none_or(better) {
                found.best = Some((edit.token, edit.value));
            }
            row[edit.token as usize] = edit.value;
        }
        found
    }

    /// A row that must go on with a given token: no rules, only the mass.
    pub fn measure(&mut self, row: &[f32]) -> Scan {
        self.forget();
        scan(row)
    }

    /// The model's logit of a token in the row last applied or measured.
    pub fn raw(&self, token: u32, row: &[f32]) -> f32 {
        match self.edits.get(self.place[token as usize] as usize) {
            Some(edit) => edit.raw,
            None => clean(row[token as usize]),
        }
    }

    /// Tokens taken out of the row in an earlier step are untouched again.
    fn forget(&mut self) {
        for edit in self.edits.drain(..) {
            self.place[edit.token as usize] = UNTOUCHED;
        }
    }

    /// Takes a token out of the row, unless it is out already; none if the vocabulary does not have it.
    fn touch(&mut self, token: u32, row: &mut [f32]) -> Option<&mut Edit> {
        let place = self.place.get_mut(token as usize)?;
        if *place == UNTOUCHED {
            *place = self.edits.len() as u32;
            let raw = clean(std::mem::replace(&mut row[token as usize], f32::NEG_INFINITY));
            self.edits.push(Edit { token, raw, value: raw });
        }
        self.edits.get_mut(*place as usize)
    }

    /// CTRL's penalty: of the raw logit, so that it counts once however often the token appeared.
    fn penalise(&mut self, token: u32, row: &mut [f32]) {
        let theta = self.options.repetition_penalty;
        if let Some(edit) = self.touch(token, row) {
            edit.value = if edit.raw > 0.0 { edit.raw / theta } else { edit.raw * theta };
        }
    }

    /// Holds ends back, or brings them on, where about so many words are wanted.
    fn lift_ends(&mut self, history: &[u32], row: &mut [f32]) {
        let options = self.options;
        let Some(counts) = options.counts.as_ref().filter(|_| options.about_words > 0) else { return };
        let lift = lift(counts.words(history), options.about_words);
        // What is closed may end.
        let closed = history.last().is_some_and(|token| counts.closing().contains(token));
        for index in 0..self.ends.len() {
            self.lift(self.ends[index], if closed { lift.max(0.0) } else { lift }, row);
        }
        for &token in counts.closing() {
            self.lift(token, lift, row);
        }
    }

    fn lift(&mut self, token: u32, by: f32, row: &mut [f32]) {
        if let Some(edit) = self.touch(token, row) {
            edit.value += by;
        }
    }

    fn ban(&mut self, token: u32, row: &mut [f32]) {
        if let Some(edit) = self.touch(token, row) {
            edit.value = f32::NEG_INFINITY;
        }
    }

    /// Tokens banned everywhere, and ends that come too early.
    fn ban_constant(&mut self, history: &[u32], row: &mut [f32]) {
        for index in 0..self.never.len() {
            self.ban(self.never[index], row);
        }
        if history.len() < self.options.min_len {
            for index in 0..self.ends.len() {
                self.ban(self.ends[index], row);
            }
        }
    }

    /// The last token of each banned sequence whose beginning the row ends with.
    fn ban_sequences(&mut self, history: &[u32], row: &mut [f32]) {
        for index in 0..self.sequences.len() {
            if let Some((&last, beginning)) = self.sequences[index].split_last()
                && history.ends_with(beginning)
            {
                self.ban(last, row);
            }
        }
    }

    /// Every token that would complete a blocked n-gram.
    fn ban_blocked(&mut self, history: &[u32], row: &mut [f32]) {
        let options = self.options;
        for &token in options.blocked.iter().flat_map(|blocked| blocked.after(history)) {
            self.ban(token, row);
        }
    }

    /// Every token that would spell a word that is not known.
    fn ban_unknown_words(&mut self, history: &[u32], row: &mut [f32]) {
        let options = self.options;
        if let Some(words) = options.words.as_ref().filter(|_| options.known_words) {
            words.banned(history, |token| self.ban(token, row));
        }
    }

    /// Every token that would complete an n-gram the row already holds.
    fn ban_repeats(&mut self, history: &[u32], row: &mut [f32]) {
        let n = self.options.no_repeat_ngram;
        if n == 0 || history.len() < n {
            return;
        }
        let ending = &history[history.len() + 1 - n..];
        for window in history.windows(n) {
            if window.starts_with(ending) {
                self.ban(window[n - 1], row);
            }
        }
    }
}
