//! The PDP in the world of `exchange_cache_tests.rs`: what it is asked, and what it makes of it.

use super::*;

impl World {
    pub(super) fn ask(
        &mut self,
        by: Result<u32, u32>,
        question: &Value,
        ask: Ask,
    ) -> Result<(), TestCaseError> {
        if ask.door == Door::Decide {
            let asked = decide::read_question(&ask.body).unwrap();
            let told = &self.told.program;
            prop_assert_eq!(asked.program, told.name());
            prop_assert_eq!(&asked.input, &told.vary.project(with_atoms(question)));
            prop_assert_eq!(asked.about, decide::about().project(question.clone()));
        } else {
            let asked: Value = serde_json::from_slice(&ask.body).unwrap();
            prop_assert_eq!(&asked, question, "the test asks as the filter does");
        }
        let early = self.decide(question, &ask);
        self.asked.push(Asked {
            by,
            question: question.clone(),
            ask,
            early,
        });
        Ok(())
    }

    /// Of a short question none, where another program decides than the one that it was asked of.
    pub(super) fn decide(&mut self, question: &Value, ask: &Ask) -> Option<Made> {
        let (program, now, number) = (self.pdp.program.clone(), self.now, self.made.len());
        let body = if ask.door == Door::Decide {
            let asked = decide::read_question(&ask.body).unwrap();
            if asked.program != program.name() {
                return None;
            }
            program.short_answer(asked.input, now, number)
        } else {
            program
                .answer(with_atoms(question), now, number)
                .into_bytes()
        };
        let mut question = question.clone();
        // The real PDP adds the time.
        question["context"]["time"] = json!(now);
        let made = Made {
            number,
            until: program.until(now),
            decided: program.decide(&with_atoms(&question), now),
            program,
            question,
            body,
        };
        self.made.push(made.clone());
        Some(made)
    }
}
