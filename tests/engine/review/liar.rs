//! A remote with somebody in between.

use async_trait::async_trait;
use attache::{
    ApiUsage, Deleted, Describe, Identity, Page, Remote, Result, ServerTime, Updated, Write,
    WriteOutcome,
};
use attache_salesforce::Salesforce;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// What happens to one push.
pub enum Push {
    /// It never arrives, and this is told all the same.
    Instead(WriteOutcome),
    /// It arrives, and this is told instead of what became of it.
    Tell(Vec<(usize, WriteOutcome)>),
    /// It arrives, and each outcome is told twice.
    Twice,
}

/// Puts something else in place of an answer.
pub type Trick<T> = fn(T) -> T;

/// What is changed on the way.
#[derive(Default)]
pub struct Tricks {
    /// The next pushes; after them, everything passes.
    pub push: Mutex<VecDeque<Push>>,
    /// How many pushes there were.
    pub pushes: Mutex<usize>,
    /// The last query.
    pub asked: Mutex<String>,
    /// Puts something else in place of a page.
    pub page: Mutex<Option<Trick<Page>>>,
    /// Puts something else in place of what was read by id.
    pub retrieved: Mutex<Option<Answers>>,
    /// Puts something else in place of a describe.
    pub describe: Mutex<Option<Trick<String>>>,
}

/// Changes what was read by id.
pub type Answers = fn(Vec<Option<Box<RawValue>>>) -> Vec<Option<Box<RawValue>>>;

/// The way to an org through somebody's hands.
pub struct Liar(pub Salesforce, pub Arc<Tricks>);

impl Liar {
    fn page(&self, page: Page) -> Page {
        match *self.1.page.lock().expect("one thread") {
            Some(change) => change(page),
            None => page,
        }
    }
}

#[async_trait]
impl Remote for Liar {
    async fn identity(&self) -> Result<Identity> {
        self.0.identity().await
    }

    async fn describe(&self, object: &str, known: Option<&str>) -> Result<Option<Describe>> {
        let change = *self.1.describe.lock().expect("one thread");
        let Some(change) = change else {
            return self.0.describe(object, known).await;
        };
        let answer = self.0.describe(object, None).await?;
        Ok(answer.map(|answer| Describe {
            json: change(answer.json),
            last_modified: None,
        }))
    }

    async fn query(&self, soql: &str) -> Result<Page> {
        soql.clone_into(&mut self.1.asked.lock().expect("one thread"));
        Ok(self.page(self.0.query(soql).await?))
    }

    async fn query_more(&self, next: &str) -> Result<Page> {
        if next != "/again" {
            return Ok(self.page(self.0.query_more(next).await?));
        }
        let asked = self.1.asked.lock().expect("one thread").clone();
        Ok(self.page(self.0.query(&asked).await?))
    }

    async fn retrieve(
        &self,
        object: &str,
        ids: &[String],
        fields: &[String],
    ) -> Result<Vec<Option<Box<RawValue>>>> {
        let answers = self.0.retrieve(object, ids, fields).await?;
        Ok(match *self.1.retrieved.lock().expect("one thread") {
            Some(change) => change(answers),
            None => answers,
        })
    }

    async fn updated(&self, object: &str, start: ServerTime) -> Result<Updated> {
        self.0.updated(object, start).await
    }

    async fn deleted(&self, object: &str, start: ServerTime) -> Result<Deleted> {
        self.0.deleted(object, start).await
    }

    async fn push(
        &self,
        batch: &[Write],
        settled: &mut (dyn FnMut(usize, WriteOutcome) -> Result<()> + Send),
    ) -> Result<()> {
        *self.1.pushes.lock().expect("one thread") += 1;
        let trick = self.1.push.lock().expect("one thread").pop_front();
        match trick {
            None => self.0.push(batch, settled).await,
            Some(Push::Instead(outcome)) => {
                (0..batch.len()).try_for_each(|at| settled(at, outcome.clone()))
            }
            Some(Push::Tell(outcomes)) => {
                self.0.push(batch, &mut |_, _| Ok(())).await?;
                outcomes
                    .into_iter()
                    .try_for_each(|(at, outcome)| settled(at, outcome))
            }
            Some(Push::Twice) => {
                let mut answers = Vec::new();
                self.0
                    .push(batch, &mut |at, outcome| {
                        answers.push((at, outcome));
                        Ok(())
                    })
                    .await?;
                answers
                    .into_iter()
                    .flat_map(|answer| [answer.clone(), answer])
                    .try_for_each(|(at, outcome)| settled(at, outcome))
            }
        }
    }

    fn server_time(&self) -> Option<ServerTime> {
        self.0.server_time()
    }

    fn usage(&self) -> ApiUsage {
        self.0.usage()
    }
}
