//! What is made as server-sent events, each as soon as it is there, at the end an event `done` (or `error`). When the
//! client goes, the work stops.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::response::{
    IntoResponse as _, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_core::Stream;
use serde::Serialize;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Sleep, sleep},
};

use super::answer::Usage;
use crate::{
    app::App,
    models::Serving,
    refusal::Refusal,
    work::{Job, Reply},
};

/// The events of texts, for the description.
pub const TEXTS: &str = "With `stream`: events `text` with {index, text, finished}, at the end `done` with {model, \
                         version, n, usage}, or `error`.";

/// Where events come from. Dropping it gives the work up.
pub trait Source: Unpin + Send + 'static {
    /// What comes next; nothing is asked for after the end.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Step>;
}

/// What comes next.
pub enum Step {
    Made(Event),
    /// The last one.
    Done(Event),
    Failed(Refusal),
}

struct Events<S> {
    /// Until the end.
    source: Option<S>,
    deadline: Pin<Box<Sleep>>,
    /// What is said when the time is over.
    late: Refusal,
}

/// An answer of events.
pub fn events(app: &App, source: impl Source) -> Response {
    let events = Events {
        source: Some(source),
        deadline: Box::pin(sleep(app.limits().time())),
        late: Refusal::Timeout { seconds: app.limits().seconds },
    };
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

pub fn event(name: &str, data: &impl Serialize) -> Event {
    // JSON has no line ends outside of texts, and escapes those inside.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}

impl<S: Source> Stream for Events<S> {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(source) = &mut self.source else { return Poll::Ready(None) };
        let last = match source.poll(context) {
            Poll::Ready(Step::Made(event)) => return Poll::Ready(Some(Ok(event))),
            Poll::Ready(Step::Done(event)) => event,
            Poll::Ready(Step::Failed(why)) => event("error", &why.body()),
            Poll::Pending if self.deadline.as_mut().poll(context).is_ready() => event("error", &self.late.body()),
            Poll::Pending => return Poll::Pending,
        };
        self.source = None;
        Poll::Ready(Some(Ok(last)))
    }
}

/// The texts of a job.
struct Texts {
    replies: UnboundedReceiver<Reply>,
    made: usize,
    usage: Usage,
    model: String,
    version: String,
}

/// A text.
#[derive(Serialize)]
struct Made<'a> {
    index: usize,
    text: &'a str,
    finished: bool,
}

/// The last event.
#[derive(Serialize)]
struct Done<'a> {
    model: &'a str,
    version: &'a str,
    n: usize,
    usage: Usage,
}

/// Hands in the job and answers with its events.
pub fn texts(app: &App, serving: &Serving, job: Job) -> Result<Response, Refusal> {
    let source = Texts {
        replies: serving.desk.submit(job)?,
        made: 0,
        usage: Usage { read: 0, written: 0 },
        model: serving.name.clone(),
        version: serving.version.clone(),
    };
    Ok(events(app, source))
}

impl Texts {
    /// The step of a reply, if it is one.
    fn step(&mut self, reply: Reply) -> Option<Step> {
        match reply {
            Reply::Read(tokens) => {
                self.usage.read = tokens;
                None
            }
            Reply::Odd(_) | Reply::Latents(_) => None,
            Reply::Text(text) => {
                self.usage.written += text.tokens;
                self.made += 1;
                let made = Made { index: self.made - 1, text: &text.text, finished: text.finished };
                Some(Step::Made(event("text", &made)))
            }
            Reply::Failed(why) => Some(Step::Failed(why)),
            Reply::Done => {
                let Texts { made, usage, .. } = *self;
                let done = Done { model: &self.model, version: &self.version, n: made, usage };
                Some(Step::Done(event("done", &done)))
            }
        }
    }
}

impl Source for Texts {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        loop {
            let step = match self.replies.poll_recv(context) {
                Poll::Ready(Some(reply)) => self.step(reply),
                Poll::Ready(None) => Some(Step::Failed(Refusal::Stopped)),
                Poll::Pending => return Poll::Pending,
            };
            if let Some(step) = step {
                return Poll::Ready(step);
            }
        }
    }
}
