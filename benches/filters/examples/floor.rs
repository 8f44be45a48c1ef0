//! The floor: a filter that reads three headers and looks one key up among 10,003. No filter that
//! decides by itself can do less, so Edgeward's own cost is told as a multiple of this one's.
//!
//! It checks nothing: a known key passes, any other is answered 403, so that the driver sees that
//! what it measures is a hit.

mod entry {
    use std::collections::HashSet;
    use std::rc::Rc;

    use proxy_wasm::traits::{Context, HttpContext, RootContext};
    use proxy_wasm::types::{Action, ContextType, LogLevel};

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Warn);
        proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::<Root>::default() });
    }}

    /// Beside the three keys that the driver configures.
    const OTHER_KEYS: usize = 10_000;

    #[derive(Default)]
    struct Root {
        known: Rc<HashSet<Vec<u8>>>,
    }

    impl Context for Root {}

    impl RootContext for Root {
        /// The plugin's configuration is one header value: its key with the path `/floor`, `/a` and
        /// `/b` is known, and ten thousand like it that never match.
        fn on_configure(&mut self, _size: usize) -> bool {
            let Some(authorization) = self.get_plugin_configuration() else {
                return false;
            };
            let mut known = HashSet::with_capacity(OTHER_KEYS + 3);
            for path in ["/floor", "/a", "/b"] {
                known.insert(key(&authorization, path.as_bytes(), b"GET"));
            }
            for number in 0..OTHER_KEYS {
                known.insert(key(
                    &authorization,
                    format!("/other/{number}").as_bytes(),
                    b"GET",
                ));
            }
            self.known = Rc::new(known);
            true
        }

        fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
            Some(Box::new(Stream {
                known: Rc::clone(&self.known),
            }))
        }

        fn get_type(&self) -> Option<ContextType> {
            Some(ContextType::HttpContext)
        }
    }

    struct Stream {
        known: Rc<HashSet<Vec<u8>>>,
    }

    impl Context for Stream {}

    impl HttpContext for Stream {
        fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
            let header = |name| self.get_http_request_header_bytes(name).unwrap_or_default();
            let key = key(
                &header("authorization"),
                &header(":path"),
                &header(":method"),
            );
            if self.known.contains(&key) {
                return Action::Continue;
            }
            self.send_http_response(403, Vec::new(), None);
            Action::Pause
        }
    }

    fn key(authorization: &[u8], path: &[u8], method: &[u8]) -> Vec<u8> {
        [authorization, path, method].concat()
    }
}
