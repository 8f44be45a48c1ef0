//! What the host does when a module calls it: give up, print, call a built-in.
//!
//! A built-in that fails is noted, and answers undefined: the evaluation goes on to its end and is then
//! refused. Ending it at once would cost an instance, which callers may be able to bring about.

use std::time::Instant;

use regorus::Value;
use wasmtime::{Caller, Error, Extern, Func, Memory, Module, Store};

use super::abi::{ABORT, BUILTINS, MEMORY, PRINTLN};
use super::instance::MAX_VALUE_BYTES;
use super::memory::{self, text_at};
use super::state::{RanOut, State};
use super::text;
use super::unusable::Unusable;

/// Characters of a module's own words that are told.
const MAX_SAID: usize = 1024;

/// What `module` imports, in its order. That it imports nothing else was checked.
pub(super) fn of(
    module: &Module,
    memory: Memory,
    store: &mut Store<State>,
) -> Result<Vec<Extern>, Unusable> {
    let given = module.imports().map(|import| match import.name() {
        MEMORY => Ok(Extern::from(memory)),
        ABORT => Ok(Func::wrap(&mut *store, abort).into()),
        PRINTLN => Ok(Func::wrap(&mut *store, println).into()),
        name => {
            let arity = BUILTINS.iter().position(|builtin| *builtin == name);
            let function = arity.and_then(|arity| builtin(arity, store));
            function
                .map(Extern::from)
                .ok_or_else(|| Unusable::Import(name.to_owned()))
        }
    });
    given.collect()
}

fn builtin(arity: usize, store: &mut Store<State>) -> Option<Func> {
    type Host<'a> = Caller<'a, State>;
    Some(match arity {
        0 => Func::wrap(store, |c: Host<'_>, id: i32, _: i32| call(c, id, &[])),
        1 => Func::wrap(store, |c: Host<'_>, id: i32, _: i32, a: i32| {
            call(c, id, &[a])
        }),
        2 => Func::wrap(store, |c: Host<'_>, id: i32, _: i32, a: i32, b: i32| {
            call(c, id, &[a, b])
        }),
        3 => Func::wrap(
            store,
            |c: Host<'_>, id: i32, _: i32, a: i32, b: i32, d: i32| call(c, id, &[a, b, d]),
        ),
        4 => Func::wrap(
            store,
            |c: Host<'_>, id: i32, _: i32, a: i32, b: i32, d: i32, e: i32| {
                call(c, id, &[a, b, d, e])
            },
        ),
        _ => return None,
    })
}

fn abort(mut caller: Caller<'_, State>, address: i32) -> Result<(), Error> {
    let said = said(&caller, address);
    caller.data_mut().aborted = Some(said);
    Err(Error::msg("the policy gave up"))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands it over by value"
)]
fn println(caller: Caller<'_, State>, address: i32) {
    let line = said(&caller, address);
    tracing::debug!(target: "edgeward::policy::print", line, "policy print");
}

fn said(caller: &Caller<'_, State>, address: i32) -> String {
    let memory = caller.data().memory;
    let bytes = memory.map_or(&[][..], |memory| memory.data(caller));
    let said = text_at(bytes, address.cast_unsigned()).unwrap_or("something that is no text");
    said.chars().take(MAX_SAID).collect()
}

/// The address of what built-in `id` answers; 0 where it is undefined.
fn call(mut caller: Caller<'_, State>, id: i32, arguments: &[i32]) -> Result<i32, Error> {
    // No tick reaches inside of a built-in.
    if Instant::now() >= caller.data().deadline {
        caller.data_mut().ran_out_of = Some(RanOut::Time);
        return Err(Error::msg("it took too long"));
    }
    let mut values = Vec::with_capacity(arguments.len());
    for address in arguments {
        values.push(read(&mut caller, address.cast_unsigned())?);
    }
    let state = caller.data();
    let table = state.table.clone();
    let Some(builtin) = table.get(&id) else {
        return Err(Error::msg(format!(
            "the policy calls built-in {id}, which it does not name"
        )));
    };
    let kept = builtin.is_kept.then(|| (id, values.clone()));
    if let Some(kept) = kept.as_ref().and_then(|kept| state.kept.get(kept)) {
        let kept = kept.clone();
        return write(&mut caller, &kept);
    }
    let answer = builtin.call(&values, state.now, state.errors);
    let state = caller.data_mut();
    let value = answer.unwrap_or_else(|why| {
        state.failed.get_or_insert(why);
        Value::Undefined
    });
    if let Some(kept) = kept {
        state.kept.insert(kept, value.clone());
    }
    write(&mut caller, &value)
}

/// The value at `address`.
fn read(caller: &mut Caller<'_, State>, address: u32) -> Result<Value, Error> {
    let (memory, exports) = memory::with_exports(caller)?;
    let dumped = exports.dump(&mut *caller, address)?;
    let text = text_at(memory.data(&*caller), dumped);
    let text = text.ok_or_else(|| Error::msg("an argument that is no text"))?;
    if text.len() > MAX_VALUE_BYTES {
        caller.data_mut().ran_out_of = Some(RanOut::Memory);
        return Err(Error::msg("an argument that is too long"));
    }
    text::read(text).map_err(|error| Error::msg(format!("an argument {error}")))
}

/// The address of `value`, put into the module's memory.
fn write(caller: &mut Caller<'_, State>, value: &Value) -> Result<i32, Error> {
    if *value == Value::Undefined {
        return Ok(0);
    }
    let mut bytes = Vec::new();
    text::write(value, &mut bytes).map_err(|error| Error::msg(format!("an answer {error}")))?;
    let (memory, exports) = memory::with_exports(caller)?;
    let length = u32::try_from(bytes.len())?;
    let address = exports.malloc(&mut *caller, length)?;
    memory.write(&mut *caller, memory::place(address)?, &bytes)?;
    match exports.parse(&mut *caller, (address, length))? {
        0 => Err(Error::msg("an answer that the policy cannot read")),
        value => Ok(value.cast_signed()),
    }
}
