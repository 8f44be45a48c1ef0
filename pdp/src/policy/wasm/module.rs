//! A compiled policy, read and translated once: checked for all that can be known of it before it is asked.
//!
//! INVARIANT: whoever has a [`Module`] knows that it has the ABI, wants nothing of its host that is not
//! there, and has been started once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use regorus::Value;
use wasmtime::{Config, Engine, ExternType, MemoryType};

use super::super::capability;
use super::abi::{self, MEMORY};
use super::epochs;
use super::host::HostBuiltin;
use super::instance::Instance;
use super::state::Table;
use super::unusable::Unusable;

/// Bytes a module may have: OPA's own are some hundred thousand.
pub(super) const MAX_MODULE_BYTES: usize = 16 * 1024 * 1024;
/// Entries a table of functions may have.
pub(super) const MAX_TABLE: usize = 65_536;
/// Bytes of stack an instance may use: a policy of OPA's takes some ten thousand.
const STACK_BYTES: usize = 1024 * 1024;

/// A compiled policy.
pub(in crate::policy) struct Module {
    pub(super) engine: Engine,
    pub(super) code: wasmtime::Module,
    /// What it imports as its memory.
    pub(super) memory: MemoryType,
    pub(super) table: Arc<Table>,
    entry_points: BTreeMap<String, i32>,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let entry_points = self.entry_points.keys();
        f.debug_list().entries(entry_points).finish()
    }
}

impl Module {
    /// Reads and tries the module `bytes`, which must be started until `deadline`.
    pub(in crate::policy) fn compile(bytes: &[u8], deadline: Instant) -> Result<Self, Unusable> {
        if bytes.len() > MAX_MODULE_BYTES {
            return Err(Unusable::TooLarge);
        }
        let engine = engine()?;
        let code = wasmtime::Module::new(&engine, bytes)
            .map_err(|error| Unusable::Broken(in_one_line(&error)))?;
        abi::check_imports(&code)?;
        let mut module = Self {
            memory: memory_of(&code)?,
            engine,
            code,
            table: Arc::default(),
            entry_points: BTreeMap::new(),
        };
        let mut instance = Instance::start(&module, deadline)?;
        module.table = Arc::new(table(&instance.builtins()?)?);
        module.entry_points = numbered(&instance.entry_points()?)?;
        Ok(module)
    }

    /// The number of the entry point `name`, as in a manifest: `package/rule`.
    pub(super) fn entry_point(&self, name: &str) -> Result<i32, Unusable> {
        let number = self.entry_points.get(name).copied();
        number.ok_or_else(|| Unusable::NoEntryPoint(name.to_owned()))
    }

    /// The built-ins that it calls of its host.
    pub(super) fn builtins(&self) -> impl Iterator<Item = &str> {
        self.table.values().map(|builtin| builtin.name.as_str())
    }
}

/// One for each module, so that what interrupts it ends with it.
fn engine() -> Result<Engine, Unusable> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .wasm_backtrace_max_frames(None)
        .wasm_memory64(false)
        .wasm_multi_memory(false);
    let engine = Engine::new(&config).map_err(|error| Unusable::Start(in_one_line(&error)))?;
    epochs::tick(&engine).map_err(|error| Unusable::Epochs(error.to_string()))?;
    Ok(engine)
}

fn memory_of(code: &wasmtime::Module) -> Result<MemoryType, Unusable> {
    let mut imports = code.imports();
    let memory = imports.find_map(|import| match import.ty() {
        ExternType::Memory(memory) if import.name() == MEMORY => Some(memory),
        _ => None,
    });
    memory.ok_or_else(|| Unusable::Start("it does not import its memory".to_owned()))
}

fn table(builtins: &Value) -> Result<Table, Unusable> {
    let mut table = Table::new();
    for (name, number) in numbered(builtins)? {
        let builtin = HostBuiltin::of(&name).ok_or_else(|| {
            let (why, fix) = capability::refusal(&name);
            Unusable::Builtin { name, why, fix }
        })?;
        table.insert(number, builtin);
    }
    Ok(table)
}

/// Names with numbers, as a module tells of itself.
fn numbered(value: &Value) -> Result<BTreeMap<String, i32>, Unusable> {
    let odd = || Unusable::Start("it does not tell names with their numbers".to_owned());
    let members = value.as_object().map_err(|_| odd())?;
    let numbered = members.iter().map(|(name, number)| {
        let name = name.as_string().ok()?.as_ref().to_owned();
        let number = i32::try_from(number.as_i64().ok()?).ok()?;
        Some((name, number))
    });
    numbered.collect::<Option<_>>().ok_or_else(odd)
}

/// What went wrong, and what was the cause of it.
pub(super) fn in_one_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
