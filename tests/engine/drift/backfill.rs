//! Only what is missing is read.

use super::{add_field, next_day, retype, to_number};
use attache::{Attache, Briefcase, Value};
use attache_salesforce::{
    HttpRequest, HttpResponse, Salesforce, StaticToken, Transport, TransportError,
};
use attache_sandbox::schema::FieldKind;
use attache_sandbox::value::Value as Held;
use attache_sim::{InProcess, SimEnv, World, wait};
use attache_tests::{agrees, edit, first, settle, value};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A way to the org that counts what comes over it, describes apart.
struct Counted {
    inner: InProcess,
    calls: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
}

#[async_trait::async_trait]
impl Transport for Counted {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let together = String::from_utf8_lossy(&request.body).contains("/describe\"");
        let describes = together || request.url.ends_with("/describe");
        let answer = self.inner.send(request).await?;
        if !describes {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let bytes = answer.body.len() as u64;
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(answer)
    }
}

struct Rig {
    world: World,
    device: Attache,
    calls: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
}

impl Rig {
    fn new(seed: u64, rows: usize) -> Rig {
        let world = World::new(seed, rows);
        let (calls, bytes) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let way = Counted {
            inner: InProcess::new(world.sandbox.clone()),
            calls: Arc::clone(&calls),
            bytes: Arc::clone(&bytes),
        };
        // The boss sees every record.
        let boss = world.users.len() - 1;
        let remote = Salesforce::builder(
            "http://127.0.0.1:1",
            StaticToken::new(&world.users[boss].access_token),
        )
        .transport(Arc::new(way))
        .build()
        .expect("a remote");
        let device = Attache::open_in_memory()
            .expect("a store")
            .with_env(SimEnv::new(world.sandbox.clone(), seed))
            .with_remote(remote);
        device
            .set_briefcase(Briefcase::everything(["Account", "Contact"]))
            .expect("stored");
        Rig {
            world,
            device,
            calls,
            bytes,
        }
    }

    /// Runs a session and gives the calls and the bytes it took, describes apart.
    fn measured(&self, session: impl FnOnce()) -> (u64, u64) {
        let before = (
            self.calls.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
        );
        session();
        (
            self.calls.load(Ordering::Relaxed) - before.0,
            self.bytes.load(Ordering::Relaxed) - before.1,
        )
    }

    fn agrees(&self) {
        agrees(&self.world, self.world.users.len() - 1, &self.device);
    }
}

#[test]
fn a_new_field_costs_a_column_and_not_the_records() {
    let rig = Rig::new(60, 6_000);
    let load = rig.measured(|| {
        wait(rig.device.sync()).expect("a first load");
    });
    let quiet = rig.measured(|| {
        next_day(&rig.world, &rig.device);
    });
    add_field(&rig.world, "Account", "New__c", FieldKind::String);
    rig.world.sandbox.with_org(|org| {
        org.rewrite_field("Account", "New__c", |_| Held::text("seen"));
    });
    let filled = rig.measured(|| {
        next_day(&rig.world, &rig.device);
    });
    rig.agrees();
    let accounts = rig.world.sandbox.with_org(|org| org.count("Account")) as u64;
    let id = first(&rig.device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    assert_eq!(value(&rig.device, &id, "New__c"), Value::from("seen"));
    let (calls, bytes) = (filled.0 - quiet.0, filled.1 - quiet.1);
    assert_eq!(calls, accounts.div_ceil(2_000));
    // An id, an address and a value for each record.
    assert!(
        bytes < accounts * 220,
        "{bytes} bytes for {accounts} records"
    );
    assert!(bytes * 5 < load.1, "{bytes} of {} bytes", load.1);
}

#[test]
fn a_field_of_another_type_is_the_only_one_that_is_read_again() {
    let rig = Rig::new(61, 2_000);
    wait(rig.device.sync()).expect("a first load");
    retype(&rig.world, "Site", to_number, |_| Held::Number(5.into()));
    next_day(&rig.world, &rig.device);
    rig.agrees();
    let quiet = rig.measured(|| {
        next_day(&rig.world, &rig.device);
    });
    // It was read once, and is not missed any more.
    let again = rig.measured(|| {
        next_day(&rig.world, &rig.device);
    });
    assert_eq!(quiet, again);
}

#[test]
fn a_back_fill_that_is_cut_off_goes_on_where_it_was() {
    let world = World::new(62, 6_000);
    let boss = world.users.len() - 1;
    let device = world.device(boss).expect("a device");
    device
        .set_briefcase(Briefcase::everything(["Account", "Contact", "Task"]))
        .expect("stored");
    wait(device.sync()).expect("a first load");
    add_field(&world, "Task", "New__c", FieldKind::Double);
    world.sandbox.with_org(|org| {
        org.rewrite_field("Task", "New__c", |_| Held::Number(3.into()));
    });
    let edited = first(&device, "SELECT Id FROM Task ORDER BY Id LIMIT 1");
    edit(&device, &edited, "Description", "edited meanwhile");
    world.sandbox.advance(86_400);
    // Each session is given up after one more request than the one before.
    let mut polls = 0;
    while attache_sim::abandon(device.sync(), polls).is_none() {
        polls += 1;
        assert!(polls < 500, "no session comes to its end");
    }
    settle(&world, &device);
    agrees(&world, boss, &device);
}
