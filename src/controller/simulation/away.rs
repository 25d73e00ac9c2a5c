//! What guards remember, in a store that takes its time and is away now and then.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use serde_json::Value;

use super::super::clocks::Clocks;
use super::world::World;
use crate::store::error::StoreError;
use crate::store::memory::{Document, InMemory, Memory};

/// A memory whose way leads over a network.
pub struct Away {
    memory: Arc<InMemory>,
    world: Weak<World>,
}

impl Away {
    /// The world's memory, as a run reaches it.
    pub fn of(world: &Arc<World>) -> Self {
        Self { memory: Arc::clone(&world.memory), world: Arc::downgrade(world) }
    }

    /// On the way; whatever comes between a look and a write comes here.
    async fn on_the_way(&self) -> Result<(), StoreError> {
        let away = || StoreError::Unreachable { store: "it".to_owned(), why: "away".to_owned() };
        let world = self.world.upgrade().ok_or_else(away)?;
        if world.number(4) == 0 {
            world.takes(20).await;
        }
        match world.clocks.now() < world.store_is_back() {
            true => Err(away()),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Memory for Away {
    async fn read(&self, name: &str) -> Result<Option<Document>, StoreError> {
        self.on_the_way().await?;
        self.memory.read(name).await
    }

    async fn write(&self, name: &str, seen: u64, body: &Value) -> Result<u64, StoreError> {
        self.on_the_way().await?;
        self.memory.write(name, seen, body).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Document>, StoreError> {
        self.on_the_way().await?;
        self.memory.list(prefix).await
    }

    async fn remove(&self, name: &str, seen: u64) -> Result<(), StoreError> {
        self.on_the_way().await?;
        self.memory.remove(name, seen).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.on_the_way().await?;
        self.memory.ping().await
    }
}
