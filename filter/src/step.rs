//! What the machine tells the host to do: the only words between [`crate::exchange`] and the host.

use crate::reply::Reply;

/// What the host must do next.
#[derive(Debug)]
pub enum Step {
    /// Read these facts of the connection, then call [`crate::exchange::Exchange::identify`].
    Gather {
        /// Whether the client certificate's facts are wanted.
        tls: bool,
    },
    /// Post this to the PDP and hold the request; then call [`crate::exchange::Exchange::answered`], or
    /// [`crate::exchange::Exchange::failed`].
    Ask(Ask),
    /// Hold the request, and see that the root is called when this turn of the event loop is over: its
    /// question is asked with the others of it ([`crate::batch`]). The step that goes on comes from
    /// [`crate::flight::Flights::resumed`].
    Queue,
    /// Hold the request: its question is being asked for another. The step that goes on comes from
    /// [`crate::flight::Flights::resumed`].
    Wait,
    /// Make these changes and let the request pass.
    Forward(Changes),
    /// Answer the request; it goes nowhere.
    Reply(Reply),
}

/// A question to the PDP.
#[derive(Debug)]
pub struct Ask {
    /// Where it is put.
    pub door: Door,
    /// Written in the form that this door reads.
    pub body: Vec<u8>,
}

/// The PDP's doors for questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Our own PDP's: the projection alone ([`edgeward_core::decide`]).
    Decide,
    /// `AuthZEN`'s: the whole question.
    Evaluation,
    /// `AuthZEN`'s, at our own PDP: the whole question, to try the footprint on.
    Compare,
}

/// Changes to a request that passes: first remove, then set.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Headers to remove.
    pub remove: Vec<String>,
    /// Headers and pseudo-headers to set, replacing what is there.
    pub set: Vec<(String, String)>,
    /// Whether path or host change, so that the route must be chosen anew.
    pub reroute: bool,
    /// Headers to set on the response.
    pub on_response: Vec<(String, String)>,
}

/// Why the PDP gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PdpFailure {
    /// It could not be reached, is overloaded, or says it is not ready.
    Unavailable,
    /// It did not answer in time.
    Timeout,
    /// It answered something that is no decision.
    Invalid,
}
