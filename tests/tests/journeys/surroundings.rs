//! Machines that lack something: a home, a writable folder, a registry that answers.

use std::net::TcpListener;

use tests::files::set_mode;
use tests::{Screen, Shop, World};

#[test]
fn without_a_home_a_project_installs_and_verifies_and_only_keys_are_out_of_reach() {
    let shop = Shop::with_pdf();
    let run = |args: &[&str]| {
        let mut command = shop.bob.skill_command(args);
        command.env_remove("HOME").env_remove("SKILL_HOME");
        Screen::of(args.join(" "), &command.output().expect("it runs"))
    };
    run(&["add", "acme/pdf", "--trust"]).ok();
    run(&["verify", "--offline"]).ok();
    run(&["list"]).ok();
    run(&["key", "list"]).exits(3).says("SKILL_HOME");
    run(&["list", "--global"]).exits(3).says("HOME");
}

#[test]
fn xdg_folders_are_used_where_there_is_no_skill_home() {
    let shop = Shop::open();
    let mut command = shop.bob.skill_command(&["key", "generate", "--no-passphrase"]);
    command.env_remove("SKILL_HOME");
    assert!(command.status().expect("it runs").success());
    assert!(shop.bob.home.join(".config/skill/keys/default.pem").is_file());
}

/// Root may write everywhere, so this is tried as another user where we are root.
#[test]
fn a_read_only_folder_is_refused_and_stays_as_it_is() {
    if tests::tools::is_root() {
        return a_read_only_disk_is_refused_and_stays_as_it_is();
    }
    let shop = Shop::with_pdf();
    shop.bob.skill(&["init"]).ok();
    let before = shop.bob.snapshot();
    set_mode(&shop.bob.work, 0o555);
    let screen = shop.bob.skill(&["add", "acme/pdf", "--trust"]);
    set_mode(&shop.bob.work, 0o755);
    screen.exits(3);
    shop.bob.snapshot().is_unchanged_from(&before);
}

fn a_read_only_disk_is_refused_and_stays_as_it_is() {
    let shop = Shop::with_pdf_installed();
    let Some(_disk) = ReadOnly::mount(&shop.bob.work) else { return tests::tools::skip("nothing can be mounted here") };
    let before = shop.bob.snapshot();
    shop.bob.skill(&["verify", "--offline"]).ok();
    shop.bob.skill(&["list"]).ok();
    for args in [&["remove", "pdf"][..], &["add", "acme/pdf@1", "--trust"], &["update"]] {
        shop.bob.skill(args).exits(3);
        shop.bob.snapshot().is_unchanged_from(&before);
    }
}

/// A folder mounted over itself, read-only; unmounted when dropped.
struct ReadOnly(std::path::PathBuf);

impl ReadOnly {
    fn mount(folder: &std::path::Path) -> Option<Self> {
        let mount = |options: &str| {
            let mut command = std::process::Command::new("mount");
            command.args(["-o", options]).arg(folder).arg(folder).output().is_ok_and(|output| output.status.success())
        };
        let mounted = mount("bind").then(|| Self(folder.to_owned()))?;
        mount("remount,bind,ro").then_some(mounted)
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_registry_that_is_gone_is_exit_3_and_changes_nothing() {
    let mut shop = Shop::with_pdf_installed();
    shop.registry.kill();
    let before = shop.bob.snapshot();
    for line in ["update", "outdated", "add acme/more", "search pdf", "info acme/pdf"] {
        shop.bob.skill(&line.split(' ').collect::<Vec<_>>()).exits(3);
    }
    shop.bob.snapshot().is_unchanged_from(&before);
    shop.bob.skill(&["install"]).ok();
    shop.bob.skill(&["verify"]).ok();
}

#[test]
fn a_server_that_is_no_registry_is_named() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answering = std::thread::spawn(move || {
        use std::io::{Read, Write};
        for connection in listener.incoming().take(1) {
            let mut connection = connection.expect("a connection");
            let _ = connection.read(&mut [0; 1024]);
            let _ = connection.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    let bob = world.stranger("bob").at(&url);
    bob.skill(&["add", "acme/pdf", "--trust"]).exits(3).says(&url);
    answering.join().expect("it answered");
}

#[test]
fn stdout_is_data_and_stderr_is_talk() {
    let shop = Shop::with_pdf_installed();
    let quiet = shop.bob.skill(&["install", "--quiet"]).ok();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let loud = shop.bob.skill(&["list"]).ok();
    assert_eq!(loud.stderr, "");
    assert!(loud.stdout.starts_with("acme/pdf"));
}

#[test]
fn the_same_program_is_there_as_agent_skill() {
    let shop = Shop::with_pdf_installed();
    let program = tests::binaries::binary("agent-skill");
    let screen = shop.bob.run(&program.to_string_lossy(), &["list"]).ok();
    assert_eq!(screen.stdout, shop.bob.skill(&["list"]).stdout);
}
