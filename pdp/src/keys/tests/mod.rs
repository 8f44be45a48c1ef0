//! Tests of the whole room, with real servers.
