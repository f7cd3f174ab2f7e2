//! The events of a training as server-sent events: `metrics` for each, with the byte after it as its id; `reset` when what
//! was heard before is void; at the end `done`.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::response::{
    IntoResponse as _, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_core::Stream;
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::sleep,
};

use super::runs::RunEvents;
use crate::{app::App, refusal::Refusal, runs::State};

/// Time between two looks for new events.
const EVERY: Duration = Duration::from_millis(500);
/// Events that may wait for a slow client.
const WAITING: usize = 256;

/// Events that a task sends.
struct Sent(Receiver<Event>);

impl Stream for Sent {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}

/// Answers with the events of a training, of which the `first` are read.
pub fn stream(app: Arc<App>, name: String, first: RunEvents) -> Response {
    let (send, sent) = channel(WAITING);
    tokio::spawn(async move {
        let mut ending = app.ending.subscribe();
        tokio::select! {
            () = follow(&app, &name, first, &send) => {}
            // A server that stops does not wait for trainings.
            _ = ending.wait_for(|ending| *ending) => {}
        }
    });
    Sse::new(Sent(sent)).keep_alive(KeepAlive::default()).into_response()
}

/// Sends what comes until the training has ended or the client is gone.
async fn follow(app: &Arc<App>, name: &str, first: RunEvents, send: &Sender<Event>) {
    let mut part = first;
    loop {
        let (next, state) = (part.next, part.state);
        let last = part.events.len().saturating_sub(1);
        for (i, event) in part.events.iter().enumerate() {
            // Only after the last event of a part is its byte known.
            let sent = Event::default().event("metrics").data(event.to_string());
            let sent = if i == last { sent.id(next.to_string()) } else { sent };
            if send.send(sent).await.is_err() {
                return;
            }
        }
        if !part.more {
            if state == State::Finished {
                let _ = send.send(Event::default().event("done").data("{}")).await;
                return;
            }
            sleep(EVERY).await;
        }
        if send.is_closed() {
            return;
        }
        let (held, run) = (app.clone(), name.to_owned());
        part = match app.lanes.quick.run(move || RunEvents::read(&held, &run, next)).await {
            Ok(part) => part,
            // It may be about to be replaced by the finished model; too many requests pass.
            Err(Refusal::UnknownRun { .. } | Refusal::QueueFull { .. }) => {
                RunEvents { state, from: next, events: Vec::new(), next, more: false }
            }
            Err(refusal) => {
                let body = serde_json::to_string(&refusal.body()).unwrap_or_default();
                let _ = send.send(Event::default().event("error").data(body)).await;
                return;
            }
        };
        if part.from != next && send.send(Event::default().event("reset").data("{}")).await.is_err() {
            return;
        }
    }
}
