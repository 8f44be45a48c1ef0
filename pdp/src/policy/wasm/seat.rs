//! A place for one thread's instance of a module. Whoever decides does not make an instance: that takes as long
//! as the data files are large. It is made on a thread of its own, from the moment that the one before is of no
//! use any more, and waited for within the time of the question.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use regorus::Value;

use super::instance::{self, Instance};
use super::module::Module;
use super::unusable::Unusable;
use crate::policy::verdict::Failure;

/// Stack of a thread that makes an instance; data files nest 128 deep.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// The place.
pub(super) struct Seat {
    module: Arc<Module>,
    data: Value,
    state: State,
}

enum State {
    /// Nobody has asked.
    Empty,
    Ready(Box<Instance>),
    Coming(Receiver<Result<Instance, Unusable>>),
}

impl Seat {
    /// An empty one.
    pub(super) fn new(module: Arc<Module>, data: Value) -> Self {
        Self {
            module,
            data,
            state: State::Empty,
        }
    }

    /// Makes the instance now, however long it takes.
    pub(super) fn fill(&mut self) -> Result<(), Unusable> {
        let instance = Instance::with_data(&self.module, &self.data, instance::latest_start())?;
        self.state = State::Ready(Box::new(instance));
        Ok(())
    }

    /// Puts the instance back after an evaluation.
    pub(super) fn put(&mut self, instance: Box<Instance>) {
        self.state = State::Ready(instance);
    }

    /// Begins to make another one, where there is none.
    pub(super) fn renew(&mut self) {
        if !matches!(self.state, State::Empty) {
            return;
        }
        let (sender, receiver) = sync_channel(1);
        let (module, data) = (self.module.clone(), self.data.clone());
        let making = thread::Builder::new()
            .name("policy-instance".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let made = Instance::with_data(&module, &data, instance::latest_start());
                // Nobody takes it where the thread that asked has ended.
                let _ = sender.send(made);
            });
        match making {
            Ok(_) => self.state = State::Coming(receiver),
            Err(error) => {
                tracing::error!(%error, "an instance of a compiled policy cannot be made");
            }
        }
    }

    /// The instance, which is the caller's; waits for it until `deadline`, and no longer.
    pub(super) fn take(&mut self, deadline: Instant) -> Result<Box<Instance>, Failure> {
        self.renew();
        match std::mem::replace(&mut self.state, State::Empty) {
            State::Ready(instance) => Ok(instance),
            State::Empty => Err(Failure::Error("no thread can be had".to_owned())),
            State::Coming(receiver) => {
                let time = deadline.saturating_duration_since(Instant::now());
                match receiver.recv_timeout(time.max(Duration::from_millis(1))) {
                    Ok(Ok(instance)) => Ok(Box::new(instance)),
                    Ok(Err(error)) => Err(Failure::Error(format!("the compiled policy {error}"))),
                    Err(RecvTimeoutError::Timeout) => {
                        self.state = State::Coming(receiver);
                        Err(Failure::Timeout)
                    }
                    Err(RecvTimeoutError::Disconnected) => {
                        Err(Failure::Error("the engine panicked".to_owned()))
                    }
                }
            }
        }
    }
}
