//! What would take the process along without the bounds: asked in a process of its own, which may have
//! little memory, in all three engines.

mod confined;
mod texts;
