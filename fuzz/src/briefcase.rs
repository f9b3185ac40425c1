//! Briefcases of every origin: what can be read prints as what reads the same, in one spelling.

use attache::{Briefcase, ErrorKind, Result};

fn imported(kind: u8, text: &str) -> Result<Briefcase> {
    let import = match kind % 5 {
        0 => return Briefcase::from_json(text),
        1 => Briefcase::from_list_view(text),
        2 => Briefcase::from_briefcase_definition(text),
        3 => Briefcase::from_mobile_sync(text, None),
        _ => {
            let (syncs, store) = text.split_once('\u{1e}').unwrap_or((text, "{}"));
            Briefcase::from_mobile_sync(syncs, Some(store))
        }
    };
    import.map(|import| import.briefcase)
}

/// Reads bytes as a briefcase of one of its origins.
pub fn run(bytes: &[u8]) {
    let Some((kind, rest)) = crate::headed(bytes) else {
        return;
    };
    let text = crate::text(rest);
    match imported(kind, text) {
        Ok(briefcase) => {
            let printed = briefcase.to_json();
            let again = Briefcase::from_json(&printed).expect("what is printed can be read");
            assert_eq!(again, briefcase, "{printed}");
            assert_eq!(again.to_json(), printed);
            assert!(briefcase.diff(&again).is_empty());
        }
        Err(error) => {
            let kinds = [
                ErrorKind::InvalidArgument,
                ErrorKind::MalformedQuery,
                ErrorKind::StorageTooNew,
            ];
            assert!(kinds.contains(&error.kind()), "{:?}: {error}", error.kind());
        }
    }
}
