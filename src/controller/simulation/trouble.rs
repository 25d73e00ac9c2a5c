//! What somebody does, and what goes wrong, for as long as there is trouble.

use std::sync::Arc;
use std::time::Duration;

use super::super::drive::Clocks;
use super::TROUBLE;
use super::world::{ACCOUNTS, KINDS, World};

/// Makes trouble until there is enough of it.
pub async fn make(world: &Arc<World>) {
    let mut version = 1;
    while world.clocks.now() < TROUBLE {
        world.takes(8 * 60 * 1000).await;
        match world.number(11) {
            0..=5 => drift(world),
            6 => {
                version += 1 + world.number(2);
                world.offer(version);
            }
            7 => {
                let pulled = world.kill_switch.toggle();
                world.say(&format!("kill switch {pulled}"));
            }
            8 => {
                let seconds = i64::try_from(world.number(7200)).unwrap_or(0) - 3600;
                world.clocks.set(seconds);
                world.say(&format!("the clock is set by {seconds}"));
            }
            9 => world.lose_leases(),
            _ => (0..20).for_each(|_| drift(world)),
        }
    }
    world.clocks.sleep_until(TROUBLE + Duration::from_secs(1)).await;
    world.calm();
}

/// Somebody changes something.
fn drift(world: &Arc<World>) {
    let account = ACCOUNTS[usize::try_from(world.number(ACCOUNTS.len() as u64)).unwrap_or(0)];
    let kind = usize::try_from(world.number(KINDS.len() as u64)).unwrap_or(0);
    if let Ok(account) = account.parse() {
        world.set(&(account, kind), 1_000 + world.number(1_000), "somebody");
    }
}
