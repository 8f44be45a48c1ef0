//! What a module that OPA compiled gives and wants: its ABI, version 1.2 to 1.3
//! (openpolicyagent.org, "WebAssembly", section "ABI Versions").
//!
//! Addresses and lengths are 32 bits and have no sign; WebAssembly writes them as `i32`.

use wasmtime::{ExternType, Instance, Module, Store, TypedFunc, ValType};

use super::state::State;
use super::unusable::Unusable;

/// What it may import, all of it from here.
pub(super) const HOST: &str = "env";
/// The memory, which the host gives.
pub(super) const MEMORY: &str = "memory";
pub(super) const ABORT: &str = "opa_abort";
pub(super) const PRINTLN: &str = "opa_println";
/// Built-ins by how many arguments they take.
pub(super) const BUILTINS: [&str; 5] = [
    "opa_builtin0",
    "opa_builtin1",
    "opa_builtin2",
    "opa_builtin3",
    "opa_builtin4",
];

const VERSION: &str = "opa_wasm_abi_version";
const MINOR_VERSION: &str = "opa_wasm_abi_minor_version";
/// The version that is known. Below minor 2 there is no evaluation in one call.
const KNOWN: (i32, std::ops::RangeInclusive<i32>) = (1, 2..=3);

/// Asks for a result as `text` has it, not as JSON, which has no sets.
const AS_VALUE: i32 = 1;

/// Refuses imports that no module of OPA has.
pub(super) fn check_imports(module: &Module) -> Result<(), Unusable> {
    for import in module.imports() {
        let name = import.name();
        let is_known = import.module() == HOST
            && match import.ty() {
                ExternType::Memory(_) => name == MEMORY,
                ExternType::Func(_) => name == ABORT || name == PRINTLN || BUILTINS.contains(&name),
                _ => false,
            };
        if !is_known {
            let module = import.module();
            return Err(Unusable::Import(format!("{module}.{name}")));
        }
    }
    Ok(())
}

/// Refuses another version of the ABI.
pub(super) fn check_version(instance: &Instance, store: &mut Store<State>) -> Result<(), Unusable> {
    let mut version = |name: &str| {
        let global = instance.get_global(&mut *store, name)?;
        let is_whole = matches!(global.ty(&*store).content(), ValType::I32);
        let value = global.get(&mut *store);
        is_whole.then(|| value.i32())?
    };
    let (major, minor) = (version(VERSION), version(MINOR_VERSION));
    let (Some(major), Some(minor)) = (major, minor) else {
        return Err(Unusable::NoVersion);
    };
    if major == KNOWN.0 && KNOWN.1.contains(&minor) {
        return Ok(());
    }
    Err(Unusable::Version(major, minor))
}

type OneOff = (i32, i32, i32, i32, i32, i32, i32);

/// The functions of an instance.
#[derive(Clone)]
pub(super) struct Exports {
    eval: TypedFunc<OneOff, i32>,
    malloc: TypedFunc<i32, i32>,
    free: TypedFunc<i32, ()>,
    parse: TypedFunc<(i32, i32), i32>,
    dump: TypedFunc<i32, i32>,
    heap: TypedFunc<(), i32>,
    builtins: TypedFunc<(), i32>,
    entry_points: TypedFunc<(), i32>,
}

/// One evaluation: where everything lies.
pub(super) struct Evaluation {
    pub(super) entry_point: i32,
    pub(super) data: u32,
    /// Address and length of the input's text; none where it is undefined.
    pub(super) input: Option<(u32, u32)>,
    /// Where the heap begins: what is above is gone.
    pub(super) heap: u32,
}

type Called<T> = Result<T, wasmtime::Error>;

impl Exports {
    pub(super) fn of(instance: &Instance, store: &mut Store<State>) -> Result<Self, Unusable> {
        macro_rules! function {
            ($name:literal) => {
                instance
                    .get_typed_func(&mut *store, $name)
                    .map_err(|_| Unusable::Export($name))?
            };
        }
        Ok(Self {
            eval: function!("opa_eval"),
            malloc: function!("opa_malloc"),
            free: function!("opa_free"),
            parse: function!("opa_value_parse"),
            dump: function!("opa_value_dump"),
            heap: function!("opa_heap_ptr_get"),
            builtins: function!("builtins"),
            entry_points: function!("entrypoints"),
        })
    }

    /// The address of the text of the result.
    pub(super) fn eval(&self, store: &mut Store<State>, asked: &Evaluation) -> Called<u32> {
        let (input, length) = asked.input.unwrap_or_default();
        let parameters = (
            0,
            asked.entry_point,
            asked.data.cast_signed(),
            input.cast_signed(),
            length.cast_signed(),
            asked.heap.cast_signed(),
            AS_VALUE,
        );
        Ok(self.eval.call(store, parameters)?.cast_unsigned())
    }

    /// The address of so many bytes.
    pub(super) fn malloc(&self, store: impl wasmtime::AsContextMut, bytes: u32) -> Called<u32> {
        let address = self.malloc.call(store, bytes.cast_signed())?;
        Ok(address.cast_unsigned())
    }

    /// Gives back what [`Exports::malloc`] gave.
    pub(super) fn free(&self, store: impl wasmtime::AsContextMut, address: u32) -> Called<()> {
        self.free.call(store, address.cast_signed())
    }

    /// The address of the value of a text; 0 where that is none.
    pub(super) fn parse(
        &self,
        store: impl wasmtime::AsContextMut,
        (address, length): (u32, u32),
    ) -> Called<u32> {
        let parameters = (address.cast_signed(), length.cast_signed());
        Ok(self.parse.call(store, parameters)?.cast_unsigned())
    }

    /// The address of the text of a value.
    pub(super) fn dump(&self, store: impl wasmtime::AsContextMut, value: u32) -> Called<u32> {
        Ok(self.dump.call(store, value.cast_signed())?.cast_unsigned())
    }

    /// Where the heap ends.
    pub(super) fn heap(&self, store: &mut Store<State>) -> Called<u32> {
        Ok(self.heap.call(store, ())?.cast_unsigned())
    }

    /// The value of the built-ins it calls, each name with its number.
    pub(super) fn builtins(&self, store: &mut Store<State>) -> Called<u32> {
        Ok(self.builtins.call(store, ())?.cast_unsigned())
    }

    /// The value of its entry points, each name with its number.
    pub(super) fn entry_points(&self, store: &mut Store<State>) -> Called<u32> {
        Ok(self.entry_points.call(store, ())?.cast_unsigned())
    }
}
