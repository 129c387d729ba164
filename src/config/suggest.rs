//! "Did you mean".

/// The nearest of the known names, if one is near enough to be a slip of the keyboard or a part of the name.
pub fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let by_spelling = known
        .iter()
        .map(|&candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|&(similarity, _)| similarity > 0.85)
        .max_by(|(left, _), (right, _)| left.total_cmp(right));
    let by_part = || known.iter().copied().find(|candidate| name.len() >= 3 && candidate.contains(name));
    by_spelling.map(|(_, candidate)| candidate).or_else(by_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_parts_are_recognised() {
        let known = ["aws-access-key-id", "clickup-personal-token", "github-pat"];
        assert_eq!(nearest("clickup-personal-tokn", &known), Some("clickup-personal-token"));
        assert_eq!(nearest("pat", &known), Some("github-pat"));
        assert_eq!(nearest("zzz", &known), None);
        assert_eq!(nearest("", &known), None);
    }
}
