//! The parts that pages are made of: the shell, facts, tiles, tables, texts.

use serde::{Deserialize, Serialize};

use crate::{
    html::{Element, Part, Raw, cut, element},
    number,
    words::{Stretch, differences, equal},
};

/// Characters of a text that a page shows at most.
const SHOWN: usize = 1000;

/// A name and a value, both plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

impl Fact {
    /// A fact.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// A page under construction.
pub struct Page {
    title: String,
    header: Element,
    sections: Vec<(&'static str, &'static str, Element)>,
}

impl Page {
    /// A page with its title, a sentence about it and facts.
    pub fn new(title: &str, about: &str, facts: &[Fact]) -> Self {
        let about = (!about.is_empty()).then(|| element("p").class("about").put(about));
        let header = element("header").put(element("h1").put(title)).put(about).put(facts_list(facts));
        Page { title: title.to_string(), header, sections: Vec::new() }
    }

    /// Appends a section; an empty one is left out. `id` is unique on the page.
    pub fn section(&mut self, id: &'static str, heading: &'static str, content: Vec<Element>) {
        let content = content.into_iter().filter(|e| !e.is_empty()).collect::<Vec<_>>();
        if !content.is_empty() {
            let heading_id = format!("{id}-heading");
            let section = element("section")
                .set("id", id)
                .set("aria-labelledby", &heading_id)
                .put(element("h2").set("id", heading_id).put(heading))
                .put(content);
            self.sections.push((id, heading, section));
        }
    }

    /// The whole page.
    pub fn markup(self) -> String {
        let style = concat!(include_str!("colours.css"), include_str!("style.css"));
        let head = head(&self.title, Scripts::None, style);
        let links = self
            .sections
            .iter()
            .map(|(id, heading, _)| element("li").put(element("a").set("href", format!("#{id}")).put(*heading)));
        let nav = (self.sections.len() > 1).then(|| {
            element("nav").set("aria-label", "On this page").put(element("ul").put(links.collect::<Vec<_>>()))
        });
        let sections: Vec<Element> = self.sections.into_iter().map(|s| s.2).collect();
        let made = format!(
            "Made by Strait {}. This page is complete in itself and asks nothing of the network.",
            env!("CARGO_PKG_VERSION")
        );
        let body = element("body")
            .put(self.header)
            .put(nav)
            .put(element("main").put(sections))
            .put(element("footer").put(made));
        document(head, body)
    }
}

/// Whether a page has scripts.
#[derive(Clone, Copy)]
pub enum Scripts {
    None,
    /// Those that stand in it.
    Own,
}

/// The head of a page. Nothing may be fetched, and no script may run but the page's own, whatever a text may hold.
pub fn head(title: &str, scripts: Scripts, style: &'static str) -> Element {
    let run = match scripts {
        Scripts::None => "",
        Scripts::Own => "script-src 'unsafe-inline'; ",
    };
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; {run}img-src data:; base-uri 'none'; form-action 'none'"
    );
    let meta = |name, content| element("meta").set("name", name).set("content", content);
    element("head")
        .put(element("meta").set("charset", "utf-8"))
        .put(element("meta").set("http-equiv", "Content-Security-Policy").set("content", policy))
        .put(meta("viewport", "width=device-width, initial-scale=1"))
        .put(meta("color-scheme", "light dark"))
        .put(meta("referrer", "no-referrer"))
        .put(element("link").set("rel", "icon").set("href", "data:,"))
        .put(element("title").put(title))
        .put(element("style").put(Raw(style)))
}

/// The whole page.
pub fn document(head: Element, body: Element) -> String {
    let page = element("html").set("lang", "en").put(head).put(body);
    format!("<!DOCTYPE html>{}\n", page.markup())
}

/// Facts as a list of names and values.
fn facts_list(facts: &[Fact]) -> Option<Element> {
    let row = |f: &Fact| element("div").put(element("dt").put(&f.name)).put(element("dd").put(text(&f.value)));
    (!facts.is_empty()).then(|| element("dl").class("facts").put(facts.iter().map(row).collect::<Vec<_>>()))
}

/// A headline figure: what, how much, and a note in small type.
pub struct Tile {
    pub name: &'static str,
    pub value: String,
    pub note: String,
}

/// Headline figures in a row.
pub fn tiles(tiles: Vec<Tile>) -> Element {
    let tile = |t: Tile| {
        let note = (!t.note.is_empty()).then(|| element("small").put(t.note));
        element("div").put(element("dt").put(t.name)).put(element("dd").put(t.value).put(note))
    };
    let tiles: Vec<Element> = tiles.into_iter().map(tile).collect();
    if tiles.is_empty() { element("dl") } else { element("dl").class("tiles").put(tiles) }
}

/// A table in a frame that scrolls sideways where the page is narrow; `class` is the frame's, `label` says in short
/// what the caption says. `head` and `rows` are made of `th` and `td`.
pub fn table(
    class: &'static str,
    caption: impl Part,
    label: &str,
    head: Vec<Element>,
    rows: Vec<Vec<Element>>,
) -> Element {
    let row = |cells: Vec<Element>| element("tr").put(cells);
    let head = (!head.is_empty()).then(|| element("thead").put(row(head)));
    let table = element("table")
        .put(element("caption").put(caption))
        .put(head)
        .put(element("tbody").put(rows.into_iter().map(row).collect::<Vec<_>>()));
    element("div").class(class).set("role", "region").set("aria-label", label).set("tabindex", 0).put(table)
}

/// A caption that only those hear who do not see the heading above the table.
pub fn unseen(caption: &'static str) -> Element {
    element("span").class("unseen").put(caption)
}

/// The heading of a column.
pub fn column(name: impl Part) -> Element {
    element("th").set("scope", "col").put(name)
}

/// The heading of a column of numbers; breaks between words only, not at a hyphen.
pub fn number_column(name: impl AsRef<str>) -> Element {
    let mut heading = column("").class("number");
    for (i, word) in name.as_ref().split(' ').enumerate() {
        heading = heading.put((i > 0).then_some(" ")).put(element("span").class("whole").put(word));
    }
    heading
}

/// The heading of a row.
pub fn row_heading(name: impl Part) -> Element {
    element("th").set("scope", "row").put(name)
}

/// A cell with a number, already written.
pub fn number_cell(value: impl Part) -> Element {
    element("td").class("number").put(value)
}

/// A text from outside: of any language and direction, cut when very long.
pub fn text(content: &str) -> Element {
    let (shown, left_out) = cut(content, SHOWN);
    isolated().put(shown).put(ellipsis(left_out))
}

/// A text and what came back, with the words that differ marked in both.
pub fn marked_pair(source: &str, back: &str) -> (Element, Element) {
    let (source, source_rest) = cut(source, SHOWN);
    let (back, back_rest) = cut(back, SHOWN);
    let (a, b) = differences(source, back);
    let shown = |s: Stretch, unlike: &'static str| match (s.same, s.text) {
        (true, text) => element("span").put(text),
        (false, "") => gap(),
        (false, text) => element(unlike).put(text),
    };
    let a = a.into_iter().filter(|s| !s.text.is_empty()).map(|s| shown(s, "del"));
    let a = isolated().put(a.collect::<Vec<_>>()).put(ellipsis(source_rest));
    let b = match equal(source, back) && source_rest == back_rest {
        true => isolated().put(back).put(ellipsis(back_rest)).put(element("small").class("exact").put("exact")),
        false if back.is_empty() => element("span").class("nothing").put("(nothing)"),
        false => isolated().put(b.into_iter().map(|s| shown(s, "mark")).collect::<Vec<_>>()).put(ellipsis(back_rest)),
    };
    (a, b)
}

/// A place where words are missing.
fn gap() -> Element {
    let says = "words are missing here";
    element("span").class("gap").set("role", "img").set("aria-label", says).set("title", says)
}

/// What the marks of [`marked_pair`] mean, where both texts are shown or only what came back.
pub fn marks_explained(both: bool) -> Element {
    let lost = both.then(|| vec![element("del").put("Underlined"), element("span").put(" words did not come back. ")]);
    element("p")
        .class("note")
        .put(lost)
        .put(element("mark").put("Shaded"))
        .put(" words are not in the text at that place; a dotted line (")
        .put(gap())
        .put(") stands where words are missing.")
}

/// Texts in a list; says how many there are beyond `most`.
pub fn text_list(texts: &[String], most: usize) -> Element {
    let item = |t: &String| match t.is_empty() {
        true => element("li").put(element("span").class("nothing").put("(empty)")),
        false => element("li").put(text(t)),
    };
    let items = texts.iter().take(most).map(item).collect::<Vec<_>>();
    let list = element("ol").class("texts").put(items);
    match texts.len().saturating_sub(most) {
        0 => list,
        more => list.put(element("li").class("more").put(format!("and {} more", number::count(more as u64)))),
    }
}

/// A note in small type.
pub fn note(content: impl Part) -> Element {
    element("p").class("note").put(content)
}

/// A stretch whose language is unknown and whose direction of writing is its own.
fn isolated() -> Element {
    element("span").class("text").set("dir", "auto").set("lang", "")
}

fn ellipsis(left_out: usize) -> Option<Element> {
    let said = || format!("… and {} more", number::of(left_out, "character", "characters"));
    (left_out > 0).then(|| element("small").put(said()))
}

/// At most `most` (at least 2) of `n` things, evenly spread, with the first, the last and `wanted`.
pub fn spread_out(n: usize, most: usize, wanted: Option<usize>) -> Vec<usize> {
    if n <= most {
        return (0..n).collect();
    }
    let mut picked: Vec<usize> = (0..most).map(|i| i * (n - 1) / (most - 1)).collect();
    if let Some(wanted) = wanted.filter(|w| !picked.contains(w)) {
        // The nearest of those between the ends makes room.
        if let Some(near) = picked[1..most - 1].iter_mut().min_by_key(|p| p.abs_diff(wanted)) {
            *near = wanted;
        }
    }
    picked.sort_unstable();
    picked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance;

    #[test]
    fn marks_and_exact_pairs() {
        let (a, b) = marked_pair("a <red> kite", "a blue kite");
        assert!(a.markup().contains("<del>&lt;red&gt;</del>"));
        assert!(b.markup().contains("<mark>blue</mark>"));
        assert!(marked_pair("a kite", "a  kite").1.markup().contains("exact"));
        assert!(marked_pair("a kite", "").1.markup().contains("(nothing)"));
        assert!(!marked_pair(&"x".repeat(2000), &"x".repeat(3000)).1.markup().contains("exact"));
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let markup = text(&"ß".repeat(SHOWN + 1)).markup();
        assert!(markup.contains("… and 1\u{a0}character more") && markup.matches('ß').count() == SHOWN);
        assert!(text_list(&vec![String::new(); 5], 2).markup().contains("and 3 more"));
    }

    #[test]
    fn empty_sections_are_left_out() {
        let mut page = Page::new("<t>", "", &[Fact::new("a", "\"b\"")]);
        page.section("x", "X", vec![]);
        page.section("y", "Y", vec![element("p"), element("p").put("z")]);
        let markup = page.markup();
        assert_eq!(balance::check(&markup), Ok(()));
        assert!(markup.contains("&quot;b&quot;") && !markup.contains(">X<") && !markup.contains("<nav"));
    }

    #[test]
    fn spreading_keeps_the_ends_and_the_wanted() {
        assert_eq!(spread_out(3, 5, None), [0, 1, 2]);
        assert_eq!(spread_out(100, 4, Some(98)), [0, 33, 98, 99]);
        assert_eq!(spread_out(100, 4, Some(99)), [0, 33, 66, 99]);
        assert_eq!(spread_out(10, 2, Some(4)), [0, 9]);
    }
}
