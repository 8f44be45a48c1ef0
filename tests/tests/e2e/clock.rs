//! Promise 5 with a clock that is far off: no token is honoured outside its own times as Envoy's
//! clock has them, and nothing breaks.

use std::sync::Arc;

use edgeward_tests::envoy::{Envoy, Launch};
use edgeward_tests::keys::{FRONTEND, Keys};
use edgeward_tests::pdp::Pdp;
use edgeward_tests::process::wait_for;
use edgeward_tests::raw::Request;
use edgeward_tests::setup::Setup;
use edgeward_tests::upstream::Upstream;

const YEAR: i64 = 365 * 24 * 60 * 60;

#[test]
fn with_a_clock_far_off_no_token_is_honoured_and_the_filter_goes_on() {
    let keys = Arc::new(Keys::generate());
    let pdp = Pdp::start(&keys);
    let upstream = Upstream::start();
    let setup = Setup::local()
        .cluster("edgeward_pdp", pdp.address())
        .cluster("upstream", upstream.address());
    // The last one is before 1970: Envoy tells the filter of an instant that no u64 should hold.
    let skews = [
        (15 * YEAR, "token-expired"),
        (-15 * YEAR, "token-"),
        (-70 * YEAR, ""),
    ];
    for (skew, code) in skews {
        let launch = Launch {
            clock_skew: Some(skew),
            ..Launch::default()
        };
        let mut envoy = Envoy::launch(&setup, &launch);
        let request = Request::get("/skewed").bearer(&keys.jwt_svid(FRONTEND));
        let reply = wait_for(std::time::Duration::from_secs(15), || {
            let reply = request.send(envoy.address());
            (reply.code() != "not-ready").then_some(reply)
        });
        let reply = reply.expect("the filter is told keys whatever the clock says");
        assert_eq!(reply.status, 401, "{skew}: {}", reply.text());
        assert!(reply.code().starts_with(code), "{skew}: {}", reply.text());
        assert!(envoy.is_running());
        assert_eq!(envoy.stat("vm_reload"), 0, "{skew}: the filter was trapped");
    }
    assert!(upstream.seen("/skewed").is_empty());
}
