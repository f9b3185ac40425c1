//! Single records that a person asks for, and the size of the cache that they go into.

use super::{holds, id, mine, outside, small};
use attache::{Attache, Briefcase, ErrorKind, Limits, Options, RecordId, Value};
use attache_sim::{SimEnv, World, wait};
use attache_tests::{ME, edit, prime, settle, sync, value};

fn fetched(device: &Attache, ids: &[&str]) -> Vec<Result<RecordId, ErrorKind>> {
    let ids: Vec<RecordId> = ids.iter().map(|text| id(text)).collect();
    let results = wait(device.fetch(&ids)).expect("an answer");
    results
        .into_iter()
        .map(|result| result.map_err(|error| error.kind()))
        .collect()
}

#[test]
fn a_record_is_fetched_at_once_and_stays_as_a_recent_view() {
    let world = World::new(261, 1_500);
    let device = prime(&world, ME, &small(&world));
    let account = outside(&world);
    assert_eq!(fetched(&device, &[&account]), [Ok(id(&account))]);
    assert!(holds(&device, &account));
    assert_eq!(device.recents().expect("a read")[0].record, id(&account));
    world.sandbox.advance(60);
    let site = [("Site", "\"Later\"")];
    world
        .change("Account", &account, &site)
        .expect("the boss may");
    settle(&world, &device);
    assert_eq!(value(&device, &id(&account), "Site"), Value::from("Later"));
}

#[test]
fn each_id_has_its_own_answer() {
    let world = World::new(262, 1_500);
    let device = prime(&world, ME, &small(&world));
    let mine = mine(&world);
    let (inside, account) = (mine[0].as_str(), mine[5].as_str());
    let boss = format!("{:?}", world.boss());
    let hidden = world
        .add("Account", &[("Name", "\"Hidden\""), ("OwnerId", &boss)])
        .expect("the boss may");
    let local = "local-00000000-0000-7000-8000-00000000000a";
    let answers = fetched(
        &device,
        &[
            local,
            account,
            "500000000000001AAA",
            &hidden,
            inside,
            account,
        ],
    );
    assert_eq!(
        answers,
        [
            Err(ErrorKind::RecordNotFound),
            Ok(id(account)),
            Err(ErrorKind::UnknownObject),
            Err(ErrorKind::RecordNotFound),
            Ok(id(inside)),
            Ok(id(account)),
        ]
    );
}

#[test]
fn fetching_keeps_an_unsent_edit_on_top() {
    let world = World::new(263, 1_500);
    let device = prime(&world, ME, &small(&world));
    let account = mine(&world).swap_remove(0);
    edit(&device, &id(&account), "Phone", "1");
    world.sandbox.advance(60);
    let site = [("Site", "\"Later\"")];
    world
        .change("Account", &account, &site)
        .expect("the boss may");
    assert_eq!(fetched(&device, &[&account]), [Ok(id(&account))]);
    assert_eq!(value(&device, &id(&account), "Phone"), Value::from("1"));
    assert_eq!(value(&device, &id(&account), "Site"), Value::from("Later"));
    device.delete(&id(&account)).expect("a deletion");
    let answers = fetched(&device, &[&account]);
    assert_eq!(answers, [Err(ErrorKind::RecordNotFound)], "deleted here");
    assert_eq!(device.pending().expect("a read").len(), 2);
}

#[test]
fn only_what_was_viewed_longest_ago_makes_room() {
    let world = World::new(264, 1_500);
    let limits = Limits {
        recent_records: 3,
        ..Limits::default()
    };
    let device = Attache::open_in_memory_with(Options::new().limits(limits))
        .expect("a store")
        .with_env(SimEnv::new(world.sandbox.clone(), 264))
        .with_remote(world.remote(ME).expect("a remote"));
    device.set_briefcase(small(&world)).expect("stored");
    sync(&device);
    let others = &mine(&world)[4..10];
    for account in others {
        world.sandbox.advance(10);
        assert_eq!(fetched(&device, &[account]), [Ok(id(account))]);
    }
    edit(&device, &id(&others[0]), "NumberOfEmployees", -1);
    device.pin(&id(&others[1])).expect("a pin");
    let report = sync(&device);
    assert_eq!(
        (report.evicted, report.rejected.len()),
        (1, 1),
        "{report:?}"
    );
    let here: Vec<bool> = others
        .iter()
        .map(|account| holds(&device, account))
        .collect();
    assert_eq!(here, [true, true, false, true, true, true]);
    assert_eq!(device.recents().expect("a read").len(), 3);
}

#[test]
fn the_cache_has_a_size_in_bytes() {
    let world = World::new(265, 1_500);
    let device = |bytes| {
        let limits = Limits {
            recent_bytes: bytes,
            ..Limits::default()
        };
        Attache::open_in_memory_with(Options::new().limits(limits))
            .expect("a store")
            .with_env(SimEnv::new(world.sandbox.clone(), 265))
            .with_remote(world.remote(ME).expect("a remote"))
    };
    let briefcase = small(&world);
    let others = &mine(&world)[4..7];
    let run = |device: &Attache| -> Vec<u64> {
        device.set_briefcase(briefcase.clone()).expect("stored");
        sync(device);
        for account in others {
            world.sandbox.advance(10);
            assert_eq!(fetched(device, &[account]), [Ok(id(account))]);
        }
        sync(device);
        let recents = device.recents().expect("a read");
        recents.iter().map(|recent| recent.bytes).collect()
    };
    let sizes = run(&device(u64::MAX));
    assert_eq!(sizes.len(), 3);
    assert_eq!(run(&device(sizes[0] + sizes[1])), sizes[..2]);
    assert!(run(&device(0)).is_empty());
}

#[test]
fn nothing_is_fetched_without_a_briefcase_and_nothing_is_asked_for_nothing() {
    let world = World::new(266, 300);
    let device = world.device(ME).expect("a store");
    let error = wait(device.fetch(&[])).expect_err("no briefcase");
    assert_eq!(error.kind(), ErrorKind::NotReady);
    device
        .set_briefcase(Briefcase::everything(["Account"]))
        .expect("stored");
    // Before the first session the objects are learnt on the way.
    let account = mine(&world).swap_remove(0);
    assert_eq!(fetched(&device, &[&account]), [Ok(id(&account))]);
    assert_eq!(fetched(&device, &[]), []);
    sync(&device);
    attache_tests::agrees(&world, ME, &device);
}
