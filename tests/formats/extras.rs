//! What only this format's library can do. Add to it what the next format holds.

use crate::story::account;
use attache::Attache;

pub fn live(device: &Attache) {
    device.export_unsent(None).expect("a file");
    device.pin(&account(device, 8)).expect("a pin");
    device.viewed(&account(device, 9)).expect("a view");
}
