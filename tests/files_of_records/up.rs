//! What is attached here goes to the org: once, after its record, or it is told of.

use super::{account_id, at_org, body, bytes, device, file, primed, requests, state};
use attache::{
    Attache, ErrorKind, FileState, Limits, MutationKind, MutationState, Options, RecordId, Unsent,
};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{all, create, server_id, settle, sync};

fn versions(world: &World) -> usize {
    world.sandbox.with_org(|org| org.count("ContentVersion"))
}

/// The checksums of the files that hang on a record at the org.
fn sums(world: &World, record: &str) -> Vec<String> {
    let soql = format!(
        "SELECT ContentDocument.LatestPublishedVersion.Checksum FROM ContentDocumentLink WHERE LinkedEntityId = '{record}'"
    );
    let rows = world.rows(world.boss(), &soql).expect("a query");
    rows.iter()
        .map(|row| row.raw("ContentDocument").expect("a document").to_owned())
        .collect()
}

fn photo(device: &Attache, record: &RecordId) -> RecordId {
    device
        .attach(record, "folder/meter.jpg", &bytes(700_000, 3)[..])
        .expect("attached")
}

#[test]
fn a_photo_of_a_record_that_the_org_never_saw_follows_it() {
    let (world, device, _) = primed("{}");
    let account = create(&device, "Account", [("Name", "New here")]);
    let photo = photo(&device, &account);
    let pending = device.pending().expect("a read");
    assert_eq!(
        (pending[1].object.as_str(), pending[1].kind),
        ("ContentVersion", MutationKind::Create)
    );
    assert_eq!(file(&device, &account, "meter").state, FileState::Queued);
    assert_eq!(body(&device, &photo), bytes(700_000, 3));
    let report = sync(&device);
    assert!(report.is_settled(), "{report:?}");
    assert_eq!((report.pushed_creates, versions(&world)), (2, 1));
    let there = server_id(&device, &account);
    assert_eq!(sums(&world, &there).len(), 1);
    let here = file(&device, &account, "meter");
    assert_eq!((here.id, here.state), (photo.clone(), FileState::Present));
    assert_eq!(
        requests(&world, "GET", "/VersionData"),
        0,
        "its bytes were here"
    );
    assert_eq!(body(&device, &photo), bytes(700_000, 3));
    sync(&device);
    assert_eq!(device.files(&account).expect("a read").len(), 1);
}

#[test]
fn without_a_policy_a_photo_is_sent_as_well() {
    let world = World::new(11, 300);
    let device = attache_tests::prime(&world, attache_tests::ME, &attache_tests::field_sales());
    let account = create(&device, "Account", [("Name", "New here")]);
    let photo = photo(&device, &account);
    assert!(sync(&device).is_settled());
    assert_eq!(
        (versions(&world), state(&device, &account, "meter")),
        (1, FileState::Present)
    );
    device.evict_file(&photo).expect("it goes");
    wait(device.fetch_file(&photo)).expect("and comes");
    assert_eq!(body(&device, &photo), bytes(700_000, 3));
}

#[test]
fn a_lost_answer_is_looked_for_before_anything_is_sent_again() {
    let (world, device, account) = primed("{}");
    let photo = photo(&device, &account);
    world.sandbox.fail_next(
        Fault::new(FaultKind::LoseAnswer)
            .method("POST")
            .path("/sobjects/ContentVersion"),
    );
    assert_eq!(sync(&device).in_doubt, 1);
    assert!(sync(&device).is_settled());
    assert_eq!(
        (
            versions(&world),
            requests(&world, "POST", "/sobjects/ContentVersion")
        ),
        (1, 1)
    );
    assert_eq!(file(&device, &account, "meter").id, photo);
}

#[test]
fn a_lost_request_is_sent_again_when_the_org_cannot_be_at_work_any_more() {
    let (world, device, account) = primed("{}");
    photo(&device, &account);
    world.sandbox.fail_next(
        Fault::new(FaultKind::LoseRequest)
            .method("POST")
            .path("/sobjects/ContentVersion"),
    );
    assert_eq!(sync(&device).in_doubt, 1);
    assert_eq!(sync(&device).in_doubt, 1, "the org may still be at work");
    settle(&world, &device);
    assert_eq!(versions(&world), 1);
}

#[test]
fn two_photos_alike_are_two_files_be_one_answer_lost() {
    let (world, device, account) = primed("{}");
    photo(&device, &account);
    photo(&device, &account);
    world.sandbox.fail_next(
        Fault::new(FaultKind::LoseAnswer)
            .method("POST")
            .path("/sobjects/ContentVersion")
            .nth(2),
    );
    sync(&device);
    settle(&world, &device);
    assert_eq!(
        (
            versions(&world),
            device.files(&account).expect("a read").len()
        ),
        (2, 2)
    );
}

#[test]
fn whatever_request_is_lost_there_is_one_file_in_the_end() {
    let make = || {
        let (world, device, account) = primed("{}");
        at_org(
            &world,
            &account_id(&device, &account),
            "plan.pdf",
            b"a plan",
        );
        let account = create(&device, "Account", [("Name", "New here")]);
        photo(&device, &account);
        (world, device, account)
    };
    let (world, device, _) = make();
    world.sandbox.clear_log();
    sync(&device);
    let log = world.sandbox.log();
    assert!(log.len() > 5, "{log:?}");
    for nth in 1..=log.len() as u32 {
        for kind in [
            FaultKind::LoseRequest,
            FaultKind::LoseAnswer,
            FaultKind::Truncate(3),
        ] {
            let (world, device, account) = make();
            world.sandbox.fail_next(Fault::new(kind).nth(nth));
            // Whatever it says, nothing may be lost and nothing done twice.
            let _ = wait(device.sync());
            settle(&world, &device);
            assert_eq!(
                versions(&world),
                2,
                "request {nth}: {:?}",
                log[nth as usize - 1]
            );
            let there = server_id(&device, &account);
            assert_eq!(sums(&world, &there).len(), 1);
            assert_eq!(state(&device, &account, "meter"), FileState::Present);
        }
    }
}

#[test]
fn a_refused_file_waits_alone_and_is_sent_again_on_demand() {
    let (world, device, account) = primed("{}");
    world
        .sandbox
        .with_org(|org| org.config_mut().switches.file_storage_bytes_max = 10);
    photo(&device, &account);
    attache_tests::edit(&device, &account, "Phone", "0815");
    let report = sync(&device);
    assert_eq!((report.pushed_updates, report.rejected.len()), (1, 1));
    assert_eq!(
        report.rejected[0].problems[0].code,
        "STORAGE_LIMIT_EXCEEDED"
    );
    let pending = device.pending().expect("a read");
    assert!(matches!(pending[0].state, MutationState::Rejected(_)));
    assert_eq!(state(&device, &account, "meter"), FileState::Queued);
    world
        .sandbox
        .with_org(|org| org.config_mut().switches.file_storage_bytes_max = 1 << 30);
    device.retry(pending[0].seq).expect("a retry");
    assert!(sync(&device).is_settled());
    assert_eq!(versions(&world), 1);
}

#[test]
fn a_queued_file_is_unsent_work_like_any_other() {
    let world = World::new(11, 300);
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("jo.db");
    let (device, account) = device(&world, Attache::open(&path).expect("a store"), "{}");
    let photo = photo(&device, &account);
    let held = device.evict_file(&photo).expect_err("not sent");
    assert_eq!(held.kind(), ErrorKind::UnsentWork);
    assert_eq!(attache::inspect(&path).expect("a look").unsent.len(), 1);
    let refused = device.clone().wipe(Unsent::Refuse).expect_err("unsent");
    assert_eq!(refused.kind(), ErrorKind::UnsentWork);
    let seq = device.pending().expect("a read")[0].seq;
    device.discard(seq).expect("a discard");
    assert!(device.files(&account).expect("a read").is_empty());
    assert!(device.file(&photo).expect("a read").is_none());
    assert!(sync(&device).is_settled());
    assert_eq!(versions(&world), 0);
    device.wipe(Unsent::Refuse).expect("nothing is unsent");
}

#[test]
fn a_record_is_not_taken_back_under_its_photo() {
    let (_, device, _) = primed("{}");
    let account = create(&device, "Account", [("Name", "New here")]);
    photo(&device, &account);
    assert_eq!(
        device.delete(&account).expect_err("held").kind(),
        ErrorKind::UnsentWork
    );
    assert_eq!(device.undo().expect("an undo").len(), 1);
    device.delete(&account).expect("nothing holds it");
}

#[test]
fn unsent_photos_travel_with_the_unsent_work() {
    let world = World::new(11, 300);
    let (from, account) = device(&world, Attache::open_in_memory().expect("a store"), "{}");
    let (to, _) = device(&world, Attache::open_in_memory().expect("a store"), "{}");
    let new = create(&from, "Account", [("Name", "New here")]);
    let (first, second) = (photo(&from, &new), photo(&from, &account));
    let file = from
        .export_unsent(Some("correct horse"))
        .expect("an export");
    let imported = to
        .import_unsent(&file, Some("correct horse"))
        .expect("an import");
    assert_eq!(imported.mutations, 3);
    let again = to
        .import_unsent(&file, Some("correct horse"))
        .expect("an import");
    assert_eq!((again.mutations, again.already_there), (0, 3));
    for photo in [&first, &second] {
        assert_eq!(body(&to, photo), bytes(700_000, 3));
    }
    settle(&world, &to);
    assert_eq!(versions(&world), 2);
    settle(&world, &from);
    assert_eq!(versions(&world), 2, "the other device finds them");
    assert_eq!(
        all(&from, "SELECT Id FROM Account WHERE Name = 'New here'").len(),
        1
    );
}

#[test]
fn what_cannot_be_attached_leaves_nothing() {
    let world = World::new(11, 300);
    let limits = Limits {
        attach_bytes: 1_000,
        ..Limits::default()
    };
    let store = Attache::open_in_memory_with(Options::new().limits(limits)).expect("a store");
    let (device, account) = device(&world, store, "{}");
    struct Broken(usize);
    impl std::io::Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::Error::other("the card was pulled"));
            }
            self.0 -= 1;
            buffer.fill(1);
            Ok(buffer.len().min(100))
        }
    }
    let kinds = [
        device.attach(&account, "large.bin", &bytes(1_001, 0)[..]),
        device.attach(&account, "broken.bin", Broken(3)),
        device.attach(&account, "folder/", &b"x"[..]),
        device.attach(&account, "a\nb", &b"x"[..]),
    ]
    .map(|outcome| outcome.expect_err("refused").kind());
    assert_eq!(kinds, [ErrorKind::InvalidArgument; 4]);
    let nobody = RecordId::parse("001000000000999AAA").expect("an id");
    let missing = device
        .attach(&nobody, "a.bin", &b"x"[..])
        .expect_err("no record");
    assert_eq!(missing.kind(), ErrorKind::RecordNotFound);
    assert!(device.files(&account).expect("a read").is_empty());
    assert!(device.pending().expect("a read").is_empty());
    device
        .attach(&account, "empty.bin", &b""[..])
        .expect("an empty file is one");
    assert!(sync(&device).is_settled());
    assert_eq!(state(&device, &account, "empty"), FileState::Present);
}
