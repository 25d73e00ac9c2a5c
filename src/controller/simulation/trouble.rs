//! What people do, and what goes wrong, for as long as there is trouble; then people settle what only
//! they can settle, until all is at rest.

use std::sync::Arc;
use std::time::Duration;

use super::super::clocks::Clocks;
use super::declared::{ACCOUNTS, KINDS, Thing};
use super::world::World;
use super::{CALM, TROUBLE};

/// So often, people look after what waits for them.
const EVERY: Duration = Duration::from_secs(5 * 60);
/// The clock on the wall is never further from the time than this.
const FURTHEST: i64 = 6 * 3600;

/// Makes trouble until there is enough of it, and then puts an end to it.
pub async fn make(world: &Arc<World>) {
    let (mut version, mut set) = (1, 0);
    while world.clocks.now() < TROUBLE {
        world.takes(150_000).await;
        match world.number(15) {
            0..=3 => drift(world),
            4 => (0..20).for_each(|_| drift(world)),
            5 | 6 => fight(world).await,
            7 => {
                version += 1 + world.number(2);
                world.offer(version);
            }
            8 => {
                let pulled = world.kill_switch.toggle();
                world.say(|| format!("kill switch {pulled}"));
            }
            9 => {
                let by = i64::try_from(world.number(7200)).unwrap_or(0) - 3600;
                if (set + by).abs() < FURTHEST {
                    set += by;
                    world.set_clock(by);
                }
            }
            10 => {
                let all = (0..=world.number(2)).map(|_| account(world)).collect();
                world.refuse(all, Duration::from_secs(world.number(20 * 60)));
            }
            11 => world.lose_store(Duration::from_secs(world.number(2 * 60))),
            13 => world.lose_leases(),
            12 => world.hold(&thing(world), Duration::from_secs(20 * 60)),
            _ => match world.number(4) {
                0 => world.abort(),
                _ => world.settle(),
            },
        }
    }
    world.clocks.sleep_until(TROUBLE + Duration::from_secs(1)).await;
    world.calm();
    while !world.is_at_rest() {
        assert!(world.clocks.now() < TROUBLE + CALM, "it does not come to rest");
        world.settle();
        world.clocks.sleep(EVERY).await;
    }
    world.over.raise();
}

fn account(world: &World) -> &'static str {
    ACCOUNTS[usize::try_from(world.number(ACCOUNTS.len() as u64)).unwrap_or(0)]
}

fn thing(world: &World) -> Thing {
    let kind = usize::try_from(world.number(KINDS.len() as u64)).unwrap_or(0);
    (World::account(account(world)), kind)
}

/// Somebody changes something.
fn drift(world: &World) {
    world.set(&thing(world), 1_000 + world.number(1_000), "somebody");
}

/// Somebody insists.
async fn fight(world: &World) {
    let thing = thing(world);
    let value = 1_000 + world.number(1_000);
    for _ in 0..6 {
        world.set(&thing, value, "another automation");
        world.takes(60_000).await;
    }
}
