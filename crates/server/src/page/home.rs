//! The first page: which models there are, and where to go on.

use std::fmt::Write as _;

use super::{escape, page};
use crate::models::Shelf;

/// The page.
pub fn home(shelf: &Shelf) -> String {
    let mut body = String::from("<h1>Strait</h1>\n<p>Models on this server:</p>\n<ul>\n");
    for entry in shelf.entries() {
        let what = match entry.serving() {
            None => "loading".into(),
            Some(serving) => {
                let config = serving.model.config();
                let kind = if serving.model.is_language_model() { "language model" } else { "text autoencoder" };
                format!("{kind}, recipe {}, {} records", config.recipe.name, config.data.train)
            }
        };
        let _ = writeln!(body, "<li><b>{}</b>: {}</li>", escape(&entry.name), escape(&what));
    }
    body += "</ul>\n<p><a href=\"/docs\">What can be asked</a> (<a href=\"/openapi.json\">OpenAPI</a>) · \
             <a href=\"/info\">figures and limits</a> · <a href=\"/metrics\">metrics</a></p>\n";
    page("Strait", &body)
}
