//! A map of texts as a page: points to hover over, to colour, to search and to choose from.
//!
//! The one page with a script: without one there is nothing to hover over. The script stands in the page, its content
//! policy lets no other run, and texts reach it as JSON only.

use serde::{Deserialize, Serialize};

use crate::{
    html::{Element, Raw, element},
    page::{Scripts, document, head},
};

/// Texts in the plane. All lists but `colourings` are as long as `texts`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TextMap {
    pub title: String,
    /// A sentence about it.
    pub about: String,
    pub texts: Vec<String>,
    /// The row of each text in its corpus, from 1.
    pub rows: Vec<usize>,
    pub x: Vec<f32>,
    pub y: Vec<f32>,
    /// What points can be coloured by; the first is at the beginning.
    pub colourings: Vec<Colouring>,
}

/// A way to colour points.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Colouring {
    pub name: String,
    /// Names of the groups.
    pub names: Vec<String>,
    /// The group of each text, by its place in `names`.
    pub groups: Vec<Option<u32>>,
}

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    texts: &'a [String],
    rows: &'a [usize],
    x: Vec<f32>,
    y: Vec<f32>,
    colours: Vec<Colours<'a>>,
}

#[derive(Serialize)]
struct Colours<'a> {
    name: &'a str,
    names: &'a [String],
    groups: Vec<i64>,
}

/// The page of a map.
pub fn map_page(map: &TextMap) -> String {
    let style = concat!(include_str!("../colours.css"), include_str!("page.css"));
    let markup = document(head(&map.title, Scripts::Own, style), body(map));
    // The data go in behind the markup that escapes, so they are made harmless here.
    markup.replacen(DATA, &json(map), 1)
}

/// Where the data go. No text can hold it: `<` is escaped everywhere.
const DATA: &str = "<template></template>";

fn body(map: &TextMap) -> Element {
    let button = |id: &'static str, label: &'static str, sign: &'static str| {
        element("button").set("type", "button").set("id", id).set("aria-label", label).set("title", label).put(sign)
    };
    let header = element("header")
        .put(element("h1").put(&map.title))
        .put(element("p").put(&map.about))
        .put(element("label").put("Search ").put(element("input").set("type", "search").set("id", "search")))
        .put(element("label").put("Colour by ").put(element("select").set("id", "by")))
        .put(element("button").set("type", "button").set("id", "lasso").set("aria-pressed", "false").put("Lasso"));
    let canvas = element("canvas").set("id", "map").set("tabindex", 0).set("role", "img").set(
        "aria-label",
        "Map of texts. Arrow keys move, plus and minus zoom, 0 shows all, Enter lists the texts in the middle.",
    );
    let zoom = element("div")
        .class("zoom")
        .put(button("in", "Nearer", "+"))
        .put(button("out", "Farther", "−"))
        .put(button("whole", "Show all", "⤢"));
    let stage = element("div")
        .set("id", "stage")
        .put(canvas)
        .put(element("div").set("id", "hover").set("hidden", ""))
        .put(zoom);
    let save = element("button").set("type", "button").set("id", "save").set("disabled", "").put("Save");
    let aside = element("aside")
        .put(element("section").put(element("h2").put("Colours")).put(element("ul").set("id", "legend").put("")))
        .put(
            element("section")
                .put(element("h2").put(element("span").set("id", "count").set("aria-live", "polite").put("")).put(save))
                .put(element("ul").set("id", "chosen").put(""))
                .put(element("p").class("note").put(
                    "Hover to read, drag to move, wheel or pinch to zoom. Lasso (or Shift and drag) chooses texts; a search \
                     chooses what it finds.",
                )),
        );
    element("body")
        .put(header)
        .put(element("main").set("style", "display: contents").put(stage))
        .put(aside)
        .put(element("script").set("type", "application/json").set("id", "data").put(Raw(DATA)))
        .put(element("script").put(Raw(include_str!("page.js"))))
}

/// The data as JSON that cannot end its element.
fn json(map: &TextMap) -> String {
    let finite = |values: &[f32]| values.iter().map(|v| if v.is_finite() { *v } else { 0.0 }).collect();
    let colours = |c: &'_ Colouring| c.groups.iter().map(|g| g.map_or(-1, i64::from)).collect();
    let data = Data {
        texts: &map.texts,
        rows: &map.rows,
        x: finite(&map.x),
        y: finite(&map.y),
        colours: map
            .colourings
            .iter()
            .map(|c| Colours { name: &c.name, names: &c.names, groups: colours(c) })
            .collect(),
    };
    // Texts and finite numbers always serialise.
    serde_json::to_string(&data).unwrap_or_default().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> TextMap {
        let evil = "</script><script>alert(1)</script>".to_string();
        TextMap {
            title: evil.clone(),
            about: "two texts".into(),
            texts: vec![evil, "<template></template>".into()],
            rows: vec![1, 2],
            x: vec![0.0, f32::NAN],
            y: vec![1.0, 2.0],
            colourings: vec![Colouring {
                name: "label".into(),
                names: vec!["<b>".into()],
                groups: vec![Some(0), None],
            }],
        }
    }

    #[test]
    fn hostile_texts_are_data_only() {
        let page = map_page(&map());
        assert_eq!(page.matches("<script").count(), 2, "the data and the program");
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(!page.contains(DATA));
        assert!(page.starts_with("<!DOCTYPE html>"), "else browsers lay it out as of old");
        let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["texts"][1], "<template></template>");
        assert_eq!((&data["x"][1], &data["colours"][0]["groups"]), (&0.0.into(), &serde_json::json!([0, -1])));
    }
}
