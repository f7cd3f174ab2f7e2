//! Proof that no two derivations spell the same text.
//!
//! Two derivations are followed side by side from the choice where they part. What is left to spell
//! on each side is a list of items; two lists that are equal, or both at their end, mean that both
//! sides spell the same text: an ambiguity. There are finitely many pairs of lists, and all that can
//! be reached are looked at (the squared automaton of Book, Even, Greibach and Ott 1971, for a
//! grammar without recursion). How two items can meet does not depend on what stands behind them, so
//! it is worked out once. Letters are compared without case, so that a capital at the beginning
//! cannot merge two texts.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::rules::{Alternative, Item, Symbols};

/// A list of items left to spell, as an index; [`END`] is the empty one.
type List = u32;
const END: List = 0;

/// What is left on either side when one side is at its end.
type Outcome = (List, List);

struct Proof<'a> {
    symbols: &'a Symbols,
    /// Each list's first item and its rest.
    lists: Vec<(Item, List)>,
    known: HashMap<(Item, List), List>,
    met: HashMap<(Item, Item), Rc<[Outcome]>>,
    /// Of each symbol: whether it can become nothing at all.
    nullable: Vec<bool>,
}

/// The symbols of which two derivations spell the same text. (A `sentence` symbol stands for one
/// combination of labels; `all` puts them under one symbol.)
pub(super) fn ambiguous_symbols(symbols: &Symbols) -> Vec<u32> {
    let mut nullable: Vec<bool> = Vec::new();
    for symbol in &symbols.list {
        let empty = |i: &Item| matches!(i, Item::Symbol(s) if nullable[*s as usize]);
        nullable.push(symbol.iter().any(|a| a.items.iter().all(empty)));
    }
    let nothing = (Item::Text("".into()), END);
    let mut proof = Proof { symbols, lists: vec![nothing], known: HashMap::new(), met: HashMap::new(), nullable };
    (0..symbols.list.len() as u32).filter(|&s| proof.is_ambiguous(s)).collect()
}

/// `symbols` with one more symbol in the end, which becomes any sentence.
pub(super) fn all(symbols: &Symbols) -> Symbols {
    let mut symbols = symbols.clone();
    let any = symbols.roots.iter();
    symbols.list.push(any.map(|&(_, root)| Alternative { weight: 1, items: vec![Item::Symbol(root)] }).collect());
    symbols
}

impl Proof<'_> {
    /// Follows every two derivations of `symbol` that part at its own alternatives (those that part
    /// later are another symbol's matter, unless one text begins the other there).
    fn is_ambiguous(&mut self, symbol: u32) -> bool {
        let ways = self.ways(symbol, END);
        let mut pairs = Vec::new();
        for (i, &a) in ways.iter().enumerate() {
            pairs.extend(ways[..i].iter().map(|&b| (a, b)));
        }
        for mut list in ways {
            while list != END {
                let (item, rest) = self.lists[list as usize].clone();
                for &(a, b) in self.meet(&item, &item).iter().filter(|o| o.0 != o.1) {
                    pairs.push((self.join(a, rest), self.join(b, rest)));
                }
                list = rest;
            }
        }
        let mut seen = HashSet::new();
        while let Some((a, b)) = pairs.pop() {
            if a == b {
                return true;
            }
            if seen.insert((a.min(b), a.max(b))) {
                self.step(a, b, &mut pairs);
            }
        }
        false
    }

    /// All ways in which the two can spell the same until one of them is at its end. For an item
    /// with itself, that both spell the same in the same way is among them.
    fn meet(&mut self, x: &Item, y: &Item) -> Rc<[Outcome]> {
        let key = (x.clone(), y.clone());
        if let Some(known) = self.met.get(&key) {
            return Rc::clone(known);
        }
        let (a, b) = (self.cons(x.clone(), END), self.cons(y.clone(), END));
        let mut pairs = Vec::new();
        match (x, y) {
            (Item::Symbol(s), Item::Symbol(t)) if s == t => {
                let ways = self.ways(*s, END);
                pairs.extend(ways.iter().flat_map(|&p| ways.iter().map(move |&q| (p, q))));
            }
            // The later symbol first, as the earlier may be part of it.
            (Item::Symbol(s), other) if !matches!(other, Item::Symbol(t) if t > s) => {
                pairs.extend(self.ways(*s, END).into_iter().map(|way| (way, b)));
            }
            (_, Item::Symbol(t)) => pairs.extend(self.ways(*t, END).into_iter().map(|way| (a, way))),
            (_, Item::Text(_)) => pairs.extend(self.compare(a, b)),
        }
        let (mut seen, mut outcomes) = (HashSet::new(), Vec::new());
        while let Some(pair) = pairs.pop() {
            if seen.insert(pair) && self.step(pair.0, pair.1, &mut pairs) {
                outcomes.push(pair);
            }
        }
        let outcomes: Rc<[Outcome]> = outcomes.into();
        self.met.insert(key, Rc::clone(&outcomes));
        outcomes
    }

    /// Follows two lists by one item; true when that cannot be, as one is at its end.
    fn step(&mut self, a: List, b: List, pairs: &mut Vec<(List, List)>) -> bool {
        if a != END && b != END {
            let ((x, rest_a), (y, rest_b)) = (self.lists[a as usize].clone(), self.lists[b as usize].clone());
            for &(left_a, left_b) in self.meet(&x, &y).iter() {
                pairs.push((self.join(left_a, rest_a), self.join(left_b, rest_b)));
            }
            return false;
        }
        // What may be nothing is unfolded, so that two ends are not overlooked.
        let longer = a.max(b);
        match self.lists[longer as usize].clone() {
            (Item::Symbol(s), rest) if self.may_be_nothing(longer) => {
                let ways = self.ways(s, rest).into_iter();
                pairs.extend(ways.map(|way| if a == END { (a, way) } else { (way, b) }));
                false
            }
            _ => true,
        }
    }

    fn may_be_nothing(&self, mut list: List) -> bool {
        while list != END {
            match &self.lists[list as usize] {
                (Item::Symbol(s), rest) if self.nullable[*s as usize] => list = *rest,
                _ => return false,
            }
        }
        true
    }

    /// Two texts, when one begins the other: what is left.
    fn compare(&mut self, a: List, b: List) -> Option<(List, List)> {
        let text = |proof: &Self, l: List| match &proof.lists[l as usize].0 {
            Item::Text(t) => t.to_lowercase(),
            Item::Symbol(_) => String::new(),
        };
        let (x, y) = (text(self, a), text(self, b));
        match (x.strip_prefix(&y), y.strip_prefix(&x)) {
            (Some(left), _) => Some((self.cons(Item::Text(left.into()), END), END)),
            (_, Some(left)) => Some((END, self.cons(Item::Text(left.into()), END))),
            _ => None,
        }
    }

    fn join(&mut self, list: List, rest: List) -> List {
        if list == END {
            return rest;
        }
        let (item, tail) = self.lists[list as usize].clone();
        let tail = self.join(tail, rest);
        self.cons(item, tail)
    }

    /// Each alternative of the symbol, with `rest` behind it.
    fn ways(&mut self, symbol: u32, rest: List) -> Vec<List> {
        let symbols = self.symbols;
        let prepend = |a: &Alternative| a.items.iter().rev().fold(rest, |list, item| self.cons(item.clone(), list));
        symbols.list[symbol as usize].iter().map(prepend).collect()
    }

    fn cons(&mut self, item: Item, rest: List) -> List {
        if item == Item::Text("".into()) {
            return rest;
        }
        let lists = &mut self.lists;
        *self.known.entry((item, rest)).or_insert_with_key(|key| {
            lists.push(key.clone());
            lists.len() as u32 - 1
        })
    }
}
