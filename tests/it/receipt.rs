//! `--receipt` and `stanch receipt check`.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Sandbox, clickup_token};

fn receipt(sandbox: &Sandbox, args: &[&str], code: i32) -> Value {
    let path = sandbox.outside().join("receipt.json");
    let args = [args, &["--receipt", path.to_str().expect("UTF-8")]].concat();
    sandbox.stanch(&args).expect_code(code);
    let text = fs::read(&path).expect("a receipt");
    sandbox.stanch(&["receipt", "check", path.to_str().expect("UTF-8")]).expect_code(if code == 2 {
        2
    } else {
        0
    });
    serde_json::from_slice(&text).expect("a receipt is JSON")
}

#[test]
fn a_scan_of_files_says_what_it_left_out_and_by_which_line() {
    let sandbox = Sandbox::repo();
    sandbox.write(".gitignore", "# built\n/dist/\n*.log\n!keep.log\n");
    sandbox.write("a.txt", clickup_token(3));
    sandbox.write("dist/b.js", "b\n");
    sandbox.write("sub/x.log", "x\n");
    sandbox.write("keep.log", "kept\n");
    sandbox.write("forced.log", "tracked all the same\n");
    sandbox.write("image.png", b"\x89PNG\0\0\0\0");
    sandbox.git(&["add", "--force", "forced.log", "a.txt"]);
    let receipt = self::receipt(&sandbox, &["scan"], 1);
    let ignored = |name: &str, line: u64, pattern: &str| json!({ "name": name, "reason": "ignored", "by": { "file": ".gitignore", "line": line, "pattern": pattern } });
    assert_eq!(
        receipt["left_out"],
        json!({
            "by_reason": { "binary": 1, "ignored": 2 },
            "entries": [
                { "name": "image.png", "reason": "binary" },
                ignored("dist/", 2, "/dist/"),
                ignored("sub/x.log", 3, "*.log"),
            ],
        })
    );
    assert_eq!(receipt["examined"]["files"], 4, "{receipt:#}");
    assert_eq!(receipt["mode"], "scan");
    assert_eq!(receipt["complete"], true);
    assert_eq!(receipt["exit_code"], 1);
    assert_eq!(receipt["findings"]["count"], 1);
    assert!(!receipt.to_string().contains(&clickup_token(3)[12..]));
    let all = self::receipt(&sandbox, &["scan", "--no-ignore"], 1);
    assert_eq!(all["left_out"]["by_reason"], json!({ "binary": 1 }));
    assert_eq!(all["rules"], receipt["rules"]);
    assert_ne!(all["digest"], receipt["digest"]);
}

#[test]
fn every_scan_has_a_receipt() {
    let sandbox = Sandbox::repo();
    sandbox.write("a.txt", "a\n");
    sandbox.commit_all("a");
    sandbox.write(".stanch.toml", "[scan]\nmax_file_bytes = 20\n");
    sandbox.write("long.txt", "long ".repeat(20));
    sandbox.git(&["add", "."]);
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    let staged = receipt(&sandbox, &["staged"], 0);
    assert_eq!(staged["left_out"]["by_reason"], json!({ "too-large": 2 }), "{staged:#}");
    assert_eq!(staged["repository"]["head"], head.as_str());
    assert_eq!(staged["repository"]["branch"], "refs/heads/main");
    assert!(staged["configuration"]["digest"].as_str().is_some_and(|digest| digest.len() == 64));
    let history = receipt(&sandbox, &["history", "HEAD"], 0);
    assert_eq!((&history["mode"], &history["targets"]), (&json!("history"), &json!(["HEAD"])));
    assert_eq!(history["examined"]["commits"], 1, "{history:#}");
    let stdin = receipt(&sandbox, &["stdin", "--no-config"], 0);
    assert_eq!((&stdin["mode"], &stdin["configuration"]), (&json!("stdin"), &Value::Null));
    let check = |head: &str| {
        let path = sandbox.outside().join("receipt.json");
        sandbox.stanch(&["receipt", "check", path.to_str().expect("UTF-8"), "--head", head]).code
    };
    assert_eq!([check(&head), check(&"0".repeat(40))], [0, 2]);
}

#[test]
fn what_could_not_be_read_is_in_the_receipt() {
    let sandbox = Sandbox::repo();
    for (name, message) in [("a.txt", "one"), ("b.txt", "two")] {
        sandbox.write(name, message);
        sandbox.commit_all(message);
    }
    let url = format!("file://{}", sandbox.path().display());
    sandbox.git(&["clone", "--quiet", "--depth=1", &url, "../shallow"]);
    let shallow = sandbox.outside().join("shallow");
    let path = sandbox.outside().join("receipt.json");
    let args = ["history", "--receipt", path.to_str().unwrap()];
    sandbox.stanch_in(&shallow, &args).expect_code(2);
    let receipt: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(receipt["complete"], false);
    assert_eq!(receipt["not_examined"][0]["reason"], "shallow", "{receipt:#}");
    sandbox.stanch(&["receipt", "check", path.to_str().unwrap()]).expect_code(2);
    sandbox.stanch_in(&shallow, &[&args[..], &["--allow-shallow"]].concat()).expect_code(0);
    let receipt: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(receipt["left_out"]["by_reason"], json!({ "shallow": 1 }));
}

#[test]
fn a_receipt_that_cannot_be_written_or_was_changed_is_exit_2() {
    let sandbox = Sandbox::repo();
    let ran = sandbox.stanch(&["scan", "--receipt", "no/such/receipt.json"]).expect_code(2);
    assert!(ran.stderr.contains("--receipt no/such/receipt.json"), "{ran:?}");
    sandbox.stanch(&["scan", "--receipt", "../r.json"]).expect_code(0);
    let path = sandbox.outside().join("r.json");
    let text = fs::read_to_string(&path).unwrap().replace("\"files\": 0", "\"files\": 9");
    fs::write(&path, text).unwrap();
    let ran = sandbox.stanch(&["receipt", "check", "../r.json"]).expect_code(2);
    assert!(ran.stderr.contains("it was changed after it was written"), "{ran:?}");
    sandbox.stanch(&["receipt", "check", "../none.json"]).expect_code(2);
    sandbox.stanch(&["rules", "list", "--receipt", "x"]).expect_code(2);
    sandbox.stanch(&["explain", ".", "--receipt", "x"]).expect_code(2);
}
