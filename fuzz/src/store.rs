//! A store's file and its log with bytes changed: looking into it, saving from it and opening it is a value or
//! one clear error, and whoever opens it can go on.

use crate::home::Home;
use arbitrary::{Arbitrary, Unstructured};
use attache::{Attache, ErrorKind, inspect, salvage};
use std::fs;
use std::sync::LazyLock;

static HOME: LazyLock<Home> = LazyLock::new(Home::new);

/// What happens to one of the two files.
#[derive(Arbitrary, Debug)]
enum Damage<'a> {
    /// Bytes written over others. Places beyond the end wrap.
    Over {
        at: u32,
        bytes: &'a [u8],
    },
    /// A page written over another.
    Page {
        from: u16,
        to: u16,
    },
    /// A field of a page's header, where the tree is held together.
    Head {
        page: u16,
        at: u8,
        with: u8,
    },
    Cut {
        at: u32,
    },
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    main: Vec<Damage<'a>>,
    log: Option<Vec<Damage<'a>>>,
}

const PAGE: usize = 4096;

fn apply(damage: &Damage<'_>, file: &mut Vec<u8>) {
    let length = file.len();
    if length == 0 {
        return;
    }
    match damage {
        Damage::Over { at, bytes } => {
            let at = *at as usize % length;
            let n = bytes.len().min(length - at);
            file[at..at + n].copy_from_slice(&bytes[..n]);
        }
        Damage::Page { from, to } => {
            let pages = length / PAGE;
            if pages > 0 {
                let (from, to) = (*from as usize % pages * PAGE, *to as usize % pages * PAGE);
                file.copy_within(from..from + PAGE, to);
            }
        }
        Damage::Head { page, at, with } => {
            let page = *page as usize % length.div_ceil(PAGE);
            // The first page begins with the file's own header.
            let begin = if page == 0 { 100 } else { page * PAGE };
            if let Some(byte) = file.get_mut(begin + usize::from(*at)) {
                *byte = *with;
            }
        }
        Damage::Cut { at } => file.truncate(*at as usize % (length + 1)),
    }
}

fn told(error: &attache::Error) {
    assert!((10..500).contains(&error.to_string().len()), "{error}");
}

/// Looks into, saves from and opens a store that bytes have damaged.
pub fn run(bytes: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(bytes)) else {
        return;
    };
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("jo.db");
    let (mut main, mut log) = HOME.crashed();
    input
        .main
        .iter()
        .for_each(|damage| apply(damage, &mut main));
    fs::write(&path, &main).expect("a file");
    if let Some(damages) = &input.log {
        damages.iter().for_each(|damage| apply(damage, &mut log));
        fs::write(path.with_extension("db-wal"), &log).expect("a log");
    }
    for error in [inspect(&path).err(), salvage(&path).err()]
        .into_iter()
        .flatten()
    {
        told(&error);
    }
    assert_eq!(
        fs::read(&path).expect("a file"),
        main,
        "who looks changes nothing"
    );
    let store = match Attache::open(&path) {
        Ok(store) => store,
        Err(error) => return told(&error),
    };
    let done = [
        store.pending().map(drop),
        store.conflicts().map(drop),
        store.status().map(drop),
        store.briefcase().map(drop),
        store
            .query("SELECT Id, Name, Phone FROM Account ORDER BY Name")
            .map(|rows| {
                rows.count();
            }),
        store.create("Account", [("Name", "after")]).map(drop),
        store.export_unsent(None).map(drop),
    ];
    for error in done.into_iter().filter_map(Result::err) {
        told(&error);
        // What a damaged file makes of a statement may be anything but a wrong call of the host's.
        assert_ne!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
}
