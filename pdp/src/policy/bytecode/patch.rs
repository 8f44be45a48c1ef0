//! The compiled program, read again: guards put where the lowered policy asks for them, built-ins
//! replaced by wrapped ones, and everything else compared with what it should be.
//!
//! A program that is not exactly as expected is not run.

use regorus::rvm::Instruction;
use regorus::rvm::instructions::{ComprehensionBeginParams, GuardMode, LoopMode};
use regorus::rvm::program::Program;

use super::builtins::{self, COPY, DEFINED};
use super::{Lowered, Obstacle};

/// Makes `program`, compiled from `lowered`, fit to run.
pub(super) fn patch(program: &mut Program, lowered: &Lowered) -> Result<(), Obstacle> {
    put_guards(program)?;
    wrap_builtins(program)?;
    for rule in &mut program.rule_infos {
        // The interpreter evaluates all definitions, and fails where any does.
        rule.early_exit_on_first_success = false;
        // The machine copies all this at each call. It uses names for nothing, marks of `else` for
        // partial rules only (`rules` lets none through), and patterns for functions.
        rule.name.clear();
        rule.else_bodies.clear();
        match &mut rule.function_info {
            Some(function) => function.param_names.clear(),
            None => rule.destructuring_blocks.clear(),
        }
    }
    check(program, lowered)
}

fn wrong(what: &str) -> Obstacle {
    Obstacle::Compiler(what.to_owned())
}

/// A call of [`DEFINED`] and the one instruction that uses what it gives become a guard and that
/// instruction on the call's argument.
fn put_guards(program: &mut Program) -> Result<(), Obstacle> {
    for at in 0..program.instructions.len() {
        let Some(Instruction::BuiltinCall { params_index }) = program.instructions.get(at) else {
            continue;
        };
        let call = program
            .instruction_data
            .get_builtin_call_params(*params_index)
            .ok_or_else(|| wrong("a call without parameters"))?;
        let (given, [argument, ..]) = (call.dest, call.args);
        let builtin = program
            .builtin_info_table
            .get(usize::from(call.builtin_index));
        match builtin.map(|builtin| &*builtin.name) {
            Some(DEFINED) => {}
            Some(COPY) => {
                let copy = Instruction::Move {
                    dest: given,
                    src: argument,
                };
                replace(program, at, copy);
                continue;
            }
            _ => continue,
        }
        let guard = Instruction::Guard {
            register: argument,
            mode: GuardMode::NotUndefined,
        };
        let user = match program.instructions.get(at + 1) {
            Some(Instruction::Move { dest, src }) if *src == given => Instruction::Move {
                dest: *dest,
                src: argument,
            },
            Some(Instruction::ComprehensionYield {
                value_reg,
                key_reg: None,
            }) if *value_reg == given => Instruction::ComprehensionYield {
                value_reg: argument,
                key_reg: None,
            },
            Some(Instruction::Guard { register, .. }) if *register == given => guard,
            _ => return Err(wrong("a guard that is not used at once")),
        };
        replace(program, at, guard);
        replace(program, at + 1, user);
    }
    Ok(())
}

fn replace(program: &mut Program, at: usize, instruction: Instruction) {
    if let Some(slot) = program.instructions.get_mut(at) {
        *slot = instruction;
    }
}

fn wrap_builtins(program: &mut Program) -> Result<(), Obstacle> {
    let mut resolved = Vec::with_capacity(program.builtin_info_table.len());
    for builtin in &program.builtin_info_table {
        resolved.push(match builtins::wrapped(&builtin.name) {
            Some(wrapped) => wrapped,
            // Its calls are guards now; `check` finds any that is not.
            None if is_instruction(&builtin.name) => builtins::forbidden(),
            None => return Err(wrong("a built-in that is not on the list")),
        });
    }
    program.resolved_builtins = resolved;
    Ok(())
}

/// Whether calls of `name` are made instructions.
fn is_instruction(name: &str) -> bool {
    matches!(name, DEFINED | COPY)
}

fn check(program: &Program, lowered: &Lowered) -> Result<(), Obstacle> {
    let (mut loops, mut comprehensions, mut calls) = (0, 0, 0);
    let within = nested(program)?;
    for (at, instruction) in program.instructions.iter().enumerate() {
        match instruction {
            Instruction::LoopStart { .. } => loops += 1,
            Instruction::ComprehensionBegin { .. } => comprehensions += 1,
            Instruction::FunctionCall { .. } => calls += 1,
            // Loaded once for the whole body: not where it might not be reached.
            Instruction::LoadInput { .. } | Instruction::LoadData { .. }
                if within.iter().any(|(from, to)| (*from..*to).contains(&at)) =>
            {
                return Err(wrong("a document that is loaded inside a loop"));
            }
            Instruction::BuiltinCall { params_index } => {
                let call = program
                    .instruction_data
                    .get_builtin_call_params(*params_index);
                let builtin = call.and_then(|call| {
                    program
                        .builtin_info_table
                        .get(usize::from(call.builtin_index))
                });
                if builtin.is_none_or(|builtin| is_instruction(&builtin.name)) {
                    return Err(wrong("a guard left as a call"));
                }
            }
            Instruction::Load { .. }
            | Instruction::LoadBool { .. }
            | Instruction::LoadInput { .. }
            | Instruction::LoadData { .. }
            | Instruction::Move { .. }
            | Instruction::Add { .. }
            | Instruction::Sub { .. }
            | Instruction::Mul { .. }
            | Instruction::Eq { .. }
            | Instruction::Ne { .. }
            | Instruction::Lt { .. }
            | Instruction::Le { .. }
            | Instruction::Gt { .. }
            | Instruction::Ge { .. }
            | Instruction::Not { .. }
            | Instruction::Guard { .. }
            | Instruction::Return { .. }
            | Instruction::CallRule { .. }
            | Instruction::RuleInit { .. }
            | Instruction::RuleReturn {}
            | Instruction::DestructuringSuccess {}
            | Instruction::SetAdd { .. }
            | Instruction::ObjectCreate { .. }
            | Instruction::ArrayCreate { .. }
            | Instruction::SetCreate { .. }
            | Instruction::Index { .. }
            | Instruction::IndexLiteral { .. }
            | Instruction::ChainedIndex { .. }
            | Instruction::Contains { .. }
            | Instruction::LoopNext { .. }
            | Instruction::ComprehensionYield { key_reg: None, .. }
            | Instruction::ComprehensionEnd {} => {}
            other => return Err(Obstacle::Compiler(format!("an instruction `{other:?}`"))),
        }
    }
    let wanted = (lowered.loops, lowered.comprehensions, lowered.calls);
    if (loops, comprehensions, calls) != wanted {
        return Err(wrong(
            "other loops, comprehensions or calls than were written",
        ));
    }
    Ok(())
}

/// Where instructions may be skipped while those after them are not: from, to.
fn nested(program: &Program) -> Result<Vec<(usize, usize)>, Obstacle> {
    let range = |from: u16, to: u16| (usize::from(from), usize::from(to));
    let mut within = Vec::new();
    for instruction in &program.instructions {
        match instruction {
            Instruction::ComprehensionBegin { params_index } => {
                let params: &ComprehensionBeginParams = program
                    .instruction_data
                    .get_comprehension_begin_params(*params_index)
                    .ok_or_else(|| wrong("a comprehension without parameters"))?;
                within.push(range(params.body_start, params.comprehension_end));
            }
            Instruction::LoopStart { params_index } => {
                let params = program
                    .instruction_data
                    .get_loop_params(*params_index)
                    .ok_or_else(|| wrong("a loop without parameters"))?;
                if params.mode == LoopMode::Every {
                    within.push(range(params.body_start, params.loop_end));
                }
            }
            _ => {}
        }
    }
    Ok(within)
}
