//! The PDP in the world of `exchange_cache_tests.rs`: what it is asked, and what it makes of it.

use super::*;

impl World {
    pub(super) fn ask(
        &mut self,
        by: Result<u32, u32>,
        questions: Vec<Value>,
        ask: Ask,
    ) -> Result<(), TestCaseError> {
        if ask.door == Door::Decide {
            let asked = decide::read_questions(&ask.body).unwrap();
            prop_assert_eq!(asked.len(), questions.len());
            for (asked, question) in asked.iter().zip(&questions) {
                // One may have been left before the last feed came.
                let vary = &self.known[asked.program];
                prop_assert_eq!(&asked.input, &vary.project(with_atoms(question)));
                prop_assert_eq!(&asked.about, &decide::about().project(question.clone()));
            }
        } else {
            let asked: Value = serde_json::from_slice(&ask.body).unwrap();
            prop_assert_eq!(&[asked][..], &questions, "the test asks as the filter does");
        }
        let early = self.decide(&questions, &ask);
        self.asked.push(Asked {
            by,
            questions,
            ask,
            early,
        });
        Ok(())
    }

    /// The PDP answers one call, as it decided when asked or as it decides now.
    pub(in super::super) fn answer(
        &mut self,
        which: usize,
        late: bool,
    ) -> Result<(), TestCaseError> {
        if self.asked.is_empty() {
            return Ok(());
        }
        let asked = self.asked.remove(which % self.asked.len());
        let made = if late {
            self.decide(&asked.questions, &asked.ask)
        } else {
            asked.early
        };
        let Some(made) = made else {
            return self.end(asked.by, "409", b"");
        };
        self.counts.made += made.len();
        // Of several it may answer the first alone, when they take it long.
        let told = if late {
            made.len().div_ceil(2)
        } else {
            made.len()
        };
        let bodies: Vec<&[u8]> = made.iter().take(told).map(|made| &made.body[..]).collect();
        self.end(asked.by, "200", &bodies.concat())
    }

    /// The PDP gives no answer to one call.
    pub(in super::super) fn fail(
        &mut self,
        which: usize,
        status: &str,
    ) -> Result<(), TestCaseError> {
        if self.asked.is_empty() {
            return Ok(());
        }
        let asked = self.asked.remove(which % self.asked.len());
        self.counts.failed += 1;
        self.end(asked.by, status, b"{}")
    }

    /// Of short questions none, where another program decides than the one that one was asked of.
    pub(super) fn decide(&mut self, questions: &[Value], ask: &Ask) -> Option<Vec<Made>> {
        if ask.door != Door::Decide {
            let made = questions.iter().map(|question| {
                let (program, number) = (&self.pdp.program, self.made.len());
                let body = program.answer(with_atoms(question), self.now, number);
                self.make(question, body.into_bytes())
            });
            return Some(made.collect());
        }
        let asked = decide::read_questions(&ask.body).unwrap();
        let name = self.pdp.program.name();
        if asked.iter().any(|asked| asked.program != name) {
            return None;
        }
        let made = questions.iter().zip(asked).map(|(question, asked)| {
            let (program, number) = (&self.pdp.program, self.made.len());
            let body = program.short_answer(asked.input, self.now, number);
            self.make(question, body)
        });
        Some(made.collect())
    }

    fn make(&mut self, question: &Value, body: Vec<u8>) -> Made {
        let (program, now, number) = (self.pdp.program.clone(), self.now, self.made.len());
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
        made
    }
}
