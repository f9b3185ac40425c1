//! Live queries over sessions: a copy that follows the changes is the answer.

use attache::{Attache, Row, Watch};
use attache_sim::World;
use attache_tests::{ME, agrees, create, edit, field_sales, first, prime, server_id, settle, sync};

const ACCOUNTS: &str =
    "SELECT Id, Name, Phone, (SELECT Id FROM Contacts) FROM Account ORDER BY Name, Id LIMIT 40";
const CONTACTS: &str = "SELECT Name, Account.Name FROM Contact ORDER BY Account.Name, Name";
const STAGES: &str =
    "SELECT StageName, COUNT(Id) FROM Opportunity GROUP BY StageName ORDER BY StageName";

struct Follower {
    soql: &'static str,
    watch: Watch,
    copy: Vec<Row>,
}

impl Follower {
    fn new(device: &Attache, soql: &'static str) -> Follower {
        let watch = device.watch(soql).expect("a valid query");
        let copy = Vec::new();
        Follower { soql, watch, copy }
    }

    /// Takes what changed, and says how many rows that were.
    #[track_caller]
    fn follow(&mut self, device: &Attache) -> usize {
        let mut rows = 0;
        if let Some(change) = self.watch.try_next() {
            let change = change.expect("the query runs");
            rows = change.removed.len() + change.updated.len() + change.inserted.len();
            change.apply(&mut self.copy);
        }
        let fresh: Vec<Row> = device.query(self.soql).expect("a valid query").collect();
        assert_eq!(self.copy, fresh, "{}", self.soql);
        assert!(self.watch.try_next().is_none());
        rows
    }
}

#[test]
fn a_watch_follows_edits_pages_answers_and_evictions() {
    let world = World::new(1, 300);
    let device = prime(&world, ME, &field_sales());
    let mut followers = [ACCOUNTS, CONTACTS, STAGES].map(|soql| Follower::new(&device, soql));
    let mut follow = |what: &str| {
        let rows: usize = followers.iter_mut().map(|one| one.follow(&device)).sum();
        assert!(rows > 0, "{what} is told");
    };
    follow("the first answer");
    let id = first(&device, ACCOUNTS);
    edit(&device, &id, "Phone", "+1 555 0100");
    follow("an edit");
    let made = create(&device, "Account", [("Name", "AAA first of all")]);
    follow("a create");
    settle(&world, &device);
    follow("the id that the server gave");
    let at_org = server_id(&device, &made);
    world.sandbox.advance(60);
    world
        .change("Account", &at_org, &[("Name", "\"ZZZ last of all\"")])
        .expect("the boss may");
    world.sandbox.advance(60);
    sync(&device);
    follow("a change at the server");
    world.remove("Account", &at_org).expect("the boss may");
    world.sandbox.advance(60);
    sync(&device);
    follow("a deletion at the server");
    device
        .set_briefcase(attache_tests::briefcase(
            r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine"}]}"#,
        ))
        .expect("a briefcase is stored");
    settle(&world, &device);
    let rows: usize = followers.iter_mut().map(|one| one.follow(&device)).sum();
    assert!(rows > 0, "an eviction is told");
}

#[test]
fn a_session_without_news_says_nothing() {
    let world = World::new(2, 200);
    let device = prime(&world, ME, &field_sales());
    settle(&world, &device);
    agrees(&world, ME, &device);
    let mut follower = Follower::new(&device, ACCOUNTS);
    assert!(follower.follow(&device) > 0);
    sync(&device);
    assert_eq!(follower.follow(&device), 0);
}
