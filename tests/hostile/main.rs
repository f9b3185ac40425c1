//! What comes from elsewhere and means no good: unsent work, briefcases of any origin, names and values of an org.
//!
//! Each is one clear error, takes little memory, and changes nothing.

mod briefcases;
mod org;
mod unsent;

/// What a transport or a hand does to a file: cut at every 37th byte, and each bit of its first 200 bytes flipped.
fn spoiled(file: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    let cut = (0..file.len())
        .step_by(37)
        .map(|length| (format!("{length} bytes"), file[..length].to_vec()));
    let flipped = (0..file.len().min(200) * 8).map(|bit| {
        let mut flipped = file.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        (format!("bit {bit}"), flipped)
    });
    cut.chain(flipped)
}
