//! A fleet that is looked at in parts, or from a file: the whole is what one live run would have
//! given, and what is missing, mixed or edited is told.

use crate::support::organization::Organization;
use crate::support::{self, Account, Run};
use evenkeel::fleet::shard::Shard;
use evenkeel::names::AccountId;
use serde_json::{Value, json};

const POLICY: &str = "schema = 1\n[baseline]\nname = \"fleet\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n[iam.password_policy]\nminimum_password_length = 14\n[s3.account_public_access_block]\nblock_public_acls = true\n";

/// A fleet of six accounts, listed by hand.
struct Fleet {
    own: Account,
    ids: Vec<String>,
}

impl Fleet {
    fn new() -> Self {
        let own = support::emulator().account();
        let ids = of_all_shards();
        own.write("b.toml", POLICY);
        own.write(
            "evenkeel.toml",
            &format!(
                "schema = 1\nhome_region = \"eu-west-1\"\n[[target]]\nname = \"all\"\nbaselines = [\"b.toml\"]\nselect = {{ accounts = {ids:?} }}\n[access]\nrole_arn = \"arn:${{partition}}:iam::${{account.id}}:role/evenkeel\"\n"
            ),
        );
        Self { own, ids }
    }

    fn run(&self, args: &[&str]) -> Run {
        self.own.run(args)
    }

    /// Plans each of three shards into `1.json`, `2.json`, `3.json`.
    fn shards(&self, more: &[&str]) {
        for number in 1..=3 {
            let (shard, file) = (format!("{number}/3"), format!("{number}.json"));
            let args = ["plan", "--shard", &shard, "--format", "json", "--out", &file];
            self.run(&[&args, more].concat()).code(0);
        }
    }
}

/// Six accounts, of which each of three shards has one: in which an account is depends on its number.
fn of_all_shards() -> Vec<String> {
    loop {
        let ids: Vec<String> = (0..6).map(|_| support::emulator().account().id).collect();
        let accounts: Vec<AccountId> = ids.iter().map(|id| id.parse().unwrap()).collect();
        if (1..=3).all(|number| accounts.iter().any(|one| Shard { number, of: 3 }.has(one))) {
            return ids;
        }
    }
}

/// A plan without what differs from run to run.
fn comparable(plan: &Value) -> Value {
    let mut plan = plan.clone();
    for field in ["run", "cost", "plan_digest", "snapshot"] {
        plan.as_object_mut().unwrap().shift_remove(field);
    }
    plan
}

#[test]
fn the_shards_together_are_the_whole_plan() {
    let fleet = Fleet::new();
    // One account is as declared in part, and one in another way: they are not all alike.
    fleet.run(&["apply", "--yes", "-a", &fleet.ids[3], "-k", "iam"]).code(0);
    fleet.shards(&[]);
    let whole = fleet.run(&["plan", "--format", "json"]).code(0).json();
    assert!(whole.get("shards").is_none());
    for order in [["1.json", "2.json", "3.json"], ["3.json", "1.json", "2.json"]] {
        let args = [&["merge-reports", "--format", "json"], order.as_slice()].concat();
        assert_eq!(comparable(&fleet.run(&args).code(0).json()), comparable(&whole));
    }
    // Put together in steps, saved and applied, it is the whole fleet too.
    fleet
        .run(&["merge-reports", "1.json", "3.json", "--format", "json", "--out", "13.json"])
        .code(4);
    fleet.run(&["merge-reports", "13.json", "2.json", "--save", "plan.json"]).code(0);
    fleet.run(&["apply", "plan.json", "--yes"]).code(0);
    fleet.run(&["check"]).code(0);
}

#[test]
fn a_comparison_survives_the_merge() {
    let fleet = Fleet::new();
    std::fs::create_dir(fleet.own.folder.path().join("before")).unwrap();
    for file in ["b.toml", "evenkeel.toml"] {
        fleet.own.write(&format!("before/{file}"), &fleet.own.read(file));
    }
    fleet.own.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"fleet\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n[iam.account_alias]\naccount_alias = \"acme-${account.id}\"\n[s3.account_public_access_block]\nblock_public_acls = true\n",
    );
    fleet.shards(&["--compare-to", "before"]);
    let whole = fleet.run(&["plan", "--format", "json", "--compare-to", "before"]).code(0).json();
    let reports = ["2.json", "1.json", "3.json"];
    let merge = [&["merge-reports", "--format", "json"], reports.as_slice()].concat();
    let merged = fleet.run(&merge).code(0).json();
    assert_eq!(whole["comparison"]["introduced"].as_array().unwrap().len(), 6);
    assert_eq!(whole["comparison"]["removed"].as_array().unwrap().len(), 6);
    assert_eq!(comparable(&merged), comparable(&whole));
    // Parts that were not compared with the same are not one comparison.
    fleet.run(&["plan", "--shard", "3/3", "--format", "json", "--out", "3.json"]).code(0);
    fleet.run(&merge).code(1).complains("--compare-to");
}

#[test]
fn missing_and_foreign_shards_are_told() {
    let fleet = Fleet::new();
    fleet.shards(&[]);
    let run = fleet.run(&["merge-reports", "1.json", "2.json"]).code(4);
    run.complains("2 of 3 shards: 3/3 is missing").says("only shards 1, 2 of 3");
    fleet
        .run(&["merge-reports", "3.json", "--detailed-exitcode", "--format", "markdown"])
        .code(4)
        .complains("1 of 3 shards: 1/3, 2/3 are missing")
        .says("Only shard 3 of 3.");
    fleet.run(&["plan", "--shard", "2/2", "--format", "json", "--out", "half.json"]).code(0);
    fleet.run(&["merge-reports", "1.json", "half.json"]).code(1).complains("shard 2 of 2");
    fleet.run(&["plan", "-a", &fleet.ids[0], "--format", "json", "--out", "one.json"]).code(0);
    fleet.run(&["merge-reports", "1.json", "one.json"]).code(1).complains("no shards");
    fleet.run(&["merge-reports", "1.json", "2.json", "2.json"]).code(1);
    // A shard without accounts is a shard too.
    let empty = (1..=40)
        .map(|number| format!("{number}/40"))
        .find(|shard| {
            let run = fleet.run(&["plan", "--shard", shard, "--format", "json", "--out", "e.json"]);
            run.stderr.contains("holds no account")
        })
        .unwrap();
    fleet.run(&["merge-reports", "e.json"]).code(4);
    fleet.run(&["merge-reports", "e.json", "e.json"]).code(1).complains(&empty);
    // A part is applied as the part that it is: nobody has looked at the rest.
    fleet.run(&["merge-reports", "1.json", "3.json", "--save", "part.json"]).code(4);
    let run = fleet.run(&["apply", "part.json", "--yes"]).code(4);
    run.complains("2 of 3 shards: 2/3 is missing").says("only shards 1, 3 of 3");
    // What there was to do is done by now, and the rest is still not looked at.
    let run = fleet.run(&["apply", "part.json", "--yes"]);
    assert!(matches!(run.code, 3 | 4), "{}", run.stdout);
    // The same where one shard alone is what there is of the whole.
    fleet.run(&["merge-reports", "2.json", "--save", "one.json"]).code(4);
    let run = fleet.run(&["apply", "one.json", "--yes"]).code(4);
    run.complains("1 of 3 shards: 1/3, 3/3 are missing");
    // A shard of its own, whose others are applied by other jobs, is whole.
    fleet.run(&["plan", "--shard", "2/3", "--save", "own.json"]).code(0);
    fleet.run(&["apply", "own.json", "--yes"]).code(0);
    fleet.run(&["merge-reports", "own.json", "--save", "merged.json"]).code(4);
    fleet.run(&["apply", "merged.json", "--yes"]).code(4).complains("are missing");
}

#[test]
fn what_was_edited_is_neither_merged_nor_applied() {
    let fleet = Fleet::new();
    fleet.shards(&[]);
    fleet.run(&["plan", "--shard", "1/3", "--save", "saved.json"]).code(0);
    for report in ["1.json", "saved.json"] {
        let text = fleet.own.read(report);
        let edited = ["\"desired\":14", "\"desired\": 14"]
            .iter()
            .fold(text.clone(), |text, number| text.replace(number, &number.replace("14", "6")));
        assert_ne!(text, edited);
        let mut without_digest: Value = serde_json::from_str(&edited).unwrap();
        assert!(without_digest.as_object_mut().unwrap().remove("plan_digest").is_some());
        let mut counts: Value = serde_json::from_str(&text).unwrap();
        counts["summary"]["in_sync"] = json!(99);
        for (forged, complaint) in [
            (edited, "edited"),
            (without_digest.to_string(), "no plan_digest"),
            (counts.to_string(), "edited"),
        ] {
            fleet.own.write("forged.json", &forged);
            let merge = ["merge-reports", "forged.json", "2.json", "3.json", "--save", "p.json"];
            fleet.run(&merge).code(1).complains(complaint);
            fleet.run(&["merge-reports", "forged.json"]).code(1).complains(complaint);
            fleet.run(&["apply", "forged.json", "--yes"]).code(3).complains(complaint);
        }
        assert!(!fleet.own.folder.path().join("p.json").exists());
    }
}

#[test]
fn plans_from_a_snapshot_are_kept_apart_and_never_applied() {
    let fleet = Fleet::new();
    fleet.run(&["snapshot", "--out", "old.gz"]).code(0);
    // Told apart by the second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    fleet.run(&["snapshot", "--out", "new.gz"]).code(0);
    let plan = |shard: &str, out: &str, snapshot: &[&str]| {
        let args = ["plan", "--shard", shard, "--format", "json", "--out", out];
        fleet.run(&[&args, snapshot].concat()).code(0);
        serde_json::from_str::<Value>(&fleet.own.read(out)).unwrap()
    };
    let old = plan("1/2", "old.json", &["--snapshot", "old.gz"]);
    plan("2/2", "new.json", &["--snapshot", "new.gz"]);
    plan("2/2", "live.json", &[]);
    fleet.run(&["merge-reports", "old.json", "live.json"]).code(1).complains("snapshot");
    // A whole is as old as its oldest part.
    let merge = ["merge-reports", "new.json", "old.json", "--format", "json"];
    let merged = fleet.run(&merge).code(0).json();
    assert_eq!(merged["snapshot"], old["snapshot"]);
    fleet
        .run(&["merge-reports", "new.json", "old.json", "--save", "plan.json"])
        .code(1)
        .complains("cannot be saved");
    fleet.run(&["apply", "old.json", "--yes"]).code(3).complains("was made from the snapshot");
}

#[test]
fn a_damaged_snapshot_is_refused_before_anything_is_planned() {
    let fleet = Fleet::new();
    fleet.run(&["snapshot", "--out", "s.gz"]).code(0);
    fleet.run(&["plan", "--snapshot", "s.gz"]).code(0);
    let path = fleet.own.folder.path().join("s.gz");
    let file = std::fs::read(&path).unwrap();
    let mut forms = vec![file[..file.len() - 8].to_vec(), [file.as_slice(), b"more"].concat()];
    let mut no_checksum = file.clone();
    no_checksum[file.len() - 8..file.len() - 4].fill(0);
    forms.push(no_checksum);
    // The header's time and system do not count; from then on, every bit does.
    for at in (10..file.len()).step_by(file.len() / 20) {
        let mut flipped = file.clone();
        flipped[at] ^= 1 << (at % 8);
        forms.push(flipped);
    }
    for form in forms {
        std::fs::write(&path, form).unwrap();
        let run = fleet.run(&["plan", "--snapshot", "s.gz"]).code(1).complains("take a new one");
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn the_age_of_a_snapshot_can_be_limited_and_the_future_is_told() {
    let fleet = Fleet::new();
    fleet.run(&["snapshot", "--out", "s.gz"]).code(0);
    fleet.run(&["plan", "--snapshot", "s.gz", "--max-age", "1"]).code(0).says("just now");
    fleet.run(&["plan", "--max-age", "1"]).code(1);
    // Written anew with another time.
    let retake = |hours: i64| {
        let taken = (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).to_rfc3339();
        fleet.own.boto3(&format!(
            "import gzip\n\
             path = {:?}\n\
             lines = gzip.open(path, 'rt').read().splitlines()\n\
             head = json.loads(lines[0]); head['taken'] = {taken:?}\n\
             gzip.open(path, 'wt').write('\\n'.join([json.dumps(head)] + lines[1:]) + '\\n')",
            fleet.own.folder.path().join("s.gz").display().to_string()
        ));
    };
    retake(-30);
    fleet.run(&["plan", "--snapshot", "s.gz"]).code(0).says("30 hours old");
    fleet.run(&["plan", "--snapshot", "s.gz", "--max-age", "31"]).code(0);
    fleet
        .run(&["plan", "--snapshot", "s.gz", "--max-age", "24"])
        .code(3)
        .complains("30 hours old, and the limit is 24 hours");
    retake(5);
    fleet.run(&["plan", "--snapshot", "s.gz"]).code(0).says("from the future: ");
    fleet.run(&["plan", "--snapshot", "s.gz", "--max-age", "24"]).code(3).complains("the future");
}

#[test]
fn a_wave_has_passed_when_all_of_its_accounts_were_seen_and_not_those_of_a_shard() {
    let org = Organization::new();
    org.fleet(
        "[[target]]\nname = \"work\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\nconfirmed = true\n\
         [[rollout.wave]]\nname = \"canary\"\naccounts = [\"<alpha>\"]\nsoak_minutes = 0\n",
    );
    let shard_of = |name: &str, of: u32| {
        let account = org.id(name).parse().unwrap();
        (1..=of).find(|number| Shard { number: *number, of }.has(&account)).unwrap()
    };
    let of = (2..100).find(|of| shard_of("alpha", *of) != shard_of("beta", *of)).unwrap();
    let run = |name: &str, more: &[&str]| {
        let shard = Shard { number: shard_of(name, of), of }.to_string();
        org.management.run(&[&["run", "--once", "--shard", &shard], more].concat())
    };
    // The wave has no account in this shard: that is no reason to go on, however often it is looked at.
    for _ in 0..3 {
        run("beta", &[])
            .code(3)
            .says("1 account of the wave that it has reached is in other shards");
    }
    assert_eq!(org.password_length("beta"), Value::Null);
    // The canary is written, and then seen as declared.
    run("alpha", &[]);
    run("alpha", &[]);
    run("beta", &[]).code(0);
    assert_eq!(org.password_length("beta"), 14);
    // A shard that shares nothing never hears of the canary, and says so.
    org.inside(
        "beta",
        "client('iam').update_account_password_policy(MinimumPasswordLength=8)\nprint('null')",
    );
    for _ in 0..2 {
        run("beta", &["--audit-log", "own/audit.jsonl"])
            .code(3)
            .says("all shards must share a store");
    }
    assert_eq!(org.password_length("beta"), 8);
}
