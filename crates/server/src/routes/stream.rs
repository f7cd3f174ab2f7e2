//! Texts as server-sent events: `{"index", "text", "finished"}` each as soon as it is made, at the end an event `done`
//! (or `error`). When the client goes, the work stops.

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

struct Events {
    replies: UnboundedReceiver<Reply>,
    deadline: Pin<Box<Sleep>>,
    /// What is said when the time is over.
    late: Refusal,
    made: usize,
    usage: Usage,
    model: String,
    version: String,
    over: bool,
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
    let events = Events {
        replies: serving.desk.submit(job)?,
        deadline: Box::pin(sleep(app.limits().time())),
        late: Refusal::Timeout { seconds: app.limits().seconds },
        made: 0,
        usage: Usage { read: 0, written: 0 },
        model: serving.name.clone(),
        version: serving.version.clone(),
        over: false,
    };
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

impl Events {
    /// The event of a reply, if it has one.
    fn event(&mut self, reply: Reply) -> Option<Event> {
        match reply {
            Reply::Read(tokens) => {
                self.usage.read = tokens;
                None
            }
            Reply::Odd(_) | Reply::Latents(_) => None,
            Reply::Text(text) => {
                self.usage.written += text.tokens;
                self.made += 1;
                Some(event("text", &Made { index: self.made - 1, text: &text.text, finished: text.finished }))
            }
            Reply::Failed(why) => Some(self.end("error", &why.body())),
            Reply::Done => {
                let Events { made, usage, .. } = *self;
                let done = Done { model: &self.model, version: &self.version, n: made, usage };
                let last = event("done", &done);
                self.over = true;
                Some(last)
            }
        }
    }

    fn end(&mut self, name: &str, data: &impl Serialize) -> Event {
        self.over = true;
        self.replies.close();
        event(name, data)
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // JSON has no line ends outside of texts, and escapes those inside.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}

impl Stream for Events {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.over {
                return Poll::Ready(None);
            }
            let event = match self.replies.poll_recv(context) {
                Poll::Ready(Some(reply)) => self.event(reply),
                Poll::Ready(None) => Some(self.end("error", &Refusal::Stopped.body())),
                Poll::Pending if self.deadline.as_mut().poll(context).is_ready() => {
                    let late = self.late.body();
                    Some(self.end("error", &late))
                }
                Poll::Pending => return Poll::Pending,
            };
            if let Some(event) = event {
                return Poll::Ready(Some(Ok(event)));
            }
        }
    }
}
