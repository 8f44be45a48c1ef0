//! A bundle that came and is good as far as it can be judged alone, with what has to be remembered of it.

use std::sync::Arc;

use super::disk::Record;
use super::settings::{BundleSettings, Source};
use super::verified::{BundleError, PolicyBundle};

/// A bundle that came.
pub(super) enum Offered {
    /// Packed, with its `ETag`.
    Packed(Vec<u8>, Option<String>),
    /// Unpacked, where its source says.
    Folder,
}

/// A bundle that is in force, or waits for the others.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bundle: Arc<PolicyBundle>,
    pub(super) tag: Option<String>,
    pub(super) size: Option<usize>,
    /// What stands on disk, or will.
    pub(super) record: Option<Record>,
    /// Packed, as long as it has to be written.
    pub(super) unsaved: Option<Vec<u8>>,
}

impl Held {
    /// Whether it is on disk, and `record` is of the same packed bundle.
    pub(super) fn is_kept_as(&self, record: &Record) -> bool {
        let own = self.record.as_ref();
        self.unsaved.is_none() && own.is_some_and(|own| own.sha256 == record.sha256)
    }

    /// Reads what came, as its settings want it.
    pub(super) fn read(settings: &BundleSettings, offered: Offered) -> Result<Self, BundleError> {
        let trust = settings.trust.as_ref();
        let (bundle, tag, content) = match (offered, &settings.source) {
            (Offered::Packed(content, tag), _) => {
                (PolicyBundle::unpack(&content, trust)?, tag, Some(content))
            }
            (Offered::Folder, Source::Path(path)) => {
                (PolicyBundle::read_folder(path, trust)?, None, None)
            }
            (Offered::Folder, Source::Http(_)) => return Err(BundleError::Empty),
        };
        Ok(Self {
            bundle: Arc::new(bundle),
            tag,
            size: content.as_ref().map(Vec::len),
            record: None,
            unsaved: content,
        })
    }
}
