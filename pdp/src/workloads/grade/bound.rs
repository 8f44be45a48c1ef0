//! What all selectors of a workload bind together.
//!
//! Selectors must all hold, so the tightest of them counts; of the alternatives of one any will do,
//! so the loosest counts.

use super::provider_kind::{Facet, ProviderKind};
use super::subject::{Hold, Said, said};
use crate::workloads::{ClientWorkload, Pattern, Selector, Selectors};

/// What is bound; texts are the names of the selectors that do it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound<'w> {
    pub(super) thing: Thing<'w>,
    pub(super) owner_id: Option<&'w str>,
    pub(super) owner_name: Option<&'w str>,
    pub(super) workflow: Option<&'w str>,
    pub(super) scope: Scope<'w>,
    /// Runs of proposed code are asked for.
    pub(super) review: Option<&'w str>,
    pub(super) tag: Option<&'w str>,
    pub(super) single_run: Option<&'w str>,
    /// Runs in which somebody has a shell are not admitted.
    pub(super) without_debugging: bool,
}

/// Which thing: a repository, an account, … The tighter it is bound, the greater.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing<'w> {
    #[default]
    None,
    Name(&'w str),
    Id,
}

/// Which of its runs. The tighter it is bound, the greater.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope<'w> {
    #[default]
    Any,
    Partly(&'w str),
    Exact,
}

impl<'w> Bound<'w> {
    pub(super) fn of(workload: &'w ClientWorkload, kind: ProviderKind) -> Self {
        let environment = workload.environment.iter().flat_map(Selectors::iter);
        let mut facts = Facts::default();
        for selector in workload.selectors.iter().chain(environment) {
            facts.all_of(&Facts::of(selector, kind));
        }
        facts.bound()
    }

    fn narrow(&mut self, scope: Scope<'w>) {
        self.scope = self.scope.max(scope);
    }
}

/// What is known of each facet before it is all put together.
#[derive(Debug, Default, Clone)]
struct Facts<'w> {
    bound: Bound<'w>,
    owned_name: Option<&'w str>,
    ref_name: Option<(Hold, &'w str)>,
    has_ref_type: bool,
}

impl<'w> Facts<'w> {
    /// What a selector says: what each of its alternatives does.
    fn of(selector: &'w Selector, kind: ProviderKind) -> Self {
        let alternatives = selector.alternatives().iter().map(|pattern| {
            let mut facts = Self::default();
            for one in said(kind.profile(), selector.name(), pattern.as_str()) {
                facts.take(one, selector.name());
            }
            facts
        });
        alternatives
            .reduce(|one, other| one.any_of(&other))
            .unwrap_or_default()
    }

    fn take(&mut self, said: Said<'w>, at: &'w str) {
        let (bound, text) = (&mut self.bound, said.text);
        let exact = (said.hold == Hold::Exact).then_some(at);
        match said.facet {
            Facet::ThingId if exact.is_some() => bound.thing = Thing::Id,
            Facet::Repository if is_by_id(text) => bound.thing = Thing::Id,
            Facet::ThingName | Facet::Repository => match exact {
                Some(at) => bound.thing = bound.thing.max(Thing::Name(at)),
                // `owner/*`
                None => bound.owner_name = has_owner(text).then_some(at).or(bound.owner_name),
            },
            Facet::SpiffeId => match exact {
                Some(_) => bound.thing = Thing::Id,
                None => bound.owner_id = has_path(text).then_some(at).or(bound.owner_id),
            },
            Facet::OwnedName => self.owned_name = exact,
            Facet::OwnerId => bound.owner_id = exact,
            Facet::OwnerName => bound.owner_name = exact,
            Facet::Arn => take_arn(bound, said, at),
            Facet::Scope => self.take_scope(said, at),
            Facet::RefName => self.ref_name = Some((said.hold, at)),
            Facet::RefType => {
                self.has_ref_type = exact.is_some();
                bound.tag = exact.filter(|_| text == "tag");
            }
            Facet::Narrows if said.hold > Hold::Any => bound.narrow(Scope::Partly(at)),
            Facet::Protected if text == "true" => bound.narrow(Scope::Partly(at)),
            Facet::Event if is_review(text) => bound.review = Some(at),
            Facet::Workflow => {
                bound.workflow = exact;
                self.take_scope(said, at);
            }
            Facet::SingleRun => bound.single_run = exact.or(bound.single_run),
            Facet::Debugging => bound.without_debugging = text == "false",
            Facet::ThingId | Facet::Narrows | Facet::Protected | Facet::Event => {}
        }
    }

    fn take_scope(&mut self, said: Said<'w>, at: &'w str) {
        let text = said.text;
        // All branches, or all tags, are no less than everything.
        let is_all = ["refs/", "refs/heads/", "refs/tags/"]
            .iter()
            .any(|kind| text.trim_end_matches('*') == *kind);
        // A branch may be named `x@refs/heads/main`, and `**` reaches over it.
        let is_any_ref = text.contains("**") && text.contains('@');
        self.bound.narrow(match said.hold {
            _ if is_all || is_any_ref => Scope::Any,
            Hold::Any => Scope::Any,
            Hold::Partly => Scope::Partly(at),
            Hold::Exact => Scope::Exact,
        });
        if text.contains("refs/tags/") {
            self.bound.tag = Some(at);
        }
        if text.contains("refs/pull/") || text.contains("refs/merge-requests/") {
            self.bound.review = Some(at);
        }
    }

    /// With what another selector says as well.
    fn all_of(&mut self, other: &Self) {
        let (ours, theirs) = (&mut self.bound, &other.bound);
        ours.thing = ours.thing.max(theirs.thing);
        ours.owner_id = ours.owner_id.or(theirs.owner_id);
        ours.owner_name = ours.owner_name.or(theirs.owner_name);
        ours.workflow = ours.workflow.or(theirs.workflow);
        ours.scope = ours.scope.max(theirs.scope);
        ours.review = ours.review.or(theirs.review);
        ours.tag = ours.tag.or(theirs.tag);
        ours.single_run = ours.single_run.or(theirs.single_run);
        ours.without_debugging |= theirs.without_debugging;
        self.owned_name = self.owned_name.or(other.owned_name);
        self.ref_name = self.ref_name.max(other.ref_name);
        self.has_ref_type |= other.has_ref_type;
    }

    /// With what another alternative says instead.
    fn any_of(mut self, other: &Self) -> Self {
        let (ours, theirs) = (&mut self.bound, &other.bound);
        ours.thing = ours.thing.min(theirs.thing);
        ours.owner_id = ours.owner_id.and(theirs.owner_id);
        ours.owner_name = ours.owner_name.and(theirs.owner_name);
        ours.workflow = ours.workflow.and(theirs.workflow);
        ours.scope = ours.scope.min(theirs.scope);
        // What is bad in one alternative is bad.
        ours.review = ours.review.or(theirs.review);
        ours.tag = ours.tag.or(theirs.tag);
        ours.single_run = ours.single_run.or(theirs.single_run);
        ours.without_debugging &= theirs.without_debugging;
        self.owned_name = self.owned_name.and(other.owned_name);
        self.ref_name = self.ref_name.min(other.ref_name);
        self.has_ref_type &= other.has_ref_type;
        self
    }

    fn bound(self) -> Bound<'w> {
        let mut bound = self.bound;
        let has_owner = bound.owner_id.or(bound.owner_name).is_some();
        if let (Some(at), Thing::None, true) = (self.owned_name, bound.thing, has_owner) {
            bound.thing = Thing::Name(at);
        }
        let by_ref = match self.ref_name {
            Some((Hold::Exact, _)) if self.has_ref_type => Scope::Exact,
            Some((Hold::Exact | Hold::Partly, at)) => Scope::Partly(at),
            Some((Hold::Any, _)) | None => Scope::Any,
        };
        bound.scope = bound.scope.max(by_ref);
        bound
    }
}

/// `arn:aws:iam::ACCOUNT:role/NAME`: names are an account's, and the account is an id. The session of
/// a role that was assumed (`…:assumed-role/NAME/SESSION`) says nothing.
fn take_arn<'w>(bound: &mut Bound<'w>, said: Said<'_>, at: &'w str) {
    let account = said.text.split(':').nth(4).unwrap_or_default();
    let is_account = !account.is_empty() && account.bytes().all(|one| one.is_ascii_digit());
    let in_front = said.text.split(account).next().unwrap_or_default();
    if !is_account || in_front.contains('*') {
        return;
    }
    bound.owner_id = Some(at);
    let role = said.text.strip_suffix("/*");
    let role = role.filter(|role| role.contains(":assumed-role/"));
    if Hold::of(role.unwrap_or(said.text)) == Hold::Exact {
        bound.thing = Thing::Name(at);
    }
}

/// Whether the owner in front of a slash is given.
fn has_owner(text: &str) -> bool {
    let given = text.split('*').next().unwrap_or_default();
    given
        .split_once('/')
        .is_some_and(|(owner, _)| !owner.is_empty())
}

/// Whether more of a SPIFFE ID is given than its trust domain, or anything of its path.
fn has_path(text: &str) -> bool {
    let given = text.split('*').next().unwrap_or_default();
    let path = match given.strip_prefix("spiffe://") {
        Some(rest) => rest.split_once('/').map(|(_, path)| path),
        None => given.strip_prefix('/'),
    };
    path.is_some_and(|path| !path.is_empty())
}

/// `owner@ID/name@ID`: the names in it may be anything.
fn is_by_id(repository: &str) -> bool {
    let has_id = |part: &str| {
        let id = part.rsplit_once('@').map(|(_, id)| id).unwrap_or_default();
        !part.contains("**") && !id.is_empty() && id.bytes().all(|one| one.is_ascii_digit())
    };
    repository
        .split_once('/')
        .is_some_and(|(owner, name)| has_id(owner) && has_id(name) && !name.contains('/'))
}

/// Whether runs that an event sets off are of code that is merely proposed.
fn is_review(event: &str) -> bool {
    const REVIEWS: [&str; 5] = [
        "pull_request",
        "pull_request_target",
        "pull_request_review",
        "merge_request_event",
        "external_pull_request_event",
    ];
    match Hold::of(event) {
        Hold::Exact => REVIEWS.contains(&event),
        // `pull*` and its like; of a wildcard alone nothing is said.
        Hold::Partly => event
            .parse::<Pattern>()
            .is_ok_and(|pattern| REVIEWS.iter().any(|review| pattern.matches(review))),
        Hold::Any => false,
    }
}
