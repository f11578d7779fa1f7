//! Whether a check looks at a deliverable after it was made.

use std::collections::BTreeSet;

use skills::brief::Document;

/// Whether some task after the one that makes it runs checks; a human alone does not count.
pub(super) fn is_checked(document: &Document, deliverable: &str) -> bool {
    let makers = document.tasks.iter().filter(|task| task.makes.iter().any(|made| made == deliverable));
    let mut reached: BTreeSet<&str> = makers.map(|task| task.id.as_str()).collect();
    while let Some(next) = document.tasks.iter().find(|task| {
        !reached.contains(task.id.as_str()) && task.needs.iter().any(|need| reached.contains(need.as_str()))
    }) {
        if !next.checks.is_empty() {
            return true;
        }
        reached.insert(&next.id);
    }
    false
}
