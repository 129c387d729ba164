//! The serde form of `.stanch.toml` and the way from it to a [`Config`].
//!
//! Messages of the TOML crate are not passed on as they are: they quote the line, and a line of an allowlist
//! may hold a secret.

use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use super::{Config, ConfigError, RuleMention, parse_bytes};
use crate::audit_log::Limits;
use crate::filter::allowlist::{AllowEntry, AllowSpec, Allowlists};
use crate::finding::{Confidence, Severity};

/// More would make each run that puts a log aside slow.
const MAX_OLD_LOGS: u32 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    scan: Scan,
    #[serde(default)]
    rules: Rules,
    #[serde(default)]
    audit: Audit,
    #[serde(default)]
    check: Check,
    #[serde(default)]
    baseline: BaselineTable,
    /// Read by the rule set, with the schema of the built-in rule files.
    #[serde(default)]
    rule: Vec<toml::Table>,
    #[serde(default)]
    allow: Vec<Spanned<Allow>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Scan {
    min_severity: Option<Severity>,
    min_confidence: Option<Confidence>,
    max_file_bytes: Option<Spanned<Size>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Check {
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    skip: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Audit {
    log: Option<PathBuf>,
    max_bytes: Option<Spanned<Size>>,
    keep: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Rules {
    #[serde(default)]
    disable: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct BaselineTable {
    path: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    reason: Option<String>,
    #[serde(default)]
    paths: Vec<Spanned<String>>,
    #[serde(default)]
    rules: Vec<Spanned<String>>,
    #[serde(default)]
    values: Vec<Spanned<String>>,
    #[serde(default)]
    regexes: Vec<Spanned<String>>,
    #[serde(default)]
    commits: Vec<Spanned<String>>,
    expires: Option<Spanned<Datetime>>,
}

/// A number of bytes or a text such as `50M`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number of bytes or a text such as \"50M\"")]
enum Size {
    Bytes(u64),
    Text(String),
}

pub(super) fn parse(text: &str, path: &Path, today: Date) -> Result<Config, ConfigError> {
    let source = Text { text, path };
    let file: File = toml::from_str(text).map_err(|error| source.toml_error(&error))?;
    let mut mentions: Vec<RuleMention> = Vec::new();
    mentions.extend(file.rules.disable.iter().map(|id| source.mention(id)));
    mentions.extend(file.allow.iter().flat_map(|allow| &allow.get_ref().rules).map(|id| source.mention(id)));
    let max_file_bytes = match &file.scan.max_file_bytes {
        None => None,
        Some(size) => Some(source.size("max_file_bytes", size)?),
    };
    let limits = Limits::default();
    let audit_limits = Limits {
        max_bytes: file
            .audit
            .max_bytes
            .as_ref()
            .map_or(Ok(limits.max_bytes), |size| source.size("max_bytes", size))?,
        keep: file.audit.keep.unwrap_or(limits.keep).min(MAX_OLD_LOGS),
    };
    let baseline = match &file.baseline.path {
        Some(path) if path.get_ref().trim().is_empty() => {
            return Err(source.error(path.span().start, "`path`: name a file, or leave the key out"));
        }
        path => path.as_ref().map(|path| path.get_ref().into()),
    };
    let entries: Vec<AllowEntry> =
        file.allow.iter().map(|allow| source.allow_entry(allow)).collect::<Result<_, _>>()?;
    Ok(Config {
        path: Some(path.to_path_buf()),
        min_severity: file.scan.min_severity,
        min_confidence: file.scan.min_confidence,
        max_file_bytes,
        baseline,
        disabled_rules: strings(&file.rules.disable),
        custom_rules: if file.rule.is_empty() { None } else { source.only_rules() },
        allow: Allowlists::new(entries, today),
        audit_log: file.audit.log,
        audit_limits,
        check_required: file.check.required,
        check_skip: file.check.skip,
        gitleaks: None,
        written: source.written(),
        mentions,
    })
}

/// The file, to say where something stands in it.
pub(super) struct Text<'t> {
    pub(super) text: &'t str,
    pub(super) path: &'t Path,
}

impl Text<'_> {
    fn error(&self, offset: usize, message: impl Into<String>) -> ConfigError {
        let (line, column) = self.line_column(offset);
        ConfigError::Invalid { path: self.path.to_path_buf(), line, column, message: message.into() }
    }

    pub(super) fn toml_error(&self, error: &toml::de::Error) -> ConfigError {
        let offset = error.span().map_or(0, |span| span.start);
        let message = without_quoted(error.message());
        match self.key_before(offset) {
            Some(key) if !message.contains(key) => self.error(offset, format!("`{key}`: {message}")),
            _ => self.error(offset, message),
        }
    }

    /// Line and column from 1; the column counts characters.
    pub(super) fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The key of a value on the line of `offset`, if a bare key opens the line.
    fn key_before(&self, offset: usize) -> Option<&str> {
        let before = self.text.get(..offset)?;
        let line = &before[before.rfind('\n').map_or(0, |end| end + 1)..];
        let key = line.split_once('=')?.0.trim();
        let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        (!key.is_empty() && key.chars().all(is_bare)).then_some(key)
    }

    fn mention(&self, id: &Spanned<String>) -> RuleMention {
        let (line, column) = self.line_column(id.span().start);
        RuleMention { id: id.get_ref().clone(), line, column }
    }

    fn size(&self, key: &str, size: &Spanned<Size>) -> Result<u64, ConfigError> {
        let bytes = match size.get_ref() {
            Size::Bytes(0) => {
                Err("0 would skip every file; leave the key out to read files of any size".to_owned())
            }
            Size::Bytes(bytes) => Ok(*bytes),
            Size::Text(text) => parse_bytes(text),
        };
        bytes.map_err(|message| self.error(size.span().start, format!("`{key}`: {message}")))
    }

    fn allow_entry(&self, allow: &Spanned<Allow>) -> Result<AllowEntry, ConfigError> {
        let (start, allow) = (allow.span().start, allow.get_ref());
        let expires = match &allow.expires {
            None => None,
            Some(date) => Some(self.date(date)?),
        };
        let (line, _) = self.line_column(start);
        let spec = AllowSpec {
            reason: allow.reason.clone().unwrap_or_default(),
            paths: strings(&allow.paths),
            rules: strings(&allow.rules),
            values: strings(&allow.values),
            regexes: strings(&allow.regexes),
            commits: strings(&allow.commits),
            expires,
            written_at: format!("{}:{line}", self.path.display()),
        };
        AllowEntry::new(spec).map_err(|error| {
            let list = match error.at {
                Some(("paths", _)) => &allow.paths,
                Some(("values", _)) => &allow.values,
                Some(("regexes", _)) => &allow.regexes,
                Some(("commits", _)) => &allow.commits,
                _ => return self.error(start, error.message),
            };
            let place = error.at.and_then(|(key, index)| Some((key, list.get(index)?.span().start)));
            match place {
                Some((key, offset)) => self.error(offset, format!("`{key}`: {}", error.message)),
                None => self.error(start, error.message),
            }
        })
    }

    fn date(&self, date: &Spanned<Datetime>) -> Result<Date, ConfigError> {
        let wrong =
            || self.error(date.span().start, "`expires`: expected a date without a time, such as 2027-01-01");
        let Datetime { date: Some(day), time: None, offset: None } = date.get_ref() else {
            return Err(wrong());
        };
        let year = i16::try_from(day.year).map_err(|_| wrong())?;
        let (month, day) = (i8::try_from(day.month), i8::try_from(day.day));
        let (Ok(month), Ok(day)) = (month, day) else { return Err(wrong()) };
        Date::new(year, month, day).map_err(|_| wrong())
    }

    /// Every key of the plain tables, and every rule by its id, with the line on which it stands.
    fn written(&self) -> Vec<(String, usize)> {
        let Ok(table) = DeTable::parse(self.text) else { return Vec::new() };
        let mut written = Vec::new();
        for (name, value) in table.get_ref() {
            match value.get_ref() {
                DeValue::Table(table) => written.extend(table.iter().map(|(key, _)| {
                    (format!("{}.{}", name.get_ref(), key.get_ref()), self.line_column(key.span().start).0)
                })),
                DeValue::Array(items) if name.get_ref() == "rule" => {
                    written.extend(items.iter().map(|item| {
                        let id =
                            item.get_ref().get("id").and_then(|id| id.get_ref().as_str()).unwrap_or_default();
                        (format!("rule.{id}"), self.line_column(item.span().start).0)
                    }))
                }
                _ => {}
            }
        }
        written
    }

    /// The text with everything blank but the `[[rule]]` tables. The TOML crate knows where a header and a
    /// value stand, so strings that look like headers do not mislead.
    fn only_rules(&self) -> Option<String> {
        let table = DeTable::parse(self.text).ok()?;
        let rules = table.get_ref().get("rule")?;
        let mut kept: Vec<Range<usize>> = Vec::new();
        match rules.get_ref() {
            DeValue::Array(tables) => kept.extend(tables.iter().map(extent)),
            _ => kept.push(rules.span()),
        }
        let mut out = String::with_capacity(self.text.len());
        for (offset, character) in self.text.char_indices() {
            let keep = character == '\n' || kept.iter().any(|range| range.contains(&offset));
            out.push(if keep { character } else { ' ' });
        }
        Some(out)
    }
}

/// From the first byte of a value to its last, the tables and values inside it included: the span of a table with
/// a header is the header alone.
fn extent(value: &Spanned<DeValue<'_>>) -> Range<usize> {
    let mut whole = value.span();
    let mut widen = |inner: Range<usize>| whole = whole.start.min(inner.start)..whole.end.max(inner.end);
    match value.get_ref() {
        DeValue::Table(table) => table.iter().for_each(|(key, value)| {
            widen(key.span());
            widen(extent(value));
        }),
        DeValue::Array(items) => items.iter().for_each(|item| widen(extent(item))),
        _ => {}
    }
    whole
}

fn strings(spanned: &[Spanned<String>]) -> Vec<String> {
    spanned.iter().map(|text| text.get_ref().clone()).collect()
}

/// Replaces what stands between double quotes, where serde quotes the value that it did not expect.
fn without_quoted(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last && message.starts_with("invalid") => {
            format!("{}\"…{}", &message[..first], &message[last..])
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::allowlist::AllowQuery;

    fn read(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new(".stanch.toml"), "2026-06-15".parse().unwrap())
    }

    #[track_caller]
    fn fault(text: &str) -> String {
        read(text).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn a_full_file_is_read() {
        let text = r#"
[scan]
min_severity = "high"
min_confidence = "proven"
max_file_bytes = "2k"
[rules]
disable = ["a-rule"]
[[allow]]
reason = "made up"
paths = ["docs/"]
rules = ["b-rule"]
expires = 2027-01-01
[[allow]]
reason = "gone"
values = ["v"]
expires = 2020-01-01
"#;
        let config = read(text).unwrap();
        assert_eq!(config.min_severity, Some(Severity::High));
        assert_eq!(config.min_confidence, Some(Confidence::Proven));
        assert_eq!(config.max_file_bytes, Some(2048));
        assert_eq!(config.disabled_rules, ["a-rule"]);
        let query = AllowQuery { rule_id: "b-rule", path: Some("docs/x".into()), secret: b"s", commit: None };
        let entry = config.allow.check(&query).unwrap();
        assert_eq!((entry.reason(), entry.written_at()), ("made up", ".stanch.toml:8"));
        assert_eq!(config.allow.expired().len(), 1);

        assert!(config.check_rule_ids(&["a-rule", "b-rule"]).is_ok());
        assert_eq!(
            config.check_rule_ids(&["a-rule", "b-rules"]).unwrap_err().to_string(),
            ".stanch.toml:11:10: there is no rule `b-rule`; did you mean `b-rules`?"
        );
        assert!(
            config.check_rule_ids(&["b-rule"]).unwrap_err().to_string().starts_with(".stanch.toml:7:12: ")
        );
    }

    #[test]
    fn an_empty_file_is_the_default() {
        let config = read("").unwrap();
        assert!(config.allow.is_empty() && config.custom_rules.is_none() && config.min_severity.is_none());
    }

    #[test]
    fn errors_name_place_key_and_what_is_allowed() {
        for (text, expected) in [
            ("[scan\n", ".stanch.toml:1:6: "),
            (
                "[scan]\nmin_sevrity = \"low\"\n",
                ".stanch.toml:2:1: unknown field `min_sevrity`, expected one of `min_severity`",
            ),
            (
                "[scans]\n",
                ".stanch.toml:1:2: unknown field `scans`, expected one of `scan`, `rules`, `audit`, `check`, `baseline`, `rule`, `allow`",
            ),
            (
                "[scan]\nmin_severity = \"hi\"\n",
                "2:16: `min_severity`: unknown variant `hi`, expected one of `info`, `low`",
            ),
            ("[scan]\nmax_file_bytes = 0\n", "2:18: `max_file_bytes`: 0 would skip"),
            ("[scan]\nmax_file_bytes = \"9X\"\n", "2:18: `max_file_bytes`: not a size"),
            ("[scan]\nmax_file_bytes = -1\n", "2:18: `max_file_bytes`: expected a number of bytes"),
            ("\n[[allow]]\nrules = [\"r\"]\n", ".stanch.toml:2:1: an [[allow]] entry needs a `reason`"),
            ("[[allow]]\nreason = \"x\"\n", "1:1: an [[allow]] entry without a condition"),
            (
                "[[allow]]\nreason = \"x\"\nregexes = [\"ok\", \"hunter2(\"]\n",
                "3:18: `regexes`: bad regular expression: unclosed group",
            ),
            (
                "[[allow]]\nreason = \"x\"\nrules = [\"r\"]\nexpires = 2027-01-01T00:00:00\n",
                "4:11: `expires`: expected a date",
            ),
            (
                "[[allow]]\nreason = \"x\"\nrules = [\"r\"]\nexpires = \"soon\"\n",
                "4:11: `expires`: invalid type",
            ),
        ] {
            let fault = fault(text);
            assert!(fault.contains(expected), "{fault}");
        }
    }

    #[test]
    fn errors_quote_no_value() {
        for text in [
            "[[allow]]\nreason = \"x\"\nvalues = \"hunter2\"\n",
            "[[allow]]\nreason = \"x\"\nvalues = [\"hunter2]\n",
            "[[allow]]\nreason = \"x\"\nvalues = [\"hunter2\" \"hunter2\"]\n",
            "[[allow]]\nreason = \"x\"\nregexes = [\"hunter2[\"]\n",
            "[scan]\nmax_file_bytes = \"hunter2\"\n",
            "[[allow]]\nreason = \"x\"\nexpires = \"hunter2\"\n",
        ] {
            assert!(!fault(text).contains("hunter2"), "{}", fault(text));
        }
    }

    /// What serde asks for: the keys of a struct, the names of an enum.
    #[derive(Debug)]
    struct Names(Vec<&'static str>);

    impl std::fmt::Display for Names {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:?}", self.0)
        }
    }

    impl std::error::Error for Names {}

    impl serde::de::Error for Names {
        fn custom<T: std::fmt::Display>(_: T) -> Self {
            Self(Vec::new())
        }
    }

    /// Answers nothing, and remembers what it was asked.
    struct Asked;

    impl<'de> serde::Deserializer<'de> for Asked {
        type Error = Names;

        fn deserialize_any<V: serde::de::Visitor<'de>>(self, _: V) -> Result<V::Value, Names> {
            Err(Names(Vec::new()))
        }

        fn deserialize_struct<V: serde::de::Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Names> {
            Err(Names(fields.to_vec()))
        }

        fn deserialize_enum<V: serde::de::Visitor<'de>>(
            self,
            _: &'static str,
            variants: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Names> {
            Err(Names(variants.to_vec()))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
        }
    }

    fn names<'de, T: Deserialize<'de>>() -> Vec<&'static str> {
        let mut names = T::deserialize(Asked).err().expect("it was given nothing").0;
        assert!(!names.is_empty());
        names.sort_unstable();
        names
    }

    /// A key without its place in the JSON Schema is one that editors underline as wrong.
    #[test]
    fn the_json_schema_has_every_key_and_no_other() {
        use crate::rule::request::{Between, FieldTest, Request};
        use crate::rule::schema::{Checksum, PairEntry, RuleEntry, RuleKind};
        let schema: serde_json::Value = serde_json::from_str(crate::config::JSON_SCHEMA).unwrap();
        let tables = [
            ("", names::<File>()),
            ("/properties/scan", names::<Scan>()),
            ("/properties/rules", names::<Rules>()),
            ("/properties/baseline", names::<BaselineTable>()),
            ("/definitions/allow", names::<Allow>()),
            ("/definitions/rule", names::<RuleEntry>()),
            ("/definitions/rule/properties/pair", names::<PairEntry>()),
            ("/definitions/rule/properties/verify", names::<Request>()),
            ("/definitions/rule/properties/verify/properties/account_in_secret", names::<Between>()),
            ("/definitions/field_test", names::<FieldTest>()),
        ];
        for (place, keys) in tables {
            let table = schema.pointer(place).unwrap_or_else(|| panic!("{place}"));
            assert_eq!(table["additionalProperties"], false, "{place}");
            let properties = table["properties"].as_object().unwrap();
            let mut described: Vec<&str> = properties.keys().map(String::as_str).collect();
            described.sort_unstable();
            assert_eq!(described, keys, "{place}");
            for (key, property) in properties {
                assert!(property["description"].is_string(), "{place}/{key} is explained");
            }
        }
        for (place, values) in [
            ("/definitions/severity", names::<Severity>()),
            ("/definitions/confidence", names::<Confidence>()),
            ("/definitions/rule/properties/kind", names::<RuleKind>()),
            ("/definitions/rule/properties/checksum", names::<Checksum>()),
        ] {
            let listed = schema.pointer(place).unwrap()["enum"].as_array().unwrap();
            let mut allowed: Vec<&str> = listed.iter().map(|value| value.as_str().unwrap()).collect();
            allowed.sort_unstable();
            assert_eq!(allowed, values, "{place}");
        }
    }

    /// Keys that the schema calls mandatory are, and the others are not.
    #[test]
    fn the_json_schema_asks_for_what_is_mandatory() {
        use crate::rule::schema::{PairEntry, RuleEntry};
        let schema: serde_json::Value = serde_json::from_str(crate::config::JSON_SCHEMA).unwrap();
        let required = |place: &str| -> Vec<String> {
            let list = schema.pointer(place).unwrap()["required"].as_array().unwrap();
            list.iter().map(|key| key.as_str().unwrap().to_owned()).collect()
        };
        let samples = [("id", "a"), ("description", "a"), ("kind", "keyed"), ("severity", "low")];
        assert_eq!(required("/definitions/rule"), samples.map(|(key, _)| key));
        let rule = |without: &str| -> String {
            let given = samples.iter().filter(|(key, _)| *key != without);
            given.map(|(key, value)| format!("{key} = '{value}'\n")).collect()
        };
        assert!(toml::from_str::<RuleEntry>(&rule("")).is_ok());
        for (key, _) in samples {
            assert!(toml::from_str::<RuleEntry>(&rule(key)).is_err(), "{key}");
        }
        assert_eq!(required("/definitions/rule/properties/pair"), ["with", "within_bytes"]);
        assert!(toml::from_str::<PairEntry>("with = 'a'\nwithin_bytes = 1\n").is_ok());
        assert!(toml::from_str::<PairEntry>("with = 'a'\n").is_err());
        assert!(toml::from_str::<PairEntry>("within_bytes = 1\n").is_err());
        assert_eq!(required("/definitions/allow"), ["reason"]);
    }

    #[test]
    fn the_template_says_nothing_and_explains_every_key() {
        let config = read(crate::config::TEMPLATE).unwrap();
        assert!(config.written.is_empty() && config.allow.is_empty() && config.custom_rules.is_none());
        // Prose aside, what is commented out is a file.
        let is_code = |line: &str| {
            line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
        };
        let lines = crate::config::TEMPLATE.lines().filter_map(|line| line.strip_prefix("# "));
        let text: String = lines.filter(|line| is_code(line)).map(|line| format!("{line}\n")).collect();
        let config = read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        for key in [
            "scan.min_severity",
            "scan.min_confidence",
            "scan.max_file_bytes",
            "rules.disable",
            "baseline.path",
        ] {
            assert!(config.line_of(key).is_some(), "{key}");
        }
        assert!(config.rule_set().unwrap().get("acme-deploy-key").is_some());
        for key in names::<Allow>() {
            assert!(text.contains(&format!("\n{key} = ")), "{key}");
        }
    }

    #[test]
    fn rules_keep_their_lines() {
        let text = "[scan]\nmin_severity = \"low\"\n\n[[rule]] # é\nid = \"one\"\nexamples = [\n  '''\n[[allow]]\n''',\n]\n\
                    [rule.pair]\nwith = \"two\"\n[[allow]]\nreason = \"x\"\nrules = [\"one\"]\n[[rule]]\nid = \"two\"\n";
        let rules = read(text).unwrap().custom_rules.unwrap();
        let lines: Vec<&str> = rules.lines().map(str::trim_end).collect();
        let expected = [
            "",
            "",
            "",
            "[[rule]]",
            "id = \"one\"",
            "examples = [",
            "  '''",
            "[[allow]]",
            "''',",
            "]",
            "[rule.pair]",
            "with = \"two\"",
            "",
            "",
            "",
            "[[rule]]",
            "id = \"two\"",
        ];
        assert_eq!(lines.len(), expected.len());
        for (line, expected) in lines.iter().zip(expected) {
            assert!(
                line.starts_with(expected) && (line.is_empty() == expected.is_empty()),
                "{line:?} {expected:?}"
            );
        }
        let parsed: toml::Table = toml::from_str(&rules).unwrap();
        assert_eq!(parsed["rule"].as_array().map(Vec::len), Some(2));
    }
}
