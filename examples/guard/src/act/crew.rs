// SPDX-License-Identifier: MIT OR Apache-2.0
//! The threads that act, and how they are ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Action;
use crate::facts::Facts;
use crate::policy::Kind;
use crate::queue::Courier;
use crate::record::Record;
use crate::stop::Stop;

/// Decisions that wait for one action, at the most.
const WAITING: usize = 16;

/// How often it is looked who has ended.
const LOOK: Duration = Duration::from_millis(20);

/// How long who is killed may take.
const LAST: Duration = Duration::from_secs(1);

/// An action's thread.
struct Worker {
    name: String,
    on: Vec<Kind>,
    facts: SyncSender<Facts>,
    thread: JoinHandle<()>,
}

/// All of them.
pub(crate) struct Crew {
    workers: Vec<Worker>,
    couriers: Vec<Courier>,
    record: Arc<Record>,
    /// Ends what acts.
    acting: Arc<Stop>,
    /// Ends what delivers, which is later.
    delivering: Arc<Stop>,
}

impl Crew {
    /// Nobody yet; `delivering` is what couriers wait for.
    pub(crate) fn new(record: Arc<Record>, delivering: Arc<Stop>) -> Self {
        Self {
            workers: Vec::new(),
            couriers: Vec::new(),
            record,
            acting: Arc::default(),
            delivering,
        }
    }

    pub(crate) fn add(&mut self, mut action: impl Action) {
        let (facts, wait) = sync_channel::<Facts>(WAITING);
        let (name, on) = (action.name().to_owned(), action.on().to_vec());
        let (record, acting) = (self.record.clone(), self.acting.clone());
        let delivering = self.delivering.clone();
        let thread = std::thread::spawn(move || {
            for facts in wait {
                let name = action.name().to_owned();
                match action.run(&facts, &acting) {
                    Ok(went) => record.action(&facts.id, &name, went.as_str(), None),
                    Err(reason) => record.action(&facts.id, &name, "failed", Some(&reason)),
                }
                delivering.ring();
            }
        });
        self.workers.push(Worker {
            name,
            on,
            facts,
            thread,
        });
    }

    pub(crate) fn add_courier(&mut self, courier: Courier) {
        self.couriers.push(courier);
    }

    /// Has done what is to be done about a decision. Waits for nobody.
    pub(crate) fn act(&self, facts: &Facts) {
        let those = self
            .workers
            .iter()
            .filter(|w| w.on.contains(&facts.decision));
        for worker in those {
            let why = match worker.facts.try_send(facts.clone()) {
                Ok(()) => continue,
                Err(TrySendError::Full(_)) => format!("{WAITING} decisions wait for it already"),
                Err(TrySendError::Disconnected(_)) => "it has broken down".to_owned(),
            };
            self.record
                .action(&facts.id, &worker.name, "failed", Some(&why));
        }
    }

    /// Ends all. What has been begun, and then each delivery, may take as long as `patience`, and no longer than `grace` from when somebody is in a `hurry`.
    pub(crate) fn end(self, patience: Duration, grace: Duration, hurry: &AtomicBool) {
        let workers = self.workers.into_iter();
        let (senders, workers): (Vec<_>, Vec<_>) = workers.map(|w| (w.facts, w.thread)).unzip();
        drop(senders);
        let couriers = self.couriers.into_iter().map(|c| c.thread).collect();
        // In this order, since what acts may still put something into a queue.
        for (threads, stop) in [(workers, self.acting), (couriers, self.delivering)] {
            let now = Instant::now();
            stop.by(now + patience);
            join(threads, &stop, grace, hurry);
        }
    }
}

/// Waits for threads, but not much longer than they have: who hangs must not keep the program from ending.
fn join(threads: Vec<JoinHandle<()>>, stop: &Stop, grace: Duration, hurry: &AtomicBool) {
    loop {
        let now = Instant::now();
        let late = stop.deadline().is_none_or(|d| now >= d + LAST);
        if late || threads.iter().all(JoinHandle::is_finished) {
            return;
        }
        if hurry.load(Ordering::Relaxed) && stop.deadline().is_some_and(|d| d > now + grace) {
            stop.by(now + grace);
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::act::Went;
    use crate::audit::Audit;
    use crate::facts::example;

    /// Waits to be let go.
    struct Slow(Mutex<Receiver<()>>, Sender<String>);

    impl Action for Slow {
        fn name(&self) -> &str {
            "slow"
        }

        fn on(&self) -> &[Kind] {
            &[Kind::Intruder]
        }

        fn run(&mut self, facts: &Facts, _: &Stop) -> Result<Went, String> {
            self.1.send(facts.id.clone()).unwrap();
            self.0.lock().unwrap().recv().map_err(|e| e.to_string())?;
            Ok(Went::Done)
        }
    }

    /// Is done at once.
    struct Quick(Sender<String>);

    impl Action for Quick {
        fn name(&self) -> &str {
            "quick"
        }

        fn on(&self) -> &[Kind] {
            &Kind::ALL
        }

        fn run(&mut self, facts: &Facts, _: &Stop) -> Result<Went, String> {
            self.0.send(facts.id.clone()).unwrap();
            Ok(Went::Done)
        }
    }

    #[test]
    fn who_is_slow_holds_up_nobody_and_has_a_short_queue() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let (say, said) = channel();
        let record = Arc::new(Record::new(Audit::open(Some(&path)).unwrap(), say));
        let mut crew = Crew::new(record, Arc::default());
        let ((go, wait), (begin, begun)) = (channel(), channel());
        crew.add(Slow(Mutex::new(wait), begin));
        let (done, quick) = channel();
        crew.add(Quick(done));
        crew.act(&example("0", Kind::Intruder));
        assert_eq!(begun.recv().unwrap(), "0");
        assert_eq!(quick.recv().unwrap(), "0");
        for n in 1..=WAITING + 1 {
            crew.act(&example(&n.to_string(), Kind::Intruder));
            assert_eq!(quick.recv().unwrap(), n.to_string());
        }
        let full = said.recv().unwrap();
        assert!(full.contains("slow: failed: 16 decisions wait"), "{full}");
        crew.act(&example("granted", Kind::Granted));
        assert_eq!(quick.recv().unwrap(), "granted");
        for _ in 0..=WAITING {
            go.send(()).unwrap();
        }
        crew.end(
            Duration::from_secs(60),
            Duration::ZERO,
            &AtomicBool::new(false),
        );
        let ids: Vec<_> = begun.iter().collect();
        assert_eq!(ids.len(), WAITING, "{ids:?}");
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text.matches(r#""action":"slow","state":"done""#).count(),
            WAITING + 1
        );
    }
}
