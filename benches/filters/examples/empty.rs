//! The empty filter: it is called for every request and does nothing. What it costs is what any
//! Wasm filter costs, whoever wrote it.

/// Apart, because the entry macro brings an exported function of its own, which needs no docs.
mod entry {
    use proxy_wasm::traits::{Context, HttpContext, RootContext};
    use proxy_wasm::types::{ContextType, LogLevel};

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Warn);
        proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Empty) });
    }}

    struct Empty;

    impl Context for Empty {}

    impl HttpContext for Empty {}

    impl RootContext for Empty {
        fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
            Some(Box::new(Empty))
        }

        // The default is `None`, with which the SDK panics on the first request.
        fn get_type(&self) -> Option<ContextType> {
            Some(ContextType::HttpContext)
        }
    }
}
