//! A server: its thread, from the first connection to the last.

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use axum::Router;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
};

use crate::{Event, Listener, Options, ServeError, app::App, connections, models::Watch};

/// A running server. Dropping it stops it without waiting.
pub struct Server {
    address: SocketAddr,
    /// How often it was asked to stop: once gracefully, twice at once.
    stop: watch::Sender<u8>,
    thread: JoinHandle<Result<(), ServeError>>,
}

impl Server {
    /// Listens, and loads the models meanwhile; until they are ready, `/health` says so. If one cannot be read, the
    /// server ends with that error.
    ///
    /// # Errors
    /// If the options make no sense or the address is not to be had.
    pub fn start(options: Options, listener: Arc<dyn Listener>) -> Result<Self, ServeError> {
        let (stop, stopped) = watch::channel(0);
        let (ready, address) = mpsc::channel();
        let app = App::new(options, listener.clone())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::Start)?;
        let serve = move || runtime.block_on(serve(&app, &*listener, ready, stopped));
        let thread = thread::Builder::new().name("strait-http".into()).spawn(serve).map_err(ServeError::Start)?;
        match address.recv() {
            Ok(address) => Ok(Server { address, stop, thread }),
            Err(_) => Err(end_of(thread).err().unwrap_or(ServeError::Ended)),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks it to stop: what has begun is finished, within [`Options::grace`]. Asked again, it stops at once.
    pub fn stop(&self) {
        self.stop.send_modify(|times| *times = times.saturating_add(1));
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If a model could not be read.
    pub fn wait(self) -> Result<(), ServeError> {
        let Server { stop, thread, .. } = self;
        let ended = end_of(thread);
        drop(stop);
        ended
    }
}

fn end_of(thread: JoinHandle<Result<(), ServeError>>) -> Result<(), ServeError> {
    thread.join().unwrap_or(Err(ServeError::Ended))
}

/// Serves until Ctrl-C, or until the system asks the program to end; a second time ends it at once.
///
/// # Errors
/// As [`Server::start`] and [`Server::wait`].
pub fn run(options: Options, listener: Arc<dyn Listener>) -> Result<(), ServeError> {
    let server = Server::start(options, listener)?;
    let stop = server.stop.clone();
    let signals = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut signals = Signals::new()?;
            loop {
                tokio::select! {
                    () = signals.next() => stop.send_modify(|times| *times = times.saturating_add(1)),
                    () = stop.closed() => return std::io::Result::Ok(()),
                }
            }
        })
    };
    thread::Builder::new().name("strait-signals".into()).spawn(signals).map_err(ServeError::Start)?;
    server.wait()
}

async fn serve(
    app: &Arc<App>,
    listener: &dyn Listener,
    ready: mpsc::Sender<SocketAddr>,
    mut stopped: watch::Receiver<u8>,
) -> Result<(), ServeError> {
    let router = app.router()?;
    let (host, port) = (app.options.host.clone(), app.options.port);
    let cannot = |source| ServeError::Listen { host: host.clone(), port, source };
    let sockets = TcpListener::bind((host.as_str(), port)).await.map_err(cannot)?;
    let address = sockets.local_addr().map_err(cannot)?;
    listener.hear(&Event::Listening(address));
    if !address.ip().is_loopback() && app.options.api_key.is_none() {
        listener.hear(&Event::Open(address));
    }
    let _ = ready.send(address);

    let (failed, failure) = oneshot::channel();
    let watch = load(app, failed)?;
    let mut error = None;
    let mut second = stopped.clone();
    let stop = async {
        tokio::select! {
            Ok(e) = failure => error = Some(e),
            _ = stopped.wait_for(|&times| times > 0) => listener.hear(&Event::Stopping),
        }
        app.ending.send_replace(true);
    };
    let now = async { drop(second.wait_for(|&times| times > 1).await) };
    let cut = connections::serve(sockets, router, app.limits().connections, (stop, app.options.grace, now)).await;
    drop(watch);
    match error {
        Some(e) => Err(e),
        None => {
            listener.hear(&Event::Stopped { cut });
            Ok(())
        }
    }
}

/// Loads the models on a thread of their own, which then watches their folders for as long as what is returned lives.
fn load(app: &Arc<App>, failed: oneshot::Sender<ServeError>) -> Result<mpsc::Sender<()>, ServeError> {
    let (shelf, every) = (app.shelf.clone(), app.options.poll);
    let (watch, stopped) = mpsc::channel();
    let work = move || {
        let watch = Watch::new(shelf.clone());
        match shelf.load() {
            Ok(()) => watch.run(&stopped, every),
            Err(e) => drop(failed.send(e)),
        }
    };
    thread::Builder::new().name("strait-models".into()).spawn(work).map_err(ServeError::Start)?;
    Ok(watch)
}

/// Loads the models and gives the routes, for a server of one's own. Folders are not watched.
///
/// # Errors
/// If the options make no sense or a model cannot be read.
pub fn router(options: Options, listener: Arc<dyn Listener>) -> Result<Router, ServeError> {
    let app = App::new(options, listener)?;
    app.shelf.load()?;
    app.router()
}

/// What asks a program to end.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> std::io::Result<Self> {
        Ok(Signals {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        // Where signals cannot be heard, only Server::stop ends it.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
