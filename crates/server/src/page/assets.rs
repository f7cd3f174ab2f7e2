//! The page to work with models: plain HTML, CSS and JavaScript modules that are part of the program. Nothing is built,
//! and nothing comes from elsewhere: the content policy lets the browser ask this server only.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use sha2::{Digest as _, Sha256};
use strait_report::COLOURS;

/// What the page may load: its own files. Pictures in style sheets are `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Where it is asked for.
    pub path: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! asset {
    ($kind:ident $name:literal) => {
        Asset { path: concat!("/page/", $name), kind: $kind, text: include_str!(concat!("assets/", $name)) }
    };
}

/// The page itself.
pub const INDEX: Asset = Asset { path: "/", kind: HTML, text: include_str!("assets/index.html") };

/// What it loads.
pub const ASSETS: [Asset; 36] = [
    Asset { path: "/page/colours.css", kind: CSS, text: COLOURS },
    asset!(CSS "style.css"),
    asset!(SVG "icon.svg"),
    asset!(JAVASCRIPT "address.js"),
    asset!(JAVASCRIPT "api.js"),
    asset!(JAVASCRIPT "app.js"),
    asset!(JAVASCRIPT "charts.js"),
    asset!(JAVASCRIPT "controls.js"),
    asset!(JAVASCRIPT "document_tasks.js"),
    asset!(JAVASCRIPT "dom.js"),
    asset!(JAVASCRIPT "download.js"),
    asset!(JAVASCRIPT "examples.js"),
    asset!(JAVASCRIPT "gaps.js"),
    asset!(JAVASCRIPT "language.js"),
    asset!(JAVASCRIPT "page.js"),
    asset!(JAVASCRIPT "plane.js"),
    asset!(JAVASCRIPT "texts.js"),
    asset!(JAVASCRIPT "words.js"),
    asset!(JAVASCRIPT "strings/en.js"),
    asset!(JAVASCRIPT "strings/zh.js"),
    asset!(JAVASCRIPT "views/audit.js"),
    asset!(JAVASCRIPT "views/copies.js"),
    asset!(JAVASCRIPT "views/documents.js"),
    asset!(JAVASCRIPT "views/generate.js"),
    asset!(JAVASCRIPT "views/groups.js"),
    asset!(JAVASCRIPT "views/info.js"),
    asset!(JAVASCRIPT "views/interpolate.js"),
    asset!(JAVASCRIPT "views/map.js"),
    asset!(JAVASCRIPT "views/reconstruct.js"),
    asset!(JAVASCRIPT "views/sample.js"),
    asset!(JAVASCRIPT "views/score.js"),
    asset!(JAVASCRIPT "views/search.js"),
    asset!(JAVASCRIPT "views/steer.js"),
    asset!(JAVASCRIPT "views/teach.js"),
    asset!(JAVASCRIPT "views/train.js"),
    asset!(JAVASCRIPT "views/vary.js"),
];

impl Asset {
    /// The file, or that it has not changed since the browser asked last.
    pub fn answer(&self, asked: &HeaderMap) -> Response {
        let tag = self.tag();
        let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut response = match known.flat_map(|tags| tags.split(',')).any(|known| same(known, &tag)) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => ([(header::CONTENT_TYPE, self.kind)], self.text).into_response(),
        };
        let headers = response.headers_mut();
        headers.extend(HeaderValue::from_str(&tag).map(|tag| (header::ETAG, tag)));
        // Kept by the browser, and asked about each time: another version of the program has other files.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }

    /// A name for its contents.
    fn tag(&self) -> String {
        let digest = Sha256::digest(self.text.as_bytes());
        let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        format!("\"{hex}\"")
    }
}

/// Whether a tag of `If-None-Match` is this one; weak ones are as good here (RFC 9110, 13.1.2).
fn same(known: &str, tag: &str) -> bool {
    let known = known.trim();
    known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> impl Iterator<Item = Asset> {
        ASSETS.into_iter().chain([INDEX])
    }

    #[test]
    fn every_file_that_is_asked_for_is_there_and_none_is_idle() {
        let there: BTreeSet<&str> = ASSETS.iter().map(|asset| asset.path).collect();
        let mut wanted = BTreeSet::new();
        for asset in all() {
            let folder = if asset.path.contains("/views/") { "/page/views/" } else { "/page/" };
            for line in asset.text.lines() {
                if let Some((_, from)) = line.split_once(" from \"").filter(|_| line.starts_with("import ")) {
                    let name = from.trim_end_matches("\";");
                    wanted.insert(match name.strip_prefix("../") {
                        Some(above) => format!("/page/{above}"),
                        None => format!("{folder}{}", name.trim_start_matches("./")),
                    });
                }
                for part in line.split('"').filter(|part| part.starts_with("/page/")) {
                    wanted.insert(part.to_owned());
                }
            }
        }
        assert_eq!(wanted.iter().map(String::as_str).collect::<BTreeSet<_>>(), there);
    }

    #[test]
    fn nothing_comes_from_elsewhere_and_nothing_becomes_markup() {
        for Asset { path, text, .. } in all() {
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for word in
                ["http:", "https:", "@import", "innerHTML", "insertAdjacent", "eval(", "document.write", "style=\""]
            {
                assert!(!text.contains(word), "{path}: {word}");
            }
        }
    }

    #[test]
    fn both_languages_have_the_same_strings_and_every_one_that_is_used() {
        let names = |path: &str| -> BTreeSet<&str> {
            let asset = all().find(|asset| asset.path == path).unwrap();
            let names = asset.text.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\": \""));
            names.map(|(name, _)| name).collect()
        };
        let english = names("/page/strings/en.js");
        assert_eq!(english, names("/page/strings/zh.js"));
        assert!(english.len() > 100);
        for Asset { path, text, .. } in all() {
            for (at, call) in text.match_indices("t(\"") {
                // The end of another function's name is no call of `t`.
                let called = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.');
                if let Some((name, _)) = text[at + call.len()..].split_once('"').filter(|_| called) {
                    assert!(english.contains(name), "{path}: {name}");
                }
            }
        }
    }

    #[test]
    fn a_file_that_the_browser_has_is_not_sent_again() {
        let first = INDEX.answer(&HeaderMap::new());
        assert_eq!((first.status(), &first.headers()[header::CONTENT_TYPE]), (StatusCode::OK, &HTML.parse().unwrap()));
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        for (known, status) in [
            (tag.clone(), StatusCode::NOT_MODIFIED),
            (format!("\"other\", W/{tag}"), StatusCode::NOT_MODIFIED),
            ("*".into(), StatusCode::NOT_MODIFIED),
            ("\"other\"".into(), StatusCode::OK),
        ] {
            let asked = HeaderMap::from_iter([(header::IF_NONE_MATCH, known.parse().unwrap())]);
            let response = INDEX.answer(&asked);
            assert_eq!(response.status(), status, "{known}");
            assert!(response.headers().contains_key(header::CONTENT_SECURITY_POLICY));
        }
    }
}
