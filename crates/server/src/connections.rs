//! Connections: accepted up to a number, served over HTTP/1.1, finished or cut at the end.

use std::{io, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// How long the head of a request may take to come, counted from the end of the request before.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// Most headers of a request.
const MOST_HEADERS: usize = 64;
/// Wait after the system refused a connection, as it does when files run out.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Serves until `stop`, then lets what has begun end for `grace`, or until `now`. Returns how many connections were cut.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    most: usize,
    (stop, grace, now): (impl Future<Output = ()>, Duration, impl Future<Output = ()>),
) -> usize {
    let (end, ending) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        // Those that have ended make room.
        while open.try_join_next().is_some() {}
        tokio::select! {
            () = &mut stop => break,
            Some(_) = open.join_next(), if open.len() >= most => {}
            accepted = listener.accept(), if open.len() < most => match accepted {
                Ok((stream, _)) => drop(open.spawn(connection(stream, router.clone(), ending.clone()))),
                Err(e) if is_of_client(&e) => {}
                Err(_) => sleep(AFTER_ERROR).await,
            },
        }
    }
    drop(listener);
    let _ = end.send(true);
    tokio::select! {
        _ = timeout(grace, async { while open.join_next().await.is_some() {} }) => {}
        () = now => {}
    }
    let cut = open.len();
    open.shutdown().await;
    cut
}

/// Whether the client went away before it was accepted.
fn is_of_client(e: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(e.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(stream: TcpStream, router: Router, mut ending: watch::Receiver<bool>) {
    // Events of a stream are small and should leave at once.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_headers(MOST_HEADERS);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    // What goes wrong on a connection is the client's to notice.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = async { drop(ending.wait_for(|end| *end).await) } => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
