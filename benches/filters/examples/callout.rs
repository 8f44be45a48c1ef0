//! The least that a filter costs which asks a service: one call with a body, whose answer nobody reads.
//! What Edgeward's miss costs above this is Edgeward's; what this costs above `ext_authz` is the
//! price of asking from Wasm.
//!
//! It decides nothing: whatever comes back, the request goes on.

mod entry {
    use std::rc::Rc;
    use std::time::Duration;

    use proxy_wasm::traits::{Context, HttpContext, RootContext};
    use proxy_wasm::types::{Action, ContextType, LogLevel};

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Warn);
        proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::<Root>::default() });
    }}

    /// About as much as a question of the bench.
    const BODY: [u8; 600] = [b'x'; 600];

    #[derive(Default)]
    struct Root {
        cluster: Rc<str>,
    }

    impl Context for Root {}

    impl RootContext for Root {
        /// The plugin's configuration is the name of the cluster.
        fn on_configure(&mut self, _size: usize) -> bool {
            let cluster = self.get_plugin_configuration().unwrap_or_default();
            self.cluster = String::from_utf8_lossy(&cluster).into();
            !self.cluster.is_empty()
        }

        fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
            Some(Box::new(Stream {
                cluster: Rc::clone(&self.cluster),
            }))
        }

        fn get_type(&self) -> Option<ContextType> {
            Some(ContextType::HttpContext)
        }
    }

    struct Stream {
        cluster: Rc<str>,
    }

    impl Context for Stream {
        fn on_http_call_response(&mut self, _: u32, _: usize, _: usize, _: usize) {
            self.resume_http_request();
        }
    }

    impl HttpContext for Stream {
        fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
            let headers = vec![
                (":method", "POST"),
                (":path", "/callout"),
                (":authority", "callout"),
                ("content-type", "application/octet-stream"),
            ];
            let timeout = Duration::from_millis(500);
            match self.dispatch_http_call(&self.cluster, headers, Some(&BODY), vec![], timeout) {
                Ok(_) => Action::Pause,
                Err(_) => {
                    self.send_http_response(503, Vec::new(), None);
                    Action::Pause
                }
            }
        }
    }
}
