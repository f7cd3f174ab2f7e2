//! Where a model looked while it wrote: a matrix for each pair, the source across, what was written down.

use crate::{
    html::{Element, element},
    page::{Page, note, unseen},
};

/// Pairs shown at most.
const SHOWN: usize = 100;

/// A source, what was written for it, and for each token written the weights of the source's tokens.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AttentionMatrix {
    pub source: Vec<String>,
    pub written: Vec<String>,
    /// A row for each token written, a number in 0..1 for each of the source.
    pub weights: Vec<Vec<f32>>,
}

/// The page of some matrices.
pub fn attention_page(title: &str, matrices: &[AttentionMatrix]) -> String {
    let about = "Each row is a token that was written; the darker a cell, the more the model looked at that token of the \
                 source when it chose it. Weights are averaged over heads and layers and sum to 1 in a row.";
    let mut page = Page::new(title, about, &[]);
    let mut content: Vec<Element> = matrices.iter().take(SHOWN).enumerate().map(|(i, m)| matrix(i, m)).collect();
    if matrices.len() > SHOWN {
        content.push(note(format!("{SHOWN} of {} pairs are shown.", matrices.len())));
    }
    page.section("pairs", "Pairs", content);
    page.markup()
}

fn matrix(place: usize, matrix: &AttentionMatrix) -> Element {
    let across =
        matrix.source.iter().map(|token| element("th").set("scope", "col").put(element("span").put(shown(token))));
    let corner = element("td").put(unseen("written, source"));
    let head = element("thead").put(element("tr").put(corner).put(across.collect::<Vec<_>>()));
    let rows = matrix.written.iter().zip(&matrix.weights).map(|(token, weights)| {
        let cells = weights.iter().zip(&matrix.source).map(|(&weight, source)| {
            let weight = if weight.is_finite() { weight.clamp(0.0, 1.0) } else { 0.0 };
            element("td")
                .set("style", format!("--w:{:.0}%", 100.0 * weight))
                .set("title", format!("{} ← {}: {:.0} %", token.trim(), source.trim(), 100.0 * weight))
        });
        let heading = element("th").set("scope", "row").put(shown(token));
        element("tr").put(heading).put(cells.collect::<Vec<_>>())
    });
    let table = element("table").class("attention").put(head).put(element("tbody").put(rows.collect::<Vec<_>>()));
    element("div").put(element("h3").put(format!("Pair {}", place + 1))).put(element("div").class("scroll").put(table))
}

/// A token as it reads: one that is blank shows as such.
fn shown(token: &str) -> &str {
    match token.trim() {
        "" => "␣",
        trimmed => trimmed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_for_each_pair_of_tokens_and_no_markup_of_texts() {
        let pair = AttentionMatrix {
            source: vec![" <b>".into(), " ".into()],
            written: vec!["x".into(), "(end)".into()],
            weights: vec![vec![0.25, 0.75], vec![f32::NAN, 1.0]],
        };
        let page = attention_page("Attention", &[pair]);
        assert!(page.contains("--w:25%") && page.contains("--w:75%") && page.contains("--w:0%"));
        assert_eq!(page.matches("style=\"--w:").count(), 4);
        assert!(page.contains("&lt;b&gt;") && !page.contains("<b>") && page.contains("␣"));
    }
}
