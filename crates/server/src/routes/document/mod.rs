//! `POST /v1/document/*`: documents as sequences of sentences, read and written by a document model.

mod continuation;
mod infill;
mod order;
mod outline;
mod passage;
mod summarise;
mod writing;

use super::Route;

pub fn routes() -> Vec<Route> {
    vec![order::route(), continuation::route(), infill::route(), outline::route(), summarise::route()]
}
