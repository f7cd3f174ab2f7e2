//! From a text back to its derivations: how many there are, and the probability of each.
//!
//! `P(symbol spells text[i..j]) = sum over alternatives of weight / total * product over items`,
//! top down from the left, each (symbol, i) worked out once.

use std::collections::HashMap;
use std::rc::Rc;

use super::rules::{Item, Symbols};

/// A way to end, and all derivations that end there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ending {
    pub end: usize,
    pub derivations: u64,
    pub probability: f64,
}

pub(super) struct Parser<'a> {
    symbols: &'a Symbols,
    text: &'a str,
    known: HashMap<(u32, usize), Rc<[Ending]>>,
}

impl<'a> Parser<'a> {
    pub fn new(symbols: &'a Symbols, text: &'a str) -> Self {
        Self { symbols, text, known: HashMap::new() }
    }

    /// The derivations of the whole text from `symbol`; `None` when there is none.
    pub fn whole(&mut self, symbol: u32) -> Option<Ending> {
        self.endings(symbol, 0).iter().find(|e| e.end == self.text.len()).copied()
    }

    fn endings(&mut self, symbol: u32, start: usize) -> Rc<[Ending]> {
        if let Some(known) = self.known.get(&(symbol, start)) {
            return Rc::clone(known);
        }
        let symbols = self.symbols;
        let alternatives = &symbols.list[symbol as usize];
        let total: f64 = alternatives.iter().map(|a| f64::from(a.weight)).sum();
        let mut endings = Vec::new();
        for alternative in alternatives {
            let probability = f64::from(alternative.weight) / total;
            let mut partial = vec![Ending { end: start, derivations: 1, probability }];
            for item in &alternative.items {
                partial = partial.into_iter().fold(Vec::new(), |mut next, from| {
                    self.follow(item, from, &mut next);
                    next
                });
                if partial.is_empty() {
                    break;
                }
            }
            partial.into_iter().for_each(|e| add(&mut endings, e));
        }
        let endings: Rc<[Ending]> = endings.into();
        self.known.insert((symbol, start), Rc::clone(&endings));
        endings
    }

    fn follow(&mut self, item: &Item, from: Ending, next: &mut Vec<Ending>) {
        match item {
            Item::Text(word) => {
                if self.text[from.end..].starts_with(&**word) {
                    add(next, Ending { end: from.end + word.len(), ..from });
                }
            }
            Item::Symbol(symbol) => {
                for e in self.endings(*symbol, from.end).iter() {
                    let derivations = from.derivations * e.derivations;
                    add(next, Ending { end: e.end, derivations, probability: from.probability * e.probability });
                }
            }
        }
    }
}

fn add(endings: &mut Vec<Ending>, new: Ending) {
    match endings.iter_mut().find(|e| e.end == new.end) {
        Some(e) => {
            e.derivations += new.derivations;
            e.probability += new.probability;
        }
        None => endings.push(new),
    }
}
