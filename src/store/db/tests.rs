use super::open::CONNECTIONS;
use super::*;

async fn opened(folder: &std::path::Path) -> Db {
    Db::open(&Backend::Sqlite(folder.join("store.db"))).await.unwrap()
}

/// Writes something of this length; with `is_full`, there is no room for one more page.
async fn written(
    db: &Db,
    name: &'static str,
    length: usize,
    is_full: bool,
) -> Result<(), StoreError> {
    db.write(move |mut tx: Tx| async move {
        if is_full {
            tx.rows("PRAGMA max_page_count = 1", &[]).await?;
        }
        let holder = "x".repeat(length);
        let sql = "INSERT INTO leases (name, holder, token, until) VALUES ($1, $2, 0, 0) \
                   ON CONFLICT (name) DO NOTHING";
        tx.run(sql, &[name.into(), (&holder).into()]).await?;
        Ok((tx, ()))
    })
    .await
}

async fn names(db: &Db) -> Vec<String> {
    let look = |mut tx: Tx| async move {
        let rows = tx.rows("SELECT name FROM leases ORDER BY name", &[]).await?;
        let names = rows.iter().map(|row| row.text(0).map(str::to_owned));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        Ok((tx, names))
    };
    db.read(look).await.unwrap()
}

#[tokio::test]
async fn a_full_disk_is_over_when_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let db = opened(folder.path()).await;
    for _ in 0..2 * CONNECTIONS {
        let full = written(&db, "full", 1 << 20, true).await;
        assert!(matches!(full, Err(StoreError::Unreachable { .. })), "{full:?}");
        assert!(db.refuses(), "who asks is told");
    }
    // Whichever connection it comes to.
    let again =
        ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| written(&db, name, 1 << 20, false));
    for done in futures::future::join_all(again).await {
        done.unwrap();
    }
    assert!(!db.refuses());
    assert_eq!(names(&db).await, ["a", "b", "c", "d", "e", "f", "g", "h"]);
}

#[tokio::test]
async fn what_was_not_done_whole_is_not_done_and_leaves_nothing_open() {
    let folder = tempfile::tempdir().unwrap();
    let db = opened(folder.path()).await;
    for _ in 0..2 * CONNECTIONS {
        let done = db
            .write(|mut tx: Tx| async move {
                let sql = "INSERT INTO leases (name, holder, token, until) VALUES ('a', '', 0, 0)";
                tx.run(sql, &[]).await?;
                Err::<(Tx, ()), _>(StoreError::Unfit { what: "no".to_owned() })
            })
            .await;
        assert!(matches!(done, Err(StoreError::Unfit { .. })), "{done:?}");
    }
    assert!(!db.refuses(), "the database was never in the way");
    assert!(names(&db).await.is_empty());
    written(&db, "a", 1, false).await.unwrap();
    assert_eq!(names(&db).await, ["a"]);
}
