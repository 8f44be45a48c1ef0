//! One thread's instance of a compiled policy: the data files once in its memory, its heap begun anew for
//! every evaluation.
//!
//! After a trap nothing in it is trusted any more: whoever has it throws it away.

use std::time::{Duration, Instant};

use regorus::Value;
use wasmtime::{Memory, Store, UpdateDeadline};

use super::abi::{self, Evaluation, Exports};
use super::memory::{place, text_at};
use super::module::{Module, in_one_line};
use super::state::{RanOut, State};
use super::unusable::Unusable;
use super::{imports, text};
use crate::policy::bounded::budget;
use crate::policy::builtin_errors::BuiltinErrors;
use crate::policy::verdict::Failure;

/// Bytes of memory that the data files may take, eleven times what they take as JSON.
const MAX_DATA_MEMORY: usize = 1024 * 1024 * 1024;
/// Bytes of memory that an evaluation may take beside them.
const MAX_EVALUATION_MEMORY: usize = 64 * 1024 * 1024;
/// How long it may take to make an instance and to read the data files; and all those of a set together, when
/// they are tried.
const MAX_START: Duration = Duration::from_mins(1);
/// Bytes of a value that goes from the module to its host; in the host it takes some twenty times as much.
pub(super) const MAX_VALUE_BYTES: usize = 8 * 1024 * 1024;
/// Where a value may begin.
const ALIGNMENT: u32 = 8;
/// Bytes of a page of memory.
const PAGE_BYTES: usize = 64 * 1024;

/// How an evaluation is asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::policy) struct Asked {
    /// How long it may take.
    pub(in crate::policy) time: Duration,
    /// What time it is to the policy, in nanoseconds since 1970.
    pub(in crate::policy) now: u64,
    /// What becomes of built-ins of the host that fail.
    pub(in crate::policy) errors: BuiltinErrors,
}

/// An instance.
pub(super) struct Instance {
    store: Store<State>,
    memory: Memory,
    exports: Exports,
    /// Where the data lie; 0 where there are none.
    data: u32,
    /// Where the heap of an evaluation begins.
    heap: u32,
    /// The input's text, kept for its room.
    input: Vec<u8>,
}

/// Until when what is begun now must have been started.
pub(super) fn latest_start() -> Instant {
    Instant::now() + MAX_START
}

/// What became of an evaluation.
pub(super) enum Outcome {
    /// It came to its end, and so may the next.
    Ended(Result<Value, Failure>),
    /// It did not: the instance is of no use any more.
    Broken(Failure),
}

impl Instance {
    /// Makes one, without data, until `deadline`.
    pub(super) fn start(module: &Module, deadline: Instant) -> Result<Self, Unusable> {
        let state = State::new(module.table.clone(), MAX_DATA_MEMORY, deadline);
        let mut store = Store::new(&module.engine, state);
        store.limiter(|state| state);
        store.epoch_deadline_callback(|mut store| {
            let state = store.data_mut();
            if Instant::now() < state.deadline {
                return Ok(UpdateDeadline::Continue(1));
            }
            state.ran_out_of = Some(RanOut::Time);
            Err(wasmtime::Error::msg("it took too long"))
        });
        store.set_epoch_deadline(1);
        let memory = Memory::new(&mut store, module.memory.clone())
            .map_err(|error| Unusable::Memory(in_one_line(&error)))?;
        store.data_mut().memory = Some(memory);
        let imports = imports::of(&module.code, memory, &mut store)?;
        let instance = wasmtime::Instance::new(&mut store, &module.code, &imports)
            .map_err(|error| Unusable::Start(in_one_line(&error)))?;
        abi::check_version(&instance, &mut store)?;
        let exports = Exports::of(&instance, &mut store)?;
        store.data_mut().exports = Some(exports.clone());
        // The heap is made at the first call.
        let start = |error: wasmtime::Error| Unusable::Start(in_one_line(&error));
        exports.malloc(&mut store, 0).map_err(start)?;
        let heap = exports.heap(&mut store).map_err(start)?;
        Ok(Self {
            store,
            memory,
            exports,
            data: 0,
            heap,
            input: Vec::new(),
        })
    }

    /// As [`Instance::start`], with `data`.
    pub(super) fn with_data(
        module: &Module,
        data: &Value,
        deadline: Instant,
    ) -> Result<Self, Unusable> {
        if Instant::now() >= deadline {
            return Err(Unusable::Slow(MAX_START.as_secs()));
        }
        let mut instance = Self::start(module, deadline)?;
        let loaded = instance.load(data);
        let ran_out_of = instance.store.data().ran_out_of;
        loaded.map_err(|error| match ran_out_of {
            Some(RanOut::Memory) => Unusable::Data(format!(
                "they would take more than {MAX_DATA_MEMORY} bytes of its memory"
            )),
            Some(RanOut::Time) => Unusable::Slow(MAX_START.as_secs()),
            None => Unusable::Data(in_one_line(&error)),
        })?;
        Ok(instance)
    }

    fn load(&mut self, data: &Value) -> Result<(), wasmtime::Error> {
        let mut bytes = Vec::new();
        text::write(data, &mut bytes)?;
        let length = u32::try_from(bytes.len())?;
        let text = self.exports.malloc(&mut self.store, length)?;
        self.memory.write(&mut self.store, place(text)?, &bytes)?;
        self.data = self.exports.parse(&mut self.store, (text, length))?;
        if self.data == 0 {
            return Err(wasmtime::Error::msg("it cannot read them"));
        }
        self.exports.free(&mut self.store, text)?;
        self.heap = self.exports.heap(&mut self.store)?;
        let taken = self.memory.data_size(&self.store);
        self.store.data_mut().max_memory = taken.saturating_add(MAX_EVALUATION_MEMORY);
        Ok(())
    }

    /// The built-ins that it calls, each name with its number.
    pub(super) fn builtins(&mut self) -> Result<Value, Unusable> {
        let value = self.exports.builtins(&mut self.store);
        self.dumped(value)
    }

    /// Its entry points, each name with its number.
    pub(super) fn entry_points(&mut self) -> Result<Value, Unusable> {
        let value = self.exports.entry_points(&mut self.store);
        self.dumped(value)
    }

    fn dumped(&mut self, value: Result<u32, wasmtime::Error>) -> Result<Value, Unusable> {
        let dumped = value.and_then(|value| self.exports.dump(&mut self.store, value));
        let address = dumped.map_err(|error| Unusable::Start(in_one_line(&error)))?;
        let text = text_at(self.memory.data(&self.store), address);
        let value = text.and_then(|text| text::read(text).ok());
        value.ok_or_else(|| Unusable::Start("what it tells of itself is no text".to_owned()))
    }

    /// The value of an entry point for `input`, which may be undefined.
    pub(super) fn evaluate(&mut self, entry_point: i32, input: &Value, asked: Asked) -> Outcome {
        budget::begin();
        let state = self.store.data_mut();
        state.begin(asked.time, asked.now, asked.errors);
        self.store.set_epoch_deadline(1);
        let address = self.call(entry_point, input);
        let state = self.store.data_mut();
        let failure = match (state.ran_out_of, state.failed.take()) {
            (Some(RanOut::Time), _) => Some(Failure::Timeout),
            (Some(RanOut::Memory), _) => Some(Failure::Memory),
            (None, Some(_)) if budget::is_exceeded() => Some(Failure::Memory),
            (None, Some(failed)) => Some(Failure::Error(failed)),
            (None, None) => None,
        };
        match (address, failure) {
            (Err(_), Some(failure)) => Outcome::Broken(failure),
            (Err(error), None) => {
                let said = state.aborted.take();
                Outcome::Broken(Failure::Error(said.unwrap_or_else(|| in_one_line(&error))))
            }
            // It went on without the memory that it was not given.
            (Ok(_), Some(Failure::Memory)) => Outcome::Broken(Failure::Memory),
            (Ok(_), Some(failure)) => Outcome::Ended(Err(failure)),
            (Ok(address), None) => Outcome::Ended(self.result(address)),
        }
    }

    /// Evaluates, and tells where the result's text is.
    fn call(&mut self, entry_point: i32, input: &Value) -> Result<u32, wasmtime::Error> {
        let mut heap = self.heap;
        let mut place_of_input = None;
        if *input != Value::Undefined {
            self.input.clear();
            text::write(input, &mut self.input)?;
            let length = u32::try_from(self.input.len())?;
            let end = heap.checked_add(length);
            let end = end.and_then(|end| end.checked_next_multiple_of(ALIGNMENT));
            let end = end.ok_or_else(|| wasmtime::Error::msg("the input is too long"))?;
            self.make_room(place(end)?)?;
            self.memory
                .write(&mut self.store, place(heap)?, &self.input)?;
            place_of_input = Some((heap, length));
            heap = end;
        }
        let evaluation = Evaluation {
            entry_point,
            data: self.data,
            input: place_of_input,
            heap,
        };
        self.exports.eval(&mut self.store, &evaluation)
    }

    fn make_room(&mut self, end: usize) -> Result<(), wasmtime::Error> {
        let missing = end.saturating_sub(self.memory.data_size(&self.store));
        if missing > 0 {
            let pages = u64::try_from(missing.div_ceil(PAGE_BYTES))?;
            self.memory.grow(&mut self.store, pages)?;
        }
        Ok(())
    }

    /// The result is a set: of one object with the value, or of none where it is undefined.
    fn result(&self, address: u32) -> Result<Value, Failure> {
        let odd = |what: &dyn std::fmt::Display| {
            Failure::Error(format!("the compiled policy's result {what}"))
        };
        let text = text_at(self.memory.data(&self.store), address);
        let text = text.ok_or_else(|| odd(&"is no text"))?;
        if text.len() > MAX_VALUE_BYTES {
            return Err(Failure::Memory);
        }
        let value = text::read(text).map_err(|error| odd(&error))?;
        let Value::Set(results) = &value else {
            return Err(odd(&"is no set"));
        };
        let mut results = results.iter();
        match (results.next(), results.next()) {
            (None, _) => Ok(Value::Undefined),
            (Some(Value::Object(only)), None) => {
                let value = only.get(&Value::from("result"));
                value.cloned().ok_or_else(|| odd(&"has no value"))
            }
            _ => Err(odd(&"has several values")),
        }
    }
}
