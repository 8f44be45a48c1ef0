//! Real tokens, signed here, of every platform; and what their attackers would send.

mod attacks;
mod samples;
mod stage;
