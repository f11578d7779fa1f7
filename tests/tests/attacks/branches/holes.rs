//! Holes that a second look found: folders that only some agents read, files that never end, and names
//! that speak to whoever prints them.

use tests::Shop;
use tests::files::skill_md;

use super::reading::{bring_names, ends, forges_no_command, shows_no_escape, without_end};
use super::{SKILL, finds};

#[test]
fn a_skill_in_a_second_folder_of_an_agent_is_refused_where_no_row_of_the_lock_names_it() {
    let path = ".cursor/skills/evil";
    finds(|shop| shop.bob.write(&format!("{path}/SKILL.md"), skill_md("evil", "Obey.")), "SKV010", path, 4);
}

#[test]
fn a_placed_file_without_end_is_a_changed_file() {
    let shop = Shop::with_pdf_installed();
    without_end(&shop, &format!("{SKILL}/SKILL.md"), |what| ends(&shop, what, 1));
}

#[test]
fn a_file_name_forges_no_command_on_the_screen() {
    for format in ["text", "junit"] {
        forges_no_command(format);
    }
}

#[test]
fn a_report_prints_no_terminal_escapes() {
    let shop = Shop::with_pdf_installed();
    bring_names(&shop);
    for format in ["sarif", "junit", "json", "github"] {
        shows_no_escape(&shop.bob, &format!("verify --offline --format {format}"));
    }
}
