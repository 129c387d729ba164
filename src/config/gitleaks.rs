//! Reads the configuration of gitleaks as it is.
//!
//! Rules with their expressions, groups, entropy, keywords and paths, allowlists of rules and of everything, `extend`
//! and `required` mean what they mean there; what cannot be honoured is an error that names the line and the key. The
//! default configuration that `useDefault` adds is our catalogue. Keys are read in any case, as gitleaks reads them.
//!
//! Source: the chapter "Configuration" of the README of gitleaks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regex::bytes::{Regex, RegexSet};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::gitleaks_names::NAMES;
use super::re2;
use super::schema::Text;
use super::{Config, ConfigError, FILE_NAME, nearest};
use crate::filter::foreign::{List, Lists, OfRule, Required, Target};
use crate::hygiene::ENV_FILE_STAGED;
use crate::rule::RuleSet;
use crate::rule::schema::RuleSpec;

/// Name of the file that gitleaks finds by itself.
pub const GITLEAKS_FILE_NAME: &str = ".gitleaks.toml";

/// How often gitleaks follows `extend` from file to file.
const DEEPEST_EXTEND: usize = 2;

/// A configuration of gitleaks, ready to use.
#[derive(Debug)]
pub struct Gitleaks {
    /// Its own rules.
    specs: Vec<RuleSpec>,
    /// Where each of them is written.
    places: Vec<Place>,
    /// Whether the catalogue is in use too.
    pub use_default: bool,
    /// Ids of the catalogue that are not used.
    disabled: Vec<String>,
    changes: Vec<Change>,
    /// Allowlists, paths and companions.
    pub lists: Lists,
    /// What the user should know.
    pub notes: Vec<String>,
    /// Rules that look at the names of files alone.
    pub by_name: Vec<String>,
}

/// What the file changes of a rule of the catalogue.
#[derive(Debug)]
struct Change {
    ids: Vec<String>,
    description: Option<String>,
    min_entropy: Option<f32>,
    keywords: Vec<String>,
}

/// A place in a file.
#[derive(Clone, Debug, Default)]
struct Place {
    path: PathBuf,
    line: usize,
    column: usize,
}

impl Place {
    fn error(&self, message: impl Into<String>) -> ConfigError {
        let Self { path, line, column } = self.clone();
        ConfigError::Invalid { path, line, column, message: message.into() }
    }

    fn written(&self) -> String {
        format!("{}:{}", self.path.display(), self.line)
    }
}

/// Whether a file is a configuration of gitleaks: by its name, else by keys that ours does not have.
pub(super) fn is_one(text: &str, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if name == FILE_NAME || name.contains("gitleaks") {
        return name != FILE_NAME;
    }
    let Ok(table) = DeTable::parse(text) else { return false };
    let table = table.get_ref();
    let ours = ["scan", "rule", "allow", "baseline"];
    let theirs = ["title", "extend", "allowlist", "allowlists"];
    let has = |keys: &[&str]| table.iter().any(|(key, _)| keys.contains(&key.get_ref().as_ref()));
    let has_their_rules =
        table.iter().any(|(key, value)| key.get_ref() == "rules" && value.get_ref().is_array());
    !has(&ours) && (has(&theirs) || has_their_rules)
}

pub(super) fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
    let file = read_file(text, path, 0)?;
    let gitleaks = file.finish()?;
    Ok(Config {
        path: Some(path.to_path_buf()),
        disabled_rules: gitleaks.disabled.clone(),
        gitleaks: Some(gitleaks),
        ..Config::default()
    })
}

impl Gitleaks {
    /// The rules that are in force.
    ///
    /// # Errors
    ///
    /// When an expression of the file does not compile, and when no rule is left.
    pub fn rule_set(&self) -> Result<RuleSet, ConfigError> {
        let mut rules = match self.use_default {
            true => RuleSet::builtin().retain(|rule| !self.disabled.contains(&rule.id)),
            false => RuleSet::empty(),
        };
        let mut specs = Vec::new();
        for change in &self.changes {
            for id in &change.ids {
                let Some(rule) = rules.get(id) else { continue };
                let mut spec = rule.spec().clone();
                spec.description = change.description.clone().unwrap_or(spec.description);
                spec.min_entropy = change.min_entropy.or(spec.min_entropy);
                if !spec.keywords.is_empty() {
                    spec.keywords.extend(change.keywords.clone());
                }
                specs.push(spec);
            }
        }
        rules = rules.with_specs(specs).map_err(|(_, message)| Place::default().error(message))?;
        rules = rules.with_specs(self.specs.clone()).map_err(|(index, message)| {
            self.places[index].error(format!("rule `{}`: {message}", self.specs[index].id))
        })?;
        Ok(rules)
    }

    /// How many rules the file has of its own.
    pub fn rule_count(&self) -> usize {
        self.specs.len()
    }

    /// The rules of the file's own, each with the place where it is written.
    pub fn rules(&self) -> impl Iterator<Item = (&str, String)> {
        self.specs.iter().zip(&self.places).map(|(spec, place)| (spec.id.as_str(), place.written()))
    }
}

/// The ids of the catalogue that gitleaks' default configuration calls by this name.
fn counterparts(name: &str, catalogue: &RuleSet) -> Vec<String> {
    if name == ENV_FILE_STAGED.id || catalogue.get(name).is_some() {
        return vec![name.to_owned()];
    }
    let Ok(at) = NAMES.binary_search_by_key(&name, |(name, _)| name) else { return Vec::new() };
    let ids = NAMES[at].1.iter().filter(|id| catalogue.get(id).is_some());
    ids.map(|id| (*id).to_owned()).collect()
}

/// Names of rules, each with the place where it is written.
type Names = Vec<(String, Place)>;

/// One file, or several that extend each other, before the rules are put together.
#[derive(Debug, Default)]
struct File {
    rules: Vec<RawRule>,
    everywhere: Vec<Arc<List>>,
    targeted: Vec<(Names, Arc<List>)>,
    use_default: Option<Place>,
    /// Names that are not taken over from what is extended.
    disabled: Vec<(String, Place)>,
    notes: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct RawRule {
    id: String,
    place: Place,
    description: Option<String>,
    regex: Option<(String, Place)>,
    secret_group: Option<(usize, Place)>,
    path: Option<(Regex, Place)>,
    entropy: Option<f32>,
    keywords: Vec<String>,
    tags: Vec<String>,
    allow: Vec<Arc<List>>,
    required: Vec<(String, Place, Option<u64>, Option<u64>)>,
    skip_report: bool,
}

fn read_file(text: &str, path: &Path, depth: usize) -> Result<File, ConfigError> {
    let reader = Reader { source: Text { text, path } };
    let table = DeTable::parse(text).map_err(|error| reader.source.toml_error(&error))?;
    let mut file = File::default();
    let mut extend_path: Option<(String, Place)> = None;
    reader.one_spelling(table.get_ref())?;
    for (key, value) in table.get_ref() {
        match key.get_ref().to_ascii_lowercase().as_str() {
            "title" | "description" | "minversion" => drop(reader.text(key, value)?),
            "extend" => {
                for (key, value) in reader.table(key, value)? {
                    match key.get_ref().to_ascii_lowercase().as_str() {
                        "usedefault" => {
                            let place = reader.place(key);
                            file.use_default = reader.flag(key, value)?.then_some(place);
                        }
                        "path" => {
                            let (path, place) = reader.text(key, value)?;
                            extend_path = Some((path, place)).filter(|(path, _)| !path.is_empty());
                        }
                        "disabledrules" => file.disabled = reader.texts(key, value)?,
                        "url" => {
                            return Err(reader.at(key, "nothing is read over the network; name a `path`"));
                        }
                        _ => return Err(reader.unknown(key, "extend")),
                    }
                }
            }
            "rules" => {
                for table in reader.tables(key, value)? {
                    file.add_rule(reader.rule(table)?, text_path(path));
                }
            }
            "allowlist" | "allowlists" => {
                for table in reader.tables(key, value)? {
                    let (list, targets) = reader.list(table, true)?;
                    match targets.is_empty() {
                        true => file.everywhere.push(Arc::new(list)),
                        false => file.targeted.push((targets, Arc::new(list))),
                    }
                }
            }
            "usedefault" | "disabledrules" => {
                return Err(reader.at(key, "stands under [extend], and has no effect here"));
            }
            _ => return Err(reader.unknown(key, "")),
        }
    }
    match (extend_path, &file.use_default) {
        (Some((_, place)), Some(_)) => {
            Err(place.error("`path`: `useDefault` and `path` exclude each other, in gitleaks too"))
        }
        (Some(_), None) if depth == DEEPEST_EXTEND => Ok(file),
        (Some((below, place)), None) => file.extend(read_below(&below, path, &place, depth)?),
        (None, _) => Ok(file),
    }
}

fn text_path(path: &Path) -> String {
    path.display().to_string()
}

/// Reads the file that another extends: from the current directory, as gitleaks does, or beside the other.
fn read_below(below: &str, path: &Path, place: &Place, depth: usize) -> Result<File, ConfigError> {
    let beside = path.parent().unwrap_or(Path::new("")).join(below);
    let found = [PathBuf::from(below), beside].into_iter().find(|path| path.is_file());
    let Some(found) = found else {
        return Err(
            place.error("`path`: there is no such file, from the current directory or from this file")
        );
    };
    let text = std::fs::read_to_string(&found)
        .map_err(|source| ConfigError::Read { path: found.clone(), source })?;
    read_file(&text, &found, depth + 1)
}

impl File {
    /// As in gitleaks, the last of two rules with one id counts.
    fn add_rule(&mut self, rule: RawRule, path: String) {
        if let Some(known) = self.rules.iter_mut().find(|known| known.id == rule.id && !rule.id.is_empty()) {
            self.notes.push(format!(
                "{path}: the rule `{}` of line {} takes the place of the one of line {}",
                rule.id, rule.place.line, known.place.line
            ));
            *known = rule;
        } else {
            self.rules.push(rule);
        }
    }

    /// Takes over what this file does not say itself.
    fn extend(mut self, below: File) -> Result<File, ConfigError> {
        let is_disabled = |id: &str| self.disabled.iter().any(|(disabled, _)| disabled == id);
        let mut rules = Vec::new();
        for base in below.rules.iter().filter(|base| !is_disabled(&base.id)) {
            match self.rules.iter().position(|own| own.id == base.id) {
                None => rules.push(base.clone()),
                Some(at) => {
                    let own = self.rules.remove(at);
                    rules.push(own.over(base));
                }
            }
        }
        for (id, place) in &self.disabled {
            let is_known = below.rules.iter().any(|rule| rule.id == *id) || below.use_default.is_some();
            if !is_known {
                self.notes.push(format!("{}: there is no rule `{id}` to disable", place.written()));
            }
        }
        rules.append(&mut self.rules);
        self.rules = rules;
        self.everywhere.extend(below.everywhere);
        self.notes.extend(below.notes);
        // Gitleaks reads them in the first file alone.
        if let Some((_, list)) = below.targeted.first() {
            self.notes.push(format!(
                "{}: an allowlist with `targetRules` has no effect in a file that another extends",
                list.written_at
            ));
        }
        self.use_default = self.use_default.or(below.use_default);
        self.disabled.extend(below.disabled);
        Ok(self)
    }

    /// Puts the rules together and checks that each is one.
    fn finish(mut self) -> Result<Gitleaks, ConfigError> {
        let use_default = self.use_default.is_some();
        let catalogue = if use_default { RuleSet::builtin() } else { RuleSet::empty() };
        let own: Vec<String> =
            self.rules.iter().filter(|rule| rule.is_whole()).map(|rule| rule.id.clone()).collect();
        let known = |name: &str| match own.iter().any(|id| id == name) {
            true => vec![name.to_owned()],
            false => counterparts(name, &catalogue),
        };
        let unknown = |name: &str| match use_default {
            true => {
                let ids: Vec<&str> = own.iter().map(String::as_str).collect();
                let near =
                    nearest(name, &ids).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                format!("there is no rule `{name}` here, and no certain counterpart in the catalogue{near}")
            }
            false => format!("there is no rule `{name}`"),
        };
        let mut disabled = Vec::new();
        if use_default {
            for (name, place) in &self.disabled {
                let ids = counterparts(name, &catalogue);
                if ids.is_empty() && own.iter().all(|id| id != name) {
                    return Err(place.error(format!("`disabledRules`: {}", unknown(name))));
                }
                disabled.extend(ids);
            }
        }
        let mut gitleaks = Gitleaks {
            specs: Vec::new(),
            places: Vec::new(),
            use_default,
            disabled: Vec::new(),
            changes: Vec::new(),
            lists: Lists { everywhere: std::mem::take(&mut self.everywhere), rules: BTreeMap::new() },
            notes: std::mem::take(&mut self.notes),
            by_name: Vec::new(),
        };
        for rule in &self.rules {
            let ids =
                if rule.is_whole() { vec![rule.id.clone()] } else { counterparts(&rule.id, &catalogue) };
            if rule.id.trim().is_empty() {
                return Err(rule.place.error("a rule without `id`"));
            }
            if ids.is_empty() {
                return Err(rule.place.error(format!(
                    "rule `{}` has neither `regex` nor `path`, and {}",
                    rule.id,
                    if use_default { unknown(&rule.id) } else { "no rule is extended".to_owned() }
                )));
            }
            if rule.is_whole() {
                // It takes the place of what the catalogue has under that name.
                disabled.extend(counterparts(&rule.id, &catalogue));
                gitleaks.specs.push(rule.spec()?);
                gitleaks.places.push(rule.place.clone());
                if rule.regex.is_none() {
                    gitleaks.by_name.push(rule.id.clone());
                }
            } else {
                gitleaks.changes.push(rule.change(ids.clone())?);
            }
            for id in ids {
                let of = gitleaks.lists.rules.entry(id).or_default();
                rule.attach(of, &known, &unknown)?;
            }
        }
        for (targets, list) in &self.targeted {
            for (name, place) in targets {
                let ids = known(name);
                if ids.is_empty() {
                    return Err(place.error(format!("`targetRules`: {}", unknown(name))));
                }
                for id in ids {
                    gitleaks.lists.rules.entry(id).or_default().allow.push(Arc::clone(list));
                }
            }
        }
        // A rule of the file that has the id of one of the catalogue takes its place, and is not disabled itself.
        disabled.retain(|id| !own.contains(id));
        gitleaks.disabled = disabled;
        Ok(gitleaks)
    }
}

impl RawRule {
    /// Whether it finds something by itself.
    fn is_whole(&self) -> bool {
        self.regex.is_some() || self.path.is_some()
    }

    /// This rule, with what it does not say itself taken from the one that it extends.
    fn over(self, base: &RawRule) -> RawRule {
        let base = base.clone();
        let join = |mut first: Vec<String>, second: Vec<String>| {
            first.extend(second);
            first
        };
        RawRule {
            id: self.id,
            place: self.place,
            description: self.description.or(base.description),
            secret_group: self.secret_group.or(base.secret_group),
            regex: self.regex.or(base.regex),
            path: self.path.or(base.path),
            entropy: self.entropy.or(base.entropy),
            keywords: join(base.keywords, self.keywords),
            tags: join(base.tags, self.tags),
            allow: base.allow.into_iter().chain(self.allow).collect(),
            // Gitleaks takes these two from the base alone.
            required: base.required,
            skip_report: base.skip_report,
        }
    }

    fn spec(&self) -> Result<RuleSpec, ConfigError> {
        let regex = match &self.regex {
            None => String::new(),
            Some((text, place)) => {
                let group = self.secret_group.as_ref().map_or(0, |(group, _)| *group);
                let translated =
                    re2::translate(text, 0).map_err(|error| place.error(format!("`regex`: {error}")))?;
                match (&self.secret_group, group > translated.groups) {
                    (Some((_, place)), true) => {
                        let groups = translated.groups;
                        return Err(place.error(format!(
                            "`secretGroup`: there is no group {group}: the expression has {groups}"
                        )));
                    }
                    _ => re2::translate(text, group).map_err(|error| place.error(error))?.pattern,
                }
            }
        };
        let tags = if self.tags.is_empty() { String::new() } else { format!(" ({})", self.tags.join(", ")) };
        let description = self.description.clone().filter(|text| !text.trim().is_empty());
        let description = format!("{}{tags}", description.unwrap_or_else(|| self.id.clone()));
        let mut spec =
            RuleSpec::whole(&self.id, &description.replace('\n', " "), regex, self.keywords.clone());
        spec.min_entropy = self.entropy;
        Ok(spec)
    }

    fn change(&self, ids: Vec<String>) -> Result<Change, ConfigError> {
        if let Some((_, place)) = &self.secret_group {
            return Err(
                place.error("`secretGroup` means nothing without a `regex`: the catalogue knows its secrets")
            );
        }
        Ok(Change {
            ids,
            description: self.description.clone(),
            min_entropy: self.entropy,
            keywords: self
                .keywords
                .iter()
                .filter(|word| word.len() > 2 && word.is_ascii())
                .cloned()
                .collect(),
        })
    }

    fn attach(
        &self,
        of: &mut OfRule,
        known: &dyn Fn(&str) -> Vec<String>,
        unknown: &dyn Fn(&str) -> String,
    ) -> Result<(), ConfigError> {
        of.path = self.path.as_ref().map(|(path, _)| path.clone());
        of.is_about_names = self.path.is_some() && self.regex.is_none();
        of.allow.extend(self.allow.iter().cloned());
        of.is_silent = self.skip_report;
        for (name, place, within_lines, within_columns) in &self.required {
            let rules = known(name);
            if rules.is_empty() {
                return Err(place.error(format!("`required`: {}", unknown(name))));
            }
            of.required.push(Required {
                rules,
                within_lines: *within_lines,
                within_columns: *within_columns,
            });
        }
        Ok(())
    }
}

type Key<'t> = Spanned<std::borrow::Cow<'t, str>>;
type Value<'t> = Spanned<DeValue<'t>>;

/// Reads values and says where a wrong one stands.
struct Reader<'t> {
    source: Text<'t>,
}

impl<'t> Reader<'t> {
    fn place(&self, key: &Key<'_>) -> Place {
        self.place_at(key.span().start)
    }

    fn place_at(&self, offset: usize) -> Place {
        let (line, column) = self.source.line_column(offset);
        Place { path: self.source.path.to_path_buf(), line, column }
    }

    fn at(&self, key: &Key<'_>, message: &str) -> ConfigError {
        self.place(key).error(format!("`{}`: {message}", key.get_ref()))
    }

    fn unknown(&self, key: &Key<'_>, table: &str) -> ConfigError {
        let place = if table.is_empty() { String::new() } else { format!(" under `{table}`") };
        let name = key.get_ref();
        let old = ["whitelist", "regexes", "file", "files", "filenameregex", "filepathregex", "entropies"];
        let hint = match old.contains(&name.to_ascii_lowercase().as_str()) {
            true => " (gitleaks before version 8 had it)",
            false => "",
        };
        self.place(key).error(format!("`{name}`: no key{place} that can be honoured{hint}"))
    }

    fn text(&self, key: &Key<'_>, value: &Value<'_>) -> Result<(String, Place), ConfigError> {
        match value.get_ref().as_str() {
            Some(text) => Ok((text.to_owned(), self.place_at(value.span().start))),
            None => Err(self.at(key, "expected a text")),
        }
    }

    fn flag(&self, key: &Key<'_>, value: &Value<'_>) -> Result<bool, ConfigError> {
        value.get_ref().as_bool().ok_or_else(|| self.at(key, "expected true or false"))
    }

    fn number(&self, key: &Key<'_>, value: &Value<'_>) -> Result<u64, ConfigError> {
        let number = value.get_ref().as_integer();
        let number = number.and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        number.ok_or_else(|| self.at(key, "expected a whole number, 0 or more"))
    }

    fn fraction(&self, key: &Key<'_>, value: &Value<'_>) -> Result<f32, ConfigError> {
        let text = match value.get_ref() {
            DeValue::Float(float) => Some(float.as_str()),
            DeValue::Integer(integer) => Some(integer.as_str()),
            _ => None,
        };
        let number = text.and_then(|text| text.parse::<f32>().ok()).filter(|number| number.is_finite());
        number.ok_or_else(|| self.at(key, "expected a number"))
    }

    /// A list of texts; one text stands for a list of one.
    fn texts(&self, key: &Key<'_>, value: &Value<'_>) -> Result<Vec<(String, Place)>, ConfigError> {
        match value.get_ref() {
            DeValue::String(_) => Ok(vec![self.text(key, value)?]),
            DeValue::Array(items) => items.iter().map(|item| self.text(key, item)).collect(),
            _ => Err(self.at(key, "expected a list of texts")),
        }
    }

    fn table<'v>(&self, key: &Key<'_>, value: &'v Value<'t>) -> Result<&'v DeTable<'t>, ConfigError> {
        value.get_ref().as_table().ok_or_else(|| self.at(key, "expected a table"))
    }

    /// A list of tables, each with the offset at which it starts; one table stands for a list of one.
    fn tables<'v>(
        &self,
        key: &Key<'_>,
        value: &'v Value<'t>,
    ) -> Result<Vec<(usize, &'v DeTable<'t>)>, ConfigError> {
        let one = |value: &'v Value<'t>| {
            let table = value.get_ref().as_table().ok_or_else(|| self.at(key, "expected a table"))?;
            Ok((value.span().start, table))
        };
        match value.get_ref() {
            DeValue::Array(items) => items.iter().map(one).collect(),
            _ => Ok(vec![one(value)?]),
        }
    }

    /// Refuses the old and the new name of allowlists side by side, as gitleaks does.
    fn one_spelling(&self, table: &DeTable<'t>) -> Result<(), ConfigError> {
        let key = |name: &str| {
            table.iter().map(|(key, _)| key).find(|key| key.get_ref().eq_ignore_ascii_case(name))
        };
        match (key("allowlist"), key("allowlists")) {
            (Some(old), Some(_)) => {
                Err(self.at(old, "the old name stands beside `allowlists`; keep one of them"))
            }
            _ => Ok(()),
        }
    }

    fn rule(&self, (offset, table): (usize, &DeTable<'t>)) -> Result<RawRule, ConfigError> {
        let mut rule = RawRule { place: self.place_at(offset), ..RawRule::default() };
        self.one_spelling(table)?;
        for (key, value) in table {
            match key.get_ref().to_ascii_lowercase().as_str() {
                "id" => rule.id = self.text(key, value)?.0,
                "description" => rule.description = Some(self.text(key, value)?.0),
                "regex" => rule.regex = Some(self.text(key, value)?).filter(|(text, _)| !text.is_empty()),
                "path" => {
                    let (text, place) = self.text(key, value)?;
                    if !text.is_empty() {
                        rule.path = Some((self.expression(key, &text, &place)?, place));
                    }
                }
                "secretgroup" => {
                    let group = usize::try_from(self.number(key, value)?).unwrap_or(usize::MAX);
                    rule.secret_group = Some((group, self.place(key))).filter(|(group, _)| *group > 0);
                }
                "entropy" => rule.entropy = Some(self.fraction(key, value)?).filter(|floor| *floor != 0.0),
                "keywords" => {
                    let words = self.texts(key, value)?;
                    rule.keywords = words.into_iter().map(|(word, _)| word.to_lowercase()).collect();
                }
                "tags" => rule.tags = self.texts(key, value)?.into_iter().map(|(tag, _)| tag).collect(),
                "skipreport" => rule.skip_report = self.flag(key, value)?,
                "allowlist" | "allowlists" => {
                    for table in self.tables(key, value)? {
                        rule.allow.push(Arc::new(self.list(table, false)?.0));
                    }
                }
                "required" => {
                    for (offset, table) in self.tables(key, value)? {
                        rule.required.push(self.required(offset, table)?);
                    }
                }
                _ => return Err(self.unknown(key, "rules")),
            }
        }
        Ok(rule)
    }

    fn required(
        &self,
        offset: usize,
        table: &DeTable<'t>,
    ) -> Result<(String, Place, Option<u64>, Option<u64>), ConfigError> {
        let (mut id, mut lines, mut columns) = (None, None, None);
        for (key, value) in table {
            match key.get_ref().to_ascii_lowercase().as_str() {
                "id" => id = Some(self.text(key, value)?),
                "withinlines" => lines = Some(self.number(key, value)?),
                "withincolumns" => columns = Some(self.number(key, value)?),
                _ => return Err(self.unknown(key, "rules.required")),
            }
        }
        let (id, place) = id
            .filter(|(id, _)| !id.is_empty())
            .ok_or_else(|| self.place_at(offset).error("`required`: names no rule by `id`"))?;
        Ok((id, place, lines, columns))
    }

    fn list(
        &self,
        (offset, table): (usize, &DeTable<'t>),
        is_global: bool,
    ) -> Result<(List, Vec<(String, Place)>), ConfigError> {
        let place = self.place_at(offset);
        let mut list = List { written_at: place.written(), ..List::default() };
        let mut targets = Vec::new();
        for (key, value) in table {
            match key.get_ref().to_ascii_lowercase().as_str() {
                "description" => {
                    let (text, _) = self.text(key, value)?;
                    if !text.trim().is_empty() {
                        list.written_at = format!("{} ({text})", place.written());
                    }
                }
                "condition" => {
                    list.all = match self.text(key, value)?.0.to_ascii_uppercase().as_str() {
                        "AND" | "&&" => true,
                        "" | "OR" | "||" => false,
                        _ => return Err(self.at(key, "expected \"AND\" or \"OR\"")),
                    };
                }
                "regextarget" => {
                    list.target = match self.text(key, value)?.0.as_str() {
                        "" | "secret" => Target::Secret,
                        "match" => Target::Match,
                        "line" => Target::Line,
                        _ => return Err(self.at(key, "expected \"secret\", \"match\" or \"line\"")),
                    };
                }
                "commits" => {
                    let commits = self.texts(key, value)?.into_iter();
                    list.commits = commits.map(|(id, _)| id.trim().to_lowercase()).collect();
                }
                "paths" => list.paths = self.expressions(key, value)?,
                "regexes" => list.regexes = self.expressions(key, value)?,
                "stopwords" => {
                    let words = self.texts(key, value)?.into_iter();
                    list.stopwords = words.map(|(word, _)| word.to_lowercase()).collect();
                }
                "targetrules" if is_global => targets = self.texts(key, value)?,
                _ => return Err(self.unknown(key, if is_global { "allowlists" } else { "rules.allowlists" })),
            }
        }
        let is_empty = list.commits.is_empty()
            && list.paths.is_none()
            && list.regexes.is_none()
            && list.stopwords.is_empty();
        match is_empty {
            true => Err(place.error("an allowlist needs `commits`, `paths`, `regexes` or `stopwords`")),
            false => Ok((list, targets)),
        }
    }

    fn expressions(&self, key: &Key<'_>, value: &Value<'_>) -> Result<Option<RegexSet>, ConfigError> {
        let texts = self.texts(key, value)?;
        let mut patterns = Vec::new();
        for (text, place) in &texts {
            self.expression(key, text, place)?;
            let wrong = |error| place.error(format!("`{}`: {error}", key.get_ref()));
            patterns.push(re2::translate(text, 0).map_err(wrong)?.pattern);
        }
        if patterns.is_empty() {
            return Ok(None);
        }
        let set = RegexSet::new(&patterns).map_err(|error| self.at(key, &fault(&error)))?;
        Ok(Some(set))
    }

    fn expression(&self, key: &Key<'_>, text: &str, place: &Place) -> Result<Regex, ConfigError> {
        let wrong = |error: String| place.error(format!("`{}`: {error}", key.get_ref()));
        let pattern = re2::translate(text, 0).map_err(wrong)?.pattern;
        Regex::new(&pattern).map_err(|error| wrong(fault(&error)))
    }
}

/// The last line of what the regex crate says; the lines before it quote the expression.
fn fault(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    format!("bad regular expression: {}", last.strip_prefix("error: ").unwrap_or(last))
}
