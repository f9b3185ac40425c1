//! Record ids: three characters for the object, twelve digits of base 62, three of check.
//!
//! The short form of 15 characters differs by case only; the last three of the long form
//! record which letters are upper case, so that the long form survives tools that fold case.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECK: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// Makes the 18-character id of the `n`th row of the object with this three-character prefix.
///
/// Ids of one prefix sort by `n`, byte by byte, because the digits stand in ASCII order.
pub fn make(prefix: &str, n: u64) -> String {
    let mut id = [b'0'; 15];
    for (to, from) in id.iter_mut().zip(prefix.bytes().take(3)) {
        *to = from;
    }
    let mut rest = n;
    for place in id[3..].iter_mut().rev() {
        *place = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    with_check(&id)
}

/// Gives the 18-character form of a 15-character id, or `None` if it is not one.
pub fn to18(id: &str) -> Option<String> {
    let short: &[u8; 15] = id.as_bytes().try_into().ok()?;
    short
        .iter()
        .all(u8::is_ascii_alphanumeric)
        .then(|| with_check(short))
}

/// Reads an id of 15 or 18 characters and gives its 18-character form.
///
/// `None` if the length, a character or the check is wrong: the platform calls such an id malformed.
pub fn parse(id: &str) -> Option<String> {
    let long = to18(id.get(..15)?)?;
    let check = &id[15..];
    (check.is_empty() || check == &long[15..]).then_some(long)
}

fn with_check(short: &[u8; 15]) -> String {
    let mut id = String::with_capacity(18);
    id.extend(short.iter().map(|&byte| char::from(byte)));
    for five in short.chunks(5) {
        let bits = five.iter().rev().fold(0, |bits, byte| {
            bits << 1 | usize::from(byte.is_ascii_uppercase())
        });
        id.push(char::from(CHECK[bits]));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_characters_agree_with_real_ids() {
        for id in [
            "001D000000JliSTIAZ",
            "003q000000KvQ1tAAF",
            "003q000000KwYFaAAN",
            "0057e00000RmwSWAAZ",
            "006i0000005W4fdAAC",
        ] {
            assert_eq!(to18(&id[..15]).as_deref(), Some(id));
            assert_eq!(parse(id).as_deref(), Some(id));
        }
    }

    #[test]
    fn ids_sort_by_their_number() {
        let ids: Vec<String> = [0, 1, 9, 10, 35, 36, 61, 62, 3843, 3844, u64::from(u32::MAX)]
            .map(|n| make("a01", n))
            .into();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        assert_eq!(ids[1], "a01000000000001AAA");
    }

    #[test]
    fn wrong_ids_are_refused() {
        for id in [
            "",
            "001",
            "001D000000JliSTIAA",
            "001D000000JliSTiaz",
            "001D000000JliS-",
            "001D000000JliSTI",
            "001D000000JliSTIAZx",
            "ééééééééé",
        ] {
            assert_eq!(parse(id), None, "{id}");
        }
    }
}
