//! Files that a framework or tool is known to keep secrets in, for the frameworks that are there.

use std::fs;
use std::path::Path;

use super::{Family, RequiredPattern};

/// How a framework shows at the root of a working tree, and the lines that it needs.
struct Framework {
    /// One of these files is there, and holds one of the words, if there are any.
    files: &'static [&'static str],
    words: &'static [&'static str],
    /// Lines and names that they cover.
    lines: &'static [(&'static str, &'static [&'static str])],
}

/// From the manuals of the tools: Rails credentials, Terraform state, Android signing, Firebase Admin, Expo and Apple
/// keys, Laravel.
const FRAMEWORKS: &[Framework] = &[
    Framework {
        files: &["config/application.rb"],
        words: &["Rails::Application"],
        lines: &[
            ("/config/master.key", &["config/master.key"]),
            ("/config/credentials/*.key", &["config/credentials/production.key"]),
        ],
    },
    Framework {
        files: &["main.tf", "terraform.tf", "versions.tf", "providers.tf", ".terraform.lock.hcl"],
        words: &[],
        lines: &[("*.tfstate", &["terraform.tfstate"]), ("*.tfstate.*", &["terraform.tfstate.backup"])],
    },
    Framework {
        files: &["settings.gradle", "settings.gradle.kts", "build.gradle", "build.gradle.kts"],
        words: &["com.android.application", "google()"],
        lines: &[
            ("*.jks", &["release.jks"]),
            ("*.keystore", &["release.keystore"]),
            ("keystore.properties", &["keystore.properties"]),
        ],
    },
    Framework {
        files: &["app.json", "eas.json"],
        words: &["\"expo\"", "\"build\""],
        lines: &[("*.p8", &["AuthKey.p8"]), ("*.p12", &["dist.p12"]), ("*.jks", &["release.jks"])],
    },
    Framework {
        files: &["artisan"],
        words: &["Illuminate", "bootstrap/app.php"],
        lines: &[(".env.backup", &[".env.backup"]), (".env.production", &[".env.production"])],
    },
];

/// The lines that the frameworks in the tree need. A file that cannot be read shows no framework.
pub fn required_by_frameworks(work_dir: &Path) -> Vec<RequiredPattern> {
    let mut required: Vec<RequiredPattern> = Vec::new();
    for framework in FRAMEWORKS.iter().filter(|framework| framework.is_there(work_dir)) {
        for (line, names) in framework.lines {
            if required.iter().all(|other| other.line != *line) {
                required.push(RequiredPattern {
                    line: (*line).to_owned(),
                    family: Family::Framework,
                    sample_names: names.iter().map(|&name| name.to_owned()).collect(),
                });
            }
        }
    }
    required
}

/// A line of somebody's own as a required one: `*` stands for some name.
pub fn required_by_configuration(line: &str) -> RequiredPattern {
    let name = line.trim_start_matches('/').trim_end_matches('/').replace("**/", "").replace('*', "some");
    RequiredPattern { line: line.to_owned(), family: Family::Configured, sample_names: vec![name] }
}

impl Framework {
    fn is_there(&self, work_dir: &Path) -> bool {
        self.files.iter().any(|file| {
            let path = work_dir.join(file);
            match self.words {
                [] => path.is_file(),
                words => {
                    fs::read_to_string(path).is_ok_and(|text| words.iter().any(|word| text.contains(word)))
                }
            }
        })
    }
}

impl RequiredPattern {
    /// Whether the line speaks of one place, so that asking about other directories means nothing.
    pub(super) fn is_anchored(&self) -> bool {
        self.line.trim_end_matches('/').contains('/') && !self.line.starts_with("**/")
    }
}
