//! What each step in the world of `exchange_cache_tests.rs` must be: the refusal, the decision that was
//! made for it, or one that would be made at this instant.

use super::*;

impl World {
    /// Whether the caller is refused, as it must be by what the filter was told.
    pub(super) fn is_refused(&self, token: usize, step: &Step) -> Result<bool, TestCaseError> {
        let expired = self.now >= NOW + LIFETIMES[token];
        if self.told.key != SIGNING {
            // Known as refused, its time is not looked at any more.
            let (status, code) = refusal(step);
            let of_time = expired && code == "token-expired";
            prop_assert_eq!(status, 401);
            prop_assert!(of_time || code == "token-signature-invalid", "{}", code);
        } else if expired {
            prop_assert_eq!(refusal(step), (401, "token-expired"));
        } else if self.told.revoked == Some(token / 2) {
            prop_assert_eq!(refusal(step), (401, "subject-revoked"));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// What an answer with `status` may come to.
    pub(super) fn check(
        &mut self,
        open: &Open,
        step: &Step,
        status: &str,
    ) -> Result<(), TestCaseError> {
        let id = id(step).to_owned();
        if id.starts_with("cached-") {
            self.counts.shared += 1;
            prop_assert_eq!(status, "200");
            prop_assert!(self.told.revoked != Some(open.token / 2), "it is revoked");
            return self.check_reused(open, step);
        }
        if id.starts_with("stale-") {
            self.counts.stale += 1;
            return self.check_stale(open, step, status);
        }
        if status != "200" {
            prop_assert_eq!(refusal(step).0, 503);
            return Ok(());
        }
        // Its own answer: of the very question that it asked.
        let number: usize = id.trim_start_matches("d-").parse().unwrap();
        let made = &self.made[number];
        prop_assert_eq!(made.number, number);
        let mut question = open.question.clone();
        question["context"]["time"] = made.question["context"]["time"].clone();
        prop_assert_eq!(&question, &made.question);
        check(step, &made.decided)
    }

    /// What is reused is what would be decided at this instant.
    pub(super) fn check_reused(&self, open: &Open, step: &Step) -> Result<(), TestCaseError> {
        prop_assert!(self.stale_ticks <= 20, "reused although the feed is cut");
        let mut question = open.question.clone();
        question["context"]["time"] = json!(self.now);
        let question = with_atoms(&question);
        check(step, &self.told.program.decide(&question, self.now))
    }

    /// What is reused beyond its time was decided of this question by what is in force.
    fn check_stale(&self, open: &Open, step: &Step, status: &str) -> Result<(), TestCaseError> {
        prop_assert!(matches!(status, "" | "503"), "{}", status);
        prop_assert_eq!(&open.question["resource"]["properties"]["path"], "/stale");
        prop_assert!(self.told.revoked != Some(open.token / 2), "it is revoked");
        prop_assert!(self.stale_ticks <= 300, "the feed is cut");
        let original = id(step).split_once(".d-").unwrap().1;
        let made = &self.made[original.parse::<usize>().unwrap()];
        prop_assert!(self.now < made.until + 30, "its time is long over");
        let told = &self.told.program;
        prop_assert_eq!(made.program.name(), told.name());
        let mut question = open.question.clone();
        question["context"]["time"] = made.question["context"]["time"].clone();
        let read = |question: &Value| told.vary.project(with_atoms(question)).to_string();
        prop_assert_eq!(read(&question), read(&made.question));
        check(step, &made.decided)
    }
}

fn id(step: &Step) -> &str {
    match step {
        Step::Forward(changes) => set(changes, DECISION_ID).unwrap_or_default(),
        Step::Reply(reply) => reply.decision_id.as_str(),
        _ => "",
    }
}

fn check(step: &Step, (allow, tier): &(bool, String)) -> Result<(), TestCaseError> {
    match step {
        Step::Forward(changes) => {
            prop_assert!(*allow);
            prop_assert_eq!(set(changes, "x-tier"), Some(tier.as_str()));
        }
        Step::Reply(reply) => {
            prop_assert!(!*allow, "{:?}", reply);
            prop_assert_eq!(&reply.code, &format!("tier-{tier}"));
        }
        other => prop_assert!(false, "{:?}", other),
    }
    Ok(())
}
