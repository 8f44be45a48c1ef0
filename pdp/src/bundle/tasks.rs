//! When each bundle's source is asked: one task a bundle, and one that watches their age.

use std::sync::Arc;
use std::time::Duration;

use edgeward_core::time::UnixSeconds;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::activation::Bundles;
use super::settings::{BundleName, Source};
use super::source::{Again, apart, ask_server, look};
use crate::fetch::Pace;

/// How often a path of this machine is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How soon a server that waits for news itself is asked again.
const AT_ONCE: Duration = Duration::from_millis(100);
/// How often bundles' age is looked at: `max_age` is in whole seconds.
const AGE_EVERY: Duration = Duration::from_millis(500);

/// While this lives, bundles are kept fresh.
#[derive(Debug)]
pub struct BundleTasks(#[expect(dead_code, reason = "the tasks end with it")] JoinSet<()>);

impl Bundles {
    /// Asks every source from now on, on the runtime of the caller. `now` is the machine's clock.
    pub fn start(self: &Arc<Self>, now: fn() -> UnixSeconds) -> BundleTasks {
        let mut tasks = JoinSet::new();
        for name in self.settings.bundles.keys() {
            tasks.spawn(follow(Arc::clone(self), name.clone(), now));
        }
        let bundles = Arc::clone(self);
        tasks.spawn(async move {
            loop {
                sleep(AGE_EVERY).await;
                let bundles = Arc::clone(&bundles);
                // Withholding builds a policy, which takes a few milliseconds.
                let _ = apart(move || bundles.enforce_age(now())).await;
            }
        });
        BundleTasks(tasks)
    }
}

async fn follow(bundles: Arc<Bundles>, name: BundleName, now: fn() -> UnixSeconds) {
    let Some(settings) = bundles.settings.bundles.get(&name).cloned() else {
        return;
    };
    let refresh = settings.source.fetch().map(|fetch| fetch.refresh.clone());
    let mut pace = Pace::new(refresh.unwrap_or_default());
    let mut seen = None;
    loop {
        let pause = match &settings.source {
            Source::Path(path) => {
                let (asked, of, path) = (Arc::clone(&bundles), name.clone(), path.clone());
                let before = seen.take();
                let looked = apart(move || look(&asked, &of, &path, before, now()));
                seen = looked.await.unwrap_or_else(|why| {
                    bundles.failed(&name, "bundle-unreadable", why, now());
                    None
                });
                LOOK_EVERY
            }
            source => match ask_server(&bundles, &name, source, now).await {
                Again::AtOnce => AT_ONCE,
                Again::Usually => pace.after_success(None),
                Again::Later => pace.after_failure(),
            },
        };
        sleep(pause).await;
    }
}
